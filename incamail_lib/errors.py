"""Errors a user can cause or meet, split by whose fault they are. Anything else is a bug."""

from __future__ import annotations

from incamail_lib.i18n import Text


class IncaMailError(Exception):
    """The base: `text` is shown to the user, translated, in place of a traceback."""

    exit_code = 2

    def __init__(self, text: Text) -> None:
        super().__init__(text.english())
        self.text = text

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the sentence that helps."""
        return [self.text.english()]


class UsageError(IncaMailError):
    """The command was called with something that cannot work (exit code 2)."""


class DossierError(IncaMailError):
    """A client's file is damaged or wrong; the text names file, line, field and remedy."""


class GuideError(IncaMailError):
    """A platform or guide data file is damaged or wrong; names file, field and remedy."""


class MaterialError(IncaMailError):
    """A certificate, key, message or facts file cannot be used; names file and remedy."""


class OutputError(IncaMailError):
    """A report or record could not be written; names the file and the cause."""


class DiskFullError(OutputError):
    """Nothing more can be written for want of room; whoever writes much stops here."""


class RunError(IncaMailError):
    """A run of one client crashed and was recorded (exit code 4)."""

    exit_code = 4
