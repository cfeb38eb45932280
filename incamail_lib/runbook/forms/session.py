"""The session in which one organisation is worked on: its dossier, the last audit, who is there."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incamail_lib.dossier import Conflict, Dossier, DossierStore
from incamail_lib.dossier.agreed import State
from incamail_lib.dossier.fields import value_at
from incamail_lib.errors import IncaMailError
from incamail_lib.files import read_bounded, write_whole
from incamail_lib.findings import Audit
from incamail_lib.guide import Contents, Platform, contents
from incamail_lib.i18n import Language, Text, say
from incamail_lib.report.evidence import evidence_for

_NAME_BYTES = 1000
BY_EVIDENCE = "evidence"  # in the history: a state that no person set
Heard = Callable[[], None]


@dataclass
class Session:
    """Everything that the forms of one notebook share. Changes go to the dossier at once."""

    store: DossierStore
    platform: Platform
    language: Language
    interactive: bool
    output: Path
    audit: Audit | None = None
    notes: tuple[Text, ...] = ()  # what is said of audits that are no evidence
    _person: str = ""
    _first: str = ""  # the question that is open when the notebook was run
    _listeners: list[Heard] = field(default_factory=list, repr=False)

    @property
    def person(self) -> str:
        """Who is at work, as chosen among the contacts; "" while nobody is.

        Chosen once for all notebooks: it is kept in the folder of the server that runs them, and
        goes with it. The computer's user is no name for a document that is signed.
        """
        file = _shared()
        if file is None:
            return self._person
        with suppress(OSError):
            return read_bounded(file, _NAME_BYTES).decode("utf-8", "replace").strip()
        return ""

    def choose(self, person: str) -> None:
        """Say who is at work; "" for nobody. Errors: OutputError."""
        self._person = person
        file = _shared()
        if file is not None:
            write_whole(file, person.encode(), mode=0o600)
        self.tell()

    @property
    def who(self) -> str:
        """Whose name a change bears in the history: the person's, else the computer's user."""
        return self.person or getpass.getuser()

    @property
    def dossier(self) -> Dossier:
        """The dossier as it is now."""
        return self.store.dossier

    @property
    def guide(self) -> Contents:
        """The guide as data."""
        return contents()

    def listen(self, heard: Heard) -> None:
        """Call `heard` whenever the audit or the dossier changed."""
        self._listeners.append(heard)

    def opens_first(self, number: str) -> bool:
        """Whether this question, which needs attention, is the first of the notebook that does:
        it alone is open at first, so that the page stays short."""
        self._first = self._first or number
        return self._first == number

    def tell(self) -> None:
        """Let every form show what is there now."""
        for heard in self._listeners:
            heard()

    def value_at(self, path: tuple[str, ...]) -> Any:
        """What the dossier holds at `path` now, as plain data; None where nothing stands, and
        where nobody has decided."""
        if ".".join(path) in self.dossier.undecided:
            return None
        return value_at(self.dossier.model_dump(mode="json", by_alias=True), path)

    def put(self, path: tuple[str, ...], value: Any) -> Text | None:
        """Write one field; None, or what kept it from being written as it was meant."""
        try:
            conflicts = self.store.put(path, value, who=self.who)
        except IncaMailError as error:
            return error.text
        return _told(conflicts[0]) if conflicts else None

    def take_audit(self, audit: Audit) -> None:
        """Keep an audit as evidence, and set the states that it decides.

        A state that a person set is never changed: where it contradicts, the form says so.
        """
        self.audit = audit
        for item in self.guide.items:
            state = evidence_for(item, audit).state
            if state is not None and self._may_be_set(item.number, state):
                self.store.put(("answers", item.number, "state"), state.value, who=BY_EVIDENCE)
        self.tell()

    def _may_be_set(self, number: str, state: State) -> bool:
        answer = self.dossier.answers.get(number)
        if answer is None:
            return True
        return answer.state is not state and self.is_by_evidence(number)

    def is_by_evidence(self, number: str) -> bool:
        """Whether the state of a question was last set by evidence and not by a person."""
        field_name = f"answers.{number}.state"
        last = next((c for c in reversed(self.store.history) if c.what == field_name), None)
        return last is not None and last.who == BY_EVIDENCE


def _shared() -> Path | None:
    """Where the notebooks of one server keep who is at work; None without a server."""
    folder = os.environ.get("JUPYTER_RUNTIME_DIR")
    return Path(folder) / "person" if folder else None


def _told(conflict: Conflict) -> Text:
    return say(
        "Somebody else changed this at the same time. The dossier now holds «{theirs}»; yours was "
        "«{ours}».",
        theirs=str(conflict.theirs)[:200],
        ours=str(conflict.ours)[:200],
    )
