"""Lab gateways for tests of the probe: one call serves a plan and probes it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from OpenSSL import SSL

from incamail_lib.certificate import Credential
from incamail_lib.facts.observation import Observation
from incamail_lib.facts.smtp import EndpointFacts, Purpose, Side, SmtpFacts, Target
from incamail_lib.lab import pki
from incamail_lib.lab.authority import Issued
from incamail_lib.lab.channel import Channel, ClientGoneError
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.latency import delayed
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.plan import ClientAuth, GatewayPlan, TlsPlan, Version
from incamail_lib.lab.tls_context import server_context
from incamail_lib.probe import Limits, ProbeSettings, probe_endpoint
from incamail_lib.probe.connection import converse

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0, second=0, minute=0)
HOST = "mx1.muster.example"
LAB = pki.build(NOW)
BACKENDS = ("pyopenssl", "ssl")
# Short, since every wait for nothing is a wait of the test; long enough for a busy machine.
QUICK = Limits(
    connect_s=5.0, greeting_s=0.3, reply_s=0.3, handshake_s=0.3, goodbye_s=0.3, total_s=10.0
)
PATIENT = Limits(goodbye_s=2.0)
SURVEY = frozenset({Purpose.SURVEY})
EVERYTHING = frozenset(Purpose)


def credential(issued: Issued) -> Credential:
    """A lab certificate as the probe presents it."""
    return Credential(issued.chain, issued.key)


OWN = credential(LAB.leaf(Variant.CLIENT, "out.muster.example"))
SERVER_ONLY = credential(LAB.leaf(Variant.SERVER, "out.muster.example"))
FOREIGN = credential(LAB.foreign_client())


def plan(client: ClientAuth | None = None, **changes: Any) -> GatewayPlan:
    """A sound gateway with `changes`; `client` is what it wants of client certificates."""
    tls = TlsPlan(LAB.leaf(Variant.BOTH, HOST), client=client)
    return replace(GatewayPlan(HOST, tls), **changes)


def speaking(minimum: Version, maximum: Version, client: ClientAuth | None = None) -> GatewayPlan:
    """A gateway of these TLS versions."""
    sound = plan(client)
    assert sound.tls is not None
    return replace(sound, tls=replace(sound.tls, minimum=minimum, maximum=maximum))


def asking(**changes: Any) -> ClientAuth:
    """It asks, and verifies what it gets by the lab's roots."""
    return replace(ClientAuth(roots=LAB.roots), **changes)


def settings(**changes: Any) -> ProbeSettings:
    """All purposes, patient."""
    usual = ProbeSettings(ehlo_name="probe.muster.example", limits=PATIENT, foreign=FOREIGN)
    return replace(usual, **changes)


def target(port: int, address: str = "127.0.0.1", host: str = HOST) -> Target:
    """A gateway on loopback."""
    return Target(role=Side.RECEIVING, host=host, address=address, port=port)


@dataclass
class Probed:
    """What the probe says, and what the gateway noted."""

    endpoint: EndpointFacts
    gateway: Gateway

    def connection(self, purpose: Purpose) -> SmtpFacts:
        """The connection for one purpose."""
        return next(c for c in self.endpoint.connections if c.purpose is purpose)


@asynccontextmanager
async def away(port: int, round_trip_s: float) -> AsyncIterator[int]:
    """The port, `round_trip_s` away."""
    if not round_trip_s:
        yield port
        return
    async with delayed(port, round_trip_s=round_trip_s) as far:
        yield far


def probed(
    gateway_plan: GatewayPlan,
    asked: ProbeSettings | None = None,
    *,
    own: Credential | None = OWN,
    round_trip_s: float = 0.0,
) -> Probed:
    """Serve the plan and probe it."""

    async def run() -> Probed:
        async with (
            serve(gateway_plan, now=NOW) as gateway,
            away(gateway.port, round_trip_s) as port,
        ):
            found = await probe_endpoint(
                target(port), settings=asked or settings(), own=own, now=NOW
            )
        return Probed(found, gateway)

    return asyncio.run(run())


def talked(
    gateway_plan: GatewayPlan,
    purpose: Purpose = Purpose.SURVEY,
    *,
    asked: ProbeSettings | None = None,
    shown: Credential | None = None,
) -> SmtpFacts:
    """Serve the plan and hold one conversation with it."""

    async def run() -> SmtpFacts:
        async with serve(gateway_plan, now=NOW) as gateway:
            return await converse(
                target(gateway.port),
                purpose,
                settings=asked or settings(),
                credential=shown,
                now=NOW,
            )

    return asyncio.run(run())


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@dataclass
class Raw:
    """A server that plays any script, for what no plan of the lab declares."""

    script: Script
    connections: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def serve(self, address: str = "127.0.0.1") -> AsyncIterator[int]:
        """Serve on a free port; on leaving nothing remains."""
        server = await asyncio.start_server(self._connected, address, 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._tasks.add(asyncio.create_task(self._play(reader, writer)))

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.script(reader, writer)
        except OSError:
            pass  # the probe hung up, as it may
        finally:
            writer.transport.abort()


def says(*parts: bytes, then_wait: bool = True) -> Script:
    """A script: each part answers one line of the client, the first greets."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, part in enumerate(parts):
            if number:
                await reader.readline()
            writer.write(part)
            await writer.drain()
        if then_wait:
            await reader.read()

    return script


def scripted(script: Script, asked: ProbeSettings, purpose: Purpose = Purpose.SURVEY) -> SmtpFacts:
    """Hold one conversation with a script."""

    async def run() -> SmtpFacts:
        async with Raw(script).serve() as port:
            return await converse(target(port), purpose, settings=asked, now=NOW)

    return asyncio.run(run())


def says_in_tls(*parts: bytes) -> Script:
    """A script that accepts STARTTLS; then each part answers one line inside TLS."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel, tls = Channel(reader, writer), plan().tls
        assert tls is not None
        try:
            await channel.send(b"220 mx1\r\n")
            for part in (b"250-mx1\r\n250 STARTTLS\r\n", b"220 go\r\n"):
                await channel.line()
                await channel.send(part)
            await channel.start_tls(server_context(tls, NOW), keep_plaintext=False)
            for part in parts:
                await channel.line()
                await channel.send(part)
            await channel.hang()
        except (ClientGoneError, SSL.Error):
            pass  # the probe hung up, as it may

    return script


def audited(script: Script, asked: ProbeSettings) -> tuple[EndpointFacts, int]:
    """Probe a script for every purpose asked; also how often it was connected to."""

    async def run() -> tuple[EndpointFacts, int]:
        raw = Raw(script)
        async with raw.serve() as port:
            found = await probe_endpoint(target(port), settings=asked, own=OWN, now=NOW)
        return found, raw.connections

    return asyncio.run(run())


def within(**changes: float) -> ProbeSettings:
    """Patient settings of which only the limits named are short: no other stage can time out."""
    return settings(limits=replace(PATIENT, **changes))  # type: ignore[arg-type]


def verdicts(endpoint: EndpointFacts) -> tuple[Observation, ...]:
    """Every answer about TLS at one endpoint."""
    auth = endpoint.client_auth
    return (
        *(auth.requested, auth.demanded, auth.own_accepted, auth.foreign_accepted),
        *(auth.verified, endpoint.legacy, endpoint.injection),
    )
