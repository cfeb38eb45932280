"""What the operating system's own package of roots says: its version, its date, Mozilla's roots.

A bundle's time stamp tells when it was written here, not how old its roots are.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from pathlib import Path

from incamail_lib.files import read_regular

_MAX_BYTES = 50_000_000
DPKG_STATUS = Path("/var/lib/dpkg/status")
APK_INSTALLED = Path("/lib/apk/db/installed")
# Where Debian's package ca-certificates lays each root of Mozilla's programme; what an
# administrator adds goes to /usr/local/share/ca-certificates (update-ca-certificates(8)).
MOZILLA_ROOTS = Path("/usr/share/ca-certificates/mozilla")
DPKG = re.compile(
    rb"^Package: ca-certificates\nStatus: install ok installed\n(?:.+\n)*?Version: (\S+)$", re.M
)
APK = re.compile(rb"^P:ca-certificates-bundle\nV:(\S+)$", re.M)


@cache
def package_version() -> str:
    """The installed version of ca-certificates, from the package database; "" if it is not told.

    Red Hat's database needs its own program to be read, so nothing is said there.
    """
    return version_in(DPKG_STATUS, DPKG) or version_in(APK_INSTALLED, APK)


def version_in(database: Path, pattern: re.Pattern[bytes]) -> str:
    """The version that a package database names."""
    try:
        found = pattern.search(read_regular(database, _MAX_BYTES))
    except OSError:
        return ""
    return found[1].decode("ascii", "replace") if found else ""


def date_of(version: str) -> dt.date | None:
    """The day with which versions of ca-certificates begin, e.g. 20230311+deb12u1."""
    try:
        return dt.datetime.strptime(version[:8] + "+0000", "%Y%m%d%z").date()
    except ValueError:
        return None
