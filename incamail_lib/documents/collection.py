"""All documents of a dossier."""

from __future__ import annotations

import datetime as dt

from incamail_lib.documents.acceptance import Group, acceptance_report
from incamail_lib.documents.add_in import add_in_plan
from incamail_lib.documents.communication import communication_plan
from incamail_lib.documents.matrix import network_matrix
from incamail_lib.documents.parts import Basis
from incamail_lib.documents.plan import implementation_plan
from incamail_lib.documents.setup import setup_document
from incamail_lib.dossier.model import Dossier
from incamail_lib.findings import Audit
from incamail_lib.guide import Contents, Platform
from incamail_lib.sheets.model import Document, gaps

KEYS = (
    "implementation_plan",
    "setup_document",
    "network_matrix",
    "communication_plan",
    "add_in_plan",
    *(f"acceptance_{group.value}" for group in Group),
)
"""The keys of all documents, in the order in which `documents` gives them."""


def to_sign(basis: Basis) -> dict[str, int]:
    """How much is missing in each paper that is signed, by the name signatures know it by."""
    setup = {"setup": len(gaps(setup_document(basis)))}
    return setup | {g.value: len(gaps(acceptance_report(basis, g))) for g in Group}


def documents(
    dossier: Dossier,
    guide: Contents,
    platform: Platform,
    *,
    audit: Audit | None,
    today: dt.date,
) -> tuple[Document, ...]:
    """Every document that a dossier can give today, however little is in it."""
    basis = Basis(dossier, guide, platform, audit, today)
    return (
        implementation_plan(basis),
        setup_document(basis),
        network_matrix(basis),
        communication_plan(basis),
        add_in_plan(basis),
        *(acceptance_report(basis, group) for group in Group),
    )
