"""Does a silent port speak TLS from the first byte, as port 465 does (RFC 8314 §3)?"""

from __future__ import annotations

import asyncio

from incamail_lib.facts.smtp import Target
from incamail_lib.probe.flight import Flight, read_flight
from incamail_lib.probe.hello import first_word
from incamail_lib.probe.tls import ALERTS, server_name_of
from incamail_lib.probe.wire import Ended, Wire

SMTP_PORT, AT_ONCE_PORT = 25, 465


def is_tls(data: bytes) -> bool:
    """Whether bytes that came in place of a greeting begin with a record of TLS."""
    return read_flight(data).is_tls


async def spoken_at_once(target: Target, max_bytes: int, longest_s: float) -> str:
    """What a second connection says to a ClientHello, e.g. "TLSv1.2"; "" if it is not TLS."""
    try:
        with Wire(max_bytes) as wire:
            wire.until(asyncio.get_running_loop().time() + longest_s)
            return _told(await wire.drive(_answer(wire, target)))
    except (Ended, TimeoutError):
        return ""


async def _answer(wire: Wire, target: Target) -> Flight:
    await wire.connect(target.address, target.port)
    await wire.send(first_word(server_name_of(target.host)))
    came = b""
    while data := await wire.receive():
        came += data
        flight = read_flight(came)
        if flight.version or flight.alert or not flight.is_tls:
            return flight
    return read_flight(came)


def _told(flight: Flight) -> str:
    if flight.alert is not None and not flight.version:
        return f"alert {flight.alert[1]} {ALERTS.get(flight.alert[1], 'unknown')}"
    return flight.version
