"""start and demo-session: open the runbook."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.request
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

import typer

from incamail_lib.cli._console import Styled, chosen, clear_errors, out
from incamail_lib.cli._options import Lang
from incamail_lib.errors import UsageError
from incamail_lib.files import write_whole
from incamail_lib.i18n import Translator, say
from incamail_lib.kernels import runtime
from incamail_lib.notebooks import EXAMPLES

if TYPE_CHECKING:
    from incamail_lib.runbook.workplace import Server

START_S = 60.0
END_S = 15.0  # it ends its kernels first
App = Annotated[bool, typer.Option("--app", help="Web pages without code, for a client.")]
Browser = Annotated[bool, typer.Option(help="Open the browser.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")]
Others = Annotated[
    bool, typer.Option("--others", help="Your own view: with the other dossiers beside this one.")
]
Output = Annotated[Path, typer.Option(help="Folder for notebooks, records and reports.")]


def start(
    dossier: Annotated[
        Path | None, typer.Argument(help="The organisation's dossier; none: a sample on the lab.")
    ] = None,
    output: Output = Path("reports"),
    app: App = False,
    browser: Browser = True,
    port: Port = 0,
    others: Others = False,
    lang: Lang = None,
) -> None:
    """Open the runbook's notebooks in JupyterLab, on this computer only; Ctrl-C ends it."""
    # Late: other commands run on machines without Jupyter.
    from incamail_lib.runbook.onboarding import working_copy
    from incamail_lib.runbook.workplace import jupyter_server, prepare, voila_server

    with clear_errors(lang) as t:
        file = working_copy(dossier or EXAMPLES / "muster.yaml", output)
        place = prepare(file, output, chosen(lang) if lang else "", others=others)
        make = voila_server if app else jupyter_server
        with runtime() as own:
            server = make(place, own, port=port)
            serve(server, file, t, open_browser=browser, keep_log=place.log)


def demo_session(
    output: Output = Path("reports"),
    app: App = False,
    browser: Browser = True,
    port: Port = 0,
    lang: Lang = None,
) -> None:
    """Open the runbook with a half-filled sample dossier on the embedded lab."""
    start(EXAMPLES / "halbvoll.yaml", output, app=app, browser=browser, port=port, lang=lang)


def serve(
    server: Server, dossier: Path, t: Translator, *, open_browser: bool, keep_log: Path
) -> None:
    """Run a server of notebooks until somebody ends it; `dossier` is what is told to be kept.

    Errors: UsageError where it does not start.
    """
    # Leave no server behind; a shell that starts us in the background has SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with (
        server.log.open("wb") as log,
        subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            server.command, env=server.environment, cwd=server.folder, stdout=log, stderr=log
        ) as process,
    ):
        try:
            _await(server, process, keep_log)
            _begin(server)
            _say(t("The runbook is open at {url}").format(url=server.url))
            _say(t("Everything entered is kept in {file}.").format(file=dossier))
            _say(t("Press Ctrl-C to end it."))
            if open_browser:
                webbrowser.open(server.door.as_uri())
            process.wait()
        except KeyboardInterrupt:
            pass
        finally:
            _end(process)


def _say(line: str) -> None:
    """A line that a narrow terminal does not break: an address is copied whole."""
    out().print(Styled(line), soft_wrap=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _await(server: Server, process: subprocess.Popen[bytes], keep_log: Path) -> None:
    """Wait until the server answers. Errors: UsageError when it ends or never does."""
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(server.ready, timeout=2):  # noqa: S310 - loopback
                return  # it answers, and knows our token: it is ours
        except OSError:
            time.sleep(0.1)
    raise UsageError(
        say(
            "The notebook server did not start: {cause}. All that it said stands in {file}.",
            cause=_last_words(server.log) or "–",
            file=str(write_whole(keep_log, server.log.read_bytes())),
        )
    )


def _begin(server: Server) -> None:
    """Give the first page of JupyterLab its kernel before anybody opens it: JupyterLab drops a run
    that is asked for sooner, without a word. Where this fails, it starts one itself."""
    if not server.sessions:
        return
    page, _, token = server.url.partition("/lab/tree/")[2].partition("?token=")
    path = unquote(page)
    wanted = {"path": path, "name": path, "type": "notebook", "kernel": {}}
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    asked = urllib.request.Request(  # noqa: S310 - loopback
        server.sessions, json.dumps(wanted).encode(), headers
    )
    with suppress(OSError), urllib.request.urlopen(asked, timeout=START_S):  # noqa: S310
        pass


def _last_words(log: Path) -> str:
    """The last line that a server wrote, which names what stopped it."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:300].rstrip(".")
