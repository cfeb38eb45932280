"""The openssl line of guide 8.4: copied into a shell as it stands, it shows both certificates."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from documents.dossiers import basis, empty, full, made
from probe.served import NOW

from incamail_lib.documents.by_hand import identity_commands
from incamail_lib.documents.parts import Basis
from incamail_lib.guide import PlatformGateway, load_platform
from incamail_lib.lab import pki
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.setting import sound_platform
from incamail_lib.sheets.html import render_html
from incamail_lib.sheets.model import gaps

DASHES = re.compile("[\u2010-\u2015\u2212]")


def with_certificate(file: str, key: str | None = None, **changes: Any) -> Basis:
    sending = {"file": file, "passphrase_env": "PASS"} | ({"key": key} if key else {})
    return basis(empty(certificates={"sending": sending}, **changes))


def at_port(known: Basis, port: int) -> Basis:
    """The same against a gateway on this computer."""
    gateway = load_platform().gateways[0]
    here = PlatformGateway(**(gateway.model_dump() | {"host": "localhost", "port": port}))
    platform = known.platform.model_copy(update={"gateways": (here,)})
    return Basis(known.dossier, known.guide, platform, known.audit, known.today)


def entered(command: str, folder: Path, roots: Path) -> str:
    """What a shell prints for the line."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        cwd=folder,
        env=os.environ | {"SSL_CERT_FILE": str(roots), "SSL_CERT_DIR": "/nonexistent"},
        timeout=60,
        check=False,
    )
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def against_the_lab(folder: Path, *, shows: bool) -> tuple[str, Gateway]:
    """The line for a certificate in files with blanks in their names, run against the platform."""
    lab = pki.build(NOW)
    chain, key = pki.write_pem(lab.leaf(Variant.BOTH, "out.muster.example"), folder, "own")
    chain.rename(folder / "my chain.pem")
    key.rename(folder / "-key.pem")
    roots = pki.write_trust_store(lab, folder)
    known = with_certificate("my chain.pem", "-key.pem") if shows else basis(empty())

    async def run() -> tuple[str, Gateway]:
        async with serve(sound_platform("localhost", lab), now=NOW) as gateway:
            (command,) = identity_commands(at_port(known, gateway.port))
            return await asyncio.to_thread(entered, command, folder, roots), gateway

    return asyncio.run(run())


@pytest.mark.tool("openssl")
def test_the_line_shows_the_own_certificate_and_is_let_in(tmp_path: Path) -> None:
    """Verified by name and root, own chain sent whole, and the server says good-bye."""
    said, gateway = against_the_lab(tmp_path, shows=True)
    assert "Verify return code: 0 (ok)" in said
    assert "221 2.0.0 Bye" in said  # in a pipe it may stand inside another line
    (record,) = gateway.records
    assert record.commands_in_tls == ["QUIT"]
    assert "CN=out.muster.example" in record.client_subject
    assert record.client_problems == ()


@pytest.mark.tool("openssl")
def test_without_a_certificate_the_line_is_refused(tmp_path: Path) -> None:
    """The test above can fail: the lab demands a certificate, and the line shows that it does."""
    said, _ = against_the_lab(tmp_path, shows=False)
    assert "221 2.0.0 Bye" not in said
    assert "alert certificate required" in said


def test_it_is_written_for_each_gateway_with_plain_hyphens() -> None:
    """As copied from the page: no dash that openssl does not know, no passphrase, right files."""
    known = with_certificate("cert/client.pem", "cert/client.key")
    commands = identity_commands(known)
    assert len(commands) == len(known.platform.gateways) == 2
    for command, gateway in zip(commands, known.platform.gateways, strict=True):
        assert not DASHES.search(command)
        assert "pass" not in command.lower()
        words = shlex.split(command)
        assert words[words.index("-connect") + 1] == f"{gateway.host}:25"
        assert words[words.index("-cert") + 1] == "cert/client.pem"
        assert words[words.index("-key") + 1] == "cert/client.key"
        page = render_html(made(known.dossier)["setup_document"], "en")
        assert command.replace('"', "&#34;") in page


@pytest.mark.parametrize(
    ("file", "word"),
    [
        ("client.pem", "client.pem"),
        ("a b.pem", "'a b.pem'"),
        ("-client.pem", "./-client.pem"),
        ("$(id).pem", "'$(id).pem'"),
        ("a;b.pem", "'a;b.pem'"),
        ("it's.pem", "'it'\"'\"'s.pem'"),
        ("C:\\certs\\my client.pem", '"C:\\certs\\my client.pem"'),
        ("C:\\%PATH%.pem", "'C:\\%PATH%.pem'"),
    ],
)
def test_a_file_name_is_one_word_and_no_command(file: str, word: str) -> None:
    """Blanks, hyphens and what a shell would obey; on Windows double quotes."""
    command = identity_commands(with_certificate(file))[0]
    assert f"-cert {word} -cert_chain {word} -key {word}" in command


def test_without_a_file_the_gap_is_marked() -> None:
    """The line stands there and shows no certificate; the paper says what is missing."""
    assert "-cert" not in identity_commands(basis(full()))[0]
    for name in ("setup_document", "acceptance_identity"):
        missing = [gap.text.english() for gap in gaps(made(full())[name])]
        assert "file of the certificate for sending" in missing
