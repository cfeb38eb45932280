"""What the checks of SMTP and TLS say of literal facts: each good state, and how it is missed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from factories import (
    GATEWAY,
    NOW,
    PLATFORM,
    broken,
    certificate,
    endpoint,
    facts,
    survey,
    trusted,
)

from incamail_lib.checks import judge_facts
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import NameMatch, TrustReason
from incamail_lib.facts.observation import Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import (
    ClientAuthFacts,
    EndpointFacts,
    Purpose,
    Reply,
    ShownChain,
    Stage,
    Starttls,
    Trait,
)
from incamail_lib.findings import Finding, Level, Outcome

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
NOT_APPLICABLE = Outcome.NOT_APPLICABLE


def finding(code: str, changed: EndpointFacts) -> Finding:
    """What one check says of a receiving or platform endpoint among sound ones."""
    place = "platform_endpoints" if changed.target == PLATFORM else "receiving"
    found = judge_facts(facts(**{place: (changed,)}), NOW).findings
    return next(f for f in found if f.code == code and f.subject in ("", changed.target.label))


def with_tls(target: Any = GATEWAY, **changes: Any) -> EndpointFacts:
    """A sound endpoint whose survey showed another TLS."""
    sound = survey()
    assert sound.tls is not None
    return endpoint(target, connections=(survey(tls=sound.tls.model_copy(update=changes)),))


def test_a_port_that_speaks_tls_at_once_fails() -> None:
    """TLS from the first byte is told as such; a greeting passes, silence leaves it open."""
    at_once = endpoint(
        GATEWAY,
        connections=(broken(Reason.TLS_AT_ONCE, Stage.GREETING),),
        starttls=Starttls.UNKNOWN,
    )
    assert finding("SMTP09", at_once).outcome is FAILED
    assert finding("SMTP01", at_once).outcome is UNKNOWN
    assert finding("SMTP09", endpoint(GATEWAY)).outcome is PASSED
    silent = endpoint(GATEWAY, connections=(broken(Reason.TIMEOUT, Stage.GREETING),))
    assert finding("SMTP09", silent).outcome is UNKNOWN


@pytest.mark.parametrize("target", [GATEWAY, PLATFORM], ids=["receiving", "platform"])
def test_a_large_hello_that_is_dropped_fails_with_its_sizes(target: Any) -> None:
    """Dropped: failed, with both sizes; answered: passed; not sent: no question; broken: open."""
    code = "TLS15" if target is GATEWAY else "TLS18"
    dropped = finding(code, endpoint(target, large_hello=no(Reason.RESET, "1536/329")))
    assert (dropped.outcome, dropped.level) == (FAILED, Level.REQUIRED)
    assert "1536" in dropped.seen.english()
    assert "329" in dropped.seen.english()
    assert "X25519MLKEM768" in dropped.remedy.english()
    sound = finding(code, endpoint(target, large_hello=yes(Reason.SEEN, "1536")))
    assert sound.outcome is PASSED
    assert finding(code, endpoint(target)).outcome is NOT_APPLICABLE
    broken_off = endpoint(target, large_hello=inconclusive(Reason.RESET))
    assert finding(code, broken_off).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("version", "protected", "outcome"),
    [
        ("TLSv1.3", None, PASSED),
        ("TLSv1.2", True, PASSED),
        ("TLSv1.2", False, FAILED),
        ("TLSv1.2", None, NOT_APPLICABLE),
    ],
)
def test_renegotiation_without_protection_fails(
    version: str, protected: bool | None, outcome: Outcome
) -> None:
    """TLS 1.2 without RFC 5746 fails; facts of old, which did not look, say nothing."""
    changed = with_tls(version=version, secure_renegotiation=protected)
    assert finding("TLS16", changed).outcome is outcome


@pytest.mark.parametrize("target", [GATEWAY, PLATFORM], ids=["receiving", "platform"])
@pytest.mark.parametrize("trait", Trait)
def test_machines_that_differ_are_named(trait: Trait, target: Any) -> None:
    """Each difference between connections alike is a finding; without one they agree."""
    code = "TLS17" if target is GATEWAY else "TLS19"
    twice = (survey(), survey(purpose=Purpose.FOREIGN_CERTIFICATE))
    differ = finding(code, endpoint(target, connections=twice, differing=(trait,)))
    assert (differ.outcome, differ.level) == (FAILED, Level.RECOMMENDED)
    assert finding(code, endpoint(target, connections=twice)).outcome is PASSED
    assert finding(code, endpoint(target)).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("cipher", "bits", "outcome", "level"),
    [
        ("ECDHE-RSA-AES256-GCM-SHA384", 0, PASSED, Level.REQUIRED),
        ("DHE-RSA-AES256-GCM-SHA384", 2048, PASSED, Level.REQUIRED),
        ("DHE-RSA-AES256-GCM-SHA384", 2047, FAILED, Level.RECOMMENDED),
        ("DHE-RSA-AES256-GCM-SHA384", 1024, FAILED, Level.RECOMMENDED),
        ("DHE-RSA-AES256-GCM-SHA384", 1023, FAILED, Level.REQUIRED),
        ("AES256-GCM-SHA384", 0, FAILED, Level.RECOMMENDED),
        ("DES-CBC3-SHA", 0, FAILED, Level.REQUIRED),
    ],
)
def test_weak_key_exchange_is_said(cipher: str, bits: int, outcome: Outcome, level: Level) -> None:
    """A short Diffie-Hellman prime and static RSA are told apart from a broken cipher."""
    changed = with_tls(version="TLSv1.2", cipher=cipher, dh_bits=bits)
    found = finding("TLS04", changed)
    assert (found.outcome, found.level) == (outcome, level)
    told = found.seen.english()
    assert ("Diffie-Hellman" in told) is (outcome is FAILED and bits > 0)
    assert ("forward secrecy" in told) is cipher.startswith("AES")


def test_asking_on_some_connections_only_fails_in_both_directions() -> None:
    """A request that comes and goes is none to rely on."""
    auth = endpoint().client_auth.model_copy(update={"requested": no(Reason.SEEN, "1/3")})
    for code, target in (("TLS05", GATEWAY), ("TLS11", PLATFORM)):
        found = finding(code, endpoint(target, client_auth=auth, differing=(Trait.REQUEST,)))
        assert found.outcome is FAILED
        assert "1/3" in found.seen.english()
        assert finding(code, endpoint(target)).outcome is PASSED


def auth(**changes: Any) -> ClientAuthFacts:
    """Sound mutual TLS, changed."""
    return endpoint().client_auth.model_copy(update=changes)


def test_how_far_a_sender_without_certificate_came_is_said() -> None:
    """A 250 to MAIL proves nothing of RCPT: the words tell how far it was asked."""
    let_on = auth(demanded=no(Reason.SMTP_REPLY, "250 Ok"), demanded_in=None)
    at_mail = endpoint(
        GATEWAY, client_auth=let_on, connections=(survey(mail_reply=Reply(code=250)),)
    )
    found = finding("TLS06", at_mail)
    assert found.outcome is PASSED
    assert "as far as MAIL" in found.seen.english()
    assert "not asked" in found.seen.english()
    taken = Reply(code=250, lines=("2.1.5 Ok",))
    at_rcpt = endpoint(
        GATEWAY,
        client_auth=let_on,
        connections=(survey(mail_reply=Reply(code=250), rcpt_reply=taken),),
    )
    assert "postmaster was taken" in finding("TLS06", at_rcpt).seen.english()


def test_a_certificate_that_was_not_shown_is_neither_accepted_nor_refused() -> None:
    """Unknown, with the reason and what to do about it."""
    not_shown = auth(own_accepted=inconclusive(Reason.NOT_SHOWN))
    found = finding("TLS12", endpoint(client_auth=not_shown))
    assert found.outcome is UNKNOWN
    assert "not shown" in found.seen.english()
    assert "RSA" in found.remedy.english()
    assert finding("TLS12", endpoint()).outcome is PASSED


def test_a_version_that_was_agreed_before_the_refusal_counts() -> None:
    """Refused for want of a certificate, TLS 1.2 and its cipher were still agreed."""
    refused = with_tls(established=False, version="TLSv1.2", accepted=no(Reason.ALERT, "alert 40"))
    assert finding("TLS01", refused).outcome is PASSED
    assert finding("TLS02", refused).outcome is FAILED
    broken_off = with_tls(
        established=False,
        version="TLSv1.2",
        accepted=inconclusive(Reason.PROTOCOL_ERROR),
        certificate_requested=inconclusive(Reason.NOT_REACHED),
    )
    assert finding("TLS01", broken_off).outcome is UNKNOWN


def two_certificates(**second: Any) -> EndpointFacts:
    """A gateway that shows a sound certificate, and on another connection a second one."""
    sound = survey().tls
    assert sound is not None
    other = certificate(sha256="dd" * 32, key_type="EC", key_bits=256, **second)
    shown = survey(
        purpose=Purpose.OTHER_KEY, tls=sound.model_copy(update={"chain": (other, *sound.chain[1:])})
    )
    judged = ShownChain(
        sha256="dd" * 32,
        trust=(trusted(reason=second.pop("reason", TrustReason.TRUSTED)),),
        name_match=NameMatch(host=GATEWAY.host, matched=True),
    )
    return endpoint(GATEWAY, connections=(survey(), shown), others=(judged,))


def test_the_worst_certificate_decides() -> None:
    """An expired second certificate fails although the first is sound, and the words say which."""
    expired = two_certificates(not_after=NOW - dt.timedelta(days=1))
    found = finding("CERT07", expired)
    assert found.outcome is FAILED
    assert "2 of 2" in found.seen.english()
    assert "EC" in found.seen.english()
    assert finding("CERT07", two_certificates()).outcome is PASSED
    assert len(two_certificates().each_certificate()) == 2
    assert len(endpoint(GATEWAY).each_certificate()) == 1


def test_a_certificate_that_nobody_judged_is_not_trusted() -> None:
    """A chain without a store's verdict leaves the question open, whatever the first one has."""
    unjudged = two_certificates().model_copy(update={"others": ()})
    assert finding("CERT04", unjudged).outcome is UNKNOWN
    assert finding("CERT04", two_certificates()).outcome is PASSED


def test_facts_of_old_load_and_judge() -> None:
    """What was saved before these questions were asked is read, and its verdict stands."""
    new = {
        *("dh_bits", "secure_renegotiation", "renegotiated", "hello_bytes", "answered"),
        *("certificate_sent", "warning", "rcpt_reply", "large_hello", "other_key"),
        *("differing", "others"),
    }

    def old(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: old(v) for k, v in value.items() if k not in new}
        return [old(v) for v in value] if isinstance(value, list) else value

    whole = facts()
    read = AuditFacts.model_validate(old(whole.model_dump(mode="json")))
    assert read == whole
    judged, again = (judge_facts(f, NOW) for f in (whole, read))
    assert judged.verdict is again.verdict
