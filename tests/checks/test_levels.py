"""How much a finding weighs, where an administrator would ask: literal facts."""

from __future__ import annotations

import pytest
from factories import GATEWAY, NOW, endpoint, facts, survey

from incamail_lib.checks import ALL_CHECKS
from incamail_lib.checks._core import judge
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse
from incamail_lib.facts.observation import Reason, inconclusive, yes
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Finding, Level, Outcome


def finding(code: str, audit: AuditFacts) -> Finding:
    return next(f for f in judge(audit, ALL_CHECKS, NOW) if f.code == code)


def receiving(gateway: EndpointFacts) -> AuditFacts:
    return facts(receiving=(gateway,))


@pytest.mark.parametrize(
    ("version", "level"), [("TLSv1.3", Level.RECOMMENDED), ("TLSv1.2", Level.REQUIRED)]
)
def test_old_tls_beside_the_newest_is_advised_against(version: str, level: Level) -> None:
    """TLS 1.3 protects from being forced down; where 1.2 is the best, nothing does."""
    tls = survey().tls
    assert tls is not None
    connection = survey(tls=tls.model_copy(update={"version": version}))
    gateway = endpoint(GATEWAY, legacy=yes(), legacy_version="TLSv1", connections=(connection,))
    found = finding("TLS03", receiving(gateway))
    assert (found.outcome, found.level) == (Outcome.FAILED, level)


@pytest.mark.parametrize("code", ["CERT14", "CERT16", "SMTP07", "DNS16"])
def test_what_changes_nothing_for_mail_is_information(code: str) -> None:
    """A root sent along, a log entry, a greeting and CAA never weigh more than a remark."""
    assert next(c for c in ALL_CHECKS if c.code == code).level is Level.INFO


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [
        (29_000_000, Outcome.FAILED),
        (30_000_000, Outcome.FAILED),
        (41_900_000, Outcome.FAILED),
        (42_000_000, Outcome.PASSED),
        (0, Outcome.PASSED),
    ],
)
def test_a_size_limit_counts_the_encoding(limit: int, outcome: Outcome) -> None:
    """30 MB of content need 42 MB on the wire, as the remedy says."""
    words = ("mx1", f"SIZE {limit}")
    gateway = endpoint(
        GATEWAY, connections=(survey(capabilities=words, capabilities_in_tls=words),)
    )
    found = finding("SMTP06", receiving(gateway))
    assert found.outcome is outcome
    if outcome is Outcome.FAILED:
        assert "42 MB" in found.seen.english()


def naming(count: int, left_out: int, *, last: str = "CN=Other") -> AuditFacts:
    """IncaMail names authorities; the client's certificate comes from CN=Issuing CA."""
    names = (*(f"CN=A{n}" for n in range(count - 1)), last)
    platform = endpoint()
    auth = platform.client_auth.model_copy(
        update={"acceptable_cas": names, "acceptable_cas_left_out": left_out}
    )
    chain = platform.chain[:1]
    own = CredentialFacts(
        label="own.pem",
        uses=(CredentialUse.SENDING,),
        readable=yes(),
        has_key=True,
        key_matches=yes(),
        chain=chain,
    )
    named = platform.model_copy(update={"client_auth": auth})
    return facts(platform_endpoints=(named,), credentials=(own,))


@pytest.mark.parametrize(
    ("count", "left_out", "outcome"),
    [(5, 0, Outcome.FAILED), (200, 1, Outcome.UNKNOWN), (200, 0, Outcome.UNKNOWN)],
)
def test_a_cut_list_of_authorities_is_never_judged_as_whole(
    count: int, left_out: int, outcome: Outcome
) -> None:
    """Not among the first 200 is not known; older facts do not say whether 200 were all."""
    assert finding("TLS13", naming(count, left_out)).outcome is outcome
    issuer = endpoint().chain[0].issuer
    assert finding("TLS13", naming(count, left_out, last=issuer)).outcome is Outcome.PASSED


def test_a_stranger_that_nobody_asked_for_is_no_open_question() -> None:
    """Without the wish, IncaMail sees no throw-away certificate, and nothing is missing."""
    platform = endpoint()
    auth = platform.client_auth.model_copy(
        update={"foreign_accepted": inconclusive(Reason.NOT_TRIED)}
    )
    changed = platform.model_copy(update={"client_auth": auth})
    found = finding("TLS14", facts(platform_endpoints=(changed,)))
    assert found.outcome is Outcome.NOT_APPLICABLE
