"""Settings that answer questions, and prose that says otherwise: what is certain and no more."""

from __future__ import annotations

from typing import Any

import pytest

from incamail_lib.dossier.contradicting import contradictions
from incamail_lib.dossier.decisions import DECISIONS, decided, question_of
from incamail_lib.dossier.fields import with_value
from incamail_lib.dossier.model import Dossier
from incamail_lib.guide import contents
from incamail_lib.i18n import LANGUAGES, Language, translator

BASE: dict[str, Any] = {"organisation": "Muster AG", "domains": ("muster.example",)}
SET: dict[str, Any] = BASE | {
    "go_live": "2027-01-15",
    "gateways": {
        "receiving": ({"host": "mx1.muster.example", "addresses": ("192.0.2.1",)},),
        "sending": ({"host": "out.muster.example"},),
    },
    "incoming": {"route": "static", "value": "192.0.2.1"},
    "routing": {"method": "subject", "engine": "postfix_pcre", "next_hop": "mx"},
    "certificates": {"sending": {"file": "/home/anna/secret/client.pem"}},
    "mail_clients": (
        {"program": "outlook_classic", "users": 40, "add_in": "com"},
        {"program": "other", "name": "Thunderbird", "users": 1, "add_in": "none"},
        {"program": "notes"},
    ),
    "monitoring": {"failures": "Zabbix,\nBruno", "certificates": "Anna"},
}


def dossier(**changes: Any) -> Dossier:
    return Dossier.model_validate(SET | changes)


def said(number: str, answer: str, **changes: Any) -> list[str]:
    """What is told when a question is answered in these words."""
    given = {number: {"answer": answer, "state": changes.pop("state", "unclear")}}
    return [c.text.english() for c in contradictions(dossier(answers=given, **changes))]


def test_each_field_of_a_decision_exists_and_belongs_to_one_question() -> None:
    """Every question is the guide's, and a path leads to the question it answers."""
    known = {item.number for item in contents().items}
    assert set(DECISIONS) <= known
    paths = [path for paths in DECISIONS.values() for path in paths]
    assert len(set(paths)) == len(paths)
    for number, starts in DECISIONS.items():
        for path in starts:
            assert path[0] in Dossier.model_fields
            assert question_of(path) == question_of((*path, "below")) == number
    assert question_of("answers.4.2.answer") == "4.2"
    assert question_of("contacts") == ""


def test_settings_read_as_answers() -> None:
    """A line for each part, with numbers and names; a path shows no folder."""
    told = {n: [text.english() for text in decided(dossier(), n)] for n in DECISIONS}
    assert told == {
        "6.1": [
            "Receiving: mx1.muster.example",
            "Sending: out.muster.example",
            "Certificate for sending: client.pem",
        ],
        "6.3": [
            "Mail for IncaMail is recognised: by the subject",
            "Subject pattern: <im>",
            "Mail server that applies the rule: Postfix (pcre:)",
            "IncaMail is found by: MX look-up",
        ],
        "6.4": [
            "IncaMail finds the gateway by: fixed address 192.0.2.1",
            "mx1.muster.example: 192.0.2.1",
        ],
        "6.5": [
            "Outlook for Windows, classic: 40 users, COM add-in",
            "Thunderbird: 1 user, no add-in: suffix and tag by hand",
            "Lotus Notes (HCL Notes): no add-in chosen yet",
        ],
        "6.7": ["Failed deliveries to IncaMail: Zabbix, Bruno", "End of certificates: Anna"],
        "7.3": ["Going live on 2027-01-15"],
    }
    assert decided(dossier(), "4.1") == ()


def test_what_nobody_set_answers_nothing() -> None:
    """The model's defaults are nobody's decision."""
    bare = Dossier.model_validate(BASE)
    assert all(decided(bare, number) == () for number in DECISIONS)


@pytest.mark.parametrize(
    "words",
    [
        "by domain",
        "By the suffix: *.incamail.ch goes to im.post.ch",
        "par domaine",
        "Selon le suffixe .incamail.ch",
        "nach Domäne",
        "Über das Suffix",
        "anhand der Domain des Empfängers",
        "per dominio",
        "In base al suffisso",
    ],
)
def test_prose_by_domain_contradicts_a_rule_on_the_subject(words: str) -> None:
    """In four languages; the same words agree with a rule on the domain or on both."""
    found = said("6.3", words)
    assert len(found) == 1
    assert words in found[0]
    assert "by the subject" in found[0]
    assert said("6.3", words, routing={"method": "domain"}) == []
    assert said("6.3", words, routing={"method": "both"}) == []
    assert said("6.3", words, routing={"engine": "postfix_pcre"}) == []  # no method is stated
    assert len(said("6.3", words, routing={"method": "none"})) == 1


@pytest.mark.parametrize(
    "words",
    [
        "by content",
        "By the subject: it contains <im>",
        "par contenu",
        "Selon l’objet du message",
        "nach Inhalt (Betreff mit <im>)",
        "anhand des Betreffs",
        "per contenuto",
        "In base all'oggetto",
    ],
)
def test_prose_by_content_contradicts_a_rule_on_the_domain(words: str) -> None:
    """The words of the issue, both ways round."""
    assert len(said("6.3", words, routing={"method": "domain"})) == 1
    assert said("6.3", words) == []


@pytest.mark.parametrize(
    "words",
    [
        "Not by content",
        "By content or by domain?",
        "by domain and by content",
        "Routage par domaine, plutôt que par contenu",
        "pas par contenu",
        "Nicht nach Inhalt",
        "Zuerst nach Inhalt",
        "Später nach Betreff",
        "Non per contenuto",
        "The subject is logged by Postfix",
        "Règle dans Postfix",
        "If by content, we need a filter",
        "content",
        "",
    ],
)
def test_what_is_not_certain_is_not_told(words: str) -> None:
    """Negation, question, time, contrast, two readings: nothing is concluded."""
    assert said("6.3", words, routing={"method": "domain"}) == []
    assert said("6.3", words) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("2027-02-01", True),
        ("1.2.2027", True),
        ("Le 1er février 2027", True),
        ("Mise en service le lundi 1er février 2027.", True),
        ("am 1. Februar 2027", True),
        ("1° febbraio 2027", True),
        ("1 February 2027", True),
        ("2027-01-15", False),
        ("15.01.2027", False),
        ("15 janvier 2027", False),
        ("Confirmed by Post on 3 December 2026", False),  # of something else
        ("15.1.2027 or 1.2.2027", False),
        ("in February", False),
        ("31.2.2027", False),
    ],
)
def test_a_date_in_words_is_compared_with_the_field(words: str, told: bool) -> None:
    """Only an answer that is nothing but one date contradicts another date."""
    assert len(said("7.3", words)) == told


def test_a_clear_date_needs_the_field() -> None:
    """Said to be clear without a date set; with one, or still open, nothing is told."""
    assert len(said("7.3", "", state="clear", go_live=None)) == 1
    assert said("7.3", "", state="clear") == []
    assert said("7.3", "", state="todo", go_live=None) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("35 users of Outlook classic", True),
        ("35 utilisateurs d’Outlook classique, 1 Notes", True),
        ("35 Benutzer mit Outlook klassisch", True),
        ("35 utenti Outlook classico", True),
        ("40 users of Outlook classic", False),
        ("35 users of Outlook classic and new", False),
        ("about 35 users of Outlook classic", False),
        ("35 users, some of them on Outlook classic 2019", False),
        ("12 users of Lotus Notes", False),  # no number is set
        ("12 users of GroupWise", False),  # perhaps to come
        ("35 users", False),
        ("HTML add-in for everybody", True),
        ("COM add-in for everybody", False),
        ("Add-in HTML pour tous", True),
        ("HTML add-in later", False),
    ],
)
def test_numbers_and_add_ins_in_words(words: str, told: bool) -> None:
    """A number of users of one mail client, and the one kind of add-in that is named."""
    assert len(said("6.5", words)) == told


@pytest.mark.parametrize(
    ("number", "words", "told"),
    [
        ("6.1", "mx7.muster.example", True),
        ("6.1", "mx7.muster.example, mx8.muster.example", True),
        ("6.1", "mx1.muster.example und mx7.muster.example", False),
        ("6.1", "exch.muster.example hands everything over to our gateway", False),
        ("6.1", "gateway.provider.example", False),
        ("6.4", "mx1.muster.example 192.0.2.7", True),
        ("6.4", "mx1.muster.example: IP 192.0.2.1", False),
        ("6.4", "mx1.muster.example 10.0.0.1", False),  # behind address translation
        ("6.4", "mx1.muster.example -> gw1.incamail.com 194.41.147.13", False),
        ("6.4", "out.muster.example 192.0.2.7", False),  # none is set there
        ("6.4", "mx1.muster.example formerly 192.0.2.7", False),
        ("6.4", "mx1.muster.example 999.0.2.7", False),
        ("6.7", "Keine Überwachung", True),
        ("6.7", "none", True),
        ("6.7", "None of the queues is full: Zabbix watches", False),
    ],
)
def test_machines_addresses_and_monitoring(number: str, words: str, told: bool) -> None:
    """Only plain lists of names and addresses are compared."""
    assert len(said(number, words)) == told


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_whole_in_every_language(language: Language) -> None:
    """Hostile words of a client stay words; every line of a setting can be told."""
    given = {"6.3": {"answer": "by domain {x} " + "y" * 500}}
    found = contradictions(dossier(answers=given))
    told = translator(language).text(found[0].text)
    assert "{x}" in told
    assert len(told) < 500
    for number in DECISIONS:
        for text in decided(dossier(), number):
            assert translator(language).text(text)


def test_a_setting_can_be_entered_along_its_path() -> None:
    """What a form writes at the path of a decision is read back as its answer."""
    path = ("monitoring", "queues")
    data = with_value({"organisation": "A", "domains": ["a.example"]}, path, "x")
    assert [t.english() for t in decided(Dossier.model_validate(data), "6.7")] == ["Mail queues: x"]
