"""The network matrix: every pair that is known, and nothing that is not, in every form."""

from __future__ import annotations

import csv
import dataclasses
import io
import ipaddress
import re

import pytest
from documents.dossiers import HOSTILE, audit, basis, empty, full, hostile, made

from incamail_lib.documents import (
    SYNTAXES,
    Pair,
    Syntax,
    network_csv,
    network_pairs,
    network_rules,
    web_pairs,
)
from incamail_lib.documents.matrix import network_matrix
from incamail_lib.documents.parts import words
from incamail_lib.documents.rules import remark
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.sheets.model import gaps

FULL_OUTGOING = {("192.0.2.25", "194.41.147.13"), ("192.0.2.25", "194.41.147.14")}
FULL_INCOMING = {
    (theirs, ours)
    for theirs in ("194.41.147.13", "194.41.147.14")
    for ours in ("192.0.2.1", "192.0.2.2")
}
NFT = re.compile(
    r"add rule inet filter incamail (ip6?) saddr (\S+) (ip6?) daddr (\S+) "
    r"tcp dport (\d+) counter accept"
)
NFT_FRAME = {
    "add table inet filter",
    "add chain inet filter incamail",
    "flush chain inet filter incamail",
}
ASA = re.compile(
    r"access-list (INCAMAIL-OUT|INCAMAIL-IN) extended permit tcp host (\S+) host (\S+) eq (\d+)"
)


def ends(pairs: tuple[Pair, ...], direction: str) -> set[tuple[str, str]]:
    return {(p.source.address, p.target.address) for p in pairs if p.direction == direction}


def parsed(rules: str, syntax: Syntax) -> list[tuple[str, str, str]]:
    """Source, target and port of every rule; anything that is no rule or comment is an error."""
    found = []
    for line in rules.splitlines():
        if line.startswith("# " if syntax == "nftables" else "! "):
            continue
        if syntax == "nftables" and line in NFT_FRAME:
            continue
        match = (NFT if syntax == "nftables" else ASA).fullmatch(line)
        assert match, line
        source, target, port = match.groups()[-3:] if syntax == "asa" else match.group(2, 4, 5)
        versions = {ipaddress.ip_address(source).version, ipaddress.ip_address(target).version}
        assert len(versions) == 1, line
        if syntax == "nftables":
            assert match[1] == match[3] == ("ip" if versions == {4} else "ip6")
        found.append((source, target, port))
    return found


def test_all_pairs_stand_in_both_directions() -> None:
    """Declared addresses and those the DNS gave, each with each of IncaMail's gateways."""
    pairs = network_pairs(basis(full(), audit()))
    assert ends(pairs, "outgoing") == FULL_OUTGOING
    assert ends(pairs, "incoming") == FULL_INCOMING
    assert {p.target.port for p in pairs} == {25}


def test_without_an_audit_an_undeclared_address_is_a_gap() -> None:
    """mx1 has no declared address: the pair stays, its address is missing."""
    pairs = network_pairs(basis(full()))
    assert ("194.41.147.13", "") in ends(pairs, "incoming")
    assert "address as seen from the Internet" in [
        gap.text.english() for gap in gaps(made(full())["network_matrix"])
    ]


def test_ipv4_and_ipv6_are_not_paired_but_missed() -> None:
    """An IPv6 address of the client has no counterpart, and the document asks for one."""
    pairs = network_pairs(basis(full(), audit()))
    assert not [p for p in pairs if "2001:db8::2" in (p.source.address, p.target.address)]
    missing = [gap.text.english() for gap in gaps(made(full(), audit())["network_matrix"])]
    assert missing == ["address of IncaMail that talks to 2001:db8::2"]


def test_exchangers_stand_in_for_receiving_gateways_that_nobody_declared() -> None:
    """With MX look-up the audit's exchangers receive; with a fixed address that one does."""
    by_mx = network_pairs(basis(full(gateways={}), audit()))
    assert {p.target.host for p in by_mx} == {"mx1.muster.example"}
    fixed = full(gateways={}, incoming={"route": "static", "value": "[192.0.2.77]"})
    assert {p.target.address for p in network_pairs(basis(fixed, audit()))} == {"192.0.2.77"}
    assert network_pairs(basis(empty())) == ()


def test_the_dns_supplies_what_the_platform_file_leaves_open() -> None:
    """A gateway without addresses takes those measured; unmeasured it keeps a gap."""
    found = basis(full(), audit())
    bare = tuple(g.model_copy(update={"addresses": ()}) for g in found.platform.gateways)
    platform = found.platform.model_copy(update={"gateways": bare})
    pairs = network_pairs(dataclasses.replace(found, platform=platform))
    targets = {(p.target.host, p.target.address) for p in pairs if p.direction == "outgoing"}
    assert targets == {("gw1.incamail.com", "194.41.147.13"), ("gw2.incamail.com", "")}


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_rules_hold_exactly_the_known_pairs(syntax: Syntax, language: Language) -> None:
    """Each line parses, every known pair is there once, in every language."""
    rules = network_rules(network_pairs(basis(full(), audit())), syntax, language)
    found = parsed(rules, syntax)
    assert {(source, target) for source, target, _ in found} == FULL_OUTGOING | FULL_INCOMING
    assert len(found) == 6
    assert {port for _, _, port in found} == {"25"}


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_ipv6_rules_name_their_family(syntax: Syntax) -> None:
    """A pair of IPv6 addresses gives a rule for IPv6, with the receiving port."""
    pair = network_pairs(basis(full(), audit()))[0]
    six = Pair(
        pair.direction,
        type(pair.source)("a", "2001:db8::1", 25, pair.source.known_from, pair.source.certainty),
        type(pair.target)("b", "2001:db8::2", 587, pair.target.known_from, pair.target.certainty),
    )
    rules = network_rules((six,), syntax, "en")
    assert parsed(rules, syntax) == [("2001:db8::1", "2001:db8::2", "587")]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_two_names_of_one_address_give_one_rule(syntax: Syntax) -> None:
    """Hosts that share an address need a single rule, while the matrix keeps both."""
    twice = full(
        gateways={
            "sending": (
                {"host": "a.muster.example", "addresses": ("192.0.2.25",)},
                {"host": "b.muster.example", "addresses": ("192.0.2.25",)},
            )
        }
    )
    pairs = network_pairs(basis(twice))
    assert len(pairs) == 4
    assert len(parsed(network_rules(pairs, syntax, "en"), syntax)) == 2


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_what_is_missing_or_unconfirmed_is_said_in_a_comment(syntax: Syntax) -> None:
    """Left-out pairs are counted, absent directions named, unconfirmed addresses announced."""
    whole = network_rules(network_pairs(basis(full(), audit())), syntax, "en")
    assert "left out" not in whole
    assert "The next address is unconfirmed" in whole
    part = network_rules(network_pairs(basis(full())), syntax, "en")
    assert "2 connections are left out" in part
    nothing = network_rules((), syntax, "en")
    assert "no gateways are known for mail that is outgoing" in nothing
    assert parsed(nothing, syntax) == []


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_no_name_gets_into_the_rules(syntax: Syntax) -> None:
    """Hosts and the organisation come from files; rules and comments stay free of them."""
    for dossier in (full(), hostile()):
        rules = network_rules(network_pairs(basis(dossier, audit())), syntax, "en")
        assert "muster" not in rules.lower()
        assert "script" not in rules
        known = ("#", "!", "add ", "flush ", "access-list ")
        assert all(line.startswith(known) for line in rules.splitlines())


@pytest.mark.parametrize("language", LANGUAGES)
def test_asa_comments_are_plain_ascii(language: Language) -> None:
    """A console takes nothing else; umlauts are written out, accents dropped."""
    assert remark(words("Prüfung – Grösse, ß, «é»"), language) == '! Pruefung - Groesse, ss, "e"'
    assert network_rules(network_pairs(basis(full())), "asa", language).isascii()


def test_the_table_has_a_line_for_each_pair() -> None:
    """The CSV reads back with as many cells in each line as in the heading."""
    pairs = network_pairs(basis(full(), audit()))
    rows = list(csv.reader(io.StringIO(network_csv(pairs, "en"))))
    assert len(rows) == 1 + len(pairs)
    assert {len(row) for row in rows} == {11}
    client, platform = ["out.muster.example", "192.0.2.25"], ["gw1.incamail.com", "194.41.147.13"]
    assert rows[1][:7] == ["outgoing", *client, *platform, "TCP", "25"]


@pytest.mark.parametrize("value", [HOSTILE, "=cmd|' /C calc'!A0", "@SUM(A1)", "+1"])
def test_no_cell_is_a_formula(value: str) -> None:
    """A fixed host name that looks like a formula is quoted."""
    dossier = full(gateways={}, incoming={"route": "static", "value": value})
    rows = list(csv.reader(io.StringIO(network_csv(network_pairs(basis(dossier)), "en"))))
    cells = [cell for row in rows for cell in row]
    assert len(rows) > 1
    assert not [cell for cell in cells if cell.lstrip()[:1] in ("=", "+", "-", "@", "|", "%")]


def test_browsers_have_a_line_of_their_own() -> None:
    """HTTPS to IncaMail by name, in the paper and the table; in the rules only as a remark."""
    known = basis(full(), audit())
    web = web_pairs(known)
    assert [(p.target.host, p.target.port) for p in web] == [
        ("incamail.com", 443),
        ("www.incamail.com", 443),
    ]
    rows = list(csv.reader(io.StringIO(network_csv((*network_pairs(known), *web), "en"))))
    ours = [row for row in rows if "443" in row]
    assert [row[1:5] for row in ours] == [
        ["browsers of the users", "", "incamail.com", ""],
        ["browsers of the users", "", "www.incamail.com", ""],
    ]
    paper = made(full(), audit())["network_matrix"]
    assert "TCP 443" in str(paper)
    for syntax in SYNTAXES:
        rules = network_rules(network_pairs(known), syntax, "en")
        assert "HTTPS (TCP 443)" in rules
        assert all(port == "25" for _, _, port in parsed(rules, syntax))


def test_without_web_hosts_the_paper_asks_for_them() -> None:
    """A platform that names none leaves a gap, and no line is invented."""
    known = basis(full(), audit())
    bare = dataclasses.replace(
        known, platform=known.platform.model_copy(update={"web_hosts": None})
    )
    assert web_pairs(bare) == ()
    missing = [gap.text.english() for gap in gaps(network_matrix(bare))]
    assert "host names of IncaMail for browsers" in missing


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_rules_of_the_lab_open_no_firewall(syntax: Syntax) -> None:
    """On the lab, or with an address of the loopback interface, every rule is a comment."""
    pairs = network_pairs(basis(full(), audit()))
    assert parsed(network_rules(pairs, syntax, "en"), syntax)
    marked = network_rules(pairs, syntax, "en", on_lab=True)
    assert parsed(marked, syntax) == []
    assert "Not to be loaded" in marked
    here = [
        dataclasses.replace(p, target=dataclasses.replace(p.target, address="127.0.0.2"))
        for p in pairs
    ]
    assert parsed(network_rules(here, syntax, "en"), syntax) == []
