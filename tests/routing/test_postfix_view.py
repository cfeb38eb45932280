"""The raw view is held against the real thing: Postfix's own header query (`postmap -h`)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from incamail_lib.facts.routing import Engine, Method, NextHop, NextHopKind, RuleSet
from incamail_lib.routing import classify_message

pytestmark = pytest.mark.postfix

PATTERNS = [
    "^Subject:.*<im>",
    "^Subject: <im>",
    r"^Subject:[[:space:]]*((re|aw): *)*<(im|c)>",
    "x$",
]
SUBJECTS = [
    b"<im><c> x",
    b"<IM> x",
    b"=?utf-8?b?PGltPg==?= x",
    b"=?utf-8?q?=3Ci?=\n =?utf-8?q?m=3E?=",
    b"x\n <im><c>",
    b"<im><c>\n\tx",
    b"\n <im> x",
    b"Re: AW: <im> x",
    b"<c> x",
    b"D\xe9c <im>",
    b"<im",
    b"",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_raw_view_agrees_with_postfix(pattern: str, tmp_path: Path) -> None:
    """For every subject, Postfix matches exactly where the classification says so."""
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\nmyhostname = mx.example\n")
    table = tmp_path / "header_checks"
    table.write_text(f"/{pattern}/ HIT\n")
    for name in ("main.cf", "header_checks"):
        os.utime(tmp_path / name, (1, 1))  # Postfix waits two seconds for a file to settle
    rules = RuleSet(
        method=Method.SUBJECT,
        next_hop=NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch"),
        subject_pattern=pattern,
        engine=Engine.POSTFIX_REGEXP,
    )
    messages = [b"To: a@x.example\nSubject: " + subject + b"\n\nbody\n" for subject in SUBJECTS]
    ours = [classify_message(message, rules).subject_matched for message in messages]
    assert ours == [_postfix_matches(message, table) for message in messages]
    assert len(set(ours)) == 2  # both answers occur, so the comparison means something


def _postfix_matches(message: bytes, table: Path) -> bool:
    command = ["/usr/sbin/postmap", "-c", str(table.parent), "-h", "-q", "-", f"regexp:{table}"]
    found = subprocess.run(command, input=message, capture_output=True, check=False, timeout=30)
    return b"HIT" in found.stdout
