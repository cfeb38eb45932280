"""Forms write to the dossier at once, show evidence first, and say the same without a widget."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import nbformat
import pytest
from factories import endpoint, facts

from incamail_lib.audit.case import bind
from incamail_lib.checks import judge_facts
from incamail_lib.dossier import read_dossier
from incamail_lib.dossier.agreed import State, TestResult, Way
from incamail_lib.dossier.decisions import DECISIONS, question_of
from incamail_lib.facts.audit import Place
from incamail_lib.facts.delivery import DeliveryOutcome
from incamail_lib.facts.observation import Reason, no
from incamail_lib.findings import Audit
from incamail_lib.i18n import LANGUAGES
from incamail_lib.runbook.forms.acceptance import name_of
from incamail_lib.runbook.forms.incoming import Incoming
from incamail_lib.runbook.forms.link import LinkTest
from incamail_lib.runbook.forms.questions import Questions
from incamail_lib.runbook.forms.session import BY_EVIDENCE
from incamail_lib.runbook.forms.shape import Button, Card, Group, all_parts
from incamail_lib.runbook.forms.technical import GROUPS
from incamail_lib.runbook.forms.view import WIDGET
from incamail_lib.runbook.forms.welcome import Chooser
from incamail_lib.runbook.onboarding import Onboarding, open_onboarding
from incamail_lib.runbook.workplace import free_port

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


def opened(
    folder: Path, *, interactive: bool = True, language: str = "en", others: bool = False
) -> Onboarding:
    """The session of an organisation, its dossier in `folder`."""
    path = folder / "muster.yaml"
    if not path.exists():
        path.write_text(TEXT, encoding="utf-8")
    return open_onboarding(
        path,
        language=language,
        output=folder / "reports",
        interactive=interactive,
        others=others,
    )


def form(runbook: Onboarding, number: str) -> Questions:
    return runbook.questions(number)


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
    asked.enter("4.2/state", "todo")
    asked.enter("4.2/note", "Ask the lawyers <b>")
    asked.enter("4.2/owner", "Anna")
    asked.enter("4.2/due", "2026-12-04")
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
    assert "Saved" in asked.said


def test_a_new_kernel_finds_everything_again(tmp_path: Path) -> None:
    """What was entered comes back from the file alone."""
    form(opened(tmp_path), "4.1").enter("4.1/answer", "The legal department")
    again = form(opened(tmp_path), "4.1").inputs()
    assert again["4.1/answer"].value == "The legal department"
    assert again["4.1/state"].value == "clear"


def test_the_place_of_measurement_is_settled_where_the_network_is(tmp_path: Path) -> None:
    """Where this computer stands, and the networks that names may lead to, go to the dossier."""
    fields = form(opened(tmp_path), "6.4")
    path = tmp_path / "muster.yaml"
    assert fields.inputs()["network/vantage"].value == "undeclared"
    fields.enter("network/vantage", "inside")
    fields.enter("network/internal_networks", "10.1.0.0/16\nfd00::25")
    network = read_dossier(path).network
    assert network.vantage == "inside"
    assert network.internal_networks == ("10.1.0.0/16", "fd00::25/128")
    assert "behind the same firewall" in form(opened(tmp_path), "6.4").static()
    fields.enter("network/internal_networks", "the LAN")
    refused = fields.inputs()["network/internal_networks"]
    assert refused.value == "the LAN", "what was typed is kept"
    assert "«the LAN» is not a network" in refused.problem
    assert read_dossier(path).network == network
    fields.enter("network/internal_networks", "10.2.0.0/16")
    assert not fields.inputs()["network/internal_networks"].problem


def test_the_notebook_says_from_where_it_will_measure(tmp_path: Path) -> None:
    """Shown first, beside organisation and platform; the lab has no place to declare."""
    path = tmp_path / "real.yaml"
    text = "organisation: A\ndomains: [a.example]\nnetwork: {vantage: elsewhere}\n"
    path.write_text(text, encoding="utf-8")
    told = bind(path, language="en")._repr_mimebundle_()["text/plain"]
    assert "outside the organisation's network" in told
    named = bind(path, place=Place.GATEWAY)._repr_mimebundle_()["text/plain"]
    assert "on the sending gateway" in named
    lab = bind(opened(tmp_path).case.path)._repr_mimebundle_()["text/plain"]
    assert "Measured from" not in lab


def test_two_people_at_one_dossier_lose_nothing(tmp_path: Path) -> None:
    """Different fields are merged; the same field keeps theirs and tells both."""
    first, second = form(opened(tmp_path), "4.1"), form(opened(tmp_path), "4.1")
    first.enter("4.1/note", "from the first")
    second.enter("4.1/owner", "Beat")
    answer = read_dossier(tmp_path / "muster.yaml").answers["4.1"]
    assert (answer.note, answer.owner) == ("from the first", "Beat")
    third, fourth = form(opened(tmp_path), "4.1"), form(opened(tmp_path), "4.1")
    third.enter("4.1/answer", "mine")
    fourth.enter("4.1/answer", "yours")
    assert "mine" in fourth.said
    assert "yours" in fourth.said
    assert fourth.inputs()["4.1/answer"].value == "mine"
    assert read_dossier(tmp_path / "muster.yaml").answers["4.1"].answer == "mine"


def test_what_cannot_be_written_is_told_and_kept(tmp_path: Path) -> None:
    """A dossier damaged meanwhile: one sentence, and the change is written when it is whole."""
    asked = form(opened(tmp_path), "4.2")
    path = tmp_path / "muster.yaml"
    path.write_text("organisation: [", encoding="utf-8")
    asked.enter("4.2/note", "kept")
    assert "muster.yaml" in asked.said
    assert asked.inputs()["4.2/note"].value == "kept"
    path.write_text(TEXT, encoding="utf-8")
    asked.enter("4.2/owner", "Anna")
    assert read_dossier(path).answers["4.2"].note == "kept"


def card(asked: Questions) -> Card:
    return next(part for part in asked.parts() if isinstance(part, Card))


def test_evidence_sets_a_state_that_no_person_has_set(tmp_path: Path) -> None:
    """Bad evidence means to do, good evidence clear where measuring answers the whole question;
    a state that a person set is never overwritten."""
    runbook = opened(tmp_path)
    asked = form(runbook, "6.1")
    runbook.session.take_audit(bad())
    assert asked.inputs()["6.1/state"].value == "todo"
    assert "Evidence of" in asked.static()
    assert card(asked).needs_attention
    assert runbook.session.is_by_evidence("6.1")
    asked.enter("6.1/state", "unclear")
    runbook.session.take_audit(bad())
    assert asked.inputs()["6.1/state"].value == "unclear"
    history = runbook.session.store.history
    assert BY_EVIDENCE in {change.who for change in history}


@pytest.mark.parametrize("number", ["6.4", "6.8", "7.3"])
def test_what_we_can_reach_proves_nothing_of_incamail(tmp_path: Path, number: str) -> None:
    """A port open to us, or a valid certificate, never makes these questions clear."""
    runbook = opened(tmp_path)
    runbook.session.take_audit(good())
    answer = runbook.session.dossier.answers.get(number)
    assert answer is None or answer.state is not State.CLEAR


def test_a_state_against_the_evidence_is_shown_and_needs_a_reason(tmp_path: Path) -> None:
    """Clear against failed checks: a warning, and a field for the reason; with it, no demand."""
    runbook = opened(tmp_path)
    asked = form(runbook, "6.1")
    assert "6.1/reason" not in asked.inputs()
    runbook.session.take_audit(bad())
    asked.enter("6.1/state", "clear")
    assert "Give a reason" in asked.static()
    asked.enter("6.1/reason", "The firewall opens on Monday.")
    assert "Give a reason" not in asked.static()
    assert "says otherwise" in asked.static()


def test_a_question_is_one_line_that_tells_where_it_stands(tmp_path: Path) -> None:
    """State, evidence in a word, owner and date; what is late or failed needs attention, what is
    merely not answered yet does not, and only the first of a notebook is open."""
    runbook = opened(tmp_path)
    late = runbook.questions("4.1", "4.2")
    late.enter("4.2/owner", "Anna Muster")
    late.enter("4.2/due", "2020-01-02")
    first, second = (part for part in late.parts() if isinstance(part, Card))
    assert (first.title, first.number) == ("Who uses IncaMail?", "4.1")
    assert [fact.text for fact in first.facts] == ["clear", "", "", ""]
    assert [fact.text for fact in second.facts] == ["not clear", "", "Anna Muster", "02.01.2020"]
    assert (first.needs_attention, second.needs_attention) == (False, True)
    runbook.session.take_audit(bad())
    other = runbook.questions("6.1")
    assert late.widget
    assert other.widget
    opening = {
        part.number: part.is_open
        for part in (*late.parts(), *other.parts())
        if isinstance(part, Card)
    }
    assert opening == {"4.1": False, "4.2": True, "6.1": False}
    assert any("failed" in fact.text for fact in card(other).facts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_object_says_the_same_without_a_widget(tmp_path: Path, language: str) -> None:
    """Headless, no output holds a widget; at the session each has HTML and text beside it."""
    for interactive in (True, False):
        runbook = opened(tmp_path, interactive=interactive, language=language, others=True)
        for view in (
            *(runbook.questions(*NUMBERS), runbook.contacts, runbook.components),
            *(runbook.fields(group) for group in ("organisation", "sender")),
            *(runbook, runbook.jump_list("10_planning.ipynb"), runbook.contents, runbook.identity),
            *(runbook.signatures, runbook.person, runbook.open_questions),
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
    asked.enter("6.1/answer", evil)
    shown = runbook.questions("6.1")._repr_mimebundle_()[0]["text/html"]
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "\u202e" not in shown
    assert asked.widget
    assert asked.panel
    assert "<script>" not in asked.panel.content
    assert asked.inputs()["6.1/answer"].value == evil, "it is edited as it is"


def test_fields_take_only_what_is_possible(tmp_path: Path) -> None:
    """A wrong host name is told at its input and changes nothing; a right one is written."""
    fields = form(opened(tmp_path), "6.1")
    fields.enter("gateways/receiving", "not a host!")
    refused = fields.inputs()["gateways/receiving"]
    assert refused.value == "not a host!"
    assert "is not a domain name" in refused.problem
    assert "muster.yaml" not in refused.problem, "one sits before the field"
    assert read_dossier(tmp_path / "muster.yaml").gateways.receiving == ()
    fields.enter("gateways/receiving", "mx1.muster.example 192.0.2.1\nmx2.muster.example")
    found = read_dossier(tmp_path / "muster.yaml").gateways.receiving
    assert [(g.host, g.addresses) for g in found] == [
        ("mx1.muster.example", ("192.0.2.1",)),
        ("mx2.muster.example", ()),
    ]


@pytest.mark.parametrize("wrong", ["pas-un-mail", "a@", "@b.example", "a@b@c.example", "a b@c"])
def test_an_address_is_checked_where_it_is_typed(tmp_path: Path, wrong: str) -> None:
    """Of a person, a sender and a recipient: what is no address stays in its input, is told
    there, and is not written."""
    runbook = opened(tmp_path)
    runbook.session.put(("contacts",), [{"role": "post", "name": "Anna"}])
    tests = runbook.acceptance("outgoing")
    to = next(name for name in tests.inputs() if name.endswith("/to"))
    for view, name in (
        (runbook.contacts, "0/email"),
        (runbook.fields("sender"), "sender"),
        (tests, to),
    ):
        before = (tmp_path / "muster.yaml").read_bytes()
        view.enter(name, wrong)
        assert (tmp_path / "muster.yaml").read_bytes() == before
        assert view.inputs()[name].value == wrong
        assert "no e-mail address" in view.inputs()[name].problem
        view.enter(name, "anna@muster.example")
        assert not view.inputs()[name].problem
    dossier = read_dossier(tmp_path / "muster.yaml")
    assert dossier.contacts[0].email == dossier.sender == "anna@muster.example"


def test_people_and_tests_are_lists_that_grow(tmp_path: Path) -> None:
    """A person is added with their role; a test gets its result, time and tester."""
    runbook = opened(tmp_path)
    contacts = runbook.contacts
    contacts.press("more")
    contacts.enter("0/role", "network_admin")
    assert read_dossier(tmp_path / "muster.yaml").contacts == (), "a person needs a name"
    contacts.enter("0/name", "Chiara")
    person = runbook.person
    assert "Chiara" in dict(person.inputs()["person"].options)
    person.enter("person", "Chiara")
    tests = runbook.acceptance("incoming")
    first = tests.tests()[0]
    tests.enter(f"{name_of(first)}/result", "passed")
    dossier = read_dossier(tmp_path / "muster.yaml")
    assert [(c.role.value, c.name) for c in dossier.contacts] == [("network_admin", "Chiara")]
    (done,) = dossier.acceptance
    assert (done.key, done.result) == (first.key, TestResult.PASSED)
    assert done.tested_at is not None
    assert done.tested_by == "Chiara"
    contacts.enter("0/name", "")
    assert contacts.inputs()["0/name"].problem
    contacts.press("0/remove")
    assert read_dossier(tmp_path / "muster.yaml").contacts == ()
    assert not contacts.inputs()


def test_an_event_that_does_not_fit_the_form_is_none(tmp_path: Path) -> None:
    """Neither an unknown field nor a button that is not there reaches the dossier."""
    runbook = opened(tmp_path)
    before = (tmp_path / "muster.yaml").read_bytes()
    asked = runbook.questions("4.1")
    assert asked.widget
    assert asked.panel
    for message in (
        {"field": "organisation", "value": "X"},
        {"field": "4.2/state", "value": "clear"},
        {"press": "0/remove"},
        {},
    ):
        asked.panel._heard(None, {**message, "number": 7}, [])
    assert (tmp_path / "muster.yaml").read_bytes() == before
    assert asked.panel.seen == 7
    asked.panel._heard(None, {"field": "4.1/answer", "value": "Nobody", "number": 8}, [])
    assert "Nobody" in asked.panel.content


def test_a_setting_stands_in_the_card_of_its_question_and_nowhere_else(tmp_path: Path) -> None:
    """Every field that answers a question is an input of that question's card; the fields shown
    on their own answer none."""
    runbook = opened(tmp_path)
    runbook.session.put(("mail_clients",), [{"program": "notes"}])
    for number, starts in DECISIONS.items():
        names = runbook.questions(number).inputs()
        for start in starts:
            assert any(name.startswith("/".join(start)) for name in names), start
    for group in GROUPS:
        for name in runbook.fields(group).inputs():
            assert question_of(name.split("/")) == "", name


def test_words_that_contradict_their_setting_are_told_in_the_card(tmp_path: Path) -> None:
    """6.3 by content against `domain`: said until one of them is corrected."""
    runbook = opened(tmp_path)
    asked = runbook.questions("6.3")
    asked.enter("routing/method", "domain")
    asked.enter("6.3/answer", "By content")
    assert "Correct the one that is wrong" in asked.static()
    assert card(asked).needs_attention
    asked.enter("routing/method", "subject")
    assert "Correct the one that is wrong" not in asked.static()


def test_mail_clients_are_counted_in_their_question(tmp_path: Path) -> None:
    """Added, told apart, counted and removed; a count that is none stays where it was typed."""
    asked = opened(tmp_path).questions("6.5")
    asked.press("mail_clients/more")
    asked.press("mail_clients/more")
    asked.enter("mail_clients/1/program", "notes")
    asked.enter("mail_clients/1/users", "12")
    asked.enter("mail_clients/1/add_in", "none")
    asked.enter("mail_clients/0/users", "-3")
    assert asked.inputs()["mail_clients/0/users"].value == "-3"
    assert asked.inputs()["mail_clients/0/users"].problem
    asked.press("mail_clients/0/remove")
    (client,) = read_dossier(tmp_path / "muster.yaml").mail_clients
    assert (client.program.value, client.users) == ("notes", 12)
    asked.press("mail_clients/0/remove")
    assert read_dossier(tmp_path / "muster.yaml").mail_clients == ()


def test_a_setting_that_nobody_decided_is_shown_as_open(tmp_path: Path) -> None:
    """The usual rule is not chosen by being shown first; it can be chosen, and taken back."""
    runbook = opened(tmp_path)
    asked = runbook.questions("6.3")
    assert asked.inputs()["routing/method"].value == ""
    assert asked.inputs()["routing/method"].options[0][0] == ""
    asked.enter("routing/method", "domain")
    assert asked.inputs()["routing/method"].value == "domain"
    assert "routing.method" not in read_dossier(tmp_path / "muster.yaml").undecided
    asked.enter("routing/method", "")
    assert not asked.inputs()["routing/method"].problem
    assert "routing.method" in read_dossier(tmp_path / "muster.yaml").undecided


def test_who_confirms_the_inner_hop_is_noted_with_the_day(tmp_path: Path) -> None:
    """A name is entered; the day comes by itself, and both go with the name."""
    asked = opened(tmp_path).questions("6.1")
    asked.enter("inner_hop", "Luca Beispiel")
    confirmed = read_dossier(tmp_path / "muster.yaml").inner_hop
    assert confirmed
    assert (confirmed.by, confirmed.on) == ("Luca Beispiel", dt.datetime.now(dt.UTC).date())
    assert asked.inputs()["inner_hop"].value == "Luca Beispiel"
    asked.enter("inner_hop", "")
    assert read_dossier(tmp_path / "muster.yaml").inner_hop is None


def sending(test: LinkTest | Incoming) -> list[Button]:
    """The buttons that send a message, in order."""
    found = (part for part in all_parts(test.parts()) if isinstance(part, Button))
    return [button for button in found if button.name.startswith("send/")]


def test_nothing_is_sent_without_agreement(tmp_path: Path) -> None:
    """Without a click nothing leaves; the messages can be saved instead."""

    async def run() -> str:
        test = opened(tmp_path).link_test
        test.enter("to", "hans@recipient.test")
        agreed = [button.label for button in sending(test)]
        assert len(agreed) == 3
        assert all(text.endswith("to hans@recipient.test.incamail.ch") for text in agreed)
        assert test.task is None
        test.press("keep")
        return test.said

    assert ".eml" in asyncio.run(run())
    assert len(list((tmp_path / "reports" / "messages").glob("*.eml"))) == 3


def test_one_click_sends_sees_and_notes_on_the_lab(tmp_path: Path) -> None:
    """The click needs a person; then the message is seen in the lab's mailbox by itself, and all
    of it stands in the dossier and in a form opened anew."""

    async def run() -> str:
        runbook = opened(tmp_path)
        test = runbook.link_test
        test.press(sending(test)[0].name)
        assert test.task is not None
        await test.task
        assert "who is at work" in test.said
        assert read_dossier(tmp_path / "muster.yaml").acceptance == ()
        runbook.session.choose("Anna Muster")
        test.press(sending(test)[0].name)
        assert all(button.is_off for button in sending(test)), "a press now would be lost"
        await test.task
        assert not any(button.is_off for button in sending(test))
        return test.said

    said = asyncio.run(run())
    assert "250" in said
    assert "proves the hand-over and nothing more" in said
    assert "It arrived." in said
    (noted,) = read_dossier(tmp_path / "muster.yaml").acceptance
    assert noted.result is TestResult.PASSED
    (attempt,) = noted.attempts
    assert (attempt.outcome, attempt.by) == (DeliveryOutcome.ACCEPTED, "Anna Muster")
    assert (attempt.to, attempt.way) == ("partner@recipient.example.incamail.ch", Way.RUNBOOK)
    assert attempt.seen is not None
    assert attempt.seen.by == ""
    assert "gw1.incamail.com" in attempt.seen.way
    assert "partner@recipient.example.incamail.ch" in str(opened(tmp_path).link_test)


def test_one_click_lets_the_labs_incamail_send_everything(tmp_path: Path) -> None:
    """The button names how many and the whole recipient; six lines of the form are passed then.
    In life there is no button, and it is said who sends and who notes."""

    async def run() -> str:
        runbook = opened(tmp_path)
        runbook.session.choose("Anna Muster")
        form = runbook.acceptance("incoming")
        assert isinstance(form, Incoming)
        (button,) = sending(form)
        assert button.label.endswith("sends 6 messages to anna.muster@muster.example")
        form.press("send/<gone@muster.example>")
        assert form.task is None
        assert "has changed" in form.said
        form.press(button.name)
        assert form.task is not None
        await form.task
        return form.said

    assert asyncio.run(run()) == "6 of 6 messages arrived."
    assert "6 of 7 passed" in str(opened(tmp_path).acceptance("incoming"))
    path = tmp_path / "muster.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("platform: lab", ""), "utf-8")
    live = opened(tmp_path).acceptance("incoming")
    assert not live.buttons()
    assert "Swiss Post sends these messages." in str(live)


def test_the_form_of_results_never_undoes_what_the_link_test_noted(tmp_path: Path) -> None:
    """It was open before the message arrived; a remark saved afterwards leaves the result alone."""

    async def run() -> None:
        runbook = opened(tmp_path)
        runbook.session.choose("Anna Muster")
        results, test = runbook.acceptance("outgoing"), runbook.link_test
        assert results.widget
        assert "250" not in results.widget.content
        test.press(sending(test)[0].name)
        assert test.task is not None
        await test.task
        assert "250" in results.widget.content
        results.enter(
            [name for name in results.inputs() if "remark" in name][-1], "not needed here"
        )

    asyncio.run(run())
    first, last = read_dossier(tmp_path / "muster.yaml").acceptance
    assert (first.result, last.remark) == (TestResult.PASSED, "not needed here")
    assert first.received


def test_an_arrival_in_life_is_noted_by_a_person(tmp_path: Path) -> None:
    """The reply stands in the dossier and the result is open, until somebody says what was seen."""
    from probe.served import NOW, plan

    from incamail_lib.lab.gateway import serve

    async def run() -> int:
        async with serve(plan(), now=NOW) as gateway:
            runbook = opened(tmp_path)
            runbook.session.choose("Anna Muster")
            runbook.session.put(
                ("submission",), {"host": "127.0.0.1", "port": gateway.port, "starttls": "off"}
            )
            test = runbook.link_test
            assert sending(test) == []
            test.enter("to", "hans@recipient.test")
            test.press(sending(test)[0].name)
            assert test.task is not None
            await test.task
            (noted,) = read_dossier(tmp_path / "muster.yaml").acceptance
            assert (noted.result, noted.attempts[0].seen) == (TestResult.OPEN, None)
            (asked,) = (part for part in test.parts() if isinstance(part, Group))
            assert "hans@recipient.test.incamail.ch" in asked.title
            test.press(f"yes/{asked.name}")
            assert "say what the recipient saw" in test.said
            test.enter(f"seen/{asked.name}", "Read after «Read».")
            test.press(f"yes/{asked.name}")
            assert not any(isinstance(part, Group) for part in test.parts())
            assert opened(tmp_path).link_test.inputs()["to"].value == "hans@recipient.test"
            return len(gateway.messages)

    assert asyncio.run(run()) == 1
    (noted,) = read_dossier(tmp_path / "muster.yaml").acceptance
    assert (noted.result, noted.received) == (TestResult.PASSED, "Read after «Read».")
    (attempt,) = noted.attempts
    assert attempt.seen is not None
    assert (attempt.seen.arrived, attempt.seen.by) == (True, "Anna Muster")


def test_a_refusal_is_recorded_and_survives(tmp_path: Path) -> None:
    """Nobody listens: the failed try stands in the dossier, and in the form opened anew."""

    async def run() -> str:
        runbook = opened(tmp_path)
        runbook.session.choose("Anna Muster")
        runbook.session.put(("submission",), {"host": "127.0.0.1", "port": free_port()})
        test = runbook.link_test
        test.enter("to", "hans@recipient.test")
        test.press(sending(test)[0].name)
        assert test.task is not None
        await test.task
        return test.said

    assert "Nothing listens there" in asyncio.run(run())
    (noted,) = read_dossier(tmp_path / "muster.yaml").acceptance
    assert noted.result is TestResult.FAILED
    assert [a.outcome for a in noted.attempts] == [DeliveryOutcome.NOT_SENT]
    assert "hans@recipient.test.incamail.ch" in str(opened(tmp_path).acceptance("outgoing"))


def test_measuring_runs_beside_the_forms_and_can_be_cancelled(tmp_path: Path) -> None:
    """The kernel stays free; cancelled, nothing changes; else the evidence arrives and is kept."""

    async def run() -> None:
        runbook = opened(tmp_path)
        measuring = runbook.measuring
        assert "cancel" not in measuring.buttons()
        measuring.press("start")
        await asyncio.sleep(0)
        assert "start" not in measuring.buttons()
        measuring.press("cancel")
        assert measuring.task is not None
        await asyncio.wait([measuring.task])
        assert "Cancelled" in measuring.said
        assert runbook.session.audit is None
        measuring.press("start")
        ticks = 0
        while not measuring.task.done():
            ticks += 1
            await asyncio.sleep(0.001)  # the lab is measured within some 60 ms
        assert ticks > 5, "the loop was blocked"
        assert runbook.session.audit is not None
        done, whole = measuring.bars["probe"]
        assert done == whole
        assert "Measured on" in measuring.static()
        assert "audit.ipynb" in measuring.static()

    asyncio.run(run())
    assert list((tmp_path / "reports" / "muster-ag").glob("*/audit.json"))
    assert opened(tmp_path).session.audit is not None, "the next kernel finds it"


def test_documents_are_written_when_asked_for(tmp_path: Path) -> None:
    """A partial dossier gives a document with its gaps named, as HTML, PDF and Word, to be
    taken along from the page."""
    paper = opened(tmp_path).document("setup_document")
    assert "To be completed" in paper.static()
    assert paper.widget
    assert paper.panel
    handed: list[tuple[str, bytes]] = []
    paper.panel.hand_over = lambda name, data: handed.append((name, data))  # type: ignore[method-assign]
    paper.press("write")
    folder = tmp_path / "reports" / "muster-ag" / "documents"
    written = {p.name for p in folder.iterdir()}
    assert written == {"set-up-document.html", "set-up-document.docx", "set-up-document.pdf"}
    assert "set-up-document.docx" in paper.said
    paper.press("file/set-up-document.docx")
    assert handed == [("set-up-document.docx", (folder / "set-up-document.docx").read_bytes())]
    (folder / "set-up-document.html").unlink()
    paper.press("file/set-up-document.html")
    assert "cannot be read" in paper.said


def test_a_new_organisation_gets_dossier_and_notebooks(tmp_path: Path) -> None:
    """The form writes a commented dossier and leads to its notebooks; a wrong name is told."""
    chooser = opened(tmp_path, others=True).chooser
    assert isinstance(chooser, Chooser)
    chooser.enter("organisation", "Nuova SA")
    chooser.enter("domains", "not a domain")
    chooser.press("make")
    assert "domains" in chooser.said
    assert chooser.inputs()["domains"].value == "not a domain", "what was typed is kept"
    chooser.enter("domains", "nuova.example")
    chooser.enter("language", "it")
    chooser.enter("lab", "true")
    chooser.press("make")
    assert read_dossier(tmp_path / "nuova-sa.yaml").language == "it"
    assert (tmp_path / "reports" / "runbooks" / "nuova-sa" / "10_planning.ipynb").exists()
    assert "../nuova-sa/00_welcome.ipynb" in chooser.static()
    chooser.enter("organisation", "Nuova SA")
    chooser.enter("domains", "nuova.example")
    chooser.press("make")
    assert "not overwritten" in chooser.said


def test_a_client_who_looks_on_sees_no_other_client(tmp_path: Path) -> None:
    """Started on one dossier, the chooser names this organisation and no other beside it."""
    (tmp_path / "nuova.yaml").write_text(
        "schema: 3\norganisation: Nuova SA\ndomains: [nuova.example]\n", encoding="utf-8"
    )
    shown = opened(tmp_path).chooser._repr_mimebundle_()[0]["text/html"]
    assert "Muster AG" in shown
    assert "Nuova SA" not in shown
    assert not (tmp_path / "reports" / "runbooks" / "nuova-sa").exists()
    assert "Nuova SA" in opened(tmp_path, others=True).chooser._repr_mimebundle_()[0]["text/html"]


def test_a_planted_notebook_of_another_organisation_is_replaced(tmp_path: Path) -> None:
    """Before the chooser leads there: other code goes, a copy that was only run stays."""
    (tmp_path / "nuova.yaml").write_text(
        "schema: 3\norganisation: Nuova SA\ndomains: [nuova.example]\n", encoding="utf-8"
    )
    assert opened(tmp_path, others=True).chooser
    welcome = tmp_path / "reports" / "runbooks" / "nuova-sa" / "00_welcome.ipynb"
    notebook = nbformat.read(welcome, as_version=4)
    notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="run before")]
    nbformat.write(notebook, welcome)
    assert opened(tmp_path, others=True).chooser
    assert "run before" in welcome.read_text(encoding="utf-8")
    notebook.cells[1].source += "\nimport evil"
    nbformat.write(notebook, welcome)
    assert opened(tmp_path, others=True).chooser
    assert "import evil" not in welcome.read_text(encoding="utf-8")


def test_who_is_at_work_is_chosen_once_for_all_notebooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notebooks of one server share the name; without one nobody saw anything, and nothing is
    noted: never under the computer's user."""
    (tmp_path / "runtime").mkdir()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    first, second = opened(tmp_path), opened(tmp_path)
    tests = first.acceptance("outgoing")
    one, two = (name_of(test) for test in tests.tests()[:2])
    tests.enter(f"{one}/result", "passed")
    assert "choose first who is at work" in tests.inputs()[f"{one}/result"].problem
    assert read_dossier(tmp_path / "muster.yaml").acceptance == ()
    first.session.choose("Anna Muster")
    assert second.session.person == "Anna Muster"
    assert "Anna Muster" in str(second.person)
    tests.enter(f"{two}/result", "passed")
    done = read_dossier(tmp_path / "muster.yaml").acceptance
    assert [test.tested_by for test in done] == ["Anna Muster"]
    second.session.choose("")
    assert "Nobody" in str(first.person)


def test_a_consent_to_a_message_that_has_changed_is_answered(tmp_path: Path) -> None:
    """Whoever presses a button that the page shows no longer is told, and nothing is sent."""
    test = opened(tmp_path).link_test
    gone = sending(test)[0].name
    test.tests.to("somebody.else@recipient.example")
    test.press(gone)
    assert "the message has changed" in str(test.said)
    assert test.task is None
