"""Why the system refused is told in words of ours, so that they can be told in any language."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

import incamail_lib
from incamail_lib.errors import NOT_REGULAR, reason, reason_in
from incamail_lib.files import read_regular
from incamail_lib.i18n import Text
from incamail_lib.tools.catalogs import collected

HERE = Path(incamail_lib.__file__).parent
USUAL = ("ENOENT", "EACCES", "EEXIST", "EISDIR", "ENOTDIR", "ENOSPC", "EROFS", "ENAMETOOLONG")
# What a server or a machine said is evidence, and stays as it was said.
_EVIDENCE = {"probe/wire.py", "linktest/handing.py", "certificate/stores.py", "errors.py"}


@pytest.mark.parametrize("name", USUAL)
def test_what_is_usual_has_words_of_ours(name: str) -> None:
    """Those are in the catalogs; the system's are not."""
    number = getattr(errno, name)
    told = reason(OSError(number, os.strerror(number)))
    assert told.template != os.strerror(number)
    assert told.template in collected()
    assert reason(OSError(number)) == told or not OSError(number).strerror


def test_what_is_rare_is_told_in_the_systems_words() -> None:
    """And where it has none, by the kind of the error."""
    assert reason(OSError(errno.EXDEV, "Cross-device link")) == Text(template="Cross-device link")
    assert reason(PermissionError()) == Text(template="PermissionError")
    assert reason(OSError(errno.EINVAL, "Invalid argument")).template == "Invalid argument"


def test_a_pipe_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    """By what really happens when they are read."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=NOT_REGULAR) as pipe:
        read_regular(tmp_path / "pipe", 1)
    with pytest.raises(FileNotFoundError) as missing:
        read_regular(tmp_path / "missing", 1)
    assert reason(pipe.value) == Text(template=NOT_REGULAR)
    assert reason(missing.value).template == "no such file or folder"


def test_what_facts_keep_of_it_is_told_in_words_of_ours_too() -> None:
    """Name and reason: the reason is translated, the name is not; any other sentence is whole."""
    text = reason_in("a: b.pem: no such file or folder")
    assert text.english() == "a: b.pem: no such file or folder"
    assert text.values["problem"] == Text(template="no such file or folder")
    assert reason_in("the file is empty") == Text(template="the file is empty")
    assert reason_in("Post: its own words") == Text(template="Post: its own words")


def test_no_sentence_takes_the_systems_words_unseen() -> None:
    """`strerror` stands where evidence is kept, and in the one function that tells it."""
    using = {
        path.relative_to(HERE).as_posix()
        for path in HERE.rglob("*.py")
        if re.search(r"\.strerror\b|\"strerror\"", path.read_text(encoding="utf-8"))
    }
    assert using - {"files.py", "seal.py"} == _EVIDENCE  # these two raise such errors themselves
