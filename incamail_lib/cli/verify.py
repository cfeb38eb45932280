"""verify: whether the folders of audits are as they were written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from incamail_lib.cli._console import Styled, clear_errors, out, print_json
from incamail_lib.cli._options import Json, Lang
from incamail_lib.errors import UsageError
from incamail_lib.i18n import Text, say
from incamail_lib.outputs import RECORD
from incamail_lib.seal import SEAL, Examined, Keys, Standing, examine, fingerprint

_EXIT = {Standing.INTACT: 0, Standing.ALTERED: 1, Standing.UNKNOWN_KEY: 3, Standing.UNSEALED: 3}
_WORST = (1, 3, 0)


def verify(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders of audits, or folders that hold them.")
    ] = None,
    show_key: Annotated[
        bool,
        typer.Option("--show-key", help="Print your own public key, for those who shall trust it."),
    ] = False,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Tell whether audits are as they were sealed: a changed, added or missing file is named.

    To trust audits of somebody else, lay their public key (--show-key on their machine) as a .pem
    file into the folder «trusted» beside your own key. Ends with 0 where all is intact, 1 where
    something was altered, 3 without a seal or with a key that is not trusted.
    """
    with clear_errors(lang) as t:
        keys = Keys.of_user()
        if show_key:
            key = keys.own().public_key()
            pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            out().print(Styled(f"# {fingerprint(key)}\n# {keys.file.parent / 'trusted'}\n{pem}"))
            return
        found = [(folder, examine(folder, keys)) for folder in _audits(folders or [])]
    if as_json:
        print_json([_plain(folder, one) for folder, one in found])
    else:
        for folder, one in found:
            out().print(Styled(t.text(_told(folder, one))), soft_wrap=True)
            for name in one.changed:
                out().print(Styled(f"  {name}"), soft_wrap=True)
    codes = {_EXIT[one.standing] for _, one in found}
    raise typer.Exit(next(code for code in _WORST if code in codes))


def _audits(folders: list[Path]) -> list[Path]:
    """The folders themselves, or those with an audit below them."""
    found: list[Path] = []
    for folder in folders:
        if (folder / RECORD).exists() or (folder / SEAL).exists():
            found.append(folder)
            continue
        below = sorted(record.parent for record in folder.rglob(RECORD))
        if not below:
            raise UsageError(say("There is no audit in {folder}.", folder=str(folder)))
        found += below
    if not found:
        raise UsageError(say("Name the folder of an audit."))
    return found


def _told(folder: Path, found: Examined) -> Text:
    name = str(folder)
    if found.standing is Standing.UNSEALED:
        return say("{folder}: no seal; nothing is known of what was changed.", folder=name)
    if found.standing is Standing.UNKNOWN_KEY:
        return say(
            "{folder}: sealed by a key that is not trusted here: {key}.", folder=name, key=found.key
        )
    if found.standing is Standing.ALTERED:
        return say("{folder}: altered after it was sealed:", folder=name)
    if found.called != folder.resolve().name:
        return say(
            "{folder}: intact, sealed by {key}; it was called {called} then.",
            folder=name,
            key=found.key,
            called=found.called,
        )
    return say("{folder}: intact, sealed by {key}.", folder=name, key=found.key)


def _plain(folder: Path, found: Examined) -> dict[str, object]:
    return {
        "folder": str(folder),
        "standing": found.standing.value,
        "key": found.key,
        "changed": list(found.changed),
        "called": found.called,
    }
