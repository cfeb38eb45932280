"""One file holds a learner's progress: nothing in it is ever lost, whatever happens to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from incamail_lib.course.lessons import LESSONS
from incamail_lib.course.marking import State
from incamail_lib.course.progress import (
    PROGRESS,
    Attempt,
    Progress,
    moment,
    open_progress,
    record,
    standing,
)
from incamail_lib.errors import UsageError


def attempt(exercise: str, state: State = State.RIGHT, *beliefs: str) -> Attempt:
    return Attempt(at=moment(), exercise=exercise, given="x", state=state, beliefs=beliefs)


def test_attempts_survive_a_restart_and_right_stays_right(tmp_path: Path) -> None:
    """What was answered is there the next time, in its order; a later slip takes nothing away."""
    path = tmp_path / PROGRESS
    record(path, "Anna", attempt("travel/addin", State.WRONG, "word_protects"))
    wrong, _ = open_progress(path, "Anna")
    assert standing(wrong, [LESSONS["travel"]])[0].beliefs == (
        "A word in the subject that says «secure» makes the message so.",
    )
    record(path, "Anna", attempt("travel/addin"))
    record(path, "Anna", attempt("travel/addin", State.WRONG))
    known, problem = open_progress(path, "Anna")
    assert problem is None
    assert [a.state.value for a in known.attempts] == ["wrong", "right", "wrong"]
    assert known.state("travel/addin") is State.RIGHT
    assert known.state("travel/way") is State.OPEN
    found = standing(known, [LESSONS["travel"]])[0]
    assert (found.right, found.wrong, found.beliefs) == (1, 0, ())


@pytest.mark.parametrize(
    "damaged", [b"{", b"", b"\xff\xfe", b"[" * 100_000, b'{"learner": 1}', b"null"]
)
def test_a_damaged_file_is_kept_aside_and_told(tmp_path: Path, damaged: bytes) -> None:
    """One sentence with both names; the bytes are kept, and a second damaged file too."""
    path = tmp_path / PROGRESS
    for number in (1, 2):
        path.write_bytes(damaged)
        known, problem = record(path, "Anna", attempt("travel/addin"))
        assert problem is not None
        assert f"progress.damaged-{number}.json" in problem.english()
        assert (tmp_path / f"progress.damaged-{number}.json").read_bytes() == damaged
        assert len(known.attempts) == 1
    assert open_progress(path, "Anna")[1] is None


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """It is not damaged: the program is told to be updated, and the file stays what it is."""
    path = tmp_path / PROGRESS
    path.write_text('{"schema_version": 2, "learner": "Anna", "more": true}', encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="newer version"):
        record(path, "Anna", attempt("travel/addin"))
    assert path.read_bytes() == before


def test_two_at_once_lose_no_answer(tmp_path: Path) -> None:
    """Two lessons that are open at the same time write to the same file."""
    path = tmp_path / PROGRESS
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: record(path, "Anna", attempt(f"travel/{n}")), range(20)))
    known, _ = open_progress(path, "Anna")
    assert {a.exercise for a in known.attempts} == {f"travel/{n}" for n in range(20)}


def test_a_record_reads_as_it_was_written() -> None:
    """Every form of an answer comes back as it was."""
    given = ("a", ("a", "b"), {"method": "domain"})
    attempts = tuple(attempt("travel/addin").model_copy(update={"given": g}) for g in given)
    before = Progress(learner="Anna", attempts=attempts)
    assert Progress.model_validate_json(before.model_dump_json()) == before
