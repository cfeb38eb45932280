"""What documents say: all that the dossier holds, and a mark where it holds nothing."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pytest
from documents.dossiers import TODAY, audit, basis, empty, full, made
from factories import NOW, certificate, facts, trusted

from incamail_lib.checks import judge_facts
from incamail_lib.documents import KEYS
from incamail_lib.documents.certificates import leaves
from incamail_lib.documents.communication import communication_plan
from incamail_lib.dossier.model import Dossier
from incamail_lib.facts.certificate import CertificateFacts, CredentialFacts, CredentialUse
from incamail_lib.facts.observation import yes
from incamail_lib.findings import Audit, Outcome
from incamail_lib.guide import Certainty
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.outputs import DOCUMENT_NAMES, document_name
from incamail_lib.sheets.html import render_html
from incamail_lib.sheets.model import Document, SignatureLines, Table, gaps
from incamail_lib.sheets.plain import plain_text

DAY = dt.timedelta(days=1)


def text(document: Document) -> str:
    """A document as plain English."""
    return plain_text(render_html(document, "en").split("<body>")[1])


def with_client(above: CertificateFacts | None = None, **changes: Any) -> Audit:
    """An audit of one client certificate, whose path the store told."""
    leaf = certificate(sha256="56" * 32, ext_key_usage=("clientAuth",), **changes)
    members = (leaf, above) if above else (leaf,)
    answer = trusted().model_copy(update={"purpose": "clientAuth", "members": members})
    file = CredentialFacts(
        label="client.pem",
        uses=(CredentialUse.SENDING,),
        readable=yes(),
        key_matches=yes(),
        chain=members,
        trust=(answer,),
    )
    return judge_facts(facts(receiving=(), credentials=(file,)), NOW)


def told(key: str, dossier: Dossier, found: Audit | None = None) -> str:
    return text(made(dossier, found)[key])


def missing(document: Document) -> list[str]:
    return [gap.text.english() for gap in gaps(document)]


@pytest.mark.parametrize("dossier", [full(), empty()], ids=["full", "empty"])
def test_every_dossier_gives_every_document(dossier: Dossier) -> None:
    """The keys are those announced, in order, with the client's name in each document."""
    documents = made(dossier)
    assert tuple(documents) == KEYS
    assert all(dossier.organisation in text(document) for document in documents.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("dossier", [full(), empty()], ids=["full", "empty"])
def test_no_document_shows_a_blank_of_its_template(dossier: Dossier, language: Language) -> None:
    """What the guide leaves to the platform is filled in, in every language."""
    for key, document in made(dossier).items():
        shown = plain_text(render_html(document, language).split("<body>")[1])
        assert not re.findall(r"\{\w+\}", shown), key


def test_an_almost_empty_dossier_invents_nothing() -> None:
    """Each document marks gaps; neither a person nor an address of the client appears."""
    for key, document in made(empty()).items():
        assert gaps(document), key
        assert "Missing: " in text(document)
        assert "192.0.2." not in text(document)


def test_a_gap_goes_once_it_is_filled() -> None:
    """The go-live date is missed only by a dossier without one."""
    wanted = "desired go-live date"
    assert wanted in missing(made(empty())["setup_document"])
    dated = empty(go_live=dt.date(2027, 2, 1))
    assert wanted not in missing(made(dated)["setup_document"])
    assert "1 February 2027" in told("setup_document", dated)


def test_the_plan_tells_every_decision_with_owner_and_date() -> None:
    """All questions 4.1 to 6.8 stand there; what is overdue says so, what is not does not."""
    plan = told("implementation_plan", full(), audit())
    for item in (i for i in basis(full()).guide.items if i.number < "7"):
        assert f"{item.number} {item.question}" in plan
    assert "Chiara Esempio ✗ 10 November 2026 – overdue" in plan
    assert "Bruno Beispiel 4 December 2026" in plan
    assert "Personnel files." in plan
    assert "Missing: operator" in plan


def test_the_plan_shows_evidence_against_an_answer_with_the_reason_given() -> None:
    """A failed required check stands beside the decision; without an audit nothing does."""
    shown = told("implementation_plan", full(), audit())
    failed = set(re.findall(r"Audit: failed – [^(|]*\((\w+)\)", shown))
    assert {"TLS06", "CERT22"} <= failed
    outcomes = {f.code: f.outcome for f in audit().findings if f.outcome is Outcome.FAILED}
    assert failed <= set(outcomes)
    assert "Reason given: New certificate is ordered" in told("implementation_plan", full())
    assert "Audit: failed" not in told("implementation_plan", full())


def test_the_plan_counts_states_by_section() -> None:
    """Section 4 of the sample: two clear, one to do, one without an answer."""
    assert "4 E-mail policy | 2 | 0 | 1 | 1" in told("implementation_plan", full())
    assert "4 E-mail policy | 0 | 0 | 0 | 4" in told("implementation_plan", empty())


def test_the_set_up_document_identifies_both_certificates() -> None:
    """CN, SAN, issuer and fingerprints in both directions; a missing CN is said."""
    shown = told("setup_document", full(), audit())
    for value in ("12:12:12", "34:34:34", "56:56:56", "mx2.muster.example", "23 April 2027"):
        assert value in shown
    assert "none; ask Swiss Post whether the alternative names do" in shown
    assert "10 mx1.muster.example." in shown
    assert "34:34:34" not in told("setup_document", full())


def test_certificates_are_told_apart_by_direction() -> None:
    """The file for sending is not shown for receiving, and the served one is added there."""
    found = basis(full(), audit())
    assert [label for label, _ in leaves(found, CredentialUse.SENDING)] == ["client.pem"]
    labels = [label for label, _ in leaves(found, CredentialUse.RECEIVING)]
    assert labels == ["server.pem", "mx1.muster.example [192.0.2.1]:25"]
    assert leaves(basis(full()), CredentialUse.SENDING) == ()


@pytest.mark.parametrize(("left", "due"), [(31, False), (29, True), (16, False), (14, True)])
def test_the_paper_and_the_check_call_for_renewal_together(left: int, due: bool) -> None:
    """30 days before the end, or a third of a life of 45 days."""
    life = 45 if left < 20 else 200
    dates: dict[str, Any] = {"not_before": NOW - (life - left) * DAY, "not_after": NOW + left * DAY}
    found = with_client(**dates)
    said = told("setup_document", full(), found)
    assert ("Renewal is due now: the certificate ends on" in said) == due
    checked = next(f for f in found.findings if f.code == "CERT27")
    assert (checked.outcome is Outcome.FAILED) == due


def test_a_path_that_ends_before_its_certificate_is_told() -> None:
    """The renewal plan follows the intermediate, and names it."""
    early = certificate(subject="CN=Old Issuing CA", not_after=NOW + 20 * DAY)
    said = told("setup_document", full(), with_client(above=early, not_after=NOW + 200 * DAY))
    assert "CN=Old Issuing CA on its path ends before the certificate itself." in said
    assert "Renewal is due now: the certificate ends on 14 December 2026." in said


def test_the_renewal_plan_follows_the_dates() -> None:
    """Thirty days before the end; due now when that has passed; replaced when it is over."""
    shown = told("setup_document", full(), audit())
    assert "Renew at the latest on 24 March 2027, 30 days before the end." in shown
    assert "Renewal is due now: the certificate ends on 3 December 2026." in shown
    assert "it lacks the usage clientAuth" in shown
    assert "DigiCert: 1 March 2027" in shown
    later = made(full(), audit(), today=NOW.date() + dt.timedelta(days=40))
    assert "The certificate ended on 3 December 2026" in text(later["setup_document"])


def test_usual_rules_are_marked_until_the_client_confirms_them() -> None:
    """The model's defaults are nobody's statement; a dossier that states them is believed."""
    doubt = "confirmation of these usual rules by the organisation"
    assert doubt in missing(made(empty())["setup_document"])
    assert doubt not in missing(made(full())["setup_document"])
    way = "confirmation of this usual way by the organisation"
    assert way in missing(made(empty())["setup_document"])
    stated = empty(routing={"method": "domain"}, incoming={"route": "mx"})
    assert not [m for m in missing(made(stated)["setup_document"]) if "confirmation" in m]


def test_a_fixed_way_needs_its_value() -> None:
    """A static route without a host or address is a gap; with one it is shown."""
    wanted = "host name or address for incoming mail"
    without = made(empty(incoming={"route": "static"}))["setup_document"]
    assert wanted in missing(without)
    given = made(empty(incoming={"route": "static", "value": "192.0.2.9"}))["setup_document"]
    assert wanted not in missing(given)
    assert "192.0.2.9" in text(given)


def test_communication_is_timed_from_the_go_live_date() -> None:
    """Two weeks before stands as a date, marked when past; without go-live it stays relative."""
    shown = told("communication_plan", full())
    # A Friday on which nobody works, so the day before.
    assert "31 December 2026 2 weeks before going live" in shown
    assert "From 15 January 2027 on Muster Gesundheit AG sends you" in shown
    assert "overdue" not in shown
    soon = full(go_live=TODAY + dt.timedelta(days=10))
    assert "20 November 2026 – overdue" in told("communication_plan", soon)
    undated = told("communication_plan", empty())
    assert "2 weeks before going live | Employees" in undated
    assert "Missing: desired go-live date" in undated


def test_the_texts_carry_the_decisions() -> None:
    """Rule and support come from the answers; without them the text says what to put in."""
    shown = told("communication_plan", full())
    assert shown.count("Service Session, +41 31 000 00 02") == 3  # decided, employees, recipients
    assert "Everything marked «confidential»." in shown
    open_gaps = missing(made(empty())["communication_plan"])
    assert "the rule which mails go through IncaMail" in open_gaps


def test_the_add_in_plan_knows_where_a_com_add_in_does_not_load() -> None:
    """New Outlook, web and Mac take the HTML add-in only; classic Outlook takes both."""
    shown = told("add_in_plan", full())
    only = "HTML add-in only: COM add-ins do not load here"
    assert shown.count(only) == 1
    assert "Outlook for Windows, classic | HTML add-in or COM add-in" in shown
    assert "HTML add-in for all" in shown
    assert "Missing: the answer (question 6.6)" in shown
    assert "Outlook for Windows, new | " + only in shown
    assert "COM add-in ✗ It does not load here." in shown
    assert "mail clients in use, with the number of their users" in missing(
        made(empty())["add_in_plan"]
    )


def test_acceptance_lists_every_test_made_or_not() -> None:
    """Six outgoing tests: one passed with evidence, one failed, four without a result.

    Of the incoming ones there is one more, with an HTML attachment."""
    report = made(full())["acceptance_outgoing"]
    shown = text(report)
    assert "<1.2@muster.example>" in shown
    assert "250 2.0.0 Ok: queued as 4F1" in shown
    assert "No receipt after two hours" in shown
    assert missing(report).count("result") == 4
    assert "Tests passed | 1" in shown
    assert missing(made(full())["acceptance_incoming"]).count("result") == 7


def test_a_pass_without_evidence_is_marked() -> None:
    """A bare «passed» proves nothing; a failure may rest on its remark."""
    test = {"direction": "incoming", "kind": "personal", "audience": "internal", "remark": "x"}
    wanted = "evidence: Message-ID, and what the recipient saw"
    passed = made(empty(acceptance=(test | {"result": "passed"},)))["acceptance_incoming"]
    failed = made(empty(acceptance=(test | {"result": "failed"},)))["acceptance_incoming"]
    assert wanted in missing(passed)
    assert wanted not in missing(failed)


def test_identity_is_told_from_the_audit() -> None:
    """The checks of 8.4 with what was seen; without an audit the gap says what is needed."""
    shown = told("acceptance_identity", full(), audit())
    assert "(PLAT02) | passed" in shown
    assert "Measured on 24 November 2026." in shown
    assert "audit of IncaMail's gateways" in missing(made(full())["acceptance_identity"])


def parties(document: Document) -> list[tuple[str, str]]:
    blocks = [block for section in document.sections for block in section.blocks]
    lines = next(block for block in blocks if isinstance(block, SignatureLines)).lines
    return [(line.party.english(), line.name) for line in lines]


def test_who_has_signed_stands_there_and_the_other_gets_a_line() -> None:
    """A signature belongs to one report only, and Post is known by its company's name too."""
    documents = made(full())
    client = "Muster Gesundheit AG"
    assert parties(documents["acceptance_link"]) == [(client, "Anna Muster"), ("Swiss Post", "")]
    assert parties(documents["acceptance_outgoing"]) == [(client, ""), ("Swiss Post", "")]
    by_post = {"document": "link", "name": "P", "organisation": "Post CH AG", "signed_on": TODAY}
    signed = made(empty(signatures=(by_post,)))["acceptance_link"]
    assert parties(signed) == [("Post CH AG", "P"), ("Leer AG", "")]


def test_a_dossier_of_the_lab_says_so_on_every_document() -> None:
    """Nobody sends the lab's addresses to Post by mistake; a real dossier has no such remark."""
    assert all(document.remarks for document in made(full(platform="lab")).values())
    assert not any(document.remarks for document in made(full()).values())


def test_every_row_has_a_cell_for_every_column() -> None:
    """Widths, headings and rows of each table agree, for a full and an empty dossier."""
    for documents in (made(full(), audit()), made(empty())):
        blocks = [b for d in documents.values() for s in d.sections for b in s.blocks]
        tables = [block for block in blocks if isinstance(block, Table)]
        assert len(tables) > 15
        for table in tables:
            assert all(len(row) == len(table.widths) for row in table.rows)
            assert len(table.headings) in (0, len(table.widths))
            assert sum(table.widths) == 100


def test_every_document_has_a_name_of_its_own_in_every_language() -> None:
    """Short, ASCII, and none twice, so that two languages lie side by side."""
    assert set(DOCUMENT_NAMES) == set(KEYS)
    names = [document_name(key, "docx", language) for key in KEYS for language in LANGUAGES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z-]{5,40}\.docx", name) for name in names)
    assert document_name("network_matrix", "csv", "fr") == "matrice-reseau.csv"


@pytest.mark.parametrize("certainty", list(Certainty))
def test_a_letter_against_phishing_names_no_guess(certainty: Certainty) -> None:
    """Sender domains stand in the text to recipients only where Swiss Post confirmed them."""
    sources = basis(full())
    known = sources.platform.sender_domains.model_copy(
        update={"certainty": certainty, "value": ("im.post.ch",)}
    )
    stated = sources.platform.model_copy(update={"sender_domains": known})
    letter = communication_plan(replace(sources, platform=stated))
    confirmed = certainty is Certainty.PRIMARY
    assert ("im.post.ch" in text(letter)) is confirmed
    assert ("the sender domains, as Swiss Post confirms them" in missing(letter)) is not confirmed


def test_as_shipped_no_sender_domain_is_confirmed() -> None:
    """Nobody has confirmed one yet, so no paper names one as the sender of true messages."""
    assert "im.post.ch" not in told("communication_plan", full())
