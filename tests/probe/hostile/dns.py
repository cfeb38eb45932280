"""Name servers that answer in odd bytes; what a look-up may say of each."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise

from incamail_lib.facts.dns import DnsStatus

FOUND, NO_DATA, NXDOMAIN = DnsStatus.FOUND, DnsStatus.NO_DATA, DnsStatus.NXDOMAIN
SERVFAIL, REFUSED = DnsStatus.SERVFAIL, DnsStatus.REFUSED
TIMEOUT, LAME = DnsStatus.TIMEOUT, DnsStatus.LAME
Answer = Callable[[bytes], Sequence[bytes]]
MX, A, AAAA, CNAME, TXT, SOA, PTR = 15, 1, 28, 5, 16, 6, 12
SELF = b"\xc0\x0c"  # a pointer to the name in the question
QR, AA, TC, RD, RA, AD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020


@dataclass(frozen=True)
class Server:
    """A name server by what it sends over UDP, and over TCP, for a question about MX."""

    name: str
    udp: Answer
    may: DnsStatus
    records: int = 0  # at most so many are told
    tcp: Answer = lambda _: ()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[tuple[str, int]]:
        """One free port of loopback for both transports."""
        server, transport = await self._bound()
        port = server.sockets[0].getsockname()[1]
        try:
            yield "127.0.0.1", port
        finally:
            transport.close()
            server.close()
            await server.wait_closed()

    async def _bound(self) -> tuple[asyncio.Server, asyncio.DatagramTransport]:
        """The port that is free for TCP may be taken for UDP: then another."""
        loop = asyncio.get_running_loop()
        while True:
            server = await asyncio.start_server(self._over_tcp, "127.0.0.1", 0)
            address = server.sockets[0].getsockname()
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Udp(self.udp), local_addr=address
                )
            except OSError:
                server.close()
                await server.wait_closed()
                continue
            return server, transport

    async def _over_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            for data in self.tcp(await reader.readexactly(size)):
                writer.write(data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for wire in self._answer(data):
            self._transport.sendto(wire, addr)  # type: ignore[attr-defined]


def question_of(query: bytes) -> bytes:
    """The question as it was asked: name, type and class."""
    end = query.index(b"\0", 12) + 5
    return query[12:end]


def record(kind: int, data: bytes, *, name: bytes = SELF, size: int | None = None) -> bytes:
    """One resource record of class IN; `size` lies about its length."""
    return name + struct.pack("!HHIH", kind, 1, 300, len(data) if size is None else size) + data


def reply(
    *records: bytes,
    flags: int = 0,
    rcode: int = 0,
    counts: int | None = None,
    authority: int = 0,
    mark: int = 0,
    question: bytes | None = None,
) -> Answer:
    """An answer of these records. `counts` lies about their number, `mark` spoils the id."""

    def answer(query: bytes) -> list[bytes]:
        number = int.from_bytes(query[:2]) ^ mark
        told = len(records) - authority if counts is None else counts
        header = (number, QR | RD | flags | rcode, 1, told, authority, 0)
        asked = question_of(query) if question is None else question
        return [struct.pack("!6H", *header) + asked + b"".join(records)]

    return answer


def framed(answer: Answer, *, lie: int = 0) -> Answer:
    """The same over TCP, behind its length."""
    return lambda query: [struct.pack("!H", len(w) + lie) + w for w in answer(query)]


def asked_as(tail: bytes) -> Answer:
    """A sound answer to a question that ends otherwise."""
    return lambda q: reply(GOOD, flags=AA, question=question_of(q)[: -len(tail)] + tail)(q)


def always(*data: bytes) -> Answer:
    """These bytes, whatever was asked."""
    return lambda _: data


def label(*texts: bytes) -> bytes:
    """A name by its labels."""
    return b"".join(bytes([len(t)]) + t for t in texts) + b"\0"


HOST = label(b"mx1", b"muster", b"example")
GOOD = record(MX, b"\x00\x0a" + HOST)
SOA_RECORD = record(SOA, label(b"ns") + label(b"h") + struct.pack("!5I", 1, 2, 3, 4, 5))
LOOP = b"\xc0\x0c"
LONG_LABEL = record(MX, b"\0\x0a\x40" + b"x" * 64 + b"\0")
LONG_NAME = record(MX, b"\0\x0a" + label(*[b"x" * 59] * 5))
OTHER_NAME = record(MX, b"\0\x0a" + HOST, name=HOST)
CONTROLS = record(MX, b"\0\x0a" + label(b"\x1b[2J", b"\0\xff"))
MANY = tuple(record(MX, struct.pack("!H", n) + HOST) for n in range(60))


def cname(target: bytes) -> bytes:
    """An alias of the name asked for."""
    return record(CNAME, target)


def chain(length: int) -> tuple[bytes, ...]:
    """Aliases one after the other, in one answer."""
    names = [label(b"a%d" % n, b"example") for n in range(length + 1)]
    links = [record(CNAME, b, name=a) for a, b in pairwise(names)]
    return (cname(names[0]), *links)


CUT = reply(GOOD, flags=TC | AA)
SERVERS: tuple[Server, ...] = (
    Server("is silent", always(), TIMEOUT),
    Server("sends nothing at all", always(b""), TIMEOUT),
    Server("sends one byte", always(b"x"), TIMEOUT),
    Server("sends eleven bytes", always(b"x" * 11), TIMEOUT),
    Server("sends noise", always(bytes(range(256)) * 4), TIMEOUT),
    Server("sends zeros", always(b"\0" * 512), TIMEOUT),
    Server("sends the question back", lambda q: [q], TIMEOUT),
    Server("sends a header only", lambda q: [q[:2] + b"\x84\x00" + b"\0" * 8], TIMEOUT),
    Server("spoils the id", reply(GOOD, flags=AA, mark=0x5555), TIMEOUT),
    Server(
        "answers another question", reply(GOOD, flags=AA, question=HOST + b"\0\x0f\0\1"), TIMEOUT
    ),
    Server("answers another type", asked_as(b"\0\1\0\1"), TIMEOUT),
    Server("answers another class", asked_as(b"\0\3"), TIMEOUT),
    Server("has no question", reply(GOOD, flags=AA, question=b""), TIMEOUT),
    *(
        Server(f"has rcode {code}", reply(flags=AA, rcode=code), status)
        for code, status in (
            *((1, LAME), (2, SERVFAIL), (3, NXDOMAIN), (4, LAME), (5, REFUSED), (6, LAME)),
            *((7, LAME), (8, LAME), (9, LAME), (10, LAME), (11, LAME), (15, LAME)),
        )
    ),
    Server("fails with a record", reply(GOOD, flags=AA, rcode=2), SERVFAIL),
    Server("denies with a record", reply(GOOD, flags=AA, rcode=3), LAME),
    Server("is empty", reply(), LAME),
    Server("is empty but recursive", reply(flags=RA), LAME),
    Server("is empty and authoritative", reply(flags=AA), NO_DATA),
    Server("is empty with an SOA", reply(SOA_RECORD, authority=1), NO_DATA),
    Server("claims ten records", reply(GOOD, flags=AA, counts=10), TIMEOUT),
    Server("claims 65535 records", reply(GOOD, flags=AA, counts=65535), TIMEOUT),
    Server("hides its record", reply(GOOD, flags=AA, counts=0), TIMEOUT),
    Server("is cut off in the record", lambda q: [reply(GOOD, flags=AA)(q)[0][:-5]], TIMEOUT),
    Server("is cut off in the question", lambda q: [reply(GOOD, flags=AA)(q)[0][:20]], TIMEOUT),
    Server("has bytes behind the end", lambda q: [reply(GOOD, flags=AA)(q)[0] + b"xyz"], TIMEOUT),
    Server("points to itself", reply(record(MX, b"\0\x0a" + b"\xc0\x2d"), flags=AA), TIMEOUT),
    Server("points beyond the end", reply(record(MX, b"\0\x0a\xff\xff"), flags=AA), TIMEOUT),
    Server("has a label of 64", reply(LONG_LABEL, flags=AA), TIMEOUT),
    Server("has a name of 300", reply(LONG_NAME, flags=AA), TIMEOUT),
    Server("lies about a length", reply(record(MX, b"\0\x0a" + HOST, size=200), flags=AA), TIMEOUT),
    Server("has a record of no length", reply(record(MX, b""), flags=AA), TIMEOUT),
    Server("has a record of another type", reply(record(TXT, b"\x01x"), flags=AA), LAME),
    Server("has a record of another name", reply(OTHER_NAME, flags=AA), LAME),
    Server("is an alias of itself", reply(cname(LOOP), flags=AA), LAME),
    Server("is an alias without end", reply(*chain(40), flags=AA), LAME),
    Server("is an alias of nothing", reply(cname(HOST), flags=AA), LAME),
    Server("says the mail host is the root", reply(record(MX, b"\0\0\0"), flags=AA), FOUND, 1),
    Server("has sixty exchangers", reply(*MANY, flags=AA), FOUND, 50),
    Server("has a host of control characters", reply(CONTROLS, flags=AA), FOUND, 1),
    Server("claims to be authentic", reply(GOOD, flags=AA | AD), FOUND, 1),
    Server("answers twice", lambda q: [*reply(GOOD, flags=AA)(q)] * 2, FOUND, 1),
    Server("is sound", reply(GOOD, flags=AA), FOUND, 1),
    Server("is cut and silent over TCP", CUT, LAME),
    Server("is cut and noise over TCP", CUT, LAME, tcp=always(b"\x00\x10" + b"x" * 16)),
    Server("is cut and short over TCP", CUT, LAME, tcp=framed(CUT, lie=500)),
    Server("is cut and long over TCP", CUT, LAME, tcp=framed(CUT, lie=-5)),
    Server("is cut over TCP as well", CUT, FOUND, 1, tcp=framed(CUT)),
    Server("is cut and sound over TCP", CUT, FOUND, 1, tcp=framed(reply(GOOD, flags=AA))),
    Server("is cut and huge over TCP", CUT, FOUND, 50, tcp=framed(reply(*MANY * 30, flags=AA))),
)
