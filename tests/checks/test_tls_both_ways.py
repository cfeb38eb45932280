"""TLS01–TLS14 of literal facts: each good state, how it is missed, and how it stays open."""

from __future__ import annotations

from typing import Any

import pytest
from factories import (
    GATEWAY,
    NOW,
    PLATFORM,
    answer,
    broken,
    endpoint,
    facts,
    mail_domain,
    survey,
)
from judging import alone

from incamail_lib.checks import judge_facts
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse
from incamail_lib.facts.dns import DnsFacts, DnsStatus, DomainFacts
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import Alert, EndpointFacts, Purpose, Stage, Starttls, TlsFacts
from incamail_lib.findings import Finding, Level, Outcome

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
NOT_APPLICABLE = Outcome.NOT_APPLICABLE
NOTHING = inconclusive(Reason.NOT_REACHED)
BOTH = [("TLS01", GATEWAY), ("TLS10", PLATFORM)]


def told(code: str, changed: EndpointFacts, **more: Any) -> Finding:
    """What a check says of one endpoint of its side."""
    side = "platform_endpoints" if changed.target == PLATFORM else "receiving"
    return alone(code, facts(**({side: (changed,)} | more)))


def tls(**changes: Any) -> TlsFacts:
    sound = survey().tls
    assert sound is not None
    return sound.model_copy(update=changes)


def shaken(target: Any = GATEWAY, **changes: Any) -> EndpointFacts:
    """An endpoint whose one handshake showed this."""
    return endpoint(target, connections=(survey(tls=tls(**changes)),))


def asking(target: Any = GATEWAY, **changes: Any) -> EndpointFacts:
    """An endpoint with other answers about client certificates."""
    return endpoint(target, client_auth=endpoint().client_auth.model_copy(update=changes))


def unshaken(target: Any = GATEWAY) -> EndpointFacts:
    """An endpoint that was not heard of after STARTTLS."""
    cut = broken(Reason.RESET, Stage.HANDSHAKE, starttls=Starttls.ACCEPTED)
    return endpoint(target, connections=(cut,))


@pytest.mark.parametrize(("code", "target"), BOTH)
def test_a_handshake_is_agreed_refused_or_not_seen(code: str, target: Any) -> None:
    """Agreed passes with its version; an alert fails with its number; a reset leaves it open."""
    agreed = told(code, endpoint(target))
    assert agreed.outcome is PASSED
    assert "TLSv1.3" in agreed.seen.english()
    nothing: dict[str, Any] = {
        **{"established": False, "version": "", "cipher": "", "chain": ()},
        **{"certificate_requested": NOTHING, "accepted": NOTHING},
    }
    alert = Alert(number=40, name="handshake_failure", stage=Stage.HANDSHAKE)
    refused = told(code, shaken(target, **nothing, alert=alert))
    assert refused.outcome is FAILED
    assert "40 handshake_failure" in refused.seen.english()
    assert told(code, shaken(target, **nothing)).outcome is UNKNOWN
    assert told(code, unshaken(target)).outcome is UNKNOWN


@pytest.mark.parametrize(("code", "target"), BOTH)
def test_a_demand_for_a_certificate_is_no_refused_handshake(code: str, target: Any) -> None:
    """The parameters were agreed before; without a chain, or without a request, they were not."""
    alert = Alert(number=116, name="certificate_required", stage=Stage.EHLO_IN_TLS)
    demanded = {"established": False, "version": "", "accepted": NOTHING, "alert": alert}
    assert told(code, shaken(target, **demanded)).outcome is PASSED
    assert told(code, shaken(target, **demanded, chain=())).outcome is FAILED
    unasked = {"certificate_requested": no()}
    assert told(code, shaken(target, **demanded, **unasked)).outcome is FAILED


def test_only_what_a_usual_sender_offers_shows_what_is_agreed() -> None:
    """A handshake of old versions, offered on purpose, says nothing of a usual one."""
    old = survey(purpose=Purpose.LEGACY_TLS, tls=tls(version="TLSv1.1"))
    first = broken(Reason.RESET, Stage.HANDSHAKE)
    assert told("TLS01", endpoint(GATEWAY, connections=(first, old))).outcome is UNKNOWN
    own = survey(purpose=Purpose.OWN_CERTIFICATE)
    assert told("TLS01", endpoint(GATEWAY, connections=(first, own))).outcome is PASSED


@pytest.mark.parametrize(("version", "outcome"), [("TLSv1.3", PASSED), ("TLSv1.2", FAILED)])
def test_the_newest_version_is_advised(version: str, outcome: Outcome) -> None:
    """TLS 1.2 suffices and is told; nothing seen is open."""
    found = told("TLS02", shaken(version=version))
    assert (found.outcome, found.level) == (outcome, Level.RECOMMENDED)
    assert version in found.seen.english()
    assert told("TLS02", unshaken()).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("legacy", "outcome"),
    [
        (yes(), FAILED),
        (no(Reason.ALERT, "70"), PASSED),
        (inconclusive(Reason.NOT_TRIED), UNKNOWN),
        (inconclusive(Reason.RESET), UNKNOWN),
    ],
)
def test_old_versions_are_refused_or_accepted(legacy: Observation, outcome: Outcome) -> None:
    """Accepted fails and names the version; what was not tried is no pass."""
    found = told("TLS03", endpoint(GATEWAY, legacy=legacy, legacy_version="TLSv1.1"))
    assert found.outcome is outcome
    assert ("TLSv1.1" in found.seen.english()) is (outcome is FAILED)


def test_old_versions_weigh_in_full_where_nothing_newer_was_agreed() -> None:
    """Without a usual handshake nothing protects from being forced down."""
    cut = unshaken().model_copy(update={"legacy": yes(), "legacy_version": "TLSv1"})
    assert told("TLS03", cut).level is Level.REQUIRED


@pytest.mark.parametrize(
    ("version", "cipher", "bits", "outcome", "level"),
    [
        ("TLSv1.3", "TLS_AES_128_GCM_SHA256", 128, PASSED, Level.REQUIRED),
        ("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256", 256, PASSED, Level.REQUIRED),
        ("TLSv1.3", "TLS_AES_128_CCM_SHA256", 128, PASSED, Level.REQUIRED),
        ("TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305", 256, PASSED, Level.REQUIRED),
        ("TLSv1.2", "ECDHE-RSA-AES256-SHA384", 256, FAILED, Level.RECOMMENDED),
        ("TLSv1.2", "AES128-GCM-SHA256", 128, FAILED, Level.RECOMMENDED),
        ("TLSv1.2", "ECDHE-RSA-RC4-SHA", 128, FAILED, Level.REQUIRED),
        ("TLSv1.2", "ECDHE-RSA-NULL-SHA", 0, FAILED, Level.REQUIRED),
        ("TLSv1.2", "ECDHE-RSA-DES-CBC3-SHA", 168, FAILED, Level.REQUIRED),
        ("TLSv1.2", "EXP-EDH-RSA-AES", 128, FAILED, Level.REQUIRED),
        ("TLSv1.2", "ECDHE-X-MD5", 128, FAILED, Level.REQUIRED),
        ("TLSv1.2", "ADH-AES256-GCM-SHA384", 256, FAILED, Level.REQUIRED),
        ("TLSv1.2", "AECDH-AES256-SHA", 256, FAILED, Level.REQUIRED),
        ("TLSv1.2", "IDEA-CBC-SHA", 128, FAILED, Level.REQUIRED),
        ("TLSv1.2", "DHE-RSA-SEED-SHA", 128, FAILED, Level.REQUIRED),
        ("TLSv1.2", "ECDHE-RSA-AES-GCM", 127, FAILED, Level.REQUIRED),
        ("TLSv1.2", "EDH-RSA-AES128-GCM", 128, PASSED, Level.REQUIRED),
    ],
)
def test_ciphers_are_strong_dated_or_broken(
    version: str, cipher: str, bits: int, outcome: Outcome, level: Level
) -> None:
    """Broken ones decide; dated ones and such without forward secrecy are advised against."""
    found = told("TLS04", shaken(version=version, cipher=cipher, cipher_bits=bits))
    assert (found.outcome, found.level) == (outcome, level)
    assert cipher in found.seen.english()
    assert told("TLS04", unshaken()).outcome is UNKNOWN


@pytest.mark.parametrize(("code", "target"), [("TLS05", GATEWAY), ("TLS11", PLATFORM)])
@pytest.mark.parametrize(
    ("requested", "outcome"), [(yes(), PASSED), (no(), FAILED), (NOTHING, UNKNOWN)]
)
def test_a_certificate_is_asked_for_or_not(
    code: str, target: Any, requested: Observation, outcome: Outcome
) -> None:
    """Asked passes, not asked fails, and what was not reached is neither."""
    assert told(code, asking(target, requested=requested)).outcome is outcome


def test_a_request_names_how_many_authorities_it_takes() -> None:
    """Those that were not kept count as well; none stands for any."""
    assert "names no authority" in told("TLS05", endpoint(GATEWAY)).seen.english()
    named = asking(acceptable_cas=("CN=A", "CN=B"), acceptable_cas_left_out=3)
    assert "5 authorities" in told("TLS05", named).seen.english()
    assert "1 authority" in told("TLS05", asking(acceptable_cas=("CN=A",))).seen.english()


def test_a_request_in_a_second_handshake_is_told_as_such() -> None:
    """It passes; who reads it learns that it comes by renegotiation only."""
    found = told("TLS05", shaken(renegotiated=True))
    assert found.outcome is PASSED
    assert "second handshake" in found.seen.english()


def demanding(*domains: DomainFacts) -> AuditFacts:
    """An audit of a gateway that demands a certificate, with what the DNS says of domains."""
    gateway = asking(demanded=yes(Reason.ALERT, "116"))
    return facts(receiving=(gateway,), dns=DnsFacts(domains=domains))


MX = mail_domain(GATEWAY.host)


def changed(**changes: Any) -> DomainFacts:
    return mail_domain("other.example").model_copy(update=changes)


@pytest.mark.parametrize(
    ("domain", "outcome"),
    [
        (MX, FAILED),
        (changed(mx=answer("muster.example", "MX", f"10 {GATEWAY.host.upper()}.")), FAILED),
        (changed(), PASSED),
        (changed(mx=answer("muster.example", "MX"), implicit_mx=False), PASSED),
        (changed(mx=answer("muster.example", "MX", status=DnsStatus.NXDOMAIN)), PASSED),
        (changed(domain=GATEWAY.host, mx=answer(GATEWAY.host, "MX"), implicit_mx=True), FAILED),
        (changed(domain=GATEWAY.host, implicit_mx=False), PASSED),
        (changed(mx=answer("muster.example", "MX", status=DnsStatus.TIMEOUT)), UNKNOWN),
        (changed(mx=answer("muster.example", "MX", "10 other.example.", left_out=4)), UNKNOWN),
    ],
    ids=["mx", "case", "other", "none", "no domain", "implicit", "own", "silent", "cut"],
)
def test_only_a_host_that_no_mx_names_may_demand_a_certificate(
    domain: DomainFacts, outcome: Outcome
) -> None:
    """Named by any domain's MX, or standing for a domain without one, it must take the world."""
    assert alone("TLS06", demanding(domain)).outcome is outcome
    assert alone("TLS06", demanding(changed(), domain)).outcome is outcome


def test_whether_a_certificate_is_demanded_may_stay_open() -> None:
    """Not demanded passes wherever it stands; not seen is open wherever it stands."""
    for domain in (MX, changed()):
        dns = DnsFacts(domains=(domain,))
        assert told("TLS06", asking(demanded=no()), dns=dns).outcome is PASSED
        assert told("TLS06", asking(demanded=NOTHING), dns=dns).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("foreign", "gateway", "platform"),
    [
        (no(Reason.ALERT, "48"), PASSED, PASSED),
        (yes(), FAILED, FAILED),
        (inconclusive(Reason.NOT_TRIED), UNKNOWN, NOT_APPLICABLE),
        (NOTHING, UNKNOWN, UNKNOWN),
    ],
)
def test_a_stranger_is_refused_or_let_in(
    foreign: Observation, gateway: Outcome, platform: Outcome
) -> None:
    """Advice towards the gateway, a remark towards the platform; never a reason for not ready."""
    inwards = told("TLS07", asking(foreign_accepted=foreign))
    outwards = told("TLS14", asking(PLATFORM, foreign_accepted=foreign))
    assert (inwards.outcome, inwards.level) == (gateway, Level.RECOMMENDED)
    assert (outwards.outcome, outwards.level) == (platform, Level.INFO)


def test_a_stranger_that_was_not_shown_is_advised_to_be_shown() -> None:
    """Left out by wish: show one. Left out because the gateway had enough: wait."""
    untried = {"foreign_accepted": inconclusive(Reason.NOT_TRIED)}
    wished = told("TLS07", asking(**untried))
    assert "show a certificate of an unknown authority" in wished.remedy.english()
    tired = asking(**untried).model_copy(update={"left_alone": Reason.RATE_LIMITED})
    assert "limit on connections" in told("TLS07", tired).remedy.english()


@pytest.mark.parametrize(("hybrid", "outcome"), [(True, PASSED), (False, FAILED), (None, UNKNOWN)])
def test_a_hybrid_group_is_agreed_or_not(hybrid: bool | None, outcome: Outcome) -> None:
    """The group is shown; a group that is not known passes nothing."""
    found = told("TLS08", shaken(post_quantum=hybrid, group="a-group"))
    assert (found.outcome, found.level) == (outcome, Level.INFO)
    assert ("a-group" in found.seen.english()) is (outcome is not UNKNOWN)
    assert told("TLS08", unshaken()).outcome is UNKNOWN


def test_where_only_a_small_hello_gets_through_the_group_stays_open() -> None:
    """Nobody could offer it, so the server is not to blame for another one."""
    small = shaken(post_quantum=False).model_copy(update={"large_hello": no(Reason.RESET)})
    assert told("TLS08", small).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("own", "outcome", "seen"),
    [
        (yes(Reason.SMTP_REPLY, "250 ok"), PASSED, "250 ok"),
        (no(Reason.ALERT, "alert 48"), FAILED, "alert 48"),
        (inconclusive(Reason.NOT_TRIED), UNKNOWN, "names no certificate"),
        (inconclusive(Reason.RESET, "cut"), UNKNOWN, "cut"),
    ],
)
def test_the_own_certificate_is_accepted_or_refused(
    own: Observation, outcome: Outcome, seen: str
) -> None:
    """With what was answered; without a certificate the dossier is what is missing."""
    found = told("TLS12", asking(PLATFORM, own_accepted=own))
    assert found.outcome is outcome
    assert seen in found.seen.english()


def credential(*uses: CredentialUse, chain: tuple[Any, ...] = ()) -> CredentialFacts:
    return CredentialFacts(
        label="own.pem", uses=uses, readable=yes(), key_matches=yes(), chain=chain
    )


def test_a_certificate_that_was_given_and_not_tried_is_not_missing_from_the_dossier() -> None:
    """One for receiving alone is none for sending; one for sending was kept back for a reason."""
    untried = asking(PLATFORM, own_accepted=inconclusive(Reason.NOT_TRIED))
    given = (credential(CredentialUse.SENDING),)
    assert "names no certificate" not in told("TLS12", untried, credentials=given).seen.english()
    other = (credential(CredentialUse.RECEIVING),)
    assert "names no certificate" in told("TLS12", untried, credentials=other).seen.english()
    tired = untried.model_copy(update={"left_alone": Reason.RATE_LIMITED})
    assert "names no certificate" not in told("TLS12", tired).seen.english()


def test_the_own_authority_is_named_or_not() -> None:
    """No list takes any; an issuer on the chain passes; without a certificate it is open."""
    chain = endpoint().chain[:1]
    issuer = chain[0].issuer
    own = (credential(CredentialUse.SENDING, chain=chain),)
    for names, given, outcome in (
        ((), own, NOT_APPLICABLE),
        (("CN=Other", issuer), own, PASSED),
        (("CN=Other",), own, FAILED),
        (("CN=Other", issuer), (), UNKNOWN),
        (("CN=Other", issuer), (credential(CredentialUse.SENDING),), UNKNOWN),
        (("CN=Other", issuer), (credential(CredentialUse.RECEIVING, chain=chain),), UNKNOWN),
    ):
        asked = asking(PLATFORM, acceptable_cas=names)
        assert told("TLS13", asked, credentials=given).outcome is outcome, (names, given)


def test_connections_are_compared_only_where_two_reached_tls() -> None:
    """One that shows no version is none to compare with."""
    one, cut = survey(), survey(tls=tls(version=""))
    for code, target in (("TLS17", GATEWAY), ("TLS19", PLATFORM)):
        assert told(code, endpoint(target, connections=(one, cut))).outcome is UNKNOWN
        assert told(code, endpoint(target, connections=(one, one))).outcome is PASSED


def test_without_any_agreed_handshake_renegotiation_is_open() -> None:
    """Nothing seen is no protection."""
    assert told("TLS16", unshaken()).outcome is UNKNOWN


def test_sound_facts_pass_every_check_of_tls() -> None:
    """What is asked both ways above is passed by the sound client, so no test starts from red."""
    found = judge_facts(facts(), NOW).findings
    failed = [f.code for f in found if f.code.startswith("TLS") and f.outcome is FAILED]
    assert not failed
