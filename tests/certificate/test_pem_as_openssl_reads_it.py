"""What OpenSSL does not load, and so Postfix neither, is not readable; what it loads, is."""

from __future__ import annotations

import random
import ssl
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from certificate.made import der, issued
from OpenSSL import SSL

from incamail_lib.certificate import load_credential
from incamail_lib.certificate.pem import BYTE_ORDER_MARK, BrokenPem, blocks
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse
from incamail_lib.facts.observation import Answer

OWN = issued()
PEM, KEY = OWN.pem(), OWN.key_pem()
SEED, MUTATIONS = 20261126, 1200


def sent(file: Path, key: Path) -> list[bytes]:
    """The certificates that a server sends with this pair; none where OpenSSL does not load it.

    It is loaded by SSL_CTX_use_certificate_chain_file, as Postfix does it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(file, key)
    except ssl.SSLError:
        return []
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    client.set_connect_state()
    for _ in range(4):
        with suppress(SSL.WantReadError):
            client.do_handshake()
        with suppress(SSL.WantReadError):
            incoming.write(client.bio_read(100_000))
        with suppress(ssl.SSLWantReadError):
            server.do_handshake()
        data = outgoing.read()
        if data:
            client.bio_write(data)
    chain = client.get_peer_cert_chain(as_cryptography=True)
    assert chain is not None
    return [der(certificate) for certificate in chain]


def both(folder: Path, data: bytes) -> tuple[list[bytes], CredentialFacts]:
    """What a server sends from one file, and what we read in it."""
    file, key = folder / "own.pem", folder / "own.key"
    file.write_bytes(data)
    if not key.exists():
        key.write_bytes(KEY)
    facts, _ = load_credential(file, key_path=key, uses=(CredentialUse.SENDING,))
    return sent(file, key), facts


def rewrapped(data: bytes, width: int) -> bytes:
    """The base64 in lines of another length."""
    found: list[bytes] = []
    held = b""
    for line in data.split(b"\n"):
        if line.startswith(b"-----"):
            found += [held[at : at + width] for at in range(0, len(held), width)]
            found.append(line)
            held = b""
        else:
            held += line
    return b"\n".join((*found, b""))


LINES = PEM.split(b"\n")
BEGIN, END = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"

LOADED = {
    "as written": PEM,
    "CRLF": PEM.replace(b"\n", b"\r\n"),
    "byte order mark": BYTE_ORDER_MARK + PEM,
    "a mark before each": BYTE_ORDER_MARK + PEM.replace(END, END + BYTE_ORDER_MARK, 1),
    "no last line end": PEM.rstrip(),
    "blanks behind": PEM.replace(b"\n", b" \t\n"),
    "text around": b"subject: x\n\n" + PEM.replace(BEGIN, b"issuer = y\n" + BEGIN) + b"end",
    "blank line first": PEM.replace(BEGIN, BEGIN + b"\n"),
    "one long line": rewrapped(PEM, 10_000),
    "old label": PEM.replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
    "another block before": b"-----BEGIN X-----\nAAAA\n-----END X-----\n" + PEM,
}
REFUSED = {
    "glued": (PEM.replace(b"-----\n-----BEGIN", b"----------BEGIN"), "glued"),
    "CR only": (PEM.replace(b"\n", b"\r"), "CR alone"),
    "indented": (b"  " + PEM.replace(b"\n", b"\n  "), "start of its line"),
    "quoted": (b"\n".join(b"> " + line for line in LINES), "start of its line"),
    "blank line within": (b"\n".join([*LINES[:3], b"", *LINES[3:]]), "blank line"),
    "blank line before END": (PEM.replace(END, b"\n" + END), "blank line"),
    "header": (PEM.replace(BEGIN, BEGIN + b"X-Note: a\n\n"), "header"),
    "header without blank line": (PEM.replace(BEGIN, BEGIN + b"X-Note: a\n"), "header"),
    "a dash missing": (PEM.replace(b"-----END", b"----END"), "cut off"),
    "a dash missing behind": (PEM.replace(b"CERTIFICATE-----\n-", b"CERTIFICATE----\n-", 1), "END"),
    "another END": (PEM.replace(b"END CERT", b"END X509 CERT", 1), "END"),
    "quoted-printable": (PEM.replace(b"=\n", b"=3D\n").replace(b"i", b"=69", 3), "base64"),
    "odd character": (PEM.replace(LINES[3], LINES[3][:-1] + b"*"), "base64"),
    "no-break space": (PEM.replace(LINES[3], LINES[3] + b"\xc2\xa0x"), "base64"),
    "UTF-16": (PEM.decode().encode("utf-16"), "UTF-16"),
    "UTF-16 without mark": (PEM.decode().encode("utf-16-le"), "UTF-16"),
    "cut": (PEM[:400], "cut off"),
    "small letters": (PEM.replace(b"CERTIFICATE", b"certificate"), "no certificate"),
}


@pytest.mark.parametrize("layout", LOADED)
def test_what_openssl_loads_is_read(tmp_path: Path, layout: str) -> None:
    """Odd layouts that do no harm are no reason to refuse a file."""
    loaded, facts = both(tmp_path, LOADED[layout])
    assert (facts.readable.answer, facts.key_matches.is_yes) == (Answer.YES, True)
    assert [c.der for c in facts.chain] == loaded == [der(c) for c in OWN.chain]


@pytest.mark.parametrize("layout", REFUSED)
def test_what_openssl_refuses_is_refused_by_name(tmp_path: Path, layout: str) -> None:
    """The gateway would run without a certificate; the sentence says what to mend."""
    data, cause = REFUSED[layout]
    loaded, facts = both(tmp_path, data)
    assert (loaded, facts.readable.answer) == ([], Answer.NO)
    assert cause in facts.readable.evidence


def test_a_block_that_openssl_passes_over_is_not_counted(tmp_path: Path) -> None:
    """An indented intermediate is text to OpenSSL: the chain that is sent lacks it."""
    first, second = PEM.split(END)[:2]
    data = first + END + second.replace(b"-----BEGIN", b" -----BEGIN") + END
    loaded, facts = both(tmp_path, data)
    assert [c.der for c in facts.chain] == loaded == [der(OWN.certificate)]


@pytest.mark.tool("openssl")
def test_a_trusted_certificate_is_read_as_the_leaf_alone(tmp_path: Path) -> None:
    """`openssl x509 -trustout` writes one; OpenSSL takes it first in a file and nowhere else."""
    made = []
    for certificate in OWN.chain:
        command = ["openssl", "x509", "-inform", "DER", "-trustout", "-addtrust", "serverAuth"]
        done = subprocess.run(
            command, input=der(certificate), capture_output=True, check=True, timeout=60
        )
        assert b"BEGIN TRUSTED CERTIFICATE" in done.stdout
        made.append(done.stdout)
    for data in (made[0], b"".join(made)):
        loaded, facts = both(tmp_path, data)
        assert [c.der for c in facts.chain] == loaded == [der(OWN.certificate)]


def mutated(picked: random.Random, data: bytes) -> bytes:
    """One change of layout, as mail programs, editors and people make them."""
    lines = data.split(b"\n")
    place = picked.randrange(len(lines))
    spot = picked.randrange(len(data) + 1)
    mark = b"".join((lines[place], picked.choice([b" ", b"\t", b" x", b"\r", b"\0", b"=", b"-"])))
    some = picked.choice(
        [b"", b"X: y", b"# c", b"junk", b"A", b"=", b"Proc-Type: 4,ENCRYPTED", b"-----BEGIN X-----"]
    )
    changes: list[Callable[[], bytes]] = [
        lambda: data.replace(b"\n", b"\r\n"),
        lambda: data.replace(b"\n", b"\r", picked.choice([1, 3, -1])),
        lambda: BYTE_ORDER_MARK + data,
        lambda: b"\n".join([*lines[:place], some, *lines[place:]]),
        lambda: b"\n".join([*lines[:place], b"  " + lines[place], *lines[place + 1 :]]),
        lambda: b"\n".join([*lines[:place], mark, *lines[place + 1 :]]),
        lambda: b"\n".join(
            [*lines[:place], b"".join(lines[place : place + 2]), *lines[place + 2 :]]
        ),
        lambda: b"\n".join([*lines[:place], *lines[place + 1 :]]),
        lambda: data[:spot],
        lambda: data[spot:],
        lambda: data[:spot] + picked.choice([b"\n", b"\r\n", b" ", b"\n\n", b"\0"]) + data[spot:],
        lambda: data.replace(b"-----", b"----", picked.randrange(1, 5)),
        lambda: data.replace(b"CERTIFICATE", some or b"CERT", picked.randrange(1, 5)),
        lambda: rewrapped(data, picked.choice([10, 63, 64, 65, 76, 253, 254, 255, 300])),
        lambda: some + b"\n" + data,
        lambda: data + some,
        lambda: data.decode("latin-1").encode(picked.choice(["utf-16", "utf-16-le"])),
        lambda: b"\n".join(picked.choice([b"> ", b" "]) + line for line in lines),
        lambda: data.replace(BEGIN, BEGIN + some + b"\n", 1),
        lambda: data.replace(b"=\n", b"=3D\n"),
    ]
    return picked.choice(changes)()


def test_every_layout_is_judged_as_openssl_judges_it(tmp_path: Path) -> None:
    """Seeded: what we read is what a server sends, and nothing where OpenSSL loads nothing.

    A file whose first certificate is not the key's any more is legible, but loads nothing.
    """
    picked = random.Random(SEED)
    counted = {True: 0, False: 0}
    for _ in range(MUTATIONS):
        data = PEM
        for _ in range(picked.choice([1, 1, 2, 3])):
            data = mutated(picked, data)
        loaded, facts = both(tmp_path, data)
        counted[bool(loaded)] += 1
        ours = [c.der for c in facts.chain] if facts.key_matches.is_yes else []
        assert ours == loaded, (facts.readable, data)
    assert min(counted.values()) > MUTATIONS / 5, "both answers are to be tried"


def test_the_differential_can_fail() -> None:
    """A reader that takes what stands between the dashes, as many do, finds both certificates."""
    glued = REFUSED["glued"][0]
    assert glued.count(b"-----BEGIN CERTIFICATE-----") == 2
    with pytest.raises(BrokenPem):
        list(blocks(glued))
