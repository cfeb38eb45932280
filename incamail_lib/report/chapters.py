"""The chapters of an audit report: values that display themselves as HTML and as plain text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from incamail_lib.changes import Change, compare
from incamail_lib.dossier import Dossier
from incamail_lib.dossier.agreed import Direction
from incamail_lib.findings import Audit, Finding
from incamail_lib.i18n import N_, Language, Text, say
from incamail_lib.report import annex, connections, first_page, subjects
from incamail_lib.report.flow import flow
from incamail_lib.report.flow_chart import picture
from incamail_lib.report.order import chapter_of
from incamail_lib.report.telling import Told, words
from incamail_lib.sheets.html import fragment, render_head, render_section
from incamail_lib.sheets.language import formatter
from incamail_lib.sheets.model import Block, Document, Heading, Section
from incamail_lib.sheets.plain import plain_text
from incamail_lib.sheets.style import chapter_style
from incamail_lib.sheets.telling import told, told_title

TITLES: dict[str, str] = {
    "summary": N_("Summary"),
    "steps": N_("Open points"),
    "routing": N_("Routing"),
    "dns": N_("DNS"),
    "gateways": N_("The organisation's gateways"),
    "outgoing": N_("The outgoing link to IncaMail"),
    "certificates": N_("Certificates"),
    "identity": N_("Who really answers"),
    "components": N_("Components"),
    "samples": N_("Sample messages"),
    "checks": N_("Every check"),
    "records": N_("DNS records"),
    "details": N_("Gateways and certificates in full"),
    "evidence": N_("Evidence and transcript"),
    "versions": N_("Versions"),
}
"""Every chapter in the report's order; the annex begins with the components."""
_NEW_PAGES = frozenset({"steps", "components"})
_SUBJECTS: dict[str, Callable[[Told, list[Finding]], tuple[Block, ...]]] = {
    "routing": subjects.routing,
    "dns": subjects.dns,
    "gateways": subjects.gateways,
    "outgoing": subjects.outgoing,
    "certificates": subjects.certificates,
    "identity": subjects.identity,
}
_ANNEX: dict[str, Callable[[Told], tuple[Block, ...]]] = {
    "components": annex.components,
    "samples": annex.samples,
    "checks": annex.checks,
    "records": annex.records,
    "details": connections.details,
    "evidence": connections.evidence,
    "versions": annex.versions,
}
FLOWS = N_("How messages flow")


@dataclass(frozen=True)
class Chapter:
    """One chapter in one language; Jupyter shows the HTML, terminals the text.

    `head` is what stands above the first one: what the report is about.
    """

    section: Section
    language: Language
    head: Document | None = None

    @property
    def key(self) -> str:
        """Its name in addresses."""
        return self.section.key

    @property
    def title(self) -> str:
        """Its heading."""
        return told(told_title(self.section), self.language)

    @cached_property
    def html(self) -> str:
        """The chapter as it stands on a page."""
        head = render_head(self.head, self.language) + "\n" if self.head else ""
        body = head + render_section(self.section, self.language)
        return fragment(body, self.key, self.language)

    def __str__(self) -> str:
        return plain_text(self.html)

    def _repr_html_(self) -> str:
        return chapter_style() + self.html

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, Any]]:
        """Static HTML and text; the metadata lets a report build its table of contents."""
        data = {"text/html": self._repr_html_(), "text/plain": str(self)}
        return data, {"incamail": {"key": self.key, "title": self.title}}


class Report:
    """One audit in one language, chapter by chapter; every chapter is made when asked for.

    The dossier gives people and dates; `before` is the audit to compare with.
    """

    def __init__(
        self,
        audit: Audit,
        language: Language,
        *,
        dossier: Dossier | None = None,
        before: Audit | None = None,
    ) -> None:
        self.audit = audit
        self.language: Language = language
        self._told = Told(audit, dossier)
        self._before = before

    @cached_property
    def _findings(self) -> dict[str, list[Finding]]:
        groups: dict[str, list[Finding]] = {}
        for finding in self.audit.findings:
            groups.setdefault(chapter_of(finding), []).append(finding)
        return groups

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """What changed since the audit before; nothing where there is none."""
        return compare(self._before, self.audit) if self._before else ()

    def title(self, key: str) -> str:
        """The name of a chapter in the report's language."""
        return formatter(self.language).gettext(TITLES[key])

    def _section(self, key: str) -> Section:
        return Section(
            Text(template=TITLES[key]),
            self._blocks(key),
            key,
            new_page=key in _NEW_PAGES,
            annex=key in _ANNEX,
            whole=key in _SUBJECTS,
        )

    def _blocks(self, key: str) -> tuple[Block, ...]:
        if key == "summary":
            return first_page.summary(self._told, self._before, self.changes)
        if key == "steps":
            return first_page.steps(self._told)
        if key in _ANNEX:
            return _ANNEX[key](self._told)
        return _SUBJECTS[key](self._told, self._findings.get(key, []))

    def _chapter(self, key: str) -> Chapter:
        head = self._document(()) if key == "summary" else None
        return Chapter(self._section(key), self.language, head)

    @property
    def summary(self) -> Chapter:
        """The verdict, what decides it, what is next, and what changed."""
        return self._chapter("summary")

    @property
    def steps(self) -> Chapter:
        """What to do, heaviest first, with who does it and until when."""
        return self._chapter("steps")

    @property
    def routing(self) -> Chapter:
        """The rules."""
        return self._chapter("routing")

    @property
    def dns(self) -> Chapter:
        """Every domain."""
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
        return self._chapter("certificates")

    @property
    def identity(self) -> Chapter:
        """Who answers in IncaMail's place (guide 8.4)."""
        return self._chapter("identity")

    @property
    def components(self) -> Chapter:
        """The components of guide section 2 as declared."""
        return self._chapter("components")

    @property
    def samples(self) -> Chapter:
        """Where sample messages go under the rules."""
        return self._chapter("samples")

    @property
    def checks(self) -> Chapter:
        """Every check with what was seen."""
        return self._chapter("checks")

    @property
    def records(self) -> Chapter:
        """Every look-up."""
        return self._chapter("records")

    @property
    def details(self) -> Chapter:
        """Gateways and certificates in full."""
        return self._chapter("details")

    @property
    def evidence(self) -> Chapter:
        """Every connection with its transcript."""
        return self._chapter("evidence")

    @property
    def versions(self) -> Chapter:
        """Software, the platform facts relied on, and how old all facts are."""
        return self._chapter("versions")

    @property
    def flows(self) -> Chapter:
        """How messages flow (guide 8.1, 8.2), the failed hop marked; not among `chapters`."""
        ways = [flow(d, self.audit.facts.declared, self.audit) for d in Direction]
        blocks = tuple(
            block for way in ways for block in (Heading(Text(template=way.title)), picture(way))
        )
        return Chapter(Section(Text(template=FLOWS), blocks, "flows"), self.language)

    def chapters(self) -> tuple[Chapter, ...]:
        """All chapters in the report's order."""
        return tuple(self._chapter(key) for key in TITLES)

    def document(self) -> Document:
        """The whole report, for paper."""
        return self._document(tuple(self._section(key) for key in TITLES))

    def _document(self, sections: tuple[Section, ...]) -> Document:
        facts = self.audit.facts
        return Document(
            key="report",
            title=words(facts.declared.organisation, 120),
            subtitle=say(
                "Audit of the mail gateway connection to {platform}", platform=facts.platform.name
            ),
            sections=sections,
            organisation=facts.declared.organisation,
            made_on=self.audit.judged_at.date(),
            remarks=_remarks(self.audit),
        )


def _remarks(audit: Audit) -> tuple[Text, ...]:
    if not audit.facts.vantage.on_lab:
        return ()
    return (
        say(
            "This audit ran on the embedded lab (scenario «{scenario}»), which also supplied what "
            "the dossier leaves open, such as gateways and go-live date. It says nothing about "
            "real systems.",
            scenario=audit.facts.vantage.scenario or "–",
        ),
    )
