"""A working folder for one organisation: notebooks in its language, and the server that opens them.

The model notebooks stay untouched; what is opened are copies with the dossier filled in.
"""

from __future__ import annotations

import html
import json
import os
import secrets
import socket
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat

from incamail_lib.audit.case import bind
from incamail_lib.dossier.starter import begin, starter
from incamail_lib.files import clear_parts, read_bounded, write_whole
from incamail_lib.i18n import Language
from incamail_lib.kernels import Runtime
from incamail_lib.linktest.server import PASSWORD_VARIABLE
from incamail_lib.notebooks import enter, localised, models_of_a_client, paragraphs, read_model
from incamail_lib.outputs import runbook_folder, slug

WELCOME = "00_welcome.ipynb"
_DOOR = (
    '<!doctype html><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
    '<meta name="referrer" content="no-referrer">'
    '<meta http-equiv="refresh" content="0; url={url}"><a href="{url}">IncaMail Runbook</a>'
)
SHARE = Path(__file__).parents[1] / "share"  # Jupyter data of ours: the template for Voilà
_NOTEBOOK_BYTES = 20_000_000
LOCALES: dict[Language, str] = {"en": "en", "fr": "fr_FR", "de": "de_DE", "it": "it_IT"}


@dataclass(frozen=True)
class Workplace:
    """Where the notebooks of one organisation lie, and what they are in."""

    organisation: str
    folder: Path
    language: Language
    secrets: tuple[str, ...] = ()  # environment variables that its notebooks may ask for
    others: bool = False  # whether the runbooks of other organisations may be opened too
    first: str = WELCOME  # the notebook to begin with

    @property
    def root(self) -> Path:
        """What a server shows: a client who sees it learns of no other client."""
        return self.folder.parent if self.others else self.folder

    @property
    def page(self) -> str:
        """The way to the first notebook from the root."""
        return self.welcome.relative_to(self.root).as_posix()

    @property
    def link(self) -> str:
        """The way to the welcome notebook from the notebooks of another organisation."""
        return f"../{self.folder.name}/{WELCOME}"

    @property
    def log(self) -> Path:
        """Where it is kept what a server said that did not start."""
        return self.folder / "server.log"

    @property
    def welcome(self) -> Path:
        """The notebook to begin with."""
        return self.folder / self.first


def entitle(notebook: nbformat.NotebookNode, whose: str, language: Language) -> None:
    """Give a notebook the title and language that its page has in Voilà."""
    first = next(paragraphs(notebook)).removeprefix("# ")
    notebook.metadata["title"] = f"{first} – {whose}"
    notebook.metadata["lang"] = language


def place_of(dossier: Path, output: Path, language: str = "", *, others: bool = False) -> Workplace:
    """Where the notebooks for `dossier` lie, or will lie. Errors: DossierError, OutputError."""
    case = bind(dossier, language=language)
    name = case.dossier.organisation
    files = (case.dossier.certificates.sending, case.dossier.certificates.receiving)
    named = (file.passphrase_env for file in files if file and file.passphrase_env)
    return Workplace(
        organisation=name,
        folder=runbook_folder(output, name),
        language=case.language,
        secrets=(*named, PASSWORD_VARIABLE),
        others=others,
    )


def prepare(
    dossier: Path, output: Path, language: str = "", *, others: bool = False, anew: bool = True
) -> Workplace:
    """Write the notebooks for `dossier` into `output/runbooks/<organisation>`; state is kept in
    the dossier, so that older copies there are replaced.

    With `others` they lead to those of other organisations. Without `anew` a copy whose code is
    still ours stays as it is: somebody may have it open.
    Errors: DossierError for a wrong dossier, OutputError when the folder cannot be written.
    """
    place = place_of(dossier, output, language, others=others)
    clear_parts(dossier.resolve().parent)
    clear_parts(place.folder)
    given: dict[str, str | bool] = {
        "dossier": str(dossier.resolve()),
        "language": place.language,
        "output": str(output.resolve()),
        "others": others,
    }
    for path in models_of_a_client():
        notebook = localised(read_model(path), place.language)
        enter(notebook, given)
        entitle(notebook, place.organisation, place.language)
        copy = place.folder / path.name
        if anew or not _is_ours(copy, notebook):
            write_whole(copy, nbformat.writes(notebook).encode())
    return place


def _is_ours(copy: Path, notebook: nbformat.NotebookNode) -> bool:
    """Whether a copy has the cells of `notebook` and no others; what they showed may be there."""
    try:
        text = read_bounded(copy, _NOTEBOOK_BYTES).decode()
        there = nbformat.reads(text, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError):
        return False
    return [(c.cell_type, c.source) for c in there.cells] == [
        (c.cell_type, c.source) for c in notebook.cells
    ]


def new_dossier(
    folder: Path, organisation: str, domains: list[str], *, language: Language, scenario: str = ""
) -> Path:
    """Write a commented dossier to begin with; one that is there is never overwritten.

    Errors: UsageError for a file that is there, DossierError for a name that is not possible.
    """
    path = folder / f"{slug(organisation)}.yaml"
    text = starter(organisation=organisation, domains=domains, language=language, scenario=scenario)
    begin(path, text)
    return path


@dataclass(frozen=True)
class Server:
    """A command that serves a workplace on loopback, and the address to open.

    Everybody on a machine reads what programs are called with: the token stands in files of the
    user's alone, and in the address.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    folder: Path  # to start it in: ours, since servers read settings where they stand
    url: str
    ready: str  # answers 200 to whoever has the token
    log: Path
    door: Path  # a page that leads to the address: a browser's command line is no place for it
    sessions: str = ""  # where a kernel is asked for, if it may be before a page is opened


def jupyter_server(place: Workplace, runtime: Runtime, *, port: int = 0) -> Server:
    """JupyterLab at the welcome notebook, in the organisation's language, with a token."""
    port = port or free_port()
    command = (
        *(sys.executable, "-P", "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"),
        *(
            f"--port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={place.root.resolve()}",
        ),
        *("--ServerApp.log_level=ERROR", "--LabApp.news_url="),
        *(("--allow-root",) if _is_root() else ()),
        *_transport(runtime),
    )
    pages = (f"lab/tree/{place.page}", "api/status")
    made = _server(place, runtime, command, port, pages)
    return replace(made, sessions=f"http://127.0.0.1:{port}/api/sessions")


def voila_server(place: Workplace, runtime: Runtime, *, port: int = 0) -> Server:
    """The same notebooks without code, as pages; each visitor has a kernel of their own."""
    port = port or free_port()
    command = (
        *(sys.executable, "-P", "-m", "voila", str(place.root.resolve())),
        *("--no-browser", "--Voila.ip=127.0.0.1", f"--port={port}"),
        *("--strip_sources=True", "--Voila.log_level=ERROR", "--template=incamail"),
        # Without it Voilà has no token at all; with it, the one of the environment's file.
        "--Voila.auto_token=True",
        # It answers under any name by itself; names of others are turned to 127.0.0.1 by DNS.
        "--Voila.tornado_settings={'allow_remote_access': False}",
        f"--Voila.connection_dir_root={runtime.folder}",
        *_transport(runtime),
    )
    return _server(place, runtime, command, port, (f"voila/render/{place.page}", ""))


def _server(
    place: Workplace, runtime: Runtime, command: tuple[str, ...], port: int, pages: tuple[str, str]
) -> Server:
    """The server of a command; `pages` are the one to open and one that tells that it is up."""
    token = secrets.token_urlsafe(24)
    key, door = runtime.folder / "token", runtime.folder / "open.html"
    url, ready = (f"http://127.0.0.1:{port}/{page}?token={token}" for page in pages)
    write_whole(key, token.encode(), mode=0o600)
    write_whole(door, _DOOR.format(url=html.escape(url)).encode(), mode=0o600)
    environment = _environment(place, runtime) | {"JUPYTER_TOKEN_FILE": str(key)}
    return Server(
        command=command,
        environment=environment,
        folder=runtime.folder,
        url=url,
        ready=ready,
        log=runtime.folder / "server.log",
        door=door,
    )


def _transport(runtime: Runtime) -> tuple[str, ...]:
    return tuple(f"--KernelManager.{name}={value}" for name, value in runtime.transport.items())


def _environment(place: Workplace, runtime: Runtime) -> dict[str, str]:
    """Settings of their own, so that neither the user's nor another client's get mixed in.

    They lie in our own folder: whoever hands over an output folder would decide over them else.
    """
    settings = runtime.folder / "settings" / "@jupyterlab"
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
    return runtime.environment(place.secrets) | {
        "JUPYTERLAB_SETTINGS_DIR": str(runtime.folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(runtime.folder / "workspaces"),
        "JUPYTER_PATH": str(SHARE),
    }


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
