"""A real Postfix sends into the lab platform; its log, the platform and our verdict must agree."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, replace

import pytest
from mta import postfix
from mta.mail import files_of, subject_of, submit

from incamail_lib.certificate import load_credential
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.facts.smtp import ClientAuthFacts, Purpose, Side, Target
from incamail_lib.lab import pki
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.pki import Pki, Variant
from incamail_lib.lab.plan import USUAL_CAPABILITIES, GatewayPlan, Version
from incamail_lib.lab.session import Record
from incamail_lib.lab.setting import sound_platform
from incamail_lib.probe import Limits, ProbeSettings, probe_endpoint

pytestmark = [pytest.mark.postfix, pytest.mark.xdist_group("mta")]

PLATFORM = "gw1.incamail.com"
SENDER = "out.muster.example"
RECIPIENT = "hans.muster@partner.example.incamail.ch"


@pytest.fixture(scope="module")
def lab() -> Pki:
    """The lab's authorities around now."""
    return pki.build(dt.datetime.now(dt.UTC).replace(microsecond=0))


@dataclass(frozen=True)
class Delivery:
    """One attempt, as Postfix logged it and as the platform saw it."""

    status: str
    log: str
    records: tuple[Record, ...]

    @property
    def taken(self) -> int:
        """Messages the platform took."""
        return sum(len(record.messages) for record in self.records)


def deliver(lab: Pki, plan: GatewayPlan, variant: Variant | None) -> Delivery:
    """Postfix, showing a certificate of `variant`, sends one message to a platform of `plan`."""

    async def run() -> Delivery:
        issued = lab.leaf(variant or Variant.BOTH, SENDER)
        async with serve(plan, now=lab.now) as platform:
            settings, files = postfix.sender(
                SENDER,
                platform.port,
                names=(PLATFORM,),
                identity=files_of(issued, lab),
                shows=variant is not None,
            )
            return await asyncio.to_thread(send, platform, settings, files)

    return asyncio.run(run())


def send(platform: Gateway, settings: dict[str, str], files: dict[str, bytes]) -> Delivery:
    """The blocking part: Postfix runs, takes the message, and says what became of it."""
    with postfix.running(settings, files) as mta:
        submit(mta.port, RECIPIENT)
        status = mta.log.await_line(rf"to=<{RECIPIENT}>.*status=")
        return Delivery(status, mta.log.text, tuple(platform.records))


def verdict(lab: Pki, plan: GatewayPlan, variant: Variant | None, tmp_path) -> ClientAuthFacts:
    """What our probe says of the same platform with the same certificate."""
    own = None
    if variant is not None:
        chain, key = pki.write_pem(lab.leaf(variant, SENDER), tmp_path, "sending")
        _, own = load_credential(
            chain, key_path=key, passphrase=None, uses=(CredentialUse.SENDING,)
        )
    purposes = frozenset({Purpose.SURVEY, *({Purpose.OWN_CERTIFICATE} if own else ())})
    settings = ProbeSettings(ehlo_name=SENDER, limits=Limits(), purposes=purposes)

    async def run() -> ClientAuthFacts:
        async with serve(plan, now=lab.now) as platform:
            target = Target(
                role=Side.PLATFORM, host=PLATFORM, address="127.0.0.1", port=platform.port
            )
            found = await probe_endpoint(target, settings=settings, own=own, now=lab.now)
            return found.client_auth

    return asyncio.run(run())


def only(version: Version, plan: GatewayPlan) -> GatewayPlan:
    """The platform with one TLS version."""
    assert plan.tls is not None
    return replace(plan, tls=replace(plan.tls, minimum=version, maximum=version))


def test_a_certificate_for_clients_gets_the_message_through(lab: Pki, tmp_path) -> None:
    """With clientAuth the log says Verified and sent, the platform has the message, we say yes."""
    plan = sound_platform(PLATFORM, lab)
    done = deliver(lab, plan, Variant.CLIENT)
    assert "dsn=2.0.0, status=sent" in done.status
    assert "Verified TLS connection established to 127.0.0.1" in done.log
    assert done.taken == 1
    shown = lab.leaf(Variant.CLIENT, SENDER).certificate
    message = done.records[-1].messages[0]
    assert (message.client, message.in_tls) == (subject_of(shown), True)
    assert message.recipients == (RECIPIENT,)
    assert verdict(lab, plan, Variant.CLIENT, tmp_path).own_accepted.is_yes


@pytest.mark.parametrize(
    ("variant", "alert", "problem"),
    [
        (None, 116, ()),
        (Variant.SERVER, 43, (26,)),
        (Variant.EXOTIC, 48, (20,)),
        (Variant.EXPIRED, 45, (10,)),
    ],
)
def test_a_certificate_that_the_platform_refuses_holds_the_message_back(
    lab: Pki, tmp_path, variant: Variant | None, alert: int, problem: tuple[int, ...]
) -> None:
    """TLS 1.3: Postfix logs Verified, then the alert, and defers; we say no with that alert."""
    plan = only(Version.TLS_1_3, sound_platform(PLATFORM, lab))
    done = deliver(lab, plan, variant)
    assert "status=deferred (lost connection" in done.status
    assert "Verified TLS connection established to 127.0.0.1" in done.log
    assert f"SSL alert number {alert}:" in done.log
    assert done.taken == 0
    assert done.records[-1].client_problems[: len(problem)] == problem
    found = verdict(lab, plan, variant, tmp_path)
    answer = found.demanded if variant is None else found.own_accepted
    assert answer.is_yes is (variant is None)
    assert answer.is_no is (variant is not None)
    assert str(alert) in answer.evidence


@pytest.mark.parametrize(("variant", "alert"), [(None, 40), (Variant.SERVER, 43)])
def test_in_tls_1_2_the_refusal_ends_the_handshake(
    lab: Pki, tmp_path, variant: Variant | None, alert: int
) -> None:
    """TLS 1.2: Postfix cannot start TLS and defers; our verdict names the same alert."""
    plan = only(Version.TLS_1_2, sound_platform(PLATFORM, lab))
    done = deliver(lab, plan, variant)
    assert "status=deferred (Cannot start TLS: handshake failure)" in done.status
    assert f"SSL alert number {alert}:" in done.log
    assert done.taken == 0
    found = verdict(lab, plan, variant, tmp_path)
    answer = found.demanded if variant is None else found.own_accepted
    assert answer.is_known
    assert answer.is_yes is (variant is None)
    assert str(alert) in answer.evidence


def test_another_name_in_the_platforms_certificate_is_not_verified(lab: Pki) -> None:
    """A platform that proves another name gets nothing: deferred, 4.7.5."""
    stranger = sound_platform("mail.stranger.example", lab)
    done = deliver(lab, stranger, Variant.CLIENT)
    assert "dsn=4.7.5, status=deferred (Server certificate not verified)" in done.status
    assert "hostname mismatch" in done.log
    assert "Verified TLS connection" not in done.log
    assert done.taken == 0


def test_a_platform_without_starttls_gets_nothing(lab: Pki) -> None:
    """Where STARTTLS was taken out on the way, Postfix defers with 4.7.4."""
    without = tuple(c for c in USUAL_CAPABILITIES if c != "STARTTLS")
    stripped = replace(sound_platform(PLATFORM, lab), capabilities=without)
    done = deliver(lab, stripped, Variant.CLIENT)
    assert "dsn=4.7.4, status=deferred (TLS is required, but was not offered" in done.status
    assert done.taken == 0
