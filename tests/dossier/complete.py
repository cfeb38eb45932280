"""The fields of a dossier in which nothing is missing."""

from __future__ import annotations

from typing import Any

from incamail_lib.dossier.agreed import messages_of
from incamail_lib.guide import contents

COMPONENTS = [component.key for component in contents().components]
ITEMS = [item.number for item in contents().items]


def everything() -> dict[str, Any]:
    """A dossier in which nothing is missing."""
    tests = [
        {"direction": d, "kind": k, "audience": a, "result": "passed"} for d, k, a in messages_of()
    ]
    signed = {"name": "A", "organisation": "B", "signed_on": "2026-11-01"}
    return {
        "go_live": "2027-01-15",
        "components": {key: {"present": False} for key in COMPONENTS},
        "answers": {number: {"state": "clear"} for number in ITEMS},
        "acceptance": tests,
        "signatures": [signed | {"document": name} for name in ("link", "identity")],
    }
