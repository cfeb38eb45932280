"""The house stands: rooms import only lower rooms, without cycles, and the wings stay apart."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "incamail_lib"
ROOT = "incamail_lib"

# Room -> layer. A room is a module or a folder directly below the package.
LAYERS = {
    **dict.fromkeys(("record", "printable", "i18n", "errors", "files", "guide", "late"), 0),
    **dict.fromkeys(("facts", "findings", "notebooks", "crash", "reach", "names"), 1),
    **dict.fromkeys(("outputs", "seal", "sheets"), 1),
    **dict.fromkeys(("routing", "certificate", "mailpolicy"), 2),
    **dict.fromkeys(("lookup", "probe", "linktest", "checks", "dossier"), 3),
    **dict.fromkeys(("changes", "report", "documents"), 4),
    **dict.fromkeys(("lab", "kernels", "forked"), 5),
    "audit": 6,
    **dict.fromkeys(("batch", "course", "history", "portfolio"), 7),
    "runbook": 8,
    **dict.fromkeys(("cli", "tools"), 9),
}
MEASURING = frozenset({"lookup", "probe", "linktest"})
JUDGING = frozenset({"checks"})


def room_of(path: Path, package: Path) -> str:
    return path.relative_to(package).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """The rooms a module imports; "" stands for the package root itself."""
    rooms: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == ROOT:
                names = [f"{ROOT}.{alias.name}" for alias in node.names]
        rooms |= {n.split(".")[1] if "." in n else "" for n in names if n.split(".")[0] == ROOT}
    return rooms


def imports(package: Path) -> dict[str, set[str]]:
    """Room -> rooms it imports, itself left out."""
    found: dict[str, set[str]] = {}
    for path in sorted(package.rglob("*.py")):
        if path == package / "__init__.py":
            continue
        room = room_of(path, package)
        found.setdefault(room, set()).update(imported_rooms(path) - {room})
    return found


def violations(found: dict[str, set[str]]) -> list[str]:
    """Everything that breaks the table, as sentences."""
    wrong = [f"{room} is not in the table" for room in found if room not in LAYERS]
    for room, others in found.items():
        for other in others:
            if other not in LAYERS:
                wrong.append(f"{room} imports {other or 'the package root'}")
            elif LAYERS[other] > LAYERS.get(room, 0):
                wrong.append(f"{room} imports {other}, which lies above it")
            elif {room, other} & MEASURING and {room, other} & JUDGING:
                wrong.append(f"{room} imports {other}: measuring and judging stay apart")
    return wrong + [f"cycle through {room}" for room in found if reaches_itself(room, found)]


def reaches_itself(room: str, found: dict[str, set[str]]) -> bool:
    seen: set[str] = set()
    ahead = list(found.get(room, ()))
    while ahead:
        other = ahead.pop()
        if other == room:
            return True
        if other not in seen:
            seen.add(other)
            ahead += found.get(other, ())
    return False


def test_every_room_keeps_to_the_table() -> None:
    """No import goes upwards, round in a circle, or between the two wings."""
    assert violations(imports(PACKAGE)) == []


@pytest.mark.parametrize(
    ("room", "line", "complaint"),
    [
        ("checks/bad.py", "from incamail_lib.probe import x", "stay apart"),
        ("lookup.py", "import incamail_lib.checks", "stay apart"),
        ("linktest/bad.py", "from incamail_lib.checks import x", "stay apart"),
        ("facts/bad.py", "from incamail_lib.audit import x", "lies above"),
        ("cli/bad.py", "import incamail_lib", "package root"),
        ("nowhere.py", "import os", "not in the table"),
        ("crash.py", "from incamail_lib.reach import x", "cycle"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, room: str, line: str, complaint: str) -> None:
    """The test above can fail, for each kind of violation."""
    package = tmp_path / ROOT
    planted = package / room
    planted.parent.mkdir(parents=True)
    planted.write_text(line + "\n", encoding="utf-8")
    (package / "reach.py").write_text("import incamail_lib.crash\n", encoding="utf-8")
    assert any(complaint in sentence for sentence in violations(imports(package)))
