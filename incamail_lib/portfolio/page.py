"""The portfolio as a page whose tables sort and filter, without anything from outside.

The page permits one script by its hash, and nothing else that acts. Without scripts, or on paper,
the tables stand as they are.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path

from incamail_lib.i18n import Language, say_n, translator
from incamail_lib.sheets.html import render_html
from incamail_lib.sheets.model import Document
from incamail_lib.sheets.policy import policy
from incamail_lib.sheets.style import page_style

_COUNTED = 3  # none, one, more: no language of ours tells numbers apart beyond that


@cache
def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def page_of(document: Document, language: Language) -> str:
    """The document as HTML; its tables are sorted by a click and filtered by what is typed."""
    style = page_style()
    wanted = f"{style}\n{_file('sorting.css')}"
    script = _script(language)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    permitted = f"{policy(wanted)}; script-src 'sha256-{digest}'"
    page = str(render_html(document, language))  # markup would escape what is put in
    page = page.replace(policy(style), permitted, 1)
    page = page.replace(f"<style>{style}</style>", f"<style>{wanted}</style>", 1)
    return page.replace("\n</body>", f"\n<script>{script}</script>\n</body>", 1)


def _script(language: Language) -> str:
    """The program with its words: as JSON, in which no tag can begin."""
    tell = translator(language)
    # The number is known in the browser only: one form for each way to count in our languages.
    shown = [tell.template(say_n("{n} row shown", "{n} rows shown", n)) for n in range(_COUNTED)]
    words = {"filter": tell("Show only rows with"), "shown": shown}
    given = json.dumps(words).replace("<", "\\u003c")
    return _file("sorting.js").replace('{"words": 0}', given)
