"""Does a test notice? Tests are run on a copy of the tree in which one thing differs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from .sample import Mutant

LONGEST_S = 120  # a mutant whose tests hang is noticed: ours take seconds
LONGEST_BASELINE_S = 1200
LEFT_BEHIND = shutil.ignore_patterns(
    ".git", ".venv*", "__pycache__", ".*_cache", ".hypothesis", "build", "dist", "node_modules"
)
QUIET = ("-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--timeout=60")


def copied(root: Path, folder: Path) -> Path:
    """A copy of the tree: what stops in the middle leaves no mutant in a checkout."""
    return Path(shutil.copytree(root, folder, ignore=LEFT_BEHIND))


def complaint(tree: Path, arguments: Sequence[str], *, timeout_s: float) -> str:
    """What the tests of a tree complain of, "" where they pass in time."""
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tree,
            env=environment(tree),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not ended after {timeout_s:.0f} s"
    return done.stdout or f"exit code {done.returncode}" if done.returncode else ""


def environment(tree: Path) -> dict[str, str]:
    """The copy before the checkout, and no byte code: two mutants in one second look alike."""
    paths = (str(tree), str(tree / "tests"))
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


class Coverage:
    """Which tests run which line, measured once on the unchanged tree."""

    def __init__(self, tree: Path, tests: Sequence[str]) -> None:
        self._data = tree / ".coverage"
        self._tree = tree
        self._tests = tuple(tests)
        # Lines, not branches, whatever the project's own settings for `make coverage` are.
        own = (f"--rcfile={os.devnull}", f"--data-file={self._data}")
        watched = ("-m", "coverage", "run", *own, "--source=incamail_lib", "-m", "pytest")
        arguments = (*watched, *QUIET, "-p", "mutants.watching", *tests)
        if said := complaint(tree, arguments, timeout_s=LONGEST_BASELINE_S):
            raise SystemExit(
                f"{said[-3000:]}\nThe tests fail without any mutant: {' '.join(tests)}"
            )

    def tests_of(self, mutant: Mutant) -> tuple[str, ...]:
        """The tests that run a mutant's line, by node; a line run at import concerns them all."""
        lines = {mutant.line, mutant.line + 1}
        contexts: set[str] = set()
        with closing(sqlite3.connect(self._data)) as data:
            for name, context, bits in data.execute(
                "select file.path, context.context, numbits from line_bits "
                "join file on file.id = file_id join context on context.id = context_id"
            ):
                if name == str(self._tree / mutant.module) and lines & numbers(bits):
                    contexts.add(context)
        return self._tests if "" in contexts else tuple(sorted(contexts))


def numbers(bits: bytes) -> set[int]:
    """The line numbers that coverage keeps as bits."""
    return {i * 8 + b for i, byte in enumerate(bits) for b in range(8) if byte & (1 << b)}


def is_noticed(tree: Path, mutant: Mutant, tests: Sequence[str]) -> bool:
    """Whether one of the tests fails, or hangs, with the mutant; the tree is whole again after."""
    if not tests:
        return False
    path = tree / mutant.module
    sound = path.read_text(encoding="utf-8")
    path.write_text(mutant.source, encoding="utf-8")
    try:
        return bool(complaint(tree, ("-m", "pytest", *QUIET, *tests), timeout_s=LONGEST_S))
    finally:
        path.write_text(sound, encoding="utf-8")
