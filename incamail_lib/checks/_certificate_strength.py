"""Judgements about the keys and signatures of a certificate's path, for both directions."""

from __future__ import annotations

import datetime as dt

from incamail_lib.checks._certificates import MEMBER_REMEDY
from incamail_lib.checks._core import Result, failed, passed, unknown
from incamail_lib.checks.validity import Presented
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.facts.strength import (
    KNOWN_KEYS,
    LEVELS,
    has_usual_key,
    key_bits,
    signature_bits,
)
from incamail_lib.findings import Level
from incamail_lib.i18n import N_, Text, say

GOOD_RSA = 2048  # BR §6.1.5; OpenSSL rounds, so that its level 2 takes 1904 and more


def key_is_strong(shown: Presented, now: dt.datetime) -> Result:
    """Every key of the path is of a size and kind that TLS peers take (RFC 9325 §4.5).

    What OpenSSL refuses at security level 1 fails; what only level 2 refuses, the default of
    Debian and others, and a kind of authority's key that only some libraries take, is told as a
    recommendation.
    """
    path = shown.path(now)
    for number, certificate in enumerate(path):
        if number == 0 and not _usual_key(certificate):
            return failed(
                _key(certificate, N_("{key}: TLS peers do not take this kind by default."))
            )
        if certificate.key_type not in KNOWN_KEYS:
            return unknown(_key(certificate, "{key}."), remedy=say(_ASK_ABOUT_KEY))
        if key_bits(certificate) < LEVELS[1]:
            return failed(
                _key(certificate, N_("{key}: every TLS library refuses it.")),
                remedy=_of_member(number),
            )
    for number, certificate in enumerate(path):
        doubt = _doubt(certificate)
        if doubt:
            told = _key(certificate, doubt)
            return failed(told, level=Level.RECOMMENDED, remedy=_of_member(number))
    return passed(_key(path[0], "{key}."))


_ASK_ABOUT_KEY = N_(
    "This kind of key is not known here. Ask Swiss Post whether it takes it, or make a key of RSA "
    "3072 or P-256."
)


def _of_member(number: int) -> Text | None:
    """The remedy for a certificate above the leaf, which is not the client's own to remake."""
    return say(MEMBER_REMEDY) if number else None


def _doubt(certificate: CertificateFacts) -> str:
    """Why some TLS libraries refuse a key that OpenSSL takes at level 1; "" if none does."""
    if key_bits(certificate) < LEVELS[2]:
        return N_(
            "{key}: refused at OpenSSL's security level 2, the default of Debian and others; "
            "accepted at level 1."
        )
    if certificate.key_type == "RSA" and certificate.key_bits < GOOD_RSA:
        return N_("{key}: fewer than the 2048 bit that the rules of public authorities ask for.")
    if not _usual_key(certificate):
        return N_(
            "{key}: OpenSSL accepts it in an authority's certificate, other TLS libraries may not."
        )
    return ""


def _usual_key(certificate: CertificateFacts) -> bool:
    unread = certificate.key_type == "EC" and not certificate.curve  # facts of an older version
    return unread or has_usual_key(certificate)


def _key(certificate: CertificateFacts, template: str) -> Text:
    kind = " ".join(part for part in (certificate.key_type, certificate.curve) if part)
    key = say(
        "{name}, {kind}, {bits} bit",
        name=certificate.name,
        kind=kind or "–",
        bits=certificate.key_bits,
    )
    return say(template, key=key)


def signatures_are_sound(shown: Presented, now: dt.datetime) -> Result:
    """No SHA-1 or MD5 below the anchor, whose own signature nobody verifies, and nothing rare."""
    path = shown.path(now)
    complete = any(t.complete for t in shown.asked)
    signed = [c for n, c in enumerate(path) if not c.self_signed and (n < len(path) - 1 or n == 0)]
    signed = signed if complete else [c for c in path if not c.self_signed]
    if path[0].problem or not path[0].signature_algorithm:
        return unknown(say("The signature could not be read."), remedy=say(_ASK_ABOUT_SIGNATURE))
    for certificate in signed:
        bits = signature_bits(certificate)
        told = {"name": certificate.name, "algorithm": certificate.signature_algorithm}
        if bits is not None and bits < LEVELS[1]:
            broken = say("Signed with a broken algorithm: {name} ({algorithm}).", **told)
            return failed(broken, remedy=_of_member(path.index(certificate)))
        if bits is None and certificate.signature_hash:
            return failed(say(_RARE, **told), remedy=_of_member(path.index(certificate)))
    return passed(say("{algorithm}", algorithm=path[0].signature_algorithm))


_RARE = N_("Many TLS libraries cannot verify the signature: {name} ({algorithm}).")
_ASK_ABOUT_SIGNATURE = N_(
    "Look at the signature with «openssl x509 -noout -text -in FILE», and ask the authority about "
    "it."
)
