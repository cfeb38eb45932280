"""The truth about client certificates, row by row, near and far, with both TLS back-ends."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from probe.served import (
    BACKENDS,
    EVERYTHING,
    FOREIGN,
    OWN,
    SERVER_ONLY,
    asking,
    plan,
    probed,
    settings,
    speaking,
)

from incamail_lib.certificate import Credential
from incamail_lib.facts.observation import Answer, Reason
from incamail_lib.facts.smtp import Purpose, Stage
from incamail_lib.lab.plan import GatewayPlan, Judged, Refusal, Version

REQUIRED = asking(required=True)
ONLY_12 = (Version.TLS_1_2, Version.TLS_1_2)
ONLY_13 = (Version.TLS_1_3, Version.TLS_1_3)
# Every connection that says something about client certificates.
ASKED = EVERYTHING - {Purpose.OTHER_KEY, Purpose.LEGACY_TLS, Purpose.INJECTION}
YES, NO, OPEN = Answer.YES, Answer.NO, Answer.INCONCLUSIVE


@dataclass(frozen=True)
class Row:
    """A gateway, the certificate shown to it, and the one right answer to each question."""

    name: str
    plan: GatewayPlan
    requested: Answer
    demanded: Answer
    demanded_in: Stage | None
    own: Answer
    foreign: Answer
    verified: Answer
    alerts: tuple[int, ...] = ()  # without, with own, with foreign: those that came
    shown: Credential = OWN
    named: int = 2  # authorities in the request


TLS_13, TLS_12, MAIL = Stage.EHLO_IN_TLS, Stage.HANDSHAKE, Stage.MAIL
ROWS = (
    Row("not_asked", plan(), NO, NO, None, OPEN, OPEN, OPEN, named=0),
    Row("optional", plan(asking()), YES, NO, None, YES, NO, YES, (48,)),
    Row("required", plan(REQUIRED), YES, YES, TLS_13, YES, NO, YES, (116, 48)),
    Row(
        "required_13_only",
        speaking(*ONLY_13, REQUIRED),
        *(YES, YES, TLS_13, YES, NO, YES, (116, 48)),
    ),
    Row(
        "required_12_only",
        speaking(*ONLY_12, REQUIRED),
        *(YES, YES, TLS_12, YES, NO, YES, (40, 48)),
    ),
    Row("optional_12_only", speaking(*ONLY_12, asking()), YES, NO, None, YES, NO, YES, (48,)),
    Row(
        "required_empty_list",
        plan(replace(REQUIRED, names_its_cas=False)),
        *(YES, YES, TLS_13, YES, NO, YES, (116, 48)),
        named=0,
    ),
    Row(
        "required_12_empty_list",
        speaking(*ONLY_12, replace(REQUIRED, names_its_cas=False)),
        *(YES, YES, TLS_12, YES, NO, YES, (40, 48)),
        named=0,
    ),
    Row(
        "any_will_do",
        plan(replace(REQUIRED, judged=Judged.NOTHING)),
        *(YES, YES, TLS_13, YES, YES, NO, (116,)),
    ),
    Row(
        "demanded_at_ehlo",
        plan(replace(REQUIRED, refusal=Refusal.AT_EHLO)),
        *(YES, YES, Stage.EHLO_IN_TLS, YES, NO, YES),
    ),
    Row(
        "demanded_at_mail_530",
        plan(replace(REQUIRED, refusal=Refusal.AT_MAIL_530)),
        *(YES, YES, MAIL, YES, NO, YES),
    ),
    Row(
        "demanded_at_mail_454",
        plan(replace(REQUIRED, refusal=Refusal.AT_MAIL_454)),
        *(YES, YES, MAIL, YES, NO, YES),
    ),
    Row(
        "required_server_only",
        plan(REQUIRED),
        *(YES, YES, TLS_13, NO, NO, OPEN, (116, 43, 48)),
        shown=SERVER_ONLY,
    ),
    Row(
        "required_12_server_only",
        speaking(*ONLY_12, REQUIRED),
        *(YES, YES, TLS_12, NO, NO, OPEN, (40, 43, 48)),
        shown=SERVER_ONLY,
    ),
    Row(
        "optional_server_only",
        plan(asking()),
        *(YES, NO, None, NO, NO, OPEN, (43, 48)),
        shown=SERVER_ONLY,
    ),
    Row(
        "foreign_as_own",
        plan(REQUIRED),
        *(YES, YES, TLS_13, NO, NO, OPEN, (116, 48, 48)),
        shown=FOREIGN,
    ),
)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("round_trip_s", [0.0, 0.05], ids=["near", "far"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_verdict_is_the_truth(row: Row, round_trip_s: float, backend: str) -> None:
    """Asked, demanded and where, ours and a stranger's accepted, verified, alerts by number."""
    asked = settings(purposes=ASKED, backend=backend)
    found = probed(row.plan, asked, own=row.shown, round_trip_s=round_trip_s)
    auth = found.endpoint.client_auth
    assert (auth.requested.answer, auth.demanded.answer) == (row.requested, row.demanded)
    assert auth.demanded_in is row.demanded_in
    assert (auth.own_accepted.answer, auth.foreign_accepted.answer) == (row.own, row.foreign)
    assert auth.verified.answer is row.verified
    assert len(auth.acceptable_cas) == row.named
    seen = [c.tls.alert for c in found.endpoint.connections if c.tls]
    assert tuple(alert.number for alert in seen if alert) == row.alerts
    assert len(found.gateway.records) == 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_names_of_authorities_are_those_of_the_certificates(backend: str) -> None:
    """The list in the request reads exactly as the subjects of the authorities do."""
    found = probed(plan(REQUIRED), settings(purposes=ASKED, backend=backend))
    roots = asking().roots
    expected = {root.subject.rfc4514_string() for root in roots}
    assert set(found.endpoint.client_auth.acceptable_cas) == expected


@pytest.mark.parametrize("backend", BACKENDS)
def test_where_nobody_asks_acceptance_means_nothing(backend: str) -> None:
    """A 250 with a certificate ready that was never asked for is no acceptance of it."""
    auth = probed(plan(), settings(purposes=ASKED, backend=backend)).endpoint.client_auth
    assert auth.own_accepted.reason is Reason.NOT_ASKED
    assert auth.foreign_accepted.reason is Reason.NOT_ASKED
    accepted = probed(plan(asking()), settings(purposes=ASKED, backend=backend))
    assert accepted.endpoint.client_auth.own_accepted.reason is Reason.SMTP_REPLY


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_established_handshake_of_tls13_is_no_verdict(backend: str) -> None:
    """Our side finishes the handshake, and the refusal still comes, as an alert at EHLO."""
    found = probed(speaking(*ONLY_13, REQUIRED), settings(purposes=ASKED, backend=backend))
    survey = found.connection(Purpose.SURVEY)
    assert survey.tls is not None
    assert survey.tls.established
    assert survey.tls.accepted.is_no
    assert survey.ended is Reason.ALERT
    assert survey.ended_in is Stage.EHLO_IN_TLS
    assert survey.tls.alert is not None
    assert (survey.tls.alert.name, survey.tls.alert.stage) == (
        "certificate_required",
        Stage.EHLO_IN_TLS,
    )


@pytest.mark.parametrize("mail_reply", ["530 5.7.0 Authentication required", "451 4.7.1 Later"])
def test_a_refused_mail_without_words_about_certificates_is_no_demand(mail_reply: str) -> None:
    """530 from a server that never asked may mean AUTH: it is neither a demand nor its absence."""
    found = probed(plan(mail_reply=mail_reply), settings(purposes=ASKED))
    demanded = found.endpoint.client_auth.demanded
    assert demanded.answer is OPEN
    assert mail_reply in demanded.evidence
    silent = probed(plan(mail_reply=mail_reply), settings(purposes=ASKED, ask_mail=False))
    assert silent.endpoint.client_auth.demanded.is_no
    assert "MAIL FROM:<>" not in silent.gateway.commands


def test_a_late_refusal_is_seen_every_time() -> None:
    """Refusals that race with our own bytes, many at once, never look like acceptance."""
    import asyncio

    from probe.served import NOW, target

    from incamail_lib.lab.gateway import serve
    from incamail_lib.probe import probe_endpoint

    async def run() -> list[tuple[Answer, int | None]]:
        async with serve(speaking(*ONLY_13, REQUIRED), now=NOW) as gateway:
            asked = settings(purposes=frozenset({Purpose.SURVEY, Purpose.FOREIGN_CERTIFICATE}))
            jobs = [
                probe_endpoint(target(gateway.port), settings=asked, now=NOW) for _ in range(60)
            ]
            found = await asyncio.gather(*jobs)
        shown = [e.connections[-1].tls for e in found]
        return [(t.accepted.answer, t.alert.number if t.alert else None) for t in shown if t]

    assert asyncio.run(run()) == [(NO, 48)] * 60
