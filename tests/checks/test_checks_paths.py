"""Checks look at the whole path: an intermediate or a root decides as much as the leaf does."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from factories import GATEWAY, NOW, certificate, declared, endpoint, facts, survey, trusted

from incamail_lib.checks import ALL_CHECKS
from incamail_lib.checks._core import judge
from incamail_lib.checks.validity import held_by, renewal_from, shown_by
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import (
    CertificateFacts,
    ChainFacts,
    CredentialFacts,
    CredentialUse,
    Reservation,
    Reserved,
    TrustFacts,
    TrustReason,
)
from incamail_lib.facts.observation import Reason, inconclusive, yes
from incamail_lib.facts.smtp import ClientAuthFacts, EndpointFacts
from incamail_lib.findings import Finding, Level, Outcome
from incamail_lib.report.timeline import timeline

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
DAY = dt.timedelta(days=1)
T = TrustReason
LEAF = certificate(sha256="11" * 32, ext_key_usage=("serverAuth", "clientAuth"))
ICA = certificate(
    sha256="22" * 32,
    subject="CN=Issuing CA,O=SwissSign AG",
    issuer="CN=Root,O=SwissSign AG",
    is_ca=True,
    ext_key_usage=None,
    key_usage=("key_cert_sign",),
    not_after=NOW + 900 * DAY,
)
ROOT = certificate(
    sha256="33" * 32,
    subject="CN=Root,O=SwissSign AG",
    issuer="CN=Root,O=SwissSign AG",
    is_ca=True,
    self_signed=True,
    ext_key_usage=None,
    not_after=NOW + 5000 * DAY,
)
# The same rule in both directions, and for the platform.
VALID, GO_LIVE = ("CERT07", "CERT25", "PLAT07"), ("CERT08", "CERT26")
RENEWAL, KEY, SIGNED = ("CERT09", "CERT27"), ("CERT10", "CERT31"), ("CERT11", "CERT32")


def answer(
    *members: CertificateFacts, store: str = "certifi", reason: TrustReason = T.TRUSTED, **more: Any
) -> TrustFacts:
    """One store's answer with its path."""
    level = 2 if reason is T.TRUSTED else None
    changes = {"members": members, "complete": True, "security_level": level} | more
    return trusted(store, reason).model_copy(update=changes)


def gateway(*trust: TrustFacts, target: Any = GATEWAY) -> EndpointFacts:
    """A gateway that sends leaf and intermediate."""
    tls = survey().tls
    assert tls is not None
    links = ChainFacts(length=2, in_order=True, root_sent=False, path=(LEAF.sha256, ICA.sha256))
    shown = tls.model_copy(update={"chain": trust[0].members[:2], "links": links})
    nothing = inconclusive(Reason.NOT_TRIED)
    auth = dict.fromkeys(
        ("requested", "demanded", "own_accepted", "foreign_accepted", "verified"), nothing
    )
    return endpoint(
        target,
        connections=(survey(tls=shown),),
        trust=trust,
        client_auth=ClientAuthFacts(**auth),  # so that the stores alone decide
    )


def measured(*trust: TrustFacts, **changes: Any) -> AuditFacts:
    """The same chain at the gateway, in the file for sending, and at the platform."""
    file = CredentialFacts(
        label="sending.pem",
        uses=(CredentialUse.SENDING,),
        readable=yes(),
        key_matches=yes(),
        chain=trust[0].members[:2],
        trust=tuple(t.model_copy(update={"purpose": "clientAuth"}) for t in trust),
    )
    return facts(
        receiving=(gateway(*trust),),
        platform_endpoints=(gateway(*trust, target=endpoint().target),),
        credentials=(file,),
        **changes,
    )


def finding(code: str, audit: AuditFacts, now: dt.datetime = NOW) -> Finding:
    return next(f for f in judge(audit, ALL_CHECKS, now) if f.code == code)


def outcomes(codes: tuple[str, ...], audit: AuditFacts, now: dt.datetime = NOW) -> set[Outcome]:
    return {finding(code, audit, now).outcome for code in codes}


def of(certificate: CertificateFacts, **changes: Any) -> CertificateFacts:
    return certificate.model_copy(update=changes)


def test_a_sound_path_passes() -> None:
    """Leaf, intermediate and root: nothing is held against any of them."""
    audit = measured(answer(LEAF, ICA, ROOT))
    assert outcomes((*VALID, *GO_LIVE, *RENEWAL, *KEY, *SIGNED), audit) == {PASSED}
    assert outcomes(("CERT04", "CERT30", "CERT12", "CERT22", "CERT23", "PLAT06"), audit) == {PASSED}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    ("changes", "word"),
    [({"not_after": NOW - DAY}, "xpired"), ({"not_before": NOW + DAY}, "ot valid before")],
)
def test_any_member_that_is_not_valid_today_fails(
    place: int, changes: dict[str, Any], word: str
) -> None:
    """It is named, and no answer of that kind counts as recognised."""
    path = [LEAF, ICA, ROOT]
    path[place] = of(path[place], **changes)
    reason = T.EXPIRED if "not_after" in changes else T.NOT_YET_VALID
    audit = measured(answer(*path, reason=reason, culprit=path[place]))
    assert outcomes(VALID, audit) == {FAILED}
    assert outcomes(("CERT04", "CERT30"), audit) == {UNKNOWN}
    for code in VALID:
        seen = finding(code, audit).seen.english()
        assert word in seen
        assert (path[place].subject in seen) == (place > 0)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_at_its_last_moment_a_path_has_ended(place: int) -> None:
    """`judge --at` with the day on which a member ends at midnight: OpenSSL refuses it then."""
    path = [LEAF, ICA, ROOT]
    path[place] = of(path[place], not_after=NOW + DAY)
    audit = measured(answer(*path))
    assert outcomes(("CERT25", "CERT30"), audit, NOW + DAY - dt.timedelta(seconds=1)) == {PASSED}
    assert outcomes(VALID[:2], audit, NOW + DAY) == {FAILED}
    assert outcomes(("CERT04", "CERT30"), audit, NOW + DAY) == {UNKNOWN}


def test_an_intermediate_that_ends_first_is_the_end() -> None:
    """Valid today, but not at go-live (2027-01-15); the renewal is due for its sake."""
    early = of(ICA, not_after=NOW + 20 * DAY)
    audit = measured(answer(LEAF, early, ROOT))
    assert outcomes(VALID[:2], audit) == {PASSED}
    assert outcomes(GO_LIVE, audit) == {FAILED}
    assert finding("CERT08", audit).blocks
    assert outcomes(RENEWAL, audit) == {FAILED}
    assert "CN=Issuing CA" in finding("CERT07", audit).seen.english()
    platform = finding("PLAT07", audit)
    assert (platform.outcome, platform.level) == (FAILED, Level.RECOMMENDED)
    late = measured(answer(LEAF, of(ICA, not_after=NOW + 200 * DAY), ROOT))
    assert outcomes((*GO_LIVE, *RENEWAL, "PLAT07"), late) == {PASSED}


def test_the_date_of_judging_decides_for_the_whole_path() -> None:
    """`judge --at`: the same facts, once the intermediate has ended."""
    audit = measured(answer(LEAF, of(ICA, not_after=NOW + 50 * DAY), ROOT))
    assert outcomes((*VALID[:2], "CERT04", "CERT30", "PLAT06"), audit) == {PASSED}
    later = NOW + 60 * DAY
    assert outcomes(VALID, audit, later) == {FAILED}
    assert outcomes(("CERT04", "CERT30"), audit, later) == {UNKNOWN}
    theirs = finding("PLAT06", audit, later)
    assert theirs.outcome is FAILED
    assert ": trusted" not in theirs.seen.english()
    assert "No store trusts it" in theirs.seen.english()
    evening = (NOW + 40 * DAY).replace(hour=23)
    left = (NOW + 50 * DAY).date() - evening.date()
    told = finding(RENEWAL[0], audit, evening).seen.english()
    assert f"{left.days} days left" in told
    assert "Tell Swiss Post" in str(theirs.remedy), "whose certificate it is, renews it"


@pytest.mark.parametrize("hours", [-11, 14])
def test_a_date_in_another_zone_is_the_same_moment(hours: int) -> None:
    """Judged at a moment told by another clock, every finding is the same."""
    audit = measured(answer(LEAF, of(ICA, not_after=NOW + 30 * DAY), ROOT))
    zone = dt.timezone(dt.timedelta(hours=hours))
    for moment in (NOW, NOW + 11 * dt.timedelta(hours=1)):
        there = judge(audit, ALL_CHECKS, moment.astimezone(zone))
        assert there == judge(audit, ALL_CHECKS, moment)


def test_one_store_is_enough_today_and_the_other_is_told() -> None:
    """A store with a path that ends before go-live is a recommendation; one with none is worse."""
    good = answer(LEAF, ICA, ROOT)
    early = answer(LEAF, of(ICA, not_after=NOW + 20 * DAY), ROOT, store="mta.pem")
    found = finding("CERT08", measured(good, early))
    assert (found.outcome, found.level) == (FAILED, Level.RECOMMENDED)
    assert "mta.pem" in found.seen.english()
    assert finding("CERT09", measured(good, early)).outcome is FAILED
    assert finding("CERT08", measured(early)).blocks
    assert finding("CERT08", measured(good, good)).outcome is PASSED


@pytest.mark.parametrize("place", [0, 1, 2])
def test_keys_count_anywhere_on_the_path(place: int) -> None:
    """RSA 1024 is refused by default on Debian: recommended. RSA 512 by everybody: required."""
    path = [LEAF, ICA, ROOT]
    path[place] = of(path[place], key_bits=1024)
    reserve = Reserved(reason=Reservation.LEVEL_2, sha256=path[place].sha256, name=path[place].name)
    audit = measured(answer(*path, security_level=1, reserved=(reserve,)))
    for code in (*KEY, "PLAT06"):
        found = finding(code, audit)
        assert (found.outcome, found.level) == (FAILED, Level.RECOMMENDED)
        assert "Debian" in found.seen.english()
        assert path[place].name in found.seen.english()
    path[place] = of(path[place], key_bits=512)
    weak = measured(answer(*path, reason=T.WEAK, culprit=path[place]))
    assert all(finding(code, weak).blocks for code in (*KEY, "PLAT06"))


@pytest.mark.parametrize("curve", ["secp224r1", "secp256k1", "brainpoolP256r1"])
def test_odd_curves_fail_at_the_leaf_and_are_told_above(curve: str) -> None:
    """No TLS peer takes them from a leaf by default; above it OpenSSL does, GnuTLS does not."""
    odd = {"key_type": "EC", "key_bits": 256, "curve": curve}
    leaf = measured(answer(of(LEAF, **odd), ICA, ROOT, reason=T.UNUSUAL))
    assert all(finding(code, leaf).blocks for code in KEY)
    above = measured(answer(LEAF, of(ICA, **odd), ROOT))
    assert {finding(code, above).level for code in KEY} == {Level.RECOMMENDED}
    assert outcomes(KEY, above) == {FAILED}
    dsa = measured(answer(LEAF, of(ICA, key_type="DSA", key_bits=2048), ROOT))
    assert {finding(code, dsa).level for code in KEY} == {Level.RECOMMENDED}
    usual = {"key_type": "EC", "key_bits": 384, "curve": "secp384r1"}
    fine = measured(answer(of(LEAF, **usual), of(ICA, **usual), ROOT))
    assert outcomes(KEY, fine) == {PASSED}


def test_signatures_count_below_the_anchor() -> None:
    """SHA-1 on the intermediate fails, on the root it is of no matter; SHA-3 is not understood."""
    weak = measured(answer(LEAF, of(ICA, signature_hash="sha1"), ROOT, reason=T.WEAK))
    assert outcomes(SIGNED, weak) == {FAILED}
    assert outcomes(SIGNED, measured(answer(LEAF, ICA, of(ROOT, signature_hash="sha1")))) == {
        PASSED
    }
    rare = measured(answer(of(LEAF, signature_hash="sha3-256"), ICA, ROOT, reason=T.UNUSUAL))
    assert outcomes(SIGNED, rare) == {FAILED}


@pytest.mark.parametrize("place", [1, 2])
def test_a_restriction_above_the_leaf_counts(place: int) -> None:
    """On the intermediate or on the root, for either purpose."""
    path = [LEAF, ICA, ROOT]
    path[place] = of(path[place], ext_key_usage=("serverAuth",))
    audit = measured(answer(*path))
    assert finding("CERT23", audit).blocks
    assert "2026-06-15" in finding("CERT23", audit).remedy.english()
    assert finding("CERT12", audit).outcome is PASSED
    path[place] = of(path[place], ext_key_usage=("clientAuth",))
    assert finding("CERT12", measured(answer(*path))).blocks


def test_key_usage_is_judged_for_its_purpose() -> None:
    """A client signs. An RSA server may encipher, which some libraries refuse; nobody certifies."""

    def used(*usages: str, **more: Any) -> AuditFacts:
        return measured(answer(of(LEAF, key_usage=usages, **more), ICA, ROOT))

    enciphers = used("key_encipherment")
    assert finding("CERT22", enciphers).blocks
    assert "digitalSignature" in finding("CERT22", enciphers).seen.english()
    server = finding("CERT12", enciphers)
    assert (server.outcome, server.level) == (FAILED, Level.RECOMMENDED)
    assert finding("CERT12", used("key_encipherment", key_type="EC")).blocks
    certifies = used("key_cert_sign")
    assert finding("CERT12", certifies).blocks
    assert finding("CERT22", certifies).blocks
    assert outcomes(("CERT12", "CERT22"), used("digital_signature")) == {PASSED}


def test_the_netscape_type_counts() -> None:
    """OpenSSL still obeys it."""
    client = measured(answer(of(LEAF, ns_cert_type=("client",)), ICA, ROOT))
    assert finding("CERT12", client).blocks
    assert finding("CERT22", client).outcome is PASSED


def test_an_authority_as_leaf_is_told() -> None:
    """OpenSSL takes it, others do not."""
    audit = measured(answer(of(LEAF, is_ca=True), ICA, ROOT))
    for code in ("CERT12", "CERT22"):
        found = finding(code, audit)
        assert (found.outcome, found.level) == (FAILED, Level.RECOMMENDED)


def test_an_issuer_with_another_key_is_no_unknown_root() -> None:
    """The chain is not complete, and the remedy is the authority's current certificate."""
    gap = answer(LEAF, reason=T.ISSUER_KEY_DIFFERS, detail=ICA.subject, culprit=ICA, complete=False)
    audit = measured(gap)
    for code in ("CERT03", "CERT29", "PLAT10"):
        found = finding(code, audit)
        assert found.outcome is FAILED
        assert "another key" in found.seen.english()
    assert "current intermediate" in finding("CERT03", audit).remedy.english()
    assert outcomes(("CERT04", "CERT30"), audit) == {UNKNOWN}


@pytest.mark.parametrize(
    "reason",
    [
        *(T.NAME_CONSTRAINTS, T.PATH_LENGTH, T.UNKNOWN_CRITICAL, T.BAD_SIGNATURE),
        *(T.NOT_AN_AUTHORITY, T.REFUSED, T.MALFORMED),
    ],
)
def test_each_fault_of_a_path_has_its_own_words_and_remedy(reason: TrustReason) -> None:
    """The certificate at fault is named, and nobody is told to look for another root."""
    fault = answer(LEAF, ICA, ROOT, reason=reason, detail=ICA.subject, culprit=ICA)
    audit = measured(fault)
    for code in ("CERT04", "CERT30"):
        found = finding(code, audit)
        assert found.blocks
        assert ICA.subject in found.seen.english()
        unknown = measured(answer(LEAF, ICA, reason=T.UNKNOWN_ROOT, complete=False))
        assert found.remedy != finding(code, unknown).remedy


def test_no_readable_store_passes_nothing() -> None:
    """What hangs on trust stays open."""
    audit = measured(answer(LEAF, ICA, reason=T.STORE_UNREADABLE, complete=False))
    codes = ("CERT03", "CERT04", "CERT23", "CERT24", "CERT29", "CERT30", "PLAT06", "PLAT10")
    assert outcomes(codes, audit) == {UNKNOWN}


def test_trust_says_that_revocation_was_not_checked() -> None:
    """Wherever a store's trust is a pass."""
    audit = measured(answer(LEAF, ICA, ROOT))
    for code in ("CERT04", "CERT30", "PLAT06"):
        assert "Revocation was not checked" in finding(code, audit).seen.english()


@pytest.mark.parametrize(
    ("life", "left", "due"),
    [(90, 29, True), (90, 31, False), (45, 16, False), (45, 14, True), (6, 3, False), (6, 1, True)],
)
def test_one_renewal_rule_for_checks_and_timeline(life: int, left: int, due: bool) -> None:
    """30 days or a third of the leaf's life before the end of the path."""
    leaf = of(LEAF, not_before=NOW - (life - left) * DAY, not_after=NOW + left * DAY)
    audit = measured(answer(leaf, ICA, ROOT))
    start = renewal_from((leaf, ICA, ROOT))
    assert start is not None
    assert (start <= NOW) == due
    assert outcomes(RENEWAL, audit) == ({FAILED} if due else {PASSED})


def test_the_timeline_ends_with_the_path() -> None:
    """A bar is as long as the first certificate to end, and names it."""
    early = of(ICA, not_after=NOW + 20 * DAY)
    chart = timeline(measured(answer(LEAF, early, ROOT)), NOW)
    assert chart is not None
    assert {(bar.end, bar.first_to_end.subject) for bar in chart.bars} == {
        (early.not_after, early.subject)
    }
    whole = timeline(measured(answer(LEAF, ICA, ROOT)), NOW)
    assert whole is not None
    assert {bar.end for bar in whole.bars} == {LEAF.not_after}


def test_what_lies_beside_the_path_is_known() -> None:
    """Extra certificates are found, whether a store told the path or the chain alone does."""
    extra = of(ICA, sha256="44" * 32, not_after=NOW - DAY)
    crowded = answer(LEAF, ICA, ROOT)
    shown = shown_by(gateway(crowded))
    assert shown.beside == ()
    file = CredentialFacts(
        label="f",
        uses=(CredentialUse.SENDING,),
        readable=yes(),
        key_matches=yes(),
        chain=(LEAF, ICA, extra),
        links=ChainFacts(length=3, in_order=True, root_sent=False, path=("11" * 32, "22" * 32)),
    )
    assert [c.sha256 for c in held_by(file).beside] == [extra.sha256]
    assert [c.sha256 for c in held_by(file).path(NOW)] == [LEAF.sha256, ICA.sha256]
    trusting = file.model_copy(update={"trust": (answer(LEAF, ICA, ROOT, purpose="clientAuth"),)})
    audit = measured(crowded).model_copy(update={"credentials": (trusting,)})
    assert outcomes(("CERT25", "CERT29", "CERT30"), audit) == {PASSED}
    assert extra.subject in finding("CERT29", audit).seen.english()


def test_a_go_live_in_the_past_decides_nothing() -> None:
    """For the platform as for the client."""
    early = of(ICA, not_after=NOW + 20 * DAY)
    past = declared(go_live=NOW.date() - DAY)
    audit = measured(answer(LEAF, early, ROOT), declared=past)
    assert finding("PLAT07", audit).outcome is PASSED
    assert finding("CERT08", audit).outcome is Outcome.NOT_APPLICABLE


def test_the_path_that_counts_is_that_of_the_store_that_serves_best() -> None:
    """A level that was not told stands for the usual one; a weaker path comes after it."""
    other = of(ICA, sha256="44" * 32, not_after=NOW + 5 * DAY)
    untold = answer(LEAF, ICA, ROOT, security_level=None)
    weak = answer(LEAF, other, ROOT, store="system", security_level=1)
    usual = answer(LEAF, other, ROOT, store="own", security_level=2)
    shown = shown_by(gateway(untold, weak))
    assert shown.path(NOW) == (LEAF, ICA, ROOT)
    assert [t.store for t in shown.other_paths(NOW)] == ["system"]
    assert shown_by(gateway(weak, untold)).path(NOW) == (LEAF, ICA, ROOT)
    # Alike in level: the path that holds longer.
    assert shown_by(gateway(usual, untold)).path(NOW) == (LEAF, ICA, ROOT)
    reserved = Reserved(reason=Reservation.LEVEL_2, sha256=LEAF.sha256, name="x")
    doubtful = untold.model_copy(update={"reserved": (reserved,)})
    assert shown_by(gateway(doubtful, usual)).path(NOW) == (LEAF, other, ROOT)
