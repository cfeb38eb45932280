"""Probe what a plan asks for, politely: few connections at once, and none where none is wanted."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, TypeVar

from incamail_lib.audit.planning import Plan
from incamail_lib.certificate import Credential, foreign_credential
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import EndpointFacts, Side, Target
from incamail_lib.probe import ProbeSettings, probe_endpoint
from incamail_lib.probe.traffic import Visitor
from incamail_lib.probe.untouched import untouched

Progress = Callable[[str, int, int], None]
"""Called with a stage token ("dns", "probe", "trust"), steps done and steps in all."""

CONCURRENCY = 20
T = TypeVar("T")


async def gather(work: Sequence[Coroutine[Any, Any, T]], stage: str, report: Progress) -> list[T]:
    """Run all, at most CONCURRENCY at once, reporting each that ends; results in order."""
    gate = asyncio.Semaphore(CONCURRENCY)
    done = 0

    async def one(job: Coroutine[Any, Any, T]) -> T:
        nonlocal done
        async with gate:
            result = await job
        done += 1
        report(stage, done, len(work))
        return result

    report(stage, 0, len(work))
    return list(await asyncio.gather(*(one(job) for job in work)))


@dataclass(frozen=True)
class Asking:
    """When it is asked, who is told of it, and as part of which run."""

    now: dt.datetime
    report: Progress
    visitor: Visitor | None


async def probe_all(
    plan: Plan, targets: Sequence[Target], own: Credential | None, asking: Asking
) -> list[EndpointFacts]:
    """Every target, in order; `own` is the certificate that is shown."""
    now, visitor = asking.now, asking.visitor
    control = visitor.traffic.control if visitor else foreign_credential
    foreign = control(now)
    foreign_rsa = cache(lambda: control(now, rsa=True))

    def settings(role: Side) -> ProbeSettings:
        purposes = plan.platform_purposes if role is Side.PLATFORM else plan.receiving_purposes
        return ProbeSettings(
            ehlo_name=plan.vantage.ehlo_name,
            limits=plan.limits,
            purposes=purposes,
            foreign=foreign,
            foreign_rsa=foreign_rsa,
            ask_postmaster=plan.ask_postmaster if role is Side.RECEIVING else "",
        )

    written = _written(plan)

    async def one(target: Target) -> EndpointFacts:
        known = (target.host, ip_address(target.address)) in written
        if not plan.reach.allows(target.address, written=known):
            return untouched(target, now)
        if plan.spares(target):
            return untouched(target, now, Reason.OPTED_OUT)
        asked = settings(target.role)
        return await probe_endpoint(target, settings=asked, own=own, now=now, visitor=visitor)

    return await gather([one(target) for target in targets], "probe", asking.report)


def _written(plan: Plan) -> frozenset[tuple[str, IPv4Address | IPv6Address]]:
    """Host and address where the operator gave the address himself, in place of the DNS."""
    declared = [(g.host, g.addresses) for g in plan.declared.receiving + plan.declared.sending]
    declared += [(g.host, g.addresses) for g in plan.platform.gateways]
    return frozenset((host, ip_address(a)) for host, given in declared for a in given)
