"""One file, judged by the checks of the audit: what fails there fails here."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import random
from pathlib import Path

import pytest
from certificate.made import HOST, NOW, der, issued, made
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from typer.testing import CliRunner, Result

from incamail_lib.audit.inspecting import Inspection, inspected
from incamail_lib.certificate import load_credential
from incamail_lib.certificate.stores import certifi_store, file_store
from incamail_lib.checks import of_family
from incamail_lib.checks._of_certificates import FAMILY, certificate_checks
from incamail_lib.cli.app import app
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.findings import Level, Outcome, Verdict
from incamail_lib.lab import pki
from incamail_lib.lab.authority import pem_of
from incamail_lib.lab.pki import Variant

SENDING, RECEIVING = CredentialUse.SENDING, CredentialUse.RECEIVING
LAB = pki.build(NOW)
PASSPHRASE = b"Gipfeli-4711"


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """The peer's own store, with the lab's roots."""
    return pki.write_trust_store(LAB, tmp_path)


def looked_at(
    folder: Path,
    content: bytes,
    *uses: CredentialUse,
    roots: Path | None = None,
    host: str = "",
    now: dt.datetime = NOW,
) -> Inspection:
    """Inspect a file with this content, against the peer's store or against certifi alone."""
    path = folder / "own.pem"
    path.write_bytes(content)
    told, _ = load_credential(path, uses=tuple(CredentialUse))
    stores = [file_store(roots)] if roots else [certifi_store()]
    return inspected(
        told, uses=uses, stores=stores, stores_decide=roots is not None, host=host, now=now
    )


def outcome(found: Inspection, code: str) -> Outcome:
    return next(f.outcome for f in found.findings if f.code == code)


def whole(variant: Variant = Variant.BOTH) -> bytes:
    return issued(variant).pem() + issued(variant).key_pem()


def test_the_checks_of_certificates_are_all_there() -> None:
    """Loaded by themselves they are those of the whole program, in the same order."""
    assert certificate_checks() == of_family(FAMILY)


def test_a_sound_file_passes_in_both_directions(tmp_path: Path, roots: Path) -> None:
    """Key, purpose, validity, chain, name and trust: each is found good, and told."""
    found = looked_at(tmp_path, whole(), roots=roots, host=HOST)
    assert (found.verdict, set(found.uses)) == (Verdict.READY, {SENDING, RECEIVING})
    assert set(found.usable.values()) == {Verdict.READY}
    codes = ("CERT21", "CERT22", "CERT25", "CERT29", "CERT30", "CERT04", "CERT06", "CERT07")
    assert {outcome(found, code) for code in codes} == {Outcome.PASSED}
    assert {t.purpose for t in found.trust if t.trusted.is_yes} == {"clientAuth", "serverAuth"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (issued().pem() + issued(Variant.BOTH, "other.example").key_pem(), "CERT21"),
        (whole(Variant.EXPIRED), "CERT25"),
        (whole(Variant.NOT_YET_VALID), "CERT25"),
        (whole(Variant.SELF_SIGNED), "CERT28"),
        (pem_of(issued().leaf_only) + issued().key_pem(), "CERT29"),
        (whole(Variant.SHA1), "CERT32"),
        (whole().replace(b"-----\n-----BEGIN", b"----------BEGIN", 1), "CERT20"),
    ],
    ids=["key", "expired", "not yet", "self-signed", "gap", "sha1", "glued"],
)
@pytest.mark.parametrize("known", [True, False], ids=["own store", "certifi"])
def test_what_fails_in_the_audit_fails_here(
    tmp_path: Path, roots: Path, content: bytes, code: str, known: bool
) -> None:
    """Each by its own check, whatever store is asked."""
    found = looked_at(tmp_path, content, roots=roots if known else None)
    assert found.verdict is Verdict.NOT_READY
    assert outcome(found, code) is Outcome.FAILED


def test_a_file_is_judged_for_what_it_names_unless_told(tmp_path: Path, roots: Path) -> None:
    """A certificate for servers is no failure as such; for sending it is."""
    found = looked_at(tmp_path, whole(Variant.SERVER), roots=roots)
    assert (found.uses, found.verdict) == ((RECEIVING,), Verdict.READY)
    assert found.usable == {RECEIVING: Verdict.READY, SENDING: Verdict.NOT_READY}
    sending = looked_at(tmp_path, whole(Variant.SERVER), SENDING, roots=roots)
    assert (sending.uses, sending.verdict) == ((SENDING,), Verdict.NOT_READY)
    assert outcome(sending, "CERT22") is Outcome.FAILED
    client = looked_at(tmp_path, whole(Variant.CLIENT), roots=roots)
    assert (client.uses, client.verdict) == ((SENDING,), Verdict.READY)


def test_only_a_store_of_the_peer_decides(tmp_path: Path, roots: Path) -> None:
    """certifi does not know a private authority: told, but Swiss Post may have registered it."""
    found = looked_at(tmp_path, whole())
    assert found.verdict is Verdict.READY
    unknown = next(f for f in found.findings if f.code == "CERT30")
    assert (unknown.outcome, unknown.level) == (Outcome.FAILED, Level.INFO)
    other = tmp_path / "other.pem"
    other.write_bytes(pem_of([LAB.exotic.root]))
    assert looked_at(tmp_path, whole(), roots=other).verdict is Verdict.NOT_READY


def test_a_key_elsewhere_decides_nothing(tmp_path: Path, roots: Path) -> None:
    """The key may lie on the gateway; that it was not compared is told all the same."""
    found = looked_at(tmp_path, issued().pem(), roots=roots)
    assert found.verdict is Verdict.READY
    assert outcome(found, "CERT21") is Outcome.UNKNOWN


def test_the_host_and_the_date_are_given(tmp_path: Path, roots: Path) -> None:
    """Another name fails; so does another year."""
    assert looked_at(tmp_path, whole(), roots=roots, host="mx9.example").name_match is not None
    for found in (
        looked_at(tmp_path, whole(), roots=roots, host="mx9.example"),
        looked_at(tmp_path, whole(), roots=roots, now=NOW + dt.timedelta(days=400)),
    ):
        assert found.verdict is Verdict.NOT_READY


def test_an_unreadable_usage_is_not_taken_for_allowed(tmp_path: Path) -> None:
    """Damage in the extension that restricts a certificate does not lift the restriction."""
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    broken = x509.UnrecognizedExtension(x509.ExtendedKeyUsage.oid, bytes.fromhex("ff01"))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    found = looked_at(tmp_path, pem_of([made(key, extensions=[broken])]) + pem)
    assert Verdict.READY not in found.usable.values()


def armoured(data: bytes) -> bytes:
    body = base64.encodebytes(data)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def test_one_damaged_byte_anywhere_is_no_crash_and_never_sound(tmp_path: Path, roots: Path) -> None:
    """Seeded places in leaf and issuer; the whole table is written, in another language too."""
    picked = random.Random(5)
    sound = [der(c) for c in issued().chain]
    for number in range(40):
        which = picked.randrange(2)
        data = bytearray(sound[which])
        data[picked.randrange(len(data))] ^= picked.choice([1, 0x20, 0x80, 0xFF])
        chain = [bytes(data) if n == which else c for n, c in enumerate(sound)]
        pem = b"".join(map(armoured, chain)) + issued().key_pem()
        found = looked_at(tmp_path, pem, roots=roots, host=HOST)
        assert found.verdict is not Verdict.READY
        if number % 5:
            continue
        told = run(tmp_path / "own.pem", "--lang", "fr")
        assert told.exit_code in (0, 1, 3), told.output
        assert told.exception is None or isinstance(told.exception, SystemExit)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["inspect", *map(str, arguments)])


def test_the_command_tells_and_ends_as_it_judges(tmp_path: Path, roots: Path) -> None:
    """0 where nothing fails, 1 where something does, 3 where a passphrase is missing."""
    pem, key = pki.write_pem(issued(), tmp_path, "own")
    common = ("--at", f"{NOW:%Y-%m-%d}", "--trust-store", roots)
    good = run(pem, "--key", key, "--host", HOST, *common)
    assert good.exit_code == 0, good.output
    assert "PRIVATE KEY" not in good.output
    told = json.loads(run(pem, "--key", key, "--json", *common).output)
    assert (told["key_matches"]["answer"], told["verdict"]) == ("yes", "ready")
    assert run(pem, "--key", key, "--at", "2040-01-01").exit_code == 1
    assert run(pem, "--for", "receiving", "--host", "mx9.example", *common).exit_code == 1
    locked = run(pki.write_pkcs12(issued(), tmp_path, "b", passphrase=PASSPHRASE), *common)
    assert (locked.exit_code, "passphrase" in locked.output) == (3, True)


def test_what_is_no_file_is_wrong_use(tmp_path: Path) -> None:
    """A missing file, a folder, a pipe that nobody writes to and a device: exit code 2, at once."""
    pem, _ = pki.write_pem(issued(), tmp_path, "own")
    pipe = tmp_path / "pipe.pem"
    os.mkfifo(pipe)
    for path in (tmp_path / "missing.pem", tmp_path, pipe, Path("/dev/zero")):
        for arguments in ((path,), (pem, "--key", path), (pem, "--trust-store", path / "x")):
            found = run(*arguments)
            assert found.exit_code == 2, found.output
            assert path.name in found.output.replace("\n", "")
