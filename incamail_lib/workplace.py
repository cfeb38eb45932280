"""A working folder for one organisation: notebooks in its language, and the server that opens them.

The model notebooks stay untouched; what is opened are copies with the dossier filled in.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

from incamail_lib.batch.execute import slug
from incamail_lib.binding import bind
from incamail_lib.dossier.reading import parsed
from incamail_lib.dossier.starter import starter
from incamail_lib.errors import UsageError
from incamail_lib.files import write_whole
from incamail_lib.i18n import Language, say
from incamail_lib.kernels import Runtime
from incamail_lib.runbook import localised, models, read_model

WELCOME = "00_welcome.ipynb"
SHARE = Path(__file__).parent / "share"  # Jupyter data of ours: the template for Voilà
LOCALES: dict[Language, str] = {"en": "en", "fr": "fr_FR", "de": "de_DE", "it": "it_IT"}
_LINE = re.compile(r"^(?P<name>[a-z_]+)(?P<type>: \w+) = .*?(?P<help>  # .+)$")


@dataclass(frozen=True)
class Workplace:
    """Where the notebooks of one organisation lie, and what they are in."""

    organisation: str
    folder: Path
    language: Language

    @property
    def link(self) -> str:
        """The way to the welcome notebook from the notebooks of another organisation."""
        return f"../{self.folder.name}/{WELCOME}"

    @property
    def log(self) -> Path:
        """What the server says, for when it does not start."""
        return self.folder / ".jupyter" / "server.log"

    @property
    def welcome(self) -> Path:
        """The notebook to begin with."""
        return self.folder / WELCOME


def place_of(dossier: Path, output: Path, language: str = "") -> Workplace:
    """Where the notebooks for `dossier` lie, or will lie. Errors: DossierError."""
    case = bind(dossier, language=language)
    name = case.dossier.organisation
    return Workplace(name, output / "runbooks" / slug(name), case.language)


def prepare(dossier: Path, output: Path, language: str = "") -> Workplace:
    """Write the notebooks for `dossier` into `output/runbooks/<organisation>`; state is kept in
    the dossier, so that older copies there are replaced.

    Errors: DossierError for a wrong dossier, OutputError when the folder cannot be written.
    """
    place = place_of(dossier, output, language)
    given = {
        "dossier": str(dossier.resolve()),
        "language": place.language,
        "output": str(output.resolve()),
    }
    for path in models():
        notebook = localised(read_model(path), place.language)
        fill(notebook, given)
        write_whole(place.folder / path.name, nbformat.writes(notebook).encode())
    return place


def new_dossier(
    folder: Path, organisation: str, domains: list[str], *, language: Language, scenario: str = ""
) -> Path:
    """Write a commented dossier to begin with; one that is there is never overwritten.

    Errors: UsageError for a file that is there, DossierError for a name that is not possible.
    """
    path = folder / f"{slug(organisation)}.yaml"
    if path.exists():
        raise UsageError(say("{file} is there already and is not overwritten.", file=str(path)))
    text = starter(organisation=organisation, domains=domains, language=language, scenario=scenario)
    parsed(text, path)  # a wrong name is told before anything is written
    return write_whole(path, text.encode())


def fill(notebook: nbformat.NotebookNode, values: dict[str, str]) -> None:
    """Put `values` into the cell tagged `parameters`, where it has them."""
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            lines = [_filled(line, values) for line in cell.source.splitlines()]
            cell.source = "\n".join(lines)


def _filled(line: str, values: dict[str, str]) -> str:
    found = _LINE.match(line)
    if not found or found["name"] not in values:
        return line
    return f"{found['name']}{found['type']} = {json.dumps(values[found['name']])}{found['help']}"


@dataclass(frozen=True)
class Server:
    """A command that serves a workplace on loopback, and the address to open."""

    command: tuple[str, ...]
    environment: dict[str, str]
    url: str
    ready: str  # answers 200 to whoever has the token
    log: Path


def jupyter_server(place: Workplace, runtime: Runtime, *, port: int = 0) -> Server:
    """JupyterLab at the welcome notebook, in the organisation's language, with a token."""
    port, token = port or free_port(), secrets.token_urlsafe(24)
    command = (
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"),
        *(
            f"--port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={place.folder.parent}",
        ),
        f"--IdentityProvider.token={token}",
        *("--ServerApp.log_level=ERROR", "--LabApp.news_url="),
        *(("--allow-root",) if _is_root() else ()),
        *_transport(runtime),
    )
    url = f"http://127.0.0.1:{port}/lab/tree/{place.folder.name}/{WELCOME}?token={token}"
    ready = f"http://127.0.0.1:{port}/api/status?token={token}"
    return Server(command, _environment(place, runtime), url, ready, place.log)


def voila_server(place: Workplace, runtime: Runtime, *, port: int = 0) -> Server:
    """The same notebooks without code, as pages; each visitor has a kernel of their own."""
    port, token = port or free_port(), secrets.token_urlsafe(24)
    command = (
        *(
            sys.executable,
            "-m",
            "voila",
            str(place.folder.parent),
            "--no-browser",
            "--Voila.ip=127.0.0.1",
        ),
        *(f"--port={port}", "--strip_sources=True", f"--Voila.token={token}"),
        "--Voila.log_level=ERROR",
        "--template=incamail",
        *_transport(runtime),
    )
    url = f"http://127.0.0.1:{port}/voila/render/{place.folder.name}/{WELCOME}?token={token}"
    ready = f"http://127.0.0.1:{port}/?token={token}"
    return Server(command, _environment(place, runtime), url, ready, place.log)


def _transport(runtime: Runtime) -> tuple[str, ...]:
    return tuple(f"--KernelManager.{name}={value}" for name, value in runtime.transport.items())


def _environment(place: Workplace, runtime: Runtime) -> dict[str, str]:
    """Settings of their own, so that neither the user's nor another client's get mixed in."""
    own = place.folder / ".jupyter"
    settings = own / "settings" / "@jupyterlab"
    values = {
        "translation-extension/plugin": {"locale": LOCALES[place.language]},
        # Every cell stays in the page: forms keep their place, and the browser's search finds all.
        "notebook-extension/tracker": {"windowingMode": "none"},
        # JupyterLab would otherwise ask the outside for news and updates.
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    }
    for name, value in values.items():
        file = settings / f"{name}.jupyterlab-settings"
        write_whole(file, json.dumps(value, indent=1).encode())
    return (
        os.environ
        | runtime.environment
        | {
            "JUPYTER_CONFIG_DIR": str(own / "config"),
            "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
            "JUPYTER_PATH": os.pathsep.join(
                filter(None, (str(SHARE), os.environ.get("JUPYTER_PATH")))
            ),
        }
    )


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
