"""Forms write to the dossier at once, show evidence first, and say the same without a widget."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest
from factories import endpoint, facts

from incamail_lib.checks import judge_facts
from incamail_lib.dossier import read_dossier
from incamail_lib.dossier.progress import State, TestResult
from incamail_lib.facts.observation import Reason, no
from incamail_lib.findings import Audit
from incamail_lib.forms.desk import BY_EVIDENCE
from incamail_lib.forms.questions import QuestionForm
from incamail_lib.forms.view import WIDGET
from incamail_lib.i18n import LANGUAGES
from incamail_lib.onboarding import Onboarding, open_onboarding

TEXT = """\
# what a person wrote
organisation: Muster AG
domains: [muster.example]
platform: lab
go_live: 2027-01-15
answers:
  4.1: {state: clear, answer: Everybody}  # decided in the kick-off
"""
NUMBERS = ("4.1", "5.3", "6.1", "6.2", "7.3")


def opened(folder: Path, *, interactive: bool = True, language: str = "en") -> Onboarding:
    """An organisation at the desk, its dossier in `folder`."""
    path = folder / "muster.yaml"
    if not path.exists():
        path.write_text(TEXT, encoding="utf-8")
    return open_onboarding(
        path, language=language, output=folder / "reports", interactive=interactive
    )


def form(runbook: Onboarding, number: str) -> QuestionForm:
    item = next(item for item in runbook.desk.guide.items if item.number == number)
    return QuestionForm(runbook.desk, item)


def good() -> Audit:
    return judge_facts(facts(), facts().measured_at)


def bad() -> Audit:
    """IncaMail refuses the organisation's certificate."""
    auth = endpoint().client_auth.model_copy(update={"own_accepted": no(Reason.ALERT, "43")})
    refused = facts(platform_endpoints=(endpoint(client_auth=auth),))
    return judge_facts(refused, refused.measured_at)


def test_every_change_is_in_the_dossier_at_once(tmp_path: Path) -> None:
    """State, words, owner and date; what a person wrote around them stays."""
    asked = form(opened(tmp_path), "4.2")
    asked.state.value = "todo"
    asked.note.value = "Ask the lawyers <b>"
    asked.owner.value = "Anna"
    asked.due.value = dt.date(2026, 12, 4)
    path = tmp_path / "muster.yaml"
    answer = read_dossier(path).answers["4.2"]
    assert (answer.state, answer.owner, answer.due) == (
        State.TODO,
        "Anna",
        dt.date(2026, 12, 4),
    )
    text = path.read_text(encoding="utf-8")
    assert "# what a person wrote" in text
    assert "# decided in the kick-off" in text
    assert "Saved" in asked.status.value


def test_a_new_kernel_finds_everything_again(tmp_path: Path) -> None:
    """What was entered comes back from the file alone."""
    form(opened(tmp_path), "4.1").answer.value = "The legal department"
    again = form(opened(tmp_path), "4.1")
    assert again.answer.value == "The legal department"
    assert again.state.value == "clear"


def test_two_people_at_one_dossier_lose_nothing(tmp_path: Path) -> None:
    """Different fields are merged; the same field keeps theirs and tells both."""
    first, second = form(opened(tmp_path), "4.1"), form(opened(tmp_path), "4.1")
    first.note.value = "from the first"
    second.owner.value = "Beat"
    answer = read_dossier(tmp_path / "muster.yaml").answers["4.1"]
    assert (answer.note, answer.owner) == ("from the first", "Beat")
    third, fourth = form(opened(tmp_path), "4.1"), form(opened(tmp_path), "4.1")
    third.answer.value = "mine"
    fourth.answer.value = "yours"
    assert "mine" in fourth.status.value
    assert "yours" in fourth.status.value
    assert read_dossier(tmp_path / "muster.yaml").answers["4.1"].answer == "mine"


def test_what_cannot_be_written_is_told_and_kept(tmp_path: Path) -> None:
    """A dossier damaged meanwhile: one sentence, and the change is written when it is whole."""
    asked = form(opened(tmp_path), "4.2")
    path = tmp_path / "muster.yaml"
    path.write_text("organisation: [", encoding="utf-8")
    asked.note.value = "kept"
    assert "muster.yaml" in asked.status.value
    path.write_text(TEXT, encoding="utf-8")
    asked.owner.value = "Anna"
    assert read_dossier(path).answers["4.2"].note == "kept"


def test_evidence_sets_a_state_that_no_person_has_set(tmp_path: Path) -> None:
    """Bad evidence means to do, good evidence clear where measuring answers the whole question;
    a state that a person set is never overwritten."""
    runbook = opened(tmp_path)
    asked = form(runbook, "6.1")
    runbook.desk.take_audit(bad())
    assert asked.state.value == "todo"
    assert "Evidence of" in asked.head.value
    assert runbook.desk.is_by_evidence("6.1")
    asked.state.value = "unclear"
    runbook.desk.take_audit(bad())
    assert asked.state.value == "unclear"
    history = runbook.desk.dossier.history
    assert BY_EVIDENCE in {change.who for change in history}


@pytest.mark.parametrize("number", ["6.4", "6.8", "7.3"])
def test_what_we_can_reach_proves_nothing_of_incamail(tmp_path: Path, number: str) -> None:
    """A port open to us, or a valid certificate, never makes these questions clear."""
    runbook = opened(tmp_path)
    runbook.desk.take_audit(good())
    answer = runbook.desk.dossier.answers.get(number)
    assert answer is None or answer.state is not State.CLEAR


def test_a_state_against_the_evidence_is_shown_and_needs_a_reason(tmp_path: Path) -> None:
    """Clear against failed checks: a warning, and a field for the reason; with it, no demand."""
    runbook = opened(tmp_path)
    asked = form(runbook, "6.1")
    assert asked.reason.layout.display == "none"
    runbook.desk.take_audit(bad())
    asked.state.value = "clear"
    assert "Give a reason" in asked.head.value
    assert asked.reason.layout.display != "none"
    asked.reason.value = "The firewall opens on Monday."
    assert "Give a reason" not in asked.head.value
    assert "says otherwise" in asked.head.value


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_object_says_the_same_without_a_widget(tmp_path: Path, language: str) -> None:
    """Headless, no output holds a widget; at the desk each has HTML and text beside it."""
    for interactive in (True, False):
        runbook = opened(tmp_path, interactive=interactive, language=language)
        for view in (
            *(runbook.questions(*NUMBERS), runbook.contacts, runbook.components),
            *(runbook.fields(group) for group in ("organisation", "routing", "certificates")),
            *(runbook.acceptance(), runbook.progress, runbook.link_test, runbook.chooser),
            *(runbook.document(name) for name in ("setup_document", "acceptance_report")),
            *(runbook.flow("outgoing"), runbook.flow("incoming"), runbook.measuring),
        ):
            data, metadata = view._repr_mimebundle_()
            assert f'lang="{language}"' in data["text/html"]
            assert data["text/plain"].strip()
            assert (WIDGET in data) is interactive
            assert metadata["incamail"]["key"]


def test_hostile_answers_stay_text(tmp_path: Path) -> None:
    """Markup from the dossier is shown, not obeyed, in forms as in print."""
    runbook = opened(tmp_path)
    evil = "<script>alert(1)</script>\u202e"
    asked = form(runbook, "6.1")
    asked.answer.value = evil
    shown = runbook.questions("6.1")._repr_mimebundle_()[0]["text/html"]
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "\u202e" not in shown


def test_fields_take_only_what_is_possible(tmp_path: Path) -> None:
    """A wrong host name is told and changes nothing; a right one is written."""
    fields = opened(tmp_path).fields("architecture")
    assert fields.widget
    gateways = fields.inputs[("gateways", "receiving")]
    gateways.value = "not a host!"
    assert "gateways.receiving" in fields.status.value
    assert read_dossier(tmp_path / "muster.yaml").gateways.receiving == ()
    gateways.value = "mx1.muster.example 192.0.2.1\nmx2.muster.example"
    found = read_dossier(tmp_path / "muster.yaml").gateways.receiving
    assert [(g.host, g.addresses) for g in found] == [
        ("mx1.muster.example", ("192.0.2.1",)),
        ("mx2.muster.example", ()),
    ]


def test_people_and_tests_are_lists_that_grow(tmp_path: Path) -> None:
    """A person is added with their role; a test gets its result, time and tester."""
    runbook = opened(tmp_path)
    contacts = runbook.contacts
    assert contacts.widget
    contacts.more.click()
    role, name, *_ = contacts.rows[-1]
    role.value, name.value = "network_admin", "Chiara"
    tests = runbook.acceptance("incoming")
    assert tests.widget
    key = next(iter(tests.inputs))
    tests.inputs[key]["result"].value = "passed"
    dossier = read_dossier(tmp_path / "muster.yaml")
    assert [(c.role.value, c.name) for c in dossier.contacts] == [("network_admin", "Chiara")]
    (done,) = dossier.acceptance
    assert (done.key, done.result) == (key, TestResult.PASSED)
    assert done.tested_at is not None
    assert done.tested_by


def test_nothing_is_sent_without_agreement(tmp_path: Path) -> None:
    """Without a tick nothing leaves; the messages can be saved instead."""

    async def run() -> str:
        test = opened(tmp_path).link_test
        assert test.widget
        test.to.value = "hans@recipient.test"
        assert [m.recipient for m in test.messages] == ["hans@recipient.test.incamail.ch"] * 3
        test.begin()
        assert test.task is None
        test.keep.click()
        return str(test.status.value)

    assert ".eml" in asyncio.run(run())
    assert len(list((tmp_path / "reports" / "messages").glob("*.eml"))) == 3


def test_an_agreed_message_reaches_the_lab_and_is_noted(tmp_path: Path) -> None:
    """One tick, one message; the reply stands in the dossier, the result is left to a person."""
    from probe.served import NOW, plan

    from incamail_lib.lab.gateway import serve
    from incamail_lib.linktest import TlsUse

    async def run() -> tuple[int, str]:
        async with serve(plan(), now=NOW) as gateway:
            test = opened(tmp_path).link_test
            assert test.widget
            test.to.value = "hans@recipient.test"
            test.host.value, test.port.value = "127.0.0.1", gateway.port
            test.tls.value = TlsUse.OFF
            test.password.value = "correct horse"
            test.password.value = ""
            test.boxes[0].value = True
            test.begin()
            assert test.task is not None
            await test.task
            return len(gateway.messages), str(test.status.value)

    count, _ = asyncio.run(run())
    assert count == 1
    (noted,) = read_dossier(tmp_path / "muster.yaml").acceptance
    assert noted.smtp_reply.startswith("250")
    assert noted.result is TestResult.OPEN
    assert "correct horse" not in (tmp_path / "muster.yaml").read_text(encoding="utf-8")


def test_measuring_runs_beside_the_forms_and_can_be_cancelled(tmp_path: Path) -> None:
    """The kernel stays free; cancelled, nothing changes; else the evidence arrives and is kept."""

    async def run() -> None:
        runbook = opened(tmp_path)
        panel = runbook.measuring
        assert panel.widget
        panel.begin()
        await asyncio.sleep(0)
        panel.cancel.click()
        await asyncio.wait([panel.task])
        assert "Cancelled" in panel.status.value
        assert runbook.desk.audit is None
        panel.begin()
        ticks = 0
        while not panel.task.done():
            ticks += 1
            await asyncio.sleep(0.01)
        assert ticks > 5, "the loop was blocked"
        assert runbook.desk.audit is not None
        assert panel.bars["probe"].value == panel.bars["probe"].max

    asyncio.run(run())
    assert list((tmp_path / "reports" / "muster-ag").glob("*/audit.json"))
    assert opened(tmp_path).desk.audit is not None, "the next kernel finds it"


def test_documents_are_written_when_asked_for(tmp_path: Path) -> None:
    """A partial dossier gives a document with its gaps marked, as HTML, PDF and Word."""
    paper = opened(tmp_path).document("setup_document")
    assert paper.widget
    paper.make.click()
    folder = tmp_path / "reports" / "muster-ag" / "documents"
    written = {p.name for p in folder.iterdir()}
    assert written - {"setup-document.pdf"} == {"setup-document.html", "setup-document.docx"}
    assert "setup-document.docx" in paper.status.value


@pytest.mark.pango
def test_documents_are_written_as_pdf_too(tmp_path: Path) -> None:
    """Where the system library is there, paper is among what is written."""
    paper = opened(tmp_path).document("setup_document")
    assert paper.widget
    paper.make.click()
    assert "setup-document.pdf" in paper.status.value
    assert list(tmp_path.rglob("setup-document.pdf"))


def test_a_new_organisation_gets_dossier_and_notebooks(tmp_path: Path) -> None:
    """The form writes a commented dossier and leads to its notebooks; a wrong name is told."""
    chooser = opened(tmp_path).chooser
    assert chooser.widget
    chooser.organisation.value, chooser.domains.value = "Nuova SA", "not a domain"
    chooser.make.click()
    assert "domains" in chooser.status.value
    chooser.domains.value, chooser.chosen.value = "nuova.example", "it"
    chooser.on_lab.value = True
    chooser.make.click()
    assert read_dossier(tmp_path / "nuova-sa.yaml").language == "it"
    assert (tmp_path / "reports" / "runbooks" / "nuova-sa" / "10_planning.ipynb").exists()
    assert "../nuova-sa/00_welcome.ipynb" in chooser.status.value
    chooser.make.click()
    assert "not overwritten" in chooser.status.value
