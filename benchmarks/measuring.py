"""A run over a town with everything but notebooks: measured, judged, sealed, told.

What is to be shown is what grows with the number of clients: connections, name service, memory of
the measuring process, the overview. Some clients are audited once more, alone; their findings must
be the same. Reports cost what `benchmarks.batch` says, whoever their owner.

    python -m benchmarks.measuring [--town 10000x500] [--tarpits 0] [--sample 20]
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Self

from incamail_lib.audit import load_audit, load_facts, save_record
from incamail_lib.batch.job import LENT, Done, Order, told
from incamail_lib.batch.one import Options
from incamail_lib.batch.portfolio import audit_all
from incamail_lib.checks import judge_facts
from incamail_lib.outputs import FACTS, RECORD

ROOT = Path(__file__).parents[1]
TARPITS = ("--delay-s", "0.05", "--timeout-s", "5")


class Judged:
    """A renderer that judges, keeps the record, and renders nothing."""

    async def render(self, order: Order) -> Done:
        return await asyncio.to_thread(self._judged, order)

    def _judged(self, order: Order) -> Done:
        audit = judge_facts(load_facts(order.folder / FACTS), dt.datetime.now(dt.UTC))
        record = save_record(audit, order.folder / RECORD)
        for name in LENT:
            (order.folder / name).unlink(missing_ok=True)
        return told(audit, record.read_bytes())

    async def complete(self, _folders: Sequence[Path], _digest: str) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


def findings(record: Path) -> list[tuple[object, ...]]:
    """What was judged, without what differs from one connection to the next."""
    audit = load_audit(record)
    return [(f.code, f.subject, f.outcome, f.level, f.blocked_by) for f in audit.findings]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--town", default="10000x500")
    parser.add_argument("--tarpits", type=int, default=0)
    parser.add_argument("--sample", type=int, default=20)
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    from batch import town as towns

    clients, gateways = map(int, given.town.split("x"))
    silent = ["--silent", str(given.tarpits), *TARPITS] if given.tarpits else []
    options = Options(renderer=lambda _: Judged(), with_pdf=False)
    with tempfile.TemporaryDirectory(prefix="bench-measuring-") as place:
        folder = Path(place)
        with towns.running(folder / "town", clients, gateways, *silent, limit_s=7200) as there:
            dossiers = sorted(there.dossiers.iterdir())
            seen: list[tuple[int, float]] = []

            def look(_what: str, done: int, _of: int) -> None:
                if done % max(clients // 10, 1) == 0:
                    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                    seen.append((done, peak))
                    print(f"<!-- {done} · {peak:.0f} MB -->", flush=True)

            begun, cpu = time.perf_counter(), time.process_time()
            run = audit_all(dossiers, output=folder / "all", options=options, progress=look)
            wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
            had = there.gateways()
            outcomes = {o.organisation: o for o in run.outcomes}
            shared = [had[towns.host(number)] for number in range(gateways)]
            answering = shared[given.tarpits :]
            print(f"| organisations | {clients} |\n| --- | --- |")
            print(f"| with a verdict | {sum(bool(o.verdict) for o in outcomes.values())} |")
            print(f"| organisations a minute | {60 * clients / wall:.0f} |")
            print(f"| seconds of processor each, of measuring and judging | {cpu / clients:.3f} |")
            print(f"| gateways, silent ones | {gateways}, {given.tarpits} |")
            each = median(g["connections"] for g in answering)
            most = max(g["connections"] for g in answering)
            print(f"| connections to a gateway, median and most | {each:.0f}, {most} |")
            print(f"| connections to gateways in all | {sum(g['connections'] for g in shared)} |")
            print(f"| most at once to one address | {max(g['most'] for g in had.values())} |")
            tenth, whole = seen[0][1], seen[-1][1]
            print(f"| memory of the process, a tenth and all | {tenth:.0f}, {whole:.0f} MB |")
            same = 0
            step = max(clients // given.sample, 1) | 1  # odd: of various gateways
            for dossier in dossiers[::step]:
                (alone,) = audit_all([dossier], output=folder / "one", options=options).outcomes
                shared_one = outcomes[alone.organisation]
                assert alone.record
                assert shared_one.record
                if findings(alone.record) == findings(shared_one.record):
                    same += 1
                else:
                    print(f"{alone.organisation} differs", flush=True)
            among = len(dossiers[::step])
            print(f"| audited alone as well, with the same findings | {same} of {among} |")


if __name__ == "__main__":
    main()
