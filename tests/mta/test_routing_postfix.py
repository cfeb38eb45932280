"""Postfix routes as we say: thousands of deliveries by the real one, none of them a leak."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from mta import postfix
from mta.corpus import ADDRESSES
from mta.differential import (
    OWN,
    RECIPIENTS,
    Compared,
    compare,
    contents,
    done_with,
    leaks,
    on_the_safe_side,
    said_of,
    table,
)
from mta.postfix import Postfix
from mta.process import free_port
from mta.sink import Mail, Sink, await_quiet, hand_over, sinks

from incamail_lib.facts.routing import Engine, Method, NextHop, NextHopKind, RuleSet
from incamail_lib.routing import classify

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
    def lines(self) -> bool:
        """Whether it has several lines, whose actions matter."""
        return "\n" in self.line

    @property
    def written(self) -> str:
        """The line without its action."""
        return self.line if self.line.startswith("/") else f"/{self.line}/"

    @property
    def rules(self) -> RuleSet:
        """The same, as a dossier declares it."""
        engine = Engine.POSTFIX_PCRE if self.kind == "pcre" else Engine.POSTFIX_REGEXP
        return RuleSet(
            method=Method.SUBJECT,
            next_hop=HOP,
            engine=engine,
            subject_pattern=f"{self.line}{' FILTER smtp:[im.post.ch]' if self.lines else ''}",
            default_relay="relay.example",
        )


TABLES = (
    Table("regexp", "<im>"),
    Table("regexp", "/^Subject:.*<im>/"),
    Table("regexp", "/^Subject: <(im|c|p|r)>/i"),
    Table("regexp", r"/^Subject:[[:space:]]*((re|aw|wg|fwd?): *)*\<im\>/"),
    Table("regexp", "(?i)^Subject:.*<im>"),
    # an earlier line hides the later one, and a refused one is skipped
    Table("regexp", "/^Subject: (re|aw):/ PREPEND X-Reply: yes\n/^Subject:.*<im>/"),
    Table("regexp", "/(?i)^Subject: re:/ PREPEND X-Reply: yes\n/^Subject:.*<im>/"),
    Table("pcre", "(?i)^Subject:.*<im>"),
    Table("pcre", r"/^Subject:\s*((re|aw|wg|fwd?):\s*)*<(im|[cpr])>/"),
    Table("pcre", r"/^Subject: .*<im>.*$/s"),
)


def through_tables(incamail: Sink, other: Sink) -> list[list[Compared]]:
    """Every message through every table: what was said of it and what became of it."""
    ports = free_ports(len(TABLES))
    action = f" FILTER smtp:[127.0.0.1]:{incamail.port}\n"
    files = {f"checks{n}": f"{t.written}{action}".encode() for n, t in enumerate(TABLES)}
    services = "".join(
        f"127.0.0.1:{port} inet n - n - - smtpd -o cleanup_service_name=cleanup{n}\n"
        f"cleanup{n} unix n - n - 0 cleanup -o header_checks={t.kind}:{{dir}}/checks{n}\n"
        for n, (port, t) in enumerate(zip(ports, TABLES, strict=True))
    )
    settings = SETTINGS | {"relayhost": f"[127.0.0.1]:{other.port}", "transport_maps": ""}
    mails = [
        [
            Mail(f"m{i}t{n}@muster.example", RECIPIENTS, content)
            for i, content in enumerate(contents())
        ]
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
    everything = [c for compared in found for c in compared]
    assert leaks(everything) == []
    assert on_the_safe_side(everything) == []
    assert {c.done for c in everything} == {"incamail", "elsewhere"}
    assert table(everything)["unknown", "incamail"] < 150  # attached messages alone


KEYS = (("hash", ".incamail.ch"), ("texthash", "*.incamail.ch"), ("texthash", "incamail.ch"))


def through_transport(
    kind: str, key: str, incamail: Sink, other: Sink, folder: Path
) -> list[Compared]:
    """Every address of the corpus through a transport table with this one key."""
    entry = f"{key} smtp:[127.0.0.1]:{incamail.port}\n".encode()
    settings = SETTINGS | {
        "relayhost": f"[127.0.0.1]:{other.port}",
        "transport_maps": f"{kind}:{{dir}}/transport",
    }
    mails = [
        Mail(f"a{n}@muster.example", (address,), b"Subject: x\r\n\r\nx\r\n")
        for n, address in enumerate(ADDRESSES)
    ]
    files = indexed(entry, folder) if kind == "hash" else {"transport": entry}
    with postfix.running(settings, files) as mta:
        taken = hand_over(mta.port, mails)
        await_settled(mta, len(taken))
    return [_compared(m, key, incamail, other) for m in mails]


def rules_with(key: str) -> RuleSet:
    """A transport table with this key, as a dossier declares it."""
    return RuleSet(
        method=Method.DOMAIN,
        next_hop=HOP,
        engine=Engine.POSTFIX_TABLE,
        suffix_key=key,
        default_relay="relay.example",
    )


def _compared(mail: Mail, key: str, incamail: Sink, other: Sink) -> Compared:
    said = classify(mail.recipients, "x", rules_with(key), own_domains=OWN)
    done = done_with(mail, mail.recipients[0], incamail, other)
    return Compared(key, mail.recipients[0], said_of(said, 0), done)


def indexed(entry: bytes, folder: Path) -> dict[str, bytes]:
    """The table and its index, made by Postfix's own postmap."""
    (folder / "main.cf").write_text("compatibility_level = 3.6\nmyhostname = mx.example\n")
    (folder / "transport").write_bytes(entry)
    command: list[str | Path] = ["/usr/sbin/postmap", "-c", folder, f"hash:{folder}/transport"]
    subprocess.run(command, check=True, timeout=60)
    return {name: (folder / name).read_bytes() for name in ("transport", "transport.db")}


def await_settled(mta: Postfix, expected: int) -> None:
    """Wait until Postfix has said of every message what became of it."""
    mta.log.await_line(r"status=(sent|bounced|deferred)", number=expected, timeout_s=120)


@pytest.mark.parametrize(("kind", "key"), KEYS)
def test_no_address_that_is_said_to_reach_incamail_leaves_another_way(
    kind: str, key: str, tmp_path: Path
) -> None:
    """Each key of the guide and of transport(5): not one false "to IncaMail", and every foreign
    address that Postfix delivers another way, malformed or not, is a leak when the subject is
    tagged."""
    with sinks(2) as (incamail, other):
        everything = through_transport(kind, key, incamail, other, tmp_path)
    assert leaks(everything) == []
    assert on_the_safe_side(everything) == []
    suffixed = [c for c in everything if c.recipient.startswith("a@partner.example.incamail.ch")]
    assert any(c.done == "incamail" for c in suffixed) is (key == ".incamail.ch")
    assert unsaid_leaks(everything, rules_with(key)) == []


def unsaid_leaks(everything: Sequence[Compared], rules: RuleSet) -> list[str]:
    """Foreign addresses that Postfix delivered another way, and that are no leak when tagged."""
    outside = [c.recipient for c in everything if (c.said, c.done) == ("elsewhere", "elsewhere")]
    foreign = [to for to in outside if "@" in to and not to.endswith("@muster.example")]
    return [to for to in foreign if not classify([to], "<im><c> x", rules, own_domains=OWN).leaks]
