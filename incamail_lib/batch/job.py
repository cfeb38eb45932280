"""The work of one process for one organisation: notebook, record, page, PDF, seal.

It runs in a child of the warm process that does one job after the other: only this program is at
work there. The notebook itself runs in another child, which knows of no job but its own; whatever
happens to that one, its words so far are kept and told. On another machine of a cluster it is the
same.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from incamail_lib.audit import load_audit
from incamail_lib.batch.children import Beside
from incamail_lib.batch.execute import How, render_audit
from incamail_lib.batch.results import CRASHED, decisive_rows
from incamail_lib.crash import crash_text
from incamail_lib.dossier.waivers import WAIVERS, waiver_notes, waivers_text
from incamail_lib.errors import DiskFullError, IncaMailError, MaterialError, RunError
from incamail_lib.files import write_whole
from incamail_lib.findings import Audit, Verdict, Waiver
from incamail_lib.forked.channel import Channel
from incamail_lib.history.digest import Judged, judged_of
from incamail_lib.i18n import Language, Text, say
from incamail_lib.outputs import FACTS, NOTEBOOK, PAGE, PAPER, RECORD
from incamail_lib.record import Record
from incamail_lib.report.order import Row
from incamail_lib.seal import Keys, Standing, examine

# Copies while the work goes on: what is audited, and compared with, is what was read.
DOSSIER, PREVIOUS = "dossier.yaml", "previous.json"
LENT = (DOSSIER, WAIVERS, PREVIOUS)
CRASH = "crash.txt"
_WANTED = (PAGE, PAPER, NOTEBOOK, RECORD, FACTS)  # files in the order in which a person wants them
SOURCE = "dossier.sha256"  # of which content of which files the audit is; as sha256sum writes it


class Order(Record):
    """What one process is to do: the facts lie in the folder already, beside the dossier."""

    folder: Path
    final: Path  # what the folder will be called
    shown: Path  # the dossier, as it is named in the report
    digest: str  # of the dossier, and behind a blank that of its waivers, if there are any
    organisation: str
    language: Language
    waivers: tuple[Waiver, ...] = ()  # of this organisation
    previous: Path | None = None  # the record of the audit before, of which a copy lies there
    with_pdf: bool = True


class Done(Record):
    """What came of it; file names are those in the folder."""

    verdict: Verdict | None = None
    files: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    decisive: tuple[Row, ...] = ()
    judged: Judged | None = None
    problem: Text | None = None
    exit_code: int = 0
    is_full: bool = False  # the disk; then nobody else needs to try
    keeps: bool = True  # whether what is in the folder is worth keeping
    cpu_s: float = 0.0


def digest_of(dossier: bytes, waivers: Sequence[Waiver]) -> str:
    """The fingerprint of a dossier's content, and of its waivers."""
    texts = (dossier, waivers_text(waivers)) if waivers else (dossier,)
    return " ".join(hashlib.sha256(text).hexdigest() for text in texts)


class Fate(AbstractContextManager["Fate"]):
    """What went wrong for one client, as a value: recorded there, it stops no other."""

    error: Exception | None = None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        if isinstance(error, Exception):  # Ctrl-C and the like end the run
            self.error = error
        return self.error is not None


def attempted(order: Order, *, how: How | None = None) -> Done:
    """Do the work; whatever goes wrong is told in the result."""
    with Fate() as fate:
        return perform(order, how=how)
    error = fate.error
    if isinstance(error, IncaMailError):
        full = isinstance(error, DiskFullError)
        return Done(problem=error.text, exit_code=error.exit_code, is_full=full, keeps=False)
    assert error is not None
    return crashed(order.folder, order.final, type(error).__name__, crash_text(error))


def crashed(folder: Path, final: Path, kind: str, record: str) -> Done:
    """A bug becomes a crash record in the folder. Errors: OutputError."""
    write_whole(folder / CRASH, record.encode("utf-8", "backslashreplace"), mode=0o600)
    problem = say(
        "The audit crashed ({kind}). This is a fault of the program; the details are in {file}.",
        kind=kind,
        file=str(final / CRASH),
    )
    return Done(problem=problem, exit_code=CRASHED)


def died(order: Order, answer: Mapping[str, object]) -> Done:
    """What is told of a job whose own process died. Errors: OutputError."""
    record = f"The process that made the report ended with {answer.get('died', '?')}.\n"
    return crashed(order.folder, order.final, "process died", record)


def perform(order: Order, *, how: How | None = None) -> Done:
    """Do the work. Errors: IncaMailError; a bug is raised as it is."""
    begun = _cpu()
    folder = order.folder
    if order.waivers:
        write_whole(folder / WAIVERS, waivers_text(order.waivers))
    shown = {folder / DOSSIER: order.shown, folder: order.final}
    if order.previous:
        shown[folder / PREVIOUS] = order.previous
    try:
        record = render_audit(
            folder / DOSSIER,
            folder / FACTS,
            folder,
            organisation=order.organisation,
            language=order.language,
            previous=folder / PREVIOUS if order.previous else None,
            with_pdf=order.with_pdf,
            how=how,
            shown={str(here): str(there) for here, there in shown.items()},
        )
        files = tuple(file.name for file in record.files)
        done = told(record.loaded, record.audit.read_bytes(), order.waivers)
        done = done.model_copy(update={"files": files})
        write_whole(folder / SOURCE, _source(order))
    except RunError as error:  # what there is of the notebook is evidence
        done = Done(problem=error.text, exit_code=error.exit_code)
    finally:
        for name in LENT:
            (folder / name).unlink(missing_ok=True)
    return done.model_copy(update={"cpu_s": round(_cpu() - begun, 4)})


def _source(order: Order) -> bytes:
    names = zip(order.digest.split(), (order.shown.name, WAIVERS), strict=False)
    text = "".join(f"{digest}  {name}\n" for digest, name in names)
    return text.encode("utf-8", "surrogateescape")


def dossier_of(folder: Path) -> str:
    """The name of the file that the audit in a folder is of; "" where it is not told."""
    try:
        source = (folder / SOURCE).read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""
    return source.partition("\n")[0].partition("  ")[2]


def told(audit: Audit, record: bytes, known: Sequence[Waiver] = ()) -> Done:
    """What is to be known of an audit without loading it; `record` is its file, `known` are
    waivers."""
    return Done(
        verdict=audit.verdict,
        exit_code=audit.exit_code,
        notes=(*waiver_notes(audit, known), *audit.facts.limits),
        decisive=decisive_rows(audit),
        judged=judged_of(audit, record),
    )


def complete(folder: Path, digest: str, keys: Keys) -> Done | None:
    """What a whole folder says of a dossier of that content; None where it proves nothing."""
    examined = examine(folder, keys)
    if examined.standing is not Standing.INTACT or not examined.proves(folder, RECORD):
        return None
    try:
        source = (folder / SOURCE).read_bytes().decode("utf-8", "surrogateescape")
        if " ".join(line.partition(" ")[0] for line in source.splitlines()) != digest:
            return None
        files = tuple(name for name in _WANTED if (folder / name).exists())
        record = folder / RECORD
        done = told(load_audit(record), record.read_bytes())
        return done.model_copy(update={"files": files})
    except (OSError, MaterialError):
        return None


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def serve(channel: Channel) -> None:
    """A child of the warm process: an answer to each order, until nobody asks any more."""
    gc.disable()  # once behind each order costs less than now and then
    while (asked := channel.receive()) is not None:
        channel.send(_answer(asked))
        del asked
        gc.collect()


def _answer(asked: dict[str, object]) -> dict[str, object]:
    if "complete" in asked:
        found = _first_complete(asked)
        return {"done": found and found[0].model_dump_json(), "folder": found and found[1]}
    order, beside = Order.model_validate_json(str(asked["order"])), Beside()
    done = attempted(order, how=How(opened=beside.opened))
    spent_s = round(done.cpu_s + beside.cpu_s, 4)
    return {"done": done.model_copy(update={"cpu_s": spent_s}).model_dump_json()}


def _first_complete(asked: dict[str, object]) -> tuple[Done, str] | None:
    folders, digest = asked["complete"], str(asked["digest"])
    assert isinstance(folders, list)
    for folder in map(Path, folders):
        done = complete(folder, digest, Keys.of_user())
        if done is not None:
            return done, str(folder)
    return None
