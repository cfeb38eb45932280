"""Errors a user can cause or meet, split by whose fault they are. Anything else is a bug."""

from __future__ import annotations

import errno

from incamail_lib.i18n import N_, Text, say

NOT_REGULAR = N_("not a regular file")  # ours: the system has no words for it
# What the system says of files in English only, for the sentences that tell it.
_REASONS = {
    errno.ENOENT: N_("no such file or folder"),
    errno.EACCES: N_("permission denied"),
    errno.EPERM: N_("not permitted"),
    errno.EROFS: N_("the file system is read-only"),
    errno.EEXIST: N_("a file of that name is there already"),
    errno.EISDIR: N_("it is a folder"),
    errno.ENOTDIR: N_("a part of its path is no folder"),
    errno.ENAMETOOLONG: N_("its name is too long"),
    errno.EFBIG: N_("it is too large"),
    getattr(errno, "EDQUOT", -1): N_("the quota is used up"),  # Windows has none
    errno.ENOSPC: N_("no space left on the disk"),
    errno.EBUSY: N_("it is in use"),
    errno.ELOOP: N_("its links lead in a circle"),
    errno.EMFILE: N_("too many open files"),
    errno.EIO: N_("the disk reports a fault"),
}
_KNOWN = frozenset({NOT_REGULAR, *_REASONS.values()})


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


class LostError(IncaMailError):
    """Whoever does the work of a run is gone: it stops here, unfinished, and can be resumed."""


def reason(error: BaseException) -> Text:
    """Why the system refused, for a sentence of ours: in our words where it is usual."""
    number, words = getattr(error, "errno", None), getattr(error, "strerror", None)
    if words == NOT_REGULAR or number not in _REASONS:
        return Text(template=words or type(error).__name__)
    return Text(template=_REASONS[number])


def reason_in(evidence: str) -> Text:
    """Why a file could not be used, as facts keep it: a sentence of ours, or name and reason."""
    name, _, words = evidence.rpartition(": ")
    if name and words in _KNOWN:
        return say("{name}: {problem}", name=name, problem=Text(template=words))
    return Text(template=evidence)
