"""Where answers are tried: the lab, measured and judged as any client's gateway would be."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from incamail_lib.audit import measure
from incamail_lib.audit.case import limits_of, plan_on_lab
from incamail_lib.checks import judge_facts
from incamail_lib.course.journey import Journey, travel
from incamail_lib.dossier import Dossier
from incamail_lib.dossier.model import Network
from incamail_lib.errors import IncaMailError
from incamail_lib.files import private_folder
from incamail_lib.findings import Audit, Finding, Outcome, Verdict
from incamail_lib.i18n import say
from incamail_lib.lab import SCENARIOS, Running, Scenario, pki, run

DOMAIN = "muster.example"
R = TypeVar("R")

_CLIENT = Dossier(
    organisation="Muster AG",
    domains=(DOMAIN,),
    platform="lab",
    network=Network(timeout_s=4.0, ehlo_name="course.example"),  # twelve labs on one machine
)


def at_once(work: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Run `work` in a loop of its own: a notebook's kernel has one that is running already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


class NotMeasured(IncaMailError):
    """The lab could not be measured: that says nothing of what was tried on it."""

    def __init__(self) -> None:
        super().__init__(
            say(
                "The lab could not be measured to the end; this computer may be busy. Your answer "
                "is neither right nor wrong: try again in a moment."
            )
        )


@dataclass(frozen=True)
class Bench:
    """The lab of one learner. What was measured once is not measured again: the lab never
    changes. What stayed unknown is: this computer may have been busy."""

    now: dt.datetime = field(
        default_factory=lambda: dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    )

    @property
    def pki(self) -> pki.Pki:
        """The lab's authorities."""
        return pki.build(self.now)

    def audit(self, scenario: Scenario) -> Audit:
        """The scenario measured over real sockets and judged."""
        return _audit(scenario, self.now)

    def failing(self, scenario: Scenario) -> dict[str, Finding]:
        """What fails in the scenario, by its code."""
        failed = (f for f in self.audit(scenario).findings if f.outcome is Outcome.FAILED)
        return {finding.code: finding for finding in failed}

    def is_healthy(self, scenario: Scenario) -> bool:
        """Whether nothing fails in it. Errors: NotMeasured where something required stays unknown
        and nothing fails: then nobody knows."""
        if self.failing(scenario):
            return False
        if self.audit(scenario).verdict is Verdict.INCONCLUSIVE:
            raise NotMeasured
        return True

    def journey(self, name: str = "sound") -> Journey:
        """One message to IncaMail, watched on the lab."""
        return _journey(name, self.now)


_MEASURED: dict[tuple[Scenario, dt.datetime], Audit] = {}


def _audit(scenario: Scenario, now: dt.datetime) -> Audit:
    known = _MEASURED.get((scenario, now))
    if known is None:
        known = _measured(scenario, now)
        if known.verdict is not Verdict.INCONCLUSIVE:
            _MEASURED[scenario, now] = known
    return known


def _measured(scenario: Scenario, now: dt.datetime) -> Audit:
    async def work(running: Running) -> Audit:
        facts = await measure(plan_on_lab(_CLIENT, running, limits=limits_of(_CLIENT)), now=now)
        return judge_facts(facts, now)

    return _on_lab(scenario, now, work)


@cache
def _journey(name: str, now: dt.datetime) -> Journey:
    return _on_lab(SCENARIOS[name], now, lambda running: travel(running, DOMAIN))


def _on_lab(
    scenario: Scenario, now: dt.datetime, work: Callable[[Running], Coroutine[Any, Any, R]]
) -> R:
    async def whole(folder: Path) -> R:
        async with run(scenario, domains=(DOMAIN,), directory=folder, now=now) as running:
            return await work(running)

    try:
        with private_folder("incamail-course-") as folder:
            return at_once(lambda: whole(folder))
    except OSError:  # no port, no room, or a server that was ended under our hands
        raise NotMeasured from None
