"""The guide's data hold together: demands, links, examples and special rules."""

from __future__ import annotations

import re

from incamail_lib.checks import ALL_CHECKS
from incamail_lib.dossier.agreed import MessageKind
from incamail_lib.dossier.starter import starter
from incamail_lib.guide import contents, load_platform
from incamail_lib.linktest.compose import SUBJECTS

GUIDE = contents()


def item(number: str) -> str:
    """A question with all its parts, as one text."""
    found = next(i for i in GUIDE.items if i.number == number)
    return " ".join((found.question, *found.sub_questions))


def test_every_demand_has_a_key_of_its_own_and_evidence_that_exists() -> None:
    """Checks, questions and test messages that a demand names are there."""
    codes = {check.code for check in ALL_CHECKS}
    numbers = {i.number for i in GUIDE.items}
    kinds = {kind.value for kind in MessageKind}
    for component in GUIDE.components:
        keys = [demand.key for demand in component.demand]
        assert len(set(keys)) == len(keys) > 0
        for demand in component.demand:
            assert re.fullmatch("[a-z][a-z0-9_]*", demand.key)
            assert set(demand.checks) <= codes
            assert set(demand.items) <= numbers
            assert not demand.test or demand.test in kinds
        assert list(component.demands) == [*component.organisational, *component.technical]


def test_the_demands_of_the_guide_are_all_there() -> None:
    """What section 2 says of browser, gateway and firewall, with the evidence for it."""
    found = {(c.key, d.key): d for c in GUIDE.components for d in c.demand}
    assert found[("mail_gateway", "html")].test == "html_attachment"
    assert found[("mail_gateway", "inner_hop")].checks == ("NET10",)
    assert "443" in found[("browser", "https")].text
    assert ("firewall", "port_25") in found


def test_item_4_asks_for_must_should_may_and_for_special_rules() -> None:
    """Who and what: must, should, may; wording, layout and subject: as usual, or a special rule."""
    for number in ("4.1", "4.2"):
        assert all(word in item(number) for word in ("must", "should", "may"))
    parts = next(i for i in GUIDE.items if i.number == "4.3").sub_questions
    assert [p.split(":")[0] for p in parts] == ["The wording", "The layout", "The subject"]
    assert all("as usual" in p and "special rule" in p for p in parts)


def test_employees_are_told_of_regulations_and_use() -> None:
    """5.4 is about the règlements and how IncaMail is used, beside the support."""
    assert all(word in item("5.4") for word in ("regulations", "use", "support"))


def test_the_questions_with_links_have_them() -> None:
    """5.1, 5.5 and 6.5 point to pages over HTTPS, each with its day; no short link of the guide."""
    assert {link.item for link in GUIDE.links} == {"5.1", "5.5", "6.5"}
    for link in GUIDE.links:
        assert link.url.startswith("https://")
        assert re.match(r"https://[^/]*(post\.ch|incamail\.com)/", link.url)


def test_the_example_of_8_1_carries_suffix_and_tag() -> None:
    """The message before and after the add-in, and both rules that may take it."""
    example = " ".join(next(f for f in GUIDE.flows if f.number == "8.1").example)
    platform = load_platform()
    assert f"partner.example{platform.suffix.value}" in example
    assert next(iter(SUBJECTS.values())).split()[0] in example
    assert platform.smart_host.value in example


def test_the_network_question_names_the_web_hosts() -> None:
    """6.4 asks for the browsers' way as well, with the names filled in."""
    asked = next(i for i in GUIDE.items if i.number == "6.4").sub_questions[-1]
    assert "incamail.com" in load_platform().filled(asked).english()


def test_a_new_dossier_knows_every_component() -> None:
    """The starter names them all."""
    text = starter(organisation="A", domains=["a.example"], language="en")
    assert all(f"\n  {component.key}:" in text for component in GUIDE.components)
