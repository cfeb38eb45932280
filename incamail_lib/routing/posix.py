"""POSIX extended expressions, asked of the GNU C library: the one that Postfix's `regexp:` uses.

regcomp(3), regexec(3). In the "C" locale, as Postfix's daemons run, whatever locale this process
has. What could exhaust the library is not asked of it: it has neither a time nor a memory limit.
"""

from __future__ import annotations

import ctypes
import re
from functools import cache, lru_cache

from incamail_lib.i18n import say
from incamail_lib.routing.reply import CannotAsk, NoRule

EXTENDED, IGNORE_CASE, NEWLINE, NO_POSITIONS = 1, 2, 4, 8  # <regex.h> of the GNU C library
_REGEX_BYTES = 256  # regex_t has 64 on the 64-bit systems of today
_ALL_LOCALES = 0x1FBF  # LC_ALL_MASK
_MAX_REPEATED = 1000  # how often the innermost thing may be written out
# Characters of a repeated group, written out. Measured with the worst of this size: 0.7 s, 45 MB;
# of ten times the size more than 12 s and 900 MB, of fifty times the library crashes.
_MAX_WRITTEN = 2000
_REPETITION = re.compile(rb"\{(\d*),?(\d*)\\?\}")  # a basic expression writes \{ \}
_REPEATED_GROUP = re.compile(rb"[)*+?}]\\?\{")  # or of what repeats already
_BACK_REFERENCE = re.compile(rb"\\[1-9]")


@cache
def _library() -> ctypes.CDLL | None:
    """The C library, if it is GNU's: another one has another regcomp."""
    try:
        library = ctypes.CDLL(None)
        _ = library.gnu_get_libc_version, library.regcomp, library.regexec, library.regerror
        library.newlocale.restype = library.uselocale.restype = ctypes.c_void_p
    except (OSError, TypeError, AttributeError):
        return None
    library.newlocale.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    library.uselocale.argtypes = (ctypes.c_void_p,)
    return library


@cache
def _c_locale(library: ctypes.CDLL) -> int:
    return int(library.newlocale(_ALL_LOCALES, b"C", None) or 0)


class _Compiled:
    """One regex_t, freed with this object."""

    def __init__(self, library: ctypes.CDLL, pattern: bytes, flags: int) -> None:
        self._library = library
        self._regex = ctypes.create_string_buffer(_REGEX_BYTES)
        self._is_made = False
        before = library.uselocale(_c_locale(library))
        try:
            code = library.regcomp(self._regex, pattern, flags)
        finally:
            library.uselocale(before)
        if code:
            said = ctypes.create_string_buffer(200)
            library.regerror(code, self._regex, said, len(said))
            raise NoRule(said.value.decode("ascii", "replace"))
        self._is_made = True

    def matches(self, text: bytes) -> bool:
        """Whether it occurs in `text`, which ends at its first NUL."""
        before = self._library.uselocale(_c_locale(self._library))
        try:
            return bool(self._library.regexec(self._regex, text, 0, None, 0) == 0)
        finally:
            self._library.uselocale(before)

    def __del__(self) -> None:
        if self._is_made:
            self._library.regfree(self._regex)


def posix_matches(pattern: bytes, text: bytes, flags: int) -> bool:
    """What regexec(3) says of `text`. Errors: NoRule with the library's own words; CannotAsk."""
    return _compiled(pattern, flags | NO_POSITIONS).matches(text)


@lru_cache(maxsize=128)
def _compiled(pattern: bytes, flags: int) -> _Compiled:
    if _BACK_REFERENCE.search(pattern):
        raise CannotAsk(say("a back reference can take the C library too long"))
    if _is_too_large(pattern):
        raise CannotAsk(say("its repetitions make it too large"))
    library = _library()
    if library is None:
        raise CannotAsk(say("this computer does not have the GNU C library"))
    return _Compiled(library, pattern, flags)


def _is_too_large(pattern: bytes) -> bool:
    times = _written_out(pattern)
    is_group = _REPEATED_GROUP.search(pattern) is not None
    return times > _MAX_REPEATED or (is_group and times * len(pattern) > _MAX_WRITTEN)


def _written_out(pattern: bytes) -> int:
    """How often the innermost thing stands there when all counted repetitions are written out."""
    product = 1
    for found in _REPETITION.finditer(pattern):
        product *= max(1, *(int(number or 1) for number in found.groups()))
    return product
