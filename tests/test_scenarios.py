"""Each scenario of the lab fails exactly the checks it declares, and each check can fail."""

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from incamail_lib.audit.case import measure_dossier
from incamail_lib.checks import ALL_CHECKS, judge_facts
from incamail_lib.dossier import Dossier
from incamail_lib.dossier.model import Network
from incamail_lib.dossier.reading import parsed
from incamail_lib.dossier.starter import starter
from incamail_lib.facts.audit import AuditFacts, ComponentFacts
from incamail_lib.facts.dns import DnsStatus, PolicyFetch
from incamail_lib.facts.observation import Reason, no, yes
from incamail_lib.facts.routing import Hazard, Severity
from incamail_lib.findings import Outcome, Verdict
from incamail_lib.lab.scenarios import EVERY
from incamail_lib.routing.received import read_hops

# These never fail: what they miss proves nothing about the client, so it stays unknown.
NEVER_FAIL = {
    "NET05": "the dossier simply names no sending gateway",
    "NET07": "where a measurement was made is no fault of the client",
    "NET08": "where a measurement was made is no fault of the client",
    "SMTP01": "a gateway may turn us away and still serve IncaMail",
}


def measured(name: str, *, latency_s: float = 0.0) -> AuditFacts:
    """The facts of one scenario, seen over real sockets with short time limits."""
    dossier = Dossier(
        organisation="Muster AG",
        domains=("muster.example",),
        platform="lab",
        scenario=name,
        network=Network(timeout_s=1.0, ehlo_name="probe.example"),
    )
    return asyncio.run(measure_dossier(dossier, latency_s=latency_s))


def failures(facts: AuditFacts) -> dict[str, str]:
    """Failed codes with what was seen."""
    findings = judge_facts(facts, facts.measured_at).findings
    return {f.code: f.seen.english() for f in findings if f.outcome is Outcome.FAILED}


@pytest.mark.parametrize("scenario", EVERY, ids=lambda s: s.name)
def test_a_scenario_fails_exactly_what_it_declares(scenario) -> None:
    """The codes that fail are the declared ones, no more and no fewer, and so is the verdict."""
    facts = measured(scenario.name)
    seen = failures(facts)
    assert set(seen) == scenario.fails, seen
    audit = judge_facts(facts, facts.measured_at)
    assert audit.verdict is scenario.verdict, [
        f"{f.code} {f.outcome.value}: {f.seen.english()}"
        for f in audit.findings
        if f.outcome in (Outcome.FAILED, Outcome.UNKNOWN)
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("sound", "sound_tls12", "no_client_certificate", "server_only_client_certificate"),
        *("exotic_client_certificate", "demands_of_everybody", "accepts_any_certificate"),
    ],
)
def test_mutual_tls_is_judged_alike_at_a_distance(name) -> None:
    """At 50 ms the verdicts about client certificates are those at 0 ms: no refusal is missed."""
    near, far = measured(name), measured(name, latency_s=0.05)
    assert set(failures(far)) == set(failures(near))
    answers = [
        [(e.client_auth.demanded.answer, e.client_auth.own_accepted.answer) for e in group]
        for group in (near.platform_endpoints, far.platform_endpoints)
    ]
    assert answers[0] == answers[1]


@cache
def sound() -> AuditFacts:
    """The facts of the sound scenario, to be spoilt in one place."""
    return measured("sound")


def _with_endpoint(**update) -> AuditFacts:
    facts = sound()
    return facts.model_copy(update={"receiving": (facts.receiving[0].model_copy(update=update),)})


def illegible_certificate() -> AuditFacts:
    endpoint = sound().receiving[0]
    leaf = endpoint.chain[0].model_copy(update={"problem": "damaged"})
    connections = tuple(
        c.model_copy(update={"tls": c.tls.model_copy(update={"chain": (leaf,)})})
        if c.tls and c.tls.chain
        else c
        for c in endpoint.connections
    )
    return _with_endpoint(connections=connections)


def stores_that_differ() -> AuditFacts:
    trust = sound().receiving[0].trust
    other = trust[0].model_copy(update={"store": "old.pem", "reason": "unknown_root"})
    return _with_endpoint(trust=(*trust, other))


def public_but_unlogged() -> AuditFacts:
    trust = sound().receiving[0].trust
    return _with_endpoint(trust=(trust[0].model_copy(update={"public": True}),))


def public_client_authority() -> AuditFacts:
    facts = sound()
    credential = facts.credentials[0]
    trust = tuple(t.model_copy(update={"public": True}) for t in credential.trust)
    leaf = credential.chain[0].model_copy(update={"issuer_o": ("DigiCert Inc",)})
    chain = (leaf, *credential.chain[1:])
    changed = credential.model_copy(update={"trust": trust, "chain": chain})
    return facts.model_copy(update={"credentials": (changed,)})


def policy_that_forgets_an_exchanger() -> AuditFacts:
    facts = sound()
    domain = facts.dns.domains[0]
    record = domain.mta_sts.model_copy(
        update={"status": DnsStatus.FOUND, "records": ("v=STSv1; id=1",)}
    )
    policy = PolicyFetch(fetched=yes(), mode="enforce", mx_patterns=("other.example",))
    changed = domain.model_copy(update={"mta_sts": record, "mta_sts_policy": policy})
    return facts.model_copy(update={"dns": facts.dns.model_copy(update={"domains": (changed,)})})


def enforced_without_name() -> AuditFacts:
    facts = policy_that_forgets_an_exchanger()
    domain = facts.dns.domains[0]
    policy = PolicyFetch(
        fetched=yes(),
        mode="enforce",
        mx_patterns=tuple(m.host.host for m in domain.exchangers),
    )
    changed = domain.model_copy(update={"mta_sts_policy": policy})
    gateway = facts.receiving[0]
    assert gateway.name_match is not None
    match = gateway.name_match.model_copy(update={"matched": False})
    wrong = gateway.model_copy(update={"name_match": match})
    dns = facts.dns.model_copy(update={"domains": (changed,)})
    return facts.model_copy(update={"dns": dns, "receiving": (wrong, *facts.receiving[1:])})


def caa_of_another_authority() -> AuditFacts:
    facts = public_but_unlogged()
    gateway = facts.receiving[0]
    leaf = gateway.chain[0].model_copy(update={"issuer_o": ("DigiCert Inc",)})
    connections = tuple(
        c.model_copy(update={"tls": c.tls.model_copy(update={"chain": (leaf,)})})
        if c.tls and c.tls.chain
        else c
        for c in gateway.connections
    )
    changed = gateway.model_copy(update={"connections": connections})
    return facts.model_copy(update={"receiving": (changed,)})


def silent_ipv6() -> AuditFacts:
    facts = sound()
    endpoint = facts.receiving[0]
    survey = endpoint.survey.model_copy(update={"reached": None, "ended": Reason.REFUSED})
    target = endpoint.target.model_copy(update={"address": "::1"})
    v6 = endpoint.model_copy(update={"target": target, "connections": (survey,)})
    return facts.model_copy(update={"receiving": (endpoint, v6)})


def blocked_port() -> AuditFacts:
    vantage = sound().vantage.model_copy(update={"port_25": no(Reason.NOT_SEEN, "4")})
    return sound().model_copy(update={"vantage": vantage})


def _with_hazard(probe: bool, code: str, severity: Severity) -> AuditFacts:
    """A hazard on the first route of a probe, or of a sample of the client's own."""
    facts = sound()
    message = next(m for m in facts.routing if m.routes)
    hazard = Hazard(code=code, severity=severity, detail="300")
    route = message.routes[0].model_copy(update={"hazards": (hazard,)})
    changes = {"routes": (route,)} if probe else {"routes": (route,), "probe": None}
    changed = message.model_copy(update=changes)
    return facts.model_copy(update={"routing": (*facts.routing, changed)})


def lookalike_selected() -> AuditFacts:
    facts = sound()
    routing = tuple(
        m.model_copy(
            update={"routes": tuple(r.model_copy(update={"to_incamail": True}) for r in m.routes)}
        )
        for m in facts.routing
    )
    return facts.model_copy(update={"routing": routing})


def without_protection() -> AuditFacts:
    endpoint = sound().receiving[0]
    survey = endpoint.survey
    assert survey.tls is not None
    tls = survey.tls.model_copy(update={"version": "TLSv1.2", "secure_renegotiation": False})
    changed = survey.model_copy(update={"tls": tls})
    return _with_endpoint(connections=(changed, *endpoint.connections[1:]))


def inner_way_in_clear() -> AuditFacts:
    facts = sound()
    line = b"Received: from exch.local ([10.0.0.8]) by gw.local (Postfix) with SMTP id 1; x\n\n"
    parts = tuple(
        ComponentFacts(key=key, present=True, hosts=(host,))
        for key, host in (("mail_gateway", "gw.local"), ("mail_server", "exch.local"))
    )
    declared = facts.declared.model_copy(update={"components": parts})
    return facts.model_copy(update={"declared": declared, "hops": (read_hops(line, "m"),)})


SPOILT: dict[str, Callable[[], AuditFacts]] = {
    "CERT01": illegible_certificate,
    "CERT05": stores_that_differ,
    "CERT16": public_but_unlogged,
    "CERT24": public_client_authority,
    "DNS13": policy_that_forgets_an_exchanger,
    "DNS21": enforced_without_name,
    "DNS22": caa_of_another_authority,
    "NET03": silent_ipv6,
    "NET09": blocked_port,
    "NET10": inner_way_in_clear,
    "ROUT11": lookalike_selected,
    "TLS16": without_protection,
    "ROUT13": lambda: _with_hazard(True, "too_long", Severity.WARNING),
    "ROUT14": lambda: _with_hazard(False, "tag_without_suffix", Severity.LEAK),
}


@pytest.mark.parametrize("code", SPOILT)
def test_what_the_lab_cannot_show_fails_on_spoilt_facts(code) -> None:
    """A check that one loopback address cannot make fail does so when the facts are changed."""
    assert code not in failures(sound())
    assert code in failures(SPOILT[code]())


def test_every_check_is_failed_somewhere() -> None:
    """Each check fails in a scenario or on spoilt facts, or is known never to fail, and why."""
    in_scenarios = frozenset().union(*(s.fails for s in EVERY))
    codes = {check.code for check in ALL_CHECKS}
    assert in_scenarios <= codes
    assert codes - in_scenarios == set(SPOILT) | set(NEVER_FAIL)


def test_no_message_is_ever_sent(tmp_path) -> None:
    """Nothing that the audit does to a gateway names a recipient or hands over a message."""
    from incamail_lib.audit import measure
    from incamail_lib.audit.case import plan_on_lab
    from incamail_lib.lab import SCENARIOS, run

    async def commands() -> tuple[str, ...]:
        dossier = Dossier(organisation="Muster AG", domains=("muster.example",), platform="lab")
        async with run(SCENARIOS["sound"], domains=dossier.domains, directory=tmp_path) as running:
            await measure(plan_on_lab(dossier, running))
            return tuple(c for g in running.gateways.values() for c in g.commands)

    sent = {command.split()[0].upper() for command in asyncio.run(commands())}
    assert sent <= {"EHLO", "STARTTLS", "MAIL", "RSET", "NOOP", "QUIT"}
    assert "MAIL" in sent


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("", Verdict.READY),  # as a new dossier has it: the lab's own rule
        ("routing: {method: domain}", Verdict.READY),
        (
            "routing: {method: domain, engine: postfix_table, suffix_key: '*.incamail.ch'}",
            Verdict.INCONCLUSIVE,  # the key selects nothing, and a default relay may take the mail
        ),
    ],
)
def test_a_new_dossier_is_run_by_the_labs_mail_server(line: str, verdict: Verdict) -> None:
    """What it leaves open about the mail server comes from the lab; what it says of it counts."""
    text = starter(
        organisation="Muster AG", domains=["muster.example"], language="en", scenario="sound"
    )
    assert "\nrouting:" not in text
    dossier = parsed(f"{text}\n{line}\n", Path("muster.yaml")).dossier
    facts = asyncio.run(measure_dossier(dossier))
    assert judge_facts(facts, facts.measured_at).verdict is verdict
