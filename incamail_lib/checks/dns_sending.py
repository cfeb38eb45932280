"""DNS: who may send in the client's name – SPF and DMARC, evaluated as a receiver does."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from incamail_lib.checks._advice import ASK_AGAIN, OLDER_FACTS, ONLY_ONE_RECORD, SENDING_ADDRESS
from incamail_lib.checks._core import (
    Context,
    Result,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._dns import exactly_one, no_answer
from incamail_lib.checks._subjects import domains
from incamail_lib.checks.words import joined
from incamail_lib.facts.dns import DnsStatus, DomainFacts
from incamail_lib.findings import Level
from incamail_lib.i18n import N_, Text, say, say_n
from incamail_lib.mailpolicy.dmarc import Dmarc, DmarcFault, discover, walk
from incamail_lib.mailpolicy.senders import published, sending_addresses
from incamail_lib.mailpolicy.spf import (
    MAX_LOOKUPS,
    TEMPORARY,
    Ask,
    SpfFault,
    SpfProblem,
    SpfResult,
    check_host,
    recorded,
)
from incamail_lib.mailpolicy.spf_macros import Sender
from incamail_lib.mailpolicy.spf_survey import SpfSurvey, survey

_SHOWN = 4  # problems told at once


@check(
    "DNS11",
    on=domains,
    passes=N_("One SPF record is published"),
    fails=N_("No SPF record is published"),
    asks=N_("Is exactly one SPF record published?"),
    why=N_("SPF tells receivers which servers may send for the domain; two records void it."),
    remedy=N_("Publish exactly one TXT record that begins with v=spf1."),
    clarify=ASK_AGAIN,
    item="6.8",
    reference="RFC 7208 §3.2, §4.5",
    leg=None,
    level=Level.RECOMMENDED,
    requires=("DNS01",),
)
def spf_is_published(domain: DomainFacts, _: Context) -> Result:
    """Exactly one v=spf1 record."""
    return exactly_one(domain.spf, several=N_("Several SPF records make each other void"))


def _ask(domain: DomainFacts) -> Ask:
    return recorded(domain.domain, domain.spf, domain.spf_answers or ())


@check(
    "DNS18",
    on=domains,
    passes=N_("The SPF record can be evaluated"),
    fails=N_("Receivers cannot evaluate the SPF record"),
    asks=N_("Can the SPF record be evaluated?"),
    why=N_(
        "A receiver that cannot evaluate the record ends with an error (permerror): then no server "
        "counts as allowed, and mail is refused or marked as suspect."
    ),
    remedy=N_(
        "Correct the named term. Against too many look-ups, remove senders that are no longer used "
        "or enter their addresses with ip4 and ip6."
    ),
    clarify=ASK_AGAIN,
    item="6.8",
    reference="RFC 7208 §4.6, §5.2, §6.1",
    leg=None,
    level=Level.RECOMMENDED,
    requires=("DNS11",),
)
def spf_can_be_evaluated(domain: DomainFacts, _: Context) -> Result:
    """The record, with all that it includes, ends in no permerror for any sender."""
    if domain.spf_answers is None:
        return unknown(
            say("What the record leads to was not looked up at that time."), remedy=say(OLDER_FACTS)
        )
    found = survey(domain.domain, _ask(domain))
    lasting = [p for p in found.problems if p.fault not in TEMPORARY]
    if lasting:
        reasons = _sentences([_problem_text(p) for p in _gravest_first(lasting)[:_SHOWN]])
        return failed(say("Receivers end with an error (permerror). {reasons}", reasons=reasons))
    if found.problems:
        return _not_evaluated(found.problems[0])
    return passed(
        say_n(
            "{n} look-up of the {limit} allowed.",
            "{n} look-ups of the {limit} allowed.",
            found.lookups,
            limit=MAX_LOOKUPS,
        )
    )


def _gravest_first(problems: Sequence[SpfProblem]) -> list[SpfProblem]:
    limits = (SpfFault.TOO_MANY_LOOKUPS, SpfFault.TOO_MANY_VOIDS)
    return sorted(problems, key=lambda p: p.fault not in limits)


def _sentences(texts: Sequence[Text]) -> Text:
    template = " ".join(f"{{t{n}}}" for n in range(len(texts)))
    return Text(template=template, values={f"t{n}": text for n, text in enumerate(texts)})


def _problem_text(problem: SpfProblem) -> Text:
    templates = {
        SpfFault.SYNTAX: N_(
            "The record of {domain} has a term that SPF does not know or allow: «{detail}»."
        ),
        SpfFault.SEVERAL_RECORDS: N_("{domain} publishes {detail} SPF records side by side."),
        SpfFault.NO_RECORD: N_(
            "The record of {domain} refers to {detail}, which publishes no SPF record."
        ),
        SpfFault.TOO_MANY_LOOKUPS: N_("{detail} look-ups are needed; 10 are allowed."),
        SpfFault.TOO_MANY_VOIDS: N_("{detail} look-ups find nothing; 2 are allowed."),
        SpfFault.TOO_MANY_EXCHANGERS: N_(
            "«{detail}» in the record of {domain} leads to more than 10 mail exchangers."
        ),
        SpfFault.LOOP: N_("The record of {domain} leads back to {detail}."),
        SpfFault.NO_ANSWER: N_("Not everything that the record leads to was looked up."),
        SpfFault.CUT: N_("The answer for {domain} was too long to be kept whole."),
    }
    return _filled(templates[problem.fault], problem.domain, problem.detail)


def _filled(template: str, domain: str, detail: str) -> Text:
    """A template with those of the two values that it names."""
    values = {"domain": domain, "detail": detail}
    return Text(
        template=template, values={k: v for k, v in values.items() if f"{{{k}}}" in template}
    )


def _not_evaluated(problem: SpfProblem) -> Result:
    """Something on the way gave no answer: what a receiver calls temperror."""
    answer = problem.answer
    if answer is not None and answer.is_failure:
        seen = no_answer(answer).seen
    else:
        seen = _problem_text(problem)
    return unknown(say("It could not be evaluated to the end (temperror). {reason}", reason=seen))


@check(
    "DNS19",
    on=domains,
    passes=N_("The SPF record refuses servers that it does not name"),
    fails=N_("The SPF record does not refuse servers that it does not name"),
    asks=N_("Does the SPF record refuse servers that it does not name?"),
    why=N_("A record that lets everybody send, or leaves the rest open, protects from nothing."),
    remedy=N_("End the record with ~all or -all, and remove what lets everybody send."),
    clarify=ASK_AGAIN,
    item="6.8",
    reference="RFC 7208 §4.7, §5.1",
    leg=None,
    level=Level.RECOMMENDED,
    requires=("DNS11",),
)
def spf_refuses_others(domain: DomainFacts, _: Context) -> Result:
    """The record ends with -all or ~all, itself or by redirect, and nothing before lets all in.

    An included record that gave no answer might let everybody send: the question stays open.
    """
    found = survey(domain.domain, _ask(domain))
    if found.open_by:
        return failed(say("«{term}» lets everybody send.", term=found.open_by))
    unread = [p for p in _temporary(found) if p.answer is None or p.answer.type == "TXT"]
    if unread:
        return _not_evaluated(unread[0])
    if not found.ending:
        return _without_all(found)
    if found.ending == "?":
        return failed(say("«?all» says nothing about other servers."), level=Level.INFO)
    return passed(say("It ends with «{ending}».", ending=f"{found.ending}all"))


def _temporary(found: SpfSurvey) -> list[SpfProblem]:
    return [p for p in found.problems if p.fault in TEMPORARY]


def _without_all(found: SpfSurvey) -> Result:
    passing = _temporary(found)
    if passing:
        return _not_evaluated(passing[0])
    if found.ending is None:
        return unknown(
            say("The record cannot be evaluated, so its end is not known."),
            remedy=say("First make the record one that can be evaluated, then measure again."),
        )
    return failed(say("It does not end with «all»: about other servers it says nothing."))


@check(
    "DNS20",
    on=domains,
    passes=N_("The SPF record covers your sending gateways"),
    fails=N_("The SPF record does not cover all your sending gateways"),
    asks=N_("Does the SPF record cover your sending gateways?"),
    why=N_("Receivers distrust or refuse mail from addresses that the record does not allow."),
    remedy=N_("Add the addresses of the sending gateways to the SPF record."),
    clarify=ASK_AGAIN,
    item="6.8",
    reference="RFC 7208 §4",
    leg=None,
    level=Level.RECOMMENDED,
    requires=("DNS11", "DNS18"),
)
def spf_covers_senders(domain: DomainFacts, context: Context) -> Result:
    """Each public address of each declared sending gateway gets the result "pass"."""
    gateways = context.facts.declared.sending
    if not gateways:
        return not_applicable(say("The dossier names no sending gateway."))
    hosts = {h.host: h for h in context.facts.dns.hosts}
    pairs = sending_addresses(gateways, hosts)
    results = {a: _result(domain, a, host) for a, host in pairs}
    refused = [f"{a} ({r.value})" for a, r in results.items() if r in _REFUSED]
    if refused:
        return failed(say("Not covered: {addresses}.", addresses=joined(refused)))
    if SpfResult.TEMPERROR in results.values():
        return unknown(say("The look-ups for SPF were not complete (temperror)."))
    for gateway in gateways:
        host = hosts.get(gateway.host)
        silent = [x for x in (host.a, host.aaaa) if x.is_failure] if host else []
        if not gateway.addresses and silent:
            return no_answer(silent[0])
        if not any(of == gateway.host for _, of in pairs):
            return _no_public_address(gateway.host, gateway.addresses or published(host))
    return passed(say("Covered: {addresses}.", addresses=joined(list(results))))


_REFUSED = frozenset(SpfResult) - {SpfResult.PASS, SpfResult.TEMPERROR}


def _result(domain: DomainFacts, address: str, host: str) -> SpfResult:
    sender = Sender(ipaddress.ip_address(address), f"postmaster@{domain.domain}", host)
    return check_host(domain.domain, sender, _ask(domain)).result


def _no_public_address(host: str, inner: tuple[str, ...]) -> Result:
    if inner:
        return unknown(
            say(
                "Only inner addresses of {host} are known ({addresses}); SPF is about public ones.",
                host=host,
                addresses=joined(inner),
            ),
            remedy=say(SENDING_ADDRESS),
        )
    return unknown(
        say("No address of {host} is published.", host=host), remedy=say(SENDING_ADDRESS)
    )


@check(
    "DNS12",
    on=domains,
    passes=N_("A DMARC policy is published"),
    fails=N_("No valid DMARC policy is published"),
    asks=N_("Is a DMARC policy published?"),
    why=N_("DMARC protects the domain from being forged, and recipients from false IncaMails."),
    remedy=N_("Publish a DMARC record; begin with p=none and read the reports."),
    clarify=ASK_AGAIN,
    item="6.8",
    reference="RFC 9989 §4.7, §4.10",
    leg=None,
    level=Level.RECOMMENDED,
    requires=("DNS01",),
)
def dmarc_is_published(domain: DomainFacts, _: Context) -> Result:
    """A valid policy applies: of the domain itself, or of a domain above it."""
    names = walk(domain.domain)
    if domain.dmarc_walk is None or len(domain.dmarc_walk) != len(names):
        found = discover((domain.dmarc,), names[:1])
        if found.fault is DmarcFault.ABSENT:
            return unknown(
                say("No such record is published; the domains above were not asked."),
                remedy=say(OLDER_FACTS),
            )
    else:
        found = discover(domain.dmarc_walk, names)
    if found.fault is not None:
        return _without_policy(found)
    if found.domain == domain.domain:
        return passed(say("{record}", record=found.record))
    return passed(
        say(
            "{tag}={policy} applies, from the record of {domain}.",
            tag=found.tag,
            policy=found.policy,
            domain=found.domain,
        )
    )


def _without_policy(found: Dmarc) -> Result:
    answer = found.answer
    if found.fault is DmarcFault.NO_ANSWER and answer is not None:
        bad_name = answer.status is DnsStatus.BAD_NAME
        return failed(say(_FAULTS[DmarcFault.ABSENT])) if bad_name else no_answer(answer)
    fault = found.fault or DmarcFault.ABSENT
    template = _FAULTS[fault]
    if fault is DmarcFault.INVALID and found.policy:
        template = _COUNTS_AS_NONE
    seen = _filled(template, found.domain, found.detail)
    if fault is DmarcFault.CUT:
        return unknown(seen)
    mending = _MENDING.get(fault)
    return failed(seen, remedy=say(mending) if mending else None)


_MENDING = {
    DmarcFault.SEVERAL: ONLY_ONE_RECORD,
    DmarcFault.MISSPELT: N_("Let the record begin with v=DMARC1, with DMARC in capitals."),
    DmarcFault.INVALID: N_("Give the record a valid policy: p=none, p=quarantine or p=reject."),
}


_FAULTS = {
    DmarcFault.ABSENT: N_("No such record is published."),
    DmarcFault.CUT: N_("The answer for {domain} was too long to be kept whole."),
    DmarcFault.SEVERAL: N_(
        "{detail} records stand side by side at {domain}; receivers ignore all of them."
    ),
    DmarcFault.MISSPELT: N_("«{detail}» is not a DMARC record: it must begin with v=DMARC1."),
    DmarcFault.INVALID: N_(
        "The record of {domain} has no valid policy ({detail}); receivers ignore it."
    ),
}
_COUNTS_AS_NONE = N_(
    "The record of {domain} has no valid policy ({detail}); receivers take it for p=none."
)  # RFC 9989 §4.10.1
