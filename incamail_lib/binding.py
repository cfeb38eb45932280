"""Bind a dossier to what it is measured against: the real platform, or the embedded lab."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from incamail_lib.audit import Plan, Progress, measure, merged_facts, plan, with_age
from incamail_lib.audit.planning import Passphrases
from incamail_lib.checks import judge_facts
from incamail_lib.dossier import CertificateFile, Dossier, Gateway, read_dossier
from incamail_lib.dossier.model import Certificates, Gateways, Incoming, Network, Routing
from incamail_lib.errors import DossierError, UsageError
from incamail_lib.facts.audit import AuditFacts, DeclaredGateway, Place
from incamail_lib.findings import Audit
from incamail_lib.i18n import LANGUAGES, Language, say
from incamail_lib.lab import SCENARIOS, Running, run
from incamail_lib.probe import Limits
from incamail_lib.report.chapters import fragment
from incamail_lib.report.pages import render
from incamail_lib.report.plain import plain_text
from incamail_lib.report.style import chapter_style

DEFAULT_SCENARIO = "sound"


@dataclass(frozen=True)
class Case:
    """One dossier, ready to be measured or judged from saved facts."""

    path: Path
    dossier: Dossier
    language: Language
    facts_files: tuple[Path, ...] = ()

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """What this case is bound to: shown first in every notebook."""
        html = render(
            "binding",
            self.language,
            path=str(self.path),
            dossier=self.dossier,
            on_lab=self.dossier.platform == "lab",
            facts_files=[str(file) for file in self.facts_files],
        )
        framed = fragment(html, "binding", self.language)
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
        return judge_facts(facts, now or facts.complete_at)


def bind(
    dossier: Path | str,
    *,
    language: Language | str = "",
    facts: Path | str | Sequence[Path] | None = None,
    place: Place | None = None,
) -> Case:
    """Read the dossier and settle the language: the one asked for, else the dossier's own.

    `place` is where it is measured, in place of what the dossier says.
    Errors: DossierError for a wrong dossier, UsageError for a language that is not known.
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
    return Case(Path(dossier), read, chosen, tuple(Path(file) for file in given if file))


async def measure_dossier(
    dossier: Dossier,
    *,
    now: dt.datetime | None = None,
    progress: Progress | None = None,
    passphrases: Passphrases | None = None,
    latency_s: float = 0.0,
) -> AuditFacts:
    """Measure what the dossier names; the lab is started for it and stopped again."""
    limits = limits_of(dossier)
    if dossier.platform != "lab":
        made = plan(dossier, passphrases=passphrases, limits=limits)
        return await measure(made, now=now, progress=progress)
    scenario = SCENARIOS.get(dossier.scenario or DEFAULT_SCENARIO)
    if scenario is None:
        raise DossierError(
            say(
                "The lab has no scenario «{name}». «incamail lab --list» shows them all.",
                name=dossier.scenario,
            )
        )
    with tempfile.TemporaryDirectory(prefix="incamail-lab-") as folder:
        async with run(
            scenario, domains=dossier.domains, directory=Path(folder), latency_s=latency_s
        ) as running:
            made = plan_on_lab(dossier, running, passphrases=passphrases, limits=limits)
            return await measure(made, now=now, progress=progress)


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
        "routing": Routing(
            method=running.rules.method,
            next_hop=running.rules.next_hop.kind,
            value=running.rules.next_hop.value,
            subject_pattern=running.rules.subject_pattern,
            subject_view=running.rules.subject_view,
            engine=running.rules.engine,
            suffix_key=running.rules.suffix_key,
            default_relay="none"
            if running.rules.default_relay == ""
            else running.rules.default_relay,
            refuses_tag_without_suffix=running.rules.refuses_tag_without_suffix,
        ),
        "certificates": Certificates(
            sending=_file(running.certificate, running.key),
            receiving=_file(running.receiving_certificate, None),
        ),
        "go_live": running.go_live,
        "trust_stores": (str(running.trust_store),),
    }
    open_fields = {k: v for k, v in from_lab.items() if k not in dossier.model_fields_set}
    open_fields.setdefault("routing", _on_the_labs_server(dossier.routing, from_lab["routing"]))
    host, port = running.nameserver
    network = dossier.network.model_dump() | {
        "nameservers": (f"{host}:{port}",),
        "ports": running.ports,
    }
    return dossier.model_copy(update={**open_fields, "network": Network(**network)})


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
