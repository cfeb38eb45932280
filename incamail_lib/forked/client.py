"""papermill's client for a kernel behind a channel: all its rules, and no kernel to start."""

from __future__ import annotations

import asyncio
import datetime as dt
import queue
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from jupyter_client.session import Session
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine
from papermill.log import logger

from incamail_lib.forked.channel import Channel, Message
from incamail_lib.forked.kernel import SHELL

_WAY = "nothing more comes from this kernel"
# What papermill is given that is for the client.
_TAKEN = (
    *("log_output", "stdout_file", "stderr_file", "store_widget_state", "allow_errors"),
    *("opened", "environment", "folder"),
)
_LAST_WORDS = 1000  # messages


class ForkedClient(PapermillNotebookClient):
    """A notebook run in a child that `opened` gives.

    `opened` is a context of a connection whose end is the end of the child and of all it started.
    """

    def __init__(
        self,
        nb_man: Any,
        *,
        opened: Any,
        environment: dict[str, str],
        folder: Path,
        **options: Any,
    ) -> None:
        super().__init__(nb_man, **options)  # type: ignore[no-untyped-call]
        self._opened = opened
        self._given = {
            "environment": environment,
            "folder": str(folder),
            "imports_from_folder": "PYTHONSAFEPATH" not in environment,
        }

    @contextmanager
    def setup_kernel(self, **_: Any) -> Iterator[None]:
        """The kernel's two ends for as long as the notebook runs."""
        with self._opened() as channel:
            channel.send(self._given)
            client = _Client(channel)
            self.km, self.kc = cast(Any, _Manager()), cast(Any, client)
            try:
                yield
            finally:
                client.stop_channels()
                self.km = self.kc = None


class Engine(NBClientEngine):
    """papermill's usual engine with a child in place of a kernel."""

    @classmethod
    def execute_managed_notebook(  # type: ignore[override]
        cls, nb_man: Any, kernel_name: str, **options: Any
    ) -> Any:
        """Run the cells; see papermill's own engine for the options."""
        taken = {name: options[name] for name in _TAKEN if options.get(name) is not None}
        client: Any = ForkedClient(
            nb_man,
            timeout=options.get("execution_timeout") or options.get("timeout"),
            kernel_name=kernel_name,
            log=logger,
            **taken,
        )
        return client.execute()


class _Manager:
    """What nbclient asks of a kernel manager."""

    has_kernel = True

    def interrupt_kernel(self) -> None:
        """A cell that takes too long is not interrupted: its process is ended."""


class _Queue:
    """One channel of a kernel, as nbclient reads it."""

    def __init__(self, send: Callable[[Message], None], read_on: Callable[[], None]) -> None:
        self.send = send
        self._read_on = read_on
        self._came: asyncio.Queue[Message | None] = asyncio.Queue()

    def put(self, message: Message | None) -> None:
        self._came.put_nowait(message)

    async def get_msg(self, timeout: float | None = None) -> Message:  # noqa: ASYNC109
        """The next message. Errors: queue.Empty, DeadKernelError when there will be none."""
        self._read_on()
        try:
            async with asyncio.timeout(timeout):
                message = await self._came.get()
        except TimeoutError:
            raise queue.Empty from None
        if message is not None:
            return message
        self.put(None)
        for _ in range(_LAST_WORDS):  # what came before the end is taken by others first
            await asyncio.sleep(0)
        raise DeadKernelError(_WAY)


class _Client:
    """What nbclient asks of a kernel client."""

    allow_stdin = False

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._session = Session()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._alive = True
        self.shell_channel = _Queue(self._send, self._read_on)
        self.iopub_channel = _Queue(self._send, self._read_on)

    def _send(self, message: Message) -> None:
        plain = {key: message[key] for key in ("metadata", "content", "parent_header")}
        header = message["header"] | {"date": ""}
        try:
            self._channel.send({**plain, "header": header})
        except OSError:
            self._ended()

    def _read_on(self) -> None:
        """Read in whichever loop runs: nbclient runs each cell in a loop until it is done."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop and self._alive:
            self._loop = loop
            loop.add_reader(self._channel.socket.fileno(), self._take)

    def _take(self) -> None:
        try:
            data = self._channel.socket.recv(1 << 16, socket.MSG_DONTWAIT)
        except OSError:
            data = b""
        self._channel.feed(data)
        for message in self._channel.take():
            if "died" not in message:
                self._pass_on(message)
        if not data:
            self._ended()

    def _pass_on(self, message: Message) -> None:
        on = self.shell_channel if message.pop("on") == SHELL else self.iopub_channel
        date = dt.datetime.fromisoformat(message["header"]["date"])
        message["header"]["date"] = date
        message["buffers"] = [bytes.fromhex(part) for part in message.pop("buffers", [])]
        on.put(message)

    def _ended(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._channel.socket.fileno())
        if self._alive:
            self._alive = False
            self.shell_channel.put(None)
            self.iopub_channel.put(None)

    async def is_alive(self) -> bool:
        """Whether anything can still come."""
        return self._alive

    async def execute(self, code: str, **options: Any) -> str:
        """Ask for a cell to be run; the request's id."""
        content = {
            "code": code,
            "silent": False,
            "user_expressions": {},
            "allow_stdin": False,
            **options,
        }
        return self._ask("execute_request", content)

    def kernel_info(self) -> str:
        """Ask what the kernel is; the request's id."""
        return self._ask("kernel_info_request", {})

    def _ask(self, kind: str, content: Message) -> str:
        message = self._session.msg(kind, content)
        self._send(message)
        return str(message["header"]["msg_id"])

    def stop_channels(self) -> None:
        """Nothing is read any more, by nobody who may still wait for it."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        loop.remove_reader(self._channel.socket.fileno())
        if not loop.is_running():
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(_over(left))


async def _over(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Wait for cancelled tasks, in their own loop: gathering none asks for the thread's loop, which
    is none after an `asyncio.run` of somebody else."""
    await asyncio.gather(*tasks, return_exceptions=True)
