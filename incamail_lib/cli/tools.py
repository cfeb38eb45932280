"""lookup and probe: single questions answered at the terminal."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.audit.planning import own_name
from incamail_lib.audit.trusting import store_named, with_trust
from incamail_lib.certificate import Credential, foreign_credential, load_credential
from incamail_lib.checks import judge_domain
from incamail_lib.checks._endpoints import agreed
from incamail_lib.checks.words import kind_text
from incamail_lib.cli._console import clear_errors, print_json, table
from incamail_lib.cli._endpoint_rows import endpoint_rows
from incamail_lib.cli._names import (
    domain_of,
    greeting_name,
    host_and_port,
    literal_of,
    name_server_of,
)
from incamail_lib.cli._options import Json, Lang
from incamail_lib.cli._passphrases import passphrase_of
from incamail_lib.errors import UsageError, reason_in
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.facts.dns import DnsAnswer, DnsStatus, DomainFacts
from incamail_lib.facts.smtp import EndpointFacts, Purpose, Side, Target
from incamail_lib.findings import Finding, Outcome
from incamail_lib.guide import load_platform
from incamail_lib.i18n import Translator, say, say_n
from incamail_lib.lookup import look_up_domain, look_up_host, resolver_for, system_resolver
from incamail_lib.probe import Limits, ProbeSettings, probe_endpoint
from incamail_lib.probe.untouched import untouched
from incamail_lib.reach import Reach, kind_of
from incamail_lib.report.words import word

Nameserver = Annotated[
    str | None, typer.Option("--nameserver", help="Ask this name server, e.g. 127.0.0.1:5300.")
]
Certificate = Annotated[Path | None, typer.Option("--cert", help="Your client certificate.")]
Key = Annotated[Path | None, typer.Option("--key", help="Its key, where the file has none.")]
PassphraseEnv = Annotated[
    str | None, typer.Option(help="Environment variable that holds the key's passphrase.")
]

_PURPOSES = frozenset(
    {
        *(Purpose.SURVEY, Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE),
        Purpose.OTHER_KEY,
    }
)


def lookup(
    domain: Annotated[str, typer.Argument(help="Mail domain.")],
    server: Nameserver = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Look up everything the DNS says about a mail domain, and say what it means."""
    with clear_errors(lang) as t:
        resolver = resolver_for([name_server_of(server)], 10.0) if server else system_resolver(10.0)
        facts = asyncio.run(look_up_domain(domain, resolver=resolver))
        if facts.mx.status is DnsStatus.BAD_NAME:
            raise UsageError(
                say("«{given}» is not a domain name such as muster.example.", given=domain)
            )
    if as_json:
        print_json(facts)
    else:
        table([t("Look-up"), t("Outcome"), t("Records")], _dns_rows(facts, t))
        found = judge_domain(facts, dt.datetime.now(dt.UTC))
        table([t("Code"), t("Outcome"), t("Check"), t("Seen")], _meaning_rows(found, t))
    raise typer.Exit(3 if facts.mx.is_failure else 0)


def _dns_rows(facts: DomainFacts, t: Translator) -> list[tuple[str, str, str]]:
    answers: list[DnsAnswer] = [facts.mx]
    for exchanger in facts.exchangers:
        host = exchanger.host
        answers += [host.a, host.aaaa, host.tlsa, *(address.ptr for address in host.addresses)]
        answers += [host.caa] if host.caa else []
    answers += [facts.spf, *(facts.spf_answers or ()), *(facts.dmarc_walk or (facts.dmarc,))]
    answers += [facts.mta_sts, facts.tls_rpt, facts.caa]
    return [
        (f"{a.type} {a.name}", t.text(word(a.status)), _records(a, t))
        for a in {(a.type, a.name): a for a in answers}.values()
    ]


def _records(answer: DnsAnswer, t: Translator) -> str:
    more = say_n(
        "{n} more record is not shown.", "{n} more records are not shown.", answer.left_out
    )
    rest = [t.text(more)] if answer.is_cut else []
    return "\n".join([*answer.records, *rest])


def _meaning_rows(findings: Sequence[Finding], t: Translator) -> list[tuple[str, str, str, str]]:
    return [
        (f.code, t.text(word(f.outcome)), t(f.title), t.text(f.seen))
        for f in sorted(findings, key=lambda f: f.code)
        if f.outcome is not Outcome.NOT_APPLICABLE and not f.blocked_by
    ]


def probe(
    host: Annotated[str, typer.Argument(help="Host name or address of a mail gateway.")],
    port: Annotated[int, typer.Option(min=1, max=65535)] = 25,
    address: Annotated[str | None, typer.Option(help="Address, instead of asking the DNS.")] = None,
    server: Nameserver = None,
    cert: Certificate = None,
    key: Key = None,
    passphrase_env: PassphraseEnv = None,
    timeout: Annotated[
        float,
        typer.Option(min=0.1, max=300, help="Seconds per answer; ten times that per address."),
    ] = 30,
    ehlo: Annotated[
        str | None, typer.Option(help="Name to greet with, instead of this machine's own.")
    ] = None,
    ask_postmaster: Annotated[
        str | None,
        typer.Option(
            metavar="DOMAIN",
            help="Ask too whether postmaster@DOMAIN is taken as recipient (RCPT, then RSET).",
        ),
    ] = None,
    show_foreign: Annotated[
        bool,
        typer.Option(
            "--show-foreign-certificate",
            help="Show a throw-away certificate to IncaMail's own gateways too.",
        ),
    ] = False,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Look at one gateway: STARTTLS, TLS, certificate, mutual TLS. No message is sent."""
    with clear_errors(lang) as t:
        host, port = host_and_port(host, port)
        asked = name_server_of(server) if server else None
        address = None if address is None else literal_of(address)
        own = _own(cert, key, passphrase_env)
        addresses = [address] if address else asyncio.run(_addresses(host, port, asked))
        stranger = show_foreign or not load_platform().has(host, tuple(addresses))
        settings = ProbeSettings(
            ehlo_name=own_name() if ehlo is None else greeting_name(ehlo),
            limits=Limits.within(timeout),
            purposes=_PURPOSES if stranger else _PURPOSES - {Purpose.FOREIGN_CERTIFICATE},
            ask_postmaster="" if ask_postmaster is None else domain_of(ask_postmaster),
        )
        typed = bool(address) or _is_literal(host)  # a person named the machine himself
        found = asyncio.run(_probe(host, addresses, port, own, settings, typed=typed))
    if as_json:
        print_json(found)
    else:
        for endpoint in found:
            table([t("What"), t("Seen")], endpoint_rows(endpoint, t), endpoint.target.label)
    raise typer.Exit(0 if any(agreed(e) for e in found) else 3)


def _own(cert: Path | None, key: Path | None, env: str | None) -> Credential | None:
    if cert is None:
        return None
    told, own = load_credential(
        cert,
        key_path=key,
        passphrase=passphrase_of(cert, key, env),
        uses=(CredentialUse.SENDING,),
    )
    if own is None:
        cause = reason_in(told.readable.evidence or told.key_matches.evidence)
        raise UsageError(
            say(
                "{file} cannot be shown as client certificate: {cause}", file=str(cert), cause=cause
            )
        )
    return own


async def _probe(
    host: str,
    addresses: list[str],
    port: int,
    own: Credential | None,
    settings: ProbeSettings,
    *,
    typed: bool,
) -> list[EndpointFacts]:
    """Probe each address, with throw-away certificates where the settings want them; `typed` says
    whether a person gave the address, and not the DNS."""
    now = dt.datetime.now(dt.UTC)
    settings = replace(
        settings,
        foreign=foreign_credential(now),
        foreign_rsa=cache(lambda: foreign_credential(now, rsa=True)),
    )
    stores = [store_named("certifi"), store_named("system")]
    found = []
    for literal in addresses:
        target = Target(role=Side.RECEIVING, host=host, address=literal, port=port)
        if not typed and not Reach().allows(literal):
            found.append(untouched(target, now))
            continue
        endpoint = await probe_endpoint(target, settings=settings, own=own, now=now)
        found.append(with_trust(endpoint, stores, now))
    return found


async def _addresses(host: str, port: int, server: tuple[str, int] | None) -> list[str]:
    if _is_literal(host):
        return [host.strip("[]")]
    resolver = resolver_for([server], 10.0) if server else system_resolver(10.0)
    facts = await look_up_host(host, resolver=resolver, port=port)
    found = [*facts.a.records, *facts.aaaa.records]
    if not found:
        raise UsageError(
            say(
                "The DNS gives no address for {host} ({outcome}).",
                host=host,
                outcome=word(facts.a.status),
            )
        )
    if not any(Reach().allows(address) for address in found):
        raise UsageError(
            say(
                "Nothing was sent: {host} leads to {address}, which is {kind}. If you mean that "
                "machine, name it: --address {address}",
                host=host,
                address=found[0],
                kind=kind_text(kind_of(found[0])),
            )
        )
    return found


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
