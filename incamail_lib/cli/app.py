"""The commands and their order in the help; the module of each is loaded when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

# Name -> where it is declared, and the first paragraph of what it says there. All of them
# together load most of the library: half a second, which nobody waits for who wants one.
_COMMANDS = {
    "audit": ("auditing:audit", "Audit one or many organisations and write each its report."),
    "batch": (
        "batch:batch",
        "Audit every organisation in one run: many at once, each shared server once.",
    ),
    "measure": (
        "measuring:measure",
        "Measure one organisation from this machine and save the facts; nothing is judged.",
    ),
    "judge": (
        "auditing:judge",
        "Judge saved facts again, without a network; or list who would break if something changed.",
    ),
    "demo": (
        "auditing:demo",
        "Audit three organisations on the embedded lab; nothing leaves this computer.",
    ),
    "history": (
        "history:history",
        "List the runs that are kept, and tell whether the last one was made in time.",
    ),
    "diff": (
        "history:diff",
        "Tell what changed from one run to another. Ends with 1 where anything got worse.",
    ),
    "portfolio": (
        "portfolio:portfolio",
        "Show all organisations of a run: verdicts, what changed, certificates, failures, phases.",
    ),
    "start": (
        "start:start",
        "Open the runbook's notebooks in JupyterLab, on this computer only; Ctrl-C ends it.",
    ),
    "documents": (
        "documents:documents",
        "Write the deliverables as HTML, PDF and Word from dossier and last audit; gaps are "
        "marked.",
    ),
    "demo-session": (
        "start:demo_session",
        "Open the runbook with a half-filled sample dossier on the embedded lab.",
    ),
    "verify": (
        "verify:verify",
        "Tell whether audits are as they were sealed: a changed, added or missing file is named.",
    ),
    "linktest": (
        "linktest:linktest",
        "Send test messages (guide 8.3) through the organisation's own mail server, on consent.",
    ),
    "lab": (
        "lab:lab",
        "Start IncaMail, a client's gateways and mail server, and mailboxes on loopback; Ctrl-C "
        "ends them.",
    ),
    "route": (
        "route:route",
        "Say for each recipient whether a message goes to IncaMail, and what can go wrong.",
    ),
    "lookup": (
        "tools:lookup",
        "Look up everything the DNS says about a mail domain, and say what it means.",
    ),
    "probe": (
        "tools:probe",
        "Look at one gateway: STARTTLS, TLS, certificate, mutual TLS. No message is sent.",
    ),
    "inspect": (
        "inspecting:inspect",
        "Say what a certificate file holds, and whether it serves as server and as client.",
    ),
    "dossier": ("dossier:app", "Begin, show, check and compare dossiers."),
    "course": ("course:app", "The course: lessons on a lab of one's own, checked by the library."),
}
_INTERRUPTED = 130  # as the shell tells Ctrl-C
# The base of all that the parser refuses; Typer gives no name to it.
_REFUSED: Any = typer.BadParameter.__mro__[2]
_PLAIN: dict[str, Any] = {"rich_markup_mode": None, "add_completion": False}


class _Commands(TyperGroup):
    """Knows its commands by name and summary; a command itself is loaded where it is resolved."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, (_, summary) in _COMMANDS.items():
            self.add_command(TyperCommand(name, help=summary, rich_markup_mode=None))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that is called, as it is declared, and its arguments."""
        name, known, rest = super().resolve_command(ctx, args)
        return name, _loaded(name) if name and known else known, rest

    def main(self, args: Any = None, *rest: Any, **settings: Any) -> Any:
        """Run the command that is called; what the parser refuses is told in our own words."""
        inner = {**settings, "standalone_mode": False}
        if not settings.get("standalone_mode", True):
            return super().main(args, *rest, **inner)
        try:
            sys.exit(super().main(args, *rest, **inner) or 0)
        except _REFUSED as refusal:
            _tell(refusal, list(sys.argv[1:] if args is None else args))
            sys.exit(refusal.exit_code)
        except typer.Abort:
            sys.stderr.write("\n")
            sys.exit(_INTERRUPTED)


def _tell(refusal: Any, given: list[str]) -> None:
    if type(refusal).__name__ == "NoArgsIsHelpError":  # no error: the help is what it shows
        refusal.show()
        return
    from incamail_lib.cli._console import say_error, say_notes
    from incamail_lib.cli._misuse import language_of, usage, wrong_use
    from incamail_lib.i18n import translator

    t = translator(language_of(given))
    say_error(t.text(wrong_use(refusal)))
    say_notes(t.text(line) for line in usage(refusal))


def _loaded(name: str) -> Any:
    """A command or a group of commands; Typer's classes of them have no public name: Any."""
    module, _, attribute = _COMMANDS[name][0].partition(":")
    found = getattr(import_module(f"incamail_lib.cli.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(**_PLAIN)
        single.command(name)(found)
        found = single
    return typer.main.get_command(found)


app = typer.Typer(
    name="incamail",
    cls=_Commands,
    help="Bring a mail gateway safely onto Swiss Post's secure e-mail service IncaMail.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold a passphrase
    **_PLAIN,
)


def whole() -> Any:
    """The program with every command loaded, for who tells of all: a group of Typer's."""
    program: Any = typer.main.get_command(app)
    program.commands = {name: _loaded(name) for name in _COMMANDS}
    return program


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("incamail-runbook"))
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Exit codes: 0 ready or fine, 1 something required failed, 2 wrong use, 3 inconclusive,
    4 a crash was recorded, 5 everything that failed is accepted for a time."""
