"""What the checks of SMTP and TLS read out of an endpoint, and how they say "not seen"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from incamail_lib.checks._core import Context, Result, failed, passed, unknown
from incamail_lib.checks.words import reason_text, stage_text
from incamail_lib.facts.observation import Observation, Reason
from incamail_lib.facts.smtp import EndpointFacts, Purpose, Side, TlsFacts
from incamail_lib.findings import Level, Outcome
from incamail_lib.i18n import N_, Text, say

_USUAL = frozenset({Purpose.SURVEY, Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE})

# What opens a question better than the check's own advice, since the reason is known.
_GATEWAY_ADVICE: dict[Reason, str] = {
    Reason.RATE_LIMITED: N_(
        "Exempt the measuring machine from the gateway's limit on connections, or wait an hour; "
        "then measure again. IncaMail's servers belong on the same list."
    ),
    Reason.GREYLISTED: N_(
        "Exempt the measuring machine from greylisting, or measure again in half an hour from the "
        "same address. IncaMail's servers belong on the same list."
    ),
    Reason.UNAVAILABLE: N_(
        "The gateway asks to come back later: measure again in an hour. If it says so again, read "
        "its log for the cause."
    ),
    Reason.REJECTED: N_(
        "Read in the gateway's log why it refuses the measuring machine (block list, reverse "
        "name), or measure from an address that it serves."
    ),
    Reason.UNSUPPORTED: N_(
        "Measure again on a machine with a newer version of OpenSSL; the one used cannot test it."
    ),
}
_PLATFORM_ADVICE: dict[Reason, str] = {
    Reason.RATE_LIMITED: N_("Wait an hour and measure again on the sending gateway."),
    Reason.GREYLISTED: N_(
        "Measure again in half an hour, on the sending gateway and from the same address."
    ),
    Reason.UNAVAILABLE: N_(
        "IncaMail's gateway asks to come back later: measure again in an hour. If it says so "
        "again, ask Swiss Post."
    ),
    Reason.REJECTED: N_(
        "Measure again on the sending gateway, from the address that Swiss Post has registered."
    ),
    Reason.UNSUPPORTED: _GATEWAY_ADVICE[Reason.UNSUPPORTED],
}


def advice_on(endpoint: EndpointFacts, reason: Reason) -> Text | None:
    """What to do about this reason; None where the check's own advice is the better one.

    A point that was not reached is reached once the dialogue is not ended before.
    """
    if reason is Reason.NOT_REACHED:
        reason = endpoint.survey.ended
    receiving = endpoint.target.role is Side.RECEIVING
    found = (_GATEWAY_ADVICE if receiving else _PLATFORM_ADVICE).get(reason)
    return say(found) if found else None


def dialogue_ended(endpoint: EndpointFacts) -> Result:
    """The dialogue ended before the question could be answered: unknown, with the reason."""
    survey = endpoint.survey
    return unknown(
        say(
            "The dialogue ended in stage {stage}: {reason}. {evidence}",
            stage=stage_text(survey.ended_in),
            reason=reason_text(survey.ended),
            evidence=survey.evidence,
        ),
        remedy=advice_on(endpoint, survey.ended),
    )


def tls_not_seen(endpoint: EndpointFacts) -> Result:
    """No handshake got far enough to answer the question."""
    survey = endpoint.survey
    return unknown(
        say(
            "TLS was not seen; the dialogue ended in stage {stage}: {reason}.",
            stage=stage_text(survey.ended_in),
            reason=reason_text(survey.ended),
        ),
        remedy=advice_on(endpoint, survey.ended),
    )


def not_seen(endpoint: EndpointFacts, observation: Observation) -> Result:
    """Why an observation is inconclusive, with its evidence."""
    reason = reason_of(endpoint, observation)
    return unknown(
        say(
            "It could not be seen: {reason}. {evidence}",
            reason=reason_text(reason),
            evidence=observation.evidence,
        ),
        remedy=advice_on(endpoint, reason),
    )


def reason_of(endpoint: EndpointFacts, observation: Observation) -> Reason:
    """The reason of an observation; for a connection not made any more, what kept us from it."""
    if observation.reason is Reason.NOT_TRIED and endpoint.left_alone is not None:
        return endpoint.left_alone
    return observation.reason


def nobody_asked(endpoint: EndpointFacts, observation: Observation) -> bool:
    """Whether it was left untested by wish, and not because the server had enough of us."""
    return reason_of(endpoint, observation) is Reason.NOT_TRIED


def agreed(endpoint: EndpointFacts) -> TlsFacts | None:
    """A handshake of TLS 1.2 or newer: without a certificate, else with one.

    One that was refused for want of a certificate had agreed on version and cipher before. What
    the server agrees to when little is offered is another question.
    """
    shown = (c.tls for c in endpoint.connections if c.purpose in _USUAL)
    return next((tls for tls in shown if tls is not None and _is_agreed(tls)), None)


def _is_agreed(tls: TlsFacts) -> bool:
    return bool(tls.version) and (tls.established or tls.accepted.is_no)


def handshake(endpoint: EndpointFacts) -> Result:
    """Whether TLS can be agreed at all, with or without a client certificate."""
    tls = agreed(endpoint)
    if tls is not None:
        return passed(say("{version}, {cipher}.", version=tls.version, cipher=tls.cipher))
    first = endpoint.survey.tls
    if first is None:
        return tls_not_seen(endpoint)
    if first.certificate_requested.is_yes and first.chain:
        # The parameters were agreed; the server then refused for want of a certificate.
        return passed(say("TLS was agreed; the server then demanded a client certificate."))
    if first.alert is not None:
        alert = f"{first.alert.number} {first.alert.name}"
        return failed(say("The server refused the handshake: TLS alert {alert}.", alert=alert))
    return unknown(
        say(
            "The handshake did not complete: {reason}. {evidence}",
            reason=reason_text(endpoint.survey.ended),
            evidence=endpoint.survey.evidence,
        ),
        remedy=advice_on(endpoint, endpoint.survey.ended),
    )


Judgement = Callable[[EndpointFacts, Context], Result]


def for_each_certificate(judge: Judgement) -> Judgement:
    """Judge every certificate that the endpoint shows; the worst one decides.

    Which one a sender meets hangs on its library, or on the machine that answers.
    """

    def judged(endpoint: EndpointFacts, context: Context) -> Result:
        shown = endpoint.each_certificate()
        results = [judge(each, context) for each in shown]
        number = min(range(len(results)), key=lambda n: _rank(results[n]))
        worst, count = results[number], len(shown)
        if all(_rank(r) == _rank(worst) for r in results):
            return worst
        seen = say(
            "Certificate {number} of {total} that the server shows ({kind}): {seen}",
            number=number + 1,
            total=count,
            kind=shown[number].chain[0].key_type or "–",
            seen=worst.seen,
        )
        return replace(worst, seen=seen)

    judged.__name__ = getattr(judge, "__name__", "judged")
    return judged


def _rank(result: Result) -> tuple[int, int]:
    """Bad results before open ones before good ones; a failure made mild behind a full one."""
    order = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PASSED, Outcome.NOT_APPLICABLE)
    mild = (None, Level.REQUIRED, Level.RECOMMENDED, Level.INFO)
    return order.index(result.outcome), mild.index(result.level)


def with_certificate(judge: Judgement) -> Judgement:
    """Only where a certificate was seen, and for each one; else unknown, with the reason."""

    def judged(endpoint: EndpointFacts, context: Context) -> Result:
        if endpoint.chain:
            return for_each_certificate(judge)(endpoint, context)
        survey = endpoint.survey
        return unknown(
            say(
                "No certificate was seen; the dialogue ended in stage {stage}: {reason}.",
                stage=stage_text(survey.ended_in),
                reason=reason_text(survey.ended),
            ),
            remedy=advice_on(endpoint, survey.ended),
        )

    judged.__name__ = getattr(judge, "__name__", "judged")
    return judged
