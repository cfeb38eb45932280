"""A chain as a plan: leaf, intermediates and root, to be spoilt in any place before it is made.

Names are of the case alone, so that all cases can lie in one bundle and OpenSSL still finds its
own.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from differential.making import NS_CERT_TYPE, UNHEARD_OF, Key, Made, certificate, key

DAY, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)
BOTH = (Eku.SERVER_AUTH, Eku.CLIENT_AUTH)
HOST, ADDRESS = "mx1.muster.example", ipaddress.ip_address("192.0.2.1")
EVERY_USAGE = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
KEYS = ("p256", "p256", "p384", "p521", "rsa2048", "rsa3072", "ed25519", "ed448")


@dataclass
class Member:
    """One certificate of a chain, to be changed before it is made."""

    name: str
    key: Key
    ca: bool | None  # None: no basic constraints
    usage: tuple[str, ...] | None
    path_length: int | None = None
    eku: tuple[x509.ObjectIdentifier, ...] | None = None
    eku_critical: bool = False
    netscape: int | None = None
    constraints: tuple[x509.NameConstraints, bool] | None = None
    unknown: bool | None = None  # an unheard-of extension, critical or not
    further: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    names: tuple[x509.GeneralName, ...] = ()
    start: dt.timedelta = -10 * DAY
    end: dt.timedelta = 90 * DAY
    version: int = 3
    digest: str = "sha256"
    broken: bool = False
    identifiers: bool = True  # subject and authority key identifier
    identifiers_of: Key | None = None  # its own identifier names this key
    signer: Key | None = None  # another key than the issuer's
    issuer: str | None = None  # another name than the issuer's


@dataclass
class Chain:
    """The members from the leaf to the root, and what else the file or the store holds."""

    members: list[Member]
    sent: list[int] = field(default_factory=list)  # which of them are in the file, leaf first
    anchors: list[int] = field(default_factory=list)
    extras: list[tuple[Member, Member]] = field(default_factory=list)  # (certificate, issuer)
    extra_anchors: list[Member] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """What was made: the file in DER, leaf first, the store's anchors, and what was changed."""

    number: int
    said: tuple[str, ...]
    chain: tuple[bytes, ...]
    anchors: tuple[bytes, ...]
    leaf_key: Key


def sound(rng: random.Random, number: int, depth: int, kinds: tuple[str, ...] = KEYS) -> Chain:
    """A chain that everybody takes."""
    names = [
        f"leaf {number}",
        *(f"ica {number}.{n}" for n in range(1, depth + 1)),
        f"root {number}",
    ]
    members = [
        Member(name, key(rng.choice(kinds), n), n > 0, ("key_cert_sign", "crl_sign"))
        for n, name in enumerate(names)
    ]
    leaf, root = members[0], members[-1]
    leaf.usage = ("digital_signature",)
    leaf.names = (x509.DNSName(HOST), x509.IPAddress(ADDRESS))
    leaf.eku = rng.choice((None, BOTH, BOTH))
    root.start, root.end = -400 * DAY, 400 * DAY
    last = len(members) - 1
    return Chain(members, sent=list(range(last)), anchors=[last])


def made(chain: Chain, number: int, now: dt.datetime) -> Case:
    """The case in DER."""
    members = chain.members
    pairs = [(m, members[min(n + 1, len(members) - 1)]) for n, m in enumerate(members)]
    ders = [_der(m, above, now, n) for n, (m, above) in enumerate(pairs, 10)]
    extras = [_der(m, above, now, n) for n, (m, above) in enumerate(chain.extras, 50)]
    anchors = [_der(m, m, now, n) for n, m in enumerate(chain.extra_anchors, 80)]
    return Case(
        number,
        tuple(chain.said),
        (*(ders[n] for n in chain.sent), *extras),
        (*(ders[n] for n in chain.anchors), *anchors),
        members[0].key,
    )


def _der(member: Member, above: Member, now: dt.datetime, serial: int) -> bytes:
    signer = member.signer or above.key
    has_md5 = signer.kind.startswith("rsa")  # ECDSA has no identifier for it
    return certificate(
        Made(
            member.name,
            above.name if member.issuer is None else member.issuer,
            member.key,
            signer,
            now + member.start,
            now + member.end,
            tuple(_extensions(member, above)) if member.version == 3 else (),
            member.version,
            member.digest if member.digest != "md5" or has_md5 else "sha1",
            member.broken,
            serial,
        )
    )


def _extensions(member: Member, above: Member) -> Iterator[tuple[x509.ExtensionType, bool]]:
    if member.ca is not None:
        yield x509.BasicConstraints(member.ca, member.path_length if member.ca else None), True
    if member.usage is not None:
        yield x509.KeyUsage(**{name: name in member.usage for name in EVERY_USAGE}), True
    if member.eku is not None:
        yield x509.ExtendedKeyUsage(member.eku), member.eku_critical
    if member.netscape is not None:
        bits = bytes([3, 2, 0, member.netscape])
        yield x509.UnrecognizedExtension(NS_CERT_TYPE, bits), False
    if member.constraints is not None:
        yield member.constraints
    if member.unknown is not None:
        yield x509.UnrecognizedExtension(UNHEARD_OF, b"\x05\x00"), member.unknown
    yield from member.further
    if member.names:
        yield x509.SubjectAlternativeName(member.names), False
    if member.identifiers:
        own = member.identifiers_of or member.key
        yield x509.SubjectKeyIdentifier(own.identifier), False
        if above is not member:
            yield x509.AuthorityKeyIdentifier(above.key.identifier, None, None), False
