"""The chapters of an audit report: objects that display themselves as HTML and as plain text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from incamail_lib.dossier.progress import Direction
from incamail_lib.findings import Audit, Finding, Verdict
from incamail_lib.guide import Sourced
from incamail_lib.guide.freshness import ages
from incamail_lib.i18n import N_, Language, Text, say
from incamail_lib.report.flow import flow
from incamail_lib.report.flow_chart import chart
from incamail_lib.report.language import voice
from incamail_lib.report.order import (
    Sorted,
    chapter_of,
    counts,
    decisive,
    next_steps,
    platform_subjects,
    sort_findings,
)
from incamail_lib.report.pages import render
from incamail_lib.report.plain import plain_text
from incamail_lib.report.style import chapter_style
from incamail_lib.report.timeline import timeline
from incamail_lib.report.words import COMPONENTS, VERDICT_SYMBOLS

TITLES: dict[str, str] = {
    "summary": N_("Summary"),
    "components": N_("Components"),
    "routing": N_("Routing"),
    "dns": N_("DNS"),
    "gateways": N_("The organisation's gateways"),
    "outgoing": N_("The outgoing link to IncaMail"),
    "certificates": N_("Certificates"),
    "identity": N_("Who really answers"),
    "steps": N_("What to do next"),
    "evidence": N_("Evidence and transcript"),
    "versions": N_("Versions"),
}
FLOWS = N_("How messages flow")

_PLATFORM_FACTS: tuple[tuple[str, str], ...] = (
    ("suffix", N_("Domain suffix")),
    ("smart_host", N_("Host for outgoing mail")),
    ("organisations", N_("Organisation in the certificate")),
    ("issuers", N_("Issuer of the certificate")),
    ("names", N_("Names in the certificate")),
    ("message_limit_mb", N_("Largest message, in MB")),
    ("recommended_attachment_mb", N_("Recommended size of attachments, in MB")),
    ("tags", N_("Tags of the add-in")),
    ("contacts", N_("Second-level support")),
)


@dataclass(frozen=True)
class Chapter:
    """One chapter in one language; Jupyter shows the HTML, terminals the text."""

    key: str
    title: str
    html: str

    def __str__(self) -> str:
        return plain_text(self.html)

    def _repr_html_(self) -> str:
        return chapter_style() + self.html

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, Any]]:
        """Static HTML and text; the metadata lets a report build its table of contents."""
        data = {"text/html": self._repr_html_(), "text/plain": str(self)}
        return data, {"incamail": {"key": self.key, "title": self.title}}


class Report:
    """One audit in one language, chapter by chapter; every chapter is made when asked for."""

    def __init__(self, audit: Audit, language: Language) -> None:
        self.audit = audit
        self.language: Language = language

    @cached_property
    def _findings(self) -> dict[str, list[Finding]]:
        ours = platform_subjects(self.audit)
        groups: dict[str, list[Finding]] = {}
        for finding in self.audit.findings:
            groups.setdefault(chapter_of(finding, ours), []).append(finding)
        return groups

    def _sorted(self, key: str) -> Sorted:
        return sort_findings(self._findings.get(key, []))

    def _chapter(self, key: str, **values: Any) -> Chapter:
        title = self.title(key)
        body = render(
            key,
            self.language,
            title=title,
            audit=self.audit,
            facts=self.audit.facts,
            sorted=self._sorted(key),
            **values,
        )
        return Chapter(key, title, fragment(body, key, self.language))

    def title(self, key: str) -> str:
        """The chapter's title in the report's language."""
        return voice(self.language).gettext(TITLES[key])

    @property
    def summary(self) -> Chapter:
        """The verdict in one sentence, what decides it, and counts by subject area."""
        return self._chapter(
            "summary",
            sentence=verdict_sentence(self.audit),
            symbol=VERDICT_SYMBOLS[self.audit.verdict],
            rows=() if self.audit.verdict is Verdict.READY else decisive(self.audit),
            counts=counts(self.audit),
        )

    @property
    def components(self) -> Chapter:
        """The components of guide section 2 as declared."""
        declared = self.audit.facts.declared.components
        tell = voice(self.language)
        rows = [(tell.gettext(COMPONENTS.get(c.key, c.key)), c) for c in declared]
        return self._chapter("components", components=rows)

    @property
    def routing(self) -> Chapter:
        """The rules, and where sample messages go under them."""
        return self._chapter("routing")

    @property
    def dns(self) -> Chapter:
        """Every look-up."""
        return self._chapter("dns")

    @property
    def gateways(self) -> Chapter:
        """The client's receiving gateways."""
        return self._chapter("gateways")

    @property
    def outgoing(self) -> Chapter:
        """The platform's gateways as the client meets them; mutual TLS."""
        return self._chapter("outgoing")

    @property
    def certificates(self) -> Chapter:
        """The client's certificates and their validity over time."""
        chart = timeline(self.audit.facts, self.audit.judged_at)
        return self._chapter("certificates", chart=chart)

    @property
    def identity(self) -> Chapter:
        """Who answers in IncaMail's place (guide 8.4)."""
        return self._chapter("identity")

    @property
    def steps(self) -> Chapter:
        """What to do, heaviest first."""
        return self._chapter("steps", rows=next_steps(self.audit))

    @property
    def evidence(self) -> Chapter:
        """Every connection with its transcript."""
        return self._chapter("evidence")

    @property
    def versions(self) -> Chapter:
        """Software, the platform facts relied on, and how old all facts are."""
        platform = self.audit.facts.platform
        rows = []
        for field, name in _PLATFORM_FACTS:
            fact: Sourced[Any] = getattr(platform, field)
            many = isinstance(fact.value, tuple)
            rows.append((name, ", ".join(fact.value) if many else fact.value, fact))
        judged_on = self.audit.judged_at.date()
        return self._chapter("versions", platform_facts=rows, ages=ages(platform, judged_on))

    @property
    def flows(self) -> Chapter:
        """How messages flow (guide 8.1, 8.2), the failed hop marked; not among `chapters`."""
        title = voice(self.language).gettext(FLOWS)
        ways = [flow(d, self.audit.facts.declared, self.audit) for d in Direction]
        charts = [chart(way, self.language) for way in ways]
        body = render("flow", self.language, title=title, charts=charts)
        return Chapter("flows", title, fragment(body, "flows", self.language))

    def chapters(self) -> tuple[Chapter, ...]:
        """All chapters in the report's order."""
        made: list[Chapter] = [getattr(self, key) for key in TITLES]
        return tuple(made)


def verdict_sentence(audit: Audit) -> Text:
    """The verdict as one sentence."""
    deciding = len(decisive(audit))
    if audit.verdict is Verdict.NOT_READY:
        return say(
            "The connection must not go live yet: required checks failed ({count}).",
            count=deciding,
        )
    if audit.verdict is Verdict.INCONCLUSIVE and deciding:
        return say(
            "Nothing required failed, but required checks could not be judged ({count}); "
            "readiness is not proven.",
            count=deciding,
        )
    if audit.verdict is Verdict.INCONCLUSIVE:
        return say("Nothing was measured that could prove readiness.")
    advice = len(next_steps(audit))
    if advice:
        return say(
            "Every required check passed; the connection can go live. "
            "Recommendations remain ({count}).",
            count=advice,
        )
    return say("Every required and recommended check passed; the connection can go live.")


def fragment(body: str, key: str, language: Language) -> str:
    """A chapter's body in the element that the style sheet and screen readers go by."""
    return f'<section class="im-report im-chapter-{key}" lang="{language}">\n{body}\n</section>'
