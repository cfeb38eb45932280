"""`make mutants`: which changes of our code no test notices (see docs/mutants.md)."""

from __future__ import annotations

import argparse
import queue
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .sample import Mutant, sample
from .trying import Coverage, copied, is_noticed

ROOT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
# Room -> the tests that must notice alone. Not the lab's scenarios: no check lives by them alone.
ROOMS: dict[str, tuple[str, ...]] = {
    "checks": ("tests/checks",),
    "probe": ("tests/probe",),
    "routing": ("tests/routing",),
    "certificate": ("tests/certificate",),
    "findings.py": ("tests/test_findings.py",),
    "report/order.py": ("tests/report/test_order.py",),
    "guide": ("tests/guide",),
    "linktest": ("tests/linktest",),
    "batch": ("tests/batch",),
    "runbook": ("tests/runbook",),
}
WANTED = ("checks", "probe", "routing", "certificate", "findings.py", "report/order.py")


def modules_of(room: str) -> list[Path]:
    place = ROOT / "incamail_lib" / room
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def equivalents() -> set[tuple[str, str, str]]:
    """Mutants that change nothing anybody can see, by their text: lines move."""
    rows = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
    return {(r["module"], r["was"], r["becomes"]) for r in rows}


def try_room(room: str, options: argparse.Namespace) -> tuple[int, int]:
    """Noticed and tried mutants of a room; equivalent ones are told and not counted."""
    drawn = sample(ROOT, modules_of(room), number=options.number, seed=f"{options.seed} {room}")
    same = equivalents()
    trees: queue.Queue[Path] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for n in range(options.jobs):
            trees.put(copied(ROOT, Path(folder, str(n))))
        measured = Coverage(trees.queue[0], ROOMS[room])

        def tried(mutant: Mutant) -> str:
            if (mutant.module, mutant.was, mutant.becomes) in same:
                return "equivalent"
            tests = measured.tests_of(mutant)
            tree = trees.get()
            try:
                noticed = is_noticed(tree, mutant, tests)
            finally:
                trees.put(tree)
            return "noticed" if noticed else "unnoticed" if tests else "uncovered"

        with ThreadPoolExecutor(options.jobs) as pool:
            results = list(pool.map(tried, drawn))
    for mutant, result in zip(drawn, results, strict=True):
        if result != "noticed":
            print(f"{result:10} {mutant.title}", flush=True)
    counted = [r for r in results if r != "equivalent"]
    return counted.count("noticed"), len(counted)


def main() -> None:
    """Print what was not noticed, and a line of figures per room."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", default=WANTED, help=f"of {', '.join(ROOMS)}")
    parser.add_argument("--number", type=int, default=20, help="mutants of each room")
    parser.add_argument("--seed", default="1", help="another seed draws another sample")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    options = parser.parse_args()
    for room in options.rooms:
        noticed, tried = try_room(room, options)
        share = round(100 * noticed / tried) if tried else 100
        print(f"{room}: {noticed} of {tried} noticed ({share} %), seed {options.seed}", flush=True)


if __name__ == "__main__":
    main()
