"""route, lookup, probe and inspect: single questions answered at the terminal."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.audit.measuring import read_message, store_named, with_trust
from incamail_lib.audit.planning import nameserver, own_name
from incamail_lib.certificate import Credential, foreign_credential, load_credential
from incamail_lib.checks._routing_syntax import key_is_open
from incamail_lib.checks.words import reason_text, trust_text
from incamail_lib.cli._console import Styled, clear_errors, out, print_json, table
from incamail_lib.cli._passphrases import passphrase_of
from incamail_lib.cli.auditing import Json, Lang
from incamail_lib.dossier import read_dossier
from incamail_lib.errors import UsageError
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse
from incamail_lib.facts.dns import DnsAnswer, DomainFacts
from incamail_lib.facts.observation import Observation
from incamail_lib.facts.routing import (
    Engine,
    MessageRouting,
    Method,
    NextHop,
    NextHopKind,
    Route,
    RuleSet,
    Severity,
    SubjectView,
)
from incamail_lib.facts.smtp import EndpointFacts, Purpose, Role, Target
from incamail_lib.guide import load_platform
from incamail_lib.i18n import N_, Text, Translator, say
from incamail_lib.lookup import look_up_domain, look_up_host, resolver_for, system_resolver
from incamail_lib.probe import Limits, ProbeSettings, probe_endpoint
from incamail_lib.report.words import word
from incamail_lib.routing import classify, classify_message

Nameserver = Annotated[
    str | None, typer.Option("--nameserver", help="Ask this name server, e.g. 127.0.0.1:5300.")
]
Certificate = Annotated[Path | None, typer.Option("--cert", help="Your client certificate.")]
Key = Annotated[Path | None, typer.Option("--key", help="Its key, where the file has none.")]
PassphraseEnv = Annotated[
    str | None, typer.Option(help="Environment variable that holds the key's passphrase.")
]


_KEY_NOT_SAID = say(
    "It is not said how the suffix stands in the mail server's table (--engine, --suffix-key); in "
    "Postfix, *.incamail.ch as the guide prints it selects nothing."
)


def route(
    message: Annotated[Path | None, typer.Argument(help="A message as .eml file.")] = None,
    to: Annotated[list[str] | None, typer.Option(help="Envelope recipient; repeatable.")] = None,
    subject: Annotated[str | None, typer.Option(help="Subject.")] = None,
    method: Annotated[
        Method | None, typer.Option(help="The routing rule of your MTA; the suffix if not said.")
    ] = None,
    engine: Annotated[
        Engine | None, typer.Option(help="Which mail server applies the rule, by which table.")
    ] = None,
    view: Annotated[SubjectView | None, typer.Option(help="What a subject rule compares.")] = None,
    pattern: Annotated[
        str | None, typer.Option(help="Expression of the subject rule, as it stands there.")
    ] = None,
    suffix_key: Annotated[
        str | None, typer.Option(help="The suffix as it stands in the mail server's table.")
    ] = None,
    relay: Annotated[
        str | None, typer.Option(help="Host that takes all other mail; «none»: there is none.")
    ] = None,
    own_domain: Annotated[
        list[str] | None, typer.Option(help="Mail domain of your own; repeatable.")
    ] = None,
    dossier: Annotated[
        Path | None, typer.Option(help="Take rules and domains from this dossier instead.")
    ] = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Say for each recipient whether a message goes to IncaMail, and what can go wrong."""
    with clear_errors(lang) as t:
        said: dict[str, object] = {
            "method": method,
            "engine": engine,
            "subject_view": view,
            "subject_pattern": pattern,
            "suffix_key": suffix_key,
            "default_relay": "" if relay == "none" else relay,
        }
        rules, domains = _rules({k: v for k, v in said.items() if v is not None}, dossier)
        domains = _own_domains(domains, own_domain, dossier)
        found = _routed(message, to, subject, rules, domains)
    if as_json:
        print_json(found)
    else:
        _tell_routes(found, t)
        if key_is_open(rules) and any(r.rule == "suffix" for r in found.routes):
            out().print(Styled(t.text(_KEY_NOT_SAID)))
    raise typer.Exit(_route_exit(found))


def _rules(said: Mapping[str, object], dossier: Path | None) -> tuple[RuleSet, tuple[str, ...]]:
    """The rules and own domains: of the dossier if there is one, else as the options say."""
    platform = load_platform()
    suffix, smart_host = platform.suffix.value, platform.smart_host.value
    if dossier is None:
        hop = NextHop(kind=NextHopKind.SMART_HOST, value=smart_host)
        usual = RuleSet(method=Method.DOMAIN, next_hop=hop, suffix=suffix)
        return usual.model_copy(update=dict(said)), ()
    declared = read_dossier(dossier).declared(suffix=suffix, smart_host=smart_host)
    for name, value in said.items():
        if getattr(declared.rules, name) != value:
            raise _contradicts(f"routing.{name}")
    return declared.rules, declared.domains


def _contradicts(field: str) -> UsageError:
    told = N_("The dossier says otherwise ({field}). Leave the option out, or correct the dossier.")
    return UsageError(say(told, field=field))


def _own_domains(
    declared: tuple[str, ...], given: Sequence[str] | None, dossier: Path | None
) -> tuple[str, ...]:
    wanted = tuple(domain.strip().rstrip(".").lower() for domain in given or ())
    strange = [domain for domain in wanted if dossier and domain not in declared]
    if strange:
        raise _contradicts("domains")
    return declared or wanted


def _routed(
    message: Path | None,
    to: list[str] | None,
    subject: str | None,
    rules: RuleSet,
    domains: tuple[str, ...],
) -> MessageRouting:
    if message is None and not to:
        raise UsageError(say("Give a message file, or at least one recipient with --to."))
    if message is None:
        return classify(to or [], subject or "", rules, own_domains=domains)
    if subject is not None:
        raise UsageError(say("The message has a subject of its own: leave out --subject."))
    return classify_message(
        read_message(message), rules, recipients=to or None, own_domains=domains
    )


def _route_exit(found: MessageRouting) -> int:
    """1: something leaks or goes astray; 3: which way it goes cannot be told; 0: neither."""
    hazards = [*found.hazards, *(h for route_ in found.routes for h in route_.hazards)]
    if any(h.severity in (Severity.LEAK, Severity.MISROUTED) for h in hazards):
        return 1
    return 0 if found.is_known else 3


def _way(found: Route) -> Text:
    if found.unknown is not None:
        return say("cannot be told")
    return say("IncaMail") if found.to_incamail else say("ordinary mail")


def _tell_routes(found: MessageRouting, t: Translator) -> None:
    rows = [
        (
            r.recipient,
            t.text(_way(r)),
            r.next_hop.value or t.text(word(r.next_hop.kind)) if r.next_hop else "–",
            t.text(word(r.sending_type)) if r.sending_type else "–",
            r.delivered_to,
            "\n".join(t.text(h.text) for h in r.hazards if h.text),
        )
        for r in found.routes
    ]
    heads = [t("Recipient"), t("Route"), t("Next hop"), t("Sending type"), t("Delivered to")]
    table([*heads, t("Hazards")], rows)
    for hazard in found.hazards:
        out().print(Styled(t.text(hazard.text) if hazard.text else hazard.code))


def lookup(
    domain: Annotated[str, typer.Argument(help="Mail domain.")],
    server: Nameserver = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Look up everything the DNS says about a mail domain."""
    with clear_errors(lang) as t:
        resolver = resolver_for([nameserver(server)], 10.0) if server else system_resolver(10.0)
        facts = asyncio.run(look_up_domain(domain, resolver=resolver))
    if as_json:
        print_json(facts)
    else:
        table([t("Look-up"), t("Outcome"), t("Records")], _dns_rows(facts, t))
    raise typer.Exit(3 if facts.mx.is_failure else 0)


def _dns_rows(facts: DomainFacts, t: Translator) -> list[tuple[str, str, str]]:
    answers: list[DnsAnswer] = [facts.mx]
    for exchanger in facts.exchangers:
        host = exchanger.host
        answers += [host.a, host.aaaa, host.tlsa, *(address.ptr for address in host.addresses)]
    answers += [facts.spf, facts.dmarc, facts.mta_sts, facts.tls_rpt, facts.caa]
    return [(f"{a.type} {a.name}", t.text(word(a.status)), "\n".join(a.records)) for a in answers]


def probe(
    host: Annotated[str, typer.Argument(help="Host name or address of a mail gateway.")],
    port: Annotated[int, typer.Option(min=1, max=65535)] = 25,
    address: Annotated[str | None, typer.Option(help="Address, instead of asking the DNS.")] = None,
    server: Nameserver = None,
    cert: Certificate = None,
    key: Key = None,
    passphrase_env: PassphraseEnv = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=300, help="Seconds per answer.")] = 30,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Look at one gateway: STARTTLS, TLS, certificate, mutual TLS. No message is sent."""
    with clear_errors(lang) as t:
        host, port = _host_and_port(host, port)
        own = _own(cert, key, passphrase_env)
        found = asyncio.run(_probe(host, address, port, server, own, Limits.within(timeout)))
    if as_json:
        print_json(found)
    else:
        for endpoint in found:
            table([t("What"), t("Seen")], _endpoint_rows(endpoint, t), endpoint.target.label)
    answered = any(e.survey.tls and e.survey.tls.established for e in found)
    raise typer.Exit(0 if answered else 3)


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
        cause = Text(template=told.readable.evidence or told.key_matches.evidence)
        raise UsageError(
            say(
                "{file} cannot be shown as client certificate: {cause}", file=str(cert), cause=cause
            )
        )
    return own


async def _probe(
    host: str,
    address: str | None,
    port: int,
    server: str | None,
    own: Credential | None,
    limits: Limits,
) -> list[EndpointFacts]:
    now = dt.datetime.now(dt.UTC)
    addresses = [address] if address else await _addresses(host, port, server)
    purposes = {Purpose.SURVEY, Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE}
    settings = ProbeSettings(
        ehlo_name=own_name(),
        limits=limits,
        purposes=frozenset(purposes),
        foreign=foreign_credential(now),
    )
    stores = [store_named("certifi"), store_named("system")]
    found = []
    for literal in addresses:
        target = Target(role=Role.RECEIVING, host=host, address=literal, port=port)
        endpoint = await probe_endpoint(target, settings=settings, own=own, now=now)
        found.append(with_trust(endpoint, stores, now))
    return found


async def _addresses(host: str, port: int, server: str | None) -> list[str]:
    if _is_literal(host):
        return [host.strip("[]")]
    resolver = resolver_for([nameserver(server)], 10.0) if server else system_resolver(10.0)
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
    return found


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _host_and_port(given: str, port: int) -> tuple[str, int]:
    """ "mx1.muster.example:2525" as the lab prints it; an IPv6 address has its port in brackets."""
    host, colon, number = given.rpartition(":")
    if colon and number.isdecimal() and (":" not in host or host.endswith("]")):
        if len(number) > 5 or not 1 <= int(number) <= 65535:
            raise UsageError(
                say("The mail server's port {port} is not between 1 and 65535.", port=number)
            )
        return host, int(number)
    return given, port


def _endpoint_rows(endpoint: EndpointFacts, t: Translator) -> list[tuple[str, str]]:
    survey, auth = endpoint.survey, endpoint.client_auth
    tls = survey.tls

    def told(observation: Observation) -> str:
        reason = t.text(reason_text(observation.reason))
        answer = t.text(word(observation.answer))
        return f"{answer} ({reason}) {observation.evidence}".strip()

    rows = [
        (t("Greeting"), survey.greeting.text if survey.greeting else "–"),
        ("STARTTLS", t.text(word(endpoint.starttls))),
        (t("TLS version"), f"{tls.version} {tls.cipher} {tls.group}".strip() if tls else "–"),
        (t("Client certificate requested"), told(auth.requested)),
        (t("Client certificate demanded"), told(auth.demanded)),
        (t("Your certificate accepted"), told(auth.own_accepted)),
        (t("Foreign certificate accepted"), told(auth.foreign_accepted)),
    ]
    rows += [(t("Certificate {n}").format(n=n), c.subject) for n, c in enumerate(endpoint.chain, 1)]
    rows += [
        (t.text(say("Trust store {store}", store=s.store)), t.text(trust_text(s.reason)))
        for s in endpoint.trust
    ]
    if endpoint.name_match:
        rows.append((t("Name matches"), t("yes") if endpoint.name_match.matched else t("no")))
    if survey.evidence:
        rows.append((t("Ended with"), survey.evidence))
    return rows


def inspect(
    file: Annotated[Path, typer.Argument(help="PEM, DER, PKCS#7 or PKCS#12 file.")],
    key: Key = None,
    passphrase_env: PassphraseEnv = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Say what a certificate file holds, and whether it serves as server and as client."""
    with clear_errors(lang) as t:
        passphrase = passphrase_of(file, key, passphrase_env)
        uses = (CredentialUse.SENDING, CredentialUse.RECEIVING)
        told, _ = load_credential(file, key_path=key, passphrase=passphrase, uses=uses)
    if as_json:
        print_json(told)
    else:
        table([t("What"), t("Seen")], _credential_rows(told, t), told.label)
    raise typer.Exit(0 if told.readable.is_yes else 1)


def _credential_rows(told: CredentialFacts, t: Translator) -> list[tuple[str, str]]:
    if not told.readable.is_yes:
        return [(t("Readable"), t(told.readable.evidence))]
    rows = [(t("Format"), told.format), (t("Key present"), t("yes") if told.has_key else t("no"))]
    for number, certificate in enumerate(told.chain, 1):
        rows += [
            (t("Certificate {n}").format(n=number), certificate.subject),
            (t("Issuer"), certificate.issuer),
            (t("Valid"), f"{certificate.not_before:%Y-%m-%d} – {certificate.not_after:%Y-%m-%d}"),
            (t("Names"), ", ".join(certificate.san_dns)),
            (t("Self-signed"), t("yes") if certificate.self_signed else t("no")),
            (t("Key"), f"{certificate.key_type} {certificate.key_bits}"),
            (t("Usable as server"), t("yes") if certificate.allows("serverAuth") else t("no")),
            (t("Usable as client"), t("yes") if certificate.allows("clientAuth") else t("no")),
            ("SHA-1", certificate.sha1),
            ("SHA-256", certificate.sha256),
            ("SPKI SHA-256", certificate.spki_sha256),
        ]
    return rows
