"""The path is judged as the peer's library will: each fault by its reason, and its absence passes.

Many cases are rebuilt after C2SP/x509-limbo (named in brackets). The openssl program is asked the
same wherever it is on the machine, and must refuse what we refuse.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from differential import program
from differential.chains import DAY, HOST, SECOND, Case, Chain, Member, made, sound
from differential.judged import judged, why_stricter
from differential.making import key

from incamail_lib.certificate import read_certificate
from incamail_lib.certificate.stores import TrustStore
from incamail_lib.certificate.trust import judge_trust
from incamail_lib.checks.words import told_trust, trust_remedy
from incamail_lib.facts.certificate import Reservation, TrustFacts, TrustReason

NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)
R = TrustReason
LEAF, ICA, ROOT = 0, 1, 2
Spoil = Callable[[list[Member], Chain], object]
BOTH = ("serverAuth", "clientAuth")


def case(spoil: Spoil | None = None, *, depth: int = 1) -> Case:
    """A sound chain of P-256 keys: leaf, intermediates, root; spoilt in one place."""
    chain = sound(random.Random(0), 0, depth, ("p256",))
    chain.members[LEAF].eku = (Eku.SERVER_AUTH, Eku.CLIENT_AUTH)
    if spoil is not None:
        spoil(chain.members, chain)
    return made(chain, 0, NOW)


def change(place: int, **changes: object) -> Spoil:
    """Set fields of one member."""

    def spoil(members: list[Member], _: Chain) -> None:
        for name, value in changes.items():
            setattr(members[place], name, value)

    return spoil


def name_of(place: int) -> str:
    return f"CN={('leaf 0', 'ica 0.1', 'root 0')[place]}"


def constrained(*, permitted: Sequence[str] = (), excluded: Sequence[str] = ()) -> Spoil:
    trees = [[x509.DNSName(n) for n in names] or None for names in (permitted, excluded)]
    return change(ICA, constraints=(x509.NameConstraints(*trees), True))


def of_address(network: str) -> Spoil:
    tree = [x509.IPAddress(ipaddress.ip_network(network))]
    return change(ICA, constraints=(x509.NameConstraints(None, tree), True))


def without_root(_: list[Member], chain: Chain) -> None:
    chain.anchors.clear()
    stranger = Member("another root", key("p256", 9), True, ("key_cert_sign",), end=400 * DAY)
    chain.extra_anchors.append(stranger)


def without_intermediate(_: list[Member], chain: Chain) -> None:
    chain.sent.remove(ICA)


def self_signed(members: list[Member], chain: Chain) -> None:
    leaf = members[LEAF]
    leaf.signer, leaf.issuer, leaf.identifiers = leaf.key, leaf.name, False
    chain.sent[:] = [LEAF]


def replaced_intermediate(members: list[Member], chain: Chain) -> None:
    """The file holds the predecessor: the same name, another key (case 09)."""
    old = Member(members[ICA].name, key("p256", 8), True, ("key_cert_sign",))
    chain.extras.append((old, members[ROOT]))
    chain.sent.remove(ICA)


def replaced_without_identifiers(members: list[Member], chain: Chain) -> None:
    """As above; no key identifier betrays it, only the signature does."""
    members[LEAF].identifiers = False
    replaced_intermediate(members, chain)


Fault = tuple[str, Spoil, TrustReason, int | None, tuple[str, ...]]


def restricted(name: str, place: int, usage: x509.ObjectIdentifier, refused: str) -> Fault:
    """An extended key usage at one place, and the purpose that it forbids."""
    spoil = change(place, eku=(usage,))
    return f"{name} at {place}", spoil, R.WRONG_PURPOSE, place, (refused,)


SPOILT: list[Fault] = [
    ("ended intermediate [expired-intermediate]", change(ICA, end=-DAY), R.EXPIRED, ICA, BOTH),
    ("ended root [expired-root]", change(ROOT, end=-DAY), R.EXPIRED, ROOT, BOTH),
    ("ended leaf [expired-leaf]", change(LEAF, end=-DAY), R.EXPIRED, LEAF, BOTH),
    ("a second too late", change(LEAF, end=-SECOND), R.EXPIRED, LEAF, BOTH),
    ("intermediate not yet", change(ICA, start=DAY), R.NOT_YET_VALID, ICA, BOTH),
    ("a second too early", change(LEAF, start=SECOND), R.NOT_YET_VALID, LEAF, BOTH),
    ("root not yet", change(ROOT, start=DAY), R.NOT_YET_VALID, ROOT, BOTH),
    (
        *("any EKU [ee-anyeku]", change(LEAF, eku=(Eku.ANY_EXTENDED_KEY_USAGE,))),
        *(R.WRONG_PURPOSE, LEAF, BOTH),
    ),
    (
        *("other EKU [ee-wrong-eku]", change(LEAF, eku=(Eku.EMAIL_PROTECTION,))),
        *(R.WRONG_PURPOSE, LEAF, BOTH),
    ),
    *(
        restricted("server only", place, Eku.SERVER_AUTH, "clientAuth")
        for place in (LEAF, ICA, ROOT)
    ),
    *(
        restricted("client only", place, Eku.CLIENT_AUTH, "serverAuth")
        for place in (LEAF, ICA, ROOT)
    ),
    ("Netscape server", change(LEAF, netscape=0x40), R.WRONG_PURPOSE, LEAF, ("clientAuth",)),
    ("Netscape client", change(LEAF, netscape=0x80), R.WRONG_PURPOSE, LEAF, ("serverAuth",)),
    ("Netscape CA", change(LEAF, netscape=0x04), R.WRONG_PURPOSE, LEAF, BOTH),
    (
        *("enciphers only", change(LEAF, usage=("key_encipherment",))),
        *(R.WRONG_PURPOSE, LEAF, BOTH),  # an elliptic curve cannot encipher
    ),
    (
        "enciphers only, RSA (case 03)",
        change(LEAF, usage=("key_encipherment",), key=key("rsa2048", 5)),
        *(R.WRONG_PURPOSE, LEAF, ("clientAuth",)),
    ),
    (
        "signs certificates only",
        change(LEAF, usage=("key_cert_sign",)),
        R.WRONG_PURPOSE,
        LEAF,
        BOTH,
    ),
    ("empty key usage", change(LEAF, usage=()), R.MALFORMED, LEAF, BOTH),  # OpenSSL reads none
    ("agrees only", change(LEAF, usage=("key_agreement",)), R.WRONG_PURPOSE, LEAF, BOTH),
    (
        *("issuer is no CA [intermediate-ca-without-ca-bit]", change(ICA, ca=False)),
        *(R.NOT_AN_AUTHORITY, ICA, BOTH),
    ),
    (
        *("no basic constraints", change(ICA, ca=None, usage=None)),
        *(R.NOT_AN_AUTHORITY, ICA, BOTH),
    ),
    (
        *("issuer may not sign [ica-ku-keycertsign]", change(ICA, usage=("digital_signature",))),
        *(R.NOT_AN_AUTHORITY, ICA, BOTH),
    ),
    ("version 1 intermediate [v1-cert]", change(ICA, version=1), R.NOT_AN_AUTHORITY, ICA, BOTH),
    ("root's path length", change(ROOT, path_length=0), R.PATH_LENGTH, ROOT, BOTH),
    (
        *("another name [permitted-dns-mismatch]", constrained(permitted=("other.example",))),
        *(R.NAME_CONSTRAINTS, LEAF, BOTH),
    ),
    (
        *("name excluded [excluded-dns-match]", constrained(excluded=("muster.example",))),
        *(R.NAME_CONSTRAINTS, LEAF, BOTH),
    ),
    (
        *("address excluded [excluded-ipv4-match]", of_address("192.0.2.0/24")),
        *(R.NAME_CONSTRAINTS, LEAF, BOTH),
    ),
    *(
        (f"critical at {place}", change(place, unknown=True), R.UNKNOWN_CRITICAL, place, BOTH)
        for place in (LEAF, ICA, ROOT)
    ),
    ("leaf's signature broken", change(LEAF, broken=True), R.BAD_SIGNATURE, LEAF, BOTH),
    ("intermediate's broken", change(ICA, broken=True), R.BAD_SIGNATURE, ICA, BOTH),
    ("replaced intermediate", replaced_intermediate, R.ISSUER_KEY_DIFFERS, ICA, BOTH),
    ("replaced, no identifiers", replaced_without_identifiers, R.ISSUER_KEY_DIFFERS, ICA, BOTH),
    ("root not in the store [chain-untrusted-root]", without_root, R.UNKNOWN_ROOT, None, BOTH),
    ("intermediate not sent", without_intermediate, R.UNKNOWN_ROOT, None, BOTH),
    ("self-signed", self_signed, R.SELF_SIGNED, LEAF, BOTH),
    ("SHA-1 at the leaf", change(LEAF, digest="sha1"), R.WEAK, LEAF, BOTH),
    ("SHA-1 at the intermediate", change(ICA, digest="sha1"), R.WEAK, ICA, BOTH),
    ("SHA-3", change(LEAF, digest="sha3-256"), R.UNUSUAL, LEAF, BOTH),
    ("P-224", change(LEAF, key=key("p224", 5)), R.UNUSUAL, LEAF, BOTH),
    ("secp256k1", change(LEAF, key=key("k256", 5)), R.UNUSUAL, LEAF, BOTH),
    ("brainpool", change(LEAF, key=key("bp256", 5)), R.UNUSUAL, LEAF, BOTH),
]


@pytest.mark.parametrize(
    ("spoil", "reason", "place", "refused"), [s[1:] for s in SPOILT], ids=[s[0] for s in SPOILT]
)
@pytest.mark.parametrize("purpose", BOTH)
def test_each_fault_has_its_reason_and_its_culprit(
    spoil: Spoil, reason: TrustReason, place: int | None, refused: tuple[str, ...], purpose: str
) -> None:
    """For the purpose that it forbids; the other one is accepted, and so is the chain unspoilt."""
    assert judged(case(), purpose, NOW).reason is R.TRUSTED
    found = judged(case(spoil), purpose, NOW)
    if purpose not in refused:
        assert found.reason is R.TRUSTED
        return
    assert (found.trusted.is_no, found.reason) == (True, reason)
    if place is not None:
        assert found.culprit is not None
        assert (found.culprit.name, found.detail) == (name_of(place), name_of(place))
    assert found.detail in told_trust(found).english()


@pytest.mark.tool("openssl")
def test_openssl_refuses_them_as_well(tmp_path: Path) -> None:
    """All but those which a rule of TLS forbids, and none that we accept."""
    for number, (name, spoil, *_) in enumerate(SPOILT):
        one, folder = case(spoil), tmp_path / str(number)
        folder.mkdir()
        program.write([one], folder)
        for purpose in BOTH:
            error = program.verdicts([one], folder, purpose=purpose, level=1, now=NOW)[0]
            found = judged(one, purpose, NOW)
            assert bool(error) == found.trusted.is_no or why_stricter(found, one), (name, error)


HARMLESS: list[tuple[str, Spoil]] = [
    ("no EKU at all [ee-without-eku]", change(LEAF, eku=None)),
    ("critical EKU [ee-critical-eku]", change(LEAF, eku_critical=True)),
    ("both on the root [root-has-eku]", change(ROOT, eku=(Eku.SERVER_AUTH, Eku.CLIENT_AUTH))),
    ("no key usage [no-keyusage]", change(LEAF, usage=None)),
    ("no basic constraints [no-basicconstraints]", change(LEAF, ca=None)),
    ("path length that suffices [ee-with-intermediate-pathlen-0]", change(ICA, path_length=0)),
    ("unknown extension, not critical", change(LEAF, unknown=False)),
    ("its own name permitted [permitted-dns-match]", constrained(permitted=("muster.example",))),
    ("another name excluded", constrained(excluded=("other.example",))),
    ("no key identifiers [leaf-missing-aki]", change(LEAF, identifiers=False)),
    ("none on the root [root-missing-ski]", change(ROOT, identifiers=False)),
    ("root's own SHA-1", change(ROOT, digest="sha1", key=key("rsa2048", 7))),
    ("version 1 root", change(ROOT, version=1)),
    ("begins this second [notbefore-exact]", change(LEAF, start=dt.timedelta())),
    ("ends in a second", change(LEAF, end=SECOND)),
    ("Ed25519", change(LEAF, key=key("ed25519", 5))),
    ("P-521", change(LEAF, key=key("p521", 5))),
    ("SHA-224", change(LEAF, digest="sha224")),
    ("gated cryptography", change(ICA, eku=(Eku.SERVER_AUTH, Eku.CLIENT_AUTH))),
    ("root sent along", lambda _, chain: chain.sent.append(ROOT)),
    ("order reversed", lambda _, chain: chain.sent.extend([ROOT, chain.sent.pop()])),
]


@pytest.mark.parametrize("spoil", [h[1] for h in HARMLESS], ids=[h[0] for h in HARMLESS])
@pytest.mark.parametrize("purpose", BOTH)
def test_what_openssl_takes_is_trusted_without_reserve(spoil: Spoil, purpose: str) -> None:
    """Odd is not wrong: at level 2, and no other library objects."""
    found = judged(case(spoil), purpose, NOW)
    assert (found.reason, found.security_level, found.reserved) == (R.TRUSTED, 2, ())
    assert found.complete


def reserved(found: TrustFacts) -> list[tuple[Reservation, str]]:
    return [(r.reason, r.name) for r in found.reserved]


@pytest.mark.parametrize("place", [LEAF, ICA, ROOT])
@pytest.mark.parametrize("kind", ["rsa1024", "rsa1536"])
def test_what_only_level_2_refuses_is_trusted_and_said(place: int, kind: str) -> None:
    """The weak member is named, anchor included; RSA 2048 has nothing to be named for."""
    found = judged(case(change(place, key=key(kind, 6))), "serverAuth", NOW)
    assert (found.reason, found.security_level) == (R.TRUSTED, 1)
    assert reserved(found) == [(Reservation.LEVEL_2, name_of(place))]
    assert "Debian" in told_trust(found).english()
    sound_one = judged(case(change(place, key=key("rsa2048", 6))), "serverAuth", NOW)
    assert (sound_one.security_level, sound_one.reserved) == (2, ())


def test_what_other_libraries_refuse_is_said() -> None:
    """GnuTLS and others: an authority's odd curve, a server that does not sign, a CA as leaf."""
    curve = judged(case(change(ICA, key=key("k256", 6))), "serverAuth", NOW)
    assert reserved(curve) == [(Reservation.UNUSUAL_AUTHORITY_KEY, name_of(ICA))]
    mute = change(LEAF, usage=("key_encipherment",), key=key("rsa2048", 5))
    assert reserved(judged(case(mute), "serverAuth", NOW)) == [
        (Reservation.NO_SIGNING, name_of(LEAF))
    ]
    authority = judged(case(change(LEAF, ca=True)), "clientAuth", NOW)
    assert reserved(authority) == [(Reservation.AUTHORITY_AS_LEAF, name_of(LEAF))]
    assert authority.reason is R.TRUSTED


def test_identifiers_that_contradict_each_other_are_told() -> None:
    """The leaf names another key than its issuer has, although that issuer signed it."""

    def contradictory(members: list[Member], _: Chain) -> None:
        members[ICA].identifiers_of = key("p256", 8)

    found = judged(case(contradictory), "serverAuth", NOW)
    assert (found.reason, found.detail) == (R.ISSUER_KEY_DIFFERS, name_of(ICA))


def test_a_store_with_a_gap_of_its_own_is_told_what_it_lacks() -> None:
    """An intermediate in the store takes the path there; all above it must be there as well."""

    def gap(_: list[Member], chain: Chain) -> None:
        chain.anchors = [1, 3]

    found = judged(case(gap, depth=2), "serverAuth", NOW)
    assert (found.reason, found.detail) == (R.UNKNOWN_ROOT, "CN=ica 0.2")


def test_a_leaf_directly_below_the_root_is_complete() -> None:
    """There is no intermediate that could be missing."""

    def direct(members: list[Member], chain: Chain) -> None:
        del members[1:-1]
        chain.sent, chain.anchors = [0], [1]

    found = judged(case(direct), "clientAuth", NOW)
    assert (found.reason, len(found.members)) == (R.TRUSTED, 2)


def test_what_is_not_on_the_path_is_not_judged() -> None:
    """An ended cross-signed certificate and a stranger of SHA-1 lie in the file; nobody minds."""

    def crowded(members: list[Member], chain: Chain) -> None:
        old = Member("old root", key("p256", 9), True, ("key_cert_sign",), end=-DAY)
        cross = Member(members[ROOT].name, members[ROOT].key, True, ("key_cert_sign",), end=-DAY)
        stranger = Member("stranger", key("rsa1024", 9), True, None, digest="sha1")
        chain.extras += [(cross, old), (stranger, stranger)]

    found = judged(case(crowded), "serverAuth", NOW)
    assert (found.reason, found.reserved) == (R.TRUSTED, ())
    assert [m.name for m in found.members] == [name_of(n) for n in (LEAF, ICA, ROOT)]


def test_path_length_counts_authorities() -> None:
    """Zero below the upper of two intermediates; the same number above the lower one is enough."""
    upper = judged(case(change(2, path_length=0), depth=2), "serverAuth", NOW)
    assert (upper.reason, upper.detail) == (R.PATH_LENGTH, "CN=ica 0.2")
    assert judged(case(change(1, path_length=0), depth=2), "serverAuth", NOW).reason is R.TRUSTED


def test_a_refused_chain_still_tells_its_members() -> None:
    """An ended path is known up to its anchor; without an anchor as far as the file leads."""
    ended = judged(case(change(ICA, end=-DAY)), "serverAuth", NOW)
    assert (len(ended.members), ended.complete) == (3, True)
    unknown = judged(case(without_root), "serverAuth", NOW)
    assert ([m.name for m in unknown.members], unknown.complete) == (
        [name_of(LEAF), name_of(ICA)],
        False,
    )


def test_the_unknown_extension_is_named() -> None:
    """Its number helps the authority to find it."""
    found = judged(case(change(LEAF, unknown=True)), "serverAuth", NOW)
    assert "1.3.6.1.4.1.32473.1" in told_trust(found).english()


def test_every_refusal_has_words_and_a_remedy_of_its_own() -> None:
    """Those without one here have it in the check of their direction."""
    depends = {R.TRUSTED, R.UNKNOWN_ROOT, R.SELF_SIGNED, R.STORE_UNREADABLE}
    remedies = {reason: trust_remedy(reason) for reason in R}
    assert {reason for reason, remedy in remedies.items() if remedy is None} == depends
    texts = [remedy.english() for remedy in remedies.values() if remedy]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("hours", [-11, 0, 5, 14])
def test_the_same_moment_in_another_zone_is_judged_alike(hours: int) -> None:
    """A second before and after the end, as told by clocks around the world."""
    zone = dt.timezone(dt.timedelta(hours=hours))
    one = case(change(ICA, end=DAY))
    before, after = (NOW + DAY - SECOND).astimezone(zone), (NOW + DAY + SECOND).astimezone(zone)
    assert judged(one, "serverAuth", before).reason is R.TRUSTED
    assert judged(one, "serverAuth", after).reason is R.EXPIRED


def test_a_leaf_without_a_subject_is_still_named() -> None:
    """Some authorities leave the subject empty: its first alternative name stands for it."""
    found = judged(case(change(LEAF, name="", end=-DAY)), "serverAuth", NOW)
    assert (found.reason, found.detail) == (R.EXPIRED, HOST)


def test_a_store_that_cannot_be_read_still_tells_the_path_of_the_file() -> None:
    """Nothing is accepted; what the file itself shows can be judged."""
    store = TrustStore("system", problem="no bundle of roots")
    chain = [read_certificate(der) for der in case().chain]
    found = judge_trust(chain, store, purpose="serverAuth", now=NOW)
    assert (found.trusted.is_yes, found.complete, len(found.members)) == (False, False, 2)
