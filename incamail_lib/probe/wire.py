"""One TCP connection, bounded in bytes; every way it can end has its reason."""

from __future__ import annotations

import asyncio
import errno
import math
import os
import socket
import types
from collections.abc import Callable, Coroutine, Generator
from enum import Enum
from types import TracebackType
from typing import Any, TypeVar

from incamail_lib.facts.observation import Reason

CHUNK = 65_536
T = TypeVar("T")
_UNREACHABLE = frozenset(
    {
        *(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN),
        *(errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM),
    }
)


_UNDER_WAY = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})


class Ended(Exception):
    """The connection cannot go on: why, and what was seen of it."""

    def __init__(self, reason: Reason, evidence: str = "") -> None:
        super().__init__(evidence)
        self.reason = reason
        self.evidence = evidence


class _For(Enum):
    """What a dialogue waits for."""

    BYTES = 1
    ROOM = 2  # to send more
    WORK = 3  # of another coroutine


@types.coroutine
def _stopped() -> Generator[None, bytes, bytes]:
    """Stop here; `Wire` alone goes on with the dialogue, by what came."""
    return (yield)


class Wire:
    """A non-blocking socket with byte counts. Use as a context manager: it always closes.

    A connection that breaks while something is sent does not raise: what the peer said before,
    a TLS alert or a 421, still lies in the socket and is the answer. So one reads on, and the
    end of the bytes comes as an empty piece; `gone` then says how the connection ended.

    Most of what a small exchange costs is the event loop's bookkeeping. So the dialogue on this
    wire is an ordinary coroutine but no task: `drive` goes on with it in the very callback in
    which the socket has something. The socket is watched once, for as long as it lives, and one
    timer serves all limits. The dialogue may wait for this wire and nothing else.
    """

    def __init__(self, max_bytes: int) -> None:
        self.sent = 0
        self.received = 0
        self.gone = Reason.CLOSED
        self._max_bytes = max_bytes
        self._socket: socket.socket | None = None
        self._number = -1  # of the socket: the loop looks it up faster than the socket itself
        self._loop = asyncio.get_running_loop()
        self._limit = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._dialogue: Coroutine[Any, Any, Any] | None = None
        self._ended: asyncio.Future[Any] = self._loop.create_future()
        self._waits: _For | None = None
        self._ahead: bytes | None = None  # came while nobody waited; nothing is read behind it
        self._watched = False

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            self._unwatch()
            self._socket.close()

    async def drive(self, dialogue: Coroutine[Any, Any, T]) -> T:
        """What `dialogue` gives at its end, and every error that it ends with."""
        self._dialogue = dialogue
        self._go_on(dialogue.send, None)
        try:
            result: T = await self._ended
        finally:
            self._waits = None
            dialogue.close()
        return result

    def until(self, moment: float) -> None:
        """From now on nothing is waited for after `moment` of the loop's clock.

        Whatever then waits ends with a TimeoutError.
        """
        self._limit = moment
        timer = self._timer
        if timer is None or timer.when() > moment:  # one that is early looks again, see _late
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(moment, self._late)

    async def connect(self, address: str, port: int) -> None:
        """Open the connection to an IPv4 or IPv6 literal. Errors: Ended, TimeoutError."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            self._socket = socket.socket(family, socket.SOCK_STREAM)
            self._number = self._socket.fileno()
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = self._socket.connect_ex((address, port))
            if number in _UNDER_WAY:
                await self._room()
                number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise OSError(number, os.strerror(number))
        except OSError as error:
            if isinstance(error, TimeoutError) and not error.errno:
                raise  # our own limit
            raise Ended(_reason_of(error), _words(error)) from None

    @property
    def own_literal(self) -> str:
        """Our address as the peer sees it on this socket, as an SMTP literal (RFC 5321 §4.1.3)."""
        assert self._socket is not None
        address = str(self._socket.getsockname()[0]).partition("%")[0]
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    async def send(self, data: bytes) -> None:
        """Send all of it, or as much as the peer still takes. Errors: TimeoutError."""
        assert self._socket is not None
        rest = data
        while rest:
            try:
                count = self._socket.send(rest)
            except (BlockingIOError, InterruptedError):
                await self._room()
                continue
            except OSError as error:
                self.gone = _reason_of(error)
                return
            self.sent += count
            rest = rest[count:]

    async def receive(self) -> bytes:
        """What the peer sent next; empty at its end. Errors: TimeoutError; Ended when it is too
        much."""
        data, self._ahead = self._ahead, None
        if data is None:
            self._watch()
            data = await self._wait(_For.BYTES)
        self.received += len(data)
        if self.received > self._max_bytes:
            raise Ended(Reason.TOO_MUCH_DATA, f"{self.received} bytes")
        return data

    async def aside(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives, which waits for something else. Errors: TimeoutError, and its own."""
        self._unwatch()
        task = self._loop.create_task(work)
        task.add_done_callback(lambda _: self._wake(_For.WORK))
        try:
            await self._wait(_For.WORK)
        finally:
            task.cancel()
        return task.result()

    async def _room(self) -> None:
        self._loop.add_writer(self._number, self._wake, _For.ROOM)
        try:
            await self._wait(_For.ROOM)
        finally:
            self._loop.remove_writer(self._number)

    async def _wait(self, what: _For) -> bytes:
        if self._loop.time() >= self._limit:
            raise TimeoutError
        self._waits = what
        return await _stopped()

    def _wake(self, what: _For, data: bytes = b"") -> bool:
        """Go on with the dialogue if it waits for `what`; False if it does not."""
        if self._waits is not what:
            return False
        self._waits = None
        assert self._dialogue is not None
        self._go_on(self._dialogue.send, data)
        return True

    def _go_on(self, resume: Callable[[Any], object], value: object) -> None:
        """The dialogue up to the next place where it waits, or to its end."""
        try:
            resume(value)
        except StopIteration as end:
            self._settle(end.value, None)
        except (Exception, asyncio.CancelledError) as error:
            # As a task does: whoever waits for the end gets it.
            self._settle(None, error)

    def _settle(self, value: object, error: BaseException | None) -> None:
        if self._ended.done():  # nobody waits for it any more
            return
        if error is None:
            self._ended.set_result(value)
        else:
            self._ended.set_exception(error)

    def _late(self) -> None:
        """The timer's moment; the limit may lie further on by now."""
        if self._loop.time() < self._limit:
            self._timer = self._loop.call_at(self._limit, self._late)
            return
        self._timer = None
        if self._waits is not None:
            self._waits = None
            assert self._dialogue is not None
            self._go_on(self._dialogue.throw, TimeoutError())

    def _watch(self) -> None:
        if not self._watched:
            self._loop.add_reader(self._number, self._readable)
            self._watched = True

    def _unwatch(self) -> None:
        if self._watched:
            self._loop.remove_reader(self._number)
            self._watched = False

    def _readable(self) -> None:
        """Something came, or the end. What nobody waits for stays the last that is read."""
        assert self._socket is not None
        try:
            data = self._socket.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.gone = _reason_of(error)
            data = self._drained()
        if not self._wake(_For.BYTES, data):
            self._ahead = data
            self._unwatch()

    def _drained(self) -> bytes:
        """What already lies in the socket: behind a reset, the alert that explains it."""
        assert self._socket is not None
        try:
            return self._socket.recv(CHUNK)
        except OSError:
            return b""


def _words(error: OSError) -> str:
    """The system's own words, whatever was put in their place."""
    return os.strerror(error.errno) if error.errno else str(error)


def _reason_of(error: OSError) -> Reason:
    if isinstance(error, ConnectionRefusedError):
        return Reason.REFUSED
    if isinstance(error, TimeoutError):
        return Reason.TIMEOUT
    if error.errno in _UNREACHABLE:
        return Reason.UNREACHABLE
    return Reason.RESET if isinstance(error, ConnectionError) else Reason.UNREACHABLE
