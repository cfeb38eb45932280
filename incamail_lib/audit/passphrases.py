"""Where the passphrases of keys come from; nothing keeps them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from incamail_lib.errors import DossierError
from incamail_lib.i18n import say

Passphrases = Callable[[Path, Path | None, str | None], bytes | None]
"""The passphrase of a certificate file and its key file: by the name of an environment variable,
or by asking a person."""


def from_environment(file: Path, _key: Path | None, name: str | None) -> bytes | None:
    """The passphrase from the environment variable that the dossier names.

    Errors: DossierError when the variable is named but not set.
    """
    if name is None:
        return None
    value = os.environ.get(name)
    if value is None:
        raise DossierError(
            say(
                "The environment variable {name} with the passphrase of {file} is not set. "
                "Set it, then start again.",
                name=name,
                file=str(file),
            )
        )
    return value.encode()
