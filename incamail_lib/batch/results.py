"""What became of each dossier of a run, and of the run: plain values that can be kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incamail_lib.files import not_written
from incamail_lib.findings import ACCEPTED, Audit, Until, Verdict
from incamail_lib.history.digest import Judged
from incamail_lib.i18n import Text
from incamail_lib.outputs import RECORD
from incamail_lib.record import Record, UtcDatetime
from incamail_lib.report.order import Row, decisive

OUTCOMES = "outcomes.jsonl"  # in the folder of a run: one line for each dossier
CRASHED = 4
# Worst first: a crash and a wrong dossier leave an organisation without any verdict.
_SEVERITY = (CRASHED, 2, 1, 3, ACCEPTED, 0)


class Cost(Record):
    """What one organisation took: seconds by the clock, of the processor, and connections."""

    measured_s: float = 0.0
    rendered_s: float = 0.0  # from the moment a process was free for it
    cpu_s: float = 0.0  # of rendering: judging, running the notebook, writing the reports
    connections: int = 0  # made for this organisation; shared ones count where they were made


class CaseOutcome(Record):
    """What became of one dossier. Without a verdict there is a problem."""

    dossier: Path
    organisation: str
    exit_code: int
    verdict: Verdict | None = None
    folder: Path | None = None
    files: tuple[Path, ...] = ()  # in the order in which a person wants them
    decisive: tuple[Row, ...] = ()
    judged: Judged | None = None
    notes: tuple[Text, ...] = ()
    problem: Text | None = None
    started_at: UtcDatetime | None = None
    ended_at: UtcDatetime | None = None
    resumed: bool = False  # it was complete already and nothing was done
    cost: Cost = Cost()

    @property
    def record(self) -> Path | None:
        """The audit.json, where there is a verdict."""
        return self.folder / RECORD if self.folder and self.verdict else None

    @property
    def until(self) -> tuple[Until, ...]:
        """The first dates on which the verdict may change."""
        return self.judged.until if self.judged else ()

    @property
    def accepted_until(self) -> dt.date | None:
        """Until when somebody answers for what failed."""
        return self.judged.accepted_until if self.judged else None

    def summary(self) -> dict[str, Any]:
        """The outcome as plain data for --json."""
        return {
            "dossier": str(self.dossier),
            "organisation": self.organisation,
            "verdict": self.verdict.value if self.verdict else None,
            "exit_code": self.exit_code,
            "files": [str(file) for file in self.files],
            "decisive": [row.finding.code for row in self.decisive],
            "accepted_until": self.accepted_until and self.accepted_until.isoformat(),
            "until": [each.model_dump(mode="json") for each in self.until],
            "problem": self.problem.english() if self.problem else None,
        }


def decisive_rows(audit: Audit) -> tuple[Row, ...]:
    """What keeps an organisation from being ready; of one that is, nothing."""
    return () if audit.verdict is Verdict.READY else decisive(audit)


class Journal(Sequence[CaseOutcome]):
    """The outcomes of a run in the order of its dossiers; kept in a file, not in memory."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._places: dict[int, int] = {}
        self._end = 0
        self._worst = len(_SEVERITY) - 1
        try:
            file.write_bytes(b"")  # of a run that is resumed all is told again
        except OSError as error:
            raise not_written(file, error) from None

    def add(self, number: int, outcome: CaseOutcome) -> None:
        """Keep the outcome of the dossier of that number. Errors: OutputError."""
        line = outcome.model_dump_json().encode() + b"\n"
        try:
            with self._file.open("r+b") as file:
                file.seek(self._end)
                file.write(line)
        except OSError as error:
            raise not_written(self._file, error) from None
        self._places[number] = self._end
        self._end += len(line)
        self._worst = min(self._worst, _SEVERITY.index(outcome.exit_code))

    @property
    def exit_code(self) -> int:
        """The worst of all."""
        return _SEVERITY[self._worst]

    def moved(self, file: Path) -> None:
        """The file has another name now."""
        self._file = file

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[CaseOutcome]:
        with self._file.open("rb") as file:
            for number in sorted(self._places):
                file.seek(self._places[number])
                yield CaseOutcome.model_validate_json(file.readline())

    def __getitem__(self, index: Any) -> Any:
        return list(self)[index]


@dataclass(frozen=True)
class PortfolioRun:
    """All outcomes of one run, and the overview written for more than one dossier."""

    outcomes: Sequence[CaseOutcome]
    index: Path | None = None
    folder: Path | None = None  # of the run: overview, tables, outcomes.jsonl
    exit_code: int = field(init=False)

    def __post_init__(self) -> None:
        if isinstance(self.outcomes, Journal):
            worst = self.outcomes.exit_code
        else:
            told = (_SEVERITY.index(o.exit_code) for o in self.outcomes)
            worst = _SEVERITY[min(told, default=len(_SEVERITY) - 1)]
        object.__setattr__(self, "exit_code", worst)
