"""The words for stable tokens of the facts, as translatable texts."""

from __future__ import annotations

from collections.abc import Sequence

from incamail_lib.facts.certificate import TrustFacts, TrustReason
from incamail_lib.facts.dns import DnsStatus
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Stage
from incamail_lib.i18n import N_, Text, say

_REASONS: dict[Reason, str] = {
    Reason.SEEN: N_("seen"),
    Reason.NOT_SEEN: N_("not seen"),
    Reason.ALERT: N_("the server sent a TLS alert"),
    Reason.SMTP_REPLY: N_("the server said so in SMTP"),
    Reason.TIMEOUT: N_("no answer within the time limit"),
    Reason.REFUSED: N_("connection refused"),
    Reason.UNREACHABLE: N_("network or machine not reachable"),
    Reason.RESET: N_("the connection was reset without a reason"),
    Reason.CLOSED: N_("the connection was closed without a reason"),
    Reason.GREYLISTED: N_("greylisting: the server asks to come back later"),
    Reason.RATE_LIMITED: N_("too many connections for this server"),
    Reason.UNAVAILABLE: N_("the service is temporarily not available"),
    Reason.REJECTED: N_("the server refuses to serve this sender"),
    Reason.TOO_MUCH_DATA: N_("the server sent more data than the limit allows"),
    Reason.PROTOCOL_ERROR: N_("the answer was not valid SMTP or TLS"),
    Reason.TLS_AT_ONCE: N_("the port speaks TLS at once, without STARTTLS"),
    Reason.NOT_SHOWN: N_("the server takes no key of this type, so the certificate was not shown"),
    Reason.NOT_ASKED: N_("the server did not ask for a certificate"),
    Reason.NOT_TRIED: N_("this was not tested"),
    Reason.NOT_REACHED: N_("the dialogue ended before this point"),
    Reason.UNSUPPORTED: N_("this computer's TLS library cannot test it"),
    Reason.DNS_FAILURE: N_("the DNS gave no usable answer"),
}

_STAGES: dict[Stage, str] = {
    Stage.CONNECT: N_("connecting"),
    Stage.GREETING: N_("greeting"),
    Stage.EHLO: N_("EHLO"),
    Stage.STARTTLS: N_("STARTTLS"),
    Stage.HANDSHAKE: N_("TLS handshake"),
    Stage.EHLO_IN_TLS: N_("EHLO inside TLS"),
    Stage.MAIL: N_("MAIL"),
    Stage.RCPT: N_("RCPT"),
    Stage.QUIT: N_("QUIT"),
}


_TRUST: dict[TrustReason, str] = {
    TrustReason.TRUSTED: N_("trusted"),
    TrustReason.MISSING_INTERMEDIATE: N_("an intermediate certificate is missing"),
    TrustReason.UNKNOWN_ROOT: N_("the root is not in this store"),
    TrustReason.SELF_SIGNED: N_("self-signed"),
    TrustReason.EXPIRED: N_("expired"),
    TrustReason.NOT_YET_VALID: N_("not yet valid"),
    TrustReason.WRONG_PURPOSE: N_("not issued for this purpose"),
    TrustReason.WEAK: N_("key or signature too weak"),
    TrustReason.MALFORMED: N_("malformed certificate"),
    TrustReason.STORE_UNREADABLE: N_("the store cannot be read"),
}


_STATUSES: dict[DnsStatus, str] = {
    DnsStatus.FOUND: N_("found"),
    DnsStatus.NO_DATA: N_("no such record"),
    DnsStatus.NXDOMAIN: N_("the name does not exist"),
    DnsStatus.SERVFAIL: N_("the name server reports a failure (SERVFAIL)"),
    DnsStatus.REFUSED: N_("the name server refuses to answer"),
    DnsStatus.TIMEOUT: N_("no answer within the time limit"),
    DnsStatus.LAME: N_("the name server is not responsible for the name"),
    DnsStatus.BAD_NAME: N_("not a legal domain name"),
    DnsStatus.NOT_ASKED: N_("not asked"),
}


def status_text(status: DnsStatus) -> Text:
    """How a DNS look-up ended, in words."""
    return Text(template=_STATUSES[status])


def reason_text(reason: Reason) -> Text:
    """The reason of an observation in words."""
    return Text(template=_REASONS[reason])


def stage_text(stage: Stage) -> Text:
    """The stage of an SMTP dialogue in words."""
    return Text(template=_STAGES[stage])


def trust_text(reason: TrustReason) -> Text:
    """Why a store does or does not trust a chain, in words."""
    return Text(template=_TRUST[reason])


def stores_text(trust: Sequence[TrustFacts]) -> Text:
    """Stores with their reasons on one line, e.g. "certifi: trusted; system: expired"."""
    parts = {f"s{n}": trust_text(t.reason) for n, t in enumerate(trust[:8])}
    names = {f"n{n}": t.store for n, t in enumerate(trust[:8])}
    template = "; ".join(f"{{n{n}}}: {{s{n}}}" for n in range(len(parts)))
    return Text(template=template, values={**names, **parts})


def joined_texts(texts: Sequence[Text]) -> Text:
    """Translatable words on one line, with commas."""
    names = {f"t{n}": text for n, text in enumerate(texts)}
    return Text(template=", ".join(f"{{{name}}}" for name in names), values={**names})


def joined(values: tuple[str, ...] | list[str], limit: int = 8) -> Text:
    """A list of names on one line; a long one says how many more there are."""
    shown = ", ".join(values[:limit])
    if len(values) <= limit:
        return Text(template="{names}", values={"names": shown})
    return say("{names} and {more} more", names=shown, more=len(values) - limit)
