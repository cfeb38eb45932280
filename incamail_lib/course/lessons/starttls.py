"""Lesson 6, STARTTLS stripped, masked, refused: what the library is asked. See starttls.toml."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

from incamail_lib.course.arriving import arriving
from incamail_lib.course.bench import Bench, NotMeasured
from incamail_lib.course.changes import gateway, no_change, sending
from incamail_lib.course.exercises import Change, Material
from incamail_lib.course.reading import Asked, read
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import SmtpFacts, Stage
from incamail_lib.findings import Audit, Outcome
from incamail_lib.i18n import N_, Text, say
from incamail_lib.lab import SCENARIOS
from incamail_lib.lab.pki import INTERCEPTOR_ORGANISATION, PLATFORM_ORGANISATION, Variant
from incamail_lib.lab.plan import Greeting
from incamail_lib.lab.scenario import as_is, asking, both, changing, showing
from incamail_lib.lab.scenarios.platform import imitated, intercepted
from incamail_lib.lab.scenarios.starttls import IN_CLEAR, inspected, vanishing

_MASKED = "starttls_masked"
_TRIES = 3
_ENCRYPTION = frozenset({"SMTP02", "SMTP03"})
_IDENTITY = frozenset({"PLAT02", "PLAT03", "PLAT06"})
_FATES = {"encrypted": N_("encrypted"), "clear": N_("in clear"), "none": N_("not at all")}


def _measured(bench: Bench, scenario: str) -> Audit:
    """The audit of a scenario. Errors: NotMeasured where the gateway did not answer in time."""
    audit = bench.audit(SCENARIOS[scenario])
    if any(endpoint.survey.ended is Reason.TIMEOUT for endpoint in audit.facts.receiving):
        raise NotMeasured
    return audit


def _connections(bench: Bench, scenario: str) -> tuple[SmtpFacts, ...]:
    """What the probe saw at the receiving gateway."""
    return _measured(bench, scenario).facts.receiving[0].connections


def _transcript(connection: SmtpFacts, *, until: Stage = Stage.QUIT) -> tuple[str, ...]:
    """A dialogue up to a stage, as RFCs write it: C calls, S answers."""
    stages = list(Stage)[: list(Stage).index(until) + 1]
    return tuple(
        f"{who}: {line}"
        for exchange in connection.transcript
        if exchange.stage in stages
        for who, said in (("C", exchange.sent), ("S", exchange.received))
        for line in said.splitlines()
    )


def _twice(bench: Bench) -> tuple[str, ...]:
    """Two connections to one address, one after the other, up to the answer to EHLO."""
    talks = _connections(bench, "starttls_vanishes")[:2]
    if any(talk.capabilities is None for talk in talks) or len(talks) < 2:
        raise NotMeasured
    one, two = (_transcript(talk, until=Stage.EHLO) for talk in talks)
    return ("1.", *one, "2.", *two)


def patiently(lines: Material) -> Material:
    """Lines that are measured anew where this computer was too busy: a page is shown whatever
    happens, at worst without them."""

    def found(bench: Bench) -> tuple[str, ...]:
        for _ in range(_TRIES):
            with suppress(NotMeasured):
                return lines(bench)
        return ("…",)

    return found


def _order(bench: Bench) -> tuple[str, ...]:
    """The stages of a sound dialogue, as the probe went through them."""
    wanted = ("greeting", "ehlo", "starttls", "handshake", "ehlo_in_tls", "mail")
    survey = _connections(bench, "sound")[0]
    met = [str(exchange.stage) for exchange in survey.transcript]
    if not set(wanted) <= set(met):
        raise NotMeasured
    return tuple(stage for stage in met if stage in wanted)


def _is_the_devices(bench: Bench, line: str) -> bool:
    """Whether the gateway itself, with nothing in front of it, says nothing of the kind."""
    survey = _connections(bench, "sound")[0]
    if survey.capabilities is None:
        raise NotMeasured
    own = {said[len("S: 250-") :] for said in _transcript(survey)}
    return line[len("250-") :] not in own


def _arrive(bench: Bench, fates: tuple[str, str]) -> bool:
    seen = arriving(bench, _MASKED)
    return (seen.ordinary.fate, seen.secure.fate) == fates


def _arrived(bench: Bench) -> tuple[Text, ...]:
    seen = arriving(bench, _MASKED)
    shop, secure = (Text(template=_FATES[m.fate]) for m in (seen.ordinary, seen.secure))
    return (
        say("From the shop: {fate}. Its log: {log}", fate=shop, log=seen.ordinary.log),
        say("From IncaMail: {fate}. Its log: {log}", fate=secure, log=seen.secure.log),
    )


@cache  # the bench measures anew what stayed unknown, which here is the answer
def _proves(bench: Bench, scenario: str) -> bool:
    found = _measured(bench, scenario).findings
    return any(f.code in _ENCRYPTION and f.outcome is Outcome.FAILED for f in found)


def _is_incamail(bench: Bench, change: Change) -> bool:
    found = bench.audit(change(SCENARIOS["sound"])).findings
    outcomes = {finding.outcome for finding in found if finding.code in _IDENTITY}
    if Outcome.UNKNOWN in outcomes and Outcome.FAILED not in outcomes:
        raise NotMeasured
    return Outcome.FAILED not in outcomes


STARTTLS = read(
    "starttls",
    {
        "order": Asked(order=_order),
        "mask": Asked(
            holds=_is_the_devices,
            values={
                "greeting": "220 ****************************************",
                "name": "250-mx1.muster.example",
                "pipelining": "250-PIPELINING",
                "size": "250-SIZE 52428800",
                "mask": "250-XXXXXXXA",
                "eight": "250 8BITMIME",
            },
        ),
        "monday": Asked(
            holds=_arrive,
            proof=_arrived,
            values={
                "apart": ("clear", "none"),
                "encrypted": ("encrypted", "encrypted"),
                "clear": ("clear", "clear"),
                "neither": ("none", "none"),
            },
        ),
        "firewall": Asked(
            values={
                "let": gateway(as_is),
                "switch": no_change(),
                "greeting": gateway(both(inspected, changing(greeting=Greeting()))),
                "certificate": gateway(both(inspected, showing(Variant.RSA))),
            },
        ),
        "proof": Asked(
            holds=_proves,
            values={
                "missing": "starttls_missing",
                "refused": "starttls_refused",
                "later": "greylisting",
                "busy": "busy",
                "reset": "reset",
            },
        ),
        "refused": Asked(
            material=patiently(
                lambda bench: _transcript(_connections(bench, "starttls_refused")[0])
            ),
            values={
                "key": gateway(as_is),
                "hide": gateway(changing(capabilities=IN_CLEAR)),
                "firewall": no_change(),
                "own": gateway(showing(Variant.SELF_SIGNED)),
            },
        ),
        "machines": Asked(
            material=patiently(_twice),
            values={
                "alike": gateway(as_is),
                "again": no_change(),
                "off": gateway(changing(capabilities=IN_CLEAR)),
                "certificate": gateway(both(showing(Variant.RSA), vanishing)),
            },
        ),
        "who": Asked(
            holds=_is_incamail,
            values={
                "renewed": sending(fingerprint_sha1="00" * 20),
                "device": sending(platform=intercepted),
                "claimed": sending(platform=imitated),
                "own": sending(
                    platform=showing(Variant.SELF_SIGNED, organisation=PLATFORM_ORGANISATION)
                ),
            },
        ),
        "between": Asked(
            values={
                "exempt": sending(platform=as_is),
                "trusted": sending(
                    platform=both(
                        intercepted, showing(Variant.BOTH, organisation=INTERCEPTOR_ORGANISATION)
                    )
                ),
                "name": sending(platform=imitated),
                "shown": sending(platform=both(intercepted, asking())),
            },
        ),
    },
)
