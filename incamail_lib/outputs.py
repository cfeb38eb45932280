"""Where what we write lies: each folder and file name once, each organisation's files apart.

Below the output folder:

    <organisation>/<UTC time>/   one audit: facts, record, notebook, report
    <organisation>/documents/    the deliverables
    runbooks/<organisation>/     the notebooks of the guided runbook
    dossiers/                    working copies of the samples
    course/<learner>/            the lessons of one learner, and how far they are
    run-<UTC time>/              the overview of an audit of several
    history.sqlite               what became of every run
    portfolio/                   all organisations of a run

A folder of an audit or a run is called <UTC time>.part until it is whole.

Names of organisations differ in more than a folder's name can hold ("Kunz & Co", "Kunz-Co"). So a
folder says in a file whose it is, and belongs to that organisation for good.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from incamail_lib.files import (
    PART,
    clear_parts,
    make_folder,
    not_written,
    read_bounded,
    sync_folder,
    write_new,
)
from incamail_lib.i18n import Language

FACTS = "facts.json"
RECORD = "audit.json"
NOTEBOOK = "audit.ipynb"
PAGE = "report.html"
HISTORY = "history.sqlite"  # in the output folder: what became of every run
PAPER = "report.pdf"
# The deliverables: short names in each language, all different, so that those of two languages lie
# side by side; they are not translated by the catalogs, since a name once sent stays.
DOCUMENT_NAMES: dict[str, dict[Language, str]] = {
    "implementation_plan": {
        "en": "implementation-plan",
        "fr": "plan-de-mise-en-oeuvre",
        "de": "umsetzungsplan",
        "it": "piano-di-attuazione",
    },
    "setup_document": {
        "en": "set-up-document",
        "fr": "documentation-de-mise-en-place",
        "de": "setup-dokument",
        "it": "modulo-di-configurazione",
    },
    "network_matrix": {
        "en": "network-matrix",
        "fr": "matrice-reseau",
        "de": "netzwerkmatrix",
        "it": "matrice-di-rete",
    },
    "communication_plan": {
        "en": "communication-plan",
        "fr": "plan-de-communication",
        "de": "kommunikationsplan",
        "it": "piano-di-comunicazione",
    },
    "add_in_plan": {
        "en": "add-in-plan",
        "fr": "plan-add-in",
        "de": "add-in-planung",
        "it": "piano-add-in",
    },
    "acceptance_link": {
        "en": "acceptance-link-test",
        "fr": "reception-liaison",
        "de": "abnahme-verbindung",
        "it": "collaudo-collegamento",
    },
    "acceptance_identity": {
        "en": "acceptance-identity-check",
        "fr": "reception-identite",
        "de": "abnahme-identitaet",
        "it": "collaudo-identita",
    },
    "acceptance_outgoing": {
        "en": "acceptance-outgoing-mail",
        "fr": "reception-messages-sortants",
        "de": "abnahme-ausgehend",
        "it": "collaudo-in-uscita",
    },
    "acceptance_incoming": {
        "en": "acceptance-incoming-mail",
        "fr": "reception-messages-entrants",
        "de": "abnahme-eingehend",
        "it": "collaudo-in-entrata",
    },
}
OWNER = ".organisation"  # in an organisation's folder: its name
_OWNER_BYTES = 10_000
_RUN = "run-"
_DOCUMENTS, _RUNBOOKS, _DOSSIERS = "documents", "runbooks", "dossiers"
_COURSE = "course"
_MOST = 1000  # folders of one second, or of one name
# Ours below an output folder, and names that are devices on Windows in any folder.
_RESERVED = re.compile(
    rf"{_RUNBOOKS}|{_DOSSIERS}|{_COURSE}|sample|portfolio|run-\d.*|con|prn|aux|nul|(com|lpt)\d",
    re.ASCII,
)


def slug(name: str) -> str:
    """A file name for an organisation: ASCII letters, digits, hyphens; never empty or reserved."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    if not short:  # a name without Latin letters still has one that is nobody else's
        return f"organisation-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return f"organisation-{short}"[:60] if _RESERVED.fullmatch(short) else short


def organisation_folder(output: Path, organisation: str) -> Path:
    """The folder of an organisation, made and marked as its own where it is new.

    Errors: OutputError.
    """
    for folder in _candidates(output, organisation):
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            continue
        make_folder(folder)
        # First what it holds, then whose it is: whoever fills a folder has marked it before.
        if _holds_anything(folder) and _owner(folder) is None:
            continue  # nobody knows whose
        # Of two programs at once one writes the name, and both read it.
        write_new(folder / OWNER, f"{organisation}\n".encode())
        if _owner(folder) == _plain(organisation):
            return folder
    raise not_written(output / slug(organisation), FileExistsError())


def organisation_folder_if_any(output: Path, organisation: str) -> Path | None:
    """The folder that is marked as the organisation's own; None where there is none."""
    for folder in _candidates(output, organisation):
        if not folder.exists():
            return None
        if not folder.is_symlink() and _owner(folder) == _plain(organisation):
            return folder
    return None


@dataclass(frozen=True)
class NewFolder:
    """A folder that is being filled; there is nothing of its final name until it is whole."""

    part: Path  # where it is filled
    final: Path

    def finish(self) -> Path:
        """Give it its final name, in one step; the folder. Errors: OutputError."""
        try:
            sync_folder(self.part)
            self.part.rename(self.final)
            sync_folder(self.final.parent)
        except OSError as error:
            raise not_written(self.final, error) from None
        return self.final

    def give_up(self) -> None:
        """Remove what was filled in so far."""
        shutil.rmtree(self.part, ignore_errors=True)


def time_name(moment: dt.datetime) -> str:
    """What folders of that time are called, e.g. 20261124T123000Z."""
    return f"{moment.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def time_of(name: str) -> dt.datetime:
    """The moment by which a folder is called, with a number behind it or not."""
    return dt.datetime.strptime(name[: len("20261124T123000Z")], "%Y%m%dT%H%M%S%z")


def new_audit(output: Path, organisation: str, name: str) -> NewFolder:
    """A new folder for one audit, called by its time; a second one of that name gets a number.

    Errors: OutputError.
    """
    return _new(organisation_folder(output, organisation) / name)


def audits_called(output: Path, organisation: str, name: str) -> list[Path]:
    """The whole folders of an organisation that `new_audit` called so."""
    own = organisation_folder_if_any(output, organisation)
    return [*takewhile(Path.is_dir, _numbered(own / name))] if own else []


def audit_folders(output: Path, organisation: str) -> list[Path]:
    """The folders of an organisation that hold the record of an audit, the newest first."""
    own = organisation_folder_if_any(output, organisation)
    found = own.glob(f"*/{RECORD}") if own else ()
    whole = (record.parent for record in found if record.parent.suffix != PART)
    return sorted(whole, reverse=True)


def new_run(output: Path, name: str) -> NewFolder:
    """A new folder for a run over several organisations, called by its time. Errors: OutputError.

    Its final name is that of no other, so the audits of a run can be called as it is.
    """
    return _new(output / f"{_RUN}{name}")


def name_of_run(folder: NewFolder) -> str:
    """What the audits of a run are called."""
    return folder.final.name.removeprefix(_RUN)


def unfinished_runs(output: Path) -> list[NewFolder]:
    """Runs that did not come to their end, the newest first."""
    found = sorted(output.glob(f"{_RUN}*{PART}"), reverse=True)
    return [NewFolder(part, part.with_suffix("")) for part in found if part.is_dir()]


def clear_unfinished(output: Path, name: str) -> None:
    """Remove what a run that was killed left in the folders of organisations."""
    for owner in output.glob(f"*/{OWNER}"):
        for folder in (*owner.parent.glob(f"{name}{PART}"), *owner.parent.glob(f"{name}-*{PART}")):
            shutil.rmtree(folder, ignore_errors=True)
    for parent in {output, *(path for path in output.iterdir() if path.is_dir())}:
        clear_parts(parent, of_the_dead=True)


def documents_folder(output: Path, organisation: str) -> Path:
    """Where the deliverables of an organisation go. Errors: OutputError."""
    return organisation_folder(output, organisation) / _DOCUMENTS


def document_name(key: str, ending: str, language: Language) -> str:
    """The file name of a deliverable, e.g. "matrice-reseau.csv"."""
    return f"{DOCUMENT_NAMES[key][language]}.{ending}"


def former_names(key: str) -> frozenset[str]:
    """Names, without an ending, that a deliverable had before it was called in its language; what
    still lies under one is stale, unless a name of today is the same."""
    today = {name for names in DOCUMENT_NAMES.values() for name in names.values()}
    return frozenset({key.replace("_", "-")} - today)


def runbook_folder(output: Path, organisation: str) -> Path:
    """Where the notebooks of an organisation's runbook lie. Errors: OutputError."""
    return organisation_folder(output / _RUNBOOKS, organisation)


def course_folder(output: Path, learner: str) -> Path:
    """Where the lessons of a learner lie. Errors: OutputError."""
    return organisation_folder(output / _COURSE, learner)


def course_folder_if_any(output: Path, learner: str) -> Path | None:
    """The folder of a learner; None for one who has not begun."""
    return organisation_folder_if_any(output / _COURSE, learner)


def dossier_copies(output: Path) -> Path:
    """Where working copies of the samples lie."""
    return output / _DOSSIERS


def _candidates(parent: Path, organisation: str) -> Iterator[Path]:
    return _numbered(parent / slug(organisation))


def _holds_anything(folder: Path) -> bool:
    """Whether more lies there than a mark, whole or just being written."""
    return any(path.name != OWNER and path.suffix != PART for path in folder.iterdir())


def _owner(folder: Path) -> str | None:
    """Whose a folder says it is; None where it does not say."""
    try:
        return _plain(read_bounded(folder / OWNER, _OWNER_BYTES).decode("utf-8", "replace"))
    except FileNotFoundError:
        return None
    except OSError:  # a pipe, a folder, not to be read: somebody else's
        return ""


def _plain(organisation: str) -> str:
    return " ".join(unicodedata.normalize("NFC", organisation).split())


def _new(base: Path) -> NewFolder:
    """A folder to be called `base`, or where that is taken, with a number behind its name.

    Whoever could make the folder in which it is filled owns the final name, if nothing has it yet.
    """
    for final in _numbered(base):
        made = NewFolder(final.with_name(final.name + PART), final)
        try:
            made.part.mkdir(parents=True)
            if not final.exists():
                return made
            made.part.rmdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise not_written(final, error) from None
    raise not_written(base, FileExistsError())


def _numbered(base: Path) -> Iterator[Path]:
    yield base
    for number in range(2, _MOST):
        yield base.with_name(f"{base.name}-{number}")
