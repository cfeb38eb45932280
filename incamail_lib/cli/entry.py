"""The command `incamail`: however it ends, its exit code says how, and 1 is never a bug."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import NoReturn

from incamail_lib.crash import EXIT_CODE, crash_sentence, write_crash
from incamail_lib.errors import reason
from incamail_lib.i18n import N_, Text, environment_language, say, translator

WRONG_USE = 2
INTERRUPTED = 130  # as the shell tells Ctrl-C
NOBODY_READS = 128 + 13  # as the shell tells SIGPIPE
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

# French has a narrow blank before its marks, Swiss texts typographic quotes and dashes.
_PLAIN = str.maketrans(
    {"\u202f": " ", "\u00a0": " ", "’": "'", "–": "-", "…": "...", "«": '"', "»": '"'}
)

_NOT_WRITTEN = N_("The output could not be written ({cause}). Free some space, then start again.")
_NOT_WHOLE = N_(
    "This command needs the package {name}, which is not installed here. «incamail measure» and "
    "«incamail judge» do without; for all others install the whole: pip install incamail-runbook"
)


def main() -> None:
    """Entry point of the console script. A bug leaves a record and exit code 4."""
    _open_what_is_closed()
    codecs.register_error("incamail", _shown)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="incamail")
    try:
        _run()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        _say(say("Interrupted. Reports that were not named are not complete."))
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _end_quietly(NOBODY_READS)
    except ModuleNotFoundError as missing:
        if (missing.name or "incamail_lib").partition(".")[0] == "incamail_lib":
            _record(missing)
        _say(say(_NOT_WHOLE, name=missing.name or ""))
        sys.exit(WRONG_USE)
    except Exception as error:  # the one place for it: outside there is only the interpreter
        if isinstance(error, OSError) and error.errno in _FULL:
            _say(say(_NOT_WRITTEN, cause=reason(error)))
            _end_quietly(WRONG_USE)
        _record(error)


def _open_what_is_closed() -> None:
    """Give a stream that was closed before we began (`>&-`) somewhere to go: the next file that
    is opened would else be written into in its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _shown(error: UnicodeError) -> tuple[str, int]:
    """What a terminal cannot show: blanks and quotes in their plain form, the rest as its code."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode(error.encoding, "backslashreplace").decode(error.encoding), error.end


def _record(error: Exception) -> NoReturn:
    _say(crash_sentence(error, write_crash(error)))
    sys.exit(EXIT_CODE)


def _say(text: Text) -> None:
    sys.stderr.write(translator(environment_language()).text(text) + "\n")


def _run() -> None:
    from incamail_lib.cli.app import app  # here, since loading takes half a second

    try:
        app()
    except SystemExit as end:
        sys.stdout.flush()
        _correct(end.__context__)
        raise


def _correct(cause: BaseException | None) -> None:
    """Typer ends with 1 for what is no finding: a reader that left, a question not answered."""
    import typer

    if isinstance(cause, BrokenPipeError):
        _end_quietly(NOBODY_READS)
    if isinstance(cause, typer.Abort):
        sys.exit(INTERRUPTED)


def _end_quietly(code: int) -> NoReturn:
    """Leave nothing behind that the interpreter would still want to write."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    sys.exit(code)
