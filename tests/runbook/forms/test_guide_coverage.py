"""Demands of components, the HTML attachment, hand-overs and the openssl line, at the session."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from factories import facts
from probe.served import NOW, plan
from runbook.forms.test_forms import bad, opened, sending

from incamail_lib.checks import judge_facts
from incamail_lib.dossier import Dossier, read_dossier
from incamail_lib.dossier.agreed import HTML_TEST, TestResult
from incamail_lib.guide import contents
from incamail_lib.i18n import LANGUAGES
from incamail_lib.lab.gateway import serve
from incamail_lib.linktest import TlsUse
from incamail_lib.report.demands import DemandView, demand_views
from incamail_lib.runbook.forms.view import WIDGET

MESSAGE = (
    "Received: from gw.muster.local (gw.muster.local [10.0.0.7])\r\n"
    "\tby exch.muster.local (Postfix) with {} id 1; x\r\n"
    "Subject: Test\r\n\r\nTest\r\n"
)


def views(component: str, dossier: Dossier, audit=None) -> dict[str, DemandView]:
    guide = contents()
    part = next(c for c in guide.components if c.key == component)
    return {v.demand.key: v for v in demand_views(part, dossier, guide, audit)}


def told(view: DemandView) -> str:
    return " | ".join(text.english() for text in view.evidence)


def test_a_demand_is_answered_and_stays_answered(tmp_path: Path) -> None:
    """Yes, no and not stated are written; what the form does not know is kept."""
    path = tmp_path / "muster.yaml"
    opened(tmp_path).session.put(("components",), {"browser": {"requirements": {"older": True}}})
    opened(tmp_path).session.put(("components", "fax"), {"product": "F"})
    form = opened(tmp_path).components
    form.enter("mail_gateway/requirements/html", "true")
    form.enter("mail_gateway/requirements/inner_hop", "false")
    form.enter("mail_server/hosts", "EXCH.muster.local, 10.0.0.8")
    form.enter("browser/requirements/current", "true")
    found = read_dossier(path).components
    assert found["mail_gateway"].requirements == {"html": True, "inner_hop": False}
    assert found["mail_server"].hosts == ("exch.muster.local", "10.0.0.8")
    assert found["browser"].requirements == {"older": True, "current": True}
    assert found["fax"].product == "F"
    form.enter("mail_gateway/requirements/inner_hop", "")
    assert read_dossier(path).components["mail_gateway"].requirements == {"html": True}
    again = opened(tmp_path).components
    assert again.inputs()["mail_gateway/requirements/html"].value == "true"
    line = next(one for one in str(again).splitlines() if "HTML attachments" in one)
    assert line.split()[-1] == "yes"


def test_an_answer_against_the_evidence_is_said(tmp_path: Path) -> None:
    """Mutual authentication said to be met while IncaMail refuses the certificate."""
    runbook = opened(tmp_path)
    form = runbook.components
    form.enter("mail_gateway/requirements/as_mail_server", "true")
    assert "although something failed" not in str(form)
    runbook.session.take_audit(bad())
    assert "although something failed" in str(form)
    assert "TLS12" in form.inputs()["mail_gateway/requirements/as_mail_server"].hint


def test_evidence_is_about_the_machine_that_faces_incamail() -> None:
    """With a gateway the audit looked at the gateway; without one, at the mail server."""
    audit = judge_facts(facts(), facts().measured_at)
    plain = {"organisation": "A", "domains": ("a.example",)}
    behind = Dossier(**plain, components={"mail_gateway": {"present": True}})
    alone = Dossier(**plain, components={"mail_gateway": {"present": False}})
    assert told(views("mail_gateway", behind, audit)["as_mail_server"])
    assert not told(views("mail_server", behind, audit)["starttls"])
    assert told(views("mail_server", alone, audit)["starttls"])
    assert not told(views("mail_gateway", alone, audit)["as_mail_server"])


def test_nothing_known_is_neither_met_nor_failed() -> None:
    """No answer, no audit, no test: open, and said so; what is unknown has not passed."""
    dossier = Dossier(organisation="A", domains=("a.example",))
    view = views("mail_gateway", dossier)["html"]
    assert (view.said, view.answer.english()) == (None, "not answered yet")
    assert told(view) == "test message: not tested yet"
    audit = judge_facts(facts(), facts().measured_at)
    assert told(views("mail_gateway", dossier, audit)["inner_hop"]) == "audit: not known – NET10"


@pytest.mark.parametrize("result", [TestResult.PASSED, TestResult.FAILED])
def test_the_result_of_the_message_stands_beside_the_demand(result: TestResult) -> None:
    """A message that was stopped speaks against «met»."""
    direction, kind, audience = HTML_TEST
    test = {"direction": direction, "kind": kind, "audience": audience, "result": result}
    parts = {"mail_gateway": {"requirements": {"html": True}}}
    dossier = Dossier(
        organisation="A", domains=("a.example",), acceptance=(test,), components=parts
    )
    view = views("mail_gateway", dossier)["html"]
    assert told(view) == f"test message: {result.value}"
    assert view.is_contradicted is (result is TestResult.FAILED)


def test_the_html_message_is_sent_on_consent_alone_and_noted(tmp_path: Path) -> None:
    """Nothing to agree to before both addresses are entered; one click, one message, one entry."""

    async def run() -> tuple[int, bytes]:
        async with serve(plan(), now=NOW) as gateway:
            runbook = opened(tmp_path)
            runbook.session.choose("Anna Muster")
            test = runbook.html_test
            test.enter("host", "127.0.0.1")
            test.enter("port", "no port")
            assert (test.inputs()["port"].value, bool(test.inputs()["port"].problem)) == (
                "no port",
                True,
            )
            test.enter("port", str(gateway.port))
            test.enter("starttls", TlsUse.OFF.value)
            test.enter("to", "anna@muster.example")
            assert sending(test) == []
            test.enter("from", "tester@outside.example.org")
            (button,) = sending(test)
            assert button.label.endswith("to anna@muster.example")
            assert test.task is None, "sent without consent"
            test.press(button.name)
            assert test.task is not None
            await test.task
            return len(gateway.messages), gateway.messages[0].content

    count, content = asyncio.run(run())
    assert count == 1
    assert b'filename="IncaMail-Test.html"' in content
    (noted,) = read_dossier(tmp_path / "muster.yaml").acceptance
    assert noted.key == HTML_TEST
    assert noted.smtp_reply.startswith("250")
    assert noted.result is TestResult.OPEN, "whether it arrived is said by a person"


def test_a_hand_over_stays_noted_when_another_result_is_entered(tmp_path: Path) -> None:
    """A message that was sent and has no result yet keeps its id beside other tests."""
    runbook = opened(tmp_path)
    runbook.session.choose("Anna Muster")
    direction, kind, audience = (part.value for part in HTML_TEST)
    sent = {"direction": direction, "kind": kind, "audience": audience, "message_id": "<1@a>"}
    runbook.session.put(("acceptance",), [sent])
    form = runbook.acceptance("incoming")
    key = form.tests()[0].key
    form.enter(f"{'.'.join(key)}/result", "passed")
    found = {t.key: t for t in read_dossier(tmp_path / "muster.yaml").acceptance}
    assert found[HTML_TEST].message_id == "<1@a>"
    assert found[key].result is TestResult.PASSED


def test_a_message_is_handed_in_and_shown(tmp_path: Path) -> None:
    """The file is named in the dossier once it can be read; its hand-overs are told."""
    (tmp_path / "in.eml").write_text(MESSAGE.format("ESMTP"), encoding="utf-8", newline="")
    view = opened(tmp_path).hops
    assert "No message has been handed in" in view.static()
    view.enter("file", "missing.eml")
    view.press("add")
    assert "cannot be read" in view.inputs()["file"].problem
    assert view.inputs()["file"].value == "missing.eml", "what was typed is kept"
    assert read_dossier(tmp_path / "muster.yaml").samples == ()
    view.enter("file", "in.eml")
    view.press("add")
    assert [s.label for s in read_dossier(tmp_path / "muster.yaml").samples] == ["in.eml"]
    shown = view.static()
    assert "gw.muster.local [10.0.0.7]" in shown
    assert "<strong>no</strong>" in shown


def test_the_openssl_line_names_the_organisations_files(tmp_path: Path) -> None:
    """At first without a certificate, which is said; then with the files, however long the line."""
    runbook = opened(tmp_path)
    assert "show none" in runbook.by_hand.static()
    runbook.session.put(("certificates",), {"sending": {"file": "own.pem", "key": "own.key"}})
    shown = runbook.by_hand.static()
    file, key = tmp_path / "own.pem", tmp_path / "own.key"
    assert shown.count(f"-cert {file} -cert_chain {file} -key {key}</code>") == 2
    assert "show none" not in shown


def test_questions_show_where_to_read_on(tmp_path: Path) -> None:
    """5.5 points to the help for recipients with the day it was looked at; 4.1 to nothing."""
    runbook = opened(tmp_path)
    assert "online-help/receiving" in runbook.questions("5.5").static()
    assert "may have moved" in runbook.questions("5.5").static()
    assert "<a " not in runbook.questions("4.1").static()


def test_the_drawing_has_its_example(tmp_path: Path) -> None:
    """Outgoing mail with the message of 8.1, before and after the add-in."""
    assert "hans.muster@partner.example.incamail.ch" in opened(tmp_path).flow("outgoing").static()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_new_objects_say_the_same_without_a_widget(tmp_path: Path, language: str) -> None:
    """Headless, no output holds a widget; at the session each has HTML and text beside it."""
    for interactive in (True, False):
        runbook = opened(tmp_path, interactive=interactive, language=language)
        for view in (runbook.html_test, runbook.hops, runbook.by_hand, runbook.components):
            data, metadata = view._repr_mimebundle_()
            assert f'lang="{language}"' in data["text/html"]
            assert data["text/plain"].strip()
            assert (WIDGET in data) is interactive
            assert metadata["incamail"]["key"]
