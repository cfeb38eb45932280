"""route: where one message goes, answered at the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.audit.messages import read_message
from incamail_lib.cli._console import Styled, clear_errors, out, print_json, table
from incamail_lib.cli._options import Json, Lang
from incamail_lib.errors import UsageError
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
from incamail_lib.guide import load_platform
from incamail_lib.i18n import N_, Text, Translator, say
from incamail_lib.report.words import word
from incamail_lib.routing import classify, classify_message
from incamail_lib.routing.engine import key_is_open

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
    if dossier is None:
        hop = NextHop(kind=NextHopKind.SMART_HOST, value=platform.smart_host.value)
        usual = RuleSet(method=Method.DOMAIN, next_hop=hop, suffix=platform.suffix.value)
        return usual.model_copy(update=dict(said)), ()
    from incamail_lib.dossier import read_dossier  # late: most questions need none

    declared = read_dossier(dossier).declared(platform)
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
