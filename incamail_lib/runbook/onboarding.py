"""What the phase notebooks call: one object per notebook, and from it everything a cell shows."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

from incamail_lib.audit import latest_audit, save_record
from incamail_lib.audit.case import Case, bind, measure_dossier
from incamail_lib.checks import judge_facts
from incamail_lib.documents import Basis, to_sign
from incamail_lib.documents.by_hand import identity_commands
from incamail_lib.documents.measures import tasks
from incamail_lib.documents.writing import chosen, write_documents
from incamail_lib.dossier import open_store
from incamail_lib.dossier.agreed import Direction
from incamail_lib.errors import IncaMailError
from incamail_lib.findings import Audit
from incamail_lib.guide import load_platform
from incamail_lib.i18n import Language
from incamail_lib.notebooks import EXAMPLES
from incamail_lib.outputs import (
    FACTS,
    RECORD,
    documents_folder,
    dossier_copies,
    new_audit,
    time_name,
)
from incamail_lib.runbook.forms.about import About
from incamail_lib.runbook.forms.acceptance import Acceptance
from incamail_lib.runbook.forms.by_hand import ByHand
from incamail_lib.runbook.forms.components import Components
from incamail_lib.runbook.forms.documents import DocumentForm
from incamail_lib.runbook.forms.fields import Fields
from incamail_lib.runbook.forms.flows import FlowView
from incamail_lib.runbook.forms.hops import Hops
from incamail_lib.runbook.forms.html_test import HtmlTest
from incamail_lib.runbook.forms.identity import Identity
from incamail_lib.runbook.forms.incoming import Incoming
from incamail_lib.runbook.forms.link import LinkTest
from incamail_lib.runbook.forms.lists import Contacts
from incamail_lib.runbook.forms.measures import Measures
from incamail_lib.runbook.forms.measuring import Measuring, Progress
from incamail_lib.runbook.forms.person import AtWork
from incamail_lib.runbook.forms.questions import Questions
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Link
from incamail_lib.runbook.forms.signatures import Signatures
from incamail_lib.runbook.forms.technical import GROUPS, TITLES
from incamail_lib.runbook.forms.welcome import (
    Alone,
    Chooser,
    Contents,
    JumpList,
    OpenQuestions,
    ProgressView,
    dossiers_below,
)
from incamail_lib.runbook.workplace import new_dossier, prepare
from incamail_lib.seal import Keys, sealed


class Onboarding:
    """One organisation on its way to IncaMail, as one notebook works on it."""

    def __init__(self, case: Case, session: Session, *, others: bool = False) -> None:
        self.case, self.session, self._others = case, session, others
        self._measuring: Measuring | None = None
        self._about = About(session, case)

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._about._repr_mimebundle_()

    def questions(self, *numbers: str) -> Questions:
        """Questions of the checklist by their numbers in the guide."""
        return Questions(self.session, numbers)

    def fields(self, group: str) -> Fields:
        """A group of fields that no question decides: organisation, sender."""
        return Fields(self.session, GROUPS[group], TITLES.get(group, ""))

    @property
    def contacts(self) -> Contacts:
        """Who is responsible for what."""
        return Contacts(self.session)

    @property
    def person(self) -> AtWork:
        """Under whose name tests are noted."""
        return AtWork(self.session)

    @property
    def components(self) -> Components:
        """The components of guide section 2."""
        return Components(self.session)

    def acceptance(self, *directions: str) -> Acceptance:
        """The acceptance tests of the directions named, else of both."""
        chosen = tuple(Direction(name) for name in directions) or tuple(Direction)
        is_incoming = chosen == (Direction.INCOMING,)
        return Incoming(self.session) if is_incoming else Acceptance(self.session, chosen)

    @property
    def progress(self) -> ProgressView:
        """Where the organisation stands."""
        return ProgressView(self.session)

    @property
    def chooser(self) -> Chooser | Alone:
        """Other dossiers, and a form for a new one; where a client looks on, neither."""
        if not self._others:
            return Alone(self.session)
        here = self.case.path.resolve().parent
        known = [self._opened(path) for path in dossiers_below(here)]
        return Chooser(self.session, [link for link in known if link], self._create)

    @property
    def contents(self) -> Contents:
        """The way to each phase."""
        return Contents(self.session)

    def jump_list(self, name: str) -> JumpList:
        """The way to each heading of the notebook of that name."""
        return JumpList(self.session, name)

    @property
    def link_test(self) -> LinkTest:
        """The test messages of guide 8.3."""
        return LinkTest(self.session)

    @property
    def html_test(self) -> HtmlTest:
        """The test message with an HTML attachment (guide 2)."""
        return HtmlTest(self.session)

    @property
    def hops(self) -> Hops:
        """The hand-overs of messages that were handed in (guide 2)."""
        return Hops(self.session)

    @property
    def identity(self) -> Identity:
        """Who really answers (guide 8.4)."""
        return Identity(self.session)

    @property
    def by_hand(self) -> ByHand:
        """The openssl command of guide 8.4, ready to be copied."""
        return ByHand(self.session, lambda: identity_commands(self._basis()))

    @property
    def open_questions(self) -> OpenQuestions:
        """What only Swiss Post can answer."""
        return OpenQuestions(self.session)

    @property
    def measures(self) -> Measures:
        """The measures of the implementation plan, with owner, day and what is done."""
        return Measures(self.session, lambda: tasks(self._basis()))

    @property
    def signatures(self) -> Signatures:
        """The names under the set-up document and the acceptance reports."""
        return Signatures(self.session, lambda: to_sign(self._basis()))

    def flow(self, direction: str) -> FlowView:
        """How messages flow: "outgoing" (guide 8.1) or "incoming" (guide 8.2)."""
        return FlowView(self.session, Direction(direction))

    def document(self, name: str) -> DocumentForm:
        """A deliverable, e.g. "setup_document"; "acceptance_report" stands for all four."""
        language = self.session.language

        def write() -> tuple[Path, ...]:
            basis = self._basis()
            folder = documents_folder(self.session.output, basis.dossier.organisation)
            files = write_documents(chosen(basis, name), basis, folder, language=language)
            return files

        return DocumentForm(
            self.session,
            make=lambda: chosen(self._basis(), name),
            write=write,
        )

    def _basis(self) -> Basis:
        today = dt.datetime.now(dt.UTC).date()
        session = self.session
        return Basis(session.dossier, session.guide, session.platform, session.audit, today)

    def _opened(self, path: Path) -> Link | None:
        """A dossier beside this one, ready to be opened; none where it cannot be read."""
        try:
            place = prepare(path, self.session.output, others=True, anew=False)
        except IncaMailError:
            return None
        return Link.to_notebook(place.organisation, place.link, note=path.name)

    def _create(
        self, organisation: str, domains: list[str], language: Language, scenario: str
    ) -> Link:
        folder = self.case.path.resolve().parent
        path = new_dossier(folder, organisation, domains, language=language, scenario=scenario)
        place = prepare(path, self.session.output, others=True)
        return Link.to_notebook(organisation, place.link, note=path.name)

    @property
    def measuring(self) -> Measuring:
        """The last audit, and the button that measures anew; one for the whole notebook."""
        if self._measuring is None:
            self._measuring = Measuring(self.session, self.measure)
        return self._measuring

    async def measure(self, progress: Progress | None = None) -> Audit:
        """Measure and judge now; facts and audit are kept in a folder of their own."""
        case = bind(self.case.path)  # as it is on disk now, with paths resolved
        dossier = case.dossier
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        facts = await measure_dossier(dossier, now=now, progress=progress)
        new = new_audit(self.session.output, dossier.organisation, time_name(now))
        save_record(facts, new.part / FACTS)
        audit = judge_facts(facts, now, case.waivers)
        save_record(audit, new.part / RECORD)
        self.session.notes = sealed(new.part, Keys.of_user(), called=new.final.name)
        new.finish()
        return audit

    async def evidence(self) -> Measuring:
        """The evidence there is; on the lab, which costs nobody anything, measured if needed."""
        if self.session.audit is None and self.case.dossier.platform == "lab":
            self.session.take_audit(await self.measure())
        return self.measuring


def open_onboarding(
    dossier: str | Path,
    *,
    language: str = "",
    output: str | Path = "reports",
    interactive: bool = True,
    others: bool = False,
) -> Onboarding:
    """Sit down with one dossier. A sample of the project is copied before anybody writes in it.

    With `others` the chooser lists the dossiers beside it: no view for a client.

    Errors: DossierError for a wrong dossier, UsageError for a language that is not known.
    """
    path = working_copy(Path(dossier), Path(output))
    case = bind(path, language=language)
    override = case.dossier.platform if isinstance(case.dossier.platform, Path) else None
    latest = latest_audit(Path(output), case.dossier.organisation, Keys.of_user())
    session = Session(
        store=open_store(path),
        platform=load_platform(override),
        language=case.language,
        interactive=interactive,
        output=Path(output),
        audit=latest.audit,
        notes=latest.notes,
    )
    return Onboarding(case, session, others=others)


def working_copy(path: Path, output: Path) -> Path:
    """The dossier itself; of a sample of the project a copy below `output`, made once.

    Messages that samples hand in go along, since dossiers name them by relative paths.
    """
    if path.resolve().parent != EXAMPLES.resolve():
        return path
    copy = dossier_copies(output) / path.name
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        shutil.copytree(EXAMPLES / "messages", copy.parent / "messages", dirs_exist_ok=True)
    return copy
