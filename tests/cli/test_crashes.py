"""However a command ends, its exit code says how: a bug is 4 with a record, and never 1."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from incamail_lib import crash
from incamail_lib.cli import _console
from incamail_lib.cli import entry as command
from incamail_lib.cli.app import whole

SECRET = "correct horse battery staple"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----"
COMMAND = Path(sys.executable).with_name("incamail")
# What each command needs before it begins to work.
ARGUMENTS = {
    **{key: ["x"] for key in ("audit", "batch", "judge", "documents", "inspect")},
    **{key: ["x"] for key in ("linktest", "measure", "verify")},
    **{key: ["x.example"] for key in ("lookup", "probe")},
    "new": ["x.yaml", "--organisation", "X", "--domain", "x.example"],
    **{key: ["x"] for key in ("show", "check", "migrate", "dossier history")},
    "set": ["x", "language", "de"],
    "merge": ["x", "y", "z"],
    "dossier diff": ["x", "y"],
    "course exam": ["--seed", "1"],
    "course grade": ["x"],
}


def every_command() -> list[list[str]]:
    """The words of each command, groups included."""

    def walk(group, words):
        for name, one in group.commands.items():
            yield from walk(one, [*words, name]) if hasattr(one, "commands") else [[*words, name]]

    return list(walk(whole(), []))


def needed(words: list[str]) -> list[str]:
    """What a command needs, by its whole name or its last word."""
    return ARGUMENTS.get(" ".join(words)) or ARGUMENTS.get(words[-1], [])


def ended(monkeypatch, *arguments: str) -> int:
    """The exit code of the console script."""
    monkeypatch.setattr(sys, "argv", ["incamail", *arguments])
    with pytest.raises(SystemExit) as end:
        command.main()
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_a_bug_in_any_command_is_4_with_a_record(words, tmp_path, monkeypatch, capsys) -> None:
    """One sentence that names the record; the traceback stands there alone, without values."""

    def buggy(*_):
        raise ValueError(f"cannot use {SECRET} {PEM}") from KeyError(SECRET)

    monkeypatch.setattr(_console, "translator", buggy)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert ended(monkeypatch, *words, *needed(words)) == 4
    told = capsys.readouterr()
    record = next(tmp_path.glob("incamail-crash-*.txt"))
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert str(record) in told.err
    assert "Traceback" not in told.err
    text = record.read_text(encoding="utf-8")
    assert "ValueError" in text
    assert "KeyError" in text
    assert "in buggy" in text
    assert record.stat().st_mode & 0o077 == 0
    for secret in (SECRET, "MIIEvQ", "x.example"):
        assert secret not in text + told.err


def test_a_bug_is_told_where_no_record_can_be_written(tmp_path, monkeypatch, capsys) -> None:
    """A full or missing temporary folder costs the record, not the sentence nor the code."""

    def buggy(*_):
        raise IndexError("list index out of range")

    monkeypatch.setattr(_console, "translator", buggy)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    assert ended(monkeypatch, "lookup", "x.example") == 4
    assert "no record" in capsys.readouterr().err


def test_words_about_code_are_kept_and_groups_are_opened() -> None:
    """What the interpreter says of types and names helps; a group tells what it holds."""
    inner = [AttributeError("'NoneType' object has no attribute 'x'"), ValueError(SECRET)]
    text = crash.crash_text(ExceptionGroup(SECRET, inner))
    assert "'NoneType' object has no attribute 'x'" in text
    assert "ValueError: (words left out)" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    ("raised", "code"), [(KeyboardInterrupt, 130), (EOFError, 130), (BrokenPipeError, 141)]
)
def test_an_interruption_is_no_finding(raised, code, monkeypatch, capfd) -> None:
    """Ctrl-C, an unanswered question and a reader that left: neither 1 nor a crash."""

    def interrupted(*_):
        if raised is BrokenPipeError:
            raise BrokenPipeError(32, "Broken pipe")
        raise raised

    monkeypatch.setattr(_console, "translator", interrupted)
    monkeypatch.setattr(os, "dup2", lambda *_: None)  # this process goes on
    assert ended(monkeypatch, "lookup", "x.example") == code
    assert "Traceback" not in capfd.readouterr().err


def test_a_finding_stays_1_and_wrong_use_2(monkeypatch, tmp_path, capsys) -> None:
    """The codes with a meaning are left as they are."""
    leak = ("route", "--to", "a@b.example", "--subject", "<im><c>Offer")
    assert ended(monkeypatch, *leak) == 1
    assert ended(monkeypatch, "judge", str(tmp_path / "none.json")) == 2
    assert ended(monkeypatch, "judge") == 2
    assert ended(monkeypatch, "lab", "--list") == 0
    capsys.readouterr()


def test_a_closed_standard_output_ends_quietly() -> None:
    """`incamail lab --list --json | head -c 1`: no word on standard error, and not 1."""
    reading, writing = os.pipe()
    os.close(reading)
    arguments: list[str | Path] = [COMMAND, "lab", "--list", "--json"]
    done = subprocess.run(
        arguments, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("words", [("--help",), ("lab", "--list"), ("lab", "--list", "--json")])
def test_a_full_disk_is_told_and_no_crash(words: tuple[str, ...]) -> None:
    """What cannot be written is no finding and no bug: one sentence, and wrong use."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [COMMAND, *words], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count(b"\n") == 1
    assert b"no space left" in done.stderr
