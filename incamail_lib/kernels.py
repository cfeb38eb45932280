"""How kernels are started and reached: nothing of a run is left behind, nobody else reaches them.

Kernels that choose TCP ports race for them when many start at once, and anybody on the machine may
knock there. Sockets in a folder of one's own have neither fault; where the system has none, or the
folder's name is too long for them, the transport is encrypted TCP.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager
    from traitlets.config import Config

# sun_path of sockaddr_un: 108 bytes on Linux, 104 on macOS and the BSDs, with the closing NUL.
LONGEST_SOCKET = 103
# As jupyter_client names sockets: of a server's kernels, and of one whose file we name.
_SERVER = "kernel-00000000-0000-0000-0000-000000000000-ipc-10"
_OWN = "kernel-ipc-10"


@dataclass(frozen=True)
class Runtime:
    """A folder for what Jupyter keeps while it runs: connections, history, trust in notebooks."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What tells Jupyter and IPython to keep it there, and not in the home folder."""
        folders = {"JUPYTER_RUNTIME_DIR": "", "JUPYTER_DATA_DIR": "data", "IPYTHONDIR": "ipython"}
        return {name: str(self.folder / below) for name, below in folders.items()}

    @property
    def transport(self) -> dict[str, str]:
        """Traits of a server's kernel manager: which way messages pass."""
        return self._transport(_SERVER)

    def config(self) -> Config:
        """The settings for one kernel of our own."""
        from traitlets.config import Config

        own = {"connection_file": str(self.folder / "kernel.json")}
        return Config({"KernelManager": {**own, **self._transport(_OWN)}})

    def _transport(self, socket: str) -> dict[str, str]:
        longest = len(os.fsencode(self.folder / socket))
        if sys.platform != "win32" and longest <= LONGEST_SOCKET:
            return {"transport": "ipc"}
        return {"transport_encryption": "auto"} if _has_curve() else {}


def _has_curve() -> bool:
    import zmq

    return bool(zmq.has("curve"))


@contextmanager
def runtime() -> Iterator[Runtime]:
    """A new folder that only this user can enter; gone afterwards, with what the kernels left."""
    # ignore_cleanup_errors: a kernel that is just ending may still write there.
    with tempfile.TemporaryDirectory(prefix="incamail-", ignore_cleanup_errors=True) as folder:
        yield Runtime(Path(folder))


def manager_with(environment: Mapping[str, str]) -> type[AsyncKernelManager]:
    """A kernel manager whose kernels get this environment: papermill has no argument for it."""
    from jupyter_client.manager import AsyncKernelManager

    class WithEnvironment(AsyncKernelManager):
        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            await super().start_kernel(**{**options, "env": dict(environment)})

    return WithEnvironment
