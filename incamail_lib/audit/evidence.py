"""Which audit of an output folder is evidence: the newest that a trusted key sealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from incamail_lib.audit.saving import load_audit
from incamail_lib.errors import MaterialError
from incamail_lib.findings import Audit
from incamail_lib.i18n import Text, say
from incamail_lib.outputs import RECORD, audit_folders
from incamail_lib.seal import Examined, Keys, Standing, examine

_NOTES = 3  # the newest records that are no evidence say enough


@dataclass(frozen=True)
class Latest:
    """The newest audit that is evidence, and what is said of newer ones that are none."""

    audit: Audit | None = None
    record: Path | None = None  # where it lies
    notes: tuple[Text, ...] = ()


def latest_audit(
    output: Path,
    organisation: str,
    keys: Keys,
    *,
    counts: Callable[[Path], bool] | None = None,
) -> Latest:
    """The newest audit of an organisation below `output` that is sealed by a trusted key.

    What lies there may come from anybody: other records give no evidence, and are named. Folders
    that `counts` says no to are passed over; without it none is.
    """
    notes: list[Text] = []
    for folder in filter(counts, audit_folders(output, organisation)):
        found = examine(folder, keys)
        if not found.proves(folder, RECORD):
            notes.append(_no_evidence(folder, found))
            continue
        try:
            audit = load_audit(folder / RECORD)
        except MaterialError as error:
            notes.append(error.text)
            continue
        if audit.facts.declared.organisation == organisation:
            return Latest(audit, folder / RECORD, notes=tuple(notes[:_NOTES]))
    return Latest(notes=tuple(notes[:_NOTES]))


def _no_evidence(folder: Path, found: Examined) -> Text:
    if found.standing is Standing.UNSEALED:
        return say("The audit in {folder} has no seal, so it is no evidence.", folder=str(folder))
    if found.standing is Standing.UNKNOWN_KEY:
        return say(
            "The audit in {folder} is sealed by a key that is not trusted here ({key}), so it is "
            "no evidence. «incamail verify --help» says how to trust a key.",
            folder=str(folder),
            key=found.key,
        )
    return say(
        "The audit in {folder} was changed after it was sealed, so it is no evidence. «incamail "
        "verify» tells what was changed.",
        folder=str(folder),
    )
