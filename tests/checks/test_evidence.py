"""A finding shows the values it rests on: who reads it must be able to look for himself."""

from __future__ import annotations

from typing import Any

import pytest
from checks import test_checks_dns as zones
from checks import test_checks_paths as paths
from checks import test_checks_routing as routed
from checks import test_inner_hop as inner
from checks import test_titles_certificates as certificates
from checks import test_titles_paths as ways
from factories import (
    GATEWAY,
    PLATFORM,
    broken,
    certificate,
    endpoint,
    facts,
    platform,
    sourced,
    survey,
    trusted,
    unreached,
)
from judging import alone

from incamail_lib.checks.words import reason_text
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import NameMatch, TrustReason
from incamail_lib.facts.observation import Reason, inconclusive, yes
from incamail_lib.facts.routing import Method
from incamail_lib.facts.smtp import ClientAuthFacts, EndpointFacts, Reply, Stage, Starttls
from incamail_lib.findings import Level, Outcome
from incamail_lib.guide import Certainty

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
NOT_APPLICABLE = Outcome.NOT_APPLICABLE
# What failed -> the values that must be seen, whatever the words around them.
SHOWN = {
    "ROUT01": "PARTNER@RECIPIENT.EXAMPLE.INCAMAIL.CH",
    "ROUT05": "<c> Test",
    "ROUT07": "other@third-party.example colleague@muster.example",
    "ROUT09": "192.0.2.1",
    "ROUT10": "relay.other.example",
    "ROUT11": "recipient.example.notincamail.ch",
    "ROUT13": "65 64",
    "ROUT14": "a@firm.incamail.ch",
    "ROUT15": "regexp:",
    "ROUT16": "<IM><C>",
    "DNS04": "192.0.2.77",
    "DNS05": "mx1.muster.example",
    "DNS06": "mx2.muster.example",
    "DNS07": "muster-example.mail.protection.outlook.com Microsoft",
    "DNS08": "mx2.muster.example",
    "DNS09": "192.0.2.1",
    "DNS10": "192.0.2.9",
    "DNS13": "mx1.muster.example",
    "DNS15": "bbbbbbbb",
    "DNS16": "mx1.muster.example",
    "DNS18": "muster.example nonsense:x",
    "DNS19": "+all",
    "DNS20": "192.0.2.9",
    "DNS21": "mx1.muster.example",
    "DNS22": "other.example SwissSign",
    "DNS23": "mx1.muster.example",
    "NET01": "refused",
    "NET02": "refused",
    "NET03": "2001:db8::1",
    "NET04": "198.51.100.9 194.41.147.13",
    "NET09": "4",
    "NET10": "gw.muster.local exch.muster.local",
    "SMTP05": "250 Ok",
    "SMTP07": "mail ESMTP",
    "TLS01": "40 handshake_failure",
    "TLS02": "TLSv1.2",
    "TLS06": "116",
    "TLS10": "40 handshake_failure",
    "TLS12": "48",
    "TLS13": "SwissSign",
    "CERT01": "bad tag",
    "CERT06": "mx1.muster.example –",
    "CERT07": "2026-11-23",
    "CERT08": "2026-11-27 2027-01-15",
    "CERT09": "3 2026-11-27",
    "CERT10": "gw1.incamail.com RSA 512",
    "CERT11": "gw1.incamail.com md5",
    "CERT12": "serverAuth clientAuth",
    "CERT15": "931 200",
    "CERT17": "bbbbbbbb",
    "CERT20": "no certificate in it",
    "CERT21": "another key",
    "CERT22": "clientAuth serverAuth",
    "CERT23": "CN=Issuing clientAuth serverAuth",
    "CERT24": "2035-02-10 SwissSign 2027-03-15 Chrome",
    "CERT25": "2026-11-23",
    "CERT26": "2026-11-27 2027-01-15",
    "CERT27": "3 2026-11-27",
    "CERT31": "RSA 512",
    "CERT32": "md5",
    "PLAT02": "Bluecoat Post",
    "PLAT03": "Corporate SwissSign",
    "PLAT04": "proxy.example *.incamail.com",
    "PLAT05": "gw1.incamail.com –",
    "PLAT06": "certifi system",
    "PLAT07": "2026-11-23",
    "PLAT08": "aaaaaaaa",
    "PLAT09": "Corporate SwissSign",
}
FAILURES = ways.FAILS | certificates.FAILS


@pytest.mark.parametrize("code", SHOWN)
def test_a_failure_shows_what_it_rests_on(code: str) -> None:
    """Names, addresses, dates and numbers: without them nobody could check or mend."""
    found = alone(code, FAILURES[code])
    assert found.outcome is FAILED
    for value in SHOWN[code].split(" "):
        assert value in found.seen.english(), found.seen.english()


UNSEEN = {
    **dict.fromkeys(("DNS01", "DNS08"), "MX muster.example"),
    **dict.fromkeys(("DNS02", "DNS05", "DNS06"), "A mx1.muster.example"),
    **dict.fromkeys(("DNS11", "DNS12", "DNS13", "DNS14"), "TXT muster.example"),
    **{"DNS03": "1 41", "DNS07": "mail.other.example", "DNS16": "CAA muster.example"},
    **{"DNS21": "mx1.muster.example", "NET03": "2001:db8::1", "NET04": PLATFORM.host},
}


@pytest.mark.parametrize("code", UNSEEN)
def test_an_open_question_shows_what_was_not_seen(code: str) -> None:
    """Who asks again must know what was asked, and of whom."""
    found = alone(code, ways.UNKNOWN[code])
    assert found.outcome is UNKNOWN
    for value in UNSEEN[code].split(" "):
        assert value in found.seen.english(), found.seen.english()


def receiving(*endpoints: EndpointFacts) -> AuditFacts:
    return facts(receiving=endpoints)


def test_a_closed_port_is_told_in_the_systems_own_words() -> None:
    """Where the system said nothing more, by the reason."""
    closed = unreached(Reason.UNREACHABLE, Stage.CONNECT, GATEWAY)
    words = broken(Reason.UNREACHABLE, Stage.CONNECT, evidence="No route to host")
    told = closed.model_copy(update={"connections": (words,)})
    assert "No route to host" in alone("NET01", receiving(told)).seen.english()
    bare = alone("NET01", receiving(closed)).seen.english()
    assert "No route to host" not in bare
    assert reason_text(Reason.UNREACHABLE).english() in bare


def test_names_that_do_not_match_are_shown() -> None:
    """Several are joined; none at all is a dash, not a blank."""
    for code, target, side in (
        ("CERT06", GATEWAY, "receiving"),
        ("PLAT05", PLATFORM, "platform_endpoints"),
    ):
        other = NameMatch(host=target.host, matched=False, presented=("a.example", "b.example"))
        seen = alone(code, facts(**{side: (endpoint(target, name_match=other),)})).seen.english()
        assert "a.example" in seen
        assert "b.example" in seen
        none = other.model_copy(update={"presented": ()})
        bare = alone(code, facts(**{side: (endpoint(target, name_match=none),)})).seen.english()
        assert "–" in bare


def test_the_weak_hand_over_that_is_told_is_the_newest() -> None:
    """Of several the one that a message takes today."""
    newest = inner.message(inner.OUT.format("ESMTP").replace("id 1", "id 7"), label="a")
    older = inner.message(inner.OUT.format("ESMTP").replace("id 1", "id 3"), label="b")
    first = newest.model_copy(update={"hops": (*newest.hops, *older.hops)})
    seen = inner.found(inner.measured(first)).seen.english()
    assert "id 7" in seen or newest.hops[0].evidence in seen


@pytest.mark.parametrize(
    ("names", "records", "outcome"),
    [
        (("*.muster.example",), ('0 issue "swisssign.com"',), PASSED),
        (("*.muster.example",), ('0 issue "swisssign.com"', '0 issuewild ";"'), FAILED),
        (("a.muster.example",), ('0 issue "swisssign.com"', '0 issuewild ";"'), PASSED),
        (("a.example", "*.b.example"), ('0 issue "swisssign.com"', '0 issuewild ";"'), FAILED),
        (("a.example",), ('0 issue "other.example"', '0 issuewild "swisssign.com"'), FAILED),
        (("*.a.example",), ('0 issue "other.example"', '0 issuewild "swisssign.com"'), PASSED),
        ((), ('0 issue "swisssign.com"', '0 issuewild ";"'), PASSED),
        (("*.a.example", "a.example"), ('0 issue "other.example"',), FAILED),
    ],
)
def test_wildcards_are_governed_by_their_own_property(
    names: tuple[str, ...], records: tuple[str, ...], outcome: Outcome
) -> None:
    """RFC 8659 §4.3: issuewild for wildcard names, issue for the others; the worst decides."""
    audit = ways.caa(*records)
    leaf = certificate(san_dns=names)
    found = alone("DNS22", audit.model_copy(update={"receiving": (zones.showing(leaf),)}))
    assert found.outcome is outcome, found.seen.english()


def test_a_chain_that_cannot_be_read_is_not_complete() -> None:
    """Neither missing nor complete: unknown, with the fault."""
    damaged = paths.of(paths.LEAF, problem="bad tag")
    audit = paths.measured(paths.answer(damaged, paths.ICA, paths.ROOT))
    for code in ("CERT03", "CERT29"):
        found = alone(code, audit)
        assert found.outcome is UNKNOWN
        assert "bad tag" in found.seen.english()


@pytest.mark.parametrize(
    "reason", [TrustReason.MISSING_INTERMEDIATE, TrustReason.ISSUER_KEY_DIFFERS]
)
def test_a_missing_intermediate_answers_no_question_of_trust(reason: TrustReason) -> None:
    """Every store stops there: whether its root is known is open, not no."""
    gap: dict[str, Any] = {"reason": reason, "complete": False, "detail": "CN=I"}
    audit = paths.measured(
        paths.answer(paths.LEAF, **gap), paths.answer(paths.LEAF, store="system", **gap)
    )
    for code in ("CERT04", "CERT30"):
        assert alone(code, audit).outcome is UNKNOWN
    # One store that has the whole path and does not know the root answers it.
    known = paths.measured(
        paths.answer(paths.LEAF, **gap),
        paths.answer(
            paths.LEAF, paths.ICA, store="system", reason=TrustReason.UNKNOWN_ROOT, complete=False
        ),
    )
    for code in ("CERT04", "CERT30"):
        assert alone(code, known).outcome is FAILED


def stores(*reasons: TrustReason) -> EndpointFacts:
    return endpoint(GATEWAY, trust=tuple(trusted(f"s{n}", r) for n, r in enumerate(reasons)))


def test_stores_agree_differ_or_cannot_be_compared() -> None:
    """Two alike pass, two unlike are advised against, one has nothing to agree with."""
    t, u = TrustReason.TRUSTED, TrustReason.UNKNOWN_ROOT
    unread = TrustReason.STORE_UNREADABLE
    for reasons, outcome in (
        ((t, t), PASSED),
        ((u, u), PASSED),
        ((t, u), FAILED),
        ((t,), NOT_APPLICABLE),
        ((t, unread), NOT_APPLICABLE),
        ((unread, unread), UNKNOWN),
        ((), UNKNOWN),
    ):
        found = alone("CERT05", receiving(stores(*reasons)))
        assert found.outcome is outcome, reasons
        assert found.level is Level.RECOMMENDED


def test_tagged_mail_that_is_sent_back_is_not_said_to_be_routed() -> None:
    """Both are good; the words tell which of the two a user will meet."""
    routes = alone("ROUT03", routed.measured(routed.rules(Method.SUBJECT))).seen.english()
    back = routed.rules(Method.DOMAIN, refuses_tag_without_suffix=True)
    refuses = alone("ROUT03", routed.measured(back))
    assert refuses.outcome is PASSED
    assert "author" in refuses.seen.english()
    assert "author" not in routes


@pytest.mark.parametrize("code", ["PLAT02", "PLAT03", "PLAT04"])
@pytest.mark.parametrize("certainty", Certainty)
def test_a_guess_weighs_less_where_one_store_trusts(code: str, certainty: Certainty) -> None:
    """What is only guessed of the platform is no verdict on a chain that some store trusts."""
    leaf = certificate(subject_o=("Other",), issuer_o=("Other CA",), san_dns=("other.example",))
    guess = platform(
        organisations=sourced(("Post CH AG",), certainty),
        issuers=sourced(("SwissSign AG",), certainty),
        names=sourced(("gw1.incamail.com",), certainty),
    )
    t, u = TrustReason.TRUSTED, TrustReason.UNKNOWN_ROOT
    sure = certainty in (Certainty.PRIMARY, Certainty.SECONDARY)
    for reasons in ((t, u), (u, t), (t, t), (u, u)):
        shown = showing(leaf, reasons)
        found = alone(code, facts(platform_endpoints=(shown,), platform=guess))
        mild = t in reasons and not sure
        assert found.outcome is FAILED
        assert found.level is (Level.RECOMMENDED if mild else Level.REQUIRED), reasons


def showing(leaf: Any, reasons: tuple[TrustReason, ...]) -> EndpointFacts:
    """The platform with another leaf, as these stores judge it; nothing else speaks for it."""
    shown = zones.showing(leaf)
    nothing = inconclusive(Reason.NOT_TRIED)
    auth = dict.fromkeys(
        ("requested", "demanded", "own_accepted", "foreign_accepted", "verified"), nothing
    )
    return endpoint(
        PLATFORM,
        connections=shown.connections,
        trust=tuple(trusted(f"s{n}", r) for n, r in enumerate(reasons)),
        client_auth=ClientAuthFacts(**auth),
    )


def test_a_reply_is_shown_as_it_came() -> None:
    """The refusal of STARTTLS and the smuggled command's answer, word by word."""
    obeyed = endpoint(GATEWAY, injection=yes(Reason.SMTP_REPLY, "250 reset"))
    assert "250 reset" in alone("SMTP04", receiving(obeyed)).seen.english()
    refused = survey(starttls_reply=Reply(code=454, lines=("no",)))
    refusing = endpoint(GATEWAY, connections=(refused,), starttls=Starttls.REFUSED)
    assert "454 no" in alone("SMTP03", receiving(refusing)).seen.english()


@pytest.mark.parametrize("code", ["CERT09", "CERT27"])
@pytest.mark.parametrize("date", ["not_before", "not_after"])
def test_a_renewal_without_one_of_the_dates_is_not_known(code: str, date: str) -> None:
    """Neither due nor not due: one date alone tells no life."""
    undated = paths.of(paths.LEAF, **{date: None})
    audit = paths.measured(paths.answer(undated, paths.ICA, paths.ROOT))
    assert alone(code, audit).outcome is UNKNOWN
