"""What the checks of the DNS share: names as people write them, and how silence is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps

from incamail_lib.checks._advice import ALL_EXCHANGERS, ASK_AGAIN, ONLY_ONE_RECORD
from incamail_lib.checks._core import Context, Result, failed, passed, unknown
from incamail_lib.checks.words import status_text
from incamail_lib.facts.dns import DnsAnswer, DnsStatus, DomainFacts
from incamail_lib.findings import Outcome
from incamail_lib.i18n import Text, say, say_n


def shown(names: Sequence[str]) -> tuple[str, ...]:
    """Names as people write them, without the dot of the root."""
    return tuple(name.rstrip(".") for name in names)


def no_answer(answer: DnsAnswer) -> Result:
    """The DNS gave no usable answer: unknown, never "there is none"."""
    return unknown(
        say(
            "The look-up of {kind} for {name} brought no result: {status}.",
            kind=answer.type,
            name=answer.name,
            status=status_text(answer.status),
        ),
        remedy=say(ASK_AGAIN),
    )


def exactly_one(answer: DnsAnswer, *, several: str) -> Result:
    """One record of a kind passes; none, or several side by side (their title), do not."""
    if answer.is_failure or answer.status is DnsStatus.NOT_ASKED:
        return no_answer(answer)
    if len(answer.records) > 1:
        return failed(
            say("{number} records stand side by side.", number=len(answer.records)),
            remedy=say(ONLY_ONE_RECORD),
            title=several,
        )
    if answer.records:  # of a long answer, the records of mail policies were kept first
        return passed(say("{record}", record=answer.records[0]))
    if answer.is_cut:
        return cut(answer)
    return failed(say("No such record is published."))


def cut(answer: DnsAnswer) -> Result:
    """Not all records that came were kept: unknown, since what is missing could decide."""
    return unknown(
        say("The answer for {domain} was too long to be kept whole.", domain=answer.name),
        remedy=say(
            "Have all records shown (dig NAME TYPE) and remove those that are not in use, then "
            "measure again."
        ),
    )


def left_out(domain: DomainFacts) -> Text | None:
    """What to say where not every exchanger of a domain was looked at; None where all were."""
    if not domain.exchangers_left_out:
        return None
    looked_at = len(domain.exchangers)
    return say_n(
        "Only {n} exchanger of {total} was looked at.",
        "Only {n} exchangers of {total} were looked at.",
        looked_at,
        total=looked_at + domain.exchangers_left_out,
    )


Judgement = Callable[[DomainFacts, Context], Result]


def of_every_exchanger(judge: Judgement) -> Judgement:
    """A judgement about all exchangers: where some were left out, what was seen is no pass."""

    @wraps(judge)
    def judged(domain: DomainFacts, context: Context) -> Result:
        result = judge(domain, context)
        rest = left_out(domain)
        if rest is not None and result.outcome is Outcome.PASSED:
            return unknown(rest, remedy=say(ALL_EXCHANGERS))
        return result

    return judged
