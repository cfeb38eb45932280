"""What the checks of SMTP and TLS read out of an endpoint, and how they say "not seen"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from incamail_lib.checks._core import Context, Result, failed, passed, unknown
from incamail_lib.checks.words import reason_text, stage_text
from incamail_lib.facts.observation import Observation, Reason
from incamail_lib.facts.smtp import EndpointFacts, Purpose, TlsFacts
from incamail_lib.findings import Level, Outcome
from incamail_lib.i18n import say

_USUAL = frozenset({Purpose.SURVEY, Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE})


def dialogue_ended(endpoint: EndpointFacts) -> Result:
    """The dialogue ended before the question could be answered: unknown, with the reason."""
    survey = endpoint.survey
    return unknown(
        say(
            "The dialogue ended in stage {stage}: {reason}. {evidence}",
            stage=stage_text(survey.ended_in),
            reason=reason_text(survey.ended),
            evidence=survey.evidence,
        )
    )


def tls_not_seen(endpoint: EndpointFacts) -> Result:
    """No handshake got far enough to answer the question."""
    survey = endpoint.survey
    return unknown(
        say(
            "TLS was not seen; the dialogue ended in stage {stage}: {reason}.",
            stage=stage_text(survey.ended_in),
            reason=reason_text(survey.ended),
        )
    )


def not_seen(endpoint: EndpointFacts, observation: Observation) -> Result:
    """Why an observation is inconclusive, with its evidence."""
    return unknown(
        say(
            "It could not be seen: {reason}. {evidence}",
            reason=reason_text(reason_of(endpoint, observation)),
            evidence=observation.evidence,
        )
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
        )
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
            "Certificate {number} of {count} that the server shows ({kind}): {seen}",
            number=number + 1,
            count=count,
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
            )
        )

    judged.__name__ = getattr(judge, "__name__", "judged")
    return judged
