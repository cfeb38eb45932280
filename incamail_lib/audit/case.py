"""Bind a dossier to what it is measured against: the real platform, or the embedded lab."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from incamail_lib.audit import Plan, Progress, load_audit, measure, merged_facts, plan, with_age
from incamail_lib.audit.passphrases import Passphrases
from incamail_lib.checks import judge_facts
from incamail_lib.dossier import CertificateFile, Dossier, Gateway, read_dossier
from incamail_lib.dossier.model import Certificates, Gateways, Incoming, Network, Routing
from incamail_lib.dossier.waivers import WAIVERS, read_waivers, waivers_of
from incamail_lib.errors import DossierError, UsageError
from incamail_lib.facts.audit import AuditFacts, DeclaredGateway, Place
from incamail_lib.facts.routing import RuleSet
from incamail_lib.files import private_folder
from incamail_lib.findings import Audit, Waiver
from incamail_lib.guide import Platform
from incamail_lib.i18n import LANGUAGES, Language, say
from incamail_lib.lab import SCENARIOS, Running, Scenario, run
from incamail_lib.lab.mail import MailFlow, Organisation, mail
from incamail_lib.probe import Limits
from incamail_lib.probe.traffic import Visitor
from incamail_lib.reach import Spared
from incamail_lib.report.pages import render
from incamail_lib.sheets.html import fragment
from incamail_lib.sheets.plain import plain_text
from incamail_lib.sheets.style import chapter_style

DEFAULT_SCENARIO = "sound"


@dataclass(frozen=True)
class Case:
    """One dossier, ready to be measured or judged from saved facts."""

    path: Path
    dossier: Dossier
    language: Language
    facts_files: tuple[Path, ...] = ()
    waivers: tuple[Waiver, ...] = ()  # of this organisation
    previous: Path | None = None  # the record of the audit before, to compare with

    @cached_property
    def before(self) -> Audit | None:
        """The audit to compare with, where there is one.

        Errors: MaterialError for a damaged record, UsageError for one of another organisation.
        """
        if self.previous is None:
            return None
        audit = load_audit(self.previous)
        theirs = audit.facts.declared.organisation
        if theirs != self.dossier.organisation:
            raise UsageError(
                say(
                    "{file} is an audit of «{theirs}», but the dossier is about «{ours}». Name the "
                    "last audit of this organisation, or none.",
                    file=str(self.previous),
                    theirs=theirs,
                    ours=self.dossier.organisation,
                )
            )
        return audit

    def told(self) -> str:
        """What this case is bound to, as HTML."""
        return render(
            "case",
            self.language,
            path=str(self.path),
            dossier=self.dossier,
            on_lab=self.dossier.platform == "lab",
            facts_files=[str(file) for file in self.facts_files],
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """The same, shown first in every notebook."""
        framed = fragment(self.told(), "case", self.language)
        return {"text/html": chapter_style() + framed, "text/plain": plain_text(framed)}

    async def facts(self, *, progress: Progress | None = None) -> AuditFacts:
        """The saved facts where files were given, else freshly measured ones."""
        if self.facts_files:
            return self.saved_facts()
        return await measure_dossier(self.dossier, progress=progress)

    def saved_facts(self, now: dt.datetime | None = None) -> AuditFacts:
        """The facts of the files named, which are about this organisation; several are merged,
        and what is old as of `now` (default: today) is told.

        Errors: MaterialError for a damaged file, UsageError for facts of somebody else, or for
        files that do not belong together.
        """
        facts = merged_facts(self.facts_files)
        file = ", ".join(str(path) for path in self.facts_files)
        theirs, ours = facts.declared, self.dossier
        same = set(theirs.domains) == set(ours.domains)
        if theirs.organisation != ours.organisation or not same:
            raise UsageError(
                say(
                    "{file} holds facts about «{theirs}» ({domains}), but the dossier is about "
                    "«{ours}». Name the facts of this organisation, or measure anew.",
                    file=file,
                    theirs=theirs.organisation,
                    domains=", ".join(theirs.domains),
                    ours=ours.organisation,
                )
            )
        return with_age(facts, now or dt.datetime.now(dt.UTC))

    async def audit(self, *, now: dt.datetime | None = None) -> Audit:
        """Facts judged as of `now` (default: when they were complete)."""
        facts = await self.facts()
        return judge_facts(facts, now or facts.complete_at, self.waivers)


def bind(
    dossier: Path | str,
    *,
    language: Language | str = "",
    facts: Path | str | Sequence[Path] | None = None,
    place: Place | None = None,
    previous: Path | str = "",
) -> Case:
    """Read the dossier and settle the language: the one asked for, else the dossier's own.

    `place` is where it is measured, in place of what the dossier says; `previous` the record of
    the audit before.
    Errors: DossierError for a wrong dossier, WaiverError for a wrong file of waivers beside it,
    UsageError for a language that is not known.
    """
    if language and language not in LANGUAGES:
        raise UsageError(
            say(
                "There is no language «{given}»; choose one of {allowed}.",
                given=language[:20],
                allowed=", ".join(LANGUAGES),
            )
        )
    read = read_dossier(Path(dossier))
    if place is not None:
        network = read.network.model_copy(update={"vantage": place})
        read = read.model_copy(update={"network": network})
    chosen: Any = language or read.language
    given = [facts] if isinstance(facts, Path | str) else facts or ()
    known = read_waivers(Path(dossier).parent / WAIVERS, dt.datetime.now(dt.UTC).date())
    return Case(
        Path(dossier),
        read,
        chosen,
        tuple(Path(file) for file in given if file),
        waivers_of(read.organisation, known),
        Path(previous) if previous else None,
    )


@dataclass(frozen=True)
class Among:
    """The run that a measurement is part of."""

    visitor: Visitor | None = None
    spared: Spared = field(default_factory=Spared)


async def measure_dossier(
    dossier: Dossier,
    *,
    now: dt.datetime | None = None,
    progress: Progress | None = None,
    passphrases: Passphrases | None = None,
    latency_s: float = 0.0,
    among: Among | None = None,
) -> AuditFacts:
    """Measure what the dossier names; the lab is started for it and stopped again.

    `among` says what else a run has to do with, and whom it spares. A lab is nobody's but its own.
    """
    limits = limits_of(dossier)
    if dossier.platform != "lab":
        among = among or Among()
        made = plan(dossier, passphrases=passphrases, limits=limits, spared=among.spared)
        return await measure(made, now=now, progress=progress, visitor=among.visitor)
    scenario = scenario_of(dossier)
    with private_folder("incamail-lab-") as folder:
        async with run(
            scenario, domains=dossier.domains, directory=folder, latency_s=latency_s
        ) as running:
            made = plan_on_lab(dossier, running, passphrases=passphrases, limits=limits)
            return await measure(made, now=now, progress=progress)


def scenario_of(dossier: Dossier) -> Scenario:
    """The scenario of a dossier on the lab. Errors: DossierError for one that is not known."""
    scenario = SCENARIOS.get(dossier.scenario or DEFAULT_SCENARIO)
    if scenario is None:
        raise DossierError(
            say(
                "The lab has no scenario «{name}». «incamail lab --list» shows them all.",
                name=dossier.scenario,
            )
        )
    return scenario


def rules_of(dossier: Dossier, platform: Platform) -> RuleSet:
    """The organisation's routing rules; on the lab with what the scenario settles, as the audit
    takes them. Errors: DossierError for a scenario that is not known."""
    if dossier.platform == "lab":
        labs = _routing(scenario_of(dossier).rules)
        dossier = dossier.model_copy(update={"routing": _routing_on_lab(dossier, labs)})
    return dossier.declared(platform).rules


@asynccontextmanager
async def mail_on_lab(dossier: Dossier) -> AsyncIterator[MailFlow]:
    """The lab's mail servers for a dossier on the lab, the organisation's own among them.

    Errors: DossierError for a scenario that is not known.
    """
    scenario = scenario_of(dossier)
    with private_folder("incamail-lab-") as folder:
        async with run(scenario, domains=dossier.domains, directory=folder) as running:
            bound = on_lab(dossier, running)
            declared = bound.declared(running.platform)
            shown = bound.certificates.sending
            organisation = Organisation(
                rules=declared.rules,
                domains=dossier.domains,
                incoming=declared.incoming,
                certificate=shown.file if shown else None,
                key=shown.key if shown else None,
                passphrase=os.environ.get((shown and shown.passphrase_env) or "", ""),
            )
            async with mail(running, organisation) as flow:
                yield flow


def limits_of(dossier: Dossier) -> Limits:
    """The probe's time limits, none longer than the dossier allows for one answer."""
    return Limits.within(dossier.network.timeout_s)


def plan_on_lab(
    dossier: Dossier,
    running: Running,
    *,
    passphrases: Passphrases | None = None,
    limits: Limits | None = None,
) -> Plan:
    """The plan for a running lab: what the dossier leaves open comes from the scenario."""
    return plan(
        on_lab(dossier, running),
        platform=running.platform,
        passphrases=passphrases,
        limits=limits,
        reach=running.reach,
    )


def on_lab(dossier: Dossier, running: Running) -> Dossier:
    """The dossier with addresses, ports and certificates of the running lab filled in."""
    from_lab: dict[str, Any] = {
        "gateways": Gateways(
            receiving=_gateways(running.receiving), sending=_gateways(running.sending)
        ),
        "incoming": Incoming(route=running.incoming.kind, value=running.incoming.value),
        "routing": _routing(running.rules),
        "certificates": Certificates(
            sending=_file(running.certificate, running.key),
            receiving=_file(running.receiving_certificate, None),
        ),
        "go_live": running.go_live,
        "trust_stores": (str(running.trust_store),),
    }
    open_fields = {k: v for k, v in from_lab.items() if k not in dossier.model_fields_set}
    open_fields["routing"] = _routing_on_lab(dossier, from_lab["routing"])
    host, port = running.nameserver
    network = dossier.network.model_dump() | {
        "nameservers": (f"{host}:{port}",),
        "ports": running.ports,
    }
    return dossier.model_copy(update={**open_fields, "network": Network(**network)})


def _routing(rules: RuleSet) -> Routing:
    """Rules as they stand in a dossier."""
    return Routing(
        method=rules.method,
        next_hop=rules.next_hop.kind,
        value=rules.next_hop.value,
        subject_pattern=rules.subject_pattern,
        subject_view=rules.subject_view,
        engine=rules.engine,
        suffix_key=rules.suffix_key,
        default_relay="none" if rules.default_relay == "" else rules.default_relay,
        refuses_tag_without_suffix=rules.refuses_tag_without_suffix,
    )


def _routing_on_lab(dossier: Dossier, labs: Routing) -> Routing:
    """The dossier's own rule where it has one, else the scenario's."""
    if "routing" not in dossier.model_fields_set:
        return labs
    return _on_the_labs_server(dossier.routing, labs)


def _on_the_labs_server(declared: Routing, labs: Routing) -> Routing:
    """A rule of the dossier's own, as the lab's mail server runs it where no other is named."""
    server = {"engine", "suffix_key", "default_relay"}
    if declared.method is not labs.method or server & declared.model_fields_set:
        return declared
    return declared.model_copy(update={name: getattr(labs, name) for name in server})


def _gateways(declared: tuple[DeclaredGateway, ...]) -> tuple[Gateway, ...]:
    return tuple(Gateway(**gateway.model_dump()) for gateway in declared)


def _file(certificate: Path | None, key: Path | None) -> CertificateFile | None:
    return CertificateFile(file=certificate, key=key) if certificate else None
