"""The bytes of one dialogue: in clear first, inside TLS after the handshake."""

from __future__ import annotations

from incamail_lib.facts.observation import Reason
from incamail_lib.probe.flight import MAX_FLIGHT, read_flight
from incamail_lib.probe.hello import OldHello
from incamail_lib.probe.notes import Notes, not_tls
from incamail_lib.probe.tls import TlsEnded, TlsFailure, TlsSession
from incamail_lib.probe.wire import Ended, Wire


class Stream:
    """Sends and receives for one connection, and notes what TLS shows. Errors: Ended."""

    def __init__(self, wire: Wire, notes: Notes) -> None:
        self._wire = wire
        self._notes = notes
        self._tls: TlsSession | None = None

    async def send(self, data: bytes) -> None:
        """Send `data`, encrypted if TLS is on; a second handshake, if one is due, comes first."""
        tls = self._tls
        if tls is None:
            await self._wire.send(data)
            return
        try:
            while not tls.write(data):
                await self._go_on(tls)
        except TlsFailure as failure:
            raise self._failed(failure) from None
        await self._flush(tls)

    async def receive(self) -> bytes:
        """The next bytes that the peer says, decrypted if TLS is on."""
        tls = self._tls
        if tls is None:
            return await self._raw()
        try:
            while not (data := tls.read()):
                await self._go_on(tls)
        except TlsFailure as failure:
            # The alert of our own side, so that the server knows too.
            await self._flush(tls)
            raise self._failed(failure) from None
        except TlsEnded:
            raise self._over() from None
        return data

    async def shake_hands(self, tls: TlsSession) -> None:
        """Our side of the handshake. In TLS 1.3 the server's verdict is still to come."""
        came = bytearray()
        self._notes.tls = tls.seen
        try:
            while not tls.handshake():
                await self._flush(tls)
                data = await self._raw()
                came += data[: MAX_FLIGHT - len(came)]
                tls.feed(data)
            await self._flush(tls)
        except TlsFailure as failure:
            await self._flush(tls)
            if not came:
                raise Ended(Reason.UNSUPPORTED, str(failure)) from None
            raise self._failed(failure, not_tls(bytes(came[:120]))) from None
        finally:
            tls.note_handshake()
            self._notes.note_flight(read_flight(bytes(came)))
        if not isinstance(tls, OldHello):
            self._notes.established = True
            self._tls = tls

    def note_end(self) -> None:
        """Note what a second handshake showed, if there was one."""
        if self._tls is not None and self._tls.has_renegotiated():
            self._tls.note_handshake()

    async def _go_on(self, tls: TlsSession) -> None:
        """Whatever TLS has to say first; then more from the peer."""
        await self._flush(tls)
        tls.feed(await self._raw())

    async def _flush(self, tls: TlsSession) -> None:
        if data := tls.pending():
            self._notes.hello_bytes = self._notes.hello_bytes or len(data)
            await self._wire.send(data)

    async def _raw(self) -> bytes:
        data = await self._wire.receive()
        if not data:
            raise self._over()
        return data

    def _over(self) -> Ended:
        """The peer is gone; an alert seen before tells why."""
        alert = self._notes.alerted()
        return Ended(Reason.ALERT, alert) if alert else Ended(self._wire.gone, self._notes.warned())

    def _failed(self, failure: TlsFailure, instead: str = "") -> Ended:
        """TLS broke: by an alert, or by bytes that are no TLS."""
        self._notes.tls_error = str(failure)
        alert = self._notes.alerted()
        if alert:
            return Ended(Reason.ALERT, alert)
        return Ended(Reason.PROTOCOL_ERROR, f"{failure} {instead}".strip())
