"""The root is in the store, and still OpenSSL does not lead the chain up to it: why not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from certificate.made import NOW, der, told
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from incamail_lib.certificate.stores import file_store
from incamail_lib.certificate.trust import _ended_by, _starts_after, judge_trust
from incamail_lib.facts.certificate import TrustFacts, TrustReason
from incamail_lib.lab.authority import pem_of

ROOT_KEY, MIDDLE_KEY, LEAF_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
AUTHORITY = x509.BasicConstraints(ca=True, path_length=None)


def issued(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
    by: tuple[str, ec.EllipticCurvePrivateKey] = ("root", ROOT_KEY),
) -> x509.Certificate:
    """A certificate of this name and key, with these extensions."""
    subject, issuer = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, by[0])
    )
    builder = x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number()
    )
    builder = builder.not_valid_before(NOW - dt.timedelta(days=1))
    builder = builder.not_valid_after(NOW + dt.timedelta(days=9))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(by[1], hashes.SHA256())


def own(number: int) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier(bytes([number] * 20))


def above(number: int) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier(bytes([number] * 20), None, None)


def judged(tmp_path: Path, root: x509.Certificate, *chain: x509.Certificate) -> TrustFacts:
    """What a store of this one root says of the chain."""
    file = tmp_path / "root.pem"
    file.write_bytes(pem_of([root]))
    return judge_trust(told(chain), file_store(file), purpose="serverAuth", now=NOW)


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        (1, TrustReason.TRUSTED),
        (0, TrustReason.ISSUER_KEY_DIFFERS),
        (2, TrustReason.ISSUER_KEY_DIFFERS),
    ],
)
def test_identifiers_that_contradict_each_other_are_told(
    tmp_path: Path, named: int, reason: TrustReason
) -> None:
    """Smaller or greater: the leaf names another key of its issuer, and the issuer is at fault."""
    root = issued("root", ROOT_KEY, AUTHORITY, own(1))
    found = judged(tmp_path, root, issued("leaf", LEAF_KEY, above(named)))
    assert found.reason is reason
    if reason is not TrustReason.TRUSTED:
        assert found.culprit is not None
        assert found.culprit.subject == "CN=root"
        assert [c.subject for c in found.members] == ["CN=leaf", "CN=root"]


def test_the_one_that_contradicts_is_found_wherever_it_stands(tmp_path: Path) -> None:
    """Between intermediate and root as well; where one of the two is silent, nothing is amiss."""
    root = issued("root", ROOT_KEY, AUTHORITY, own(1))
    middle = issued("middle", MIDDLE_KEY, AUTHORITY, own(5), above(2))
    leaf = issued("leaf", LEAF_KEY, above(5), by=("middle", MIDDLE_KEY))
    found = judged(tmp_path, root, leaf, middle)
    assert found.reason is TrustReason.ISSUER_KEY_DIFFERS
    assert found.culprit is not None
    assert found.culprit.subject == "CN=root"
    silent = issued("root", ROOT_KEY, AUTHORITY)
    assert judged(tmp_path, silent, leaf, middle).reason is TrustReason.TRUSTED
    assert judged(tmp_path, root, issued("leaf", LEAF_KEY)).reason is TrustReason.TRUSTED


def test_a_usage_without_any_is_told_as_malformed(tmp_path: Path) -> None:
    """RFC 5280 §4.2.1.3 wants at least one bit; OpenSSL takes no such certificate."""
    flags = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    more = ("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    nothing = x509.KeyUsage(**dict.fromkeys((*flags, *more), False))
    root = issued("root", ROOT_KEY, AUTHORITY, nothing)
    found = judged(tmp_path, root, issued("leaf", LEAF_KEY))
    assert not found.trusted.is_yes
    assert found.reason in (TrustReason.MALFORMED, TrustReason.NOT_AN_AUTHORITY)
    assert der(root)


@pytest.mark.parametrize(
    ("leaf_names", "root_names", "reason"),
    [
        (2, 2, TrustReason.BAD_SIGNATURE),
        (2, None, TrustReason.ISSUER_KEY_DIFFERS),
        (None, 2, TrustReason.ISSUER_KEY_DIFFERS),
        (None, None, TrustReason.ISSUER_KEY_DIFFERS),
    ],
)
def test_a_signature_that_does_not_verify_is_forged_or_of_another_key(
    tmp_path: Path, leaf_names: int | None, root_names: int | None, reason: TrustReason
) -> None:
    """Where both name the same key it is the signature; else the issuer has another key now."""
    renewed = ec.generate_private_key(ec.SECP256R1())
    marks = () if root_names is None else (own(root_names),)
    root = issued("root", renewed, AUTHORITY, *marks, by=("root", renewed))
    names = () if leaf_names is None else (above(leaf_names),)
    found = judged(tmp_path, root, issued("leaf", LEAF_KEY, *names))
    assert found.reason is reason
    assert found.culprit is not None
    at_fault = "CN=leaf" if reason is TrustReason.BAD_SIGNATURE else "CN=root"
    assert found.culprit.subject == at_fault


def test_a_date_that_cannot_be_read_is_no_validity() -> None:
    """Not begun, and over: whatever a library makes of such a certificate, it is not trusted."""
    (sound,) = told([issued("leaf", LEAF_KEY)])
    assert sound.not_before is not None
    assert sound.not_after is not None
    assert not _starts_after(sound, sound.not_before)
    assert _starts_after(sound, sound.not_before - dt.timedelta(seconds=1))
    assert _ended_by(sound, sound.not_after)
    assert not _ended_by(sound, sound.not_after - dt.timedelta(seconds=1))
    undated = sound.model_copy(update={"not_before": None, "not_after": None})
    assert _starts_after(undated, NOW)
    assert _ended_by(undated, NOW)
