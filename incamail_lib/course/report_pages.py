"""Pages of an audit report to be read in a lesson: the product's own, of a client of the lab."""

from __future__ import annotations

from collections.abc import Iterator

from incamail_lib.course.bench import Bench
from incamail_lib.course.exercises import Pages
from incamail_lib.i18n import N_, Text
from incamail_lib.lab import Scenario
from incamail_lib.report import Report
from incamail_lib.report.telling import named, outcome
from incamail_lib.report.words import word
from incamail_lib.sheets.model import Block, Fold, Listing, Phrase, Quiet, Table

_FIRST = N_("The first page of the report")
_OPEN = N_("The chapter «Open points» of the report")


def first_page(scenario: Scenario) -> Pages:
    """The first page of the scenario's report: verdict, what decides, what is next."""
    return lambda bench: (Fold(Text(template=_FIRST), _blocks(bench, scenario, "summary")),)


def open_points(scenario: Scenario) -> Pages:
    """All points of the scenario's report that are open, with who acts and until when."""
    return lambda bench: (Fold(Text(template=_OPEN), _blocks(bench, scenario, "steps")),)


def judged(scenario: Scenario, *codes: str) -> Pages:
    """What some checks say of the scenario, a line for each, as the annex tells every check."""
    return lambda bench: (Listing(tuple(_lines(bench, scenario, codes))),)


def _lines(bench: Bench, scenario: Scenario, codes: tuple[str, ...]) -> Iterator[Phrase]:
    for finding in bench.audit(scenario).findings:
        if finding.code in codes:
            yield Phrase((outcome(finding), Quiet(word(finding.level)), named(finding)))


def _blocks(bench: Bench, scenario: Scenario, key: str) -> tuple[Block, ...]:
    report = Report(bench.audit(scenario), "en")  # the blocks are in no language yet
    chapter = report.summary if key == "summary" else report.steps
    # Tables are regions of a page by their captions, which several reports on one page would share.
    return tuple(block for block in chapter.section.blocks if not isinstance(block, Table))
