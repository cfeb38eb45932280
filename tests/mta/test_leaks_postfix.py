"""Leaks outside the rule, each shown on a real Postfix, and each closed by its remedy.

Here the suffix rule is right, and the message leaves in clear all the same. The questions to the
administrator in item 6.3 of the guide's checklist name these causes and these remedies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from mta import postfix
from mta.process import free_port
from mta.sink import Mail, Sink, hand_over, sinks

pytestmark = [pytest.mark.postfix, pytest.mark.xdist_group("mta")]

OUTSIDE = "partner@firm.example"
SUFFIXED = "partner@firm.example.incamail.ch"
TEAM = "team@muster.example"


@dataclass(frozen=True)
class Case:
    """A setting that leaks, and the setting that does not. "{other}": the ordinary next hop."""

    leaking: Mapping[str, str]
    mended: Mapping[str, str]
    to: str = SUFFIXED
    files: Mapping[str, str] = field(default_factory=dict)
    astray: str = OUTSIDE  # who gets it in clear
    incamail_is_down: bool = False


ALIASES = {"inner": f"{TEAM} {OUTSIDE}\n", "suffixed": f"{TEAM} {SUFFIXED}\n"}
CANONICAL = {"stripping": r"/^(.*)\.incamail\.ch$/ ${1}" + "\n"}
CASES = {
    "an alias or list that leads outside": Case(
        {"virtual_alias_maps": "texthash:{dir}/inner"},
        {"virtual_alias_maps": "texthash:{dir}/suffixed"},
        to=TEAM,
        files=ALIASES,
    ),
    "a copy of all mail to an outside archive": Case(
        {"always_bcc": "archive@journal.example"},
        {"always_bcc": "archive@journal.example.incamail.ch"},
        astray="archive@journal.example",
    ),
    "a rewriting of addresses before the route is chosen": Case(
        {"recipient_canonical_maps": "regexp:{dir}/stripping"},
        {"recipient_canonical_maps": ""},
        files=CANONICAL,
    ),
    "a fallback relay while IncaMail is down": Case(
        {"smtp_fallback_relay": "{other}"},
        {"smtp_fallback_relay": ""},
        astray=SUFFIXED,
        incamail_is_down=True,
    ),
    "a default relay that takes what a wrong key misses": Case(
        {"transport_maps": "texthash:{dir}/starred"},
        {},
        astray=SUFFIXED,
    ),
}


def delivered(case: Case, changes: Mapping[str, str]) -> tuple[Sink, Sink]:
    """The message through a Postfix with these settings: what IncaMail got, and everybody else."""
    with sinks(2) as (incamail, other):
        port = free_port() if case.incamail_is_down else incamail.port
        relay = f"[127.0.0.1]:{other.port}"
        files = {name: text.encode() for name, text in case.files.items()}
        files["transport"] = f".incamail.ch smtp:[127.0.0.1]:{port}\n".encode()
        files["starred"] = f"*.incamail.ch smtp:[127.0.0.1]:{port}\n".encode()
        settings = {
            "myhostname": "out.muster.example",
            "relay_domains": "",
            "relayhost": relay,
            "transport_maps": "texthash:{dir}/transport",
        }
        told = {name: value.replace("{other}", relay) for name, value in changes.items()}
        with postfix.running(settings | told, files) as mta:
            mail = Mail("anna@muster.example", (case.to,), b"Subject: <im><c> x\r\n\r\nx\r\n")
            assert hand_over(mta.port, [mail])
            mta.log.await_line(r": removed$|status=deferred")
        return incamail, other


@pytest.mark.parametrize("name", CASES)
def test_what_leaks_outside_the_rule_is_closed_by_its_remedy(name: str) -> None:
    """In clear with the setting; with the remedy nothing leaves but to IncaMail."""
    case = CASES[name]
    _, other = delivered(case, case.leaking)
    assert {to for _, to in other.taken} == {case.astray}
    incamail, other = delivered(case, case.mended)
    assert other.taken == set()
    assert bool(incamail.taken) is not case.incamail_is_down


def test_relay_domains_make_an_open_relay_to_incamail() -> None:
    """With the suffix in relay_domains any stranger may send through; without it nobody may."""
    for domains, taken in (("incamail.ch", True), ("", False)):
        settings = {
            "myhostname": "out.muster.example",
            "mynetworks": "192.0.2.0/24",
            "relay_domains": domains,
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
        }
        with postfix.running(settings) as mta:
            mail = Mail("stranger@else.example", (SUFFIXED,), b"Subject: x\r\n\r\nx\r\n")
            assert bool(hand_over(mta.port, [mail])) is taken


def test_mail_that_a_filter_hands_back_is_not_looked_at_again() -> None:
    """A service with no_header_body_checks knows no subject rule; without that option it does."""
    for option, astray in (
        (" -o receive_override_options=no_header_body_checks", True),
        ("", False),
    ):
        with sinks(2) as (incamail, other):
            port = free_port()
            rule = f"/^Subject:.*<im>/ FILTER smtp:[127.0.0.1]:{incamail.port}\n"
            settings = {
                "myhostname": "out.muster.example",
                "relay_domains": "",
                "relayhost": f"[127.0.0.1]:{other.port}",
                "header_checks": "regexp:{dir}/checks",
                "transport_maps": "",
            }
            service = f"127.0.0.1:{port} inet n - n - - smtpd{option}\n"
            with postfix.running(settings, {"checks": rule.encode()}, service) as mta:
                mail = Mail("anna@muster.example", (OUTSIDE,), b"Subject: <im> x\r\n\r\nx\r\n")
                assert hand_over(port, [mail])
                mta.log.await_line(r": removed$")
            assert bool(other.taken) is astray
            assert bool(incamail.taken) is not astray
