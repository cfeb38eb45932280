"""Packages whose modules are loaded late are used like any other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import incamail_lib.audit
import incamail_lib.checks
import incamail_lib.report


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package with one late module."""
    folder = tmp_path / "lateness"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from incamail_lib.late import late\n__getattr__ = late(__name__, inner='one two')\n"
    )
    (folder / "inner.py").write_text("one, two, three = 1, 2, 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "lateness"
    for name in ("lateness", "lateness.inner"):
        sys.modules.pop(name, None)


def test_a_module_is_loaded_with_the_first_of_its_names(package: str) -> None:
    """Not before, and for no name that is not given away."""
    made = import_module(package)
    with pytest.raises(AttributeError, match=r"lateness.*three"):
        _ = made.three
    assert "lateness.inner" not in sys.modules
    assert made.two == 2
    assert "lateness.inner" in sys.modules


@pytest.mark.parametrize("module", [incamail_lib.audit, incamail_lib.checks, incamail_lib.report])
def test_every_name_is_there(module: object) -> None:
    """What a package says it gives, it gives."""
    assert all(hasattr(module, name) for name in module.__all__)  # type: ignore[attr-defined]
