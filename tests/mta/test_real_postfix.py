"""A real Postfix as the client's gateway: our audit, its own log and peer tools must agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mta import postfix
from mta.audited import DOMAIN, HOST, Audited, audited, by_openssl, gnutls_says, lab, outcomes
from mta.mail import files_of
from mta.postfix import Asks, Postfix

from incamail_lib.facts.smtp import Purpose, Stage, Starttls
from incamail_lib.lab import pki
from incamail_lib.lab.pki import Variant

pytestmark = [
    pytest.mark.postfix,
    pytest.mark.tool("openssl", "gnutls-cli"),
    pytest.mark.xdist_group("mta"),
]
ESTABLISHED = (
    r"(Anonymous|Untrusted|Trusted) TLS connection established from \S+: "
    r"(\S+) with cipher (\S+) \((\d+)/"
)


@contextmanager
def gateway(
    asks: Asks, *, variant: Variant | None = Variant.BOTH, **changes: str
) -> Iterator[Postfix]:
    """Postfix as mx1.muster.example, with other settings where `changes` says so."""
    identity = files_of(lab().leaf(variant, HOST), lab()) if variant else None
    settings, files = postfix.gateway(HOST, identity, asks)
    with postfix.running(settings | changes, files) as mta:
        yield mta


def logged(mta: Postfix, *levels: str) -> list[tuple[str, ...]]:
    """Level, version, cipher and bits of every TLS connection in Postfix's log, in order.

    Postfix logs through a service of its own: `levels` must have arrived.
    """
    for level in levels:
        mta.log.await_line(f": {level} TLS connection established from")
    return re.findall(ESTABLISHED, mta.log.text)


def agrees_on_tls(mta: Postfix, found: Audited) -> None:
    """Our facts of the survey are what Postfix logged of it, and what openssl sees."""
    tls = found.connection(Purpose.SURVEY).tls
    assert tls is not None
    assert ("Anonymous", tls.version, tls.cipher, str(tls.cipher_bits)) in logged(mta, "Anonymous")
    second = by_openssl(mta.port)
    assert found.endpoint.leaf is not None
    assert second.leaf_sha256 == found.endpoint.leaf.sha256
    assert second.certificates == len(found.endpoint.chain)
    assert second.version == tls.version


def test_asking_is_seen_and_is_not_demanding(tmp_path: Path) -> None:
    """smtpd_tls_ask_ccert: asked, not demanded, ours trusted, a foreign one let in all the same."""
    with gateway(Asks.OPTIONALLY) as mta:
        found = audited(mta.port, tmp_path)
        auth = found.endpoint.client_auth
        levels = {level for level, *_ in logged(mta, "Anonymous", "Trusted", "Untrusted")}
        agrees_on_tls(mta, found)
        assert by_openssl(mta.port).asks
        assert "Server has requested a certificate" in gnutls_says(mta.port)
    assert found.endpoint.starttls is Starttls.ACCEPTED
    assert auth.requested.is_yes
    assert auth.demanded.is_no
    assert auth.own_accepted.is_yes
    assert auth.foreign_accepted.is_yes
    assert auth.verified.is_no
    assert levels == {"Anonymous", "Trusted", "Untrusted"}
    verdicts = {"TLS05": "passed", "TLS06": "passed", "TLS07": "failed"}
    assert outcomes(found, *verdicts) == verdicts


def test_demanding_is_seen_where_postfix_refuses(tmp_path: Path) -> None:
    """smtpd_tls_req_ccert: Postfix says 421 inside TLS; ours is let in, a foreign one is not."""
    with gateway(Asks.STRICTLY) as mta:
        found = audited(mta.port, tmp_path)
        auth = found.endpoint.client_auth
        agrees_on_tls(mta, found)
        mta.log.await_line("abort: TLS from .*: No client certificate presented")
        mta.log.await_line("abort: TLS from .*: Client certificate not trusted")
        chain, key = pki.write_pem(lab().foreign_client(), tmp_path, "foreign")
        assert "421 4.7.1" in gnutls_says(mta.port, chain, key)
    assert auth.requested.is_yes
    assert auth.demanded.is_yes
    assert auth.demanded_in is Stage.EHLO_IN_TLS
    assert "421" in auth.demanded.evidence
    assert auth.own_accepted.is_yes
    assert auth.foreign_accepted.is_no
    assert auth.verified.is_yes
    verdicts = {"TLS05": "passed", "TLS06": "failed", "TLS07": "passed"}
    assert outcomes(found, *verdicts) == verdicts


def test_not_asking_is_seen(tmp_path: Path) -> None:
    """Without ask or require no request goes out, and nothing is said of acceptance."""
    with gateway(Asks.NOT) as mta:
        found = audited(mta.port, tmp_path)
        auth = found.endpoint.client_auth
        agrees_on_tls(mta, found)
        assert not by_openssl(mta.port).asks
        assert "Server has requested a certificate" not in gnutls_says(mta.port)
        assert {level for level, *_ in logged(mta)} == {"Anonymous"}
    assert auth.requested.is_no
    assert auth.demanded.is_no
    assert not auth.own_accepted.is_known
    assert not auth.verified.is_known
    verdicts = {"TLS05": "failed", "TLS06": "passed", "TLS07": "unknown"}
    assert outcomes(found, *verdicts) == verdicts


def test_no_tls_at_all_is_seen(tmp_path: Path) -> None:
    """A Postfix without certificates offers no STARTTLS; that is the finding, not an error."""
    with gateway(Asks.NOT, variant=None) as mta:
        found = audited(mta.port, tmp_path)
        assert "TLS connection established" not in mta.log.text
    assert found.endpoint.starttls is Starttls.NOT_OFFERED
    assert not found.endpoint.client_auth.requested.is_known
    assert "SIZE 52428800" in (found.endpoint.survey.capabilities or ())
    verdicts = {"SMTP01": "passed", "SMTP02": "failed", "TLS01": "unknown", "CERT04": "unknown"}
    assert outcomes(found, *verdicts) == verdicts


@pytest.mark.parametrize(
    ("variant", "code"),
    [(Variant.EXPIRED, "CERT07"), (Variant.SELF_SIGNED, "CERT02"), (Variant.WRONG_NAME, "CERT06")],
)
def test_a_bad_server_certificate_does_not_hide_the_rest(
    tmp_path: Path, variant: Variant, code: str
) -> None:
    """What the certificate is worth is judged apart: the other questions are answered as ever."""
    with gateway(Asks.OPTIONALLY, variant=variant) as mta:
        found = audited(mta.port, tmp_path)
        agrees_on_tls(mta, found)
    assert found.endpoint.client_auth.requested.is_yes
    verdicts = {"TLS01": "passed", "TLS05": "passed", code: "failed"}
    assert outcomes(found, *verdicts) == verdicts


@pytest.mark.parametrize(("lowest", "verdict"), [(">=TLSv1", "failed"), (">=TLSv1.2", "passed")])
def test_old_tls_versions_are_found_where_gnutls_finds_them(
    tmp_path: Path, lowest: str, verdict: str
) -> None:
    """TLS 1.1 is negotiated by us exactly where gnutls-cli and Postfix's own log negotiate it."""
    with gateway(Asks.NOT, smtpd_tls_protocols=lowest) as mta:
        found = audited(mta.port, tmp_path)
        text = gnutls_says(mta.port, priority="LEGACY:-VERS-ALL:+VERS-TLS1.1")
        negotiated = "(TLS1.1-" in text
        assert bool(mta.log.lines("established from .*: TLSv1.1 with cipher")) is negotiated
    assert found.endpoint.legacy.is_yes is negotiated
    assert found.endpoint.legacy.is_no is not negotiated
    assert found.outcome("TLS03") == verdict


def test_the_audit_sends_no_message_and_stays_frugal(tmp_path: Path) -> None:
    """Postfix counts a handful of connections, no recipient and no DATA."""
    with gateway(Asks.OPTIONALLY) as mta:
        mta.log.await_line("disconnect from")  # the look whether it listens
        before = len(mta.log.lines(r"smtpd\[\d+\]: connect from"))
        found = audited(mta.port, tmp_path)
        for count in range(before + 1, before + len(found.endpoint.connections) + 1):
            mta.log.await_line("disconnect from", number=count)
        made = len(mta.log.lines(r"smtpd\[\d+\]: connect from")) - before
        commands = " ".join(mta.log.lines("disconnect from"))
    assert made == len(found.endpoint.connections)
    assert made <= 6
    assert not re.search(r"\b(rcpt|data)=", commands)


def test_a_demand_at_rcpt_is_seen_only_where_rcpt_is_asked(tmp_path: Path) -> None:
    """Postfix decides at RCPT: MAIL is taken from everybody, the postmaster only with ours."""
    with gateway(
        Asks.OPTIONALLY,
        smtpd_recipient_restrictions="permit_tls_all_clientcerts, reject",
        mydestination=DOMAIN,
        local_recipient_maps="",
    ) as mta:
        silent = audited(mta.port, tmp_path).endpoint
        asked = audited(mta.port, tmp_path, test_recipient=True).endpoint
        mta.log.await_line("NOQUEUE: reject: RCPT .*to=<postmaster@muster.example>")
    assert silent.client_auth.demanded.is_no
    assert silent.survey.rcpt_reply is None
    assert asked.client_auth.demanded.is_yes
    assert asked.client_auth.demanded_in is Stage.RCPT
