"""A signature with gaps is no acceptance, and says so where it stands."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from documents.dossiers import TODAY, audit, basis, empty, full, made
from factories import NOW

from incamail_lib.documents import to_sign
from incamail_lib.documents.acceptance import Group
from incamail_lib.dossier.agreed import messages_of
from incamail_lib.sheets.model import Document, Paragraph, gaps

PAPERS = ("setup_document", *(f"acceptance_{group.value}" for group in Group))


def signed_sentence(document: Document) -> Paragraph:
    """What stands directly above the lines to sign."""
    sentence = document.sections[-1].blocks[-2]
    assert isinstance(sentence, Paragraph)
    return sentence


def words(document: Document) -> str:
    return signed_sentence(document).text.english()  # type: ignore[union-attr]


@pytest.mark.parametrize("key", PAPERS)
def test_a_paper_with_gaps_is_not_accepted_by_a_signature(key: str) -> None:
    """How many entries are missing stands with the signature, as a warning, signed or not."""
    document = made(empty())[key]
    missing = len(gaps(document))
    assert missing
    assert signed_sentence(document).style == "warning"
    assert "Not accepted" in words(document) or "Not complete" in words(document)
    assert f"{missing} entr" in words(document)
    assert "results above" not in words(document)


def passed(**changes: Any) -> Any:
    """Every outgoing test, passed."""
    tests = [
        {
            "direction": d,
            "kind": k,
            "audience": a,
            "result": "passed",
            "tested_at": NOW,
            "tested_by": "Anna Muster",
            "received": "It arrived.",
        }
        | changes
        for d, k, a in messages_of()
    ]
    return full(acceptance=tests)


def test_what_is_whole_and_passed_is_confirmed() -> None:
    """Then both parties confirm the results, without a warning."""
    document = made(passed())["acceptance_outgoing"]
    assert words(document) == "Both parties confirm the results above."
    assert signed_sentence(document).style == "body"


def test_a_failed_test_is_never_accepted() -> None:
    """Nothing is missing, and yet the signature accepts nothing."""
    document = made(passed(result="failed"))["acceptance_outgoing"]
    assert not gaps(document)
    assert "Not accepted" in words(document)
    assert "6 results are not «passed»" in words(document)


def test_the_papers_to_sign_are_counted_for_the_session() -> None:
    """By the name that signatures know them by."""
    counted = to_sign(basis(empty()))
    documents = made(empty())
    assert counted["setup"] == len(gaps(documents["setup_document"]))
    assert {k: n for k, n in counted.items() if k != "setup"} == {
        g.value: len(gaps(documents[f"acceptance_{g.value}"])) for g in Group
    }


def test_a_person_stands_for_the_identity() -> None:
    """A machine measures; who compared it is named with the day, and compares anew after it."""
    field = ("identity_checked",)
    lacking = made(full(), audit())["acceptance_identity"]
    assert field in {gap.field for gap in gaps(lacking)}
    named = full(identity_checked={"by": "Bruno Beispiel", "on": TODAY})
    document = made(named, audit())["acceptance_identity"]
    assert field not in {gap.field for gap in gaps(document)}
    assert "Bruno Beispiel" in str(document.sections[0])
    before = {"by": "Bruno Beispiel", "on": TODAY - dt.timedelta(days=1)}
    again = made(full(identity_checked=before), audit())["acceptance_identity"]
    assert field in {gap.field for gap in gaps(again)}
