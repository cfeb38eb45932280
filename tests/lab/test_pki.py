"""The lab's certificates are what their variants say, judged by pyca's own path validation."""

import datetime as dt
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from incamail_lib.lab import pki
from incamail_lib.lab.pki import Variant

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
HOST = "mx1.muster.example"
FIT_SERVERS = {
    *(Variant.BOTH, Variant.SERVER, Variant.NO_EKU, Variant.NEAR_EXPIRY, Variant.OVERLONG),
    *(Variant.WILDCARD, Variant.NO_CN, Variant.RSA, Variant.SERVER_ONLY_CA, Variant.KEY_MISMATCH),
    Variant.WEAK_KEY,  # pyca accepts RSA 1024 from a leaf; our own check must not
}
FIT_CLIENTS = FIT_SERVERS - {Variant.SERVER, Variant.SERVER_ONLY_CA} | {
    Variant.CLIENT,
    Variant.WRONG_NAME,
}


def _verifies(variant: Variant, *, as_server: bool) -> bool:
    lab = pki.build(NOW)
    issued = lab.leaf(variant, HOST)
    builder = PolicyBuilder().store(Store([*lab.roots])).time(NOW)
    try:
        if as_server:
            verifier = builder.build_server_verifier(x509.DNSName(HOST))
            verifier.verify(issued.certificate, list(issued.intermediates))
        else:
            builder.build_client_verifier().verify(issued.certificate, list(issued.intermediates))
    except VerificationError:
        return False
    return True


@pytest.mark.parametrize("variant", Variant)
def test_only_the_sound_variants_verify(variant: Variant) -> None:
    """Each variant passes or fails validation as server and as client as its name says."""
    assert _verifies(variant, as_server=True) == (variant in FIT_SERVERS)
    assert _verifies(variant, as_server=False) == (variant in FIT_CLIENTS)


def test_sha1_variant_is_really_signed_with_sha1() -> None:
    """The SHA-1 leaf carries a signature that verifies with SHA-1, and its body says so."""
    issued = pki.build(NOW).leaf(Variant.SHA1, HOST)
    key = issued.intermediates[0].public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    body = issued.certificate.tbs_certificate_bytes
    key.verify(issued.certificate.signature, body, padding.PKCS1v15(), SHA1())
    assert issued.certificate.signature_algorithm_oid.dotted_string == "1.2.840.113549.1.1.5"


def test_arrangements_of_a_chain() -> None:
    """A chain can be sent whole, as leaf only, or in the wrong order with the root."""
    issued = pki.build(NOW).leaf(Variant.BOTH, HOST)
    leaf, intermediate = issued.chain
    assert issued.leaf_only == (leaf,)
    assert issued.wrong_order_with_root == (leaf, issued.root, intermediate)


def test_files_hold_the_chain_and_a_private_key(tmp_path) -> None:
    """PEM and PKCS#12 files read back to the same key; nobody else may read the key file."""
    issued = pki.build(NOW).leaf(Variant.BOTH, HOST)
    certificate, key = pki.write_pem(issued, tmp_path, "sending")
    assert x509.load_pem_x509_certificates(certificate.read_bytes()) == list(issued.chain)
    assert load_pem_private_key(key.read_bytes(), None).public_key() == issued.key.public_key()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    bundle = pki.write_pkcs12(issued, tmp_path, "sending", passphrase=b"lab")
    loaded = pkcs12.load_pkcs12(bundle.read_bytes(), b"lab")
    assert loaded.key is not None
    assert loaded.key.public_key() == issued.key.public_key()


def test_an_encrypted_key_needs_its_passphrase(tmp_path) -> None:
    """The encrypted key opens with its passphrase and with no other."""
    issued = pki.build(NOW).leaf(Variant.BOTH, HOST)
    _, key = pki.write_encrypted(issued, tmp_path, "sending", passphrase=b"right")
    assert load_pem_private_key(key.read_bytes(), b"right")
    with pytest.raises(ValueError, match=r"(?i)password|decrypt"):
        load_pem_private_key(key.read_bytes(), b"wrong")


def test_no_private_key_shows_in_a_repr() -> None:
    """What a traceback or a log would print of a certificate holds no key."""
    lab = pki.build(NOW)
    shown = repr(lab) + repr(lab.leaf(Variant.BOTH, HOST))
    assert "PrivateKey" not in shown


def test_the_trust_store_holds_the_recognised_roots_only(tmp_path) -> None:
    """The store file has both recognised roots and neither the exotic nor the box's root."""
    lab = pki.build(NOW)
    stored = x509.load_pem_x509_certificates(pki.write_trust_store(lab, tmp_path).read_bytes())
    assert tuple(stored) == lab.roots
    assert lab.exotic.root not in stored
    assert lab.interceptor.root not in stored
