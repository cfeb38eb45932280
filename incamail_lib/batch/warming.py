"""What the warm process does once, so that none of its children need do it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import nbformat
import papermill.execute
import typst

from incamail_lib.audit import plan
from incamail_lib.audit.case import Case, bind
from incamail_lib.batch import engine, job
from incamail_lib.checks import judge_facts
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.dns import DnsFacts
from incamail_lib.findings import Audit
from incamail_lib.forked import client
from incamail_lib.forked.kernel import prepare
from incamail_lib.guide import contents
from incamail_lib.guide.authorities import authorities
from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.guide.freshness import standards
from incamail_lib.guide.hosted import hosted_gateways
from incamail_lib.i18n import LANGUAGES
from incamail_lib.notebooks import EXAMPLES
from incamail_lib.report import Report
from incamail_lib.report.document import html_of
from incamail_lib.sheets import pdf

DATA: tuple[Callable[[], object], ...]
DATA = (authorities, ca_policy, contents, hosted_gateways, standards)
__all__ = ["client", "engine", "job", "papermill", "typst", "warm"]


def warm() -> None:
    """Import everything, fill every cache: templates, catalogs, data of the guide, checks."""
    prepare()
    for read in DATA:
        read()
    case = bind(min(EXAMPLES.glob("*.yaml")))
    audit = _of_nothing(case)
    for language in LANGUAGES:
        report = Report(audit, language)
        for chapter in (*report.chapters(), report.flows):
            chapter._repr_mimebundle_()
        pdf.data_of(report.document(), language)  # no PDF: with Typst's threads nothing forks
        dataclasses.replace(case, language=language)._repr_mimebundle_()
        html_of(nbformat.v4.new_notebook(), language, title="")


def _of_nothing(case: Case) -> Audit:
    """An audit of a sample of which nothing was seen; nobody keeps it."""
    made = plan(case.dossier.model_copy(update={"platform": "incamail"}))
    now = dt.datetime.now(dt.UTC)
    facts = AuditFacts(
        measured_at=now,
        vantage=made.vantage,
        declared=made.declared,
        platform=made.platform,
        dns=DnsFacts(),
    )
    return judge_facts(facts, now)
