"""A client's certificate files: every form is read, what is wrong is told, no secret leaks."""

from __future__ import annotations

import base64
import warnings
from pathlib import Path

import pytest
from certificate.made import HOST, NOW, der, issued, made
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)
from fuzzing import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incamail_lib.certificate import Credential, foreign_credential, load_credential
from incamail_lib.certificate.contents import MAX_BYTES
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse
from incamail_lib.facts.observation import Answer, Reason
from incamail_lib.lab import pki
from incamail_lib.lab.authority import pem_of
from incamail_lib.lab.pki import Variant

OWN = issued()
LEAF, ISSUING = OWN.chain
ROOT = pki.build(NOW).roots[0]
OTHER = issued(Variant.BOTH, "other.example")
PASSPHRASE = b"Gipfeli-4711"
SENDING = (CredentialUse.SENDING,)


def load(
    folder: Path, content: bytes, *, key: bytes | None = None, passphrase: bytes | None = None
) -> tuple[CredentialFacts, Credential | None]:
    """Load a file with this content, and the key from a file of its own if given."""
    path, key_path = folder / "sending.pem", folder / "sending.key"
    path.write_bytes(content)
    if key is not None:
        key_path.write_bytes(key)
    return load_credential(
        path,
        key_path=key_path if key is not None else None,
        passphrase=passphrase,
        uses=SENDING,
    )


def key_in(form: PrivateFormat, encoding: Encoding, passphrase: bytes | None = None) -> bytes:
    """The leaf's key in one of the forms that tools write."""
    protection = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return OWN.key.private_bytes(encoding, form, protection)


def bundle(passphrase: bytes | None) -> bytes:
    """PKCS#12 with key, leaf and intermediate."""
    protection = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"x", OWN.key, LEAF, [ISSUING], protection)


def secrets() -> list[str]:
    """What must never appear anywhere: the passphrase, and the key in each of its forms."""
    number = OWN.key.private_numbers().private_value  # type: ignore[union-attr]
    scalar = number.to_bytes(32)
    body = key_in(PrivateFormat.PKCS8, Encoding.PEM).decode().splitlines()[1:3]  # then: public
    return [
        *(PASSPHRASE.decode(), repr(PASSPHRASE), base64.b64encode(PASSPHRASE).decode()),
        *(str(number), f"{number:x}", scalar.hex(), repr(scalar)[2:-1]),
        *(base64.b64encode(scalar).decode()[:-4], *body, "PRIVATE KEY"),
    ]


def assert_silent(facts: CredentialFacts, credential: Credential | None) -> None:
    """No secret in repr, str or JSON."""
    shown = repr(facts) + str(facts) + facts.model_dump_json() + repr(credential) + str(credential)
    assert [secret for secret in secrets() if secret in shown] == []


PKCS8, TRADITIONAL = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
PEM_KEY = key_in(PKCS8, Encoding.PEM)


@pytest.mark.parametrize(
    ("content", "key", "form", "length"),
    [
        (OWN.pem() + PEM_KEY, None, "PEM", 2),
        (PEM_KEY + OWN.pem(), None, "PEM", 2),
        (pem_of([LEAF]) + PEM_KEY + pem_of([ISSUING]), None, "PEM", 2),
        (b"Bag Attributes\r\n" + OWN.pem() + b"# end\n" + PEM_KEY, None, "PEM", 2),
        (OWN.pem(), PEM_KEY, "PEM", 2),
        (OWN.pem(), key_in(TRADITIONAL, Encoding.PEM), "PEM", 2),
        (OWN.pem(), key_in(PKCS8, Encoding.DER), "PEM", 2),
        (der(LEAF), PEM_KEY, "DER", 1),
        (pkcs7.serialize_certificates([ISSUING, LEAF], Encoding.PEM), PEM_KEY, "PKCS#7", 2),
        (pkcs7.serialize_certificates([ISSUING, LEAF], Encoding.DER), PEM_KEY, "PKCS#7", 2),
        (bundle(None), None, "PKCS#12", 2),
    ],
    ids=[
        *("key last", "key first", "key between", "text around", "own key file", "old key form"),
        *("DER key", "DER", "PKCS#7 PEM", "PKCS#7 DER", "PKCS#12"),
    ],
)
def test_every_form_is_read(
    tmp_path: Path, content: bytes, key: bytes | None, form: str, length: int
) -> None:
    """PEM in any order, DER, PKCS#7 and PKCS#12 give the leaf first, and its key."""
    facts, credential = load(tmp_path, content, key=key)
    assert (facts.readable.answer, facts.format) == (Answer.YES, form)
    assert (facts.has_key, facts.key_encrypted, facts.key_matches.is_yes) == (True, False, True)
    assert [c.der for c in facts.chain] == [der(c) for c in OWN.chain[:length]]
    assert credential is not None
    assert credential.chain == OWN.chain[:length]
    assert credential.sha256 == facts.chain[0].sha256
    assert (facts.label, facts.uses) == ("sending.pem", SENDING)
    assert_silent(facts, credential)


ENCRYPTED = {
    "PKCS#8": (OWN.pem(), key_in(PKCS8, Encoding.PEM, PASSPHRASE)),
    "old form": (OWN.pem(), key_in(TRADITIONAL, Encoding.PEM, PASSPHRASE)),
    "DER": (OWN.pem(), key_in(PKCS8, Encoding.DER, PASSPHRASE)),
    "one file": (OWN.pem() + key_in(PKCS8, Encoding.PEM, PASSPHRASE), None),
    "PKCS#12": (bundle(PASSPHRASE), None),
}


@pytest.mark.parametrize("form", ENCRYPTED)
def test_an_encrypted_key_opens_with_its_passphrase_alone(tmp_path: Path, form: str) -> None:
    """The right one opens; a wrong one and none are told, without a word of what was tried."""
    content, key = ENCRYPTED[form]
    facts, credential = load(tmp_path, content, key=key, passphrase=PASSPHRASE)
    assert (facts.readable.is_yes, facts.key_encrypted, facts.has_key) == (True, True, True)
    assert credential is not None
    assert credential.key.public_key() == OWN.key.public_key()
    assert_silent(facts, credential)
    for wrong in (b"Gipfeli-4712", b"", None):
        facts, credential = load(tmp_path, content, key=key, passphrase=wrong)
        assert credential is None
        assert not facts.key_matches.is_known
        assert "passphrase" in facts.key_matches.evidence
        if form == "PKCS#12":
            assert not facts.readable.is_known, "a locked file says nothing of the certificate"
        else:
            assert (facts.readable.is_yes, facts.has_key, facts.key_encrypted) == (True,) * 3
            assert [c.der for c in facts.chain] == [der(c) for c in OWN.chain]
        assert_silent(facts, credential)
        assert "Gipfeli" not in facts.model_dump_json()


def test_a_wrong_passphrase_is_told_from_a_missing_one(tmp_path: Path) -> None:
    """The remedy differs: correct the variable, or set it."""
    content, key = ENCRYPTED["PKCS#8"]
    wrong, _ = load(tmp_path, content, key=key, passphrase=b"x")
    missing, _ = load(tmp_path, content, key=key)
    assert "wrong" in wrong.key_matches.evidence
    assert "needed" in missing.key_matches.evidence


def test_a_passphrase_too_many_does_no_harm(tmp_path: Path) -> None:
    """A key that is not encrypted needs none, and says so."""
    facts, credential = load(tmp_path, OWN.pem(), key=PEM_KEY, passphrase=PASSPHRASE)
    assert credential is not None
    assert not facts.key_encrypted


JUNK = bytes(range(256)) * 16
PKCS7_JUNK = b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n"
CERTIFICATE_JUNK = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
KEY_JUNK = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("content", "key", "cause"),
    [
        (b"", None, "empty"),
        (b" \r\n\t", None, "empty"),
        (JUNK, None, "neither PEM"),
        (b"just a note", None, "neither PEM"),
        (OWN.pem()[:300], None, "cut off"),
        (b"-----BEGIN ", None, "cut off"),
        (CERTIFICATE_JUNK, None, "damaged"),
        (PKCS7_JUNK, None, "damaged"),
        (OWN.pem() + KEY_JUNK, None, "key is damaged"),
        (PEM_KEY, None, "no certificate"),
        (b"-----BEGIN NONSENSE-----\nAAAA\n-----END NONSENSE-----\n", None, "no certificate"),
        (OWN.pem(), b"", "empty"),
        (OWN.pem(), OWN.pem(), "no private key"),
        (OWN.pem(), b"not a key", "damaged"),
        (b"\x30" + bytes(10_000_000), None, "larger than 1 MB"),
        (OWN.pem(), bytes(MAX_BYTES + 1), "larger than 1 MB"),
    ],
    ids=[
        *("empty", "blank", "binary junk", "text", "cut", "begin only", "damaged", "damaged p7"),
        *("damaged key", "key only", "other block", "empty key", "key file without key"),
        *("junk key", "10 MB", "big key"),
    ],
)
def test_an_unusable_file_is_a_fact_with_its_cause(
    tmp_path: Path, content: bytes, key: bytes | None, cause: str
) -> None:
    """Nothing is raised: the audit goes on and reports which file is wrong, and how."""
    facts, credential = load(tmp_path, content, key=key)
    assert credential is None
    assert facts.readable.answer is Answer.NO
    assert cause in facts.readable.evidence
    assert (facts.chain, facts.has_key) == ((), False)
    assert facts.key_matches.answer is Answer.INCONCLUSIVE
    assert_silent(facts, credential)


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    """A folder, a missing file and one that cannot be opened each name their cause."""
    loop = tmp_path / "loop.pem"
    loop.symlink_to(loop)  # cannot be opened, not even by the administrator
    causes = []
    for path in (tmp_path, tmp_path / "missing.pem", loop):
        facts, credential = load_credential(path, uses=SENDING)
        assert credential is None
        assert not facts.readable.is_known
        assert facts.label == path.name
        causes.append(facts.readable.evidence)
    assert "folder" in causes[0].lower()
    assert len(set(causes)) == 3
    good = tmp_path / "good.pem"
    good.write_bytes(OWN.pem())
    with_folder, credential = load_credential(good, key_path=tmp_path, uses=SENDING)
    assert (credential, with_folder.readable.answer) == (None, Answer.INCONCLUSIVE)


def test_a_hostile_file_name_is_made_printable(tmp_path: Path) -> None:
    """A right-to-left mark in a name turns no line of the report around."""
    facts, _ = load_credential(tmp_path / "gnp\u202exe.pem", uses=SENDING)
    assert not facts.readable.is_known
    assert "\u202e" not in facts.label + facts.readable.evidence + facts.key_matches.evidence
    assert "\ufffd" in facts.label


def test_a_key_of_another_certificate_does_not_match(tmp_path: Path) -> None:
    """Certificate and key are read, but there is nothing to present."""
    facts, credential = load(tmp_path, OWN.pem(), key=OTHER.key_pem())
    assert facts.readable.is_yes
    assert (facts.has_key, facts.key_matches.answer) == (True, Answer.NO)
    assert credential is None
    assert facts.chain[0].subject_cn == (HOST,)


def test_without_a_key_the_match_stays_open(tmp_path: Path) -> None:
    """The key may lie on the gateway: that is no mismatch."""
    facts, credential = load(tmp_path, OWN.pem())
    assert facts.readable.is_yes
    assert (facts.has_key, facts.key_matches.answer) == (False, Answer.INCONCLUSIVE)
    assert credential is None


@pytest.mark.parametrize("key", [PEM_KEY, None], ids=["with key", "without key"])
@pytest.mark.parametrize(
    "order",
    [
        (LEAF, ISSUING),
        (ISSUING, LEAF),
        (ROOT, ISSUING, LEAF),
        (ISSUING, ROOT, LEAF),
        (LEAF, ROOT, ISSUING),
    ],
)
def test_the_leaf_is_found_wherever_it_stands(
    tmp_path: Path, order: tuple[x509.Certificate, ...], key: bytes | None
) -> None:
    """Order in the file does not matter; what is sent is leaf and intermediates, no root."""
    facts, credential = load(tmp_path, pem_of(order), key=key)
    assert facts.chain[0].subject_cn == (HOST,)
    assert [c.der for c in facts.chain] == [der(c) for c in (LEAF, ISSUING, ROOT)[: len(order)]]
    assert facts.links is not None
    assert facts.links.in_order
    assert facts.leaf_stands_first == (order[0] is LEAF)
    if key is not None:
        assert credential is not None
        assert credential.chain == (LEAF, ISSUING)


def test_the_key_tells_which_of_two_leaves_is_meant(tmp_path: Path) -> None:
    """A file with two certificates of the client: the one whose key is there is presented."""
    for first, second in ((LEAF, OTHER.certificate), (OTHER.certificate, LEAF)):
        facts, credential = load(tmp_path, pem_of([first, second]), key=PEM_KEY)
        assert facts.chain[0].der == der(LEAF)
        assert credential is not None
        assert facts.links is not None
        assert facts.links.unrelated == (facts.chain[1].subject,)


def test_other_kinds_of_keys_are_presented_too(tmp_path: Path) -> None:
    """Ed25519 and RSA fit their certificates as P-256 does."""
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PKCS8, NoEncryption())
    _, edwards = load(tmp_path, pem_of([made(key)]), key=pem)
    rsa = issued(Variant.RSA)
    _, classic = load(tmp_path, rsa.pem(), key=rsa.key_pem())
    assert edwards is not None
    assert classic is not None
    assert load(tmp_path, rsa.pem(), key=pem)[1] is None


def test_files_of_the_lab_load_as_they_are_written(tmp_path: Path) -> None:
    """What the lab hands out as a client's files is what the audit reads."""
    pem, key = pki.write_encrypted(OWN, tmp_path, "a", passphrase=PASSPHRASE)
    assert load_credential(pem, key_path=key, passphrase=PASSPHRASE, uses=SENDING)[1] is not None
    p12 = pki.write_pkcs12(OWN, tmp_path, "b", passphrase=PASSPHRASE)
    assert load_credential(p12, passphrase=PASSPHRASE, uses=SENDING)[1] is not None
    assert load_credential(p12, uses=SENDING)[1] is None


def test_the_control_certificate_is_nobodys() -> None:
    """Self-signed, for clients, valid now, new every time, and its key in no repr."""
    first, second = foreign_credential(NOW), foreign_credential(NOW)
    assert first.sha256 != second.sha256
    leaf = first.chain[0]
    assert leaf.issuer == leaf.subject
    assert leaf.not_valid_before_utc < NOW < leaf.not_valid_after_utc
    assert leaf.public_key() == first.key.public_key()
    assert "PrivateKey" not in repr(first)


SAMPLES = [OWN.pem() + PEM_KEY, *(c for c, _ in ENCRYPTED.values()), der(LEAF), bundle(None)]


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 5000),
)
@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_mutated_files_never_raise(
    tmp_path: Path, sample: bytes, changes: list[tuple[int, int]], end: int
) -> None:
    """A file with bytes changed or its end missing is read, or its problem is told."""
    data = bytearray(sample)
    for place, value in changes:
        data[place % len(data)] = value
    cut = bytes(data) if end >= len(data) else bytes(data[:end])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        facts, credential = load(tmp_path, cut, passphrase=PASSPHRASE)
    others_can = facts.readable.reason is Reason.UNSUPPORTED  # OpenSSL reads it, we cannot
    assert facts.readable.is_known or others_can or "passphrase" in facts.readable.evidence
    assert facts.readable.is_yes or (credential is None and facts.readable.evidence)
    assert_silent(facts, credential)


@pytest.mark.parametrize(
    "others", [(OTHER.key_pem(),), (b"-----BEGIN X-----\nAAAA\n-----END X-----\n",)]
)
def test_of_two_keys_the_first_counts(tmp_path: Path, others: tuple[bytes, ...]) -> None:
    """As for OpenSSL: one that fits and stands behind another is named, but not taken."""
    facts, credential = load(tmp_path, OWN.pem() + PEM_KEY + others[0])
    assert facts.key_matches.is_yes
    assert credential is not None
    facts, credential = load(tmp_path, OWN.pem() + OTHER.key_pem() + others[0] + PEM_KEY)
    assert (facts.readable.answer, facts.key_matches.answer) == (Answer.YES, Answer.NO)
    assert "first key" in facts.key_matches.evidence
    assert credential is None
