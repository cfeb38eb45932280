"""What the connections to one endpoint say together: three-valued, and never more than was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from incamail_lib.facts.ehlo import offers
from incamail_lib.facts.observation import Answer, Observation, Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import (
    ClientAuthFacts,
    EndpointFacts,
    Purpose,
    SmtpFacts,
    Stage,
    Starttls,
    Target,
    Trait,
)
from incamail_lib.probe.dialogue import demands_certificate
from incamail_lib.probe.tls import ABOUT_CERTIFICATE

UNEXPLAINED = frozenset({Reason.RESET, Reason.CLOSED})
IN_TLS = frozenset({Stage.HANDSHAKE, Stage.EHLO_IN_TLS, Stage.MAIL, Stage.RCPT})
# Connections with the same hello and the same dialogue: what differs, differs in the server.
ALIKE = frozenset({Purpose.SURVEY, Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE})
_OLD = (Purpose.LEGACY_TLS, Purpose.LEGACY_TLS_1_0)
_OLD_NAMES = frozenset({"SSLv3", "TLSv1", "TLSv1.1"})
_PROTOCOL_VERSION = 70
# What other servers answer to a hello of an old version that offers everything.
_REFUSED = frozenset({10, 40, 47, 71})


@dataclass(frozen=True)
class Visit:
    """The connections to one endpoint, and what was asked of it."""

    connections: tuple[SmtpFacts, ...]
    asked: frozenset[Purpose]
    left_alone: Reason | None
    large_hello: Observation


def together(target: Target, visit: Visit) -> EndpointFacts:
    """All verdicts about one endpoint."""
    connections = visit.connections
    by_purpose = {c.purpose: c for c in connections}
    legacy, version = _legacy(by_purpose, _not_made(visit, Purpose.LEGACY_TLS))
    return EndpointFacts(
        target=target,
        connections=connections,
        starttls=_starttls(connections),
        client_auth=_client_auth(visit, by_purpose),
        legacy=legacy,
        legacy_version=version,
        injection=_injection(by_purpose, _not_made(visit, Purpose.INJECTION)),
        large_hello=visit.large_hello,
        other_key=_other_key(by_purpose, _not_made(visit, Purpose.OTHER_KEY)),
        differing=_differing(connections),
        left_alone=visit.left_alone,
    )


def _not_made(visit: Visit, purpose: Purpose) -> Observation:
    """Why a connection was not made: nobody asked, no STARTTLS, or the server had enough."""
    connections, asked = visit.connections, purpose in visit.asked
    if asked and connections[0].starttls is not Starttls.ACCEPTED:
        return inconclusive(Reason.NOT_REACHED)
    if not asked or visit.left_alone is None:
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


def _differing(connections: Sequence[SmtpFacts]) -> tuple[Trait, ...]:
    """What differed between connections alike, as several machines behind one address show it."""
    alike = [c for c in connections if c.purpose in ALIKE]
    looks: dict[Trait, Callable[[SmtpFacts], object]] = {
        Trait.STARTTLS: _offer_of,
        Trait.VERSION: lambda c: (c.tls and c.tls.version) or None,
        Trait.CERTIFICATE: lambda c: c.tls.chain[0].sha256 if c.tls and c.tls.chain else None,
        Trait.REQUEST: _request_of,
    }
    return tuple(t for t, look in looks.items() if len({look(c) for c in alike} - {None}) > 1)


def _offer_of(connection: SmtpFacts) -> object:
    """Whether STARTTLS was offered; None if that was not seen."""
    if connection.starttls is Starttls.UNKNOWN:
        return None
    return connection.starttls not in (Starttls.NOT_OFFERED, Starttls.MASKED)


def _request_of(connection: SmtpFacts) -> object:
    """Whether a certificate was asked for; None if that was not seen."""
    asked = connection.tls.certificate_requested if connection.tls else None
    return asked.answer if asked is not None and asked.is_known else None


def _client_auth(visit: Visit, by_purpose: dict[Purpose, SmtpFacts]) -> ClientAuthFacts:
    survey = by_purpose[Purpose.SURVEY]
    shown = by_purpose.get(Purpose.OWN_CERTIFICATE)
    demanded, stage = _demanded(survey, shown)
    own, foreign = (
        accepted(by_purpose[p]) if p in by_purpose else _not_made(visit, p)
        for p in (Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE)
    )
    return ClientAuthFacts(
        requested=_requested(survey, visit.connections),
        acceptable_cas=survey.tls.acceptable_cas if survey.tls else (),
        acceptable_cas_left_out=survey.tls.acceptable_cas_left_out if survey.tls else 0,
        demanded=demanded,
        demanded_in=stage,
        own_accepted=own,
        foreign_accepted=foreign,
        verified=_verified(own, foreign),
    )


def _requested(survey: SmtpFacts, connections: Sequence[SmtpFacts]) -> Observation:
    """Whether a certificate is asked for – on every connection that could show it."""
    seen = [r for c in connections if c.purpose in ALIKE and (r := _request_of(c)) is not None]
    if len(set(seen)) > 1:
        asked = sum(r is Answer.YES for r in seen)
        return no(Reason.SEEN, f"{asked}/{len(seen)}")
    if survey.tls is None:
        return inconclusive(_why(survey), survey.evidence)
    return survey.tls.certificate_requested


def _why(connection: SmtpFacts) -> Reason:
    """Why TLS was not seen on this connection."""
    return Reason.NOT_REACHED if connection.ended is Reason.SEEN else connection.ended


def _demanded(survey: SmtpFacts, shown: SmtpFacts | None) -> tuple[Observation, Stage | None]:
    """Whether the server refuses who shows no certificate, in TLS or in SMTP as far as asked."""
    if survey.tls is None:
        return inconclusive(_why(survey), survey.evidence), None
    let_in = survey.tls.accepted
    if let_in.is_no:
        stage = survey.tls.alert.stage if survey.tls.alert else survey.ended_in
        return yes(let_in.reason, let_in.evidence), stage
    if not let_in.is_yes:
        return let_in, None
    refused = _refused_in_smtp(survey)
    if refused is None and not survey.tls.certificate_requested.is_known:
        # A second handshake is under way, in which it may still be demanded.
        return inconclusive(_why(survey), survey.evidence), None
    if refused is None:
        last = survey.rcpt_reply or survey.mail_reply
        return no(Reason.SMTP_REPLY, last.text if last else let_in.evidence), None
    if not refused.is_yes and _served_with(shown) and survey.rcpt_reply is not None:
        # The same recipient, refused without and taken with a certificate: so it is the matter.
        refused = yes(Reason.SMTP_REPLY, survey.rcpt_reply.text)
    return refused, _refused_at(survey) if refused.is_yes else None


def _refused_at(survey: SmtpFacts) -> Stage:
    if survey.ended_in in (Stage.MAIL, Stage.RCPT):
        return survey.ended_in
    return Stage.RCPT if survey.rcpt_reply is not None else Stage.MAIL


def _served_with(shown: SmtpFacts | None) -> bool:
    """Whether the postmaster was taken as recipient of who had shown a certificate."""
    if shown is None or shown.tls is None or shown.rcpt_reply is None:
        return False
    return bool(shown.tls.certificate_sent) and shown.rcpt_reply.code < 300


def _refused_in_smtp(connection: SmtpFacts) -> Observation | None:
    """What the replies to MAIL and RCPT say about the certificate; None when they let us on."""
    tls = connection.tls
    asked = tls is not None and tls.certificate_requested.is_yes
    auth = offers(connection.capabilities_in_tls or (), "AUTH")
    for reply in filter(None, (connection.mail_reply, connection.rcpt_reply)):
        if reply.code >= 300:
            if demands_certificate(reply, asked=asked, offers_auth=auth):
                return yes(Reason.SMTP_REPLY, reply.text)
            return inconclusive(Reason.SMTP_REPLY, reply.text)
    if connection.ended_in in (Stage.MAIL, Stage.RCPT) and connection.ended is not Reason.SEEN:
        number = tls.alert.number if tls and tls.alert else 0
        if connection.ended is Reason.ALERT and asked and number in ABOUT_CERTIFICATE:
            # In a second handshake, which the server began in answer to MAIL or RCPT.
            return yes(Reason.ALERT, connection.evidence)
        return inconclusive(connection.ended, connection.evidence)
    return None


def not_shown(connection: SmtpFacts) -> bool:
    """Whether a certificate was asked for and ours kept back, since its key does not fit.

    OpenSSL then sends an empty one: what the server says after that is no word about ours.
    """
    tls = connection.tls
    if tls is None or not tls.certificate_requested.is_yes or tls.certificate_sent is not False:
        return False
    return tls.established or tls.accepted.is_known


def accepted(connection: SmtpFacts) -> Observation:
    """Whether the server took the certificate that was sent; no question where it never asked."""
    if connection.tls is None:
        return inconclusive(_why(connection), connection.evidence)
    if connection.tls.certificate_requested.is_no:
        return inconclusive(Reason.NOT_ASKED)
    if not_shown(connection):
        return inconclusive(Reason.NOT_SHOWN)
    let_in = connection.tls.accepted
    if let_in.is_yes and connection.tls.certificate_sent is False:
        # Whether it would be asked for stayed open: what was not sent was not accepted.
        let_in = inconclusive(_why(connection), connection.evidence)
    if not let_in.is_yes:
        return let_in
    refused = _refused_in_smtp(connection)
    if refused is None:
        return let_in
    return no(refused.reason, refused.evidence) if refused.is_yes else refused


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
    usual = [c for p, c in by_purpose.items() if p in ALIKE]
    return any(c.tls is not None and (c.tls.established or c.tls.accepted.is_no) for c in usual)


def _legacy(by_purpose: dict[Purpose, SmtpFacts], not_made: Observation) -> tuple[Observation, str]:
    """Whether TLS 1.0 or 1.1 is agreed to (RFC 8996): a hello for each, which offers everything.

    No is said only where both were refused.
    """
    if Purpose.LEGACY_TLS not in by_purpose:
        return not_made, ""
    last = inconclusive(Reason.NOT_TRIED)
    for purpose in _OLD:
        connection = by_purpose.get(purpose)
        last = _agreed(connection, by_purpose) if connection else inconclusive(Reason.NOT_TRIED)
        if connection is not None and connection.tls is not None and last.is_yes:
            return last, connection.tls.version
        if not last.is_known:
            break
    return last, ""


def _agreed(connection: SmtpFacts, by_purpose: dict[Purpose, SmtpFacts]) -> Observation:
    """Whether the server agreed to the one old version that was offered, or an older one."""
    tls = connection.tls
    if tls is None:
        return inconclusive(_why(connection), connection.evidence)
    if tls.version in _OLD_NAMES:
        # It chose the version, whatever it demanded afterwards.
        return yes(Reason.SEEN, tls.version)
    number = tls.alert.number if tls.alert is not None else 0
    if number == _PROTOCOL_VERSION:
        return no(Reason.ALERT, connection.evidence)
    # Who refuses every hello alike says nothing of the version.
    if number in _REFUSED and _agrees_elsewhere(by_purpose):
        return no(Reason.ALERT, connection.evidence)
    if connection.ended in UNEXPLAINED and _agrees_elsewhere(by_purpose):
        # Windows hangs up on an old ClientHello without an alert.
        return no(connection.ended, connection.evidence)
    return inconclusive(connection.ended, connection.evidence)


def _other_key(by_purpose: dict[Purpose, SmtpFacts], not_made: Observation) -> Observation:
    """Whether the server has certificates of both key types, RSA and EC."""
    connection = by_purpose.get(Purpose.OTHER_KEY)
    if connection is None:
        return not_made
    tls, survey = connection.tls, by_purpose[Purpose.SURVEY].tls
    if tls is None:
        return inconclusive(_why(connection), connection.evidence)
    if tls.chain:
        same = survey is not None and survey.chain[:1] == tls.chain[:1]
        return no() if same else yes(Reason.SEEN, tls.chain[0].key_type)
    if tls.alert is not None:
        return no(Reason.ALERT, connection.evidence)
    return inconclusive(connection.ended, connection.evidence)


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
    at_once = {*UNEXPLAINED, Reason.ALERT, Reason.PROTOCOL_ERROR}
    if tls is None or tls.established or connection.ended not in at_once:
        return False
    return not tls.certificate_requested.is_yes
