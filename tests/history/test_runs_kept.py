"""The file of runs: nothing is lost, nobody waits for ever, nothing foreign is touched."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from factories import GATEWAY, NOW, endpoint, ready
from programs import running
from typer.testing import CliRunner

from incamail_lib.audit import load_audit, save_record
from incamail_lib.changes import Kind
from incamail_lib.checks import judge_facts
from incamail_lib.cli.app import app
from incamail_lib.errors import MaterialError
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.findings import Verdict
from incamail_lib.history import Digest, History, HistoryError, record, recording, store
from incamail_lib.history.differing import alerts, difference
from incamail_lib.history.digest import Judged, judged_of
from incamail_lib.i18n import Text, say
from incamail_lib.portfolio import open_portfolio
from incamail_lib.printable import for_chat

DAY = dt.timedelta(days=1)
GOOD = ready()
BAD = ready(receiving=(endpoint(GATEWAY),))  # TLS06 fails


@dataclass(frozen=True)
class Outcome:
    """What a batch tells of one dossier."""

    dossier: Path
    organisation: str
    exit_code: int = 0
    verdict: Verdict | None = None
    folder: Path | None = None
    judged: Judged | None = None
    problem: Text | None = None


def outcome(folder: Path, name: str, facts: AuditFacts, now: dt.datetime = NOW) -> Outcome:
    """An organisation with an audit in a folder of its own."""
    named = facts.declared.model_copy(update={"organisation": name})
    audit = judge_facts(facts.model_copy(update={"declared": named}), now)
    place = folder / name / f"{now:%Y%m%dT%H%M%S}"
    saved = save_record(audit, place / "audit.json")
    dossier = folder / f"{name}.yaml"
    dossier.write_text(f"organisation: {name}\ndomains: [muster.example]\n", encoding="utf-8")
    judged = judged_of(audit, saved.read_bytes())
    return Outcome(dossier, name, audit.exit_code, audit.verdict, place, judged)


def failed(folder: Path, name: str) -> Outcome:
    return Outcome(folder / f"{name}.yaml", name, 2, problem=say("The dossier is damaged."))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two nights: one got worse, one better, one is new, one gone, one could not be audited."""
    path = tmp_path / "history.sqlite"
    first = [
        outcome(tmp_path, "worse", GOOD),
        outcome(tmp_path, "better", BAD),
        outcome(tmp_path, "same", GOOD),
        outcome(tmp_path, "gone", GOOD),
        outcome(tmp_path, "lost", GOOD),
    ]
    record(path, first, started=NOW)
    second = [
        outcome(tmp_path, "worse", BAD, NOW + DAY),
        outcome(tmp_path, "better", GOOD, NOW + DAY),
        outcome(tmp_path, "same", GOOD, NOW + DAY),
        outcome(tmp_path, "new", BAD, NOW + DAY),
        failed(tmp_path, "lost"),
    ]
    record(path, second, started=NOW + DAY)
    return path


def said(*words: object, code: int) -> str:
    told = CliRunner().invoke(app, [*map(str, words), "--lang", "en"])
    assert told.exit_code == code, told.output
    return told.output if code != 2 else " ".join(told.output.split())


def test_a_run_is_kept_with_what_changed_since_the_last(file: Path) -> None:
    """Verdict, certificates, phases and changes of each, without its audit being read again."""
    with History.open(file) as history:
        assert [run.organisations for run in history.runs()] == [5, 5]
        found = {digest.organisation: digest for digest in history.digests(2)}
    worse = found["worse"]
    assert (worse.verdict, worse.exit_code) == (Verdict.NOT_READY, 1)
    assert "TLS06" in [f.code for f in worse.failing]
    assert {c.where for c in worse.certificates} == {"client.pem", "mx1.muster.example"}
    assert [phase.phase for phase in worse.phases] == ["planning", "preparation", "set_up", "test"]
    assert (Kind.WORSE, "TLS06") in [(c.kind, c.code) for c in worse.changes]
    assert found["same"].changes == ()
    assert (found["new"].compared_with, found["same"].compared_with) == (None, 1)
    assert found["lost"].problem is not None


def test_a_record_that_was_changed_since_is_not_kept_for_what_it_was(tmp_path: Path) -> None:
    """Whether it can still be read or not: the run does not count, and the file is named."""
    file = tmp_path / "history.sqlite"
    for change in (lambda text: text.replace("mx1", "mx9"), lambda text: text[:100], None):
        told = outcome(tmp_path, "changed", GOOD)
        assert told.folder is not None
        path = told.folder / "audit.json"
        if change is None:
            path.unlink()
        else:
            path.write_text(change(path.read_text("utf-8")), "utf-8")
        with pytest.raises(MaterialError, match=r"audit\.json"):
            record(file, [told], started=NOW)
    with History.open(file) as history:
        assert [run.finished for run in history.runs()] == [None] * 3


def test_a_night_on_which_nothing_changed_reads_no_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the overview tells came with the outcome; what is kept whole is as it was written."""
    file = tmp_path / "history.sqlite"
    record(file, [outcome(tmp_path, "same", GOOD)], started=NOW)
    tomorrow = outcome(tmp_path, "same", GOOD, NOW + DAY)
    with monkeypatch.context() as patched:
        patched.setattr(recording, "load_audit", None)
        record(file, [tomorrow], started=NOW + DAY)
    assert tomorrow.folder is not None
    with History.open(file) as history:
        assert history.audit(2, "same", "same.yaml") == load_audit(tomorrow.folder / "audit.json")
        (told,) = history.digests(2)
    assert told.compared_with == 1
    assert told.record == hashlib.sha256((tomorrow.folder / "audit.json").read_bytes()).hexdigest()


def test_two_dossiers_of_one_organisation_are_told_apart(tmp_path: Path) -> None:
    """By the names of their files, wherever the organisation is told; one alone by its name."""
    file = tmp_path / "history.sqlite"
    (second := tmp_path / "second").mkdir()
    for number, (one, two) in enumerate(((GOOD, GOOD), (BAD, GOOD))):
        when = NOW + number * DAY
        other = replace(outcome(second, "twice", two, when), dossier=second / "other.yaml")
        told = [outcome(tmp_path, "twice", one, when), other]
        record(
            file, [*told, outcome(tmp_path, "once", BAD if number else GOOD, when)], started=when
        )
    lines = said("diff", "--history", file, "--alerts", code=1).splitlines()
    assert {line.partition(": ")[0] for line in lines} == {"once", "twice (twice.yaml)"}
    data = json.loads(said("diff", "--history", file, "--json", code=1))
    assert [(one["organisation"], one["dossier"]) for one in data] == [
        ("once", "once.yaml"),
        ("twice (twice.yaml)", "twice.yaml"),
    ]
    shown = open_portfolio(file)
    names = ["once", "twice (other.yaml)", "twice (twice.yaml)"]
    assert [digest.organisation for digest in shown.digests] == names


def test_two_runs_are_told_apart(file: Path) -> None:
    """What got worse is an alarm, what came, went or could not be audited is told."""
    with History.open(file) as history:
        found = {b.organisation: b for b in difference(history, history.run(1), history.run(2))}
        back = {b.organisation: b for b in difference(history, history.run(2), history.run(1))}
    assert set(found) == {"worse", "better", "new", "gone", "lost"}
    loud = {name for name, each in found.items() if list(alerts(each))}
    assert loud == {"worse", "new", "lost"}
    assert {name for name, each in back.items() if list(alerts(each))} == {"better"}


def test_the_commands_tell_it(file: Path) -> None:
    """As text, as one line for each alarm, and as data; the exit code says that it got worse."""
    text = said("diff", "--history", file, code=1)
    assert "worse" in text
    assert "same" not in text
    lines = said("diff", "--history", file, "--alerts", code=1).splitlines()
    assert all(line.startswith(("worse: ", "new: ", "lost: ")) for line in lines)
    assert any("[TLS06]" in line for line in lines)
    data = json.loads(said("diff", 1, 2, "--history", file, "--json", code=1))
    assert {one["organisation"] for one in data} == {"worse", "better", "new", "gone", "lost"}
    assert said("diff", 2, 2, "--history", file, code=0).strip() == "Nothing changed."
    assert "holds no finished run 7" in said("diff", 1, 7, "--history", file, code=2)
    assert "0.1" in said("history", "--history", file, code=0)
    assert len(json.loads(said("history", "--history", file, "--json", code=0))) == 2


def test_one_run_has_nothing_to_be_compared_with(tmp_path: Path, file: Path) -> None:
    """It is said that there is one only, or none, and what makes another."""
    alone = tmp_path / "alone.sqlite"
    with History.open(alone, create=True) as history:
        history.begin(NOW)
    none = said("diff", "--history", alone, code=2)
    assert none.endswith("holds no finished run yet. «incamail batch» makes one.")
    with History.open(alone) as history:
        history.finish(1, NOW)
    one = said("diff", "--history", alone, code=2)
    assert "holds one finished run only (1): there is nothing to compare it with" in one
    assert "run -1" not in one
    assert "Run 2 is the newest" in said("diff", 2, "--history", file, code=2)
    assert "before" in said("diff", "--history", file, "--", "-1", code=2)


def test_what_would_break_is_asked_of_a_run(file: Path, tmp_path: Path) -> None:
    """From the audits in the file, without their folders; certificates that are none too."""
    other = tmp_path / "new.toml"
    other.write_text('organisations = ["Somebody else"]\n', encoding="utf-8")
    told = said("judge", "--history", file, "--platform", other, "--json", code=1)
    assert [(one["today"] is None, one["breaks"]) for one in json.loads(told)] == [
        *((False, True), (True, False)),
        *((False, True),) * 3,
    ]  # the one without an audit is told of
    odd = said("judge", "--history", file, "--store", "certifi", "--json", code=1)
    assert len(json.loads(odd)) == 5
    with History.open(file) as history:
        history.thin(1)
    gone = json.loads(
        said("judge", "--history", file, "--run", 1, "--store", "certifi", "--json", code=3)
    )
    assert [(one["breaks"], one["open"]) for one in gone] == [(False, True)] * 5
    told = said("judge", "--history", file, "--run", 1, "--store", "certifi", code=3)
    assert "better: no whole audit is kept of that run" in told
    assert "Of 5 more it cannot be told" in told
    assert "goes with a supposition" in said("judge", "--history", file, code=2)
    assert "Name facts" in said("judge", code=2)


def test_an_option_that_would_mean_nothing_is_refused(file: Path) -> None:
    """Nobody shall believe that it was heeded: whose certificate, or which run of no file."""
    named = ("judge", "--history", file, "--store", "certifi", "--whose", "sending")
    assert "--replace-cert" in said(*named, code=2)
    assert "--history names" in said("judge", file, "--run", 1, code=2)
    assert said("judge", "--history", file, "--store", "certifi", "--run", 1, code=1)


def test_a_night_without_a_run_is_an_alarm(tmp_path: Path, file: Path) -> None:
    """Also a run that never ended, none at all, and one that ended in the future."""
    assert said("history", "--history", file, "--expect", "26h", code=0) == ""
    with History.open(file) as history:
        history.finish(2, dt.datetime.now(dt.UTC) - dt.timedelta(hours=27))
        history.finish(1, dt.datetime.now(dt.UTC) - dt.timedelta(hours=51))
        history.begin(dt.datetime.now(dt.UTC))
    assert "since" in said("history", "--history", file, "--expect", "26h", code=1)
    assert said("history", "--history", file, "--expect", "2d", code=0) == ""
    with History.open(file) as history:
        history.finish(3, dt.datetime.now(dt.UTC) + DAY)
    assert "clocks" in said("history", "--history", file, "--expect", "26h", code=1)
    empty = tmp_path / "empty.sqlite"
    with History.open(empty, create=True):
        pass
    assert "No run" in said("history", "--history", empty, "--expect", "26h", code=1)
    assert "26h" in said("history", "--history", file, "--expect", "soon", code=2)
    assert "no file of runs" in said("history", "--history", tmp_path / "none", code=2)


def test_whole_audits_are_dropped_and_what_was_told_stays(file: Path) -> None:
    """Two runs can still be told apart by their verdicts, and it is said that no more is kept."""
    with History.open(file) as history:
        size = file.stat().st_size
        assert history.thin(1) == 1
        assert history.audit(1, "worse", "worse.yaml") is None
        assert history.audit(2, "worse", "worse.yaml") is not None
        assert len(list(history.digests(1))) == 5
        notes = [b for b in difference(history, history.run(2), history.run(1)) if b.note]
    assert {b.organisation for b in notes} == {"worse", "better"}
    assert file.stat().st_size <= size


def bytes_of(file: Path) -> Iterator[bytes]:
    yield from (path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    with closing(sqlite3.connect(file)) as connection, connection:
        for (packed,) in connection.execute("SELECT audit FROM outcome WHERE audit IS NOT NULL"):
            yield zlib.decompress(packed)


def test_no_key_and_no_passphrase_is_in_it(file: Path) -> None:
    """Facts hold none; and what holds them says nothing of the environment."""
    os.environ["INCAMAIL_TEST_PASSPHRASE"] = "very secret words"
    try:
        every = b"".join(bytes_of(file))
    finally:
        del os.environ["INCAMAIL_TEST_PASSPHRASE"]
    assert b"TLS06" in every
    for secret in (b"PRIVATE KEY", b"very secret words", b"passphrase_env"):
        assert secret not in every


def refused(path: Path, *, create: bool = False) -> str:
    with pytest.raises(HistoryError) as caught, History.open(path, create=create) as history:
        list(history.digests(history.run(0).number))
    told = str(caught.value)
    assert "\n" not in told
    assert str(path) in told
    return told


def test_what_is_not_ours_is_left_alone(tmp_path: Path, file: Path) -> None:
    """A database of another program, one of a newer version, a text, a folder, a pipe."""
    foreign = tmp_path / "foreign.sqlite"
    with closing(sqlite3.connect(foreign)) as other, other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    text = tmp_path / "text.sqlite"
    text.write_text("no database at all, but long enough to be looked at" * 99, encoding="utf-8")
    before = [path.read_bytes() for path in (foreign, text)]
    assert "another program" in refused(foreign, create=True)
    assert "damaged" in refused(text, create=True)
    assert [path.read_bytes() for path in (foreign, text)] == before
    with closing(sqlite3.connect(file)) as newer, newer:
        newer.execute("PRAGMA user_version = 2")
    newer.close()
    assert "newer version" in refused(file)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        assert "no file of runs" in refused(path, create=True)


def test_a_damaged_file_is_one_sentence(file: Path) -> None:
    """Bytes overwritten in its middle, rows that are no record, an audit that is no archive."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("UPDATE outcome SET audit = x'00'")
    connection.close()
    with pytest.raises(HistoryError, match="damaged"), History.open(file) as history:
        history.audit(1, "same", "same.yaml")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE outcome SET digest = '{}'")
    connection.close()
    assert "damaged" in refused(file)
    data = bytearray(file.read_bytes())
    data[4096 : len(data) // 2] = os.urandom(len(data) // 2 - 4096)
    file.write_bytes(data)
    assert "damaged" in refused(file)


def test_an_archive_that_unpacks_without_end_is_refused(file: Path, monkeypatch) -> None:
    """A few bytes may stand for gigabytes."""
    monkeypatch.setattr(store, "_MOST_BYTES", 1000)
    with pytest.raises(HistoryError, match="damaged"), History.open(file) as history:
        history.audit(1, "worse", "worse.yaml")


def test_a_locked_file_is_told_and_nothing_is_lost(file: Path, monkeypatch) -> None:
    """Somebody else writes for longer than we wait."""
    monkeypatch.setattr(store, "WAIT_S", 0.05)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with History.open(file) as history:
        assert len(history.runs()) == 2  # readers need not wait
        with pytest.raises(HistoryError, match="another program"):
            history.begin(NOW)
    other.execute("ROLLBACK")
    other.close()
    with History.open(file) as history:
        assert history.begin(NOW) == 3


WRITER = """
import datetime as dt, sys
from pathlib import Path
from incamail_lib.history import Digest, History
file, name, runs = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
now = dt.datetime.now(dt.UTC)
for _ in range(runs):
    with History.open(file, create=True) as history:
        run = history.begin(now)
        for n in range(5):
            digest = Digest(organisation=f"{name}-{n}", dossier="x.yaml", exit_code=0)
            history.add(run, digest)
        print(run, flush=True)
        history.finish(run, now)
"""


def writer(file: Path, name: str, runs: int) -> AbstractContextManager[subprocess.Popen[str]]:
    words = [sys.executable, "-c", WRITER, str(file), name, str(runs)]
    return running(words, stdout=subprocess.PIPE)


def test_several_programs_write_at_once(tmp_path: Path) -> None:
    """From the first moment on, when there is no file yet: every run is whole."""
    file = tmp_path / "history.sqlite"
    with ExitStack() as stack:
        writers = [stack.enter_context(writer(file, name, 5)) for name in ("one", "two", "three")]
        for each in writers:
            each.communicate(timeout=60)
            assert each.returncode == 0
    with History.open(file) as history:
        runs = history.runs()
        assert [run.organisations for run in runs] == [5] * 15
        assert all(run.finished for run in runs)
        for run in runs:
            assert len({d.organisation.partition("-")[0] for d in history.digests(run.number)}) == 1


def test_a_program_that_is_killed_leaves_a_run_that_does_not_count(tmp_path: Path) -> None:
    """Everything before it is there, and the next run is compared with those that ended."""
    file = tmp_path / "history.sqlite"
    record(file, [outcome(tmp_path, "same", GOOD)], started=NOW)
    with writer(file, "killed", 1000) as killed:
        assert killed.stdout is not None
        for _ in range(3):
            killed.stdout.readline()
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=30)
    with History.open(file) as history:
        unfinished = history.begin(NOW)
        digest = Digest(organisation="same", dossier="same.yaml", exit_code=0)
        history.add(unfinished, digest, judge_facts(GOOD, NOW).model_dump_json().encode())
        done = [run for run in history.runs() if run.finished]
        assert all(run.organisations in (1, 5) for run in done)
        assert unfinished not in [run.number for run in done]
        with pytest.raises(HistoryError):
            history.run(unfinished)
        before = history.before(unfinished + 1, "same", "same.yaml")
        assert before is not None
        assert before[0] == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """In one sentence with the cause."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    told = CliRunner().invoke(app, ["history", "--history", str(blocked / "x.sqlite")])
    assert told.exit_code == 2


HOSTILE = [
    "@all look here",
    "(@channel)",
    "<!channel> <!here> <@U024BE7LH>",
    "[your mail](https://evil.example) <https://evil.example|your mail>",
    "first\n@here second",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_what_a_server_says_calls_nobody_in_a_chat(words: str, tmp_path: Path) -> None:
    """Mentions and links under other words lose what makes them act; one change stays one line."""
    for night, facts in enumerate((GOOD, BAD)):
        when = NOW + night * DAY
        record(tmp_path / "h", [outcome(tmp_path, "x", facts, when)], started=when)
    with closing(sqlite3.connect(tmp_path / "h")) as connection, connection:
        ((number, text),) = connection.execute("SELECT id, digest FROM outcome WHERE run = 2")
        digest = json.loads(text)
        (change,) = (one for one in digest["changes"] if one["code"] == "TLS06")
        change["subject"] = words
        told = (json.dumps(digest), number)
        connection.execute("UPDATE outcome SET digest = ? WHERE id = ?", told)
    plain = said("diff", "--history", tmp_path / "h", "--json", code=1)
    changes = json.loads(plain)[0]["changes"]
    assert words in [one["subject"] for one in changes]  # the record says what was said
    lines = said("diff", "--history", tmp_path / "h", "--alerts", code=1).splitlines()
    assert len(lines) == len(changes)
    assert not re.search(r"(?<!\w)@|<|\]\(", "\n".join(lines))
    assert any("[TLS06]" in line for line in lines)


def test_an_address_in_a_chat_stays_an_address() -> None:
    """It calls nobody, so it can be copied."""
    line = "write to postmaster@muster.example"
    assert for_chat(line) == line
