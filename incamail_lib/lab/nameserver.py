"""An authoritative name server on loopback, UDP and TCP, sound or misbehaving as declared."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from incamail_lib.lab.listening import LOOPBACK, listen

TTL_S = 300
MAX_ALIASES = 8
ATTEMPTS = 20  # to find a port that is free for UDP and TCP at once
_RCODES = {"servfail": dns.rcode.SERVFAIL, "refused": dns.rcode.REFUSED}

Records = Sequence[tuple[str, str, str]]
"""(name, type, value) in presentation form; names without a trailing dot are absolute."""


class Zone:
    """What the server knows, and how it answers. Pure: message in, message out."""

    def __init__(
        self,
        records: Records,
        faults: Mapping[str, str] | None = None,
        authenticated: Collection[str] = (),
    ) -> None:
        self._sets: dict[tuple[dns.name.Name, int], dns.rrset.RRset] = {}
        for name, kind, value in records:
            self._add(dns.name.from_text(name), dns.rdatatype.from_text(kind), value)
        self._faults = {_place(n): str(f) for n, f in (faults or {}).items()}
        self._authenticated = {dns.name.from_text(name) for name in authenticated}
        self._names = {ancestor for name, _ in self._sets for ancestor in _with_ancestors(name)}

    def _add(self, name: dns.name.Name, kind: dns.rdatatype.RdataType, value: str) -> None:
        found = self._sets.get((name, kind))
        if found is None:
            made = dns.rrset.from_text(name, TTL_S, dns.rdataclass.IN, kind, value)
            self._sets[name, kind] = made
            return
        found.add(dns.rrset.from_text(name, TTL_S, dns.rdataclass.IN, kind, value)[0])

    def answer(self, query: dns.message.Message, *, over_tcp: bool) -> dns.message.Message | None:
        """The response to `query`; None where the declared fault is silence."""
        question = query.question[0]
        fault = self._fault(question.name, question.rdtype)
        response = dns.message.make_response(query, recursion_available=True)
        if fault == "timeout":
            return None
        if fault in _RCODES:
            response.set_rcode(_RCODES[fault])
            return response
        if fault == "lame":
            return response  # neither authority nor content
        if fault == "truncated" and not over_tcp:
            response.flags |= dns.flags.TC
            return response
        response.flags |= dns.flags.AA
        if question.name in self._authenticated:
            response.flags |= dns.flags.AD
        self._fill(response, question.name, question.rdtype)
        if fault == "alias_only":  # of an alias that leads out of its zones, an authority tells
            response.answer = [s for s in response.answer if s.rdtype == dns.rdatatype.CNAME]
            response.authority.clear()
            response.set_rcode(dns.rcode.NOERROR)
        return response

    def _fault(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> str:
        return self._faults.get((name, dns.rdatatype.to_text(kind))) or self._faults.get(
            (name, ""), ""
        )

    def _fill(
        self, response: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> None:
        for _ in range(MAX_ALIASES):
            found = self._found(name, kind)
            alias = self._sets.get((name, dns.rdatatype.CNAME))
            if found is not None or alias is None:
                break
            response.answer.append(alias)
            name = alias[0].target
        if found is not None:
            response.answer.append(found)
            return
        if self._owner(name) not in self._names:
            response.set_rcode(dns.rcode.NXDOMAIN)
        parent = name.parent() if len(name) > 1 else name
        value = "ns.lab.example. hostmaster.lab.example. 1 3600 600 86400 60"
        response.authority.append(
            dns.rrset.from_text(parent, 60, dns.rdataclass.IN, dns.rdatatype.SOA, value)
        )

    def _found(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        """The record set of a name; of one that does not exist, what the wildcard has."""
        owner = self._owner(name)
        found = self._sets.get((owner, kind))
        if found is None or owner == name:
            return found
        return dns.rrset.from_rdata_list(name, found.ttl, list(found))

    def _owner(self, name: dns.name.Name) -> dns.name.Name:
        """The name itself, or `*` below the closest name that exists (RFC 4592)."""
        encloser = name
        while encloser not in self._names and len(encloser) > 1:
            encloser = encloser.parent()
        if encloser == name:
            return name
        wildcard = dns.name.Name((b"*", *encloser.labels))
        return wildcard if wildcard in self._names else name


def _place(text: str) -> tuple[dns.name.Name, str]:
    """The name and type that a fault is about: "mx1.muster.example/AAAA"; no type means all."""
    name, _, kind = text.partition("/")
    return dns.name.from_text(name), kind


def _with_ancestors(name: dns.name.Name) -> list[dns.name.Name]:
    """The name and every name above it: those exist too, though they hold nothing."""
    return [name.split(depth)[1] for depth in range(1, len(name) + 1)]


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        wire = _respond(self._zone, data, over_tcp=False)
        if wire is not None and self._transport is not None:
            self._transport.sendto(wire, addr)


def _respond(zone: Zone, data: bytes, *, over_tcp: bool) -> bytes | None:
    try:
        query = dns.message.from_wire(data)
    except dns.exception.DNSException:
        return None  # not a question: not worth an answer
    if len(query.question) != 1:
        return None
    response = zone.answer(query, over_tcp=over_tcp)
    if response is None:
        return None
    try:
        return response.to_wire(max_size=65_535 if over_tcp else 1232)
    except dns.exception.TooBig:
        response.answer.clear()
        response.authority.clear()
        response.flags |= dns.flags.TC
        return response.to_wire()


class _Tcp:
    """Serves questions over TCP; remembers its tasks so that none outlives the server."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self.tasks: set[asyncio.Task[None]] = set()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                wire = _respond(self._zone, await reader.readexactly(size), over_tcp=True)
                if wire is not None:
                    writer.write(struct.pack("!H", len(wire)) + wire)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def serve(
    records: Records,
    faults: Mapping[str, str] | None = None,
    *,
    authenticated: Collection[str] = (),
    port: int = 0,
) -> AsyncIterator[tuple[str, int]]:
    """Serve `records` on `port` of 127.0.0.1, or a free one; yields (address, port).

    `faults` maps a name, or one type of it ("mx1.muster.example/AAAA"), to servfail, refused,
    timeout, lame, truncated or alias_only. Names in `authenticated` are answered with the AD flag,
    as a validating resolver would.
    """
    zone = Zone(records, faults, authenticated)
    tcp = _Tcp(zone)
    server, transport, port = await _bound(zone, tcp, port)
    try:
        yield LOOPBACK, port
    finally:
        transport.close()
        server.close()
        for task in tuple(tcp.tasks):
            task.cancel()
        await asyncio.gather(*tcp.tasks, return_exceptions=True)
        await server.wait_closed()


async def _bound(
    zone: Zone, tcp: _Tcp, wanted: int
) -> tuple[asyncio.Server, asyncio.DatagramTransport, int]:
    """One port for both transports; the one that is free for TCP may be taken for UDP."""
    loop = asyncio.get_running_loop()
    for attempt in range(ATTEMPTS):
        server = await listen(tcp.connected, 0 if attempt else wanted)
        port = server.sockets[0].getsockname()[1]
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Udp(zone), local_addr=(LOOPBACK, port)
            )
        except OSError:
            server.close()
            await server.wait_closed()
            if attempt == ATTEMPTS - 1:
                raise
            continue
        return server, transport, port
    raise AssertionError("unreachable")
