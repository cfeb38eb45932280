"""CERT: what a certificate means for receiving, for sending, today, at go-live and at renewal."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from factories import (
    GATEWAY,
    NOW,
    certificate,
    declared,
    endpoint,
    facts,
    survey,
    trusted,
    unreached,
)

from incamail_lib.checks import ALL_CHECKS, of_family
from incamail_lib.checks._core import judge
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import (
    CertificateFacts,
    ChainFacts,
    CredentialFacts,
    CredentialUse,
    NameMatch,
    TrustFacts,
    TrustReason,
)
from incamail_lib.facts.observation import Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import ClientAuthFacts, EndpointFacts, Stage
from incamail_lib.findings import Finding, Level, Outcome
from incamail_lib.guide.ca_policy import ca_policy

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
UNKNOWN, NOT_APPLICABLE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
DAY, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)
SERVER_CODES = [c.code for c in of_family("CERT") if c.code < "CERT20"]
CLIENT_CODES = [c.code for c in of_family("CERT") if c.code >= "CERT20"]
ISSUER = certificate(subject="CN=Issuing CA", is_ca=True, ext_key_usage=None)
LINKS = ChainFacts(length=2, in_order=True, root_sent=False)
LEGIBLE = {"ext_key_usage": ("serverAuth", "clientAuth"), "sct_count": 2, "key_bits": 3072}
OUT = "sending.pem"


def receiving(
    leaf: CertificateFacts | None = None,
    issuer: CertificateFacts = ISSUER,
    *,
    links: ChainFacts | None = LINKS,
    **changes: Any,
) -> EndpointFacts:
    """The client's gateway, showing `leaf` and `issuer`."""
    tls = survey().tls
    assert tls is not None
    chain = (leaf or certificate(**LEGIBLE), issuer)
    shown = tls.model_copy(update={"chain": chain, "links": links})
    return endpoint(GATEWAY, connections=(survey(tls=shown),), **changes)


def sending(leaf: CertificateFacts | None = None, **changes: Any) -> CredentialFacts:
    """A sound certificate file for sending, from a public authority."""
    own = leaf or certificate(**LEGIBLE, sha256="ee" * 32)
    sound: dict[str, Any] = {
        "label": OUT,
        "uses": (CredentialUse.SENDING,),
        "format": "PEM",
        "readable": yes(),
        "chain": (own, ISSUER),
        "links": LINKS,
        "has_key": True,
        "key_matches": yes(),
        "trust": tuple(
            t.model_copy(update={"purpose": p})
            for t in (trusted(), trusted("system"))
            for p in ("serverAuth", "clientAuth")
        ),
    }
    return CredentialFacts(**(sound | changes))


def client_trust(*reasons: TrustReason) -> tuple[TrustFacts, ...]:
    """Verdicts of several stores, the first of them certifi, about use as a client."""
    names = ("certifi", "system", "mta.pem")
    return tuple(
        trusted(name, reason).model_copy(update={"purpose": "clientAuth"})
        for name, reason in zip(names, reasons, strict=False)
    )


def measured(
    server: EndpointFacts | None = None, file: CredentialFacts | None = None, **changes: Any
) -> AuditFacts:
    sound: dict[str, Any] = {
        "receiving": (server or receiving(),),
        "credentials": (file or sending(),),
        "platform_endpoints": (),
    }
    return facts(**(sound | changes))


def finding(code: str, audit: AuditFacts, now: dt.datetime = NOW) -> Finding:
    return next(f for f in judge(audit, ALL_CHECKS, now) if f.code == code)


def served(code: str, server: EndpointFacts, **changes: Any) -> Finding:
    return finding(code, measured(server, **changes))


def sent(code: str, file: CredentialFacts, **changes: Any) -> Finding:
    return finding(code, measured(file=file, **changes))


def leaf_pair(code_server: str, code_client: str, **changes: Any) -> set[Outcome]:
    """The outcomes of the same rule in both directions."""
    leaf = certificate(**(LEGIBLE | changes))
    return {
        served(code_server, receiving(leaf)).outcome,
        sent(code_client, sending(leaf)).outcome,
    }


def test_a_sound_client_passes() -> None:
    """Nothing is held against sound certificates but the coming end of clientAuth."""
    audit = measured()
    found = {c: finding(c, audit) for c in [*SERVER_CODES, *CLIENT_CODES]}
    assert found.pop("CERT17").outcome is NOT_APPLICABLE
    coming = found.pop("CERT24")
    assert coming.outcome is FAILED
    assert not coming.blocks
    assert {c: f.outcome for c, f in found.items() if f.outcome is not PASSED} == {}
    assert found["CERT20"].subject == OUT
    assert found["CERT01"].subject == GATEWAY.label


@pytest.mark.parametrize("code", SERVER_CODES)
@pytest.mark.parametrize("reason", [Reason.TIMEOUT, Reason.RESET, Reason.GREYLISTED])
def test_a_certificate_that_was_not_seen_is_unknown(code: str, reason: Reason) -> None:
    """A dialogue that ended early says nothing about the certificate."""
    assert served(code, unreached(reason, Stage.GREETING, GATEWAY)).outcome is UNKNOWN


@pytest.mark.parametrize("code", CLIENT_CODES[1:])
def test_a_file_that_cannot_be_used_silences_what_hangs_on_it(code: str) -> None:
    """One failure is told, with its cause; the rest is open and names it or what lies between."""
    nothing = inconclusive(Reason.NOT_REACHED, "x")
    lost = sending(
        readable=no(Reason.SEEN, "a passphrase is needed"), chain=(), key_matches=nothing, trust=()
    )
    assert sent("CERT20", lost).blocks
    assert "a passphrase is needed" in sent("CERT20", lost).seen.english()
    behind = sent(code, lost)
    assert behind.outcome is UNKNOWN
    assert behind.blocked_by.startswith("CERT2")


def test_without_a_file_for_sending_the_question_stays_open() -> None:
    """No file is no pass, and a file for receiving is none for sending."""
    assert finding("CERT20", measured(credentials=())).outcome is UNKNOWN
    other = sending(uses=(CredentialUse.RECEIVING,))
    assert sent("CERT20", other).outcome is UNKNOWN


def test_a_damaged_certificate_blocks() -> None:
    """It is shown, but nobody can read it; what hangs on it is not judged."""
    broken = receiving(CertificateFacts(der=b"0", sha1="a", sha256="b", problem="ValueError: x"))
    assert served("CERT01", broken).blocks
    assert served("CERT07", broken).blocked_by == "CERT01"


def test_a_self_signed_certificate_blocks() -> None:
    """In both directions; the missing chain is then no further reproach."""
    assert leaf_pair("CERT02", "CERT28", self_signed=True) == {FAILED}
    assert leaf_pair("CERT02", "CERT28", self_issued=True) == {PASSED}
    alone = receiving(certificate(self_signed=True), trust=(trusted("x", TrustReason.SELF_SIGNED),))
    assert served("CERT02", alone).blocks
    assert served("CERT03", alone).blocked_by == "CERT02"


def test_a_missing_intermediate_is_named_with_its_address() -> None:
    """And the authority is not called unknown on top of it."""
    told = trusted("certifi", TrustReason.MISSING_INTERMEDIATE)
    told = told.model_copy(update={"detail": "CN=Issuing CA"})
    leaf = certificate(**LEGIBLE, ca_issuers_urls=("http://ca.example/i.crt",))
    gap = receiving(leaf, trust=(told,))
    found = served("CERT03", gap)
    assert found.blocks
    assert "CN=Issuing CA (http://ca.example/i.crt)" in found.seen.english()
    assert served("CERT04", gap).outcome is UNKNOWN
    file = sending(leaf, trust=(told.model_copy(update={"purpose": "clientAuth"}),))
    assert sent("CERT29", file).blocks
    assert sent("CERT30", file).outcome is UNKNOWN


def test_a_verdict_about_servers_says_nothing_about_clients() -> None:
    """A store that trusts the chain as a server was not asked about it as a client."""
    only_server = sending(trust=(trusted(),))
    assert sent("CERT30", only_server).outcome is UNKNOWN
    assert sent("CERT24", only_server).outcome is not PASSED


T = TrustReason


@pytest.mark.parametrize(
    ("reasons", "recognised"),
    [
        ((T.TRUSTED, T.UNKNOWN_ROOT), PASSED),
        ((T.EXPIRED,), UNKNOWN),
        ((T.NOT_YET_VALID, T.UNKNOWN_ROOT), UNKNOWN),
        ((T.WRONG_PURPOSE,), UNKNOWN),
        ((T.WEAK,), UNKNOWN),
        ((T.UNUSUAL,), UNKNOWN),
        ((T.EXPIRED, T.TRUSTED), PASSED),
        ((T.NAME_CONSTRAINTS,), FAILED),
        ((T.PATH_LENGTH,), FAILED),
        ((T.UNKNOWN_CRITICAL,), FAILED),
        ((T.BAD_SIGNATURE,), FAILED),
        ((T.NOT_AN_AUTHORITY,), FAILED),
        ((T.REFUSED,), FAILED),
        ((T.UNKNOWN_ROOT, T.UNKNOWN_ROOT), FAILED),
        ((T.MALFORMED,), FAILED),
        ((T.STORE_UNREADABLE,), UNKNOWN),
        ((T.UNKNOWN_ROOT, T.STORE_UNREADABLE), FAILED),
        ((), UNKNOWN),
    ],
)
def test_an_authority_is_recognised_by_some_store(
    reasons: tuple[TrustReason, ...], recognised: Outcome
) -> None:
    """One store is enough; none that could be asked is unknown.

    What another check judges, such as an end of validity, never counts as recognised: the
    question stays open.
    """
    trust = client_trust(*reasons)
    assert served("CERT04", receiving(trust=trust)).outcome is recognised
    assert sent("CERT30", sending(trust=trust)).outcome is recognised


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ((T.TRUSTED, T.TRUSTED), PASSED),
        ((T.TRUSTED, T.STORE_UNREADABLE), NOT_APPLICABLE),
        ((T.TRUSTED,), NOT_APPLICABLE),
        ((T.TRUSTED, T.UNKNOWN_ROOT), FAILED),
        ((T.EXPIRED, T.TRUSTED), FAILED),
    ],
)
def test_stores_that_differ_are_named(reasons: tuple[TrustReason, ...], expected: Outcome) -> None:
    """A recommendation to ask, with every store and its reason."""
    found = served("CERT05", receiving(trust=client_trust(*reasons)))
    assert (found.outcome, found.level) == (expected, Level.RECOMMENDED)
    if expected is FAILED:
        assert "certifi: " in found.seen.english()
        assert "system: " in found.seen.english()


def accepting(foreign: Any) -> EndpointFacts:
    """The platform's gateway took our certificate; what of a stranger's?"""
    auth = ClientAuthFacts(
        requested=yes(),
        demanded=yes(),
        own_accepted=yes(Reason.SMTP_REPLY),
        foreign_accepted=foreign,
        verified=yes(),
    )
    return endpoint(client_auth=auth)


@pytest.mark.parametrize(
    ("foreign", "expected"),
    [
        (no(Reason.ALERT, "48"), PASSED),
        (yes(), FAILED),
        (inconclusive(Reason.TIMEOUT), FAILED),
    ],
)
def test_what_incamail_accepts_counts_where_it_verifies(foreign: Any, expected: Outcome) -> None:
    """A private authority is recognised where a stranger is refused; else the stores decide."""
    private = sending(trust=client_trust(T.UNKNOWN_ROOT))
    found = sent("CERT30", private, platform_endpoints=(accepting(foreign),))
    assert found.outcome is expected


def test_the_name_must_match() -> None:
    """What the certificate names instead is told; not compared is unknown."""
    wrong = NameMatch(host=GATEWAY.host, matched=False, presented=("www.muster.example",))
    found = served("CERT06", receiving(name_match=wrong))
    assert found.blocks
    assert "www.muster.example" in found.seen.english()
    assert served("CERT06", receiving(name_match=None)).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, PASSED),
        ({"not_before": NOW, "not_after": NOW + SECOND}, PASSED),
        ({"not_after": NOW}, FAILED),
        ({"not_after": NOW - SECOND}, FAILED),
        ({"not_before": NOW + SECOND}, FAILED),
        ({"not_after": None}, UNKNOWN),
        ({"not_before": None}, UNKNOWN),
    ],
)
def test_today_lies_within_the_validity(changes: dict[str, Any], expected: Outcome) -> None:
    """To the second, in both directions; that of notAfter is over, as OpenSSL counts it."""
    assert leaf_pair("CERT07", "CERT25", **changes) == {expected}


def test_the_date_of_judging_decides() -> None:
    """The same facts judged a year later have expired."""
    assert finding("CERT07", measured(), NOW).outcome is PASSED
    assert finding("CERT07", measured(), NOW + 365 * DAY).outcome is FAILED
    assert finding("CERT25", measured(), NOW + 365 * DAY).outcome is FAILED


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (dt.datetime(2027, 1, 14, 23, tzinfo=dt.UTC), FAILED),
        (dt.datetime(2027, 1, 15, 23, tzinfo=dt.UTC), FAILED),
        (dt.datetime(2027, 1, 16, 0, tzinfo=dt.UTC), PASSED),
    ],
)
def test_go_live_must_lie_before_the_end(end: dt.datetime, expected: Outcome) -> None:
    """A certificate that ends on the day itself does not do; go-live is on 2027-01-15."""
    assert leaf_pair("CERT08", "CERT26", not_after=end) == {expected}


def test_without_a_date_there_is_no_go_live_to_judge() -> None:
    """Not fixed yet is not applicable."""
    audit = measured(declared=declared(go_live=None))
    assert finding("CERT08", audit).outcome is NOT_APPLICABLE
    assert finding("CERT26", audit).outcome is NOT_APPLICABLE


@pytest.mark.parametrize(
    ("begun", "left", "expected"),
    [
        (100 * DAY, 30 * DAY + SECOND, PASSED),
        (100 * DAY, 30 * DAY, FAILED),
        (30 * DAY, 16 * DAY, PASSED),  # of 46 days, a third is 15.3
        (30 * DAY, 15 * DAY, FAILED),
    ],
)
def test_renewal_is_due_in_good_time(
    begun: dt.timedelta, left: dt.timedelta, expected: Outcome
) -> None:
    """30 days before the end, or at the last third of a short life; a recommendation."""
    dates = {"not_before": NOW - begun, "not_after": NOW + left}
    assert leaf_pair("CERT09", "CERT27", **dates) == {expected}
    late = served("CERT09", receiving(certificate(**(LEGIBLE | dates))))
    assert late.level is Level.RECOMMENDED


@pytest.mark.parametrize(
    ("kind", "bits", "expected"),
    [
        ("RSA", 2048, PASSED),
        ("RSA", 2047, FAILED),
        ("RSA", 1024, FAILED),
        ("EC", 256, PASSED),
        ("EC", 192, FAILED),
        ("Ed25519", 256, PASSED),
        ("Ed448", 456, PASSED),
        ("DSA", 3072, FAILED),
        ("ML-DSA-65", 0, UNKNOWN),
        ("", 0, UNKNOWN),
    ],
)
def test_weak_keys_fail_and_unknown_ones_stay_open(kind: str, bits: int, expected: Outcome) -> None:
    """A kind of key that this version does not know is not called weak."""
    assert leaf_pair("CERT10", "CERT31", key_type=kind, key_bits=bits) == {expected}


@pytest.mark.parametrize(
    ("leaf", "issuer", "expected"),
    [
        ({}, {}, PASSED),
        ({"signature_hash": "sha1"}, {}, FAILED),
        ({"signature_hash": "md5"}, {}, FAILED),
        ({}, {"signature_hash": "sha1"}, FAILED),
        ({}, {"signature_hash": "sha1", "self_signed": True}, PASSED),
        ({"signature_hash": ""}, {}, PASSED),
        ({"signature_algorithm": ""}, {}, UNKNOWN),
    ],
    ids=["sound", "sha1", "md5", "sha1 above", "sha1 root", "no hash (Ed25519)", "not read"],
)
def test_broken_signatures_count_below_the_root(
    leaf: dict[str, Any], issuer: dict[str, Any], expected: Outcome
) -> None:
    """Nobody verifies a root's own signature (RFC 9155 speaks of the others)."""
    shown, above = certificate(**(LEGIBLE | leaf)), ISSUER.model_copy(update=issuer)
    assert served("CERT11", receiving(shown, above)).outcome is expected
    assert sent("CERT32", sending(shown, chain=(shown, above))).outcome is expected


@pytest.mark.parametrize(
    ("leaf", "issuer", "server", "client", "above"),
    [
        (("serverAuth", "clientAuth"), None, PASSED, PASSED, PASSED),
        (("serverAuth",), None, PASSED, FAILED, PASSED),
        (("clientAuth",), None, FAILED, PASSED, PASSED),
        (None, None, PASSED, PASSED, PASSED),
        (("anyExtendedKeyUsage",), None, FAILED, FAILED, PASSED),
        ((), None, FAILED, FAILED, PASSED),
        (("serverAuth", "clientAuth"), ("serverAuth",), PASSED, PASSED, FAILED),
        (("serverAuth", "clientAuth"), ("clientAuth",), FAILED, PASSED, PASSED),
    ],
)
def test_usages_of_leaf_and_intermediate(
    leaf: tuple[str, ...] | None,
    issuer: tuple[str, ...] | None,
    server: Outcome,
    client: Outcome,
    above: Outcome,
) -> None:
    """Each direction needs its own usage, on every certificate that has the extension at all."""
    shown = certificate(**(LEGIBLE | {"ext_key_usage": leaf}))
    ca = ISSUER.model_copy(update={"ext_key_usage": issuer})
    assert served("CERT12", receiving(shown, ca)).outcome is server
    file = sending(shown, chain=(shown, ca))
    assert sent("CERT22", file).outcome is client
    assert sent("CERT23", file).outcome is above


def test_an_intermediate_that_is_not_there_cannot_be_judged() -> None:
    """A leaf alone in its file leaves the question open."""
    leaf = certificate(**LEGIBLE)
    assert sent("CERT23", sending(leaf, chain=(leaf,))).outcome is UNKNOWN
    alone = certificate(**(LEGIBLE | {"self_signed": True}))
    assert sent("CERT23", sending(alone, chain=(alone,))).outcome is PASSED


@pytest.mark.parametrize(
    ("links", "order", "root"),
    [
        (LINKS, PASSED, PASSED),
        (ChainFacts(length=3, in_order=False, root_sent=True), FAILED, FAILED),
        (ChainFacts(length=3, in_order=True, root_sent=True), PASSED, FAILED),
        (ChainFacts(length=2, in_order=True, root_sent=False, duplicates=1), FAILED, PASSED),
        (
            ChainFacts(length=2, in_order=True, root_sent=False, unrelated=("CN=x",)),
            *(PASSED, PASSED),  # mentioned, see below
        ),
        (None, UNKNOWN, UNKNOWN),
    ],
)
def test_order_and_needless_certificates_never_block(
    links: ChainFacts | None, order: Outcome, root: Outcome
) -> None:
    """Modern senders find their way: a recommendation, and a word about the root; or unseen."""
    found = served("CERT13", receiving(links=links))
    assert (found.outcome, found.level) == (order, Level.RECOMMENDED)
    needless = served("CERT14", receiving(links=links))
    assert (needless.outcome, needless.level) == (root, Level.INFO)


def test_what_is_not_on_the_path_is_mentioned() -> None:
    """A cross-signed certificate for other peers is no fault; a certificate sent twice is."""
    links = ChainFacts(length=3, in_order=True, root_sent=False, unrelated=("CN=Old Root",))
    found = served("CERT13", receiving(links=links))
    assert "CN=Old Root" in found.seen.english()
    twice = ChainFacts(length=3, in_order=True, root_sent=False, duplicates=1)
    assert served("CERT13", receiving(links=twice)).outcome is FAILED


SCHEDULE = [
    ("2020-08-31", None),
    ("2020-09-01", 398),
    ("2026-03-14", 398),
    ("2026-03-15", 200),
    ("2027-03-14", 200),
    ("2027-03-15", 100),
    ("2029-03-14", 100),
    ("2029-03-15", 47),
    ("2040-01-01", 47),
]


@pytest.mark.parametrize(("issued", "days"), SCHEDULE)
def test_the_schedule_changes_on_its_days(issued: str, days: int | None) -> None:
    """398, 200, 100 and 47 days by the date of issue (ballot SC-081v3)."""
    assert ca_policy().longest_life(dt.date.fromisoformat(issued)) == days


def living(issued: str, life: dt.timedelta) -> Finding:
    """CERT15 on a certificate of that life, judged on its second day."""
    begin = dt.datetime.fromisoformat(issued).replace(tzinfo=dt.UTC)
    # Both ends count: the last second is part of the life.
    dates = {"not_before": begin, "not_after": begin + life - SECOND}
    audit = measured(receiving(certificate(**(LEGIBLE | dates))))
    return finding("CERT15", audit, begin + DAY)


@pytest.mark.parametrize(("issued", "days"), [row for row in SCHEDULE if row[1]])
def test_a_life_may_be_as_long_as_allowed_and_not_a_second_longer(issued: str, days: int) -> None:
    """More than so many times 86,400 seconds is one more day (BR §6.3.2)."""
    assert living(issued, days * DAY).outcome is PASSED
    assert living(issued, days * DAY + SECOND).outcome is FAILED
    over = living(issued, (days + 1) * DAY)
    assert (over.outcome, over.level) == (FAILED, Level.RECOMMENDED)
    assert f"{days + 1} days; allowed are {days}" in over.seen.english()


def test_before_the_first_rule_any_life_was_allowed() -> None:
    """A certificate of 2020 is not measured by the rules of today."""
    assert living("2020-08-31", 825 * DAY).outcome is PASSED


def test_the_schedule_binds_public_authorities_only() -> None:
    """A private one may issue for ten years; the lab stands in for a public one."""
    long = certificate(**(LEGIBLE | {"not_after": NOW + 3650 * DAY}))
    private = receiving(long, trust=(trusted("mta.pem"), trusted("certifi", T.UNKNOWN_ROOT)))
    assert served("CERT15", private).outcome is NOT_APPLICABLE
    assert served("CERT16", private).outcome is NOT_APPLICABLE
    assert served("CERT15", receiving(long)).outcome is FAILED
    vantage = facts().vantage.model_copy(update={"on_lab": True})
    assert served("CERT15", private, vantage=vantage).outcome is FAILED


def test_a_missing_log_entry_is_information() -> None:
    """Public authorities log; its absence stops no mail."""
    found = served("CERT16", receiving(certificate(**(LEGIBLE | {"sct_count": 0}))))
    assert (found.outcome, found.level) == (FAILED, Level.INFO)


def test_the_gateway_shows_the_certificate_that_was_handed_over() -> None:
    """The file for receiving and what is shown are compared; without a file there is nothing."""
    shown = receiving()
    same = sending(shown.chain[0], uses=(CredentialUse.RECEIVING,))
    assert sent("CERT17", same).outcome is PASSED
    other = sending(uses=(CredentialUse.RECEIVING,))
    assert sent("CERT17", other).outcome is FAILED
    unusable = sending(uses=(CredentialUse.RECEIVING,), chain=())
    assert sent("CERT17", unusable).outcome is NOT_APPLICABLE


def test_the_key_must_belong_to_the_certificate() -> None:
    """A mismatch blocks; a key that lies elsewhere leaves it open."""
    assert sent("CERT21", sending(key_matches=no())).blocks
    without = sending(has_key=False, key_matches=inconclusive(Reason.NOT_TRIED))
    assert sent("CERT21", without).outcome is UNKNOWN


ENDS = [
    (("Let's Encrypt",), "Let's Encrypt", "2026-07-08"),
    (("DigiCert Inc",), "DigiCert", "2027-03-01"),
    (("Sectigo Limited",), "Sectigo", "2026-05-15"),
    (("Asseco Data Systems S.A.",), "Certum", "2026-05-15"),
    (("GoDaddy.com, Inc.",), "GoDaddy", "2026-06-15"),
]
# No date of their own: the root programme's is the latest.
NOT_FIXED = [
    (("SwissSign AG",), "SwissSign", "2027-03-15"),
    ((), "Chrome Root Program 1.8", "2027-03-15"),
    (("digicert look-alike",), "Chrome Root Program 1.8", "2027-03-15"),
]


@pytest.mark.parametrize(("organisations", "authority", "day"), [*ENDS, *NOT_FIXED])
def test_the_end_of_client_usage_depends_on_the_authority(
    organisations: tuple[str, ...], authority: str, day: str
) -> None:
    """Each authority has its day; Chrome's rule binds every other public one."""
    end = ca_policy().end_of_client_auth(organisations)
    assert (end.authority, end.ends_on.isoformat()) == (authority, day)
    assert end.source
    assert end.known == ((organisations, authority, day) in ENDS)


def renewed(organisations: tuple[str, ...], end: dt.datetime) -> Finding:
    """CERT24 of a certificate that ends then."""
    return sent(
        "CERT24", sending(certificate(**(LEGIBLE | {"issuer_o": organisations, "not_after": end})))
    )


def day_of(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(hour=12, tzinfo=dt.UTC)


@pytest.mark.parametrize(("organisations", "authority", "day"), ENDS)
def test_client_usage_that_will_not_survive_the_renewal(
    organisations: tuple[str, ...], authority: str, day: str
) -> None:
    """Ending on the day or later: no renewal keeps it. The day before: one more does, as a note."""
    ends_on = day_of(day)
    late, early = renewed(organisations, ends_on), renewed(organisations, ends_on - DAY)
    assert (late.outcome, late.level) == (FAILED, Level.RECOMMENDED)
    assert (early.outcome, early.level) == (FAILED, Level.INFO)
    for found in (late, early):
        assert authority in found.seen.english()
        assert day in found.seen.english()


@pytest.mark.parametrize(("organisations", "day"), [(row[0], row[2]) for row in NOT_FIXED])
def test_an_authority_without_a_date_promises_nothing(
    organisations: tuple[str, ...], day: str
) -> None:
    """Before the root programme's date it is not known; from then on it is over.

    The sentence names the issuer, since a browser issues nothing.
    """
    late, early = renewed(organisations, day_of(day)), renewed(organisations, day_of(day) - DAY)
    assert (late.outcome, late.level) == (FAILED, Level.RECOMMENDED)
    assert early.outcome is UNKNOWN
    issuer = ", ".join(organisations) or "CN=Issuing CA"
    for found in (late, early):
        assert f"{issuer} stops issuing clientAuth" in found.seen.english().replace(
            ",O=SwissSign AG", ""
        )
        assert f"{day} at the latest (Chrome Root Program 1.8)" in found.seen.english()
        assert "ne more renewal" not in found.seen.english()


def test_sources_that_contradict_each_other_are_both_told() -> None:
    """Sectigo: 2026-05-15 or 2027-02-10. Between the two nothing is promised."""
    between = renewed(("Sectigo Limited",), day_of("2027-01-31"))
    assert (between.outcome, between.level) == (FAILED, Level.RECOMMENDED)
    assert "2026-05-15 or 2027-02-10" in between.seen.english()
    after = renewed(("Sectigo Limited",), day_of("2027-02-10"))
    assert "contradict" not in after.seen.english()
    assert after.outcome is FAILED


def test_google_ended_in_april() -> None:
    """The source names the month, so the sentence does."""
    found = renewed(("Google Trust Services",), day_of("2026-12-24"))
    assert "Google Trust Services issues clientAuth until 2026-04 only" in found.seen.english()
    assert found.level is Level.RECOMMENDED


def test_without_a_store_nobody_knows_whether_the_authority_is_public() -> None:
    """No readable store passes nothing, and calls nobody private."""
    assert sent("CERT24", sending(trust=client_trust(T.STORE_UNREADABLE))).outcome is UNKNOWN
    assert sent("CERT23", sending(trust=client_trust(T.STORE_UNREADABLE))).outcome is UNKNOWN
    assert sent("CERT29", sending(trust=client_trust(T.STORE_UNREADABLE))).outcome is UNKNOWN


def test_a_private_authority_keeps_client_usage() -> None:
    """It is not bound by the public rules; without the usage the question does not arise."""
    private = sending(trust=client_trust(T.UNKNOWN_ROOT, T.UNKNOWN_ROOT, T.TRUSTED))
    assert sent("CERT24", private).outcome is NOT_APPLICABLE
    server_only = sending(certificate(**(LEGIBLE | {"ext_key_usage": ("serverAuth",)})))
    assert sent("CERT24", server_only).blocked_by == "CERT22"


def test_an_authority_whose_root_nobody_knows_is_not_called_private() -> None:
    """Its root may be in a programme that we cannot ask: unknown, in both directions."""
    strange = sending(trust=client_trust(T.UNKNOWN_ROOT, T.UNKNOWN_ROOT))
    assert sent("CERT24", strange).outcome is UNKNOWN
    for code in ("CERT15", "CERT16"):
        shown = receiving(trust=(trusted("certifi", T.UNKNOWN_ROOT), trusted("certifi")))
        assert served(code, shown).outcome is not UNKNOWN
    private = receiving(trust=(trusted("system-roots.pem"),))
    assert served("CERT15", private).outcome is NOT_APPLICABLE
    old = trusted("certifi").model_copy(update={"public": None})  # saved before it was recorded
    assert served("CERT15", receiving(trust=(old,))).outcome is UNKNOWN


def test_a_key_that_cannot_be_tried_says_why() -> None:
    """Locked, or behind the wrong certificate of its file: each with its own words."""
    locked = sending(key_matches=inconclusive(Reason.NOT_REACHED, "a passphrase is needed"))
    found = sent("CERT21", locked)
    assert (found.outcome, "passphrase" in found.seen.english()) == (UNKNOWN, True)
    behind = sent("CERT21", sending(leaf_stands_first=False))
    assert (behind.outcome, behind.level) == (FAILED, Level.RECOMMENDED)
    wrong = sent("CERT21", sending(key_matches=no(Reason.SEEN, "the first key")))
    assert "the first key" in wrong.seen.english()
    assert wrong.blocks


def test_a_missing_common_name_is_a_question_for_post() -> None:
    """The set-up form asks for it."""
    found = sent("CERT33", sending(certificate(**(LEGIBLE | {"subject_cn": ()}))))
    assert (found.outcome, found.level) == (FAILED, Level.RECOMMENDED)


def test_one_certificate_for_both_directions_is_noted() -> None:
    """Declared so, or seen so; where nothing was seen it is unknown."""
    both = (CredentialUse.SENDING, CredentialUse.RECEIVING)
    found = sent("CERT34", sending(uses=both))
    assert (found.outcome, found.level) == (FAILED, Level.INFO)
    assert sent("CERT34", sending(receiving().chain[0])).outcome is FAILED
    mute = unreached(Reason.TIMEOUT, Stage.CONNECT, GATEWAY)
    assert finding("CERT34", measured(mute)).outcome is UNKNOWN


def test_codes_of_both_directions_are_complete() -> None:
    """CERT01–CERT17 for receiving, CERT20–CERT34 for sending, none twice."""
    assert [f"CERT{n:02}" for n in range(1, 18)] == SERVER_CODES
    assert [f"CERT{n}" for n in range(20, 35)] == CLIENT_CODES
