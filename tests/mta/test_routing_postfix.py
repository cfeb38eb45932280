"""Postfix routes as we say: thousands of deliveries by the real one, none of them a leak."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from mta import postfix
from mta.corpus import ADDRESSES, bodies, subjects
from mta.differential import (
    OWN,
    RECIPIENTS,
    Compared,
    done_with,
    leaks,
    on_the_safe_side,
    said_of,
    table,
)
from mta.process import free_port
from mta.sink import Mail, Sink, await_quiet, hand_over, sinks

from incamail_lib.facts.routing import Engine, Method, NextHop, NextHopKind, RuleSet
from incamail_lib.routing import classify, classify_message

pytestmark = [pytest.mark.postfix, pytest.mark.xdist_group("mta"), pytest.mark.timeout(600)]

HOP = NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
SETTINGS = {
    "myhostname": "out.muster.example",
    "myorigin": "muster.example",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtpd_recipient_limit": "2000",
    "smtpd_error_sleep_time": "0",
    "smtpd_soft_error_limit": "100000",
    "smtpd_hard_error_limit": "100000",
    "smtpd_junk_command_limit": "100000",
    "strict_rfc821_envelopes": "no",
    "resolve_numeric_domain": "yes",
    "header_size_limit": "102400",
    "default_destination_concurrency_limit": "20",
    "in_flow_delay": "0",
    "relay_domains": "",
    "smtpd_client_connection_count_limit": "0",
}


@dataclass(frozen=True)
class Table:
    """One header check: its type and the line's expression as it stands between the slashes."""

    kind: str
    line: str

    @property
    def rules(self) -> RuleSet:
        """The same, as a dossier declares it."""
        engine = Engine.POSTFIX_PCRE if self.kind == "pcre" else Engine.POSTFIX_REGEXP
        return RuleSet(
            method=Method.SUBJECT,
            next_hop=HOP,
            engine=engine,
            subject_pattern=self.line,
            default_relay="relay.example",
        )


TABLES = (
    Table("regexp", "<im>"),
    Table("regexp", "/^Subject:.*<im>/"),
    Table("regexp", "/^Subject: <(im|c|p|r)>/i"),
    Table("regexp", r"/^Subject:[[:space:]]*((re|aw|wg|fwd?): *)*\<im\>/"),
    Table("regexp", "(?i)^Subject:.*<im>"),
    Table("pcre", "(?i)^Subject:.*<im>"),
    Table("pcre", r"/^Subject:\s*((re|aw|wg|fwd?):\s*)*<(im|[cpr])>/"),
    Table("pcre", r"/^Subject: .*<im>.*$/s"),
)


def messages() -> list[tuple[bytes, bytes]]:
    """Header and body of each message of the corpus."""
    plain = [(subject + b"\r\n", b"text\r\n") for subject in subjects()]
    nested = [(b"Subject: x\r\n" + head, body) for head, body in bodies()]
    return plain + nested


def contents() -> list[bytes]:
    """The messages as they are handed over."""
    to = b"To: " + ", ".join(RECIPIENTS).encode() + b"\r\n"
    return [b"From: anna@muster.example\r\n" + to + head + b"\r\n" + body for head, body in messages()]


def through_tables(incamail: Sink, other: Sink) -> list[list[Compared]]:
    """Every message through every table: what was said of it and what became of it."""
    ports = free_ports(len(TABLES))
    files = {
        f"checks{n}": f"/{t.line.strip('/')}/".encode() if not t.line.startswith("/") else t.line.encode()
        for n, t in enumerate(TABLES)
    }
    files = {name: line + f" FILTER smtp:[127.0.0.1]:{incamail.port}\n".encode() for name, line in files.items()}
    services = "".join(
        f"127.0.0.1:{port} inet n - n - - smtpd -o cleanup_service_name=cleanup{n}\n"
        f"cleanup{n} unix n - n - 0 cleanup -o header_checks={t.kind}:{{dir}}/checks{n}\n"
        for n, (port, t) in enumerate(zip(ports, TABLES, strict=True))
    )
    settings = SETTINGS | {"relayhost": f"[127.0.0.1]:{other.port}", "transport_maps": ""}
    mails = [
        [Mail(f"m{i}t{n}@muster.example", RECIPIENTS, content) for i, content in enumerate(contents())]
        for n in range(len(TABLES))
    ]
    with postfix.running(settings, files, services):
        for port, batch in zip(ports, mails, strict=True):
            taken = hand_over(port, batch)
            assert len(taken) == len(batch) * len(RECIPIENTS)
        await_quiet((incamail, other), sum(len(b) for b in mails) * len(RECIPIENTS))
    return [
        compare(batch, t.rules, incamail, other) for t, batch in zip(TABLES, mails, strict=True)
    ]


def compare(
    batch: Sequence[Mail], rules: RuleSet, incamail: Sink, other: Sink
) -> list[Compared]:
    """Each recipient of each message, predicted and delivered."""
    found = []
    for mail in batch:
        said = classify_message(mail.content, rules, recipients=mail.recipients, own_domains=OWN)
        for number, to in enumerate(mail.recipients):
            done = done_with(mail, to, incamail, other)
            found.append(Compared(repr(mail.content[100:300]), to, said_of(said, number), done))
    return found


def free_ports(number: int) -> list[int]:
    """Different ports that are free now."""
    found: list[int] = []
    while len(found) < number:
        port = free_port()
        if port not in found:
            found.append(port)
    return found


def test_no_subject_that_is_said_to_reach_incamail_leaves_another_way() -> None:
    """Eight header checks, every subject, three recipients: not one false "to IncaMail", and no
    difference on the safe side either."""
    with sinks(2) as (incamail, other):
        found = through_tables(incamail, other)
    for t, compared in zip(TABLES, found, strict=True):
        print(t, dict(table(compared)))
    everything = [c for compared in found for c in compared]
    assert leaks(everything) == []
    assert on_the_safe_side(everything) == []
    assert {c.done for c in everything} == {"incamail", "elsewhere"}
