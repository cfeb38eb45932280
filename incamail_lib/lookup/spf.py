"""All answers that an evaluation of SPF needs, bounded in number and time."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence

import dns.asyncresolver

from incamail_lib.facts.dns import DnsAnswer, DnsStatus
from incamail_lib.lookup.resolving import look_up
from incamail_lib.mailpolicy.spf import check_host, recorded
from incamail_lib.mailpolicy.spf_macros import Sender
from incamail_lib.mailpolicy.spf_record import is_spf
from incamail_lib.mailpolicy.spf_survey import survey
from incamail_lib.mailpolicy.text import chosen

MAX_QUESTIONS = 120  # ten look-ups, each with up to ten exchangers, stay below
TIME_S = 20.0  # in all, however slowly each server answers

Senders = Sequence[tuple[str, str]]
"""(address, name in HELO) of each sending gateway."""


async def follow_spf(
    domain: str, own: DnsAnswer, senders: Senders, *, resolver: dns.asyncresolver.Resolver
) -> tuple[DnsAnswer, ...]:
    """The answers behind the SPF record `own` of `domain`: what it includes, hosts, addresses.

    The evaluation itself says what it misses; that is asked, until it misses nothing or a limit
    is reached. What was not asked then stays unknown.
    """
    answers: list[DnsAnswer] = []
    if not own.records:
        return ()
    try:
        async with asyncio.timeout(TIME_S):
            while batch := _missing(domain, own, senders, answers):
                asked = (look_up(name, kind, resolver=resolver) for name, kind in batch)
                answers += [_kept(answer) for answer in await asyncio.gather(*asked)]
    except TimeoutError:
        pass  # what came in time is kept
    return tuple(answers)


def _kept(answer: DnsAnswer) -> DnsAnswer:
    return chosen(answer, is_spf) if answer.type == "TXT" else answer


def _missing(
    domain: str, own: DnsAnswer, senders: Senders, answers: Sequence[DnsAnswer]
) -> list[tuple[str, str]]:
    """The questions that an evaluation would ask next, as many as are still allowed."""
    known = recorded(domain, own, answers)
    missed: dict[tuple[str, str], None] = {}

    def ask(name: str, kind: str) -> DnsAnswer:
        answer = known(name, kind)
        if answer.status is DnsStatus.NOT_ASKED:
            missed[name.lower().rstrip("."), kind] = None
        return answer

    survey(domain, ask)
    for address, helo in senders:
        check_host(domain, Sender(ipaddress.ip_address(address), f"postmaster@{domain}", helo), ask)
    return list(missed)[: MAX_QUESTIONS - len(answers)]
