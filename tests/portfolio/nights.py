"""Two nights of a provider: made from literal facts, each organisation with a fate of its own."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factories import GATEWAY, NOW, certificate, client_file, endpoint, ready, survey, unreached

from incamail_lib.audit import save_record
from incamail_lib.checks import judge_facts
from incamail_lib.dossier.waivers import WAIVERS, read_waivers, waivers_of
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import EndpointFacts, Stage
from incamail_lib.findings import Verdict
from incamail_lib.history import record
from incamail_lib.history.digest import Judged, judged_of
from incamail_lib.i18n import Text, say

DAY = dt.timedelta(days=1)
LETS_IN = ready().receiving[0].client_auth
WAIVER = """waivers:
  - organisation: Gemeinde Musterlingen
    check: TLS06
    reason: The archive's scanner is replaced in March, see ticket 4711.
    requested_by: {name: Anna Muster, email: anna.muster@muster.example}
    approved_by: {name: Beat Beispiel, email: beat@provider.example}
    approved_on: 2026-11-20
    expires: 2027-03-31
"""


@dataclass(frozen=True)
class Outcome:
    """What a batch tells of one dossier."""

    dossier: Path
    organisation: str
    exit_code: int
    verdict: Verdict | None = None
    folder: Path | None = None
    judged: Judged | None = None
    problem: Text | None = None


def showing(leaf: CertificateFacts, **changes: Any) -> EndpointFacts:
    seen = survey()
    assert seen.tls is not None
    shown = seen.model_copy(update={"tls": seen.tls.model_copy(update={"chain": (leaf,)})})
    return endpoint(GATEWAY, connections=(shown,), client_auth=LETS_IN, **changes)


def ending(number: int, days: int, **changes: Any) -> CertificateFacts:
    """A certificate of its own that ends in some days."""
    return certificate(
        sha256=f"{number:064x}",
        subject="CN=mx1.muster.example",
        san_dns=("mx1.muster.example",),
        not_after=NOW + days * DAY,
        **changes,
    )


def sending(number: int, days: int) -> Any:
    file = client_file()
    leaf = file.chain[0].model_copy(
        update={"sha256": f"{number + 1000:064x}", "not_after": NOW + days * DAY}
    )
    return client_file(chain=(leaf, file.chain[1]))


def with_ends(number: int, days: int, **changes: Any) -> AuditFacts:
    told: dict[str, Any] = {
        "receiving": (showing(ending(number, days)),),
        "credentials": (sending(number, days + 20),),
    }
    return ready(**(told | changes))


DEMANDING = {"receiving": (endpoint(GATEWAY),)}
SILENT = {"receiving": (unreached(Reason.TIMEOUT, Stage.CONNECT, GATEWAY),)}
FATES: dict[str, tuple[AuditFacts | None, AuditFacts | None]] = {
    "Étude Favre & Cie": (with_ends(1, 25), with_ends(101, 160)),
    "Gemeinde Musterlingen": (with_ends(2, 80, **DEMANDING), with_ends(2, 80, **DEMANDING)),
    "Kantonsspital Beispiel": (with_ends(3, 50), with_ends(3, 50, **DEMANDING)),
    "Studio legale Rossi": (with_ends(4, 140, **DEMANDING), with_ends(4, 140)),
    "Notariat Zürichberg": (with_ends(5, 12), with_ends(5, 12)),
    "Treuhand Meier AG": (with_ends(6, 100), with_ends(6, 100, **SILENT)),
    "Arztpraxis am See": (with_ends(7, 70), None),
    "Spitex Oberland": (None, with_ends(8, 90)),
    "Weggezogen GmbH": (with_ends(9, 60), ready()),
    '=HYPERLINK("http://evil.example")': (ready(), ready()),
    "<script>alert(1)</script>": (ready(), ready(**DEMANDING)),
}


def outcome(folder: Path, number: int, told: AuditFacts | None, now: dt.datetime) -> Outcome:
    name = list(FATES)[number]
    dossier = folder / f"dossier{number}.yaml"
    dossier.write_text(
        f"organisation: {name!r}\ndomains: [muster.example]\n"
        'answers: {"4.1": {state: clear, answer: "yes"}}\n',
        encoding="utf-8",
    )
    if told is None:
        return Outcome(dossier, name, 2, problem=say("The dossier is damaged."))
    named = told.declared.model_copy(update={"organisation": name})
    known = waivers_of(name, read_waivers(folder / WAIVERS, now.date()))
    audit = judge_facts(told.model_copy(update={"declared": named}), now, known)
    place = folder / f"organisation-{number}" / f"{now:%Y%m%dT%H%M%S}"
    saved = save_record(audit, place / "audit.json")
    (place / "report.html").write_text("<!DOCTYPE html>", encoding="utf-8")
    judged = judged_of(audit, saved.read_bytes())
    return Outcome(dossier, name, audit.exit_code, audit.verdict, place, judged)


def two_nights(folder: Path) -> Path:
    """The file of runs."""
    (folder / WAIVERS).write_text(WAIVER, encoding="utf-8")
    file = folder / "history.sqlite"
    for night, now in enumerate((NOW, NOW + DAY)):
        every = (
            outcome(folder, number, fates[night], now)
            for number, fates in enumerate(FATES.values())
        )
        record(file, every, started=now)
    return file
