"""The runbook as consultant and client use it: a real JupyterLab, a real Voilà, a real browser.

A French notary's office is led in JupyterLab, a German municipality in the pages without code;
both from welcome to signed acceptance, on the lab.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from browser.opening import ARGUMENTS, Session, served, session
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from incamail_lib.dossier import Dossier, read_dossier
from incamail_lib.dossier.agreed import TestResult, messages_of
from incamail_lib.i18n import Language, translator
from incamail_lib.notebooks import NOTEBOOKS, paragraphs, read_model
from incamail_lib.outputs import document_name
from incamail_lib.runbook.forms.signatures import DOCUMENTS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]
DOSSIERS = Path(__file__).parents[1] / "documents"
FORM = "details.im-card, .im-form input, .im-form select"


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """One browser for all windows."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(chromium), args=list(ARGUMENTS))
        yield found
        found.close()


@dataclass
class Client:
    """One organisation at its session: every page it opens and every value it types."""

    at: Session
    url: str  # of the welcome page
    language: Language
    path: Path
    output: Path
    lead: str  # who is at work
    typed: dict[str, set[str]] = field(default_factory=dict)  # value: the fields it went into
    places: dict[str, set[str]] = field(default_factory=dict)  # setting: where it is asked

    @property
    def is_lab(self) -> bool:
        """Whether it looks at JupyterLab, or at pages without code."""
        return "/lab/tree/" in self.url

    @property
    def dossier(self) -> Dossier:
        """What is kept by now."""
        return read_dossier(self.path)

    def told(self, text: str) -> str:
        """A text as the interface shows it."""
        return translator(self.language)(text)

    def opens(self, name: str) -> None:
        """A notebook with everything in it; its settings are noted, each of which it asks once."""
        url, page = self.url.replace("00_welcome", name), self.at.page
        if self.is_lab:
            self.at.open(url)
            self.at.run_all()
        else:
            page.goto(url)
        page.locator(FORM).first.wait_for(timeout=90_000, state="attached")
        asked = [(n, where) for n, where in page.evaluate(ASKED) if _is_setting(n)]
        names = [n for n, _ in asked]
        assert len(names) == len(set(names)), f"{name} asks twice: {sorted(names)}"
        for setting, where in asked:
            self.places.setdefault(setting, set()).add(where)

    def types(self, into: Locator, value: str) -> None:
        """A value by hand, and on with Tab."""
        self.typed.setdefault(value, set()).add(_name(into))
        into.fill(value)
        into.press("Tab")

    def picks(self, into: Locator, value: str) -> None:
        """A value out of those that the field offers."""
        options = self.at.page.locator(f"datalist[id='{into.get_attribute('list')}'] option")
        assert value in options.evaluate_all("all => all.map((o) => o.value)")
        into.fill(value)
        into.press("Tab")

    def until(self, done: Callable[[Dossier], bool]) -> Dossier:
        """The dossier, once it says so."""
        deadline = time.monotonic() + 60
        while not done(found := self.dossier):
            assert time.monotonic() < deadline, found.acceptance
            self.at.page.wait_for_timeout(100)
        return found

    def writes(self, form: Locator, files: int) -> list[Path]:
        """The files of a document, which are new in the folder of documents."""
        before = set(self.output.glob("*/documents/*"))
        form.click()
        deadline = time.monotonic() + 60
        while len(new := set(self.output.glob("*/documents/*")) - before) < files:
            assert time.monotonic() < deadline, new
            self.at.page.wait_for_timeout(100)
        return sorted(new)


# A setting's place is its question, else the title above its form.
ASKED = """() => [...document.querySelectorAll(".im-form [name]")].filter(
  (e) => !e.closest(".im-form").querySelector("[data-press='make']")).map((e) => {
  const titles = [...document.querySelectorAll("h2")].filter(
    (t) => t.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING);
  const number = e.closest("details.im-card")?.querySelector(".im-number");
  return [e.dataset.name ?? e.name, number?.textContent ?? titles.at(-1)?.textContent ?? ""];
})"""


def _is_setting(name: str) -> bool:
    """Whether an input is of a field of the dossier, and not of an answer or an entry; another
    organisation, which a consultant begins, is none of this dossier."""
    return name.partition("/")[0] in Dossier.model_fields


def _name(one: Locator) -> str:
    return str(one.evaluate("e => e.dataset.name ?? e.name"))


@pytest.mark.parametrize(
    ("name", "lead", "options"),
    [
        pytest.param("notaire", "Claire Rochat", ("--others",), id="fr-lab"),
        pytest.param("gemeinde", "Beat Aregger", ("--app",), id="de-app"),
    ],
)
def test_an_organisation_is_led_from_welcome_to_signed_acceptance(
    browser: Browser, tmp_path: Path, name: str, lead: str, options: tuple[str, ...]
) -> None:
    """Answer, measure, restart, write, send, see arrive, sign: nothing is typed twice, no setting
    is asked in two places, and nothing is asked of the outside."""
    path, output = tmp_path / f"{name}.yaml", tmp_path / "out"
    remark = (DOSSIERS / path.name).read_text("utf-8").splitlines()[0]
    path.write_bytes((DOSSIERS / path.name).read_bytes())
    language = read_dossier(path).language
    with served(path, output, *options) as url:
        client = Client(session(browser, language), url, language, path, output, lead)
        welcome(client)
        planning(client)
        preparation(client)
        setup(client)
        link_test(client)
        acceptance(client)
        assert client.at.outside == []
        client.at.page.close()
    assert path.read_text(encoding="utf-8").startswith(remark)
    assert {v: f for v, f in client.typed.items() if len(f) > 1} == {}
    assert {s: p for s, p in client.places.items() if len(p) > 1} == {}


def welcome(client: Client) -> None:
    """Interface and prose are in the client's language; who is at work is chosen. A consultant
    makes a new dossier; a client sees pages without code, and no other client."""
    client.opens("00_welcome")
    at, told = client.at, client.told
    prose = next(paragraphs(read_model(NOTEBOOKS / "00_welcome.ipynb"))).removeprefix("# ")
    expect(at.page.get_by_text(told(f"# {prose}").removeprefix("# ")).first).to_be_attached()
    at.picture(f"welcome-{client.language}")
    at.page.locator("select[name='person']").select_option(client.lead)
    if client.is_lab:
        title = at.page.get_by_label(told("Organisation"), exact=True).first
        client.types(title, "Neue Firma AG")
        client.types(at.page.get_by_label(told("Mail domains"), exact=True), "neu.example")
        at.page.get_by_role("button", name=told("Create dossier")).click()
        expect(at.page.get_by_role("link", name="Neue Firma AG")).to_be_visible()
        made = read_dossier(client.path.parent / "neue-firma-ag.yaml")
        assert made.domains == ("neu.example",)
        return
    body = at.page.locator("body").inner_text()
    assert at.page.locator(".jp-InputArea-editor").count() == 0
    assert "open_onboarding" not in body
    assert "Run All" not in body
    assert at.page.locator("html").get_attribute("lang") == client.language
    assert at.page.title().endswith(f"– {client.dossier.organisation}")


def planning(client: Client) -> None:
    """A question is answered with the keyboard; after a restart it is still there."""
    client.opens("10_planning")
    at, told = client.at, client.told
    card = at.card("5.5")
    client.types(card.get_by_label(told("Answer"), exact=True), "Die Kanzlei schreibt")
    # Typed before the answer is there: it stays, and so does the cursor.
    note = card.get_by_label(told("To do, remarks"), exact=True)
    at.page.keyboard.type("Noch zu ")
    expect(card.locator("xpath=..").get_by_text(told("Saved."))).to_be_visible()
    expect(note).to_be_focused()
    at.page.keyboard.type("klären")
    expect(note).to_have_value("Noch zu klären")
    client.picks(card.get_by_label(told("Responsible"), exact=True), client.lead)
    at.picture(f"planning-{client.language}")
    found = client.until(lambda d: "5.5" in d.answers and d.answers["5.5"].owner != "")
    said = found.answers["5.5"]
    assert (said.answer, said.note) == ("Die Kanzlei schreibt", "Noch zu klären")
    clear = at.card("7.3").get_by_label(told("clear"), exact=True)
    clear.focus()
    clear.press("Space")
    client.until(lambda d: d.answers["7.3"].state.value == "clear")
    refused_where_it_is_typed(client)
    if client.is_lab:
        at.restart_kernels(client.url)
    client.opens("10_planning")
    again = at.card("5.5").get_by_label(told("Answer"), exact=True)
    expect(again).to_have_value("Die Kanzlei schreibt")


def refused_where_it_is_typed(client: Client) -> None:
    """What is wrong stays in its input, which is marked and described by the reason."""
    before = client.path.read_bytes()
    card = client.at.card("6.1")
    label = client.told("Receiving gateways: name, then addresses")
    hosts = card.get_by_label(label, exact=True)
    declared = hosts.input_value()
    client.types(hosts, "pas un hôte!")
    expect(hosts).to_have_attribute("aria-invalid", "true")
    expect(hosts).to_have_accessible_description(re.compile(r"«\s?pas\s?»"))
    expect(hosts).to_have_value("pas un hôte!")
    assert client.path.read_bytes() == before
    hosts.fill(declared)
    hosts.press("Tab")
    expect(hosts).not_to_have_attribute("aria-invalid", "true")


def preparation(client: Client) -> None:
    """Measuring shows its progress; the evidence sets the state and says what to do."""
    client.opens("20_preparation")
    at, told = client.at, client.told
    button = at.page.get_by_role("button", name=told("Measure now"))
    button.click()
    done = told("Measured. The evidence stands beside the questions.")
    expect(at.page.get_by_text(done)).to_be_visible(timeout=60_000)
    card = at.card("6.1")
    if client.dossier.scenario == "sound":
        expect(card.get_by_label(told("clear"), exact=True)).to_be_checked()
        assert card.get_by_text("CERT22").count() == 0
    else:
        expect(card.get_by_text("CERT22").last).to_be_visible()
    at.picture(f"preparation-{client.language}")


def setup(client: Client) -> None:
    """The set-up document is written, handed over by the page, and signed."""
    client.opens("30_setup")
    at, told = client.at, client.told
    written = document_name("setup_document", "docx", client.language)
    button = at.page.get_by_role("button", name=told("Write HTML, PDF and Word")).first
    assert written in [path.name for path in client.writes(button, 3)]
    with at.page.expect_download() as download:
        at.page.get_by_role("button", name=written).click()
    assert download.value.suggested_filename == written
    at.picture(f"setup-{client.language}")
    signs(client, "setup")


def signs(client: Client, document: str) -> None:
    """Whoever leads the project signs for the organisation: both are known, neither is typed."""
    at, number = client.at, len(client.dossier.signatures)
    at.page.get_by_role("button", name=client.told("Another signature")).click()
    chosen = at.page.locator(f"select[name='{number}/document']")
    expect(chosen).to_have_value(document)
    whose = at.page.locator(f"input[name='{number}/organisation']")
    expect(whose).to_have_value(client.dossier.organisation)
    name = at.page.locator(f"input[name='{number}/name']").last
    client.picks(name, client.lead)
    client.until(lambda d: len(d.signatures) > number)


def link_test(client: Client) -> None:
    """The three messages by their buttons, seen arriving; what fails first is recorded too."""
    client.opens("40_test")
    at = client.at
    at.page.locator("select[name='person']").wait_for()
    expect(at.page.locator("select[name='person']")).to_have_value(client.lead)
    if client.dossier.scenario != "sound":
        sends(client, 0, arrives=False)
        # What the consultant does on the lab: the certificate was bought anew.
        text = client.path.read_text("utf-8").replace(client.dossier.scenario, "sound")
        client.path.write_text(text, "utf-8")
        client.opens("40_test")
    for number in range(3):
        sends(client, number, arrives=True)
    inside = next(c.email for c in client.dossier.contacts if c.name == client.lead)
    client.types(at.page.locator("input[name='to']").first, inside)
    button = at.page.locator("button[data-press^='send/']")
    expect(button.first).to_contain_text(f"{inside}.incamail.ch")
    for number in range(3):
        sends(client, number, arrives=True)
    at.page.locator("details[id$='-html-card'] > summary").click()
    sends(client, 3, arrives=True)  # the HTML attachment, from outside
    at.picture(f"link-{client.language}")


def sends(client: Client, number: int, *, arrives: bool) -> None:
    """Press the consent to a message, and wait for what was seen of it."""
    count, page = sum(len(test.attempts) for test in client.dossier.acceptance), client.at.page
    buttons = page.locator("button[data-press^='send/']")
    pressed = buttons.nth(number).get_attribute("data-press")
    buttons.nth(number).click()
    found = client.until(
        lambda d: sum(1 for t in d.acceptance for a in t.attempts if a.seen) > count
    )
    # It is composed anew then: a consent to one that was sent sends nothing.
    page.wait_for_function("(n) => !document.querySelector(`[data-press='${n}']`)", arg=pressed)
    made = [a for test in found.acceptance for a in test.attempts]
    last = max(made, key=lambda a: a.seen.at if a.seen else a.at)
    assert last.by == client.lead
    assert last.reply.startswith("250")
    assert last.seen is not None
    assert last.seen.arrived is arrives


def acceptance(client: Client) -> None:
    """IncaMail, which the lab plays, sends at one press; the reports are written with what was
    seen, and signed."""
    at, told = client.at, client.told
    line = at.page.locator("details[id$='-incoming-card']")
    form = at.page.locator(".im-form", has=line).filter(visible=True)
    form.locator("button[data-press^='send/']").click()
    passed = {TestResult.PASSED}
    client.until(lambda d: len(d.acceptance) == len(messages_of()))
    client.until(lambda d: {t.result for t in d.acceptance} == passed)
    line.locator("summary").first.click()
    at.picture(f"test-{client.language}")
    found = client.dossier.acceptance
    assert all(attempt.seen for test in found for attempt in test.attempts)
    assert {(t.result, t.tested_by) for t in found} == {(TestResult.PASSED, client.lead)}
    button = at.page.get_by_role("button", name=told("Write HTML, PDF and Word")).last
    files = client.writes(button, 12)
    texts = [path.read_text("utf-8") for path in files if path.suffix == ".html"]
    assert len(texts) == 4
    assert sum(client.lead in text for text in texts) == 3  # of 8.4 the record is a measurement
    for document in list(DOCUMENTS)[1:]:
        signs(client, document)
    assert [s.document for s in client.dossier.signatures] == list(DOCUMENTS)
    assert {s.name for s in client.dossier.signatures} == {client.lead}
