"""Until when a verdict holds: the first date on which the same facts are judged otherwise."""

from __future__ import annotations

import datetime as dt

import pytest
from factories import (
    GATEWAY,
    NOW,
    PLATFORM,
    certificate,
    declared,
    endpoint,
    facts,
    sourced,
    survey,
    trusted,
    vantage,
)
from factories import platform as platform_facts
from hypothesis import given, settings
from hypothesis import strategies as st

from incamail_lib.checks import ALL_CHECKS, judge_facts, until_text
from incamail_lib.checks._core import Judged, judge, judge_as_of
from incamail_lib.facts.audit import AuditFacts, Place
from incamail_lib.facts.certificate import CertificateFacts, CredentialFacts, CredentialUse
from incamail_lib.facts.observation import yes
from incamail_lib.facts.smtp import EndpointFacts, Target
from incamail_lib.findings import Verdict
from incamail_lib.guide import Sourced

DAY = dt.timedelta(days=1)
DAYS = st.integers(-40, 80)


def leaf(sha: str, end: int, start: int = -100) -> CertificateFacts:
    return certificate(sha256=sha * 32, not_before=NOW + start * DAY, not_after=NOW + end * DAY)


def above(end: int) -> CertificateFacts:
    return leaf("1c", end).model_copy(update={"is_ca": True, "subject": "CN=Issuing CA"})


def showing(target: Target, chain: tuple[CertificateFacts, ...]) -> EndpointFacts:
    """A gateway with this chain, which one store accepts by it."""
    seen = survey()
    assert seen.tls is not None
    shown = seen.model_copy(update={"tls": seen.tls.model_copy(update={"chain": chain})})
    accepted = trusted().model_copy(update={"members": chain, "complete": True})
    return endpoint(target, connections=(shown,), trust=(accepted,))


def measured(
    *, gateway: int = 60, root: int = 4000, platform: int = 4000, go_live: int | None = None
) -> AuditFacts:
    """A client with dates in days from now: ends of certificates, and the go-live date."""
    day = None if go_live is None else (NOW + go_live * DAY).date()
    return facts(
        receiving=(showing(GATEWAY, (leaf("aa", gateway), above(root))),),
        platform_endpoints=(showing(PLATFORM, (leaf("bb", platform),)),),
        declared=declared(go_live=day),
    )


def verdicts(told: AuditFacts, now: dt.datetime, days: int) -> list[Verdict]:
    return [judge_facts(told, now + n * DAY).verdict for n in range(days)]


@settings(deadline=None, max_examples=25)
@given(DAYS, DAYS, DAYS, st.one_of(st.none(), DAYS), st.integers(-20, 20))
def test_it_is_the_day_on_which_the_verdict_really_changes(
    gateway: int, root: int, platform: int, go_live: int | None, today: int
) -> None:
    """Judged again on each of the next hundred days, with whatever dates."""
    told = measured(gateway=gateway, root=root, platform=platform, go_live=go_live)
    now = NOW + today * DAY + dt.timedelta(hours=5)
    found = judge_facts(told, now).until
    days = verdicts(told, now, 105)
    change = next((n for n, verdict in enumerate(days) if verdict is not days[0]), None)
    if change is None:
        assert found == () or found[0].at > now + 100 * DAY
        return
    assert now + (change - 1) * DAY < found[0].at <= now + change * DAY
    assert judge_facts(told, found[0].at).verdict is found[0].verdict
    assert judge_facts(told, found[0].at - dt.timedelta(seconds=1)).verdict is days[0]


@settings(deadline=None, max_examples=25)
@given(DAYS, DAYS, DAYS, st.integers(1, 100))
def test_judging_again_in_part_is_judging_again(a: int, b: int, c: int, later: int) -> None:
    """What did not look at the date, and hangs on nothing that changed, says the same."""
    told = measured(gateway=a, root=b, go_live=c)
    first = judge_as_of(told, ALL_CHECKS, NOW)
    again = judge_as_of(told, ALL_CHECKS, NOW + later * DAY, first)
    assert again.findings == judge(told, ALL_CHECKS, NOW + later * DAY)
    assert isinstance(again, Judged)


def why(told: AuditFacts, now: dt.datetime = NOW) -> str:
    return until_text(judge_facts(told, now).until).english()


def test_it_says_which_certificate_ends() -> None:
    """The gateway's own, one above it, or IncaMail's: whichever ends first."""
    assert why(measured(gateway=60)) == (
        "This verdict holds until 2027-01-23 at most: The certificate of mx1.muster.example ends."
    )
    assert "CN=Issuing CA on the path of mx1.muster.example ends" in why(measured(root=20))
    assert "The certificate of gw1.incamail.com ends" in why(measured(platform=7))


def test_a_verdict_that_no_date_changes_says_so() -> None:
    """What fails for another reason fails as well after every end."""
    told = measured(gateway=-10)
    assert judge_facts(told, NOW).verdict is Verdict.NOT_READY
    assert "No date is known" in why(told)


def test_a_certificate_that_is_not_valid_yet_changes_it_for_the_better() -> None:
    """The verdict after the day is told with it."""
    early = leaf("aa", 100, start=5)
    told = facts(receiving=(showing(GATEWAY, (early,)),), declared=declared(go_live=None))
    audit = judge_facts(told, NOW)
    assert audit.verdict is Verdict.NOT_READY
    assert audit.until[0].verdict is not Verdict.NOT_READY
    assert audit.until[0].at == NOW + 5 * DAY
    assert "begins to be valid" in why(told)


def test_the_certificate_of_the_client_may_come_back_without_client_use() -> None:
    """Where it ends first, it is said that a renewal may lack clientAuth."""
    own = leaf("cc", 30).model_copy(update={"ext_key_usage": ("clientAuth", "serverAuth")})
    own = own.model_copy(update={"not_after": dt.datetime(2027, 8, 1, tzinfo=dt.UTC)})
    accepted = trusted().model_copy(update={"purpose": "clientAuth", "members": (own,)})
    file = CredentialFacts(
        label="client.pem",
        uses=(CredentialUse.SENDING,),
        readable=yes(),
        chain=(own,),
        key_matches=yes(),
        trust=(accepted,),
    )
    told = measured(gateway=4000).model_copy(update={"credentials": (file,)})
    audit = judge_facts(told, NOW)
    first = audit.until[0]
    assert (first.code, first.subject) == ("CERT25", "client.pem")
    assert "clientAuth" in first.why.english()


@pytest.mark.parametrize(("days", "first"), [(10, None), (200, Verdict.NOT_READY)])
def test_facts_about_the_platform_age(days: int, first: Verdict | None) -> None:
    """From the day after their term the verdict rests on what nobody has verified."""
    due = (NOW + days * DAY).date()
    aged = sourced(".incamail.ch") | {"reverify_by": due}
    told = measured(gateway=60).model_copy(
        update={"platform": platform_facts(suffix=Sourced[str](**aged))}
    )
    until = judge_facts(told, NOW).until
    assert [each.verdict for each in until] == sorted(
        [None, Verdict.NOT_READY], key=lambda verdict: verdict is not first
    )
    lab = told.model_copy(update={"vantage": vantage(Place.GATEWAY, on_lab=True)})
    assert None not in [each.verdict for each in judge_facts(lab, NOW).until]


def test_dates_beyond_the_calendar_end_nothing() -> None:
    """The year 9999 of a certificate without an end is no date to tell, and breaks nothing."""
    endless = certificate(not_after=dt.datetime.max.replace(tzinfo=dt.UTC))
    told = facts(
        receiving=(showing(GATEWAY, (endless,)),),
        platform_endpoints=(showing(PLATFORM, (endless,)),),
        declared=declared(go_live=dt.date.max),
    )
    assert judge_facts(told, NOW).until == ()
