"""The child that runs a notebook's cells: IPython's own kernel, speaking over one socket.

All that a notebook shows comes from ipykernel itself, so that it is the same as from a kernel that
was started in the usual way; what is missing are ports, a heart-beat and the time to start.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import queue
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ipykernel.iostream import BackgroundSocket, IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.profiledir import ProfileDir
from jupyter_client.jsonutil import json_default
from jupyter_client.session import Session
from tornado.ioloop import IOLoop
from traitlets import Any as AnyTrait
from traitlets.config import Config

from incamail_lib.forked.channel import Channel, Message
from incamail_lib.forked.processes import close_others, silence

IOPUB, SHELL = "iopub", "shell"


class _Wire(Session):
    """A session whose messages are lines on our channel, in place of frames on ZeroMQ."""

    channel = AnyTrait()

    def send(  # noqa: PLR0913, PLR0917 # as ipykernel calls it
        self,
        stream: object,
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        ident: object = None,  # noqa: ARG002
        buffers: Any = None,
        track: bool = False,  # noqa: ARG002
        header: Any = None,
        metadata: Any = None,
    ) -> dict[str, Any]:
        """Send one message; `stream` says on which channel of a kernel it would have gone."""
        if isinstance(msg_or_type, Mapping):
            message = dict(msg_or_type)
        else:
            message = self.msg(
                msg_or_type, content=content, parent=parent, header=header, metadata=metadata
            )
        on = SHELL if stream is _REPLIES else IOPUB
        if self.channel is not None:
            told = {**message, "on": on}
            if buffers:
                told["buffers"] = [bytes(buffer).hex() for buffer in buffers]
            self.channel.send(told, default=json_default)
        return message


_REPLIES = object()  # stands for the stream on which a kernel answers


class _Outlet(IOPubThread):
    """What ipykernel's streams need of their thread: to be flushed after a while."""

    def __init__(self) -> None:
        self.socket = self
        self.background_socket = BackgroundSocket(self)  # type: ignore[no-untyped-call]
        self.io_loop: Any = self
        self._due: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._later: list[tuple[float, Callable[[], object]]] = []
        self.thread = threading.Thread(target=self._run, name="IOPub", daemon=True)

    def _run(self) -> None:
        while True:
            left_s = max(self._later[0][0] - time.monotonic(), 0) if self._later else None
            with suppress(queue.Empty):
                self._due.get(timeout=left_s)()
            while self._later and self._later[0][0] <= time.monotonic():
                self._later.pop(0)[1]()

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """It ends with the process."""

    def schedule(self, f: Callable[[], object]) -> None:
        if self.thread.is_alive():
            self._due.put(f)
        else:
            f()

    def call_later(self, after_s: float, f: Callable[[], object]) -> None:
        """Called in the thread itself, always for the same time."""
        self._later.append((time.monotonic() + after_s, f))


class _Kernel(IPythonKernel):
    """IPython's kernel without sockets."""

    _supports_kernel_subshells = False

    def publish_status(self, status: str) -> None:
        """Tell whether a cell is running."""
        self._publish_status(status, "shell")  # type: ignore[no-untyped-call]

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Nothing waits behind a cell that failed: whoever asks decides how to go on."""


_made: list[_Kernel] = []


def prepare() -> None:
    """Make the kernel before anything is forked, so that each child finds it ready."""
    if _made:
        return
    folder = Path(tempfile.gettempdir(), "incamail-no-such-profile")
    settings = Config()
    settings.HistoryManager.hist_file = ":memory:"
    settings.ProfileDir.location = str(folder)
    outlet = _Outlet()
    # As the one kernel of its process, which widgets ask for.
    kernel = _Kernel.instance(
        config=settings,
        session=_Wire(),
        iopub_thread=outlet,
        iopub_socket=outlet.background_socket,
        profile_dir=_NoProfile(location=str(folder)),
        shell_class=ZMQInteractiveShell,
        log=logging.getLogger("ipykernel"),
    )
    _made.append(kernel)


class _NoProfile(ProfileDir):
    """A profile that is read from nowhere and never written."""

    def _location_changed(self, change: object) -> None:
        """Its folders are not made."""


def serve(channel: Channel) -> None:
    """Run the cells that are asked for until the other end closes."""
    given = channel.receive()
    if given is None:
        return
    prepare()
    kernel = _made[0]
    _enter(given)
    from incamail_lib.forked import press, sibling  # late: only here they lead anywhere

    press.WAY.forget()
    sibling.WAY.forget()
    close_others({channel.socket.fileno()})
    session = kernel.session
    assert isinstance(session, _Wire)
    session.channel = channel
    outlet = kernel.iopub_thread
    outlet.start()
    silence(0, 1, 2)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    stream: Any = OutStream
    sys.stdout = stream(session, outlet, "stdout", watchfd=True)
    sys.stderr = stream(session, outlet, "stderr", watchfd=True)
    asyncio.run(_run(kernel, channel))


def _enter(given: Message) -> None:
    """Stand where the notebook is to run, with the environment that it is to see."""
    os.environ.clear()
    os.environ.update(given["environment"])
    os.chdir(given["folder"])
    if given["imports_from_folder"]:
        sys.path.insert(0, "")


async def _run(kernel: _Kernel, channel: Channel) -> None:
    kernel.io_loop = IOLoop.current()
    kernel.shell_channel_thread = SimpleNamespace(parent_thread=threading.current_thread())
    came: asyncio.Queue[Message | None] = asyncio.Queue()

    def take() -> None:
        data = channel.socket.recv(1 << 16, socket.MSG_DONTWAIT)
        channel.feed(data)
        for message in channel.take():
            came.put_nowait(message)
        if not data:
            came.put_nowait(None)

    for early in channel.take():
        came.put_nowait(early)
    asyncio.get_running_loop().add_reader(channel.socket.fileno(), take)
    while (message := await came.get()) is not None:
        await _handle(kernel, message)


async def _handle(kernel: _Kernel, message: Message) -> None:
    """What ipykernel does around each request."""
    message["header"]["date"] = dt.datetime.now(dt.UTC)
    kernel.set_parent([], message, channel="shell")  # type: ignore[no-untyped-call]
    kernel.publish_status("busy")
    handler = kernel.shell_handlers[message["header"]["msg_type"]]
    found = handler(_REPLIES, [], message)
    if found is not None:
        await found
    sys.stdout.flush()
    sys.stderr.flush()
    kernel.publish_status("idle")
