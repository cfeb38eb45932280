"""What a user installs: pins that are whole, and a wheel that has everything the commands need."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
FILES = ("requirements.txt", "tests/requirements.txt", "tests/mutants/requirements.txt")


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
        ("tests/mutants/requirements.txt", PYPROJECT["dependency-groups"]["mutants"]),
    ],
)
def test_every_dependency_is_pinned_within_its_bounds(file: str, wanted: list[str]) -> None:
    """What pyproject.toml asks for has a pin that fulfils it, for every Python."""
    pinned = pins(file)
    for requirement in map(Requirement, wanted):
        for pin in pinned[canonicalize_name(requirement.name)]:
            [version] = [s.version for s in pin.specifier]
            assert requirement.specifier.contains(version), pin


@pytest.mark.parametrize("file", FILES)
def test_every_pin_has_hashes(file: str) -> None:
    """Each entry goes on with at least one hash; nothing names where it is to be fetched."""
    text = (ROOT / file).read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in entry, entry
    assert "://" not in text


def test_a_user_installs_no_tool_of_the_tests() -> None:
    """The files share no package, and what only tests need is in the second."""
    user, tests, mutants = (set(pins(file)) for file in FILES)
    assert not user & tests
    assert not (user | tests) & mutants
    assert {"pytest", "mypy", "ruff", "playwright", "hypothesis"} <= tests


OURS = ("incamail_lib/tools/",)  # what makes pages and catalogs of a checkout


def built(kind: str, folder: Path) -> Path:
    """The distribution of this tree."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=120)
    [made] = folder.iterdir()
    return made


def test_the_wheel_has_what_the_commands_need_and_nothing_else(tmp_path: Path) -> None:
    """Notebooks, samples, templates, catalogs, data; no tests; the same bytes each time."""
    one, other = built("wheel", tmp_path / "1"), built("wheel", tmp_path / "2")
    assert one.read_bytes() == other.read_bytes()
    names = set(zipfile.ZipFile(one).namelist())
    for folder, pattern, place in (
        ("notebooks", "**/*.ipynb", "incamail_lib/share/notebooks/"),
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
        wanted = {name for name in wanted if not name.startswith(OURS)}
        assert wanted <= names, wanted - names
    assert not [n for n in names if n.startswith((*OURS, "tests/", "docs/", "notebooks/"))]


def test_the_source_distribution_is_the_whole_project(tmp_path: Path) -> None:
    """From it one can set up, test and build again."""
    with tarfile.open(built("sdist", tmp_path)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {*FILES, "Makefile", "README.md", "LICENSE"}
    wanted |= {".ci/environment", "tests/test_packaging.py", "notebooks/audit.ipynb"}
    assert wanted <= names, wanted - names
    assert not [name for name in names if name.startswith(".venv")]


def holders(version: str, files: Iterable[Path]) -> set[str]:
    """The names of the files that say this version."""
    said = re.compile(rf"(?<![\w.]){re.escape(version)}(?![\w.])")
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in files}
    return {path.name for path, text in texts.items() if said.search(text)}


def test_the_version_stands_in_one_place(tmp_path: Path) -> None:
    """pyproject.toml says it and the changelog tells it; everything else asks what is installed."""
    version = PROJECT["version"]
    folders = ("incamail_lib", "tests", "benchmarks", "notebooks", ".ci")
    kinds = {".py", ".toml", ".j2", ".ipynb", ".md", ".pot", ""}
    files = [p for f in folders for p in (ROOT / f).rglob("*") if p.is_file() and p.suffix in kinds]
    files += [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "Makefile"]
    assert holders(version, [ROOT / "pyproject.toml", *files]) == {"pyproject.toml", "CHANGELOG.md"}
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changelog, re.MULTILINE)[0] == version
    assert metadata.version(PROJECT["name"]) == version, "the environment is old: run make"
    planted = tmp_path / "planted.py"
    planted.write_text(f'__version__ = "{version}"\n', encoding="utf-8")
    assert holders(version, [planted]) == {"planted.py"}
