"""A certificate is read as it stands: whatever is in it, or wrong with it, is a fact."""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
import warnings

import pytest
from certificate.made import HOST, NOW, der, issued, made, rsa_key, told, with_empty_rdn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from incamail_lib.certificate import link, match_name, read_certificate
from incamail_lib.certificate.reading import MAX_NAMES, is_issued_by, is_self_signed
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.lab import authority, pki
from incamail_lib.lab.authority import KeyKind, Recipe, new_root
from incamail_lib.lab.pki import Variant

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
SUBJECT_ALT_NAME = x509.ObjectIdentifier("2.5.29.17")
LEAF = der(issued().certificate)
VERSION_3 = bytes.fromhex("a003020102")


def read(certificate: x509.Certificate) -> CertificateFacts:
    return read_certificate(der(certificate))


def sha1_root() -> x509.Certificate:
    """A root of the old days: self-signed with SHA-1."""
    root = new_root("Old Root", "Old Authority", NOW, kind=KeyKind.RSA_2048)
    return authority._signed_again_with_sha1(root.certificate, root.key)


def test_a_certificate_is_read_whole() -> None:
    """Names, dates, key, usages, hashes and addresses come out as they were put in."""
    told = read(issued().certificate)
    assert told.problem == ""
    assert told.subject == f"CN={HOST},O=Muster AG (lab),C=CH"
    assert (told.subject_cn, told.subject_o) == ((HOST,), ("Muster AG (lab)",))
    assert told.issuer_cn == ("Lab SwissSign RSA TLS OV ICA (lab)",)
    assert told.issuer_o == ("Lab SwissSign AG (lab)",)
    assert told.san_dns == (HOST,)
    assert (told.sha1, told.sha256) == (
        hashlib.sha1(LEAF).hexdigest(),
        hashlib.sha256(LEAF).hexdigest(),
    )
    assert told.not_before == NOW - dt.timedelta(days=5)
    assert told.lifetime_days == 95
    assert told.key_usage == ("digital_signature",)
    assert told.ext_key_usage == ("serverAuth", "clientAuth")
    assert (told.version, told.is_ca, told.self_signed, told.self_issued) == (
        3,
        False,
        False,
        False,
    )
    assert told.ca_issuers_urls[0].endswith(".crt")
    assert told.crl_urls[0].endswith(".crl")
    assert told.ocsp_urls == ("http://pki.lab.example/ocsp",)
    assert CertificateFacts.model_validate_json(told.model_dump_json()) == told


def test_an_authority_is_told_from_a_leaf() -> None:
    """CA flag, path length and key usage of root and intermediate, and who points to whom."""
    leaf, intermediate = told(issued().chain)
    root = read(pki.build(NOW).roots[0])
    assert (intermediate.is_ca, intermediate.path_length) == (True, 0)
    assert (root.is_ca, root.path_length) == (True, None)
    assert root.key_usage == ("key_cert_sign", "crl_sign")
    assert (root.self_issued, root.self_signed) == (True, True)
    assert not intermediate.self_signed
    assert leaf.authority_key_id == intermediate.subject_key_id != ""


@pytest.mark.parametrize(
    ("key", "kind", "bits", "curve", "digest"),
    [
        (rsa_key(), "RSA", 2048, "", "sha256"),
        (ec.generate_private_key(ec.SECP256R1()), "EC", 256, "secp256r1", "sha256"),
        (ec.generate_private_key(ec.SECP384R1()), "EC", 384, "secp384r1", "sha256"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519", 256, "", ""),
        (ed448.Ed448PrivateKey.generate(), "Ed448", 456, "", ""),
    ],
    ids=["rsa", "p256", "p384", "ed25519", "ed448"],
)
def test_every_kind_of_key_is_named_with_its_length(
    key: object, kind: str, bits: int, curve: str, digest: str
) -> None:
    """A key without a length would count as weak; Edwards schemes have no hash of their own."""
    told = read(made(key))  # type: ignore[arg-type]
    assert (told.key_type, told.key_bits, told.curve) == (kind, bits, curve)
    assert told.signature_hash == digest
    assert told.signature_algorithm not in ("", "Unknown OID")
    assert told.self_signed
    assert len(told.spki_sha256) == 64


@pytest.mark.parametrize(
    ("usages", "server", "client"),
    [
        (None, True, True),
        ((SERVER,), True, False),
        ((CLIENT,), False, True),
        ((ANY,), False, False),
        ((x509.ObjectIdentifier("1.2.3.4"),), False, False),
    ],
    ids=["absent", "server", "client", "any", "other"],
)
def test_extended_key_usage_permits_or_forbids(
    usages: tuple[x509.ObjectIdentifier, ...] | None, server: bool, client: bool
) -> None:
    """No extension means any purpose (RFC 5280 §4.2.1.12); a list means these and no other.

    anyExtendedKeyUsage is neither of the two for OpenSSL's purpose check.
    """
    told = read(made(extensions=[x509.ExtendedKeyUsage(usages)] if usages else []))
    assert (told.ext_key_usage is None) == (usages is None)
    assert (told.allows("serverAuth"), told.allows("clientAuth")) == (server, client)


def test_an_unknown_usage_is_told_by_its_number() -> None:
    """What has no name here is not dropped."""
    told = read(made(extensions=[x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.2.3.4")])]))
    assert told.ext_key_usage == ("1.2.3.4",)


def test_a_sha1_signature_still_links_to_its_issuer() -> None:
    """Who issued a certificate is a fact; that the signature is weak is another one."""
    leaf, intermediate = issued(Variant.SHA1).chain
    facts = read(leaf)
    assert (facts.signature_hash, facts.signature_algorithm) == ("sha1", "sha1WithRSAEncryption")
    assert is_issued_by(leaf, intermediate)
    stranger = new_root("x", "y", NOW, kind=KeyKind.RSA_2048).certificate
    assert not is_issued_by(leaf, stranger)
    forged = der(leaf)[:-1] + bytes([der(leaf)[-1] ^ 1])
    assert not is_issued_by(x509.load_der_x509_certificate(forged), intermediate)


def test_a_sha1_root_counts_as_self_signed() -> None:
    """Old roots are signed with SHA-1; a signature that does not verify makes none."""
    root = sha1_root()
    assert read(root).signature_hash == "sha1"
    assert is_self_signed(root)
    assert read(root).self_signed
    broken = read_certificate(der(root)[:-1] + bytes([der(root)[-1] ^ 1]))
    assert (broken.self_issued, broken.self_signed) == (True, False)


def test_another_key_under_the_same_name_is_not_the_issuer() -> None:
    """A name alone proves nothing: the signature decides."""
    real = new_root("Same Name", "Same", NOW)
    impostor = new_root("Same Name", "Same", NOW)
    leaf = real.issue(Recipe(HOST)).certificate
    assert is_issued_by(leaf, real.certificate)
    assert not is_issued_by(leaf, impostor.certificate)


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "evil\u202e\u2066txt", "a\x00b", "tab\there\r\nBcc: x", "\u200b"],
)
def test_names_lose_what_acts_and_keep_what_reads(name: str) -> None:
    """Bidi marks, NUL and line ends are shown as U+FFFD; markup stays text, to be escaped later."""
    told = read(made(common_name=name, extensions=[alternative(f"{name}.example")]))
    assert told.problem == ""
    expected = "".join("\ufffd" if _acts(c) else c for c in name)
    assert told.subject_cn == (expected,)
    assert told.san_dns == (f"{expected}.example",)
    assert not any(_acts(c) for c in told.subject + told.issuer)


def _acts(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf")


def alternative(*names: str) -> x509.SubjectAlternativeName:
    """A SAN of names as they come, ASCII or not."""
    return x509.SubjectAlternativeName(
        [x509.DNSName._init_without_validation(name) for name in names]
    )


def test_long_names_and_long_lists_are_cut() -> None:
    """10 kB in a name, or thousands of names, do not reach a report; the cut is visible."""
    names = [f"host{n}.example" for n in range(3000)]
    told = read(made(common_name="A" * 10_000, extensions=[alternative("b" * 10_000, *names)]))
    assert told.problem == ""
    assert len(told.subject) <= 500
    assert len(told.subject_cn[0]) <= 300
    assert told.subject_cn[0].endswith("…")
    assert len(told.san_dns) == MAX_NAMES
    assert len(told.san_dns[0]) <= 300


def two_alternative_names() -> bytes:
    """A certificate with the same extension twice, which RFC 5280 §4.2 forbids."""
    other = x509.ObjectIdentifier("2.5.29.18")  # issuerAltName: same length, then renamed
    value = bytes.fromhex("3003820161")
    first = x509.UnrecognizedExtension(SUBJECT_ALT_NAME, value)
    whole = der(made(extensions=[first, x509.UnrecognizedExtension(other, value)]))
    return whole.replace(bytes.fromhex("0603551d12"), bytes.fromhex("0603551d11"))


@pytest.mark.parametrize(
    ("damaged", "problem"),
    [
        (b"", "ValueError"),
        (b"not DER at all", "ValueError"),
        (LEAF[:-10], "ValueError"),
        (LEAF.replace(VERSION_3, VERSION_3[:-1] + b"\x07", 1), "InvalidVersion"),
    ],
    ids=["empty", "text", "cut", "version 8"],
)
def test_what_cannot_be_read_is_named_and_the_rest_is_empty(damaged: bytes, problem: str) -> None:
    """The hashes identify even a damaged certificate; nothing else is made up."""
    told = read_certificate(damaged)
    assert told.problem.startswith(problem)
    assert told.sha256 == hashlib.sha256(damaged).hexdigest()
    assert (told.subject, told.not_after, told.lifetime_days, told.key_type) == ("", None, None, "")
    assert not told.self_signed


BROKEN = bytes.fromhex("ff01")
OIDS = {
    "basic_constraints": x509.BasicConstraints.oid,
    "key_usage": x509.KeyUsage.oid,
    "ext_key_usage": x509.ExtendedKeyUsage.oid,
    "subject_key_id": x509.SubjectKeyIdentifier.oid,
    "authority_key_id": x509.AuthorityKeyIdentifier.oid,
    "timestamps": x509.PrecertificateSignedCertificateTimestamps.oid,
    "authority_information": x509.AuthorityInformationAccess.oid,
    "revocation_lists": x509.CRLDistributionPoints.oid,
    "subject_alt_name": SUBJECT_ALT_NAME,
}
SOUND_USAGE = x509.ExtendedKeyUsage([SERVER, CLIENT])


@pytest.mark.parametrize("part", OIDS)
def test_an_unreadable_extension_costs_its_own_field(part: str) -> None:
    """All others are read as ever; the refused one is named and says nothing."""
    broken = x509.UnrecognizedExtension(OIDS[part], BROKEN)
    others = [e for e in (alternative(HOST), SOUND_USAGE) if e.oid != OIDS[part]]
    told = read(made(extensions=[broken, *others]))
    assert (told.problem, told.unreadable) == ("", (part,))
    assert told.subject == "CN=made.example"
    assert told.self_signed
    assert told.san_dns == (() if part == "subject_alt_name" else (HOST,))
    assert match_name(told, HOST).matched == (part != "subject_alt_name")
    assert read(made(extensions=others)).unreadable == ()


def test_what_restricts_a_certificate_beyond_rfc_5280_is_read() -> None:
    """Netscape's old type and critical extensions that nobody knows, also beside a broken one."""
    netscape = x509.ObjectIdentifier("2.16.840.1.113730.1.1")
    kind = x509.UnrecognizedExtension(netscape, bytes.fromhex("03020640"))
    broken = x509.UnrecognizedExtension(x509.AuthorityInformationAccess.oid, BROKEN)
    for others in ((), (broken,)):
        told = read(made(extensions=[kind, *others]))
        assert (told.ns_cert_type, told.unknown_critical) == (("server",), ())
    assert read(made()).ns_cert_type is None
    odd = read(made(extensions=[x509.UnrecognizedExtension(netscape, BROKEN)]))
    assert (odd.ns_cert_type, odd.unreadable) == (None, ("ns_cert_type",))


def test_an_extension_twice_is_not_read() -> None:
    """Which of the two counts is anybody's guess (RFC 5280 §4.2): the field stays empty."""
    told = read_certificate(two_alternative_names())
    assert (told.problem, told.unreadable, told.san_dns) == ("", ("subject_alt_name",), ())
    assert not match_name(told, "a").matched


def test_a_name_of_an_odd_kind_costs_no_other_name() -> None:
    """An X.400 address and a name in no legible letters stand beside a host, which still counts."""
    host = b"\x82" + bytes([len(HOST)]) + HOST.encode()
    value = bytes.fromhex("a3020500") + host + bytes.fromhex("8202c328")
    odd = x509.UnrecognizedExtension(SUBJECT_ALT_NAME, b"\x30" + bytes([len(value)]) + value)
    told = read(made(extensions=[odd]))
    assert (told.san_dns, told.unreadable) == ((HOST,), ("subject_alt_name",))
    assert match_name(told, HOST).matched
    assert not match_name(told, "other.example").matched


@pytest.mark.parametrize("usage", ["serverAuth", "clientAuth"])
def test_an_unreadable_usage_allows_nothing(usage: str) -> None:
    """Only an absent extension means any purpose; one that cannot be read does not."""
    broken = x509.UnrecognizedExtension(x509.ExtendedKeyUsage.oid, BROKEN)
    assert not read(made(extensions=[broken])).allows(usage)
    assert not read_certificate(b"damaged").allows(usage)
    assert read(made()).allows(usage)


def test_an_unreadable_name_costs_the_name() -> None:
    """What the library refuses is told as it stands; two strangers of that name are no chain."""
    found = [read_certificate(with_empty_rdn()) for _ in range(2)]
    assert found[0].subject == found[0].issuer == "#30023100"
    assert found[0].unreadable == ("subject", "issuer", "self_issued")
    assert (found[0].self_issued, found[0].self_signed, found[0].key_type) == (True, False, "EC")
    assert link(found).unrelated == ("#30023100",)
    assert link(found).missing_issuer == "#30023100"


def test_odd_content_raises_no_warning() -> None:
    """A serial number of zero is odd, not a reason to print warnings into a client's report."""
    whole = der(made(serial=5)).replace(bytes.fromhex("a003020102020105"), VERSION_3 + b"\2\1\0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = read_certificate(whole)
    assert (told.problem, told.serial) == ("", "0")


def still_told(data: bytes) -> CertificateFacts:
    """Read, compare and serialise what a stranger sent."""
    facts = read_certificate(data)
    match_name(facts, HOST)
    assert CertificateFacts.model_validate_json(facts.model_dump_json()) == facts
    texts = (facts.subject, facts.issuer, facts.problem, *facts.san_dns, *facts.subject_cn)
    assert not any(_acts(c) for text in texts for c in text)
    assert all(len(text) <= 500 for text in texts)
    return facts


@given(st.binary(max_size=400))
@settings(max_examples=examples(200), deadline=None)
def test_random_bytes_never_raise(data: bytes) -> None:
    """Whatever a stranger sends in place of a certificate becomes a problem that is told."""
    assert still_told(data).problem


edits = st.lists(
    st.tuples(
        st.integers(0, len(LEAF) - 1),
        st.sampled_from(["set", "cut", "insert"]),
        st.binary(min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=6,
)


@given(edits)
@settings(max_examples=examples(500), deadline=None)
def test_mutated_certificates_never_raise(changes: list[tuple[int, str, bytes]]) -> None:
    """A real certificate with bytes changed, cut out or put in is read, or its problem is told."""
    data = bytearray(LEAF)
    for place, how, piece in changes:
        end = place if how == "insert" else place + len(piece)
        data[place:end] = b"" if how == "cut" else piece
    still_told(bytes(data))


@pytest.mark.parametrize(
    ("variant", "host", "matched"),
    [
        (Variant.BOTH, HOST, True),
        (Variant.BOTH, HOST.upper(), True),
        (Variant.BOTH, f"{HOST}.", True),
        (Variant.BOTH, f"{HOST}..", False),
        (Variant.BOTH, "mx2.muster.example", False),
        (Variant.WILDCARD, HOST, True),
        (Variant.WILDCARD, "a.b.muster.example", False),
        (Variant.WILDCARD, "muster.example", False),
        (Variant.CN_ONLY, HOST, False),
        (Variant.NO_CN, HOST, True),
        (Variant.BOTH, "192.0.2.1", False),
    ],
)
def test_the_alternative_name_alone_decides(variant: Variant, host: str, matched: bool) -> None:
    """A wildcard is one label, and the common name counts for nothing (RFC 9525 §6)."""
    found = match_name(read(issued(variant).certificate), host)
    assert (found.host, found.matched) == (host, matched)
    assert found.presented == read(issued(variant).certificate).san_dns


def test_an_address_is_matched_with_addresses_only() -> None:
    """An address literal needs an address in the certificate, v4 or v6."""
    recipe = Recipe("x", addresses=("192.0.2.1", "2001:db8::1"))
    leaf = read(pki.build(NOW).issuing.issue(recipe).certificate)
    assert leaf.san_ip == ("192.0.2.1", "2001:db8::1")
    assert match_name(leaf, "192.0.2.1").matched
    assert match_name(leaf, "2001:db8::1").matched
    assert not match_name(leaf, "192.0.2.2").matched
    assert not match_name(read_certificate(b"damaged"), "192.0.2.1").matched


@pytest.mark.parametrize("odd", ["192.0.2.1", "*.*.example", "a\0b", ""])
def test_an_odd_name_spoils_no_other(odd: str) -> None:
    """Appliances write their address as a name; the host name beside it is still matched."""
    leaf = read(made(extensions=[alternative(odd, HOST)]))
    assert match_name(leaf, HOST).matched
    assert not match_name(leaf, "mx2.muster.example").matched
    assert not match_name(read(made(extensions=[alternative(odd)])), "192.0.2.1").matched


def test_a_service_without_a_name_is_no_crash() -> None:
    """An empty SRV name (RFC 4985) beside the host name."""
    empty = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.7"), bytes.fromhex("1600"))
    names = x509.SubjectAlternativeName([empty, x509.DNSName(HOST)])
    assert match_name(read(made(extensions=[names])), HOST).matched
