"""Faults for a chain: every property of every member, alone and combined, drawn from a seed."""

from __future__ import annotations

import datetime as dt
import ipaddress
import random
from collections.abc import Callable, Iterator
from functools import partial

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from differential.chains import DAY, SECOND, Case, Chain, Member, made, sound
from differential.making import UNHEARD_OF, key

Twist = Callable[[Chain, random.Random], None]
SERVER, CLIENT, ANY = Eku.SERVER_AUTH, Eku.CLIENT_AUTH, Eku.ANY_EXTENDED_KEY_USAGE
MAIL, CODE = Eku.EMAIL_PROTECTION, Eku.CODE_SIGNING
SGC = x509.ObjectIdentifier("2.16.840.1.113730.4.1")
EKUS: tuple[tuple[x509.ObjectIdentifier, ...], ...] = (
    *((SERVER,), (CLIENT,), (ANY,), (SERVER, CLIENT), (ANY, MAIL), (MAIL,), (CODE,), (SGC,)),
    *((SGC, CLIENT), (UNHEARD_OF,), (SERVER, ANY), (CLIENT, MAIL)),
)
USAGES: tuple[tuple[str, ...] | None, ...] = (
    *(None, (), ("digital_signature",), ("key_encipherment",), ("key_agreement",)),
    *(("content_commitment",), ("key_cert_sign",), ("data_encipherment",), ("crl_sign",)),
    *(("digital_signature", "key_encipherment"), ("key_encipherment", "data_encipherment")),
    *(("digital_signature", "key_cert_sign"), ("key_cert_sign", "crl_sign")),
)
NETSCAPE = (0x80, 0x40, 0xC0, 0x20, 0x04, 0x44, 0x84, 0xC4, 0x10)  # client, server, …, sslCA
FAULTY_KEYS = (
    *("rsa1024", "rsa1280", "rsa1536", "rsa1896", "rsa1904", "rsa2000", "rsa2047"),
    *("p192", "p224", "k256", "bp256", "bp384"),
)
DIGESTS = ("md5", "sha1", "sha224", "sha384", "sha512", "sha3-256", "sha3-384")


def _at(chain: Chain, rng: random.Random, *, lowest: int = 0) -> tuple[int, Member]:
    place = rng.randrange(lowest, len(chain.members))
    return place, chain.members[place]


def _validity(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng)
    spans = {
        "ended": (-100 * DAY, -DAY),
        "ended a second ago": (-100 * DAY, -SECOND),
        "ends now": (-100 * DAY, dt.timedelta()),
        "ends in a second": (-100 * DAY, SECOND),
        "begins now": (dt.timedelta(), 90 * DAY),
        "begins in a second": (SECOND, 90 * DAY),
        "begins later": (3 * DAY, 90 * DAY),
        "ends before it begins": (90 * DAY, -90 * DAY),
        "ends in 2060": (-DAY, 12400 * DAY),
    }
    word = rng.choice(list(spans))
    member.start, member.end = spans[word]
    chain.said.append(f"{place}: {word}")


def _eku(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng)
    member.eku, member.eku_critical = rng.choice(EKUS), rng.random() < 0.3
    names = [oid._name if oid._name != "Unknown OID" else oid.dotted_string for oid in member.eku]
    chain.said.append(f"{place}: EKU {'+'.join(names)}")


def _usage(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng)
    member.usage = rng.choice(USAGES)
    chain.said.append(f"{place}: key usage {member.usage}")


def _netscape(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng)
    member.netscape = rng.choice(NETSCAPE)
    chain.said.append(f"{place}: nsCertType {member.netscape:02x}")


def _ca_leaf(chain: Chain, rng: random.Random) -> None:
    chain.members[0].ca = True
    if rng.random() < 0.5:
        chain.members[0].usage = rng.choice((None, ("digital_signature", "key_cert_sign")))
    chain.said.append("0: is a CA")


def _no_authority(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng, lowest=1)
    member.ca = rng.choice((False, None))
    if rng.random() < 0.3:
        member.usage = None
    chain.said.append(f"{place}: CA {member.ca}, key usage {member.usage}")


def _path_length(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng, lowest=1)
    member.path_length = rng.randrange(3)
    chain.said.append(f"{place}: path length {member.path_length}")


def _version_1(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng)
    member.version = 1
    chain.said.append(f"{place}: version 1")


def _constraints(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng, lowest=1)
    trees: list[list[x509.GeneralName]] = [
        [x509.DNSName("muster.example")],
        [x509.DNSName("other.example")],
        [x509.DNSName("")],
        [x509.IPAddress(ipaddress.ip_network("192.0.2.0/24"))],
        [x509.IPAddress(ipaddress.ip_network("198.51.100.0/24"))],
        [x509.DNSName("muster.example"), x509.DNSName("other.example")],
        [x509.RFC822Name("muster.example")],
        [x509.UniformResourceIdentifier(".example")],
        [x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")]))],
        [x509.RegisteredID(UNHEARD_OF)],
    ]
    tree, permitted = rng.choice(trees), rng.random() < 0.5
    value = x509.NameConstraints(tree if permitted else None, None if permitted else tree)
    member.constraints = (value, rng.random() < 0.7)
    chain.said.append(f"{place}: names {'permitted' if permitted else 'excluded'} {tree}")


def _weak_key(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng)
    member.key = key(rng.choice(FAULTY_KEYS), place)
    chain.said.append(f"{place}: key {member.key.kind}")


def _digest(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng)
    above = chain.members[min(place + 1, len(chain.members) - 1)]
    member.digest = rng.choice(DIGESTS)
    if above.key.kind.startswith("ed"):
        above.key = key("rsa2048", place + 1)  # EdDSA leaves no choice
    chain.said.append(f"{place}: {member.digest} by {above.key.kind}")


def _critical(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng)
    member.unknown = rng.random() < 0.7
    chain.said.append(f"{place}: unknown extension, critical {member.unknown}")


def _bad_signature(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng)
    member.broken = True
    chain.said.append(f"{place}: signature broken")


def _other_signer(chain: Chain, rng: random.Random) -> None:
    """The issuer in the file is the predecessor of the one that signed, identifiers or not."""
    place = rng.randrange(len(chain.members) - 1)
    member, above = chain.members[place], chain.members[place + 1]
    member.signer = key(above.key.kind, 77)
    stale = rng.random() < 0.5
    if stale:
        member.identifiers = False
    chain.said.append(f"{place}: signed by another key, identifiers {not stale}")


def _identifiers(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng)
    member.identifiers = False
    chain.said.append(f"{place}: no key identifiers")


def _missing(chain: Chain, rng: random.Random) -> None:
    if len(chain.sent) > 1:
        place = chain.sent.pop(rng.randrange(1, len(chain.sent)))
        chain.said.append(f"{place}: not sent")


def _order(chain: Chain, rng: random.Random) -> None:
    rest = chain.sent[1:] + ([len(chain.members) - 1] if rng.random() < 0.5 else [])
    rng.shuffle(rest)
    chain.sent = [chain.sent[0], *rest, *rest[: rng.randrange(2)]]
    chain.said.append(f"sent as {chain.sent}")


def _unknown_root(chain: Chain, rng: random.Random) -> None:
    chain.anchors.clear()
    name = chain.members[-1].name if rng.random() < 0.3 else f"stranger to {chain.members[0].name}"
    chain.extra_anchors.append(_authority(name, rng))
    chain.said.append("root not in the store")


def _authority(name: str, rng: random.Random) -> Member:
    kind = rng.choice(("p256", "p384", "rsa2048"))
    start, end = -400 * DAY, 400 * DAY
    return Member(name, key(kind, 90), True, ("key_cert_sign",), start=start, end=end)


def _self_signed(chain: Chain, rng: random.Random) -> None:
    leaf = chain.members[0]
    leaf.signer, leaf.issuer = leaf.key, leaf.name
    leaf.ca = rng.choice((None, False, True))
    chain.members[1:] = []
    chain.sent, chain.anchors = [0], [0] if rng.random() < 0.6 else []
    chain.said.append(f"self-signed, CA {leaf.ca}, anchor {bool(chain.anchors)}")


def _cross_signed(chain: Chain, rng: random.Random) -> None:
    """A second certificate of one authority, issued by another root, which may be at fault."""
    place = rng.randrange(1, len(chain.members))
    original = chain.members[place]
    other = _authority(f"old root of {original.name}", rng)
    cross = Member(original.name, original.key, True, ("key_cert_sign",))
    fault = rng.randrange(5)
    if fault == 0:
        cross.start, cross.end = -100 * DAY, -DAY
    elif fault == 1:
        cross.eku = (SERVER,)
    elif fault == 2:
        other.end = -DAY
    chain.extras.append((cross, other))
    known = rng.random() < 0.5
    if known:
        chain.extra_anchors.append(other)
    if rng.random() < 0.3:
        chain.anchors.clear()
    chain.said.append(f"{place}: cross-signed, fault {fault}, old root known {known}")


def _stranger(chain: Chain, rng: random.Random) -> None:
    name = f"stranger {chain.members[0].name}"
    stranger = _authority(name, rng)
    stranger.end = rng.choice((-DAY, 90 * DAY))
    chain.extras.append((stranger, stranger))
    chain.said.append("a stranger in the file")


def _intermediate_anchor(chain: Chain, rng: random.Random) -> None:
    """The store holds an intermediate, with or without its root."""
    if len(chain.members) > 2:
        chain.anchors = [1, *(chain.anchors if rng.random() < 0.5 else [])]
        chain.said.append(f"the store holds {chain.anchors}")


def _direct(chain: Chain, rng: random.Random) -> None:
    chain.members[1:-1] = []
    chain.sent, chain.anchors = [0], [1] if chain.anchors else []
    chain.said.append("directly from the root")


# Extensions by number with their content, legible or not: what of it counts is OpenSSL's to say.
ODD = {
    "authority information": ("1.3.6.1.5.5.7.1.1", "300c300a06082b060105050730018600"),
    "subject key identifier": ("2.5.29.14", "040401020304"),
    "authority key identifier": ("2.5.29.35", "3006800401020304"),
    "empty authority key identifier": ("2.5.29.35", "3000"),
    "policies": ("2.5.29.32", "300830060604551d2000"),
    "policy constraints": ("2.5.29.36", "3003800100"),
    "no policy": ("2.5.29.54", "020100"),
    "issuer's names": ("2.5.29.18", "3003820161"),
    "staple": ("1.3.6.1.5.5.7.1.24", "3003020105"),
    "revocation list": ("2.5.29.31", "3000"),
    "proxy": ("1.3.6.1.5.5.7.1.14", "300c300a06082b06010505071501"),
    "comment": ("2.16.840.1.113730.1.13", "160161"),
    "empty EKU": ("2.5.29.37", "3000"),
    "EKU that is none": ("2.5.29.37", "0500"),
    "key usage that is none": ("2.5.29.15", "0500"),
    "key usage without bits": ("2.5.29.15", "03020700"),
    "key usage of one octet": ("2.5.29.15", "030100"),
    "constraints that are none": ("2.5.29.19", "0500"),
    "second constraints": ("2.5.29.19", "30030101ff"),
    "negative path length": ("2.5.29.19", "30060101ff0201ff"),
    "path length of no CA": ("2.5.29.19", "3003020100"),
    "names that are none": ("2.5.29.17", "0500"),
    "empty names": ("2.5.29.17", "3000"),
    "name constraints that are none": ("2.5.29.30", "0500"),
    "empty name constraints": ("2.5.29.30", "3000"),
    "Netscape type that is none": ("2.16.840.1.113730.1.1", "0500"),
    "address blocks": ("1.3.6.1.5.5.7.1.7", "3000"),
}


def _odd_extension(chain: Chain, rng: random.Random) -> None:
    place, member = _at(chain, rng)
    word = rng.choice(list(ODD))
    number, content = ODD[word]
    critical, instead = rng.random() < 0.5, rng.random() < 0.7
    if instead:  # of the proper one, else beside it
        _without(member, number)
    oid = x509.ObjectIdentifier(number)
    value = x509.UnrecognizedExtension(oid, bytes.fromhex(content))
    member.further = (*member.further, (value, critical))
    chain.said.append(f"{place}: {word}, critical {critical}, instead {instead}")


def _without(member: Member, number: str) -> None:
    fields = {"2.5.29.37": "eku", "2.5.29.15": "usage", "2.5.29.19": "ca"}
    if number in fields:
        setattr(member, fields[number], None)
    if number == "2.5.29.17":
        member.names = ()
    if number in ("2.5.29.14", "2.5.29.35"):
        member.identifiers = False


def _no_names(chain: Chain, rng: random.Random) -> None:
    chain.members[0].names = ()
    chain.said.append("0: no alternative names")


TWISTS: dict[str, Twist] = {
    "validity": _validity,
    "extended key usage": _eku,
    "key usage": _usage,
    "Netscape type": _netscape,
    "authority as leaf": _ca_leaf,
    "no authority": _no_authority,
    "path length": _path_length,
    "version 1": _version_1,
    "name constraints": _constraints,
    "key": _weak_key,
    "signature hash": _digest,
    "unknown extension": _critical,
    "bad signature": _bad_signature,
    "other signer": _other_signer,
    "no identifiers": _identifiers,
    "missing": _missing,
    "order": _order,
    "unknown root": _unknown_root,
    "self-signed": _self_signed,
    "cross-signed": _cross_signed,
    "stranger": _stranger,
    "intermediate as anchor": _intermediate_anchor,
    "direct from root": _direct,
    "no names": _no_names,
    "odd extension": _odd_extension,
}
# What changes how many members there are must come first.
_FIRST = ("self-signed", "direct from root")


def cases(seed: int, now: dt.datetime, *, single: int, combined: int) -> Iterator[Case]:
    """`single` cases per twist, then `combined` ones of two to four twists."""
    rng = random.Random(seed)
    plans: list[tuple[str, ...]] = [(name,) for name in TWISTS for _ in range(single)]
    names = list(TWISTS)
    plans += [tuple(rng.sample(names, rng.choice((2, 2, 3, 4)))) for _ in range(combined)]
    for number, plan in enumerate(plans):
        chain = sound(rng, number, rng.choice((1, 1, 1, 2, 3)))
        for name in sorted(plan, key=partial(_rank, plan)):
            if len(chain.members) > 1 or name in _FOR_ONE:
                TWISTS[name](chain, rng)
        yield made(chain, number, now)


_FOR_ONE = ("validity", "extended key usage", "key usage", "Netscape type", "key", "no names")


def _rank(plan: tuple[str, ...], name: str) -> tuple[bool, int]:
    return name not in _FIRST, plan.index(name)
