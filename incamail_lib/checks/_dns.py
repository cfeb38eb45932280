"""What the checks of the DNS share: names as people write them, and how silence is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps

from incamail_lib.checks._core import Context, Result, failed, passed, unknown
from incamail_lib.checks.words import status_text
from incamail_lib.facts.dns import DnsAnswer, DnsStatus, DomainFacts
from incamail_lib.findings import Outcome
from incamail_lib.i18n import Text, say


def shown(names: Sequence[str]) -> tuple[str, ...]:
    """Names as people write them, without the dot of the root."""
    return tuple(name.rstrip(".") for name in names)


def no_answer(answer: DnsAnswer) -> Result:
    """The DNS gave no usable answer: unknown, never "there is none"."""
    return unknown(
        say(
            "The look-up of {kind} for {name} gave no answer: {status}.",
            kind=answer.type,
            name=answer.name,
            status=status_text(answer.status),
        )
    )


def exactly_one(answer: DnsAnswer) -> Result:
    """One record of a kind passes; none, or several side by side, do not."""
    if answer.is_failure or answer.status is DnsStatus.NOT_ASKED:
        return no_answer(answer)
    if len(answer.records) == 1:
        return passed(say("{record}", record=answer.records[0]))
    if answer.records:
        return failed(say("{count} records stand side by side.", count=len(answer.records)))
    if answer.is_cut:
        return unknown(
            say("The answer for {domain} was too long to be kept whole.", domain=answer.name)
        )
    return failed(say("No such record is published."))


def left_out(domain: DomainFacts) -> Text | None:
    """What to say where not every exchanger of a domain was looked at; None where all were."""
    if not domain.exchangers_left_out:
        return None
    looked_at = len(domain.exchangers)
    return say(
        "Only {limit} of {count} exchangers were looked at.",
        limit=looked_at,
        count=looked_at + domain.exchangers_left_out,
    )


Judgement = Callable[[DomainFacts, Context], Result]


def of_every_exchanger(judge: Judgement) -> Judgement:
    """A judgement about all exchangers: where some were left out, what was seen is no pass."""

    @wraps(judge)
    def judged(domain: DomainFacts, context: Context) -> Result:
        result = judge(domain, context)
        rest = left_out(domain)
        if rest is not None and result.outcome is Outcome.PASSED:
            return unknown(rest)
        return result

    return judged
