"""Bytes between a lab gateway and one client: in clear first, inside TLS from `start_tls` on."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from OpenSSL import SSL

RECEIVE_BYTES = 65_536
LINE_BYTES = 1_048_576
HANDSHAKE_DONE = b"SSL negotiation finished successfully"  # OpenSSL's words for TLS_ST_OK


class ClientGoneError(Exception):
    """The client hung up, or sent what no server would read on."""


class Channel:
    """One connection. TLS runs in memory, so that every hostile variation stays possible."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._first = b""  # of the client's TLS, already looked at
        self._tls: SSL.Connection | None = None
        self.bytes_received = 0
        self.bytes_sent = 0

    @property
    def in_tls(self) -> bool:
        """Whether bytes are encrypted by now."""
        return self._tls is not None

    async def line(self) -> bytes:
        """The next line without its end. Raises ClientGoneError at the end of the stream."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LINE_BYTES:
                raise ClientGoneError
            self._buffer += await self._more()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    async def send(self, data: bytes) -> None:
        """Send `data`, encrypted if TLS is on."""
        if self._tls is None:
            await self._write(data)
            return
        self._tls.sendall(data)  # `send` would stop after one record
        await self._flush(self._tls)

    async def hang(self) -> None:
        """Say nothing until the client gives up."""
        while True:
            await self._receive()

    async def await_bytes(self) -> None:
        """Wait until the client sends something more, and keep it."""
        self._buffer += await self._more()

    async def hello_bytes(self) -> int:
        """How long the client's first TLS record is; its bytes are kept for the handshake."""
        while len(self._first) < 5:
            self._first += await self._receive()
        return 5 + int.from_bytes(self._first[3:5])

    async def start_tls(
        self,
        context: SSL.Context,
        *,
        keep_plaintext: bool,
        begun: Callable[[SSL.Connection], None] = lambda _: None,
    ) -> SSL.Connection:
        """Do the handshake as server; plaintext already here is thrown away unless told.

        Raises SSL.Error when the handshake fails, after the alert was sent.
        """
        if not keep_plaintext:
            self._buffer.clear()
        tls = SSL.Connection(context, None)
        tls.set_accept_state()
        begun(tls)
        if self._first:
            tls.bio_write(self._first)
        while True:
            try:
                tls.do_handshake()
                break
            except SSL.WantReadError:
                await self._flush(tls)
                tls.bio_write(await self._receive())
            except SSL.Error:
                await self._flush(tls)
                raise
        await self._flush(tls)
        self._tls = tls
        return tls

    async def shake_hands_again(self) -> SSL.Connection:
        """Ask the client for a second handshake (TLS 1.2) and do it, as server.

        Raises SSL.Error when it fails, after the alert was sent.
        """
        tls = self._tls
        assert tls is not None
        tls.renegotiate()
        tls.do_handshake()  # writes the HelloRequest; what follows is done while reading
        begun = False
        while not begun or tls.get_state_string() != HANDSHAKE_DONE:
            await self._flush(tls)
            tls.bio_write(await self._receive())
            try:
                self._buffer += tls.recv(RECEIVE_BYTES)
            except SSL.WantReadError:
                begun = begun or tls.get_state_string() != HANDSHAKE_DONE
            except SSL.Error:
                await self._flush(tls)
                raise
        await self._flush(tls)
        return tls

    def reset(self) -> None:
        """Break the connection off with a TCP reset (RST) in place of an orderly end."""
        handle = self._writer.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def close(self) -> None:
        """End the connection, TLS first, and wait until its socket is gone."""
        if self._tls is not None:
            await self._say_goodbye(self._tls)
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass  # the client had reset it; it is closed all the same
        except asyncio.CancelledError:
            self._writer.transport.abort()
            raise

    async def _say_goodbye(self, tls: SSL.Connection) -> None:
        """Send close_notify (RFC 9846 §6.1); a client that is gone needs none."""
        try:
            tls.shutdown()
            await self._flush(tls)
        except (SSL.Error, ClientGoneError):
            pass

    async def _more(self) -> bytes:
        if self._tls is None:
            return await self._receive()
        while True:
            try:
                return self._tls.recv(RECEIVE_BYTES)
            except SSL.WantReadError:
                await self._flush(self._tls)
                self._tls.bio_write(await self._receive())
            except SSL.Error as error:
                raise ClientGoneError from error

    async def _receive(self) -> bytes:
        try:
            data = await self._reader.read(RECEIVE_BYTES)
        except OSError as error:
            raise ClientGoneError from error
        if not data:
            raise ClientGoneError
        self.bytes_received += len(data)
        return data

    async def _flush(self, tls: SSL.Connection) -> None:
        while True:
            try:
                await self._write(tls.bio_read(RECEIVE_BYTES))
            except SSL.WantReadError:
                return

    async def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise ClientGoneError from error
        self.bytes_sent += len(data)
