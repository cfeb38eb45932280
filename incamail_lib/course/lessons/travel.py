"""Lesson 1, how a message travels: what the library is asked. The texts stand in travel.toml."""

from __future__ import annotations

from incamail_lib.course.bench import DOMAIN, Bench
from incamail_lib.course.changes import gateway, no_change
from incamail_lib.course.journey import TO
from incamail_lib.course.reading import Asked, read
from incamail_lib.facts.observation import Answer
from incamail_lib.i18n import Text, say
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.scenario import DOMAIN_RULE, as_is, asking, both, changing, showing
from incamail_lib.lab.scenarios.starttls import IN_CLEAR
from incamail_lib.routing import classify
from incamail_lib.routing.received import read_hops

_TRAVELLED = (
    "Received: from gw1.incamail.com (gw1.incamail.com [194.41.147.13])",
    "  by mx1.recipient.example (Postfix) with ESMTPS id 7F2A1; Thu, 26 Nov 2026 10:02:41 +0100",
    "Received: from out.muster.example (out.muster.example [192.0.2.25])",
    "  by gw1.incamail.com (Postfix) with ESMTPS id 41C9B; Thu, 26 Nov 2026 10:02:12 +0100",
    "Received: from exchange.muster.example (exchange.muster.example [10.1.0.8])",
    "  by out.muster.example (Postfix) with ESMTP id 0D33E; Thu, 26 Nov 2026 10:02:11 +0100",
    "Received: from secure-pc7.muster.example (secure-pc7 [10.1.4.77])",
    "  by exchange.muster.example (Postfix) with ESMTPSA id 93A10; Thu, 26 Nov 2026 10:02:09 +0100",
)
_HOPS = read_hops(("\r\n".join(_TRAVELLED) + "\r\n\r\nText").encode(), "course").hops


def _is_delivered(_: Bench, written: tuple[str, str]) -> bool:
    recipient, subject = written
    (route,) = classify((recipient,), subject, DOMAIN_RULE, own_domains=(DOMAIN,)).routes
    return route.to_incamail and route.delivered_to == TO


def _on_the_wire(bench: Bench) -> tuple[Text, ...]:
    out = bench.journey()
    return (
        say("In clear: {commands}", commands=", ".join(out.in_clear)),
        say(
            "Inside {version}: {commands}",
            version=out.tls_version,
            commands=", ".join(out.in_tls),
        ),
    )


def _held(bench: Bench) -> tuple[Text, ...]:
    seen = bench.journey()
    return (
        say("Reply to the whole message: {reply}", reply=seen.reply),
        say("Machines that hold it now: {names}", names=", ".join(sorted(seen.holders))),
    )


def _delivered_to(_: Bench) -> str:
    suffixed = classify(("office@kanton.example.incamail.ch",), "<im><c> x", DOMAIN_RULE)
    return suffixed.routes[0].delivered_to


_WITHOUT = changing(capabilities=IN_CLEAR)

TRAVEL = read(
    "travel",
    {
        "addin": Asked(
            holds=_is_delivered,
            values={
                "marked": (f"{TO}.incamail.ch", "<im><c> Contract"),
                "locked": (TO, "Contract"),
                "mailbox": ("anna.keller@incamail.ch", "<im><c> Contract"),
                "word": (TO, "[secure] Contract"),
            },
        ),
        "way": Asked(
            material=lambda _: _TRAVELLED,
            order=lambda _: tuple(hop.by for hop in reversed(_HOPS)),
        ),
        "clear": Asked(
            holds=lambda _, number: _HOPS[number].encrypted is Answer.NO,
            values={
                "incamail_recipient": 0,
                "gateway_incamail": 1,
                "server_gateway": 2,
                "pc_server": 3,
            },
        ),
        "wire": Asked(
            proof=_on_the_wire,
            holds=lambda bench, verbs: bench.journey().verbs_in_clear == verbs,
            values={
                "greeting": {"EHLO", "STARTTLS"},
                "nothing": set(),
                "addresses": {"EHLO", "STARTTLS", "MAIL", "RCPT"},
                "everything": {"EHLO", "STARTTLS", "MAIL", "RCPT", "DATA", "QUIT"},
            },
        ),
        "taken": Asked(
            proof=_held,
            holds=lambda bench, hosts: bench.journey().holders == hosts,
            values={
                "incamail": {"gw1.incamail.com"},
                "mailbox": {"gw1.incamail.com", "mx1.recipient.example"},
                "both": {"gw1.incamail.com", "gw2.incamail.com"},
                "nobody": set(),
            },
        ),
        "delivered": Asked(truth=_delivered_to),
        "back": Asked(
            values={
                "offer": gateway(as_is),
                "sending": no_change(),
                "renew": gateway(both(showing(Variant.RSA), _WITHOUT)),
                "strict": gateway(both(asking(required=True), _WITHOUT)),
            },
        ),
        "port": Asked(
            values={
                "in25": gateway(as_is),
                "out25": no_change(),
                "tls465": gateway(changing(tls_at_once=True)),
                "certificate": gateway(both(showing(Variant.RSA), changing(listens=False))),
            },
        ),
    },
)
