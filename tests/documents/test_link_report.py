"""The acceptance report of the link ticks what a record shows, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from documents.dossiers import audit, empty, full, made
from factories import NOW

from incamail_lib.dossier.agreed import AcceptanceTest, Attempt, Seen, TestResult, Way
from incamail_lib.findings import Audit
from incamail_lib.sheets.model import Checklist, Document, gaps

TO = "hans@recipient.test.incamail.ch"
ATTEMPT = {"at": NOW, "by": "Anna", "to": TO, "outcome": "accepted", "message_id": "<1@x>"}
TEST: dict[str, Any] = {
    "direction": "outgoing",
    "kind": "confidential",
    "audience": "external",
    "result": "passed",
    "to": TO,
    "way": "runbook",
    "message_id": "<1@x>",
    "received": "Read after «Read».",
    "attempts": (ATTEMPT,),
}


def report(*tests: dict[str, Any]) -> Document:
    return made(empty(acceptance=tests))["acceptance_link"]


def ticks(document: Document) -> list[bool]:
    blocks = [block for section in document.sections for block in section.blocks]
    steps = next(block for block in blocks if isinstance(block, Checklist))
    return [row.done for row in steps.rows]


def test_a_recorded_test_that_arrived_shows_every_step() -> None:
    """Sent by the runbook to an address outside, seen by its recipient: three ticks, no gap."""
    document = report(TEST)
    assert ticks(document) == [True, True, True]
    assert not any("no recorded link test" in gap.text.english() for gap in gaps(document))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"to": "", "way": None, "attempts": ()}, [False, False, False]),  # a result set by hand
        ({"way": None}, [False, False, False]),
        ({"way": "add_in"}, [False, False, False]),
        ({"way": "program"}, [True, False, True]),  # nobody recorded its subject
        ({"to": "hans@recipient.test"}, [False, False, False]),  # without the suffix
        ({"to": "eva@leer.example.incamail.ch"}, [False, False, False]),  # inside
        ({"received": " "}, [True, True, False]),
        ({"result": "open"}, [True, True, False]),
        ({"result": "failed"}, [True, True, False]),
        ({"attempts": (ATTEMPT | {"outcome": "refused"},)}, [True, False, True]),
        ({"message_id": "<2@x>"}, [True, False, True]),  # another message than the one sent
        ({"audience": "internal"}, [False, False, False]),
        ({"kind": "personal"}, [False, False, False]),
    ],
)
def test_what_no_record_shows_is_not_ticked(changes: dict[str, Any], expected: list[bool]) -> None:
    """Each step needs its own evidence; what lacks is marked, with the way to close it."""
    document = report(TEST | changes)
    assert ticks(document) == expected
    assert any("no recorded link test" in gap.text.english() for gap in gaps(document))


def test_every_attempt_is_shown_failures_too() -> None:
    """The refusal before the success stands in the report, with the server's words."""
    told = str(made(full(), audit())["acceptance_link"])
    assert "554 5.7.1 Relay access denied" in told
    assert "250 2.0.0 Ok: queued as 4F1" in told


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (None, "nobody has noted"),
        ({"arrived": True, "at": NOW, "by": "Bea", "words": "Read after «Read»."}, "Arrived:"),
        ({"arrived": False, "at": NOW, "by": "Bea"}, "Not arrived:"),
        ({"arrived": True, "at": NOW}, "the lab itself"),
    ],
)
def test_an_arrival_is_told_apart_from_the_hand_over(
    seen: dict[str, Any] | None, expected: str
) -> None:
    """A 250 alone says that nobody has looked; else who saw what stands beside it."""
    told = str(report(TEST | {"attempts": (ATTEMPT | {"seen": seen},)}))
    assert expected in told
    assert ("Bea" in told) == bool(seen and seen.get("by"))


def test_only_the_last_message_decides() -> None:
    """What is seen of an earlier one is noted with it and changes no result."""
    first = AcceptanceTest.model_validate(TEST)
    later = first.after(Attempt.model_validate(ATTEMPT | {"message_id": "<2@x>"}))
    seen = Seen(arrived=False, at=NOW, by="Bea", words="bounced")
    old, new = later.seen("<1@x>", seen), later.seen("<2@x>", seen)
    assert (old.result, old.attempts[0].seen) == (TestResult.OPEN, seen)
    assert (new.result, new.received, new.tested_by) == (TestResult.FAILED, "", "Bea")
    arrived = later.seen("<2@x>", Seen(arrived=True, at=NOW, words="by gw1"))
    assert (arrived.result, arrived.received) == (TestResult.PASSED, "by gw1")
    assert arrived.tested_by == "Anna", "the lab saw it; who tested stays"
    assert later.seen("", seen) == later


def test_a_new_attempt_never_replaces_an_old_one() -> None:
    """It opens the test again: what was seen of the earlier message proves nothing of this one."""
    before = AcceptanceTest.model_validate(TEST)
    later = Attempt.model_validate(ATTEMPT | {"message_id": "<2@x>", "reply": "250 queued"})
    after = before.after(later)
    assert after.attempts == (*before.attempts, later)
    assert (after.result, after.received, after.message_id) == (TestResult.OPEN, "", "<2@x>")
    assert after.way is Way.RUNBOOK
    refused = after.after(Attempt.model_validate(ATTEMPT | {"outcome": "refused"}))
    assert refused.result is TestResult.FAILED
    assert len(refused.attempts) == 3


def test_the_leaf_is_not_told_as_its_own_path() -> None:
    """Of saved facts the path holds a copy of the certificate; it is the same one all the same."""
    saved = Audit.model_validate_json(audit().model_dump_json())
    assert "ends before the certificate itself" not in str(made(full(), saved)["setup_document"])
