"""How kernels are started and reached: nothing of a run is left behind, nobody else reaches them.

Kernels that choose TCP ports race for them when many start at once, and anybody on the machine may
knock there. Sockets in a folder of one's own have neither fault; where the system has none, or the
folder's name is too long for them, the transport is encrypted TCP.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from incamail_lib.files import private_folder, write_whole

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager
    from traitlets.config import Config

# sun_path of sockaddr_un: 108 bytes on Linux, 104 on macOS and the BSDs, with the closing NUL.
LONGEST_SOCKET = 103
# As sockets are named: of JupyterLab's kernels and Voilà's, and of one whose file we name.
_SERVER = "voila_12345678/kernel-00000000-0000-0000-0000-000000000000-ipc-10"
_OWN = "kernel-ipc-10"

# What programs need to run, to find their files and to speak the user's language. All else that
# stands in an environment – tokens, passwords, keys of other services – is nobody's business here.
_NEEDED = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "LANG"),
        *("LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP"),
        *("VIRTUAL_ENV", "LD_LIBRARY_PATH", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR"),
        *("COMSPEC", "PATHEXT", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
        *("USERPROFILE", "HOMEDRIVE", "HOMEPATH", "USERNAME", "NUMBER_OF_PROCESSORS"),
        *(
            "PROCESSOR_ARCHITECTURE",
            "PYTHONHOME",
            "PYTHONDONTWRITEBYTECODE",
            "PYTHONUTF8",
            "SSL_CERT_FILE",
        ),
        *("SSL_CERT_DIR", "INCAMAIL_LANG", "INCAMAIL_SEAL_KEY"),
    )
)
_KERNELS = {
    "ignore_cwd": True,  # nothing is imported from a notebook's folder; since 9.7 IPython knows
    "exec_lines": ["__import__('incamail_lib.kernels').kernels.close_port(get_ipython())"],
}
_NEEDED_FAMILIES = ("LC_", "XDG_", "DYLD_", "FONTCONFIG_")


@dataclass(frozen=True)
class Runtime:
    """A folder for what Jupyter keeps while it runs: connections, history, trust in notebooks."""

    folder: Path

    def environment(self, secrets: Iterable[str] = ()) -> dict[str, str]:
        """The environment of servers and kernels: what they need of ours, and folders of their own.

        `secrets` are the variables with passphrases that they may know besides.
        """
        folders = {
            "JUPYTER_RUNTIME_DIR": "",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_CONFIG_DIR": "config",  # of ours and empty: settings of others are code
            "IPYTHONDIR": "ipython",
        }
        return {
            **needed(os.environ, secrets),
            **{name: str(self.folder / below) for name, below in folders.items()},
            "PYTHONSAFEPATH": "1",  # nothing is imported from the folder that one stands in
            "JUPYTER_WIDGETS_ECHO": "0",  # entries go to the kernel, not to all who listen
        }

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


def needed(environment: Mapping[str, str], also: Iterable[str] = ()) -> dict[str, str]:
    """The part of an environment that a child needs, with the variables named in `also`."""
    found = {
        name: value
        for name, value in environment.items()
        if name in _NEEDED or name.startswith(_NEEDED_FAMILIES)
    }
    found |= {name: environment[name] for name in also if name in environment}
    # An empty entry is the folder that one stands in, a relative one leads from there.
    paths = [p for p in environment.get("PYTHONPATH", "").split(os.pathsep) if p]
    if paths:
        found["PYTHONPATH"] = os.pathsep.join(str(Path(p).absolute()) for p in paths)
    return found


@contextmanager
def runtime() -> Iterator[Runtime]:
    """A new folder that only this user can enter; gone afterwards, with what the kernels left."""
    with private_folder("incamail-") as folder:
        settings = Path(folder, "ipython", "profile_default", "ipython_kernel_config.json")
        write_whole(settings, json.dumps({"InteractiveShellApp": _KERNELS}).encode())
        yield Runtime(folder)


def close_port(shell: Any) -> None:
    """Close the TCP port on which a kernel takes in what its forks print, whatever its transport.

    It believes nobody without a secret of its own, but takes in what anybody sends.
    """
    thread = getattr(getattr(shell, "kernel", None), "iopub_thread", None)
    pipe = getattr(thread, "_pipe_in", None)
    if thread is not None and pipe is not None:
        thread._pipe_flag = False  # else a fork would look for it
        thread.io_loop.add_callback(pipe.close)


def manager_with(environment: Mapping[str, str], folder: Path) -> type[AsyncKernelManager]:
    """A kernel manager whose kernels stand in this folder, with this environment: papermill has
    no argument for either."""
    from jupyter_client.manager import AsyncKernelManager

    class WithEnvironment(AsyncKernelManager):
        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            ours = {"env": dict(environment), "cwd": str(folder)}
            await super().start_kernel(**{**options, **ours})

    return WithEnvironment
