"""A file that is something else than a certificate is named, with the command that helps."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from certificate.made import NOW, der, issued
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from incamail_lib.certificate import load_credential
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse
from incamail_lib.facts.observation import Answer
from incamail_lib.lab import pki

OWN = issued()
PUBLIC = OWN.key.public_key()
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "muster.example")])
REQUEST = x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(OWN.key, hashes.SHA256())
AUTHORITY = pki.build(NOW).issuing
REVOCATIONS = (
    x509.CertificateRevocationListBuilder()
    .issuer_name(AUTHORITY.certificate.subject)
    .last_update(NOW)
    .next_update(NOW.replace(year=2027))
    .sign(AUTHORITY.key, hashes.SHA256())
)
PASSPHRASE = b"Gipfeli-4711"
LOCKED = BestAvailableEncryption(PASSPHRASE)


def read(folder: Path, data: bytes, passphrase: bytes | None = None) -> CredentialFacts:
    path = folder / "given"
    path.write_bytes(data)
    return load_credential(path, passphrase=passphrase, uses=(CredentialUse.SENDING,))[0]


def key_as(encoding: Encoding, form: PrivateFormat, locked: bool = False) -> bytes:
    return OWN.key.private_bytes(encoding, form, LOCKED if locked else NoEncryption())


SPKI = PublicFormat.SubjectPublicKeyInfo
OTHERS = {
    "request": (REQUEST.public_bytes(Encoding.PEM), "CSR", "openssl req"),
    "request in DER": (REQUEST.public_bytes(Encoding.DER), "CSR", "openssl req"),
    "revocations": (REVOCATIONS.public_bytes(Encoding.PEM), "CRL", "openssl crl"),
    "revocations in DER": (REVOCATIONS.public_bytes(Encoding.DER), "CRL", "openssl crl"),
    "public key": (PUBLIC.public_bytes(Encoding.PEM, SPKI), "public key alone", ""),
    "public key in DER": (PUBLIC.public_bytes(Encoding.DER, SPKI), "public key alone", ""),
    "key": (key_as(Encoding.PEM, PrivateFormat.PKCS8), "private key but no certificate", ""),
    "locked key": (key_as(Encoding.PEM, PrivateFormat.PKCS8, True), "private key but no", ""),
    "key in DER": (key_as(Encoding.DER, PrivateFormat.PKCS8), "private key but no", ""),
    "locked DER": (key_as(Encoding.DER, PrivateFormat.PKCS8, True), "private key but no", ""),
    "OpenSSH key": (key_as(Encoding.PEM, PrivateFormat.OpenSSH), "OpenSSH", "ssh-keygen -p -m PEM"),
    "SSH public key": (PUBLIC.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH), "SSH", ""),
    "PGP": (
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 1\n\nmQENBF\n=abcd\n"
        b"-----END PGP PUBLIC KEY BLOCK-----\n",
        "OpenPGP",
        "",
    ),
    "PuTTY": (b"PuTTY-User-Key-File-3: ssh-rsa\r\n", "PuTTY", "puttygen"),
    "JKS": (bytes.fromhex("feedfeed00000002") + bytes(40), "JKS", "keytool -importkeystore"),
    "JCEKS": (bytes.fromhex("cececece00000002") + bytes(40), "JKS", "keytool -importkeystore"),
    "UTF-16": (OWN.pem().decode().encode("utf-16"), "UTF-16", "iconv"),
    "bare base64": (
        base64.encodebytes(der(OWN.certificate)),
        "without the lines",
        "base64 -d",
    ),
    "web page": (b"<!DOCTYPE html><html><body>Log in</body></html>", "web page", ""),
    "ZIP": (b"PK\x03\x04" + bytes(40), "archive", ""),
    "SST": (b"\0\0\0\0CERT" + bytes(40), "SST", "certutil"),
    "text": (b"Sehr geehrte Damen und Herren", "neither PEM", ""),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_it_is_and_what_to_do(tmp_path: Path, kind: str) -> None:
    """Never a traceback, never just "damaged": the operator learns what was handed over."""
    data, name, command = OTHERS[kind]
    found = read(tmp_path, data)
    assert found.readable.answer is Answer.NO
    assert name in found.readable.evidence
    assert command in found.readable.evidence


def converted(folder: Path, data: bytes) -> bytes:
    """What the command in the evidence makes of the file, run as it stands there."""
    evidence = read(folder, data).readable.evidence
    command = evidence.partition("Convert it: ")[2].replace("FILE", "given").replace("NEW", "new")
    subprocess.run(
        command, shell=True, cwd=folder, check=True, stdin=subprocess.DEVNULL, timeout=60
    )
    return (folder / "new").read_bytes()


@pytest.mark.tool("openssl")
@pytest.mark.parametrize("kind", ["UTF-16", "bare base64"])
def test_the_command_mends_the_file(tmp_path: Path, kind: str) -> None:
    """What the sentence says works when it is typed."""
    mended = converted(tmp_path, OTHERS[kind][0])
    found = read(tmp_path, mended)
    assert found.readable.is_yes
    assert found.chain[0].der == der(OWN.certificate)


def test_lines_that_end_in_cr_alone_are_mended_by_the_command(tmp_path: Path) -> None:
    """As old Macs write them."""
    assert converted(tmp_path, OWN.pem().replace(b"\n", b"\r")) == OWN.pem()


@pytest.mark.tool("openssl")
@pytest.mark.parametrize(
    "method",
    [[], ["-legacy"], ["-legacy", "-certpbe", "PBE-SHA1-RC2-40"]],
    ids=["aes", "3des", "rc2"],
)
def test_old_exports_of_pkcs12_are_opened(tmp_path: Path, method: list[str]) -> None:
    """Windows of old encrypts with RC2 and 3DES: read, or the way out is told."""
    pem, key = pki.write_pem(OWN, tmp_path, "own")
    openssl = shutil.which("openssl")
    assert openssl is not None
    command: list[str | Path] = [openssl, "pkcs12", "-export", *method, "-in", pem, "-inkey", key]
    command += ["-passout", f"pass:{PASSPHRASE.decode()}", "-out", tmp_path / "own.pfx"]
    subprocess.run(command, check=True, timeout=60)
    data = (tmp_path / "own.pfx").read_bytes()
    found = read(tmp_path, data, PASSPHRASE)
    assert found.readable.is_yes
    assert found.key_matches.is_yes
    assert [c.der for c in found.chain] == [der(c) for c in OWN.chain]
    assert "passphrase" in read(tmp_path, data, b"wrong").readable.evidence
