"""A real GnuTLS server without the protection of RFC 5746 is reached, and said to lack it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from mta.process import Log, free_port, started
from probe.served import BACKENDS, HOST, LAB, Script, scripted, settings

from incamail_lib.facts.smtp import Purpose
from incamail_lib.lab import pki
from incamail_lib.lab.pki import Variant

pytestmark = pytest.mark.tool("gnutls-serv")


@contextlib.contextmanager
def gnutls(directory: Path, priority: str) -> Iterator[int]:
    """A GnuTLS server on loopback that echoes lines; its port."""
    chain, key = pki.write_pem(LAB.leaf(Variant.RSA, HOST), directory, "gnutls")
    port = free_port()
    command = [
        *("gnutls-serv", "--echo", "--quiet", "-p", str(port), f"--priority={priority}"),
        *("--x509certfile", str(chain), "--x509keyfile", str(key)),
    ]
    with started(command, port=port, log=Log(directory / "gnutls.log")):
        yield port


def behind_starttls(port: int) -> Script:
    """STARTTLS in clear; from then on the bytes of the server on `port`."""

    async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
            sink.write_eof()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        for part in (b"220 mx1\r\n", b"250-mx1\r\n250 STARTTLS\r\n", b"220 go\r\n"):
            writer.write(part)
            await writer.drain()
            if b"go" not in part:
                await reader.readline()
        try:
            await asyncio.gather(pipe(reader, outer), pipe(inner, writer))
        finally:
            outer.transport.abort()

    return script


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("protected", [True, False])
def test_a_server_without_rfc_5746_is_seen(protected: bool, backend: str, tmp_path: Path) -> None:
    """Libraries of today refuse it; we connect all the same, and say what is missing."""
    off = "" if protected else ":%DISABLE_SAFE_RENEGOTIATION"
    with gnutls(tmp_path, f"NORMAL:-VERS-ALL:+VERS-TLS1.2{off}") as port:
        seen = scripted(behind_starttls(port), settings(backend=backend)).tls
    assert seen is not None
    assert (seen.established, seen.version) == (True, "TLSv1.2")
    assert seen.secure_renegotiation is protected


def test_old_suites_alone_are_old_tls_all_the_same(tmp_path: Path) -> None:
    """A server of TLS 1.0 with 3DES alone, which no library of today could agree with, is seen."""
    old = "NORMAL:-VERS-ALL:+VERS-TLS1.0:-CIPHER-ALL:+3DES-CBC"
    with gnutls(tmp_path, old) as port:
        seen = scripted(behind_starttls(port), settings(), Purpose.LEGACY_TLS)
    assert seen.tls is not None
    assert (seen.tls.version, seen.tls.cipher) == ("TLSv1", "ECDHE-RSA-DES-CBC3-SHA")
    assert seen.tls.chain
