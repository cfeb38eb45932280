"""Reports of many organisations: the chain of commands a person would write, and ours.

    naive chain   papermill (command) → nbconvert (command) → Chromium prints the page
    ours          incamail's own: forks of one warm process, HTML and PDF made in them

Both sides report on the same saved facts, in turns, in one run. Then: the execution of notebooks
alone against papermill as a library in two processes; memory over many; and a whole run of
`incamail batch` over a town of clients behind shared gateways (tests/batch/town.py).

    python -m benchmarks.batch [--rounds 3] [--many 1000] [--town 1000x50] [--tarpits 50] [--no-pdf]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from incamail_lib.audit import save_record
from incamail_lib.audit.case import bind
from incamail_lib.batch.execute import AUDIT
from incamail_lib.batch.job import DOSSIER, Order
from incamail_lib.batch.rendering import local
from incamail_lib.outputs import FACTS

ROOT = Path(__file__).parents[1]
DOSSIER_TEXT = "organisation: Muster AG\nlanguage: de\ndomains: [muster.example]\nplatform: lab\n"
ROUND = 200  # organisations; a night has a thousand, so that its start weighs less still
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
INCAMAIL = "import sys; sys.argv[0] = 'incamail'; from incamail_lib.cli.entry import main; main()"


@dataclass(frozen=True)
class Spent:
    """What one organisation took."""

    wall_s: float
    cpu_s: float


def spent(work: Callable[[], int]) -> Spent:
    """What one of the organisations that `work` did took, children and theirs included."""
    before, begun = _cpu(), time.perf_counter()
    number = work()
    return Spent((time.perf_counter() - begun) / number, (_cpu() - before) / number)


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


class Facts:
    """Saved facts of one organisation, and orders to report on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dossier = folder / "muster.yaml"
        self.dossier.write_text(DOSSIER_TEXT, encoding="utf-8")
        self.file = save_record(asyncio.run(bind(self.dossier).facts()), folder / FACTS)
        self._number = 0

    def order(self, *, with_pdf: bool) -> Order:
        """The next folder with facts and dossier in it, of an organisation of its own: a process
        that keeps what it has set must not be given the same again."""
        self._number += 1
        part = self.folder / f"{self._number}.part"
        part.mkdir()
        own = (("Muster AG", f"Client {self._number}"), ("muster.", f"client{self._number}."))
        for file, name in ((self.file, FACTS), (self.dossier, DOSSIER)):
            text = file.read_text(encoding="utf-8")
            for common, different in own:
                text = text.replace(common, different)
            (part / name).write_text(text, encoding="utf-8")
        return Order(
            folder=part,
            final=self.folder / str(self._number),
            shown=self.dossier,
            digest="-",
            organisation=f"Client {self._number}",
            language="de",
            with_pdf=with_pdf,
        )


def naive(facts: Facts, *, with_pdf: bool) -> int:
    """One organisation by three commands."""
    folder = facts.folder / "naive"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    given = {"dossier": facts.dossier, "facts": facts.file, "output": folder, "language": "de"}
    parameters = [part for name, value in given.items() for part in ("-p", name, str(value))]
    python = [sys.executable, "-m"]
    _run([*python, "papermill", AUDIT, folder / "audit.ipynb", *parameters])
    _run([*python, "nbconvert", "--to", "html", folder / "audit.ipynb"])
    if with_pdf and BROWSER:
        printed = f"--print-to-pdf={folder / 'report.pdf'}"
        quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        _run([BROWSER, *quiet, printed, (folder / "audit.html").as_uri()])
        assert (folder / "report.pdf").exists()
    assert (folder / "audit.json").exists()
    return 1


def _run(command: list[str | Path]) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=ROOT)


def ours(facts: Facts, number: int, *, with_pdf: bool, watch: Watch | None = None) -> int:
    """Organisations by the renderer of a run, from the start of its warm process to its end."""

    async def work() -> None:
        async with local(2) as renderer:
            if watch:
                watch.begin()

            async def one() -> None:
                order = facts.order(with_pdf=with_pdf)
                done = await renderer.render(order)
                assert done.verdict, done.problem
                shutil.rmtree(order.folder)
                if watch:
                    watch.look()

            for start in range(0, number, 20):
                await asyncio.gather(*(one() for _ in range(min(20, number - start))))

    asyncio.run(work())
    return number


class Watch:
    """The memory of the warm process and of the sum of its children, while they work."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, float, float]] = []  # done, MB of the parent, of the children
        self._done = 0
        self._warm: psutil.Process | None = None

    def begin(self) -> None:
        """The warm process is the one that is there now."""
        (self._warm,) = (p for p in psutil.Process().children() if "warm" in " ".join(p.cmdline()))

    def look(self) -> None:
        """One more is done."""
        self._done += 1
        assert self._warm is not None
        own = 0.0
        for child in self._warm.children(recursive=True):
            try:
                own += child.memory_full_info().uss / 1e6
            except psutil.Error:
                continue
        self.seen.append((self._done, self._warm.memory_info().rss / 1e6, own))

    def table(self) -> str:
        """What was seen, in tenths."""
        rows = []
        step = max(len(self.seen) // 10, 1)
        for at in range(0, len(self.seen), step):
            part = self.seen[at : at + step]
            parent, children = max(p for _, p, _ in part), max(c for _, _, c in part)
            rows.append([f"{part[0][0]}–{part[-1][0]}", f"{parent:.0f} MB", f"{children:.0f} MB"])
        return table(
            ["organisations", "warm process (RSS)", "all children and the press (USS, most)"], rows
        )


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


EXECUTE = """
import sys
from pathlib import Path
from papermill.execute import execute_notebook
engine, folder, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
if engine != "nbclient":
    from incamail_lib.batch.engine import register
    register()
given = {"dossier": f"{folder}/muster.yaml", "facts": f"{folder}/facts.json", "output": str(folder)}
print("ready", flush=True)
sys.stdin.readline()
for _ in range(number):
    execute_notebook(sys.argv[4], None, given, engine_name=engine, progress_bar=False)
"""


def executed(facts: Facts, engine: str, number: int) -> Spent:
    """The notebook alone, by papermill as a library, in two processes at once."""

    def work() -> int:
        processes = []
        for half in range(2):
            folder = facts.folder / f"{engine}-{half}"
            folder.mkdir(exist_ok=True)
            for file in (facts.file, facts.dossier):
                shutil.copy(file, folder)
            command: list[str | Path] = [sys.executable, "-c", EXECUTE, engine]
            command += [folder, str(number), AUDIT]
            processes.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    env=os.environ | {"PYTHONPATH": str(ROOT)},
                )
            )
        for process in processes:
            process.communicate("\n")
            assert process.returncode == 0
        return 2 * number

    return spent(work)


def town(size: str, folder: Path, *options: str, pdf: bool) -> str:
    """A whole run of `incamail batch`; what it took, and what the gateways had."""
    sys.path.insert(0, str(ROOT / "tests"))
    from batch import town as towns

    clients, gateways = map(int, size.split("x"))
    with towns.running(folder / "town", clients, gateways, *options, limit_s=7200) as there:
        command = [sys.executable, "-c", INCAMAIL, "batch", str(there.dossiers)]
        command += ["--out", str(folder / "reports"), "--json", "--pdf" if pdf else "--no-pdf"]
        most = 0.0

        def work() -> int:
            nonlocal most
            with (folder / "out.json").open("w") as output:
                process = psutil.Popen(
                    command, stdout=output, env=os.environ | {"PYTHONPATH": str(ROOT)}
                )
                while process.poll() is None:
                    most = max(most, process.memory_info().rss / 1e6)
                    time.sleep(0.5)
            assert process.returncode in (0, 1, 3), process.returncode
            return clients

        took = spent(work)
        had = there.gateways()
    shared = [had[towns.host(number)] for number in range(gateways)]
    outcomes: list[dict[str, Any]] = json.loads((folder / "out.json").read_text())
    rows = [
        ["organisations", str(clients)],
        ["with a verdict", str(sum(bool(o["verdict"]) for o in outcomes))],
        ["organisations a minute", f"{60 / took.wall_s:.0f}"],
        ["seconds of processor each", f"{took.cpu_s:.3f}"],
        ["gateways", str(gateways)],
        ["connections to a gateway", f"{median(g['connections'] for g in shared):.0f}"],
        ["connections to gateways in all", str(sum(g["connections"] for g in shared))],
        ["most at once to one address", str(max(g["most"] for g in had.values()))],
        ["memory of the measuring process, most", f"{most:.0f} MB"],
    ]
    return table(["", ""], rows)


def chain(facts: Facts, rounds: int, *, with_pdf: bool) -> str:
    """Both chains in turns."""
    usual, forked = [], []
    for _ in range(rounds):
        usual.append(spent(lambda: naive(facts, with_pdf=with_pdf)))
        forked.append(spent(lambda: ours(facts, ROUND, with_pdf=with_pdf)))
    wall = [a.wall_s / b.wall_s for a, b in zip(usual, forked, strict=True)]
    cpu = [a.cpu_s / b.cpu_s for a, b in zip(usual, forked, strict=True)]
    rows = [
        [name, f"{median(s.wall_s for s in of):.3f} s", f"{median(s.cpu_s for s in of):.3f} s"]
        for name, of in (("naive chain", usual), ("ours, two at a time", forked))
    ]
    rows.append(["ours is better by (median of ratios)", f"{median(wall):.1f} ×"])
    rows[-1].append(f"{median(cpu):.1f} ×")
    return table(["", "wall per organisation", "CPU per organisation"], rows)


def alone(facts: Facts, rounds: int) -> str:
    """Execution alone, in turns."""
    pairs = [
        (executed(facts, "nbclient", 4), executed(facts, "incamail-fork", 40))
        for _ in range(rounds)
    ]
    rows = [
        [
            name,
            f"{median(p[at].wall_s for p in pairs):.3f} s",
            f"{median(p[at].cpu_s for p in pairs):.3f} s",
        ]
        for at, name in enumerate(("papermill, kernels", "papermill, incamail-fork"))
    ]
    ratios = [(a.wall_s / b.wall_s, a.cpu_s / b.cpu_s) for a, b in pairs]
    rows.append(["ours is better by", *(f"{median(r[at] for r in ratios):.1f} ×" for at in (0, 1))])
    return table(["two processes, start included", "wall per notebook", "CPU per notebook"], rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--town", default="1000x50")
    parser.add_argument("--tarpits", type=int, default=0)
    parser.add_argument("--no-pdf", action="store_true")
    given = parser.parse_args()
    pdf = not given.no_pdf
    with tempfile.TemporaryDirectory(prefix="bench-batch-") as place:
        facts = Facts(Path(place))
        print(f"### A report, with HTML{' and PDF' if pdf else ''}\n", flush=True)
        print(chain(facts, given.rounds, with_pdf=pdf), flush=True)
        if pdf:
            print("\n### A report, HTML only\n", flush=True)
            print(chain(facts, given.rounds, with_pdf=False), flush=True)
        print("\n### The notebook alone\n", flush=True)
        print(alone(facts, given.rounds), flush=True)
        if given.many:
            print(f"\n### Memory over {given.many}\n", flush=True)
            watch = Watch()
            ours(facts, given.many, with_pdf=pdf, watch=watch)
            print(watch.table(), flush=True)
        if given.town:
            options = ["--silent", str(given.tarpits), "--delay-s", "0.05"] if given.tarpits else []
            print(f"\n### A whole run, {given.town.replace('x', ' clients behind ')} gateways\n")
            print(town(given.town, Path(place), *options, pdf=pdf), flush=True)


if __name__ == "__main__":
    main()
