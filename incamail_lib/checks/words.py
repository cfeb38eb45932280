"""The words for stable tokens of the facts, as translatable texts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from incamail_lib.facts.audit import Place
from incamail_lib.facts.certificate import (
    CertificateFacts,
    Hindrance,
    Reservation,
    TrustFacts,
    TrustReason,
)
from incamail_lib.facts.dns import DnsStatus
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Stage
from incamail_lib.i18n import N_, Text, say, say_n
from incamail_lib.reach import AddressKind

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
    Reason.NOT_CONTACTED: N_("the address was not contacted, since nobody allowed it"),
    Reason.OPTED_OUT: N_(
        "it was not contacted, since it is on the list of those who do not want it"
    ),
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
    TrustReason.ISSUER_KEY_DIFFERS: N_("the issuer's certificate has the name, but another key"),
    TrustReason.UNKNOWN_ROOT: N_("the root is not in this store"),
    TrustReason.SELF_SIGNED: N_("self-signed"),
    TrustReason.EXPIRED: N_("expired"),
    TrustReason.NOT_YET_VALID: N_("not yet valid"),
    TrustReason.WRONG_PURPOSE: N_("not issued for this purpose"),
    TrustReason.WEAK: N_("key or signature too weak"),
    TrustReason.UNUSUAL: N_("key or signature of a kind that TLS peers do not take by default"),
    TrustReason.NOT_AN_AUTHORITY: N_("the issuer's certificate is not that of an authority"),
    TrustReason.PATH_LENGTH: N_("more authorities in a row than the path length allows"),
    TrustReason.NAME_CONSTRAINTS: N_("the authority may not issue for these names"),
    TrustReason.UNKNOWN_CRITICAL: N_("a critical extension that nobody knows"),
    TrustReason.BAD_SIGNATURE: N_("the signature is wrong"),
    TrustReason.REFUSED: N_("refused by OpenSSL"),
    TrustReason.MALFORMED: N_("malformed certificate"),
    TrustReason.STORE_UNREADABLE: N_("the store cannot be read"),
}

_TRUST_REMEDIES: dict[TrustReason, str] = {
    TrustReason.MISSING_INTERMEDIATE: N_(
        "Install the intermediate certificates of the authority behind the certificate itself."
    ),
    TrustReason.ISSUER_KEY_DIFFERS: N_(
        "Download the authority's current intermediate certificates and put them in the place of "
        "the old ones. The name is the same, the key is not."
    ),
    TrustReason.EXPIRED: N_(
        "Renew the certificate that has expired. If it is one of the authority, install its "
        "current intermediate certificates."
    ),
    TrustReason.NOT_YET_VALID: N_(
        "Wait until the certificate is valid, or use another; check the clock of the computer."
    ),
    TrustReason.WRONG_PURPOSE: N_(
        "Get a certificate for this purpose, from an authority whose own certificates allow it."
    ),
    TrustReason.WEAK: N_("Have the certificate issued anew with a stronger key and signature."),
    TrustReason.UNUSUAL: N_(
        "Have the certificate issued anew: with a key of RSA 3072 or P-256, signed with SHA-256."
    ),
    TrustReason.NOT_AN_AUTHORITY: N_(
        "The certificate named signed another one, but may not: it is not the certificate of an "
        "authority (CA). Install the authority's own intermediate certificates, or have the "
        "certificate issued by a proper authority."
    ),
    TrustReason.PATH_LENGTH: N_(
        "The certificate named allows fewer authorities below it. Ask the authority for a "
        "certificate from an intermediate that may issue it."
    ),
    TrustReason.NAME_CONSTRAINTS: N_(
        "The authority is restricted to other names. Have the certificate issued for names that "
        "it may certify, or use another authority."
    ),
    TrustReason.UNKNOWN_CRITICAL: N_(
        "Have the certificate issued without this extension, or with it not marked as critical."
    ),
    TrustReason.BAD_SIGNATURE: N_(
        "The certificate was changed after it was signed, or damaged. Fetch it from the authority "
        "again."
    ),
    TrustReason.REFUSED: N_(
        "Have the certificate issued anew; show the authority the words of OpenSSL."
    ),
    TrustReason.MALFORMED: N_("Have the certificate issued anew and install it again."),
}

_RESERVATIONS: dict[Reservation, str] = {
    Reservation.LEVEL_2: N_(
        "too weak for OpenSSL's security level 2, the default of Debian and others"
    ),
    Reservation.UNUSUAL_AUTHORITY_KEY: N_("key of a kind that some TLS libraries refuse"),
    Reservation.NO_SIGNING: N_("key usage without digitalSignature, which GnuTLS refuses"),
    Reservation.AUTHORITY_AS_LEAF: N_("certificate of an authority (CA), which some refuse"),
}

_OPENSSL_USAGES = {  # RFC 5280 §4.2.1.3
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}


_STATUSES: dict[DnsStatus, str] = {
    DnsStatus.FOUND: N_("found"),
    DnsStatus.NO_DATA: N_("no such record"),
    DnsStatus.NXDOMAIN: N_("the name does not exist"),
    DnsStatus.SERVFAIL: N_("the name server reports a failure (SERVFAIL)"),
    DnsStatus.REFUSED: N_("the name server refuses to answer"),
    DnsStatus.TIMEOUT: N_("no answer within the time limit"),
    DnsStatus.LAME: N_("no name server gave a usable answer"),
    DnsStatus.BAD_NAME: N_("not a legal domain name"),
    DnsStatus.NOT_ASKED: N_("not asked"),
}


_KINDS: dict[AddressKind, str] = {
    AddressKind.PUBLIC: N_("a public address"),
    AddressKind.PRIVATE: N_("a private address"),
    AddressKind.SHARED: N_("an address behind a provider's NAT"),
    AddressKind.LOOPBACK: N_("the address of every computer for itself"),
    AddressKind.LINK_LOCAL: N_("an address that holds on one network cable only"),
    AddressKind.MULTICAST: N_("an address of a group of machines"),
    AddressKind.BROADCAST: N_("an address of all machines of a network"),
    AddressKind.UNSPECIFIED: N_("the address that stands for none"),
    AddressKind.MAPPED: N_("an IPv4 address written as one of IPv6"),
    AddressKind.RESERVED: N_("a reserved address"),
}


def kind_text(kind: AddressKind) -> Text:
    """What an address is for, in words that fit behind "which is"."""
    return Text(template=_KINDS[kind])


_PLACES: dict[Place, str] = {
    Place.UNDECLARED: N_("at a place that nobody declared"),
    Place.GATEWAY: N_("on the sending gateway"),
    Place.INSIDE: N_("in the organisation's network, behind the same firewall"),
    Place.ELSEWHERE: N_("elsewhere, outside the organisation's network"),
}


def place_text(place: Place) -> Text:
    """Where it was measured, in words that fit behind "measured"."""
    return Text(template=_PLACES[place])


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


def trust_remedy(reason: TrustReason) -> Text | None:
    """What to do about it; None where it depends on the direction (root, self-signed)."""
    found = _TRUST_REMEDIES.get(reason)
    return say(found) if found else None


def told_trust(answer: TrustFacts) -> Text:
    """One store's answer: the reason, the certificate it is about, and who disagrees."""
    told = trust_text(answer.reason)
    if answer.reserved:
        first = answer.reserved[0]
        return say(
            "{reason}, but {reservation} ({name})",
            reason=told,
            reservation=Text(template=_RESERVATIONS[first.reason]),
            name=first.name,
        )
    if answer.detail and answer.reason is not TrustReason.TRUSTED:
        unknown = answer.culprit.unknown_critical if answer.culprit else ()
        critical = answer.reason is TrustReason.UNKNOWN_CRITICAL
        named = ", ".join((answer.detail, *unknown[:3])) if critical else answer.detail
        return say("{reason} ({name})", reason=told, name=named)
    return told


def stores_text(trust: Sequence[TrustFacts]) -> Text:
    """Stores with their reasons on one line, e.g. "certifi: trusted; system: expired"."""
    told = [say("{store}: {reason}", store=t.store, reason=told_trust(t)) for t in trust[:8]]
    if not told:
        return Text(template="")
    return reduce(lambda line, part: say("{first}; {then}", first=line, then=part), told)


def hindrance_text(
    certificate: CertificateFacts, hindrance: Hindrance, purpose: str, *, issuing: bool = False
) -> Text:
    """Which extension of which certificate forbids a purpose, and what it allows instead."""
    name = certificate.name
    if hindrance is Hindrance.UNREADABLE:
        return say("What {name} may be used for cannot be read.", name=name)
    if hindrance is Hindrance.EXTENDED_KEY_USAGE:
        allowed = joined(certificate.ext_key_usage or ("–",))
        return say(
            "{purpose} is missing in {name}; allowed are {usages}.",
            purpose=purpose,
            name=name,
            usages=allowed,
        )
    if hindrance is Hindrance.NETSCAPE_TYPE:
        return say(
            "The Netscape certificate type of {name} lacks {purpose}; allowed are {usages}.",
            name=name,
            purpose=purpose,
            usages=joined(certificate.ns_cert_type or ("–",)),
        )
    usages = [_OPENSSL_USAGES.get(usage, usage) for usage in certificate.key_usage or ()]
    return say(
        "The key usage of {name} lacks {needed}; allowed are {usages}.",
        name=name,
        needed="keyCertSign" if issuing else "digitalSignature",
        usages=joined(usages or ["–"]),
    )


def joined_texts(texts: Sequence[Text]) -> Text:
    """Translatable words on one line, with commas."""
    names = {f"t{n}": text for n, text in enumerate(texts)}
    return Text(template=", ".join(f"{{{name}}}" for name in names), values={**names})


def joined(values: tuple[str, ...] | list[str], limit: int = 8) -> Text:
    """A list of names on one line; a long one says how many more there are."""
    shown = ", ".join(values[:limit])
    if len(values) <= limit:
        return Text(template="{names}", values={"names": shown})
    more = len(values) - limit
    return say_n("{names} and {n} more", "{names} and {n} more", more, names=shown)
