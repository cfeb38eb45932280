"""Why a message was not taken, by stage, code and enhanced code, and what helps against it.

Codes as RFC 5321 §4.2 has them, enhanced ones as RFC 3463 and RFC 5248 (the registry of the
IANA) say. Where a code leaves two meanings open, the server's own words decide; where they say
nothing either, the general sentence is told and nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from incamail_lib.facts.delivery import Cause, Delivery, DeliveryOutcome, SendingStage
from incamail_lib.i18n import N_, Text


class Trouble(StrEnum):
    """What stopped a message, as far as it can be told."""

    NO_STARTTLS = "no_starttls"
    UNTRUSTED_CERTIFICATE = "untrusted_certificate"
    CLIENT_CERTIFICATE = "client_certificate"
    TLS_FAILED = "tls_failed"
    TLS_DEMANDED = "tls_demanded"
    LOGIN_DEMANDED = "login_demanded"
    LOGIN_REFUSED = "login_refused"
    LOGIN_IMPOSSIBLE = "login_impossible"
    RELAY_DENIED = "relay_denied"
    GREYLISTED = "greylisted"
    BUSY = "busy"
    NO_ROUTE = "no_route"
    TOO_LARGE = "too_large"
    MAILBOX_FULL = "mailbox_full"
    UNKNOWN_RECIPIENT = "unknown_recipient"
    SENDER_REFUSED = "sender_refused"
    POLICY = "policy"
    DEFERRED = "deferred"
    REFUSED = "refused"
    NOBODY_LISTENS = "nobody_listens"
    NOT_FOUND = "not_found"
    SILENT = "silent"
    CLOSED = "closed"
    NO_SMTP = "no_smtp"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class _Row:
    """One kind of reply; what is left out matches anything."""

    trouble: Trouble
    codes: str = ""  # an expression that the whole code matches
    enhanced: str = ""  # the same for the enhanced code without its first digit, as in "7.1"
    words: str = ""  # an expression somewhere in the server's words
    stages: frozenset[SendingStage] = frozenset()
    in_clear: bool = False  # only where no TLS was agreed

    def fits(self, delivery: Delivery) -> bool:
        """Whether the reply is of this kind."""
        reply = delivery.reply
        if reply is None or (self.in_clear and delivery.tls_version):
            return False
        enhanced = reply.enhanced.partition(".")[2]
        return (
            bool(re.fullmatch(self.codes or ".*", str(reply.code)))
            and bool(re.fullmatch(self.enhanced or ".*", enhanced))
            and bool(re.search(self.words, " ".join(reply.lines), re.IGNORECASE))
            and delivery.stage in (self.stages or frozenset(SendingStage))
        )


_RCPT = frozenset({SendingStage.RCPT, SendingStage.DATA, SendingStage.CONTENT})
_BEFORE = frozenset(SendingStage) - {SendingStage.CONTENT}  # the message may speak of certificates
_AUTH = frozenset({SendingStage.AUTH})
_CERTIFICATE = r"\b(client )?cert(ificate)?s?\b"

# The first that fits: the special before the general.
_REPLIES: tuple[_Row, ...] = (
    # Postfix says 421 4.7.1, others 530 or 454: no code of its own means a missing certificate.
    _Row(Trouble.CLIENT_CERTIFICATE, enhanced="7.*|", words=_CERTIFICATE, stages=_BEFORE),
    _Row(Trouble.TLS_DEMANDED, "5..|4..", "7.*|", r"STARTTLS|\bTLS\b", in_clear=True),
    _Row(Trouble.TLS_DEMANDED, enhanced="7\\.10"),
    _Row(Trouble.LOGIN_REFUSED, "535|454|432|534|538|5..", stages=_AUTH),
    _Row(Trouble.RELAY_DENIED, words=r"relay\w* (access )?(denied|not permitted)|unable to relay"),
    _Row(Trouble.LOGIN_DEMANDED, "530"),  # RFC 4954 §6
    _Row(Trouble.LOGIN_DEMANDED, "5..", "7\\.(57|60|61)"),  # Exchange: client not authenticated
    _Row(Trouble.LOGIN_DEMANDED, words=r"authenticat\w+ (is )?required|not authenticated|log ?in"),
    _Row(Trouble.RELAY_DENIED, "5..", "7\\.(54|64)", stages=_RCPT),  # Exchange
    _Row(Trouble.GREYLISTED, "4..", words=r"gr[ea]y-?\s?list|postgrey"),
    _Row(Trouble.TOO_LARGE, enhanced="3\\.4|2\\.3"),
    _Row(Trouble.MAILBOX_FULL, enhanced="2\\.2"),
    _Row(Trouble.TOO_LARGE, "552", words=r"size|large|big|limit"),  # RFC 1870 §6
    _Row(Trouble.MAILBOX_FULL, "552", ""),  # RFC 5321 §4.2.3: storage exceeded
    _Row(Trouble.NO_ROUTE, enhanced="4\\.[0346]|1\\.2|4\\.1|4\\.310|4\\.312"),
    _Row(Trouble.NO_ROUTE, words=r"unrouteable|(host|domain) (\S+ )?not found|no route"),
    _Row(Trouble.SENDER_REFUSED, enhanced="1\\.[78]|7\\.(23|25|27)"),
    _Row(Trouble.SENDER_REFUSED, "5..", words=r"\bsender\b"),
    _Row(Trouble.UNKNOWN_RECIPIENT, enhanced="1\\.(1|3|6|10)"),
    _Row(Trouble.UNKNOWN_RECIPIENT, "55[013]", "", r"unknown|no such|not exist", _RCPT),
    _Row(Trouble.BUSY, "421", "3\\.2|4\\.5|7\\.0|"),
    _Row(Trouble.BUSY, "4..", "3\\.[12]|4\\.5|5\\.3|7\\.28"),
    _Row(Trouble.POLICY, "5..", "7\\..*"),
    _Row(Trouble.DEFERRED, "4.."),
    _Row(Trouble.REFUSED, "5.."),
)

_CAUSES: dict[Cause, Trouble] = {
    Cause.NO_STARTTLS: Trouble.NO_STARTTLS,
    Cause.STARTTLS_REFUSED: Trouble.NO_STARTTLS,
    Cause.CERTIFICATE: Trouble.UNTRUSTED_CERTIFICATE,
    Cause.TLS_FAILED: Trouble.TLS_FAILED,
    Cause.NO_LOGIN: Trouble.LOGIN_IMPOSSIBLE,
    Cause.TIMEOUT: Trouble.SILENT,
    Cause.CONNECTION_REFUSED: Trouble.NOBODY_LISTENS,
    Cause.UNREACHABLE: Trouble.NOT_FOUND,
    Cause.CLOSED: Trouble.CLOSED,
    Cause.PROTOCOL_ERROR: Trouble.NO_SMTP,
}
# Alerts of TLS that are about the certificate of the one who connects (RFC 9846 §6.2).
_ALERTS = re.compile(
    r"alert (certificate|bad certificate|unsupported certificate|unknown ca|no certificate)",
    re.IGNORECASE,
)


def trouble_of(delivery: Delivery) -> Trouble | None:
    """What stopped the message; None where it was taken."""
    if delivery.outcome is DeliveryOutcome.ACCEPTED:
        return None
    if delivery.outcome is DeliveryOutcome.UNCERTAIN:
        return Trouble.UNCERTAIN
    if delivery.cause is Cause.REPLY:
        found = (row.trouble for row in _REPLIES if row.fits(delivery))
        return next(found, Trouble.NO_SMTP)
    if delivery.cause is Cause.TLS_FAILED and _ALERTS.search(delivery.evidence):
        return Trouble.CLIENT_CERTIFICATE
    return _CAUSES[delivery.cause]


_REMEDIES: dict[Trouble, str] = {
    Trouble.NO_STARTTLS: N_(
        "Let STARTTLS be switched on at that server or name another port; without it the message "
        "would cross your own network in clear."
    ),
    Trouble.UNTRUSTED_CERTIFICATE: N_(
        "If the server's certificate is of an internal authority, name its PEM file as roots; if "
        "it bears another name, enter that one; if it has ended, let it be renewed."
    ),
    Trouble.CLIENT_CERTIFICATE: N_(
        "The server wants a client certificate, which this computer has none of; trying again "
        "later does not help. Let the server exempt this computer, or take the port for mail "
        "programs (587) with a login."
    ),
    Trouble.TLS_FAILED: N_(
        "Either no TLS version or cipher is in common, or the server wants a client certificate "
        "and does not say so: its log tells which."
    ),
    Trouble.TLS_DEMANDED: N_("The server takes mail inside TLS only: set STARTTLS to required."),
    Trouble.LOGIN_DEMANDED: N_(
        "The server wants a login: enter the user, and set the password as environment variable; "
        "or let the server exempt this computer."
    ),
    Trouble.LOGIN_REFUSED: N_(
        "Check user and password; some servers want a password of its own for programs."
    ),
    Trouble.LOGIN_IMPOSSIBLE: N_(
        "A login needs TLS, and PLAIN or LOGIN: take the port for mail programs (587), or send "
        "without a user where the server permits it."
    ),
    Trouble.RELAY_DENIED: N_(
        "The server passes no mail on for this computer: let it be added to those that may "
        "(mynetworks, relay connector), send from inside, or log in."
    ),
    Trouble.GREYLISTED: N_(
        "Greylisting: the server wants a second try after some minutes. Send the same test again "
        "in a quarter of an hour, or let it exempt this computer."
    ),
    Trouble.BUSY: N_("The server is busy or short of resources at the moment: try again later."),
    Trouble.NO_ROUTE: N_(
        "The server knows no way to that domain: look at its rule for IncaMail (6.3), the name of "
        "the next hop and its DNS."
    ),
    Trouble.TOO_LARGE: N_(
        "The server's limit for a message is below the size of this one: raise its limit; "
        "IncaMail takes messages of 30 MB."
    ),
    Trouble.MAILBOX_FULL: N_(
        "The storage behind that address is full: let it be cleared, or take another recipient."
    ),
    Trouble.UNKNOWN_RECIPIENT: N_("No such recipient: check the address."),
    Trouble.SENDER_REFUSED: N_(
        "The server does not take this sender: enter an address of the organisation that exists, "
        "and that this user may send as."
    ),
    Trouble.POLICY: N_(
        "A policy of the server forbids it: its log names the rule. Let this computer be exempted."
    ),
    Trouble.DEFERRED: N_("The server puts it off and does not say why: try again later."),
    Trouble.REFUSED: N_(
        "Sent again as it is, it will be refused again: the server's log says why."
    ),
    Trouble.NOBODY_LISTENS: N_(
        "Nothing listens there: check host and port, and whether a firewall rejects this computer."
    ),
    Trouble.NOT_FOUND: N_("Check the server's name, and whether this network leads to it."),
    Trouble.SILENT: N_(
        "Nothing came in time: check host and port; a firewall that drops packets looks like this, "
        "and so does a port where TLS begins at once (465)."
    ),
    Trouble.CLOSED: N_(
        "The server's log tells why it hung up; often it does not know this computer."
    ),
    Trouble.NO_SMTP: N_("What answers there is no sound mail server: check host and port."),
    Trouble.UNCERTAIN: N_("Look into the server's log before sending it again."),
}


def remedy(trouble: Trouble) -> Text:
    """What helps against it, in a sentence or two."""
    return Text(template=_REMEDIES[trouble])
