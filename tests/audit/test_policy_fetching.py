"""The MTA-STS policy is taken from the right server, whole, and from nowhere else."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from probe.served import LAB

from incamail_lib.audit.policy_fetching import MAX_BYTES, HttpsFetcher
from incamail_lib.lab import pki
from incamail_lib.lab.pki import Variant
from incamail_lib.lookup import read_policy

DOMAIN = "muster.example"
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.muster.example\r\nmax_age: 604800\r\n"
PLAIN = b"content-type: text/plain\r\n"


def reply(body: bytes, *, status: bytes = b"200 OK", headers: bytes = PLAIN) -> bytes:
    length = str(len(body)).encode()
    return b"HTTP/1.1 %b\r\n%bcontent-length: %b\r\n\r\n%b" % (status, headers, length, body)


def fetched(folder: Path, answer: bytes, *, name: str = f"mta-sts.{DOMAIN}") -> bytes:
    """What the fetcher gets from a server on loopback that answers `answer`."""
    file, key = pki.write_pem(LAB.leaf(Variant.SERVER, name), folder, "web")
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(file, key)
    ours = ssl.create_default_context(cafile=pki.write_trust_store(LAB, folder))
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    async def run() -> bytes:
        async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_side) as server:
            port = server.sockets[0].getsockname()[1]
            return await HttpsFetcher(port, "127.0.0.1", ours)(DOMAIN)

    body = asyncio.run(run())
    assert asked[0].startswith(b"GET /.well-known/mta-sts.txt ")
    assert f"mta-sts.{DOMAIN}".encode() in asked[0]
    return body


def test_a_good_policy_is_fetched_and_read(tmp_path: Path) -> None:
    """Status 200, text/plain and a certificate for mta-sts.<domain>: the document as it is."""
    policy = read_policy(fetched(tmp_path, reply(POLICY)))
    assert (policy.mode, policy.mx_patterns) == ("enforce", ("mx1.muster.example",))


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (reply(POLICY, status=b"404 Not Found"), "404"),
        (reply(b"", status=b"301 Moved", headers=b"location: https://x.example/\r\n"), "301"),
        (reply(POLICY, headers=b"content-type: text/html\r\n"), "text/html"),
        (reply(b"x" * (MAX_BYTES + 1)), "more than"),
        (b"garbage\r\n\r\n", "Protocol"),
        (b"", "Protocol"),
    ],
    ids=["missing", "redirect", "html", "huge", "garbage", "nothing"],
)
def test_anything_else_is_refused_with_its_cause(tmp_path: Path, answer: bytes, cause: str) -> None:
    """A redirect is not followed, a page is no policy, and no more than the limit is read."""
    with pytest.raises((OSError, ValueError), match=cause):
        fetched(tmp_path, answer)


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    """Whoever cannot prove to be mta-sts.<domain> has no say (RFC 8461 §3.3)."""
    with pytest.raises(OSError, match="ertificate"):
        fetched(tmp_path, reply(POLICY), name="www.muster.example")
