"""Seals: whether the folder of an audit still holds what was written there, and who wrote it.

A seal is a file in the folder: the SHA-256 of every other file and the folder's name, signed with
Ed25519. Hashes alone tell damage and no forger, who would plant the hashes beside the record; so a
seal counts only by a key that its reader trusts. That is the reader's own, made when it is first
needed, and whatever public keys the reader laid beside it:

    <settings of the user>/incamail/seal.pem         the own key, for its owner's eyes only
    <settings of the user>/incamail/trusted/*.pem    public keys of others

`INCAMAIL_SEAL_KEY` names another file for the own key; trusted ones then lie beside that.
"""

from __future__ import annotations

import base64
import binascii
import enum
import errno
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from incamail_lib.errors import IncaMailError, MaterialError
from incamail_lib.files import (
    make_folder,
    not_written,
    read_bounded,
    read_json,
    write_new,
    write_whole,
)
from incamail_lib.i18n import Text, say

SEAL = "seal.json"
KEY_VARIABLE = "INCAMAIL_SEAL_KEY"
_SCHEMA = 1
_PURPOSE = b"incamail seal\n"  # signed in front, so that the key's signatures mean nothing else
_SEAL_BYTES, _KEY_BYTES, _MOST_FILES = 1_000_000, 10_000, 1000
_NOT_OURS = frozenset({SEAL, ".ipynb_checkpoints", ".DS_Store"})  # not part of what was written


class Standing(enum.StrEnum):
    """What a seal proves of its folder."""

    INTACT = "intact"  # every file is as it was, by a trusted key
    ALTERED = "altered"  # a file was changed, added or taken away, or the seal itself is damaged
    UNKNOWN_KEY = "unknown_key"  # every file is as the seal says, but nobody knows whose it is
    UNSEALED = "unsealed"


@dataclass(frozen=True)
class Examined:
    """A folder beside its seal."""

    standing: Standing
    key: str = ""  # fingerprint of the key that signed
    changed: tuple[str, ...] = ()  # names of files
    called: str = ""  # the folder's name when it was sealed

    def proves(self, folder: Path, name: str) -> bool:
        """Whether this file of the folder is as a trusted key signed it, for this very folder."""
        signed = self.standing is Standing.INTACT or (
            self.standing is Standing.ALTERED and bool(self.key)
        )
        return signed and name not in self.changed and self.called == folder.resolve().name


def fingerprint(key: Ed25519PublicKey) -> str:
    """The SHA-256 of a public key, as people compare it: the first 20 bytes in groups of two."""
    digest = hashlib.sha256(_raw(key)).hexdigest()[:40]
    return ":".join(digest[at : at + 4] for at in range(0, len(digest), 4))


@dataclass(frozen=True)
class Keys:
    """The key of whoever seals, and those that they trust."""

    file: Path

    @classmethod
    def of_user(cls) -> Keys:
        """The keys of the user who runs this program."""
        named = os.environ.get(KEY_VARIABLE)
        folder = platformdirs.user_config_path("incamail", appauthor=False)
        return cls(Path(named) if named else folder / "seal.pem")

    def own(self) -> Ed25519PrivateKey:
        """The own key, made where there is none.

        Errors: OutputError where none can be written, MaterialError for a file that is no such key.
        """
        if not self.file.exists():
            make_folder(self.file.parent)
            made = Ed25519PrivateKey.generate()
            pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_new(self.file, pem, mode=0o600)  # of two programs at once one writes it
        try:
            key = load_pem_private_key(read_bounded(self.file, _KEY_BYTES), None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
            raise MaterialError(self._no_key()) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise MaterialError(self._no_key())
        return key

    def _no_key(self) -> Text:
        return say(
            "{file} holds no Ed25519 key without passphrase, so nothing can be sealed. Remove it, "
            "and a new one is made, or name another file by {variable}.",
            file=str(self.file),
            variable=KEY_VARIABLE,
        )

    def trusted(self) -> tuple[Ed25519PublicKey, ...]:
        """The own public key where there is one, and those laid beside it."""
        found: list[Ed25519PublicKey] = []
        if self.file.exists():
            with suppress(MaterialError):
                found.append(self.own().public_key())
        for file in sorted((self.file.parent / "trusted").glob("*.pem")):
            try:
                key = load_pem_public_key(read_bounded(file, _KEY_BYTES))
            except (OSError, ValueError, UnsupportedAlgorithm):
                continue
            if isinstance(key, Ed25519PublicKey):
                found.append(key)
        return tuple(found)


def seal(folder: Path, keys: Keys, *, called: str = "") -> Path:
    """Sign what a folder holds now; the file with the seal.

    `called` is the name that the folder gets when it is whole; without it, it keeps its own.

    Errors: OutputError where seal or key cannot be written, MaterialError for a key that is none.
    """
    key = keys.own()
    try:
        hashes = _hashes(folder)
    except OSError as error:
        raise not_written(folder / SEAL, error) from None
    text = _signed_text(called or folder.resolve().name, hashes)
    public = _encoded(_raw(key.public_key()))
    held = {
        **json.loads(text),
        "key": public,
        "signature": _encoded(key.sign(_PURPOSE + text)),
    }
    return write_whole(folder / SEAL, (json.dumps(held, indent=1) + "\n").encode())


def sealed(folder: Path, keys: Keys, *, called: str = "") -> tuple[Text, ...]:
    """Seal a folder; or why that was not possible, and what it means."""
    try:
        seal(folder, keys, called=called)
    except IncaMailError as error:
        meaning = say("Without a seal the audit gives no evidence to documents and forms later.")
        return (error.text, meaning)
    return ()


def examine(folder: Path, keys: Keys) -> Examined:
    """A folder beside its seal. Whatever cannot be read counts as altered."""
    try:
        held: Any = read_json(folder / SEAL, _SEAL_BYTES)
    except FileNotFoundError:
        return Examined(Standing.UNSEALED)
    except (OSError, ValueError):
        return Examined(Standing.ALTERED, changed=(SEAL,))
    try:
        name, hashes = str(held["folder"]), dict(held["files"])
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(held["key"], validate=True))
        signature = base64.b64decode(held["signature"], validate=True)
        if held["schema"] != _SCHEMA:
            raise ValueError
        key.verify(signature, _PURPOSE + _signed_text(name, hashes))
        found = _hashes(folder)
    except (OSError, KeyError, TypeError, ValueError, binascii.Error, InvalidSignature):
        return Examined(Standing.ALTERED, changed=(SEAL,))
    changed = tuple(sorted(file for file in hashes | found if hashes.get(file) != found.get(file)))
    if _raw(key) not in {_raw(one) for one in keys.trusted()}:
        # Who may have planted it may have changed it as well: nothing more is known of it.
        return Examined(Standing.UNKNOWN_KEY, fingerprint(key), changed, name)
    standing = Standing.ALTERED if changed else Standing.INTACT
    return Examined(standing, fingerprint(key), changed, name)


def _hashes(folder: Path) -> dict[str, str]:
    """Each file's SHA-256; what is no regular file, or one too many, has none. Errors: OSError."""
    found: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if path.name in _NOT_OURS:
            continue
        if len(found) >= _MOST_FILES:
            raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))
        found[path.name] = _hash(path)
    return found


def _hash(path: Path) -> str:
    if path.is_symlink() or not path.is_file():  # a pipe would be waited for
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _signed_text(folder: str, hashes: Mapping[str, str]) -> bytes:
    held = {"schema": _SCHEMA, "folder": folder, "files": hashes}
    return json.dumps(held, sort_keys=True, separators=(",", ":")).encode()


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
