"""Trust stores as people have them: every form is read, what is damaged is named, nothing waits."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from certificate.made import NOW, der, issued, made, told
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    pkcs7,
    pkcs12,
)
from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate

from incamail_lib.certificate import distribution, read_certificate
from incamail_lib.certificate.pem import BYTE_ORDER_MARK
from incamail_lib.certificate.public import public_roots, root_of
from incamail_lib.certificate.stores import (
    TrustStore,
    certifi_store,
    file_store,
    system_store,
    windows_store,
)
from incamail_lib.certificate.trust import judge_trust
from incamail_lib.errors import MaterialError
from incamail_lib.lab import pki
from incamail_lib.lab.authority import Recipe, new_root, pem_of
from incamail_lib.lab.pki import Variant

LAB = pki.build(NOW)
ROOT, OTHER = LAB.roots[0], LAB.exotic.root
CHAIN = issued().chain
DAMAGED = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def trusts(store: TrustStore) -> bool:
    return judge_trust(told(CHAIN), store, purpose="serverAuth", now=NOW).trusted.is_yes


FORMS = {
    "PEM": pem_of([ROOT]),
    "PEM of Windows": BYTE_ORDER_MARK + pem_of([ROOT]).replace(b"\n", b"\r\n"),
    "DER": der(ROOT),
    "PKCS#7": pkcs7.serialize_certificates([ROOT], Encoding.DER),
    "PKCS#7 as PEM": pkcs7.serialize_certificates([ROOT], Encoding.PEM),
    "with its text": b"Certificate:\n    Data:\n" + pem_of([ROOT]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["root.pem", "ROOT.CER", "root.der", "root.p7b"])
def test_a_store_is_read_in_every_form(tmp_path: Path, form: str, name: str) -> None:
    """What stands in the file decides, not what it is called; alone or in a folder."""
    path = tmp_path / "store" / name
    path.parent.mkdir()
    path.write_bytes(FORMS[form])
    for store in (file_store(path), file_store(path.parent)):
        assert (store.size, store.left_out, trusts(store)) == (1, (), True)


def test_a_folder_of_what_windows_exports_is_one_store(tmp_path: Path) -> None:
    """.cer in DER beside .crt in PEM and a .p7b: all count, each certificate once."""
    (tmp_path / "a.cer").write_bytes(der(ROOT))
    (tmp_path / "b.crt").write_bytes(pem_of([ROOT, OTHER]))
    (tmp_path / "c.p7b").write_bytes(pkcs7.serialize_certificates([*LAB.roots], Encoding.DER))
    assert file_store(tmp_path).size == len({*LAB.roots, OTHER})


@pytest.mark.tool("openssl")
def test_a_hashed_folder_of_openssl_is_one_store(tmp_path: Path) -> None:
    """As Postfix's CApath wants it: links named by the subject's hash."""
    (tmp_path / "root.pem").write_bytes(pem_of([ROOT]))
    openssl = shutil.which("openssl")
    assert openssl is not None
    subprocess.run([openssl, "rehash", str(tmp_path)], check=True, timeout=60)
    assert any(re.fullmatch(r"[0-9a-f]{8}\.0", p.name) for p in tmp_path.iterdir())
    assert (file_store(tmp_path).size, trusts(file_store(tmp_path))) == (1, True)


def test_one_damaged_file_is_named_and_costs_no_other(tmp_path: Path) -> None:
    """In a folder, and in a bundle: the rest counts, and the operator learns what does not."""
    (tmp_path / "good.pem").write_bytes(pem_of([ROOT]))
    (tmp_path / "bad.crt").write_bytes(DAMAGED)
    (tmp_path / "empty.cer").write_bytes(b"")
    (tmp_path / "README").write_bytes(b"our roots")
    (tmp_path / "gone.pem").symlink_to(tmp_path / "nowhere")
    store = file_store(tmp_path)
    said = [text.english() for text in store.left_out]
    assert trusts(store)
    assert len(said) == 3
    assert all(any(name in line for line in said) for name in ("bad.crt", "empty.cer", "gone.pem"))
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(DAMAGED + pem_of([ROOT]))
    assert trusts(file_store(bundle))
    assert "bundle.pem" in file_store(bundle).left_out[0].english()


def test_nothing_waits_and_nothing_is_endless(tmp_path: Path) -> None:
    """A pipe, a socket and a device in a folder are passed over; as the store they are refused."""
    (tmp_path / "good.pem").write_bytes(pem_of([ROOT]))
    os.mkfifo(tmp_path / "pipe.pem")
    (tmp_path / "zero.pem").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.pem"))
        store = file_store(tmp_path)
    assert trusts(store)
    assert len(store.left_out) == 3
    for path in (tmp_path / "pipe.pem", tmp_path / "zero.pem", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(MaterialError):
            file_store(path)


def test_what_is_too_large_is_refused_by_name(tmp_path: Path) -> None:
    """A disk image named by mistake is not read whole."""
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(3_000_000_000)
    with pytest.raises(MaterialError, match="20 MB"):
        file_store(path)
    (tmp_path / "a.pem").write_bytes(pem_of([ROOT]))
    assert "too large" in file_store(tmp_path).left_out[-1].english()


KEYSTORES = {
    "JKS": bytes.fromhex("feedfeed00000002") + bytes(40),
    "PKCS#12": pkcs12.serialize_key_and_certificates(
        b"x", None, None, [ROOT], BestAvailableEncryption(b"changeit")
    ),
    "open PKCS#12": pkcs12.serialize_key_and_certificates(b"x", None, None, [ROOT], NoEncryption()),
}


@pytest.mark.parametrize("kind", KEYSTORES)
def test_a_keystore_is_named_with_the_command(tmp_path: Path, kind: str) -> None:
    """Java's cacerts hold roots, but not in a form that a mail server reads."""
    path = tmp_path / "cacerts"
    path.write_bytes(KEYSTORES[kind])
    with pytest.raises(MaterialError, match="keytool -list -rfc"):
        file_store(path)


def test_the_store_of_windows_is_read() -> None:
    """Roots trusted for all or for TLS count; one for e-mail or code alone does not."""
    asked: list[str] = []

    def enumerated(name: str) -> list[tuple[bytes, str, bool | set[str]]]:
        asked.append(name)
        return [
            (der(ROOT), "x509_asn", True),
            (der(OTHER), "x509_asn", {"1.3.6.1.5.5.7.3.4"}),
            (der(made()), "x509_asn", {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.4"}),
            (der(OTHER), "pkcs_7_asn", True),
            (b"junk", "x509_asn", True),
            (der(OTHER), "x509_asn", False),
        ]

    store = windows_store(enumerated)
    assert asked == ["ROOT"]
    assert (store.name, store.date, store.size, store.problem) == ("system", None, 2, "")
    assert trusts(store)


def test_a_store_of_windows_that_cannot_be_read_gives_no_verdict() -> None:
    """Empty or refused: a problem, and so unknown."""

    def refused(_: str) -> list[tuple[bytes, str, bool]]:
        raise PermissionError(13, "Permission denied")

    assert "denied" in windows_store(refused).problem
    assert windows_store(lambda _: []).problem


@pytest.mark.parametrize(
    ("version", "date"),
    [
        ("20230311+deb12u1", dt.date(2023, 3, 11)),
        ("20240705-r0", dt.date(2024, 7, 5)),
        ("2024.2.69_v8.0.303-91.4.el9", None),
        ("", None),
    ],
)
def test_a_version_of_the_package_dates_the_bundle(version: str, date: dt.date | None) -> None:
    """Debian, Ubuntu and Alpine number by the day; where it is not told there is no date."""
    assert distribution.date_of(version) == date


def test_the_version_is_found_in_the_package_database(tmp_path: Path) -> None:
    """Only of a package that is installed, and of no other."""
    database = tmp_path / "status"
    stanza = "Package: {}\nStatus: {} ok installed\nPriority: optional\nVersion: {}\nDepends: x\n\n"
    database.write_text(
        stanza.format("ca-certificates-java", "install", "1")
        + stanza.format("ca-certificates", "install", "20230311")
    )
    assert distribution.version_in(database, distribution.DPKG) == "20230311"
    database.write_text(stanza.format("ca-certificates", "deinstall", "20230311"))
    assert distribution.version_in(database, distribution.DPKG) == ""
    database.write_text("C:Q1\nP:ca-certificates-bundle\nV:20240705-r0\nA:x86_64\n")
    assert distribution.version_in(database, distribution.APK) == "20240705-r0"
    assert distribution.version_in(tmp_path / "none", distribution.APK) == ""


def test_a_root_is_public_by_its_fingerprint(tmp_path: Path) -> None:
    """A private root stays private under whatever name and in whatever store it lies."""
    for name in ("system-roots.pem", "certifi.pem", "system"):
        path = tmp_path / name
        path.write_bytes(pem_of([ROOT]))
        found = root_of(told(CHAIN), [file_store(path)])
        assert (found.public, found.sha256) == (False, told([ROOT])[0].sha256)
    renamed = replace(file_store(tmp_path / "system"), name="system")
    assert root_of(told(CHAIN), [renamed]).public is False


def test_every_root_of_mozilla_is_public_wherever_it_is_found() -> None:
    """certifi's roots by themselves, with no store at hand."""
    anchors = certifi_store().anchors
    prints = [read_certificate(dump_certificate(FILETYPE_ASN1, a)) for a in anchors]
    assert len(prints) > 100
    assert all(root_of([root]).public for root in prints)
    assert {root.sha256 for root in prints} <= set(public_roots())


def test_an_impostor_of_a_public_root_is_not_public() -> None:
    """Its name with another key proves nothing: the signature decides."""
    real = next(iter(public_roots().values()))
    name = real.subject
    impostor = new_root("x", "y", NOW)
    leaf = impostor.issue(Recipe("mx.example")).certificate
    forged = made(common_name="mx.example")
    assert root_of(told([leaf, impostor.certificate])).public is False
    renamed = told([forged])[0].model_copy(update={"issuer": name.rfc4514_string()})
    assert root_of([renamed]).public is False


def test_without_a_root_it_is_not_known() -> None:
    """Neither sent nor stored: it may be in another programme, so nothing is claimed."""
    assert root_of(told(CHAIN)).public is None
    assert root_of(told(CHAIN[:1]), [certifi_store()]).public is None
    assert root_of([]).public is None
    alone = issued(Variant.SELF_SIGNED).chain
    assert root_of(told(alone)).public is False


def test_the_system_store_is_dated_by_its_package_or_not_at_all() -> None:
    """The bundle's time stamp is the day of the last update of anything."""
    store = system_store()
    assert store.problem or store.date == distribution.date_of(distribution.package_version())


def test_a_certificate_that_is_no_authority_may_stand_in_a_store(tmp_path: Path) -> None:
    """Pinned self-signed certificates are common in stores of mail servers."""
    alone = issued(Variant.SELF_SIGNED).certificate
    path = tmp_path / "pinned.der"
    path.write_bytes(alone.public_bytes(Encoding.DER))
    assert file_store(path).size == 1


@pytest.mark.parametrize("purpose", ["serverAuth", "clientAuth"])
@pytest.mark.parametrize(
    "settings",
    [
        ("-addtrust", "serverAuth"),
        ("-addreject", "clientAuth"),
        ("-addtrust", "emailProtection"),
        ("-addreject", "anyExtendedKeyUsage"),
        ("-addtrust", "anyExtendedKeyUsage"),
        ("-setalias", "nothing about uses"),
    ],
)
def test_the_trust_settings_of_an_anchor_count_as_they_do_for_openssl(
    tmp_path: Path, settings: tuple[str, str], purpose: str
) -> None:
    """Files such as Red Hat's ca-bundle.trust.crt hold roots that are trusted for some uses only,
    or for none: OpenSSL and Postfix refuse them for the others."""
    root, store, leaf, rest = (tmp_path / n for n in ("root.pem", "store.pem", "leaf.pem", "rest"))
    root.write_bytes(pem_of([ROOT]))
    leaf.write_bytes(pem_of(CHAIN[:1]))
    rest.write_bytes(pem_of(CHAIN[1:]))
    made_by = ["openssl", "x509", "-in", str(root), "-trustout", *settings, "-out", str(store)]
    subprocess.run(made_by, check=True, timeout=30)
    asked = {"serverAuth": "sslserver", "clientAuth": "sslclient"}[purpose]
    verify = ["openssl", "verify", "-attime", str(int(NOW.timestamp())), "-purpose", asked]
    files = ["-CAfile", str(store), "-no-CApath", "-no-CAstore", "-untrusted", str(rest), str(leaf)]
    judge = subprocess.run([*verify, *files], capture_output=True, timeout=30, check=False)
    answer = judge_trust(told(CHAIN), file_store(store), purpose=purpose, now=NOW)
    assert answer.trusted.is_yes is (judge.returncode == 0)
    if judge.returncode:
        assert b"certificate rejected" in judge.stderr
        assert "certificate rejected" in answer.detail
