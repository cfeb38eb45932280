"""Parts of certificates, stores and OpenSSL's answers: every entry of a table, both ways."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
from pathlib import Path
from typing import Any

import pytest
from certificate.made import NOW, der, issued, made, rsa_key, told
from cryptography import x509
from cryptography.hazmat.bindings.openssl.binding import Binding
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID as Use

from incamail_lib.certificate import der as parts
from incamail_lib.certificate import distribution, link, read_certificate, stores
from incamail_lib.certificate.credential import foreign_credential, needs_passphrase
from incamail_lib.certificate.path import NO_ISSUER, OPEN_STORE, REASONS, REJECTED, SIGNATURE
from incamail_lib.certificate.purpose import hindering
from incamail_lib.certificate.reading import is_issued_by
from incamail_lib.certificate.stores import file_store, windows_store
from incamail_lib.certificate.trust import judge_trust
from incamail_lib.certificate.trusted import rejected_purposes
from incamail_lib.errors import MaterialError
from incamail_lib.facts.certificate import CertificateFacts, TrustReason
from incamail_lib.lab import pki
from incamail_lib.lab.authority import new_root, pem_of

LAB = pki.build(NOW)
ROOT = LAB.roots[0]


def read(*extensions: x509.ExtensionType, key: Any = None) -> CertificateFacts:
    return read_certificate(der(made(key, extensions=extensions)))


@pytest.mark.parametrize(
    ("oid", "name"),
    [
        (Use.SERVER_AUTH, "serverAuth"),
        (Use.CLIENT_AUTH, "clientAuth"),
        (Use.EMAIL_PROTECTION, "emailProtection"),
        (Use.CODE_SIGNING, "codeSigning"),
        (Use.TIME_STAMPING, "timeStamping"),
        (Use.OCSP_SIGNING, "OCSPSigning"),
        (Use.ANY_EXTENDED_KEY_USAGE, "anyExtendedKeyUsage"),
    ],
)
def test_each_purpose_has_the_name_that_openssl_gives_it(
    oid: x509.ObjectIdentifier, name: str
) -> None:
    """As an administrator finds it in a certificate's text."""
    assert read(x509.ExtendedKeyUsage([oid])).ext_key_usage == (name,)


USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign"),
)


@pytest.mark.parametrize("usage", USAGES)
def test_each_usage_of_a_key_is_read(usage: str) -> None:
    """It alone, and no other; none at all is an empty list, which differs from no extension."""
    flags = dict.fromkeys((*USAGES, "encipher_only", "decipher_only"), False)
    assert read(x509.KeyUsage(**flags | {usage: True})).key_usage == (usage,)
    assert read(x509.KeyUsage(**dict.fromkeys(flags, True))).key_usage == USAGES
    assert read().key_usage is None


@pytest.mark.parametrize(
    ("bits", "types"),
    [
        ("03020780", ("client",)),
        ("03020640", ("server",)),
        ("03020520", ("email",)),
        ("03020410", ("objsign",)),
        ("03020308", ("reserved",)),
        ("03020204", ("sslCA",)),
        ("03020102", ("emailCA",)),
        ("03020001", ("objCA",)),
        ("030206c0", ("client", "server")),
        ("030100", ()),
    ],
)
def test_each_bit_of_the_netscape_type_is_read(bits: str, types: tuple[str, ...]) -> None:
    """OpenSSL still obeys it: one bit, one use."""
    oid = x509.ObjectIdentifier("2.16.840.1.113730.1.1")
    found = read(x509.UnrecognizedExtension(oid, bytes.fromhex(bits)))
    assert (found.ns_cert_type, found.unreadable) == (types, ())


@pytest.mark.parametrize("odd", ["0302064000", "04020640", "0303064000", "02020640", "0300"])
def test_another_shape_of_the_netscape_type_is_not_read(odd: str) -> None:
    """No bit string, or one too long: named as unreadable, and allows nothing."""
    oid = x509.ObjectIdentifier("2.16.840.1.113730.1.1")
    found = read(x509.UnrecognizedExtension(oid, bytes.fromhex(odd)))
    assert found.ns_cert_type is None or odd == "0303064000"
    assert ("ns_cert_type" in found.unreadable) is (found.ns_cert_type is None)


def test_alternative_names_are_kept_by_their_kind() -> None:
    """Hosts, addresses and mailboxes apart."""
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("a.example"),
            x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
            x509.RFC822Name("a@b.example"),
            x509.DNSName("b.example"),
        ]
    )
    found = read(names)
    assert found.san_dns == ("a.example", "b.example")
    assert found.san_ip == ("192.0.2.1",)
    assert found.san_email == ("a@b.example",)


def test_places_of_issuer_and_revocation_are_kept_apart_and_bounded() -> None:
    """Ten of each at most; what is not said is empty."""
    described = [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(f"http://{n}.{kind}"))
        for kind, method in (("ca", Access.CA_ISSUERS), ("ocsp", Access.OCSP))
        for n in range(11)
    ]
    point = x509.DistributionPoint(
        [x509.UniformResourceIdentifier(f"http://{n}.crl") for n in range(11)], None, None, None
    )
    relative = x509.DistributionPoint(
        None,
        x509.RelativeDistinguishedName([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relative")]),
        None,
        None,
    )
    found = read(
        x509.AuthorityInformationAccess(described), x509.CRLDistributionPoints([relative, point])
    )
    assert found.ca_issuers_urls == tuple(f"http://{n}.ca" for n in range(10))
    assert found.ocsp_urls == tuple(f"http://{n}.ocsp" for n in range(10))
    assert found.crl_urls == tuple(f"http://{n}.crl" for n in range(10))
    assert (read().ca_issuers_urls, read().ocsp_urls, read().crl_urls) == ((), (), ())


def test_key_identifiers_are_told_in_hexadecimal() -> None:
    """Own and issuer's; an issuer's identifier without its key part is empty."""
    found = read(
        x509.SubjectKeyIdentifier(b"\1\xab"), x509.AuthorityKeyIdentifier(b"\2\xcd", None, None)
    )
    assert (found.subject_key_id, found.authority_key_id) == ("01ab", "02cd")
    assert (read().subject_key_id, read().authority_key_id) == ("", "")


def test_a_dsa_key_is_named_with_its_length() -> None:
    """Nobody should use one, so it must be recognised."""
    key = dsa.generate_private_key(1024)
    found = read(key=key)
    assert (found.key_type, found.key_bits, found.curve) == ("DSA", 1024, "")


def sha1_pair(key: Any, other: Any = None) -> tuple[x509.Certificate, x509.Certificate]:
    """A certificate signed with SHA-1 by the key, and the issuer's own certificate."""
    issuer = made(key, common_name="issuer")
    own = ec.generate_private_key(ec.SECP256R1())
    built = (
        x509.CertificateBuilder()
        .subject_name(made(own, common_name="leaf").subject)
        .issuer_name(issuer.subject)
        .public_key(own.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + dt.timedelta(days=9))
    )
    return built.sign(other or key, hashes.SHA256()), issuer


def with_sha1(certificate: x509.Certificate, key: Any) -> x509.Certificate:
    """The same certificate, signed anew with ECDSA and SHA-1, which the library does not sign."""
    body, algorithm, _ = parts.elements(parts.content(der(certificate)))
    named = parts.wrapped(0x30, parts.identifier("1.2.840.10045.4.1"))  # ecdsa-with-SHA1
    changed = parts.wrapped(0x30, parts.content(body).replace(algorithm, named))
    signed = parts.wrapped(0x03, b"\0" + key.sign(changed, ec.ECDSA(hashes.SHA1())))
    return x509.load_der_x509_certificate(parts.wrapped(0x30, changed + named + signed))


def test_a_sha1_signature_by_an_ec_key_is_verified() -> None:
    """Made by this key: issued. By another key under the same name: not, and nor by RSA's."""
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    plain, issuer = sha1_pair(key)
    signed = with_sha1(plain, key)
    assert is_issued_by(signed, issuer)
    assert not is_issued_by(with_sha1(plain, other), issuer)
    assert not is_issued_by(signed, made(other, common_name="issuer"))
    assert not is_issued_by(signed, made(rsa_key(), common_name="issuer"))
    assert not is_issued_by(signed, made(key, common_name="somebody else"))


def test_a_newer_signature_is_not_tried_as_sha1() -> None:
    """Only what says SHA-1 is verified with it; a forged SHA-256 signature stays forged."""
    key = ec.generate_private_key(ec.SECP256R1())
    plain, issuer = sha1_pair(key)
    assert is_issued_by(plain, issuer)
    body, algorithm, _ = parts.elements(parts.content(der(plain)))
    sha1 = parts.wrapped(0x03, b"\0" + key.sign(body, ec.ECDSA(hashes.SHA1())))
    forged = x509.load_der_x509_certificate(parts.wrapped(0x30, body + algorithm + sha1))
    assert not is_issued_by(forged, issuer)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
def test_elements_of_der_are_wrapped_and_read_whatever_their_length(size: int) -> None:
    """Short and long lengths, one behind the other."""
    inner = b"x" * size
    whole = parts.wrapped(0x04, inner)
    assert parts.content(whole) == inner
    assert parts.first(whole + b"more") == whole
    long = size.to_bytes((size.bit_length() + 7) // 8)
    header = bytes((4, size)) if size < 128 else bytes((4, 0x80 | len(long))) + long
    assert whole[: len(header)] == header  # the shortest form, as X.690 §10.1 wants it
    assert parts.elements(whole + whole) == [whole, whole]


@pytest.mark.parametrize("damaged", ["", "30", "3080", "1f00", "300201", "30820001"])
def test_what_is_no_element_of_der_is_an_error(damaged: str) -> None:
    """Too short, without an end, of a long tag, or longer than its data."""
    with pytest.raises(ValueError, match="element"):
        parts.first(bytes.fromhex(damaged))


@pytest.mark.parametrize(
    ("dotted", "element"),
    [
        ("2.5.29.17", "0603551d11"),
        ("1.2.840.113549", "06062a864886f70d"),
        ("2.5.29.37.0", "0604551d2500"),
        ("1.2.128.127", "06042a81007f"),
    ],
)
def test_an_object_identifier_is_written_as_x690_says(dotted: str, element: str) -> None:
    """Seven bits to the octet, the highest bit on all but the last."""
    assert parts.identifier(dotted).hex() == element


# X509_V_ERR_* -> how OpenSSL says it, and what it means for the chain.
SAID: dict[int, tuple[str, TrustReason]] = {
    9: ("not yet valid", TrustReason.NOT_YET_VALID),
    10: ("has expired", TrustReason.EXPIRED),
    13: ("format error in certificate's notBefore", TrustReason.MALFORMED),
    14: ("format error in certificate's notAfter", TrustReason.MALFORMED),
    18: ("self-signed certificate", TrustReason.SELF_SIGNED),
    25: ("path length", TrustReason.PATH_LENGTH),
    26: ("purpose", TrustReason.WRONG_PURPOSE),
    32: ("certificate signing", TrustReason.NOT_AN_AUTHORITY),
    34: ("unhandled critical extension", TrustReason.UNKNOWN_CRITICAL),
    37: ("invalid non-CA", TrustReason.NOT_AN_AUTHORITY),
    41: ("inconsistent certificate extension", TrustReason.MALFORMED),
    47: ("permitted subtree", TrustReason.NAME_CONSTRAINTS),
    48: ("excluded subtree", TrustReason.NAME_CONSTRAINTS),
    49: ("constraints minimum and maximum", TrustReason.NAME_CONSTRAINTS),
    51: ("name constraint", TrustReason.NAME_CONSTRAINTS),
    52: ("name constraint syntax", TrustReason.NAME_CONSTRAINTS),
    53: ("name syntax", TrustReason.NAME_CONSTRAINTS),
    66: ("key too weak", TrustReason.WEAK),
    67: ("key too weak", TrustReason.WEAK),
    68: ("digest", TrustReason.WEAK),
    76: ("cannot find certificate signature algorithm", TrustReason.UNUSUAL),
    79: ("invalid CA", TrustReason.NOT_AN_AUTHORITY),
}


def words(code: int) -> str:
    said = Binding.lib.X509_verify_cert_error_string(code)
    return str(Binding.ffi.string(said).decode()).lower()


def test_openssls_errors_mean_what_openssl_says() -> None:
    """Numbers are held to OpenSSL's own words, so that none is taken for another."""
    assert {code: reason for code, (_, reason) in SAID.items()} == REASONS
    for code, (said, _) in SAID.items():
        assert said.lower() in words(code), (code, words(code))
    assert all("signature" in words(code) for code in SIGNATURE)
    assert len(SIGNATURE) == 2
    assert {code: "issuer" in words(code) or "first" in words(code) for code in NO_ISSUER} == (
        dict.fromkeys((20, 21), True) | {19: "self-signed" not in words(19)}
    )
    assert "issuer" in words(OPEN_STORE)
    assert words(REJECTED) == "certificate rejected"


SERVER, CLIENT = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"
ANY, EMAIL = "2.5.29.37.0", "1.3.6.1.5.5.7.3.4"


def settings(*, trusted: tuple[str, ...] = (), rejected: tuple[str, ...] = ()) -> bytes:
    """A certificate with the trust settings that OpenSSL writes behind it."""
    inner = b""
    if trusted:
        inner += parts.wrapped(0x30, b"".join(map(parts.identifier, trusted)))
    if rejected:
        inner += parts.wrapped(0xA0, b"".join(map(parts.identifier, rejected)))
    return der(ROOT) + parts.wrapped(0x30, inner)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({}, set()),
        ({"trusted": (SERVER,)}, {"clientAuth"}),
        ({"trusted": (CLIENT,)}, {"serverAuth"}),
        ({"trusted": (SERVER, CLIENT)}, set()),
        ({"trusted": (EMAIL,)}, {"serverAuth", "clientAuth"}),
        ({"trusted": (ANY,)}, set()),
        ({"rejected": (SERVER,)}, {"serverAuth"}),
        ({"rejected": (ANY,)}, {"serverAuth", "clientAuth"}),
        ({"rejected": (EMAIL,)}, set()),
        ({"trusted": (SERVER,), "rejected": (SERVER,)}, {"serverAuth", "clientAuth"}),
    ],
)
def test_trust_settings_exclude_what_they_say(given: dict[str, Any], refused: set[str]) -> None:
    """What is rejected, and where some uses are trusted, every other one."""
    assert rejected_purposes(settings(**given)) == refused
    assert rejected_purposes(der(ROOT)) == set()


def test_a_store_that_rejects_a_purpose_trusts_for_the_other(tmp_path: Path) -> None:
    """The anchor is found, and its settings decide for each purpose by itself."""
    file = tmp_path / "root.pem"
    body = settings(trusted=(SERVER,))
    block = pem_of([ROOT]).replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE").splitlines()
    text = base64.encodebytes(body)
    file.write_bytes(block[0] + b"\n" + text + block[-1] + b"\n")
    store = file_store(file)
    chain = told(issued().chain)
    answers = {
        p: judge_trust(chain, store, purpose=p, now=NOW) for p in ("serverAuth", "clientAuth")
    }
    assert answers["serverAuth"].trusted.is_yes
    assert not answers["clientAuth"].trusted.is_yes
    assert answers["clientAuth"].reason is not TrustReason.UNKNOWN_ROOT


def test_a_file_that_cannot_be_opened_is_told_with_its_reason(tmp_path: Path) -> None:
    """Why, and which one."""
    with pytest.raises(MaterialError, match="no such file") as error:
        file_store(tmp_path / "missing.pem")
    assert "missing.pem" in str(error.value)


def test_a_store_of_windows_tells_why_it_cannot_be_read() -> None:
    """The system's words, or the kind of the error where it has none."""

    def denied(_: str) -> Any:
        raise PermissionError(13, "Permission denied")

    def silent(_: str) -> Any:
        raise PermissionError

    assert windows_store(denied).problem == "Windows: Permission denied"
    assert windows_store(silent).problem == "Windows: PermissionError"
    assert windows_store(lambda _: []).problem


@pytest.mark.parametrize(
    ("trust", "encoding", "kept"),
    [
        (True, "x509_asn", True),
        ({"1.3.6.1.5.5.7.3.1"}, "x509_asn", True),
        ({"1.3.6.1.5.5.7.3.2"}, "x509_asn", True),
        ({"1.3.6.1.5.5.7.3.4"}, "x509_asn", False),
        (False, "x509_asn", False),
        (True, "pkcs_7_asn", False),
    ],
)
def test_of_windows_only_roots_for_tls_are_taken(trust: Any, encoding: str, kept: bool) -> None:
    """Trusted for everything, or for one of the two purposes of TLS; as a certificate."""
    store = windows_store(lambda _: [(der(ROOT), encoding, trust)])
    assert store.size == int(kept)
    assert bool(store.problem) is not kept


def test_a_machine_without_a_bundle_has_no_system_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Unknown, never empty: told, and the first bundle that is there is taken."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setattr(stores, "_BUNDLES", ())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    nothing = stores.system_store.__wrapped__()
    assert (nothing.problem != "", nothing.size) == (True, 0)
    bundle = tmp_path / "roots.pem"
    bundle.write_bytes(pem_of([ROOT]))
    monkeypatch.setattr(stores, "_BUNDLES", (str(tmp_path / "no.pem"), str(bundle)))
    found = stores.system_store.__wrapped__()
    assert (found.problem, found.size) == ("", 1)
    bundle.write_bytes(b"nothing of use")
    empty = stores.system_store.__wrapped__()
    assert str(bundle) in empty.problem
    assert empty.size == 0


@pytest.mark.parametrize(
    ("head", "date"),
    [
        (b"## Certificate data from Mozilla as of: Tue Sep  2 03:12:01 2025 GMT", (2025, 9, 2)),
        (
            b"## Certificate data from Mozilla last updated on: Tue Nov 12 03:12:01 2024 GMT",
            (2024, 11, 12),
        ),
        (b"## Certificate data from Mozilla as of: Tue Xyz 12 03:12:01 2024 GMT", None),
        (b"## roots", None),
        (b"#" * 4096 + b"Certificate data from Mozilla as of: Tue Sep  2 03:12:01 2025", None),
    ],
)
def test_curls_bundle_is_dated_by_its_head(
    tmp_path: Path, head: bytes, date: tuple[int, int, int] | None
) -> None:
    """As curl writes it; another head, or one far down, dates nothing."""
    file = tmp_path / "roots.pem"
    file.write_bytes(head + b"\n" + pem_of([ROOT]))
    assert file_store(file).date == (dt.date(*date) if date else None)


@pytest.mark.parametrize(
    ("version", "date"),
    [("20230311+deb12u1", dt.date(2023, 3, 11)), ("2023", None), ("", None), ("abc", None)],
)
def test_a_version_that_is_no_day_dates_nothing(version: str, date: dt.date | None) -> None:
    """Debian's versions begin with the day."""
    assert distribution.date_of(version) == date


def test_what_a_chain_carries_is_counted() -> None:
    """Length as sent, order, repetition, strangers and what is missing."""
    leaf, intermediate = told(issued().chain)
    root, stranger = told([ROOT, new_root("x", "y", NOW).certificate])
    whole = link([leaf, intermediate, root])
    assert (whole.length, whole.in_order, whole.root_sent) == (3, True, True)
    assert (whole.missing_issuer, whole.missing_issuer_urls, whole.unrelated) == ("", (), ())
    assert whole.path == (leaf.sha256, intermediate.sha256, root.sha256)
    mixed = link([leaf, stranger, intermediate, intermediate])
    assert (mixed.length, mixed.in_order, mixed.duplicates) == (4, False, 1)
    assert mixed.unrelated == (stranger.subject,)
    assert mixed.missing_issuer == root.subject
    assert not mixed.root_sent
    alone = link([leaf])
    assert alone.missing_issuer == intermediate.subject
    assert alone.missing_issuer_urls == leaf.ca_issuers_urls != ()
    assert (alone.in_order, alone.leaf_self_signed) == (True, False)
    own = link([root])
    assert (own.leaf_self_signed, own.root_sent, own.missing_issuer) == (True, False, "")


def test_who_hinders_a_purpose_is_the_first_on_the_path() -> None:
    """The leaf as a leaf, those above it as authorities."""
    leaf, intermediate = told(issued().chain)
    assert hindering([leaf, intermediate], "serverAuth") is None
    server_only = leaf.model_copy(update={"ext_key_usage": ("serverAuth",)})
    assert hindering([server_only, intermediate], "clientAuth") == server_only
    for_clients = intermediate.model_copy(update={"ext_key_usage": ("clientAuth",)})
    assert hindering([leaf, for_clients], "serverAuth") == for_clients
    assert hindering([leaf, for_clients], "clientAuth") is None


@pytest.mark.parametrize("form", ["pem", "p12"])
def test_a_passphrase_is_needed_only_where_a_key_is_locked(tmp_path: Path, form: str) -> None:
    """Asked for before anything is measured: not for an open key, and not for a damaged file."""
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = made(key)

    def written(name: str, lock: serialization.KeySerializationEncryption) -> Path:
        path = tmp_path / name
        if form == "p12":
            path.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, leaf, None, lock))
            return path
        kind = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
        path.write_bytes(pem_of([leaf]) + key.private_bytes(*kind, lock))
        return path

    locked = written("locked", serialization.BestAvailableEncryption(b"secret"))
    assert needs_passphrase(locked)
    assert not needs_passphrase(written("open", serialization.NoEncryption()))
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert not needs_passphrase(damaged)
    assert not needs_passphrase(tmp_path / "missing")


@pytest.mark.parametrize(("rsa", "kind", "bits"), [(False, "EC", 256), (True, "RSA", 2048)])
def test_the_control_has_a_key_that_every_server_can_look_at(
    rsa: bool, kind: str, bits: int
) -> None:
    """Of the usual length, for clients, valid today and for a week, and nobody's authority."""
    (found,) = told(foreign_credential(NOW, rsa=rsa).chain)
    assert (found.key_type, found.key_bits) == (kind, bits)
    assert (found.ext_key_usage, found.is_ca, found.self_signed) == (("clientAuth",), False, True)
    assert found.not_before == NOW - dt.timedelta(days=1)
    assert found.not_after == NOW + dt.timedelta(days=7)
