"""The report as a whole: short, in the order in which people act, the same on screen and paper."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import re
from collections import Counter
from functools import cache
from pathlib import Path

import nbformat
import pytest
from factories import NOW, facts, unreached, vantage
from pypdf import PdfReader
from sheets.extracted import in_page, joined, three_tellings

from incamail_lib.audit.case import measure_dossier
from incamail_lib.checks import judge_facts
from incamail_lib.dossier import Dossier, read_dossier
from incamail_lib.dossier.agreed import Answer, Contact, Role, State
from incamail_lib.facts.audit import Place
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import Stage
from incamail_lib.findings import Audit, Verdict
from incamail_lib.i18n import LANGUAGES, Language, say
from incamail_lib.report import Report
from incamail_lib.report.chapters import TITLES
from incamail_lib.report.document import html_of
from incamail_lib.report.order import decisive, waiting
from incamail_lib.sheets.html import render_html
from incamail_lib.sheets.model import Paragraph
from incamail_lib.sheets.pdf import pdf_of
from incamail_lib.sheets.telling import told

SAMPLE = Path(__file__).parents[2] / "examples" / "muster.yaml"


@cache
def measured(scenario: str) -> tuple[Dossier, Audit]:
    """The sample organisation in a scenario of the lab."""
    dossier = read_dossier(SAMPLE).model_copy(update={"scenario": scenario})
    found = asyncio.run(measure_dossier(dossier))
    return dossier, judge_facts(found, found.measured_at)


def pages(report: Report) -> list[str]:
    made = pdf_of(report.document(), report.language)
    return [page.extract_text() for page in PdfReader(io.BytesIO(made)).pages]


def packed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sound_report_has_five_pages_before_the_annex(language: Language) -> None:
    """Page 1 the verdict, page 2 what to do, then the subjects, in every language."""
    dossier, audit = measured("sound")
    report = Report(audit, language, dossier=dossier)
    texts = pages(report)
    annex = told(say("Annex: {title}", title=report.title("components")), language)
    # Of what keeps a colon on its word, a reader of PDF tells a space or nothing.
    [first] = [n for n, text in enumerate(texts) if packed(annex) in packed(text)]
    assert first <= 5
    assert report.summary.title in texts[0]
    assert report.steps.title in texts[1]
    assert report.steps.title not in texts[0].splitlines()


_SUBJECTS = ("routing", "dns", "gateways", "outgoing", "certificates", "identity")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_subject_is_split_that_a_page_can_hold(language: Language) -> None:
    """Heading, table and verdicts of a subject stand on one page, so that it can be handed over."""
    dossier, audit = measured("exact_subject_rule")
    report = Report(audit, language, dossier=dossier)
    texts = [packed(text) for text in pages(report)]
    for key in _SUBJECTS:
        last = report.document().sections[list(TITLES).index(key)].blocks[-1]
        assert isinstance(last, Paragraph)
        [page] = [text for text in texts if packed(told(last.text, language)) in text]
        assert packed(report.title(key)) in page


def test_a_full_first_page_leaves_no_empty_one_behind() -> None:
    """What was audited gives way to what decides, so that open points begin page 2."""
    dossier, audit = measured("exact_subject_rule")
    for language in LANGUAGES:
        report = Report(audit, language, dossier=dossier)
        texts = pages(report)
        assert report.steps.title in texts[1]
        assert report.steps.title not in texts[0].splitlines()


def test_what_decides_and_is_unknown_stands_on_page_one() -> None:
    """Beside a failure the required unknowns are named, each with what to do."""
    failed = judge_facts(facts(platform_endpoints=(unreached(Reason.REFUSED, Stage.CONNECT),)), NOW)
    unknown = waiting(failed)
    assert unknown
    text = str(Report(failed, "en").summary)
    assert "What else is required, and not known yet" in text
    for row in unknown[:3]:
        assert row.finding.code in text
        assert packed(row.finding.remedy.english())[:60] in packed(text)
    assert f"{len(unknown)} more could not be judged." in text
    assert "What else is required" not in str(Report(judge_facts(facts(), NOW), "en").summary)


def test_all_that_decides_an_inconclusive_verdict_stands_on_page_one() -> None:
    """Three whole, the others in a line each with what to do."""
    audit = elsewhere()
    rows = decisive(audit)
    text = str(Report(audit, "en").summary)
    assert len(rows) > 3
    for row in rows[:6]:
        assert row.finding.code in text


def test_page_one_says_who_does_what_until_when() -> None:
    """Three points at most, each with its remedy, the trade and the person, and the day."""
    failed = judge_facts(facts(platform_endpoints=(unreached(Reason.REFUSED, Stage.CONNECT),)), NOW)
    people = tuple(Contact(role=role, name=f"Name of {role.value}") for role in Role)
    dossier = Dossier(organisation="Muster AG", domains=("muster.example",), contacts=people)
    text = str(Report(failed, "en", dossier=dossier).summary)
    assert 0 < text.count("What to do") <= 3 + 1  # and where the others stand
    assert "Name of network_admin" in text
    assert "before go-live, 15 January 2027" in text
    assert "Name of" not in str(Report(failed, "en").summary)
    item = next(f.item for f in failed.findings if f.blocks)
    agreed = {item: Answer(state=State.TODO, owner="Eva Example", due=dt.date(2026, 12, 1))}
    told_of = Report(failed, "en", dossier=dossier.model_copy(update={"answers": agreed}))
    assert "Eva Example" in str(told_of.steps)
    assert "1 December 2026" in str(told_of.steps)


def test_a_report_tells_what_changed_since_the_audit_before() -> None:
    """What got better stands on page 1; without an audit before, nothing is said of one."""
    sound = judge_facts(facts(), NOW)
    failed = judge_facts(facts(platform_endpoints=(unreached(Reason.REFUSED, Stage.CONNECT),)), NOW)
    assert "✓ better" in str(Report(sound, "en", before=failed).summary)
    assert "✗ worse" in str(Report(failed, "en", before=sound).summary)
    assert "Nothing changed." in str(Report(sound, "en", before=sound).summary)
    assert "Since the audit" not in str(Report(sound, "en").summary)


def elsewhere() -> Audit:
    """Measured from where the way to IncaMail cannot be seen."""
    return judge_facts(facts(vantage=vantage(Place.ELSEWHERE), receiving_from=None), NOW)


def test_what_holds_up_most_comes_first() -> None:
    """Of an inconclusive audit page 1 names what keeps the most from being judged."""
    audit = elsewhere()
    assert audit.verdict is Verdict.INCONCLUSIVE
    behind = Counter(f.blocked_by for f in audit.findings if f.blocked_by)
    text = str(Report(audit, "en").summary)
    first = re.search(r"\b([A-Z]{2,4}\d\d)\b", text.partition("What decides")[2])
    assert first is not None
    assert first[1] == max(behind, key=lambda code: behind[code])


@pytest.mark.parametrize(
    ("scenario", "language"),
    [("sound", "fr"), ("server_only_client_certificate", "de"), ("elsewhere", "it")],
)
def test_the_report_says_the_same_in_every_form(scenario: str, language: Language) -> None:
    """Letter by letter: page, Word file and paper."""
    audit = elsewhere() if scenario == "elsewhere" else measured(scenario)[1]
    said = three_tellings(Report(audit, language).document(), language)
    assert joined(said["word"]) == joined(said["html"])
    assert joined(said["pdf"]) == joined(said["html"])


def test_the_notebooks_page_says_what_the_paper_says() -> None:
    """report.html is what the cells show; together they are the document, and nothing else."""
    dossier, audit = measured("sound")
    report = Report(audit, "de", dossier=dossier)
    cells = []
    for chapter in report.chapters():
        data, metadata = chapter._repr_mimebundle_()
        output = nbformat.v4.new_output("execute_result", data, metadata=metadata)
        cells.append(nbformat.v4.new_code_cell("", outputs=[output]))
    page = html_of(nbformat.v4.new_notebook(cells=cells), "de", title="x")
    bare = re.sub(
        r"<nav.*?</nav>|<details class=\"im-codecell\">.*?</details>", "", page, flags=re.S
    )
    assert joined(in_page(bare)) == joined(in_page(render_html(report.document(), "de")))


def test_every_chapter_is_in_the_document_in_order() -> None:
    """What the notebook shows is what the paper has."""
    _, audit = measured("sound")
    assert [section.key for section in Report(audit, "en").document().sections] == list(TITLES)
