"""What passes says what was seen, so that a tick can be checked; what is no question says why."""

from __future__ import annotations

import pytest
from checks import test_checks_dns as zones
from checks import test_checks_paths as paths
from checks import test_checks_routing as routed
from checks import test_inner_hop as inner
from factories import NOW, answer, facts
from judging import RULES, alone

from incamail_lib.checks import judge_domain
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.routing import Method
from incamail_lib.findings import Outcome

CLIENT = facts()
ZONE = zones.measured()
PATH = paths.measured(paths.answer(paths.LEAF, paths.ICA, paths.ROOT))
ROUTED = routed.measured(
    routed.rules(Method.BOTH, refuses_tag_without_suffix=True), dns=routed.WITH_MX
)
# Code -> the values that a reader must find behind the tick.
PASSES: dict[str, tuple[AuditFacts, str]] = {
    "CERT01": (CLIENT, "gw1.incamail.com"),
    "CERT02": (CLIENT, "SwissSign"),
    "CERT03": (CLIENT, "2"),
    "CERT04": (CLIENT, "certifi system"),
    "CERT05": (CLIENT, "2"),
    "CERT06": (CLIENT, "mx1.muster.example"),
    "CERT07": (CLIENT, "2027-04-23"),
    "CERT08": (CLIENT, "2027-04-23 2027-01-15"),
    "CERT09": (CLIENT, "150 2027-04-23"),
    "CERT10": (CLIENT, "RSA 3072"),
    "CERT11": (CLIENT, "sha256WithRSAEncryption"),
    "CERT12": (CLIENT, "serverAuth"),
    "CERT13": (CLIENT, "2"),
    "CERT14": (CLIENT, ""),
    "CERT15": (CLIENT, "181"),
    "CERT20": (PATH, "2"),
    "CERT21": (PATH, ""),
    "CERT22": (PATH, "clientAuth"),
    "CERT23": (PATH, ""),
    "CERT25": (PATH, "2027-04-23"),
    "CERT26": (PATH, "2027-04-23 2027-01-15"),
    "CERT27": (PATH, "150 2027-04-23"),
    "CERT28": (PATH, "SwissSign"),
    "CERT29": (PATH, "2"),
    "CERT30": (PATH, "certifi"),
    "CERT31": (PATH, "RSA 3072"),
    "CERT32": (PATH, "sha256WithRSAEncryption"),
    "CERT33": (PATH, "gw1.incamail.com"),
    "DNS01": (ZONE, ""),
    "DNS02": (ZONE, "10 mx1.muster.example"),
    "DNS03": (ZONE, "1"),
    "DNS04": (ZONE, ""),
    "DNS05": (ZONE, ""),
    "DNS06": (ZONE, ""),
    "DNS07": (ZONE, ""),
    "DNS09": (ZONE, "MX"),
    "DNS10": (ZONE, "out.muster.example"),
    "DNS11": (ZONE, "ip4:192.0.2.9"),
    "DNS12": (ZONE, "p=none"),
    "DNS13": (ZONE, "enforce"),
    "DNS14": (ZONE, "rua=mailto:a@b.ch"),
    "DNS16": (ZONE, "swisssign.com"),
    "DNS17": (CLIENT, "gw1.incamail.com"),
    "DNS18": (ZONE, "0 10"),
    "DNS19": (ZONE, "-all"),
    "DNS20": (ZONE, "192.0.2.9"),
    "DNS21": (ZONE, "1"),
    "DNS22": (ZONE, "SwissSign"),
    "DNS23": (ZONE, ""),
    "NET01": (CLIENT, ""),
    "NET02": (CLIENT, ""),
    "NET04": (CLIENT, "194.41.147.13"),
    "NET05": (CLIENT, "out.muster.example"),
    "NET06": (CLIENT, ""),
    "NET07": (CLIENT, ""),
    "NET08": (CLIENT, ""),
    "PLAT01": (CLIENT, ""),
    "PLAT02": (CLIENT, "Post"),
    "PLAT03": (CLIENT, "SwissSign"),
    "PLAT04": (CLIENT, "gw1.incamail.com"),
    "PLAT05": (CLIENT, "gw1.incamail.com"),
    "PLAT06": (CLIENT, "certifi system"),
    "PLAT07": (CLIENT, "2027-04-23 2027-01-15"),
    "PLAT10": (CLIENT, "2"),
    "ROUT01": (ROUTED, ""),
    "ROUT02": (ROUTED, ""),
    "ROUT03": (ROUTED, ""),
    "ROUT08": (ROUTED, "im.post.ch"),
    "ROUT09": (ROUTED, ""),
    "ROUT10": (ROUTED, "im.post.ch"),
    "ROUT11": (ROUTED, ""),
    "ROUT12": (ROUTED, ""),
    "ROUT13": (ROUTED, ""),
    "SMTP01": (CLIENT, "mx1"),
    "SMTP03": (CLIENT, "go"),
    "SMTP06": (CLIENT, "52.4"),
    "TLS01": (CLIENT, "TLSv1.3 TLS_AES_256_GCM_SHA384"),
    "TLS02": (CLIENT, "TLSv1.3"),
    "TLS04": (CLIENT, "TLS_AES_256_GCM_SHA384"),
    "TLS07": (CLIENT, "48"),
    "TLS08": (CLIENT, "X25519MLKEM768"),
    "TLS10": (CLIENT, "TLSv1.3 TLS_AES_256_GCM_SHA384"),
    "TLS14": (CLIENT, "48"),
}
# No question for this client, and the reason is told.
NONE = (
    *("CERT17", "DNS08", "DNS15", "NET03", "NET09", "PLAT08", "PLAT09", "ROUT04", "ROUT05"),
    *("ROUT06", "ROUT14", "ROUT15", "ROUT16", "ROUT17", "SMTP08", "TLS13", "TLS15", "TLS18"),
)


@pytest.mark.parametrize("code", PASSES)
def test_a_tick_shows_what_was_seen(code: str) -> None:
    """The good state, with the values behind it."""
    audit, values = PASSES[code]
    found = alone(code, audit)
    assert found.outcome is Outcome.PASSED
    for value in filter(None, values.split(" ")):
        assert value in found.seen.english(), found.seen.english()


@pytest.mark.parametrize("code", NONE)
def test_what_is_no_question_for_a_client_is_told_as_such(code: str) -> None:
    """Not applicable and not passed: nothing was looked at."""
    found = alone(code, CLIENT)
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert found.seen.english()
    assert not found.remedy.template


def test_the_versions_of_the_inner_way_are_shown_where_they_are_known() -> None:
    """Each once; a product that does not note them still passes."""
    newest = inner.IN.replace(" by ", " (using TLSv1.3 with cipher A (256/256 bits)) by ")
    older = inner.OUT.replace(" by ", " (using TLSv1.2 with cipher A (256/256 bits)) by ")
    told = inner.found(
        inner.measured(
            inner.message(newest.format("ESMTPS"), inner.STRANGER),
            inner.message(inner.INCAMAIL, older.format("ESMTPS"), inner.WORKPLACE),
        )
    )
    assert told.outcome is Outcome.PASSED
    assert "TLSv1.3" in told.seen.english()
    assert "TLSv1.2" in told.seen.english()
    bare = inner.found(inner.measured(inner.incoming("ESMTPS"), inner.outgoing("ESMTPS")))
    assert bare.outcome is Outcome.PASSED
    assert "TLSv" not in bare.seen.english()


def test_a_domain_by_itself_is_judged_by_its_dns_alone() -> None:
    """Without a dossier: what its records say, and no question that only a dossier answers."""
    found = judge_domain(zones.domain(), NOW)
    assert {f.subject for f in found} == {zones.DOMAIN}
    assert {f.code for f in found} == {
        f"DNS{n:02}" for n in (*range(1, 8), 11, 12, 13, 14, 16, 18, 19, 20, 21, 23)
    }
    passed = {f.code for f in found if f.outcome is Outcome.PASSED}
    assert {"DNS01", "DNS02", "DNS04", "DNS06", "DNS11", "DNS12", "DNS13"} <= passed
    null_mx = zones.domain(mx=answer(zones.DOMAIN, "MX", "0 ."), null_mx=True)
    refused = {f.code for f in judge_domain(null_mx, NOW) if f.outcome is Outcome.FAILED}
    assert "DNS02" in refused


def test_every_check_passes_somewhere_in_the_tests() -> None:
    """What is not in these tables passes in the tests of its own family."""
    elsewhere = {"CERT16", "CERT24", "CERT34", "NET10", "SMTP02", "SMTP04", "SMTP05", "SMTP07"}
    elsewhere |= {"SMTP09", "ROUT07", "TLS03", "TLS05", "TLS06", "TLS11", "TLS12", "TLS16"}
    elsewhere |= {"TLS17", "TLS19"}
    assert RULES.keys() - PASSES.keys() - set(NONE) == elsewhere
