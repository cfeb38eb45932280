"""PLAT: an impostor is recognised, and what was not seen is never taken for IncaMail."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from factories import (
    NOW,
    certificate,
    endpoint,
    facts,
    platform,
    sourced,
    survey,
    trusted,
    unreached,
)

from incamail_lib.checks import of_family
from incamail_lib.checks._core import judge
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import NameMatch, TrustReason
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import EndpointFacts, Stage, Starttls
from incamail_lib.findings import Finding, Level, Outcome
from incamail_lib.guide import Certainty

CHECKS = of_family("NET", "PLAT")
CODES = [check.code for check in of_family("PLAT")]


def finding(code: str, measured: AuditFacts) -> Finding:
    return next(f for f in judge(measured, CHECKS, NOW) if f.code == code)


def showing(**changes: Any) -> EndpointFacts:
    """An endpoint whose leaf differs from IncaMail's."""
    tls = survey().tls
    assert tls is not None
    shown = tls.model_copy(update={"chain": (certificate(**changes), *tls.chain[1:])})
    return endpoint(connections=(survey(tls=shown),))


def judged(code: str, *endpoints: EndpointFacts, **changes: Any) -> Finding:
    return finding(code, facts(platform_endpoints=endpoints, **changes))


def test_incamail_itself_passes() -> None:
    """Nothing is held against the real platform."""
    found = {c: finding(c, facts()).outcome for c in CODES}
    assert found.pop("PLAT08") is Outcome.NOT_APPLICABLE
    assert found.pop("PLAT09") is Outcome.NOT_APPLICABLE
    assert set(found.values()) == {Outcome.PASSED}


@pytest.mark.parametrize("code", [c for c in CODES if c not in ("PLAT08", "PLAT09")])
@pytest.mark.parametrize("reason", [Reason.TIMEOUT, Reason.RESET, Reason.GREYLISTED])
def test_nothing_seen_is_unknown(code: str, reason: Reason) -> None:
    """A dialogue that ended early proves neither IncaMail nor an impostor."""
    assert judged(code, unreached(reason, Stage.GREETING)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "state", [Starttls.NOT_OFFERED, Starttls.MASKED, Starttls.REFUSED, Starttls.VANISHED]
)
def test_missing_starttls_on_the_way_out_is_a_failure(state: Starttls) -> None:
    """IncaMail always offers STARTTLS: something on the way took it."""
    assert judged("PLAT01", endpoint(starttls=state)).blocks


@pytest.mark.parametrize(
    ("organisations", "expected"),
    [
        (("Bluecoat Corp",), Outcome.FAILED),
        (("Post CH AG", "Bluecoat Corp"), Outcome.FAILED),
        (("Post CH AG.",), Outcome.FAILED),
        ((), Outcome.UNKNOWN),
    ],
)
def test_another_organisation_is_recognised(
    organisations: tuple[str, ...], expected: Outcome
) -> None:
    """Only the expected name and nothing beside it proves the organisation."""
    assert judged("PLAT02", showing(subject_o=organisations)).outcome is expected


def test_a_forged_organisation_is_betrayed_by_its_issuer() -> None:
    """Anybody can write Post CH AG into a certificate of their own."""
    forged = showing(issuer_o=("Corporate Proxy",))
    assert judged("PLAT03", forged).blocks


def test_an_unconfirmed_issuer_weighs_less_when_stores_trust_it() -> None:
    """The platform's authority is not published; a trusted other one is a question, no verdict."""
    unsure = platform(issuers=sourced(("SwissSign AG",), Certainty.UNCONFIRMED))
    other = showing(issuer_o=("DigiCert Inc",))
    assert judged("PLAT03", other, platform=unsure).level is Level.RECOMMENDED
    untrusted = other.model_copy(update={"trust": (trusted("x", TrustReason.UNKNOWN_ROOT),)})
    assert judged("PLAT03", untrusted, platform=unsure).blocks


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("gw2.incamail.com",), Outcome.PASSED),
        (("*.incamail.com",), Outcome.PASSED),
        (("GW1.INCAMAIL.COM",), Outcome.PASSED),
        (("a.b.incamail.com",), Outcome.FAILED),
        (("incamail.com.evil.example",), Outcome.FAILED),
        ((), Outcome.FAILED),
    ],
)
def test_names_of_the_platform_are_matched_whole(names: tuple[str, ...], expected: Outcome) -> None:
    """A wildcard stands for one label; look-alikes do not count."""
    assert judged("PLAT04", showing(san_dns=names)).outcome is expected


def test_a_wrong_name_is_shown_with_what_was_presented() -> None:
    """The reader sees which names the certificate carries."""
    wrong = endpoint(
        name_match=NameMatch(host="gw1.incamail.com", matched=False, presented=("x.y",))
    )
    found = judged("PLAT05", wrong)
    assert found.blocks
    assert "x.y" in found.seen.english()


@pytest.mark.parametrize(
    ("reasons", "outcome", "level"),
    [
        ([TrustReason.UNKNOWN_ROOT, TrustReason.UNKNOWN_ROOT], Outcome.FAILED, Level.REQUIRED),
        ([TrustReason.TRUSTED, TrustReason.UNKNOWN_ROOT], Outcome.FAILED, Level.RECOMMENDED),
    ],
)
def test_trust_is_told_per_store(
    reasons: list[TrustReason], outcome: Outcome, level: Level
) -> None:
    """No store: required failure. Some: the differing stores are named and weigh less."""
    stores = tuple(trusted(f"store{n}", reason) for n, reason in enumerate(reasons))
    found = judged("PLAT06", endpoint(trust=stores))
    assert (found.outcome, found.level) == (outcome, level)
    assert "store1" in found.seen.english()


@pytest.mark.parametrize(
    ("changes", "outcome", "level"),
    [
        ({"not_after": NOW - dt.timedelta(seconds=1)}, Outcome.FAILED, Level.REQUIRED),
        ({"not_before": NOW + dt.timedelta(days=1)}, Outcome.FAILED, Level.REQUIRED),
        ({"not_after": NOW + dt.timedelta(days=20)}, Outcome.FAILED, Level.RECOMMENDED),
        ({"not_after": NOW + dt.timedelta(days=90)}, Outcome.PASSED, Level.REQUIRED),
    ],
)
def test_validity_is_judged_against_today_and_go_live(
    changes: dict[str, Any], outcome: Outcome, level: Level
) -> None:
    """Expired is a failure; expiring before go-live is a renewal to watch."""
    found = judged("PLAT07", showing(**changes))
    assert (found.outcome, found.level) == (outcome, level)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"fingerprints_sha1": sourced((":".join(["AA"] * 20),))}, Outcome.PASSED),
        ({"fingerprints_sha1": sourced(("dd" * 20,))}, Outcome.FAILED),
        ({"spki_sha256": sourced(("cc" * 32,))}, Outcome.PASSED),
        ({"spki_sha256": sourced(("dd" * 32,))}, Outcome.FAILED),
    ],
)
def test_a_given_fingerprint_must_match(given: dict[str, Any], expected: Outcome) -> None:
    """Colons and case do not matter; the value does."""
    assert judged("PLAT08", endpoint(), platform=platform(**given)).outcome is expected


def test_gateways_that_differ_are_reported() -> None:
    """An interceptor on one way only shows as a difference."""
    assert judged("PLAT09", endpoint(), endpoint()).outcome is Outcome.PASSED
    other = showing(issuer_o=("Corporate Proxy",))
    assert judged("PLAT09", endpoint(), other).outcome is Outcome.FAILED


def test_a_missing_intermediate_is_named() -> None:
    """Missing is not the same as untrusted."""
    missing = endpoint(trust=(trusted("certifi", TrustReason.MISSING_INTERMEDIATE),))
    assert judged("PLAT10", missing).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("code", "fact", "changes"),
    [
        ("PLAT02", "organisations", {"subject_o": ("Die Post AG",)}),
        ("PLAT03", "issuers", {"issuer_o": ("DigiCert Inc",)}),
        ("PLAT04", "names", {"san_dns": ("mail.example",)}),
    ],
)
@pytest.mark.parametrize(
    ("certainty", "level"),
    [
        (Certainty.PRIMARY, Level.REQUIRED),
        (Certainty.SECONDARY, Level.REQUIRED),
        (Certainty.INFERRED, Level.RECOMMENDED),
        (Certainty.UNCONFIRMED, Level.RECOMMENDED),
    ],
)
def test_a_guess_makes_no_required_failure(
    code: str, fact: str, changes: dict[str, tuple[str, ...]], certainty: Certainty, level: Level
) -> None:
    """What differs from a fact that is not sure is a question, where your stores trust it."""
    known = {"organisations": ("Post CH AG",), "issuers": ("SwissSign AG",), "names": ("a.b",)}
    stated = platform(**{fact: sourced(known[fact], certainty)})
    found = judged(code, showing(**changes), platform=stated)
    assert (found.outcome, found.level) == (Outcome.FAILED, level)


@pytest.mark.parametrize(
    ("certainty", "level"),
    [(Certainty.SECONDARY, Level.REQUIRED), (Certainty.UNCONFIRMED, Level.RECOMMENDED)],
)
def test_a_guessed_host_makes_no_required_failure(certainty: Certainty, level: Level) -> None:
    """A gateway of which nobody confirmed that it is IncaMail's may be gone, or somebody else's."""
    gateway = platform().gateways[0].model_copy(update={"certainty": certainty})
    stated = platform(gateways=(gateway,))
    wrong = endpoint(
        name_match=NameMatch(host="gw1.incamail.com", matched=False, presented=("x.y",))
    )
    gone = unreached(Reason.REFUSED, Stage.CONNECT)
    for code, shown in (("PLAT05", wrong), ("NET02", gone)):
        found = judged(code, shown, platform=stated)
        assert (found.outcome, found.level) == (Outcome.FAILED, level)
