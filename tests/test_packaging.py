"""What a user installs: pins that are whole, and a wheel that has everything the commands need."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(file: str) -> dict[str, list[Requirement]]:
    """The pins of a requirements file by name; several where they differ by Python or system."""
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith((" ", "#")):
            pin = Requirement(line.removesuffix("\\"))
            found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("requirements.txt", PROJECT["dependencies"]),
        ("tests/requirements.txt", PROJECT["optional-dependencies"]["test"]),
    ],
)
def test_every_dependency_is_pinned_within_its_bounds(file: str, wanted: list[str]) -> None:
    """What pyproject.toml asks for has a pin that fulfils it, for every Python."""
    pinned = pins(file)
    for requirement in map(Requirement, wanted):
        for pin in pinned[canonicalize_name(requirement.name)]:
            [version] = [s.version for s in pin.specifier]
            assert requirement.specifier.contains(version), pin


@pytest.mark.parametrize("file", ["requirements.txt", "tests/requirements.txt"])
def test_every_pin_has_hashes(file: str) -> None:
    """Each entry goes on with at least one hash; nothing names where it is to be fetched."""
    text = (ROOT / file).read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in entry, entry
    assert "://" not in text


def test_a_user_installs_no_tool_of_the_tests() -> None:
    """The two files share no package, and what only tests need is in the second."""
    user, tests = set(pins("requirements.txt")), set(pins("tests/requirements.txt"))
    assert not user & tests
    assert {"pytest", "mypy", "ruff", "playwright", "hypothesis"} <= tests


def built(kind: str, folder: Path) -> Path:
    """The distribution of this tree."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=120)
    [made] = folder.iterdir()
    return made


def test_the_wheel_has_what_the_commands_need_and_nothing_else(tmp_path: Path) -> None:
    """Notebooks, samples, templates, catalogs, data; no tests; the same bytes each time."""
    one, other = built("wheel", tmp_path / "1"), built("wheel", tmp_path / "2")
    assert one.read_bytes() == other.read_bytes()
    names = set(zipfile.ZipFile(one).namelist())
    for folder, pattern, place in (
        ("notebooks", "*.ipynb", "incamail_lib/share/notebooks/"),
        ("examples", "*.yaml", "incamail_lib/share/examples/"),
        ("incamail_lib", "**/*.toml", "incamail_lib/"),
        ("incamail_lib", "**/*.j2", "incamail_lib/"),
        ("incamail_lib", "**/*.po", "incamail_lib/"),
        ("incamail_lib", "**/*.py", "incamail_lib/"),
    ):
        wanted = {
            place + p.relative_to(ROOT / folder).as_posix() for p in (ROOT / folder).glob(pattern)
        }
        assert wanted, pattern
        assert wanted <= names, wanted - names
    assert not [n for n in names if n.startswith(("tests/", "docs/", "notebooks/"))]


def test_the_source_distribution_is_the_whole_project(tmp_path: Path) -> None:
    """From it one can set up, test and build again."""
    with tarfile.open(built("sdist", tmp_path)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"requirements.txt", "tests/requirements.txt", "Makefile", "README.md", "LICENSE"}
    wanted |= {".ci/environment", "tests/test_packaging.py", "notebooks/audit.ipynb"}
    assert wanted <= names, wanted - names
    assert not [name for name in names if name.startswith(".venv")]
