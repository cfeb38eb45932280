"""Lesson 2, who goes to IncaMail: what the library is asked. The texts: recipients.toml."""

from __future__ import annotations

import base64

from incamail_lib.course.bench import DOMAIN, Bench
from incamail_lib.course.changes import rules
from incamail_lib.course.reading import Asked, read
from incamail_lib.facts.routing import (
    Engine,
    Method,
    NextHop,
    NextHopKind,
    Route,
    RuleSet,
    StandardSample,
)
from incamail_lib.i18n import Text, say
from incamail_lib.lab.scenario import ANY_TAG, DOMAIN_RULE
from incamail_lib.routing import classify, standard_samples

_PARTNER = "partner@recipient.example"
_LAWYER = "lawyer@third-party.example"
_COLLEAGUE = f"colleague@{DOMAIN}"
_MIXED = (f"{_PARTNER}.incamail.ch", _LAWYER, _COLLEAGUE)
_PLAIN = DOMAIN_RULE.model_copy(update={"refuses_tag_without_suffix": False})
_ON_EXIM = RuleSet(
    method=Method.DOMAIN,
    next_hop=DOMAIN_RULE.next_hop,
    engine=Engine.EXIM_DECODED,
    suffix_key="*.incamail.ch",
    default_relay="",
)
_BOTH = _ON_EXIM.model_copy(update={"method": Method.BOTH, "subject_pattern": ANY_TAG})
_BY_MX = RuleSet(method=Method.NONE, next_hop=NextHop(kind=NextHopKind.MX), default_relay="")


def _by_subject(pattern: str, engine: Engine = Engine.EXIM_DECODED) -> RuleSet:
    return RuleSet(
        method=Method.SUBJECT,
        next_hop=DOMAIN_RULE.next_hop,
        engine=engine,
        subject_pattern=pattern,
        default_relay="",
    )


def _to(kind: NextHopKind, value: str = "") -> RuleSet:
    return DOMAIN_RULE.model_copy(update={"next_hop": NextHop(kind=kind, value=value)})


_ANCHORED = _by_subject("(?i)^<im>")
_RAW = _by_subject("<im>", Engine.POSTFIX_REGEXP)
_SENT = b"=?UTF-8?B?" + base64.b64encode("<im><c> Décision médicale".encode()) + b"?="


def _leak_to(_: Bench, recipients: set[str]) -> bool:
    routes = classify(_MIXED, "<im><c> Contract", _PLAIN, own_domains=(DOMAIN,)).routes
    return {route.recipient for route in routes if route.leaks} == recipients


def _goes_there(_: Bench, recipient: str) -> bool:
    return classify((recipient,), "Contract", _PLAIN, own_domains=(DOMAIN,)).routes[0].to_incamail


def _doctors_route() -> Route:
    return classify((_PARTNER,), _SENT, _RAW, own_domains=(DOMAIN,)).routes[0]


def _fate(_: Bench, fate: str) -> bool:
    route = _doctors_route()
    if route.unknown is not None:
        return fate == "unknown"
    way = "incamail" if route.to_incamail else "refused" if route.refused else "clear"
    return fate == way


def _compared(_: Bench) -> tuple[Text, ...]:
    line = say("What the server compares: Subject: {line}", line=_SENT.decode())
    return (line, *(h.text for h in _doctors_route().hazards if h.text is not None))


def _replies_lost(_: Bench) -> str:
    samples = standard_samples(_ANCHORED, (DOMAIN,))
    replies = [message for message in samples if message.probe is StandardSample.REPLY]
    return str(sum(1 for message in replies if message.leaks))


RECIPIENTS = read(
    "recipients",
    {
        "mixed": Asked(
            holds=_leak_to,
            values={
                "lawyer": {_LAWYER},
                "nobody": set(),
                "all": set(_MIXED),
                "two": {_LAWYER, _COLLEAGUE},
            },
        ),
        "suffixed": Asked(
            holds=_goes_there,
            values={
                "usual": "partner@recipient.example.incamail.ch",
                "capitals": "PARTNER@RECIPIENT.EXAMPLE.INCAMAIL.CH",
                "prefix": "partner@recipient.example.notincamail.ch",
                "inside": "partner@recipient.example.incamail.ch.evil.example",
                "itself": "support@incamail.ch",
                "without": "partner@recipient.example",
            },
        ),
        "encoded": Asked(
            holds=_fate,
            proof=_compared,
            values={name: name for name in ("clear", "incamail", "refused", "unknown")},
        ),
        "replies": Asked(truth=_replies_lost),
        "write": Asked(base=_ON_EXIM),
        "anchor": Asked(
            values={
                "suffix": rules(DOMAIN_RULE),
                "unanchored": rules(_by_subject("(?i)<im>")),
                "wide": rules(_by_subject("(?i)im")),
                "prefixes": rules(_by_subject("(?i)^((re|aw|tr|wg): )?<im>")),
            },
        ),
        "foreign": Asked(
            values={
                "host": rules(DOMAIN_RULE),
                "address": rules(_to(NextHopKind.STATIC, "127.0.0.1")),
                "empty": rules(_to(NextHopKind.STATIC)),
                "other": rules(_to(NextHopKind.SMART_HOST, "tls-relay.hoster.example")),
            },
        ),
        "forgotten": Asked(
            values={
                "refuse": rules(DOMAIN_RULE),
                "both": rules(_BOTH),
                "mx": rules(_BY_MX),
                "mail": rules(_PLAIN),
            },
        ),
    },
)
