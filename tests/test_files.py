"""Files are written whole, and only where a file may stand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from incamail_lib.errors import OutputError
from incamail_lib.files import write_whole


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
