"""The MTA-STS policy is taken from the right server, whole, and from nowhere else."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import attempts
import pytest
from probe.served import LAB

from incamail_lib.facts.observation import Reason
from incamail_lib.lab import nameserver, pki
from incamail_lib.lab.pki import Variant
from incamail_lib.lookup import look_up_domain, read_policy, resolver_for
from incamail_lib.lookup.fetching import MAX_BYTES, HttpsFetcher
from incamail_lib.reach import NotContacted, Reach, networks_of

DOMAIN = "muster.example"
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.muster.example\r\nmax_age: 604800\r\n"
PLAIN = b"content-type: text/plain\r\n"


def reply(body: bytes, *, status: bytes = b"200 OK", headers: bytes = PLAIN) -> bytes:
    length = str(len(body)).encode()
    return b"HTTP/1.1 %b\r\n%bcontent-length: %b\r\n\r\n%b" % (status, headers, length, body)


LOCAL = Reach(networks_of(["127.0.0.1"]))  # as an operator allows a server of his own


def fetched(
    folder: Path,
    answer: bytes,
    *,
    name: str = f"mta-sts.{DOMAIN}",
    addresses: tuple[str, ...] = ("127.0.0.1",),
    reach: Reach = LOCAL,
) -> bytes:
    """What the fetcher gets from a server on loopback that answers `answer`.

    The name server asked is one on loopback too; it gives `addresses`.
    """
    records = [(f"mta-sts.{DOMAIN}", "AAAA" if ":" in a else "A", a) for a in addresses]
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
        async with (
            await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_side) as server,
            nameserver.serve(records) as asked_for_names,
        ):
            port = server.sockets[0].getsockname()[1]
            resolver = resolver_for([asked_for_names], 5.0)
            return await HttpsFetcher(resolver, reach, port, ours)(DOMAIN)

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


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "169.254.169.254", "127.0.0.2", "::1", "::ffff:127.0.0.1", "64:ff9b::a01:203"],
)
def test_a_name_that_leads_inside_is_not_contacted(tmp_path: Path, address: str) -> None:
    """Whoever writes a zone cannot make us ask a machine of the inside: no connection is tried."""
    with attempts.recorded() as tried, pytest.raises(NotContacted, match=address[:4]):
        fetched(tmp_path, reply(POLICY), addresses=(address,), reach=Reach())
    assert tried == []


def test_only_the_allowed_one_of_several_addresses_is_contacted(tmp_path: Path) -> None:
    """An address of the inside beside a good one is left out, not tried first or last."""
    mixed = ("10.1.2.3", "127.0.0.1", "169.254.169.254")
    with attempts.recorded() as tried:
        assert fetched(tmp_path, reply(POLICY), addresses=mixed) == POLICY
    assert {host for host, _ in tried} == {"127.0.0.1"}


def test_an_address_that_refuses_is_followed_by_the_next(tmp_path: Path) -> None:
    """Of several addresses the first that takes the connection answers."""
    reach = Reach(networks_of(["127.0.0.0/8"]))
    found = fetched(tmp_path, reply(POLICY), addresses=("127.0.0.9", "127.0.0.1"), reach=reach)
    assert found == POLICY


def test_a_name_without_address_is_told(tmp_path: Path) -> None:
    """A record that promises a policy, and no server for it."""
    with pytest.raises(OSError, match="nxdomain"):
        fetched(tmp_path, reply(POLICY), addresses=())


def test_what_was_not_contacted_is_a_fact_of_the_domain() -> None:
    """The policy is not known, and why; the addresses stand there."""

    async def kept_back(_: str) -> bytes:
        raise NotContacted("10.1.2.3")

    async def run() -> Reason:
        records = [(f"_mta-sts.{DOMAIN}", "TXT", '"v=STSv1; id=1"')]
        async with nameserver.serve(records) as server:
            resolver = resolver_for([server], 5.0)
            found = await look_up_domain(DOMAIN, resolver=resolver, fetch_policy=kept_back)
        assert found.mta_sts_policy is not None
        assert found.mta_sts_policy.fetched.evidence == "10.1.2.3"
        return found.mta_sts_policy.fetched.reason

    assert asyncio.run(run()) is Reason.NOT_CONTACTED
