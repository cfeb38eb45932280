"""The command `incamail`: what is interrupted ends with a word, not with a traceback."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Entry point of the console script; exit code 130 after Ctrl-C, as the shell tells it."""
    for stream in (sys.stdout, sys.stderr):  # what a terminal cannot show is written as its code
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        from incamail_lib.cli import app  # here, since loading takes half a second

        app()
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. Reports that were not named are not complete.\n")
        sys.exit(130)
