"""The portfolio: every organisation of a run on one page, on paper, as tables and as a calendar."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import hashlib
import io
import json
import re
from pathlib import Path

import nbformat
import pytest
from factories import NOW
from icalendar import Calendar
from openpyxl.reader.excel import load_workbook
from portfolio.nights import FATES, two_nights
from typer.testing import CliRunner

from incamail_lib.batch.execute import run_notebook
from incamail_lib.cli.app import app
from incamail_lib.errors import UsageError
from incamail_lib.history import HistoryError
from incamail_lib.i18n import LANGUAGES, Language, Text, Translator
from incamail_lib.notebooks import NOTEBOOKS, models_of_a_client
from incamail_lib.portfolio import Portfolio, open_portfolio
from incamail_lib.portfolio.calendar import calendar_of
from incamail_lib.portfolio.page import _script, page_of
from incamail_lib.portfolio.tables import csv_of, tables, workbook_of
from incamail_lib.portfolio.writing import write_page, write_tables
from incamail_lib.sheets.pdf import pdf_of

TODAY = (NOW + dt.timedelta(days=1)).date()


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights of eleven organisations."""
    return two_nights(tmp_path_factory.mktemp("nights"))


@pytest.fixture(scope="module")
def portfolio(history: Path) -> Portfolio:
    """The second night beside the first."""
    return open_portfolio(history, today=TODAY, folder=history.parent)


def test_those_that_need_a_person_stand_first(portfolio: Portfolio) -> None:
    """No verdict, not ready, unknown, ready; what is accepted is told as that."""
    text = str(portfolio.verdicts)
    order = [text.index(name) for name in ("Arztpraxis", "Kantonsspital", "Treuhand", "Spitex")]
    assert order == sorted(order)
    accepted = next(line for line in text.splitlines() if line.startswith("Gemeinde"))
    assert "accepted" in accepted
    assert "31 March 2027" in accepted
    assert "ready" not in accepted
    assert len(portfolio.digests) == len(FATES)


def test_a_renewal_is_no_alarm(portfolio: Portfolio) -> None:
    """What got worse stands first, renewals with what got better."""
    rows = [line.split(" | ") for line in str(portfolio.changes).splitlines() if " | " in line][1:]
    signs = [row[1].split()[0] for row in rows]
    assert signs == sorted(signs, key="✗–✓".index)
    renewed = [row for row in rows if row[1] == "✓ renewed"]
    assert {row[0] for row in renewed} == {"Étude Favre & Cie", "Weggezogen GmbH"}
    assert any("could be audited again" in row[2] for row in rows if row[0] == "Spitex Oberland")


def test_certificates_are_told_by_the_days_left(portfolio: Portfolio) -> None:
    """The first to end first, and each within its span once."""
    lines = [line for line in str(portfolio.certificates).splitlines() if "| 20" in line]
    days = [int(line.split(" | ")[-2]) for line in lines]
    assert days == sorted(days)
    assert days[0] == 11
    spans = str(portfolio.renewals)
    assert spans.count("Notariat Zürichberg | mx1.muster.example") == 1
    assert spans.index("Within 30 days") < spans.index("Notariat") < spans.index("Within 60 days")


def test_the_most_frequent_failure_stands_first(portfolio: Portfolio) -> None:
    """With the number of organisations."""
    counts = [row[-1] for row in tables(portfolio)["failures"][1:]]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 10
    assert "1/17" in str(portfolio.phases)


PERMITS = re.compile(
    r"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-([^']+)'; font-src "
    r"data:; base-uri 'none'; form-action 'none'; script-src 'sha256-([^']+)'\""
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_permits_its_own_style_and_script_alone(
    portfolio: Portfolio, language: Language
) -> None:
    """By their hashes; names that are markup stay names, and nothing else acts."""
    page = page_of(portfolio.document, language).replace("&#39;", "'")
    found = PERMITS.search(page)
    assert found
    for tag, wanted in (("style", found[1]), ("script", found[2])):
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", page_of(portfolio.document, language), re.S)
        assert [base64.b64encode(hashlib.sha256(b.encode()).digest()).decode() for b in bodies] == [
            wanted
        ]
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    tags = "".join(re.findall(r"<[a-zA-Z][^>]*>", page))
    assert not re.search(r"\son[a-z]+\s*=|\sstyle\s*=|javascript:|\ssrc\s*=", tags)
    assert not re.search(r"https?://(?!www\.w3\.org)", "".join(re.findall(r'href="[^"]*"', page)))


def test_rows_are_counted_by_the_rules_of_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """The script gets the form for none, one and more; French has the singular for none too."""

    def counted(self: Translator, text: Text) -> str:
        one = text.n == 1 or (self.language == "fr" and text.n == 0)
        return "{n} one" if one else "{n} many"

    monkeypatch.setattr(Translator, "template", counted)
    forms: dict[Language, list[str]] = {
        "fr": ["one", "one", "many"],
        "de": ["many", "one", "many"],
    }
    for language, wanted in forms.items():
        found = re.search(r'"shown": (\[.*?\])', _script(language))
        assert found is not None
        assert json.loads(found[1]) == [f"{{n}} {form}" for form in wanted]


def test_the_page_leads_to_the_reports(portfolio: Portfolio) -> None:
    """By paths that go along when the whole folder is copied."""
    page = page_of(portfolio.document, "en")
    links = re.findall(r'href="([^"]+report\.html)"', page)
    assert len(links) == 10
    assert all(not link.startswith(("/", "file:")) for link in links)


def test_no_cell_is_a_formula(portfolio: Portfolio) -> None:
    """Names that begin with an equals sign stay names, in CSV and in Excel."""
    for rows in tables(portfolio).values():
        for row in csv.reader(io.StringIO(csv_of(rows).decode("utf-8-sig"))):
            assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]
    book = load_workbook(io.BytesIO(workbook_of(portfolio)))
    assert book.sheetnames == ["organisations", "changes", "certificates", "failures"]
    kinds = {c.data_type for sheet in book for line in sheet.iter_rows() for c in line}
    assert "f" not in kinds
    names = [cell.value for cell in book["organisations"]["A"]]
    assert '\'=HYPERLINK("http://evil.example")' in names
    assert book["certificates"].auto_filter.ref


def test_the_calendar_has_each_renewal_once(portfolio: Portfolio, history: Path) -> None:
    """Whole days with a reminder; a second run names the same entries alike."""
    calendar = Calendar.from_ical(calendar_of(portfolio))
    events = calendar.walk("VEVENT")
    assert len(events) == str(portfolio.renewals).count(".pem |") + str(portfolio.renewals).count(
        "mx1.muster.example |"
    )
    first = min(events, key=lambda event: event.decoded("dtstart"))
    assert first.decoded("dtstart") == dt.date(2026, 12, 6)
    assert "Notariat Zürichberg" in str(first["summary"])
    assert first.walk("VALARM")
    uids = {str(event["uid"]) for event in events}
    assert len(uids) == len(events)
    again = open_portfolio(history, run=1, today=TODAY)
    others = {str(e["uid"]) for e in Calendar.from_ical(calendar_of(again)).walk("VEVENT")}
    assert len(uids & others) > 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_goes_on_paper(portfolio: Portfolio, language: Language) -> None:
    """In every language."""
    assert pdf_of(portfolio.document, language).startswith(b"%PDF")


def test_the_notebook_shows_the_same(history: Path, tmp_path: Path) -> None:
    """Executed as every other; without a file of runs it says so, and Run All is safe."""
    done = tmp_path / "done.ipynb"
    given = {"history": str(history), "run": "2", "before": "1", "language": "en"}
    model = NOTEBOOKS / "portfolio.ipynb"
    assert run_notebook(model, done, given, "en") is None
    outputs = [o for c in nbformat.read(done, 4).cells for o in c.get("outputs", [])]
    texts = [output["data"]["text/plain"] for output in outputs]
    assert len(texts) == 7
    assert "Run 2" in texts[0]
    assert "Kantonsspital Beispiel" in texts[1]
    titles = [o["metadata"]["incamail"]["title"] for o in outputs[1:]]
    assert titles[0] == "Organisations by verdict"
    assert model not in models_of_a_client()


def test_what_there_is_not_is_one_sentence(history: Path, tmp_path: Path) -> None:
    """No file, no such run, no such language."""
    empty = open_portfolio(tmp_path / "none.sqlite", today=TODAY)
    assert "No run is kept yet" in page_of(empty.document, "en")
    assert write_page(empty, tmp_path / "empty")
    assert write_tables(empty, tmp_path / "empty")
    with pytest.raises(HistoryError, match="no finished run 9"):
        open_portfolio(history, run="9")
    for wrong in ("x", "-1", "9" * 40, "²"):
        with pytest.raises(UsageError):
            open_portfolio(history, run=wrong)
    with pytest.raises(UsageError, match="es"):
        open_portfolio(history, language="es")
    told = CliRunner().invoke(app, ["portfolio", "--history", str(tmp_path / "none.sqlite")])
    assert (told.exit_code, "none.sqlite" in told.output.replace("\n", "")) == (2, True)


def test_the_first_run_has_nothing_to_compare_with(history: Path) -> None:
    """And says so."""
    assert "no earlier run" in str(open_portfolio(history, run=1, today=TODAY).changes)


def test_the_command_writes_everything(history: Path, tmp_path: Path) -> None:
    """Page, paper, tables, calendar and the executed notebook, in the language asked for."""
    words = ["portfolio", "--history", str(history), "--output", str(tmp_path), "--lang", "de"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        *("portfolio.html", "portfolio.pdf", "portfolio.xlsx", "portfolio.ipynb", "renewals.ics"),
        *("organisations.csv", "changes.csv", "certificates.csv", "failures.csv"),
    }
    assert 'lang="de"' in (tmp_path / "portfolio.html").read_text(encoding="utf-8")
