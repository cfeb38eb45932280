"""Passphrases: from the environment, or asked of the person at the terminal; kept nowhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from incamail_lib.audit.passphrases import Passphrases, from_environment
from incamail_lib.certificate import needs_passphrase
from incamail_lib.errors import DossierError
from incamail_lib.i18n import Translator, translator


def passphrase_of(
    file: Path, key: Path | None, name: str | None, t: Translator | None = None
) -> bytes | None:
    """From the environment variable `name`; without a name asked for, if needed and possible.

    Errors: DossierError when the variable is named but not set.
    """
    if name is not None:
        return from_environment(file, key, name)
    if not sys.stdin.isatty() or not needs_passphrase(file, key_path=key):
        return None
    tell = t or translator("en")
    question = tell("Passphrase for {file}").format(file=key or file)
    given: str = typer.prompt(question, hide_input=True, err=True)
    return given.encode()


def asked_before(paths: Sequence[Path], t: Translator) -> Passphrases:
    """Ask for every passphrase that the dossiers leave open, before anything is measured."""
    from incamail_lib.dossier import read_dossier  # late: who inspects a file has none

    known: dict[tuple[Path, Path | None], bytes | None] = {}
    for path in paths:
        try:
            certificates = read_dossier(path).certificates
        except DossierError:
            continue  # told when the dossier is bound
        for entry in (certificates.sending, certificates.receiving):
            if entry and not entry.passphrase_env and (entry.file, entry.key) not in known:
                known[entry.file, entry.key] = passphrase_of(entry.file, entry.key, None, t)

    def given(file: Path, key: Path | None, name: str | None) -> bytes | None:
        return from_environment(file, key, name) if name else known.get((file, key))

    return given
