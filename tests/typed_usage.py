"""What notebooks may call, as mypy reads it. Nothing here is ever run: `make lint` checks it.

`test_every_call_of_a_notebook_is_checked_for_its_types` holds that no call of a model is missing.
"""

from __future__ import annotations

from typing import assert_type

from incamail_lib.audit import save_record
from incamail_lib.audit.case import Case, bind
from incamail_lib.checks._core import Check, Context, Registry, Result, passed
from incamail_lib.checks._subjects import receiving
from incamail_lib.facts.dns import DomainFacts
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Audit
from incamail_lib.i18n import say
from incamail_lib.portfolio import Portfolio, open_portfolio
from incamail_lib.portfolio.chapters import Shown
from incamail_lib.report import Chapter, Report
from incamail_lib.runbook.course import Course, OpenLesson, open_course, open_lesson
from incamail_lib.runbook.course import Shown as Part
from incamail_lib.runbook.forms.exam import ExamForm
from incamail_lib.runbook.forms.exercise import ExerciseForm
from incamail_lib.runbook.forms.measuring import Measuring
from incamail_lib.runbook.forms.switching import SwitchForm
from incamail_lib.runbook.onboarding import Onboarding, open_onboarding
from incamail_lib.runbook.trainer import Results, open_trainer


async def audit_notebook(
    dossier: str, language: str, output: str, *, facts: str, previous: str
) -> None:
    """notebooks/audit.ipynb."""
    case = bind(dossier, language=language, facts=facts, previous=previous)
    assert_type(case, Case)
    audit = await case.audit()
    assert_type(audit, Audit)
    report = Report(audit, case.language, dossier=case.dossier, before=case.before)
    chapters = [
        *(report.summary, report.components, report.routing, report.dns, report.gateways),
        *(report.outgoing, report.certificates, report.identity, report.steps),
        *(report.samples, report.checks, report.records, report.details),
        *(report.evidence, report.versions),
    ]
    assert_type(chapters, list[Chapter])
    save_record(audit, f"{output}/audit.json")


async def phase_notebooks(
    dossier: str, language: str, output: str, interactive: bool, others: bool
) -> None:
    """notebooks/00_welcome.ipynb to 40_test.ipynb."""
    runbook = open_onboarding(
        dossier, language=language, output=output, interactive=interactive, others=others
    )
    assert_type(runbook, Onboarding)
    assert_type(await runbook.evidence(), Measuring)
    _ = (runbook.chooser, runbook.contacts, runbook.contents, runbook.person, runbook.progress)
    _ = (runbook.components, runbook.open_questions, runbook.measures, runbook.signatures)
    _ = (runbook.identity, runbook.by_hand, runbook.link_test, runbook.html_test, runbook.hops)
    runbook.jump_list("10_planning.ipynb")
    for group in ("organisation", "sender"):
        runbook.fields(group)
    runbook.questions("4.1", "4.2", "4.3", "4.4")
    runbook.flow("outgoing")
    runbook.acceptance("incoming")
    runbook.document("implementation_plan")


def portfolio_notebook(history: str, run: str, before: str, language: str) -> None:
    """notebooks/portfolio.ipynb."""
    portfolio = open_portfolio(history, run=run, before=before, language=language)
    assert_type(portfolio, Portfolio)
    chapters = [
        *(portfolio.verdicts, portfolio.changes, portfolio.certificates, portfolio.renewals),
        *(portfolio.failures, portfolio.phases),
    ]
    assert_type(chapters, list[Shown])


def refused(runbook: Onboarding, audit: Audit) -> None:
    """What a cell might get wrong. A line that mypy once let pass fails as an unused ignore."""
    runbook.questions(4.1)  # type: ignore[arg-type]
    runbook.flow(True)  # type: ignore[arg-type]
    runbook.document()  # type: ignore[call-arg]
    _ = runbook.evidnce  # type: ignore[attr-defined]
    open_onboarding("muster.yaml", "de")  # type: ignore[call-arg]
    Report(audit, "es")  # type: ignore[arg-type]


def declared(registry: Registry) -> None:
    """A check is typed by its subject: declared on endpoints, it cannot judge domains."""

    def of_an_endpoint(endpoint: EndpointFacts, _: Context) -> Result:
        return passed(say("{place}", place=endpoint.target.label))

    def of_a_domain(domain: DomainFacts, _: Context) -> Result:
        return passed(say("{place}", place=domain.domain))

    check = registry.check(
        "NET99",
        on=receiving,
        passes="",
        fails="",
        asks="",
        why="",
        remedy="",
        clarify="",
        item="",
        reference="",
        leg=None,
    )
    assert_type(check(of_an_endpoint), Check[EndpointFacts])
    check(of_a_domain)  # type: ignore[arg-type]


def training_notebooks(learner: str, language: str, output: str, interactive: bool) -> None:
    """notebooks/training: a lesson, the progress, an exam."""
    lesson = open_lesson(
        "travel", learner, language=language, output=output, interactive=interactive
    )
    assert_type(lesson, OpenLesson)
    assert_type(lesson.exercise("addin"), ExerciseForm)
    assert_type(lesson.exercise("addin").answer("a"), ExerciseForm)
    assert_type(lesson.exercise("addin").hint(), ExerciseForm)
    assert_type(lesson.summary, Part)
    assert_type(lesson.progress, Part)
    course = open_course(learner, language=language, output=output, interactive=interactive)
    assert_type(course, Course)
    assert_type(course.exam(1, 10, "before"), ExamForm)
    trainer = open_trainer("papers", language=language, interactive=interactive)
    assert_type(trainer.lab, SwitchForm)
    assert_type(trainer.lab.switch("expired"), SwitchForm)
    assert_type(trainer.results, Results)
