"""What the phase notebooks call: one object per notebook, and from it everything a cell shows."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

from incamail_lib.audit import load_audit, save_record
from incamail_lib.batch.execute import RECORD, case_folder, slug
from incamail_lib.binding import Case, bind, measure_dossier
from incamail_lib.checks import judge_facts
from incamail_lib.deliverables import chosen, preview, write_documents
from incamail_lib.dossier import open_store
from incamail_lib.dossier.progress import Direction
from incamail_lib.errors import IncaMailError, MaterialError
from incamail_lib.findings import Audit
from incamail_lib.forms.desk import Desk
from incamail_lib.forms.fields import Fields
from incamail_lib.forms.flows import FlowView
from incamail_lib.forms.link import LinkTest
from incamail_lib.forms.lists import Acceptance, Components, Contacts
from incamail_lib.forms.measuring import Measuring, Progress
from incamail_lib.forms.papers import Paper
from incamail_lib.forms.questions import Questions
from incamail_lib.forms.signatures import Signatures
from incamail_lib.forms.technical import GROUPS
from incamail_lib.forms.welcome import (
    Chooser,
    Link,
    Links,
    OpenQuestions,
    ProgressView,
    dossiers_below,
    phase_links,
)
from incamail_lib.guide import load_platform
from incamail_lib.i18n import Language
from incamail_lib.report.chapters import Chapter, Report
from incamail_lib.report.papers import Basis
from incamail_lib.runbook import EXAMPLES
from incamail_lib.workplace import new_dossier, place_of, prepare


class Onboarding:
    """One organisation on its way to IncaMail, as one notebook works on it."""

    def __init__(self, case: Case, desk: Desk) -> None:
        self.case, self.desk = case, desk
        self._measuring: Measuring | None = None

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self.case._repr_mimebundle_()

    def questions(self, *numbers: str) -> Questions:
        """Questions of the checklist by their numbers in the guide."""
        return Questions(self.desk, numbers)

    def fields(self, group: str) -> Fields:
        """A group of plain fields: organisation, architecture, routing, certificates, sender."""
        return Fields(self.desk, GROUPS[group])

    @property
    def contacts(self) -> Contacts:
        """Who is responsible for what."""
        return Contacts(self.desk)

    @property
    def components(self) -> Components:
        """The components of guide section 2."""
        return Components(self.desk)

    def acceptance(self, *directions: str) -> Acceptance:
        """The acceptance tests of the directions named, else of both."""
        chosen = tuple(Direction(name) for name in directions) or tuple(Direction)
        return Acceptance(self.desk, chosen)

    @property
    def progress(self) -> ProgressView:
        """Where the organisation stands."""
        return ProgressView(self.desk)

    @property
    def chooser(self) -> Chooser:
        """Other dossiers, and a form for a new one."""
        here = self.case.path.resolve().parent
        known = [self._opened(path) for path in dossiers_below(here)]
        return Chooser(self.desk, [link for link in known if link], self._create)

    @property
    def contents(self) -> Links:
        """The way to each phase."""
        return Links(self.desk.language, phase_links(self.desk.language))

    @property
    def link_test(self) -> LinkTest:
        """The test messages of guide 8.3."""
        platform = self.desk.platform
        rules = self.desk.dossier.declared(
            suffix=platform.suffix.value, smart_host=platform.smart_host.value
        ).rules
        return LinkTest(self.desk, rules)

    @property
    def identity(self) -> Chapter | Measuring:
        """Who really answers (guide 8.4); without an audit, the way to one."""
        audit = self.desk.audit
        return Report(audit, self.desk.language).identity if audit else self.measuring

    @property
    def open_questions(self) -> OpenQuestions:
        """What only Swiss Post can answer."""
        return OpenQuestions(self.desk)

    @property
    def signatures(self) -> Signatures:
        """The names under the acceptance reports."""
        return Signatures(self.desk)

    def flow(self, direction: str) -> FlowView:
        """How messages flow: "outgoing" (guide 8.1) or "incoming" (guide 8.2)."""
        return FlowView(self.desk, Direction(direction))

    def document(self, name: str) -> Paper:
        """A deliverable, e.g. "setup_document"; "acceptance_report" stands for all four."""
        language = self.desk.language

        def write() -> tuple[Path, ...]:
            basis = self._basis()
            folder = self.desk.output / slug(basis.dossier.organisation) / "documents"
            files, _ = write_documents(chosen(basis, name), basis, folder, language=language)
            return files

        return Paper(
            self.desk,
            preview=lambda: preview(chosen(self._basis(), name), language),
            write=write,
        )

    def _basis(self) -> Basis:
        today = dt.datetime.now(dt.UTC).date()
        desk = self.desk
        return Basis(desk.dossier, desk.guide, desk.platform, desk.audit, today)

    def _opened(self, path: Path) -> Link | None:
        """A dossier beside this one, ready to be opened; none where it cannot be read.

        Notebooks that are there stay as they are: somebody may have them open.
        """
        try:
            place = place_of(path, self.desk.output)
            if not place.welcome.exists():
                prepare(path, self.desk.output)
        except IncaMailError:
            return None
        return Link(place.organisation, place.link, note=path.name)

    def _create(
        self, organisation: str, domains: list[str], language: Language, scenario: str
    ) -> Link:
        folder = self.case.path.resolve().parent
        path = new_dossier(folder, organisation, domains, language=language, scenario=scenario)
        return Link(organisation, prepare(path, self.desk.output).link, note=path.name)

    @property
    def measuring(self) -> Measuring:
        """The last audit, and the button that measures anew; one for the whole notebook."""
        if self._measuring is None:
            self._measuring = Measuring(self.desk, self.measure)
        return self._measuring

    async def measure(self, progress: Progress | None = None) -> Audit:
        """Measure and judge now; facts and audit are kept in a folder of their own."""
        dossier = bind(self.case.path).dossier  # as it is on disk now, with paths resolved
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        facts = await measure_dossier(dossier, now=now, progress=progress)
        folder = case_folder(self.desk.output, dossier.organisation, now)
        save_record(facts, folder / "facts.json")
        audit = judge_facts(facts, now)
        save_record(audit, folder / RECORD)
        return audit

    async def evidence(self) -> Measuring:
        """The evidence there is; on the lab, which costs nobody anything, measured if needed."""
        if self.desk.audit is None and self.case.dossier.platform == "lab":
            self.desk.take_audit(await self.measure())
        return self.measuring


def open_onboarding(
    dossier: str | Path,
    *,
    language: str = "",
    output: str | Path = "reports",
    interactive: bool = True,
) -> Onboarding:
    """Sit down with one dossier. A sample of the project is copied before anybody writes in it.

    Errors: DossierError for a wrong dossier, UsageError for a language that is not known.
    """
    path = working_copy(Path(dossier), Path(output))
    case = bind(path, language=language)
    override = case.dossier.platform if isinstance(case.dossier.platform, Path) else None
    desk = Desk(
        store=open_store(path),
        platform=load_platform(override),
        language=case.language,
        interactive=interactive,
        output=Path(output),
        audit=latest_audit(Path(output), case.dossier.organisation),
    )
    return Onboarding(case, desk)


def working_copy(path: Path, output: Path) -> Path:
    """The dossier itself; of a sample of the project a copy below `output`, made once."""
    if path.resolve().parent != EXAMPLES.resolve():
        return path
    copy = output / "dossiers" / path.name
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return copy


def latest_audit(output: Path, organisation: str) -> Audit | None:
    """The newest audit of an organisation below `output`; a damaged one is passed over."""
    found = sorted((output / slug(organisation)).glob(f"*/{RECORD}"), reverse=True)
    for path in found:
        try:
            audit = load_audit(path)
        except MaterialError:
            continue
        if audit.facts.declared.organisation == organisation:  # names may share a folder
            return audit
    return None
