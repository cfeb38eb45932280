"""What is declared and what was measured, and what is said in two ways, stand where they differ."""

from __future__ import annotations

from typing import Any

import pytest
from documents.dossiers import TODAY, audit, basis, empty, full, made
from factories import NOW, endpoint, facts, host

from incamail_lib.checks import judge_facts
from incamail_lib.documents.declared import receiving_differences, sending_differences
from incamail_lib.dossier.model import Dossier
from incamail_lib.facts.certificate import NameMatch
from incamail_lib.facts.smtp import Side, Target
from incamail_lib.findings import Audit
from incamail_lib.sheets.model import Document, Mark, Paragraph, SignatureLines, Table
from incamail_lib.sheets.telling import told


def differences(dossier: Dossier, found: Audit | None) -> list[str]:
    known = basis(dossier, found)
    return [t.english() for t in (*receiving_differences(known), *sending_differences(known))]


def declared(*receiving: dict[str, Any], **changes: Any) -> Dossier:
    given = {"domains": ("muster.example",), "gateways": {"receiving": receiving}}
    return empty(**given | changes)


def measured() -> Audit:
    """An audit without the certificate's files."""
    found = audit()
    return found.model_copy(update={"facts": found.facts.model_copy(update={"credentials": ()})})


MX1 = {"host": "mx1.muster.example"}


def test_what_is_as_declared_is_not_mentioned() -> None:
    """The gateway that the MX record names, at the address that was found."""
    assert differences(declared(MX1 | {"addresses": ("192.0.2.1",)}), measured()) == []
    assert differences(declared(MX1), measured()) == []
    assert differences(declared({"host": "mx9.muster.example"}), None) == []


def test_another_gateway_than_the_mx_record_names() -> None:
    """Both ways: declared and not named, named and not declared; not where the way is fixed."""
    found = differences(declared({"host": "mx9.muster.example"}), measured())
    assert found == [
        "mx9.muster.example is declared, but the MX records of muster.example do not name it.",
        "The MX records of muster.example name mx1.muster.example, which is not declared.",
    ]
    fixed = {"incoming": {"route": "static", "value": "192.0.2.9"}}
    assert differences(declared({"host": "mx9.muster.example"}, **fixed), measured()) == []


def test_a_domain_that_was_not_measured_proves_nothing() -> None:
    """Of the second domain nothing is known: perhaps its MX record names the gateway."""
    two = {"domains": ("muster.example", "muster-reha.example")}
    found = differences(declared(MX1, {"host": "mx9.muster.example"}, **two), measured())
    assert found == []


def test_another_address_than_the_name_leads_to() -> None:
    """Both are told; a name that could not be looked up differs from nothing."""
    found = differences(declared(MX1 | {"addresses": ("192.0.2.7",)}), measured())
    assert found == ["mx1.muster.example: declared is 192.0.2.7, measured was 192.0.2.1."]


@pytest.mark.parametrize(
    ("addresses", "told"), [(("192.0.2.25",), False), (("192.0.2.25", "192.0.2.26"), False)]
)
def test_a_sending_gateway_may_have_more_addresses(addresses: tuple[str, ...], told: bool) -> None:
    """Only a name that leads to none of them is odd."""
    seen = facts(
        dns=facts().dns.model_copy(update={"hosts": (host("out.x.example", "192.0.2.25"),)})
    )
    found = judge_facts(seen, NOW)
    sending = {"sending": ({"host": "out.x.example", "addresses": addresses},)}
    assert bool(differences(empty(gateways=sending), found)) is told
    other = {"sending": ({"host": "out.x.example", "addresses": ("192.0.2.99",)},)}
    assert len(differences(empty(gateways=other), found)) == 1


def test_another_certificate_or_name_is_told() -> None:
    """The file that is declared is not the one shown; the name is not in it."""
    target = Target(role=Side.RECEIVING, host="mx1.muster.example", address="192.0.2.1")
    sound = audit()
    other = NameMatch(host="mx1.muster.example", matched=False, presented=("mail.other.example",))
    shown = endpoint(target).model_copy(update={"name_match": other})
    seen = sound.facts.model_copy(update={"receiving": (shown,)})
    found = differences(declared(MX1), sound.model_copy(update={"facts": seen}))
    assert any("shows another certificate than the one declared (server.pem)" in t for t in found)
    assert any("not valid for mx1.muster.example; it names mail.other.example" in t for t in found)


def warnings(document: Document) -> list[str]:
    """Everything that warns, in paragraphs and in tables."""
    blocks = [block for section in document.sections for block in section.blocks]
    texts = [b.text for b in blocks if isinstance(b, Paragraph) and b.style == "warning"]
    rows = [row for b in blocks if isinstance(b, Table) for row in b.rows]
    texts += [line for row in rows for cell in row for line in cell if isinstance(line, Mark)]
    return [told(text, "en") for text in texts]


def test_the_set_up_document_warns_and_is_signed() -> None:
    """Differences stand in it; the client signs under a sentence, and Post does not."""
    document = made(declared({"host": "mx9.muster.example"}), audit())["setup_document"]
    assert any("mx9.muster.example is declared, but" in text for text in warnings(document))
    sentence, lines = document.sections[-1].blocks
    assert isinstance(lines, SignatureLines)
    assert "The organisation confirms" in str(sentence)
    assert [line.party.english() for line in lines.lines] == ["Leer AG"]
    signed = {"document": "setup", "name": "Eva", "organisation": "Leer AG", "signed_on": TODAY}
    after = made(empty(signatures=(signed,)))["setup_document"].sections[-1].blocks[-1]
    assert isinstance(after, SignatureLines)
    assert [(line.name, line.signed_on) for line in after.lines] == [("Eva", TODAY)]


def test_a_contradiction_warns_where_the_answer_stands() -> None:
    """In the plan beside the decision, and in the set-up document under the rules."""
    twice = full(
        routing={"method": "domain"}, answers={"6.3": {"state": "clear", "answer": "by content"}}
    )
    documents = made(twice)
    for key in ("implementation_plan", "setup_document"):
        assert any("by content" in text for text in warnings(documents[key])), key
    agreed = full(
        routing={"method": "subject"}, answers={"6.3": {"state": "clear", "answer": "by content"}}
    )
    for key in ("implementation_plan", "setup_document"):
        assert not any("by content" in text for text in warnings(made(agreed)[key])), key


def test_the_way_inside_is_proved_by_a_line_or_a_person() -> None:
    """Confirmed by whom and when; else a gap; without a gateway there is no such way."""
    confirmed = made(full(inner_hop={"by": "Bruno Beispiel", "on": TODAY}))["setup_document"]
    assert "encrypted, confirmed by {name} on {day}" in str(confirmed)
    assert "Way between mail server and gateway" in str(made(empty())["setup_document"])
    bare = made(empty(components={"mail_gateway": {"present": False}}))["setup_document"]
    assert "Way between mail server and gateway" not in str(bare)
