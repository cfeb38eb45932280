"""Lesson 9, reading an audit report: what the library is asked. The texts: report.toml."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from incamail_lib.checks import judge_facts
from incamail_lib.course.bench import Bench, NotMeasured
from incamail_lib.course.certain import failing
from incamail_lib.course.changes import certificate, no_change
from incamail_lib.course.reading import Asked, read
from incamail_lib.course.report_pages import first_page, judged, open_points
from incamail_lib.dossier.waivers import WAIVERS, WaiverError, read_waivers, waivers_text
from incamail_lib.files import private_folder
from incamail_lib.findings import Finding, Person, Verdict, Waiver
from incamail_lib.i18n import Text, say
from incamail_lib.lab import SCENARIOS, Scenario
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.scenario import Arrangement, DnsPlan, Names, as_is, showing
from incamail_lib.lab.scenarios.directory import bare, spf_of_others, tlsa_outdated
from incamail_lib.report.first_page import verdict_sentence
from incamail_lib.report.order import by_weight, decisive
from incamail_lib.report.words import WHO_ACTS, family, word
from incamail_lib.sheets.model import Block

_CLIENT = replace(SCENARIOS["greylisting"], sending_certificate=Variant.EXPIRED, dns=bare)
_MENDED = replace(_CLIENT, sending_certificate=Variant.BOTH)


def _decides(bench: Bench, code: str) -> bool:
    failing(bench, _CLIENT, "CERT25", "TLS12")
    return code in {row.finding.code for row in decisive(bench.audit(_CLIENT))}


def _verdict_says(bench: Bench) -> tuple[Text, ...]:
    return (verdict_sentence(bench.audit(_CLIENT)),)


def _after(bench: Bench, claim: tuple[Verdict, str]) -> bool:
    """Whether the mended client has this verdict, and that check is what decides it."""
    audit = bench.audit(_MENDED)
    codes = {row.finding.code for row in decisive(audit)}
    if audit.verdict is Verdict.INCONCLUSIVE and "SMTP01" not in codes:
        raise NotMeasured
    return claim[0] is audit.verdict and claim[1] in codes


def _after_says(bench: Bench) -> tuple[Text, ...]:
    audit = bench.audit(_MENDED)
    return (word(audit.verdict), verdict_sentence(audit))


_POINTS = {
    "certificate": "CERT25",
    "greylisting": "SMTP01",
    "dmarc": "DNS12",
    "inside": "NET10",
    "reports": "DNS14",
}


def _by_weight(bench: Bench) -> tuple[str, ...]:
    findings = sorted(bench.audit(_CLIENT).findings, key=by_weight)
    codes = [finding.code for finding in findings]
    return tuple(sorted(_POINTS, key=lambda key: codes.index(_POINTS[key])))


def _two_records(plan: DnsPlan, names: Names) -> DnsPlan:
    return tlsa_outdated(spf_of_others(plan, names), names)


_CLINIC = replace(
    SCENARIOS["plain_domain_rule"],
    gateways=(showing(Variant.WRONG_NAME, Arrangement.LEAF_ONLY),),
    dns=_two_records,
)


def _for_the_zone(bench: Bench, code: str) -> bool:
    found = failing(bench, _CLINIC, code)[code]
    return WHO_ACTS[family(found.code)] == WHO_ACTS["DNS"]


def _who_acts(bench: Bench) -> tuple[Text, ...]:
    return tuple(_addressed(f) for f in sorted(bench.failing(_CLINIC).values(), key=by_weight))


def _addressed(finding: Finding) -> Text:
    who = Text(template=WHO_ACTS[family(finding.code)])
    return say("{code} {title} – {who}", code=finding.code, title=_title(finding), who=who)


def _title(finding: Finding) -> Text:
    return Text(template=finding.title)


_SOON = SCENARIOS["renewal_due"]


def _page_with_dates(bench: Bench) -> tuple[Block, ...]:
    listed = judged(_SOON, "CERT07", "CERT08", "CERT09")
    return (*first_page(_SOON)(bench), *listed(bench))


def _what_ends_it(bench: Bench) -> str:
    known = bench.audit(_SOON).until
    if not known:
        raise NotMeasured
    return known[0].code


_ACCEPTED = SCENARIOS["mutual_not_asked"]
_ANNA = Person(name="Anna Muster", email="anna.muster@muster.example")
_BEAT = Person(name="Beat Beispiel", email="beat.beispiel@muster.example")
_REASON = "The gateway learns to ask for a certificate with the maker's release of next spring."


@dataclass(frozen=True)
class _Asking:
    """A waiver as somebody would like to have it."""

    check: str = "TLS05"
    approved_by: Person = _BEAT
    days: int = 90


def _is_accepted(bench: Bench, asked: _Asking) -> bool:
    """Whether an audit with this waiver beside it tells the client as accepted for a time."""
    failing(bench, _ACCEPTED, "TLS05")
    today = bench.now.date()
    waiver = Waiver(
        organisation="Muster AG",
        check=asked.check,
        reason=_REASON,
        requested_by=_ANNA,
        approved_by=asked.approved_by,
        approved_on=today,
        expires=today + dt.timedelta(days=asked.days),
    )
    known = _read((waiver,), today)
    audit = judge_facts(bench.audit(_ACCEPTED).facts, bench.now, known)
    return audit.accepted_until is not None


def _read(waivers: Sequence[Waiver], today: dt.date) -> tuple[Waiver, ...]:
    """The waivers as the file with them is read; none where it is refused."""
    with private_folder("incamail-course-") as folder:
        file = folder / WAIVERS
        file.write_bytes(waivers_text(waivers))
        try:
            return read_waivers(file, today)
        except WaiverError:
            return ()


_KEY = SCENARIOS["key_mismatch"]
_POST = SCENARIOS["platform_expired"]


def _renewed_at_post(scenario: Scenario) -> Scenario:
    """IncaMail's gateways show certificates that are valid again."""
    return replace(scenario, platform=as_is)


REPORT = read(
    "report",
    {
        "decides": Asked(
            holds=_decides,
            pages=first_page(_CLIENT),
            proof=_verdict_says,
            values={
                "certificate": "CERT25",
                "refused": "TLS12",
                "greylisting": "SMTP01",
                "dmarc": "DNS12",
                "reports": "DNS14",
            },
        ),
        "after": Asked(
            holds=_after,
            pages=open_points(_CLIENT),
            proof=_after_says,
            values={
                "open": (Verdict.INCONCLUSIVE, "SMTP01"),
                "ready": (Verdict.READY, ""),
                "dmarc": (Verdict.NOT_READY, "DNS12"),
                "inside": (Verdict.INCONCLUSIVE, "NET10"),
            },
        ),
        "order": Asked(order=_by_weight),
        "whom": Asked(
            holds=_for_the_zone,
            proof=_who_acts,
            values={
                "tlsa": "DNS15",
                "spf": "DNS20",
                "name": "CERT06",
                "chain": "CERT03",
                "rule": "ROUT03",
            },
        ),
        "until": Asked(truth=_what_ends_it, pages=_page_with_dates),
        "waiver": Asked(
            holds=_is_accepted,
            values={
                "two": _Asking(),
                "alone": _Asking(approved_by=_ANNA),
                "long": _Asking(days=730),
                "all": _Asking(check="TLS"),
            },
        ),
        "key": Asked(
            pages=first_page(_KEY),
            values={
                "pair": certificate(Variant.BOTH),
                "register": no_change(),
                "new": certificate(Variant.KEY_MISMATCH),
                "again": no_change(),
            },
        ),
        "post": Asked(
            pages=first_page(_POST),
            values={
                "post": _renewed_at_post,
                "ours": certificate(Variant.RSA),
                "waive": no_change(),
                "blind": no_change(),
            },
        ),
    },
)
