"""The MTA-STS policy document: fetched by whoever is given, and read as a fact."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from incamail_lib.facts.dns import DnsAnswer, DnsStatus, PolicyFetch
from incamail_lib.facts.observation import Reason, inconclusive, yes
from incamail_lib.lookup.resolving import MAX_RECORDS
from incamail_lib.printable import printable

MAX_POLICY_BYTES = 65_536  # RFC 8461 §3.3 asks for a limit
QUESTION_S = 10.0

PolicyFetcher = Callable[[str], Awaitable[bytes]]
"""Fetches https://mta-sts.<domain>/.well-known/mta-sts.txt; OSError or ValueError on failure."""


async def fetched_policy(
    domain: str, record: DnsAnswer, fetch: PolicyFetcher | None
) -> PolicyFetch | None:
    if record.status is not DnsStatus.FOUND:
        return None
    if fetch is None:
        return PolicyFetch(fetched=inconclusive(Reason.NOT_TRIED))
    try:
        async with asyncio.timeout(QUESTION_S):
            body = await fetch(domain)
    except TimeoutError:
        return PolicyFetch(fetched=inconclusive(Reason.TIMEOUT))
    except (OSError, ValueError) as error:
        return PolicyFetch(fetched=inconclusive(Reason.CLOSED, printable(str(error))))
    return read_policy(body[:MAX_POLICY_BYTES])


def read_policy(body: bytes) -> PolicyFetch:
    """An MTA-STS policy document (RFC 8461 §3.2); what is wrong with it stands in `problem`."""
    text = body.decode("utf-8", "replace")
    pairs = [line.partition(":") for line in text.splitlines() if ":" in line]
    fields = {key.strip(): value.strip() for key, _, value in reversed(pairs)}
    patterns = tuple(value.strip().lower() for key, _, value in pairs if key.strip() == "mx")
    age = fields.get("max_age", "")
    problem = ""
    if fields.get("version") != "STSv1":
        problem = "version"
    elif fields.get("mode") not in ("enforce", "testing", "none"):
        problem = "mode"
    elif not age.isdecimal():
        problem = "max_age"
    elif not patterns and fields.get("mode") != "none":
        problem = "mx"
    return PolicyFetch(
        fetched=yes(),
        body=printable(text, 2000),
        mode=printable(fields.get("mode", ""), 20),
        mx_patterns=tuple(printable(p, 260) for p in patterns[:MAX_RECORDS]),
        max_age_s=int(age[:10]) if age.isdecimal() else None,
        problem=problem,
    )
