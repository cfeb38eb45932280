"""What changed between two audits: what is told, as whose doing, and what is no alarm."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from factories import (
    GATEWAY,
    NOW,
    PLATFORM,
    certificate,
    endpoint,
    facts,
    host,
    mail_domain,
    sourced,
    survey,
    trusted,
    unreached,
    vantage,
)
from factories import platform as platform_facts
from hypothesis import given, settings
from hypothesis import strategies as st

from incamail_lib.changes import Change, Kind, alarms, compare, fingerprint
from incamail_lib.changes.words import kind_text
from incamail_lib.checks import judge_facts
from incamail_lib.facts.audit import AuditFacts, DeclaredGateway, Place, ReceivingFrom
from incamail_lib.facts.certificate import CertificateFacts, NameMatch, TrustReason
from incamail_lib.facts.dns import DnsFacts
from incamail_lib.facts.observation import Reason, yes
from incamail_lib.facts.smtp import EndpointFacts, Purpose, Stage, Target
from incamail_lib.findings import Audit, Level, Outcome, Verdict

LATER = NOW + dt.timedelta(days=1)
DAY = dt.timedelta(days=1)


def judged(told: AuditFacts | None = None, now: dt.datetime = NOW) -> Audit:
    return judge_facts(told or facts(), now)


def showing(leaf: CertificateFacts, target: Target = GATEWAY, **changes: Any) -> EndpointFacts:
    """A gateway that shows this certificate."""
    seen = survey()
    assert seen.tls is not None
    shown = seen.model_copy(update={"tls": seen.tls.model_copy(update={"chain": (leaf,)})})
    return endpoint(target, connections=(shown,), **changes)


def receiving(leaf: CertificateFacts, **changes: Any) -> Audit:
    return judged(facts(receiving=(showing(leaf, **changes),)))


def of_kind(changes: tuple[Change, ...], *kinds: Kind) -> list[Change]:
    return [change for change in changes if change.kind in kinds]


OLD = certificate(not_after=NOW + 20 * DAY)


def renewed(**changes: Any) -> CertificateFacts:
    new = {"sha256": "dd" * 32, "not_before": NOW, "not_after": NOW + 150 * DAY}
    return certificate(**(new | changes))


POOL = (
    facts(),
    facts(receiving=(endpoint(GATEWAY, legacy=yes(Reason.SEEN), legacy_version="TLSv1"),)),
    facts(receiving=(unreached(Reason.TIMEOUT, Stage.CONNECT, GATEWAY),)),
    facts(receiving=()),
    facts(receiving=(endpoint(GATEWAY.model_copy(update={"address": "192.0.2.9"})),)),
    facts(vantage=vantage(Place.ELSEWHERE), receiving_from=None),
    facts(dns=DnsFacts(domains=(mail_domain("mx1.muster.example"),))),
    facts(receiving=(showing(certificate(sha256="ee" * 32, not_after=NOW - DAY)),)),
    facts(receiving=(endpoint(GATEWAY), endpoint(GATEWAY.model_copy(update={"host": "mx2.x"})))),
)
AUDITS = tuple(judged(told, when) for told in POOL for when in (NOW, NOW + 100 * DAY))


@pytest.mark.parametrize("audit", AUDITS)
def test_nothing_changes_between_an_audit_and_itself(audit: Audit) -> None:
    """Whatever it says."""
    assert compare(audit, audit) == ()


@settings(deadline=None, max_examples=60)
@given(*[st.integers(0, len(AUDITS) - 1)] * 2)
def test_better_and_worse_change_places_with_the_audits(first: int, second: int) -> None:
    """What became worse one way became better the other way, check by check; known and unknown,
    new and gone likewise. Nothing is told twice, and no alarm stands behind what is none."""
    one, other = AUDITS[first], AUDITS[second]
    there, back = compare(one, other), compare(other, one)
    mirrored = {Kind.WORSE: Kind.BETTER, Kind.BECAME_KNOWN: Kind.BECAME_UNKNOWN}
    for kind, opposite in mirrored.items():
        for this, that in ((there, back), (back, there)):
            codes = {c.code for c in of_kind(this, kind)}
            assert codes == {c.code for c in of_kind(that, opposite)}
    for changes in (there, back):
        assert len({(c.code, c.subject, c.kind, c.text.english()) for c in changes}) == len(changes)
        flags = [change.alarm for change in changes]
        assert flags == sorted(flags, reverse=True)
        assert alarms(changes) == changes[: sum(flags)]


@settings(deadline=None, max_examples=60)
@given(*[st.integers(0, len(AUDITS) - 1)] * 2)
def test_equal_fingerprints_leave_nothing_to_compare(first: int, second: int) -> None:
    """And what differs has another one; when it was measured does not count."""
    one, other = AUDITS[first], AUDITS[second]
    if compare(one, other):
        assert fingerprint(one) != fingerprint(other)
    if fingerprint(one) == fingerprint(other):
        assert compare(one, other) == () == compare(other, one)


def test_another_night_without_news_has_the_same_fingerprint() -> None:
    """Times, durations and days left differ every night."""
    later = facts(measured_at=LATER, receiving=(endpoint(GATEWAY, connections=(slower(),)),))
    assert fingerprint(judged()) == fingerprint(judged(later, LATER))


@pytest.mark.parametrize(
    "other",
    [
        facts(receiving=(showing(renewed()),)),
        facts(receiving=(showing(OLD, GATEWAY.model_copy(update={"address": "192.0.2.9"})),)),
        facts(receiving=(showing(OLD),), vantage=vantage(Place.GATEWAY, version="9")),
        facts(receiving=(showing(OLD),), vantage=vantage(Place.INSIDE)),
        facts(receiving=(showing(OLD),), platform=platform_facts(tags=sourced(("<im>",)))),
        facts(
            receiving=(showing(OLD),),
            declared=facts().declared.model_copy(update={"go_live": None}),
        ),
    ],
)
def test_whatever_is_compared_is_in_the_fingerprint(other: AuditFacts) -> None:
    """Each by itself: certificate, address, version, place, platform, dossier."""
    assert compare(receiving(OLD), judged(other))
    assert fingerprint(receiving(OLD)) != fingerprint(judged(other))


def test_a_renewal_that_changes_no_finding_is_in_the_fingerprint() -> None:
    """Both certificates are sound; only the facts differ."""
    first = receiving(renewed(sha256="d1" * 32, not_after=NOW + 149 * DAY))
    assert [c.kind for c in compare(first, receiving(renewed()))] == [Kind.RENEWED]
    assert fingerprint(first) != fingerprint(receiving(renewed()))


def slower() -> Any:
    return survey(started_at=LATER, elapsed_s=2.5)


def test_a_new_failure_is_told_with_what_was_seen_and_stands_first() -> None:
    """Before it: the verdict that it decides."""
    wrong = NameMatch(host=PLATFORM.host, matched=False)
    weak = facts(platform_endpoints=(endpoint(name_match=wrong),))
    changes = compare(judged(), judged(weak))
    worse = of_kind(changes, Kind.WORSE)
    assert worse
    assert changes[0].alarm
    assert all("It was in order before" in c.text.english() for c in worse if c.code)
    assert not alarms(compare(judged(weak), judged()))


def test_a_silent_gateway_is_unknown_and_neither_better_nor_worse() -> None:
    """What was in order and cannot be told is said to be so; what hangs on it is not listed."""
    silent = facts(receiving=(unreached(Reason.TIMEOUT, Stage.CONNECT, GATEWAY),))
    changes = compare(judged(), judged(silent))
    assert not of_kind(changes, Kind.BETTER)
    lost = of_kind(changes, Kind.BECAME_UNKNOWN, Kind.WORSE)
    assert lost
    assert all("cannot be told now" in c.text.english() for c in lost if c.kind is not Kind.WORSE)
    assert len(lost) < 5
    back = compare(judged(silent), judged())
    assert not of_kind(back, Kind.WORSE)
    assert not alarms(back)


@pytest.mark.parametrize(
    ("new", "kinds"),
    [
        (renewed(), {Kind.RENEWED}),
        (renewed(spki_sha256="ab" * 32), {Kind.RENEWED, Kind.KEY_CHANGED}),
        (renewed(issuer_o=("Other CA",)), {Kind.RENEWED, Kind.ISSUER_CHANGED}),
        (renewed(issuer="CN=Issuing CA 2,O=SwissSign AG"), {Kind.RENEWED}),
        (renewed(san_dns=("other.example",)), {Kind.REPLACED}),
        (renewed(san_dns=("gw1.incamail.com", "more.example")), {Kind.REPLACED}),
        (renewed(not_after=NOW + 20 * DAY), {Kind.REPLACED}),
        (renewed(not_after=None), {Kind.REPLACED}),
    ],
)
def test_a_renewal_is_told_from_a_replacement(new: CertificateFacts, kinds: set[Kind]) -> None:
    """Same names, later end; another key or authority is told beside it. None is an alarm."""
    changes = compare(receiving(OLD), receiving(new))
    told = of_kind(changes, Kind.RENEWED, Kind.REPLACED, Kind.KEY_CHANGED, Kind.ISSUER_CHANGED)
    assert {c.kind for c in told} == kinds
    assert {c.subject for c in told} == {GATEWAY.host}
    assert not alarms(tuple(told))


def test_what_is_trusted_no_more_is_no_renewal() -> None:
    """The same names and a later end do not make one; without trust before, it is one."""
    nowhere = {"trust": (trusted(reason=TrustReason.UNKNOWN_ROOT),)}
    lost = compare(receiving(OLD), receiving(renewed(), **nowhere))
    assert of_kind(lost, Kind.REPLACED)
    assert alarms(lost)
    assert of_kind(
        compare(receiving(OLD, **nowhere), receiving(renewed(), **nowhere)), Kind.RENEWED
    )


def test_certificates_of_two_kinds_of_key_are_told_apart() -> None:
    """An EC certificate beside an RSA one is a further one, no replacement."""
    ec = certificate(sha256="ec" * 32, key_type="EC", key_bits=256, curve="secp256r1")
    both = showing(OLD)
    other = showing(ec).survey.model_copy(update={"purpose": Purpose.OTHER_KEY})
    two = both.model_copy(update={"connections": (*both.connections, other)})
    one, other_too = receiving(OLD), judged(facts(receiving=(two,)))
    there, back = compare(one, other_too), compare(other_too, one)
    assert [c.kind for c in there if c.subject == GATEWAY.host] == [Kind.NEW]
    assert [c.kind for c in back if c.subject == GATEWAY.host] == [Kind.GONE]


def test_a_gateway_that_moved_is_the_same_gateway() -> None:
    """Another address, or another name at the same one: told once, and nothing else is."""
    for change in ({"address": "192.0.2.9"}, {"host": "mail.muster.example"}):
        moved = GATEWAY.model_copy(update=change)
        shown = endpoint(moved, name_match=endpoint(GATEWAY).name_match)
        changes = compare(judged(), judged(facts(receiving=(shown,))))
        assert [(c.kind, c.subject) for c in changes] == [(Kind.MOVED, moved.label)]
        assert GATEWAY.label in changes[0].text.english()


def test_what_fails_at_a_moved_gateway_was_in_order_at_the_old_place() -> None:
    """Its findings are compared through the move."""
    moved = GATEWAY.model_copy(update={"address": "192.0.2.9"})
    shown = endpoint(moved, legacy=yes(Reason.SEEN), legacy_version="TLSv1")
    changes = compare(judged(), judged(facts(receiving=(shown,))))
    assert {c.kind for c in changes} == {Kind.MOVED, Kind.WORSE}


def test_a_further_gateway_is_new_and_one_less_is_gone() -> None:
    """One line each, however many checks look at it, and a line for what fails there."""
    second = GATEWAY.model_copy(update={"address": "192.0.2.9"})
    one, two = judged(), judged(facts(receiving=(endpoint(GATEWAY), endpoint(second))))
    assert [(c.kind, c.subject) for c in compare(one, two)] == [(Kind.NEW, second.label)]
    assert [(c.kind, c.subject) for c in compare(two, one)] == [(Kind.GONE, second.label)]
    bad = endpoint(second, legacy=yes(Reason.SEEN), legacy_version="TLSv1")
    three = judged(facts(receiving=(endpoint(GATEWAY), bad)))
    assert [c.subject for c in alarms(compare(one, three))] == [second.label]


def test_what_the_date_did_is_told_as_such() -> None:
    """The same facts on a later day: the certificate ended, nobody changed anything."""
    told = facts(receiving=(showing(OLD),))
    changes = compare(judged(told), judged(told, NOW + 21 * DAY))
    assert alarms(changes)
    assert all("Nothing was changed" in c.text.english() for c in changes)


def test_what_the_facts_about_the_platform_did_is_not_the_clients_doing() -> None:
    """A finding that only they change is told as theirs and is no alarm of its own."""
    other = platform_facts(organisations=sourced(("Somebody else",)))
    changes = compare(judged(), judged(facts(platform=other)))
    assert {c.kind for c in changes} == {Kind.RULES}
    assert any("«organisations»" in c.text.english() for c in changes)
    assert any(c.code and not c.alarm for c in changes)


def test_what_the_program_did_is_not_the_clients_doing() -> None:
    """An older program that judged the same facts otherwise, or did not ask at all."""
    now = judged(POOL[1])
    older = now.model_copy(
        update={"findings": tuple(f for f in now.findings if f.code not in ("TLS03", "TLS01"))}
    )
    assert [(c.kind, c.code) for c in compare(older, now)] == [(Kind.RULES, "TLS03")]
    flipped = tuple(
        f.model_copy(update={"outcome": Outcome.FAILED, "title": "x"})
        if f.outcome is Outcome.PASSED
        else f
        for f in now.findings
    )
    was = now.model_copy(update={"findings": flipped, "verdict": Verdict.NOT_READY})
    changes = compare(was, now)
    assert {c.kind for c in changes} == {Kind.RULES}
    assert len(changes) > 20
    assert not alarms(changes)


def test_another_place_is_said() -> None:
    """Out of the organisation's network the way out is unknown: that is told, not worse."""
    changes = compare(judged(), judged(facts(vantage=vantage(Place.ELSEWHERE))))
    assert len(of_kind(changes, Kind.VANTAGE)) == 1
    assert not of_kind(changes, Kind.BETTER)
    inside = ReceivingFrom(vantage=vantage(Place.INSIDE), measured_at=NOW)
    assert len(of_kind(compare(judged(), judged(facts(receiving_from=inside))), Kind.VANTAGE)) == 1


def test_another_version_and_another_dossier_are_said() -> None:
    """They may be why something differs."""
    newer = facts(
        vantage=vantage(Place.GATEWAY, version="2.0"),
        declared=facts().declared.model_copy(
            update={"go_live": None, "sending": (DeclaredGateway(host="new.muster.example"),)}
        ),
    )
    changes = compare(judged(), judged(newer))
    assert len(of_kind(changes, Kind.RULES)) == 1
    assert len(of_kind(changes, Kind.DOSSIER)) == 2


def test_a_mail_domain_comes_and_goes() -> None:
    """One line for the domain, whatever the checks say of it."""
    more = facts().declared.model_copy(update={"domains": ("muster.example", "two.example")})
    one, two = judged(), judged(facts(declared=more))
    assert (Kind.NEW, "two.example") in [(c.kind, c.subject) for c in compare(one, two)]
    assert (Kind.GONE, "two.example") in [(c.kind, c.subject) for c in compare(two, one)]


def test_servers_that_the_lab_made_anew_are_no_news() -> None:
    """New ports and keys there are nobody's doing; lab and platform do not compare."""

    def on_lab(port: int) -> AuditFacts:
        lab = vantage(Place.GATEWAY, on_lab=True)
        target = GATEWAY.model_copy(update={"port": port})
        return facts(vantage=lab, receiving=(showing(certificate(sha256=f"{port:064x}"), target),))

    assert compare(judged(on_lab(1025)), judged(on_lab(2025))) == ()
    assert of_kind(compare(judged(on_lab(1025)), judged()), Kind.VANTAGE)


def test_a_change_is_a_record() -> None:
    """It goes through JSON, for other programs and for the history."""
    change = compare(judged(), judged(POOL[1]))[0]
    assert Change.model_validate_json(change.model_dump_json()) == change
    assert change.level is not Level.INFO or not change.alarm


def test_a_host_of_the_platform_that_is_unchanged_is_not_listed() -> None:
    """Only what differs is told."""
    told = facts(dns=DnsFacts(platform_hosts=(host(PLATFORM.host, PLATFORM.address),)))
    assert compare(judged(told), judged(told, LATER)) == ()


def test_each_sort_of_change_has_a_word_of_its_own() -> None:
    """The same in a report and in the portfolio."""
    words = [kind_text(kind).template for kind in Kind]
    assert all(words)
    assert len(set(words)) == len(Kind)
