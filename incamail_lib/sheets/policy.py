"""What a page of ours permits a browser to do: show it, and nothing more."""

from __future__ import annotations

import base64
import hashlib


def policy(style: str) -> str:
    """The policy (CSP 3) of a page whose one style element holds `style`.

    No script, no other sheet or style attribute, nothing from outside, not even an image: ours are
    drawn in SVG and letters. Fonts come with the sheet. Links stay links.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
