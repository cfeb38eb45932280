"""Lesson 10, a whole onboarding: what the library is asked. The texts: onboarding.toml."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache

from incamail_lib.course.bench import DOMAIN, Bench
from incamail_lib.course.changes import gateway, rules
from incamail_lib.course.reading import Asked, read
from incamail_lib.documents.timing import counted_day
from incamail_lib.dossier import Dossier
from incamail_lib.dossier.agreed import (
    AcceptanceTest,
    Attempt,
    Audience,
    Direction,
    MessageKind,
    Seen,
    TestResult,
)
from incamail_lib.dossier.contradicting import contradictions
from incamail_lib.facts.delivery import DeliveryOutcome
from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet
from incamail_lib.findings import Verdict
from incamail_lib.guide import contents
from incamail_lib.i18n import Text, say
from incamail_lib.lab import SCENARIOS
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.scenario import DOMAIN_RULE, as_is, showing

_GO_LIVE = dt.date(2027, 2, 26)
# What a client sent back. The answers are such as stand alike in every language.
_PLANTED = Dossier.model_validate(
    {
        "organisation": "Muster AG",
        "domains": [DOMAIN],
        "go_live": _GO_LIVE,
        "gateways": {
            "receiving": [{"host": f"mx1.{DOMAIN}", "addresses": ["192.0.2.10", "192.0.2.11"]}]
        },
        "routing": {"method": "domain"},
        "monitoring": dict.fromkeys(("failures", "queues", "certificates"), "Zabbix"),
        "answers": {
            "6.1": {"answer": f"mx9.{DOMAIN}"},
            "6.3": {"answer": "Content routing"},
            "6.4": {"answer": f"mx1.{DOMAIN} 192.0.2.10"},
            "6.7": {"answer": "Zabbix"},
            "7.3": {"answer": "2027-03-15"},
        },
    }
)


def _contradicts(_: Bench, number: str) -> bool:
    return number in {found.number for found in contradictions(_PLANTED)}


def _contradictions_told(_: Bench) -> tuple[Text, ...]:
    return tuple(found.text for found in contradictions(_PLANTED))


def _corrected(settings: Mapping[str, object] | None = None, **answers: str) -> Dossier:
    """The planted dossier with other answers, by number with «_», and other settings."""
    made = _PLANTED.model_dump(mode="json") | dict(settings or {})
    for number, text in answers.items():
        made["answers"][number.strip("_").replace("_", ".")] = {"answer": text}
    made["answers"] = {key: one for key, one in made["answers"].items() if one["answer"]}
    return Dossier.model_validate(made)


_HOST = f"mx9.{DOMAIN}"
_AS_ANSWERED = {
    "go_live": "2027-03-15",
    "gateways": {"receiving": [{"host": _HOST, "addresses": ["192.0.2.10"]}]},
    "routing": {"method": "subject"},
}


def _is_true_and_whole(_: Bench, dossier: Dossier) -> bool:
    """Nothing contradicts, nothing that was answered is gone, and it says what was agreed."""
    agreed = (_PLANTED.go_live, _PLANTED.gateways, _PLANTED.routing)
    return (
        not contradictions(dossier)
        and set(dossier.answers) == set(_PLANTED.answers)
        and (dossier.go_live, dossier.gateways, dossier.routing) == agreed
    )


def _days() -> dict[str, int]:
    return {measure.key: measure.days for measure in contents().measures}


_PLANNED = (
    *("architecture", "order_certificate", "install_certificate"),
    *("fill_in", "tell_employees", "link_test"),
)


def _in_time(_: Bench) -> tuple[str, ...]:
    return tuple(sorted(_PLANNED, key=lambda key: counted_day(_GO_LIVE, _days()[key])))


def _plan_told(bench: Bench) -> tuple[Text, ...]:
    titles = {measure.key: Text(template=measure.title) for measure in contents().measures}
    days = {key: counted_day(_GO_LIVE, _days()[key]) for key in _in_time(bench)}
    return tuple(say("{day}: {what}", day=day, what=titles[key]) for key, day in days.items())


def _ordered_until(_: Bench) -> str:
    return counted_day(_GO_LIVE, _days()["order_certificate"]).isoformat()


_MONDAY = dt.datetime(2027, 2, 15, 9, 0, tzinfo=dt.UTC)
_TEST = AcceptanceTest.of((Direction.OUTGOING, MessageKind.CONFIDENTIAL, Audience.EXTERNAL))


def _sent(test: AcceptanceTest, reply: str, hour: int, seen: bool | None = None) -> AcceptanceTest:
    """The test after one more message, the reply to it, and what was seen of it."""
    at, name = _MONDAY + dt.timedelta(hours=hour), f"<{hour}@{DOMAIN}>"
    taken = DeliveryOutcome.ACCEPTED if reply.startswith("2") else DeliveryOutcome.REFUSED
    tried = test.after(Attempt(at=at, outcome=taken, message_id=name, reply=reply))
    return tried if seen is None else tried.seen(name, Seen(arrived=seen, at=at, by="Anna Muster"))


def _passed(_: Bench, test: AcceptanceTest) -> bool:
    return test.result is TestResult.PASSED


@cache  # what stays unknown on purpose would be measured anew for each option
def _evening_before(bench: Bench) -> Verdict:
    return bench.audit(SCENARIOS["greylisting"]).verdict


def _to(kind: NextHopKind, value: str = "") -> RuleSet:
    return DOMAIN_RULE.model_copy(update={"next_hop": NextHop(kind=kind, value=value)})


ONBOARDING = read(
    "onboarding",
    {
        "contradicted": Asked(
            holds=_contradicts,
            proof=_contradictions_told,
            values={number: number for number in ("6.1", "6.3", "6.4", "6.7", "7.3")},
        ),
        "corrected": Asked(
            holds=_is_true_and_whole,
            values={
                "answers": _corrected(
                    _6_1=f"mx1.{DOMAIN}", _6_3="Domain routing", _7_3="2027-02-26"
                ),
                "settings": _corrected(_AS_ANSWERED, _6_4=f"{_HOST} 192.0.2.10"),
                "emptied": _corrected(_6_1="", _6_3="", _7_3=""),
                "date": _corrected(_7_3="2027-02-26"),
            },
        ),
        "plan": Asked(order=_in_time, proof=_plan_told),
        "deadline": Asked(truth=_ordered_until),
        "prepare": Asked(
            values={
                "both": gateway(as_is),
                "self_signed": gateway(showing(Variant.SELF_SIGNED)),
                "client": gateway(showing(Variant.CLIENT)),
                "expired": gateway(showing(Variant.EXPIRED)),
            },
        ),
        "set_up": Asked(
            values={
                "name": rules(DOMAIN_RULE),
                "address": rules(_to(NextHopKind.STATIC, "127.0.0.1")),
                "nothing": rules(
                    RuleSet(
                        method=Method.NONE,
                        next_hop=NextHop(kind=NextHopKind.MX),
                        default_relay="",
                    )
                ),
                "relay": rules(_to(NextHopKind.SMART_HOST, "relay.hoster.example")),
            },
        ),
        "proof": Asked(
            holds=_passed,
            values={
                "seen": _sent(_TEST, "250 2.0.0 Ok", 0, seen=True),
                "reply": _sent(_TEST, "250 2.0.0 Ok", 0),
                "again": _sent(_sent(_TEST, "450 4.7.1 later", 0), "250 2.0.0 Ok", 1, seen=True),
                "later": _sent(_sent(_TEST, "250 2.0.0 Ok", 0, seen=True), "550 5.7.1 no", 24),
                "lost": _sent(_TEST, "250 2.0.0 Ok", 0, seen=False),
            },
        ),
        "verdict": Asked(
            holds=lambda bench, verdict: _evening_before(bench) is verdict,
            values={
                "ready": Verdict.READY,
                "not_ready": Verdict.NOT_READY,
                "inconclusive": Verdict.INCONCLUSIVE,
                "ready_for_now": Verdict.READY,
            },
        ),
    },
)
