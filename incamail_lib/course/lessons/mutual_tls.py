"""Lesson 5, mutual TLS: what the library is asked. The texts stand in mutual_tls.toml."""

from __future__ import annotations

from collections.abc import Iterable

from incamail_lib.checks.words import stage_text
from incamail_lib.course.bench import Bench
from incamail_lib.course.changes import gateway, no_change
from incamail_lib.course.handshake import Step, steps
from incamail_lib.course.reading import Asked, read
from incamail_lib.facts.smtp import Alert, Purpose, SmtpFacts, Stage, TlsFacts
from incamail_lib.i18n import N_, Text, say
from incamail_lib.lab import SCENARIOS
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.plan import Judged, Refusal, Version
from incamail_lib.lab.scenario import as_is, asking, both, speaking
from incamail_lib.probe.tls import ALERTS
from incamail_lib.report.telling import present

_TOLD = (40, 42, 43, 45, 48, 116)  # the alerts by which certificates are refused


def _to_incamail(bench: Bench, purpose: Purpose, scenario: str = "sound") -> SmtpFacts:
    """A connection to IncaMail's first gateway. A survey shows no certificate at all, whatever
    lies in the file: it is the sending gateway whose file is empty."""
    endpoint = bench.audit(SCENARIOS[scenario]).facts.platform_endpoints[0]
    return next(c for c in endpoint.connections if c.purpose is purpose)


def _tls(connection: SmtpFacts) -> TlsFacts:
    assert connection.tls is not None, connection.evidence
    return connection.tls


def _shown(bench: Bench, who: tuple[bool, bool]) -> bool:
    tls = _tls(_to_incamail(bench, Purpose.OWN_CERTIFICATE))
    return (bool(tls.chain), tls.certificate_sent is True) == who


def _who_showed(bench: Bench) -> tuple[Text, ...]:
    tls = _tls(_to_incamail(bench, Purpose.OWN_CERTIFICATE))
    return (
        say("IncaMail's gateway showed: {name}", name=tls.chain[0].name),
        say(
            "It asked for a certificate: {answer}", answer=present(tls.certificate_requested.is_yes)
        ),
        say("The certificate in the file was sent: {answer}", answer=present(tls.certificate_sent)),
    )


def _stranger(bench: Bench, version: Version) -> tuple[Step, ...]:
    return steps(bench.now, Variant.EXOTIC, version)


def _older(bench: Bench) -> tuple[Text, ...]:
    """The same refusal in the older version, where the handshake never becomes complete."""
    return tuple(
        say("{version}: {steps}", version=v.value, steps=_in_a_row(_words(_stranger(bench, v))))
        for v in (Version.TLS_1_3, Version.TLS_1_2)
    )


_STEPS = {
    Step.HELLO: N_("hello"),
    Step.SERVER: N_("IncaMail's certificate"),
    Step.CLIENT: N_("the gateway's certificate"),
    Step.DONE: N_("complete"),
    Step.VERDICT: N_("the verdict: an alert"),
}


def _words(seen: Iterable[Step]) -> Iterable[Text]:
    return (Text(template=_STEPS[step]) for step in seen)


def _in_a_row(texts: Iterable[Text]) -> Text:
    named = {f"t{n}": text for n, text in enumerate(texts)}
    return Text(template=" → ".join(f"{{{name}}}" for name in named), values={**named})


def _ends_so(bench: Bench, end: tuple[bool, int | None, Stage | None]) -> bool:
    tls = _tls(_to_incamail(bench, Purpose.SURVEY))
    alert = tls.alert
    return (tls.established, alert and alert.number, alert and alert.stage) == end


def _both_ends(bench: Bench) -> tuple[Text, ...]:
    newer = _tls(_to_incamail(bench, Purpose.SURVEY))
    older = _tls(_to_incamail(bench, Purpose.SURVEY, "sound_tls12"))
    return tuple(
        say(
            "{version}: handshake complete: {answer}; then {alert}",
            version=tls.version,
            answer=present(tls.established),
            alert=_alert(tls.alert),
        )
        for tls in (newer, older)
    )


def _alert(seen: Alert | None) -> str:
    return f"alert {seen.number} {seen.name}" if seen else "–"


def _proves(bench: Bench, stage: Stage) -> bool:
    """Whether one gets so far with a certificate, and not without any."""
    own = _to_incamail(bench, Purpose.OWN_CERTIFICATE)
    nobody = _to_incamail(bench, Purpose.SURVEY)
    return _got_through(own, stage) and not _got_through(nobody, stage)


def _got_through(connection: SmtpFacts, stage: Stage) -> bool:
    if stage is Stage.HANDSHAKE:
        return _tls(connection).established
    return any(line.stage is stage and line.received for line in connection.transcript)


def _without(bench: Bench) -> tuple[Text, ...]:
    """How far somebody gets who shows no certificate."""
    nobody = _to_incamail(bench, Purpose.SURVEY)
    reached = [line.stage for line in nobody.transcript if _got_through(nobody, line.stage)]
    way = _in_a_row(stage_text(stage) for stage in reached)
    told = say("Without a certificate one gets as far as: {stages}", stages=way)
    return told, say("Then: {alert}", alert=_alert(_tls(nobody).alert))


def _number(bench: Bench) -> str:
    """The alert by which IncaMail refuses an authority that it does not know."""
    refused = _to_incamail(bench, Purpose.OWN_CERTIFICATE, "exotic_client_certificate")
    alert = _tls(refused).alert
    assert alert is not None, refused.evidence
    return str(alert.number)


_DEMANDING = asking(required=True)
_TLS_1_2 = speaking(maximum=Version.TLS_1_2)

MUTUAL_TLS = read(
    "mutual_tls",
    {
        "shown": Asked(
            holds=_shown,
            proof=_who_showed,
            values={
                "both": (True, True),
                "server": (True, False),
                "client": (False, True),
                "none": (False, False),
            },
        ),
        "late": Asked(
            holds=_ends_so,
            proof=_both_ends,
            values={
                "late": (True, 116, Stage.EHLO_IN_TLS),
                "handshake": (False, 40, Stage.HANDSHAKE),
                "let_in": (True, None, None),
                "cut": (False, None, None),
            },
        ),
        "order": Asked(
            order=lambda bench: tuple(step.value for step in _stranger(bench, Version.TLS_1_3)),
            proof=_older,
        ),
        "proof": Asked(
            holds=_proves,
            proof=_without,
            values={
                "greeting": Stage.GREETING,
                "starttls": Stage.STARTTLS,
                "handshake": Stage.HANDSHAKE,
                "ehlo": Stage.EHLO_IN_TLS,
                "mail": Stage.MAIL,
            },
        ),
        "alert": Asked(
            material=lambda _: tuple(f"{n}  {ALERTS[n]}" for n in _TOLD),
            truth=_number,
        ),
        "not_asked": Asked(
            values={
                "ask": gateway(as_is),
                "unasked": no_change(),
                "demand": gateway(_DEMANDING),
                "newer": gateway(speaking(client=None, minimum=Version.TLS_1_3)),
            },
        ),
        "everybody": Asked(
            values={
                "ask_only": gateway(as_is),
                "off": gateway(speaking(client=None)),
                "politely": gateway(asking(required=True, refusal=Refusal.AT_EHLO)),
                "older": gateway(both(_DEMANDING, _TLS_1_2)),
            },
        ),
        "any": Asked(
            values={
                "verify": gateway(as_is),
                "list": no_change(),
                "demand": gateway(asking(required=True, judged=Judged.NOTHING)),
                "off": gateway(speaking(client=None)),
            },
        ),
    },
)
