"""What stands exactly at a bound of reading, and which of several comes first."""

from __future__ import annotations

from pathlib import Path

import pytest
from certificate.made import NOW, der, issued, made, told
from cryptography import x509

from incamail_lib.certificate import load_credential, read_certificate, stores
from incamail_lib.certificate.credential import foreign_credential
from incamail_lib.certificate.extensions import MAX_NAMES
from incamail_lib.certificate.stores import file_store
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.lab import pki
from incamail_lib.lab.authority import pem_of
from incamail_lib.lab.pki import Variant


@pytest.mark.parametrize("number", [99, 100, 101])
def test_a_hundred_names_are_kept(number: int) -> None:
    """The hundredth still is, the next one is not."""
    names = [x509.DNSName(f"h{n}.example") for n in range(number)]
    found = read_certificate(der(made(extensions=[x509.SubjectAlternativeName(names)])))
    assert found.san_dns == tuple(f"h{n}.example" for n in range(min(number, MAX_NAMES)))
    assert MAX_NAMES == 100


def test_a_folder_that_ends_at_the_limit_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of exactly the size allowed are read and nothing is said; one byte more is told."""
    data = pem_of([pki.build(NOW).roots[0]])
    (tmp_path / "a.pem").write_bytes(data)
    monkeypatch.setattr(stores, "MAX_STORE_BYTES", len(data))
    assert file_store(tmp_path).left_out == ()
    (tmp_path / "b.txt").write_bytes(b"x")
    assert "too large" in file_store(tmp_path).left_out[-1].english()


def test_without_a_key_the_first_leaf_of_a_file_is_taken(tmp_path: Path) -> None:
    """Two that issued none of the others: the one that stands first, as OpenSSL takes it."""
    both = [issued(Variant.BOTH, host).chain[0] for host in ("a.example", "b.example")]
    for order in (both, both[::-1]):
        path = tmp_path / "two.pem"
        path.write_bytes(pem_of(order))
        facts, credential = load_credential(path, uses=(CredentialUse.SENDING,))
        assert facts.chain[0].sha256 == told(order)[0].sha256
        assert credential is None


def test_the_control_is_an_ec_key_unless_rsa_is_asked_for() -> None:
    """Small and quick; RSA only where the server takes no other."""
    assert told(foreign_credential(NOW).chain)[0].key_type == "EC"
