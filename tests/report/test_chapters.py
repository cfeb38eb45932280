"""An audit told in chapters: complete in four languages, escaped, and the same as its findings."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser

import pytest
from factories import (
    NOW,
    answer,
    certificate,
    declared,
    endpoint,
    facts,
    survey,
    unreached,
    vantage,
)

from incamail_lib.checks import judge_facts
from incamail_lib.facts.audit import AuditFacts, Place
from incamail_lib.facts.dns import DomainFacts
from incamail_lib.facts.observation import Reason, no
from incamail_lib.facts.smtp import Exchange, Reply, Stage, TlsFacts
from incamail_lib.findings import Outcome, Verdict
from incamail_lib.guide import load_platform
from incamail_lib.i18n import LANGUAGES, Language
from incamail_lib.report import Report
from incamail_lib.report.chapters import TITLES

HOSTILE = "<script>alert(1)</script>\x1b]0;owned\x07\u202egnp.exe" + "A" * 10_000


def report(given: AuditFacts, language: Language = "en") -> Report:
    return Report(judge_facts(given, NOW), language)


class Tags(HTMLParser):
    """The tags, in order, and the attributes of each."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.ids: list[str] = []
        self.unclosed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in ("br", "col"):
            self.unclosed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag


def tags(html: str) -> Tags:
    reader = Tags()
    reader.feed(html)
    reader.close()
    return reader


def test_the_first_page_says_from_where_it_was_measured() -> None:
    """Place, machine and its addresses; for two places each side has its own line."""
    machine = vantage(Place.INSIDE, machine="laptop-7", addresses=("10.1.2.9/24",))
    alone = str(report(facts(vantage=machine, receiving_from=None)).summary)
    assert "behind the same firewall" in alone
    assert "laptop-7, as audit.muster.example" in alone
    assert "10.1.2.9/24" in alone
    assert "Receiving side measured from" not in alone
    both = str(report(facts(vantage=machine)).summary)
    assert "Way to IncaMail measured from" in both
    assert both.index("behind the same firewall") < both.index("elsewhere, outside")
    lab = str(
        report(facts(vantage=vantage(Place.GATEWAY, on_lab=True), receiving_from=None)).summary
    )
    assert "plays every part" in lab
    old = str(report(facts(vantage=vantage(), receiving_from=None)).summary)
    assert "nobody declared" in old


def test_an_audit_from_elsewhere_names_the_one_thing_that_is_missing() -> None:
    """Page 1: not fourteen unknown checks, but that the way out was not measured."""
    told = report(facts(vantage=vantage(Place.ELSEWHERE), receiving_from=None))
    assert "NET07" in str(told.summary)
    assert "PLAT02" not in str(told.summary)
    assert "incamail measure" in str(told.steps)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chapter_is_told_in_every_language(language: Language) -> None:
    """All chapters render, well-formed, with their title, and name the language they are in."""
    chapters = report(facts(), language).chapters()
    assert [chapter.key for chapter in chapters] == list(TITLES)
    seen: list[str] = []
    for chapter in chapters:
        found = tags(chapter.html)
        assert found.unclosed == []
        assert f'lang="{language}"' in chapter.html
        seen += found.ids
    assert len(seen) == len(set(seen)), "an id stands twice in one report"
    assert set(TITLES) <= set(seen)


def test_languages_differ_and_values_do_not() -> None:
    """The verdict's word is translated; the name of a gateway stays."""
    told = {language: str(report(facts(), language).summary) for language in LANGUAGES}
    assert len(set(told.values())) == len(LANGUAGES)
    gateways = [str(report(facts(), language).gateways) for language in LANGUAGES]
    assert all("mx1.muster.example" in text for text in gateways)


def hostile_facts() -> AuditFacts:
    leaf = certificate(
        subject=f"CN={HOSTILE}", subject_o=(HOSTILE,), san_dns=(HOSTILE, "x" * 10_000)
    )
    agreed = survey().tls
    assert agreed is not None
    spoken = survey(
        greeting=Reply(code=220, lines=(HOSTILE,)),
        evidence=HOSTILE,
        tls=TlsFacts(**(agreed.model_dump() | {"chain": (leaf,), "acceptable_cas": (HOSTILE,)})),
        transcript=(
            Exchange(stage=Stage.EHLO, sent="EHLO x", received=HOSTILE, at_s=0.1, elapsed_s=0.1),
        ),
    )
    domain = DomainFacts(
        domain="muster.example",
        mx=answer("muster.example", "MX", HOSTILE),
        spf=answer("muster.example", "TXT", HOSTILE),
        dmarc=answer("_dmarc.muster.example", "TXT"),
        mta_sts=answer("_mta-sts.muster.example", "TXT"),
        tls_rpt=answer("_smtp._tls.muster.example", "TXT"),
        caa=answer("muster.example", "CAA"),
    )
    sound = facts()
    return facts(
        declared=declared(organisation=HOSTILE),
        dns=sound.dns.model_copy(update={"domains": (domain,)}),
        receiving=(endpoint(connections=(spoken,)),),
        platform_endpoints=(endpoint(connections=(spoken,)),),
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_strings_show_and_do_nothing(language: Language) -> None:
    """Markup, terminal escapes and bidirectional marks from anywhere are text; 10 kB are cut."""
    for chapter in report(hostile_facts(), language).chapters():
        found = tags(chapter.html)
        assert "script" not in found.opened
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", chapter.html)
        assert "A" * 3000 not in chapter.html
    evidence = report(hostile_facts(), language).evidence.html
    assert "&lt;script&gt;alert(1)" in evidence


def test_no_demand_is_told_with_how_far_the_measuring_side_was_let() -> None:
    """Many servers decide at RCPT only: a bare "no" would say more than was seen."""
    sound = endpoint()
    auth = sound.client_auth.model_copy(update={"demanded": no(Reason.SMTP_REPLY, "250 ok")})
    open_door = facts(receiving=(sound.model_copy(update={"client_auth": auth}),))
    row = "demanded: "
    assert str(report(open_door).gateways).partition(row)[2].startswith("no. Without a certificate")
    closed = str(report(facts(receiving=(sound,))).gateways).partition(row)[2][:200]
    assert closed
    assert "Without a certificate" not in closed
    row = "Demands a client certificate"
    assert "no. Without a certificate" in str(report(open_door).details).partition(row)[2][:200]


def test_the_summary_names_what_decides() -> None:
    """A required failure stands in the summary and first among the steps; sound facts have none."""
    silent = facts(platform_endpoints=(unreached(Reason.REFUSED, Stage.CONNECT),))
    bad = report(silent)
    assert bad.audit.verdict is not Verdict.READY
    worst = next(
        f for f in bad.audit.findings if f.outcome is Outcome.FAILED and f.level == "required"
    )
    assert worst.code in str(bad.summary)
    assert str(bad.steps).index(worst.code) < 400
    assert worst.code not in str(report(facts()).summary)


def test_every_finding_is_told_once_in_some_chapter() -> None:
    """No code is lost between the record and the report."""
    made = report(facts())
    whole = "".join(
        c.html for c in made.chapters() if c.key not in ("summary", "steps", "evidence")
    )
    missing = {f.code for f in made.audit.findings if f.code not in whole}
    assert missing == set()


def test_a_chapter_shows_itself_as_html_and_text() -> None:
    """Jupyter gets HTML with its style and a key; a terminal gets text without markup."""
    chapter = report(facts()).summary
    data, metadata = chapter._repr_mimebundle_()
    assert data["text/html"].startswith("<style>")
    assert "<" not in data["text/plain"].replace("<im>", "")
    assert metadata["incamail"]["key"] == "summary"


def test_the_report_says_how_old_its_facts_are() -> None:
    """Days since the oldest fact was verified, and by name what had to be verified again."""
    young = report(facts())
    assert "How old the facts were" in str(young.versions)
    shipped = facts(platform=load_platform())
    late = Report(judge_facts(shipped, NOW + dt.timedelta(days=5000)), "en")
    assert "platform.toml issuers" in str(late.versions)
    assert "platform.toml issuers" not in str(report(shipped).versions)
