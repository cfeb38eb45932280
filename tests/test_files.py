"""Files are written whole, and only where a file may stand."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from incamail_lib.errors import OutputError
from incamail_lib.files import make_folder, private_folder, read_json, write_whole


def test_a_file_is_written_and_replaced_whole(tmp_path: Path) -> None:
    """Folders above it are made."""
    place = tmp_path / "new" / "facts.json"
    for data in (b"one", b"two"):
        assert write_whole(place, data).read_bytes() == data


def test_a_device_or_pipe_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    """`--out /dev/stdout`, run as root, would put a file in the device's place."""
    pipe, link = tmp_path / "pipe", tmp_path / "out"
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")
    for place in (pipe, link):
        with pytest.raises(OutputError, match="not a regular file"):
            write_whole(place, b"facts")
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_a_folder_that_only_has_such_a_name_is_not_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a user called incamail-notes in the temporary folder stays; what we left there goes."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with private_folder("incamail-") as ours:
        left = tmp_path / "incamail-left"
        shutil.copytree(ours, left)
    notes = tmp_path / "incamail-notes"
    notes.mkdir()
    (notes / "text").write_text("mine", encoding="utf-8")
    for folder in (left, notes):
        os.utime(folder, (0, 0))
    with private_folder("incamail-"):
        assert (notes / "text").exists()
        assert not left.exists()


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_too_deeply_is_refused_whatever_python_would_take(
    tmp_path: Path, opening: str, closing: str
) -> None:
    """The bound is ours: 199 levels are read, 201 are not, nor 100,000."""
    path = tmp_path / "deep.json"
    path.write_text(opening * 199 + "1" + closing * 199, encoding="utf-8")
    assert read_json(path, 10_000_000)
    for levels in (201, 100_000):
        path.write_text(opening * levels + "1" + closing * levels, encoding="utf-8")
        with pytest.raises(ValueError, match="nested"):
            read_json(path, 10_000_000)


def test_a_folder_where_a_file_lies_is_told_as_that(tmp_path: Path) -> None:
    """Also below a file: nobody is told to free space for it."""
    (tmp_path / "file").write_text("a file")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match="is no folder"):
            make_folder(path)
