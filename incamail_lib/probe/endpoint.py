"""All connections to one endpoint, one after the other, and what they say together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from incamail_lib.certificate import Credential
from incamail_lib.dialogue import speaks_of_certificate
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import (
    ClientAuthFacts,
    EndpointFacts,
    Purpose,
    SmtpFacts,
    Stage,
    Starttls,
    Target,
)
from incamail_lib.probe.connection import converse
from incamail_lib.probe.settings import ProbeSettings

# The order tells most first; a server that has had enough loses us the least.
_ORDER = (
    Purpose.OWN_CERTIFICATE,
    Purpose.FOREIGN_CERTIFICATE,
    Purpose.LEGACY_TLS,
    Purpose.INJECTION,
)
_WITHOUT = frozenset({Purpose.LEGACY_TLS, Purpose.INJECTION})  # need no certificate of ours
# After these the server is left alone: it is busy, defends itself, or is not there.
_LEAVE_ALONE = frozenset(
    {
        *(Reason.GREYLISTED, Reason.RATE_LIMITED, Reason.UNAVAILABLE, Reason.REJECTED),
        *(Reason.TIMEOUT, Reason.REFUSED, Reason.UNREACHABLE, Reason.TOO_MUCH_DATA),
    }
)
_UNEXPLAINED = frozenset({Reason.RESET, Reason.CLOSED})
_IN_TLS = frozenset({Stage.HANDSHAKE, Stage.EHLO_IN_TLS, Stage.MAIL})


async def probe_endpoint(
    target: Target,
    *,
    settings: ProbeSettings,
    own: Credential | None = None,
    now: dt.datetime,
) -> EndpointFacts:
    """Probe `target` for the purposes asked, one connection at a time: five, and where the server
    hangs up inside TLS without a word, each of them once more – but not on one that always does.

    `own` is the client's certificate, `settings.foreign` the throw-away control. Trust and name
    are judged by the caller. Never raises for what the peer does.
    """
    survey = await _once_more_if_unexplained(target, Purpose.SURVEY, settings, None, now)
    connections = [survey]
    served = survey.tls is not None and survey.tls.accepted.is_yes
    credentials = {
        Purpose.OWN_CERTIFICATE: own,
        Purpose.FOREIGN_CERTIFICATE: settings.foreign,
        # A server that demands a certificate answers nothing before it has one; any other is
        # asked without, since a certificate that it refuses would hide the answer.
        Purpose.INJECTION: None if served else own,
    }
    asked = [p for p in _ORDER if p in settings.purposes and (p in _WITHOUT or credentials.get(p))]
    left_alone: Reason | None = None
    for purpose in asked:
        if survey.starttls is not Starttls.ACCEPTED:
            break
        if _is_to_be_left_alone(connections[-1]) or _always_hangs_up(connections):
            left_alone = connections[-1].ended
            break
        credential = credentials.get(purpose)
        found = await _once_more_if_unexplained(target, purpose, settings, credential, now)
        connections.append(found)
    return _together(target, tuple(connections), frozenset(asked), left_alone)


def _is_to_be_left_alone(connection: SmtpFacts) -> bool:
    """Busy, defending itself or gone; a refusal inside TLS is about us and no reason to stop."""
    if connection.ended is Reason.RATE_LIMITED:
        return True
    return connection.ended in _LEAVE_ALONE and connection.ended_in not in _IN_TLS


def _always_hangs_up(connections: Sequence[SmtpFacts]) -> bool:
    """Without and with a certificate, twice each: nothing more is to be learnt here."""
    silent = [c.ended in _UNEXPLAINED and c.ended_in in _IN_TLS for c in connections]
    return len(silent) >= 2 and all(silent)


async def _once_more_if_unexplained(
    target: Target,
    purpose: Purpose,
    settings: ProbeSettings,
    credential: Credential | None,
    now: dt.datetime,
) -> SmtpFacts:
    """One connection; closed inside TLS without a reason, it is tried once again."""
    found = await converse(target, purpose, settings=settings, credential=credential, now=now)
    if found.ended in _UNEXPLAINED and found.ended_in in _IN_TLS:
        return await converse(target, purpose, settings=settings, credential=credential, now=now)
    return found


def _together(
    target: Target,
    connections: tuple[SmtpFacts, ...],
    asked: frozenset[Purpose],
    left_alone: Reason | None,
) -> EndpointFacts:
    by_purpose = {c.purpose: c for c in connections}
    not_made = {p: _not_made(connections, p in asked, left_alone) for p in _ORDER}
    legacy, version = _legacy(by_purpose, not_made[Purpose.LEGACY_TLS])
    return EndpointFacts(
        target=target,
        connections=connections,
        starttls=_starttls(connections),
        client_auth=_client_auth(by_purpose, not_made),
        legacy=legacy,
        legacy_version=version,
        injection=_injection(by_purpose, not_made[Purpose.INJECTION]),
        left_alone=left_alone,
    )


def _not_made(
    connections: Sequence[SmtpFacts], asked: bool, left_alone: Reason | None
) -> Observation:
    """Why a connection was not made: nobody asked, no STARTTLS, or the server had enough."""
    if asked and connections[0].starttls is not Starttls.ACCEPTED:
        return inconclusive(Reason.NOT_REACHED)
    if not asked or left_alone is None:
        return inconclusive(Reason.NOT_TRIED)
    last = connections[-1]
    return inconclusive(Reason.NOT_TRIED, f"{last.ended.value} in {last.purpose.value}")


def _starttls(connections: Sequence[SmtpFacts]) -> Starttls:
    states = [c.starttls for c in connections]
    if states[0] is Starttls.ACCEPTED and any(
        s in (Starttls.NOT_OFFERED, Starttls.MASKED) for s in states[1:]
    ):
        return Starttls.VANISHED
    return states[0]


def _client_auth(
    by_purpose: dict[Purpose, SmtpFacts], not_made: dict[Purpose, Observation]
) -> ClientAuthFacts:
    survey = by_purpose[Purpose.SURVEY]
    requested = _requested(survey)
    demanded, stage = _demanded(survey)
    own, foreign = (
        _accepted(by_purpose[p]) if p in by_purpose else not_made[p]
        for p in (Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE)
    )
    return ClientAuthFacts(
        requested=requested,
        acceptable_cas=survey.tls.acceptable_cas if survey.tls else (),
        acceptable_cas_left_out=survey.tls.acceptable_cas_left_out if survey.tls else 0,
        demanded=demanded,
        demanded_in=stage,
        own_accepted=own,
        foreign_accepted=foreign,
        verified=_verified(own, foreign),
    )


def _requested(survey: SmtpFacts) -> Observation:
    if survey.tls is None:
        return inconclusive(_why(survey), survey.evidence)
    return survey.tls.certificate_requested


def _why(connection: SmtpFacts) -> Reason:
    """Why TLS was not seen on this connection."""
    return Reason.NOT_REACHED if connection.ended is Reason.SEEN else connection.ended


def _demanded(survey: SmtpFacts) -> tuple[Observation, Stage | None]:
    """Whether the server refuses who shows no certificate, in TLS or in SMTP."""
    if survey.tls is None:
        return inconclusive(_why(survey), survey.evidence), None
    accepted = survey.tls.accepted
    if accepted.is_no:
        stage = survey.tls.alert.stage if survey.tls.alert else survey.ended_in
        return yes(accepted.reason, accepted.evidence), stage
    if not accepted.is_yes:
        return accepted, None
    in_mail = _refused_at_mail(survey)
    if in_mail is not None:
        return in_mail, Stage.MAIL if in_mail.is_yes else None
    return no(Reason.SMTP_REPLY, accepted.evidence), None


def _refused_at_mail(connection: SmtpFacts) -> Observation | None:
    """What the reply to MAIL says about the certificate; None when it let us on.

    530 and 454 may mean other things (authentication, a passing fault): only words about a
    certificate, or 530 after a CertificateRequest, are a demand for one.
    """
    reply = connection.mail_reply
    if reply is None:
        if connection.ended_in is Stage.MAIL and connection.ended is not Reason.SEEN:
            return inconclusive(connection.ended, connection.evidence)
        return None
    if reply.code < 400:
        return None
    asked = connection.tls is not None and connection.tls.certificate_requested.is_yes
    if speaks_of_certificate(reply) or (reply.code == 530 and asked):
        return yes(Reason.SMTP_REPLY, reply.text)
    return inconclusive(Reason.SMTP_REPLY, reply.text)


def _accepted(connection: SmtpFacts) -> Observation:
    """Whether the server took the certificate shown; no question where it never asked."""
    if connection.tls is None:
        return inconclusive(_why(connection), connection.evidence)
    if connection.tls.certificate_requested.is_no:
        return inconclusive(Reason.NOT_ASKED)
    accepted = connection.tls.accepted
    if not accepted.is_yes:
        return accepted
    in_mail = _refused_at_mail(connection)
    if in_mail is None:
        return accepted
    return no(Reason.SMTP_REPLY, in_mail.evidence) if in_mail.is_yes else in_mail


def _verified(own: Observation, foreign: Observation) -> Observation:
    """Whether certificates are really checked: a stranger's refused, and ours taken."""
    if foreign.is_yes:
        return no(foreign.reason, foreign.evidence)
    if foreign.is_no and own.is_yes:
        return yes(foreign.reason, foreign.evidence)
    return inconclusive(foreign.reason if not foreign.is_known else own.reason)


def _agrees_elsewhere(by_purpose: dict[Purpose, SmtpFacts]) -> bool:
    """Whether the server speaks modern TLS with us on other connections of this audit.

    Only then does hanging up on an odd handshake, twice and without a word, tell of that
    handshake and not of the line.
    """
    usual = [c for p, c in by_purpose.items() if p not in _WITHOUT]
    return any(c.tls is not None and bool(c.tls.chain) for c in usual)


def _legacy(by_purpose: dict[Purpose, SmtpFacts], not_made: Observation) -> tuple[Observation, str]:
    """Whether TLS 1.0 or 1.1 was negotiated (RFC 8996)."""
    connection = by_purpose.get(Purpose.LEGACY_TLS)
    if connection is None:
        return not_made, ""
    tls = connection.tls
    if tls is None:
        return inconclusive(_why(connection), connection.evidence), ""
    if tls.established or tls.chain:
        # Its certificate came, so the version was agreed, whatever it demanded afterwards.
        return yes(Reason.SEEN, tls.version), tls.version
    if tls.alert is not None:
        return no(Reason.ALERT, connection.evidence), ""
    if connection.ended in _UNEXPLAINED and _agrees_elsewhere(by_purpose):
        # Windows hangs up on an old ClientHello without an alert.
        return no(connection.ended, connection.evidence), ""
    return inconclusive(connection.ended, connection.evidence), ""


def _injection(by_purpose: dict[Purpose, SmtpFacts], not_made: Observation) -> Observation:
    """CVE-2011-0411: whether a command sent before TLS was obeyed inside it."""
    connection = by_purpose.get(Purpose.INJECTION)
    if connection is None:
        return not_made
    if connection.injected_reply is not None:
        return yes(Reason.SMTP_REPLY, connection.injected_reply.text)
    if connection.tls_replies and connection.ended is Reason.SEEN:
        return no(Reason.NOT_SEEN)
    reply = connection.starttls_reply
    if connection.starttls is Starttls.REFUSED and reply is not None and reply.code >= 500:
        return no(Reason.SMTP_REPLY, reply.text)
    if _took_it_for_tls(connection) and _agrees_elsewhere(by_purpose):
        return no(connection.ended, connection.evidence)
    return inconclusive(_why(connection), connection.evidence)


def _took_it_for_tls(connection: SmtpFacts) -> bool:
    """Whether the handshake failed on the spot, since the smuggled bytes stood in its place.

    An alert about certificates is about us, and says nothing of them.
    """
    tls = connection.tls
    at_once = {*_UNEXPLAINED, Reason.ALERT, Reason.PROTOCOL_ERROR}
    if tls is None or tls.established or connection.ended not in at_once:
        return False
    return not tls.certificate_requested.is_yes
