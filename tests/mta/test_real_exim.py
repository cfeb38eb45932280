"""A real Exim (GnuTLS) as the client's gateway: our audit, its log and peer tools must agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mta import exim
from mta.audited import HOST, Audited, audited, by_openssl, gnutls_says, lab, outcomes
from mta.exim import Asks, Exim
from mta.mail import files_of

from incamail_lib.facts.smtp import Purpose, Stage, Starttls
from incamail_lib.lab import pki
from incamail_lib.lab.pki import Variant

pytestmark = [
    pytest.mark.exim,
    pytest.mark.tool("openssl", "gnutls-cli"),
    pytest.mark.xdist_group("mta"),
]


@contextmanager
def gateway(asks: Asks, *, variant: Variant | None = Variant.BOTH) -> Iterator[Exim]:
    """Exim as mx1.muster.example."""
    identity = files_of(lab().leaf(variant, HOST), lab()) if variant else None
    with exim.running(HOST, identity, asks) as mta:
        yield mta


def agrees_on_tls(mta: Exim, found: Audited) -> None:
    """The certificate and version we report are those that openssl sees."""
    tls = found.connection(Purpose.SURVEY).tls
    assert tls is not None
    second = by_openssl(mta.port)
    assert found.endpoint.leaf is not None
    assert second.leaf_sha256 == found.endpoint.leaf.sha256
    assert second.certificates == len(found.endpoint.chain)
    assert second.version == tls.version


def test_trying_to_verify_is_seen_and_is_not_demanding(tmp_path: Path) -> None:
    """tls_try_verify_hosts: asked, not demanded; even a foreign certificate is let in."""
    with gateway(Asks.OPTIONALLY) as mta:
        found = audited(mta.port, tmp_path)
        auth = found.endpoint.client_auth
        agrees_on_tls(mta, found)
        assert by_openssl(mta.port).asks
        assert "Server has requested a certificate" in gnutls_says(mta.port)
    assert auth.requested.is_yes
    assert auth.demanded.is_no
    assert auth.own_accepted.is_yes
    assert auth.foreign_accepted.is_yes
    verdicts = {"TLS05": "passed", "TLS06": "passed", "TLS07": "failed"}
    assert outcomes(found, *verdicts) == verdicts


def test_verifying_is_seen_where_exim_refuses(tmp_path: Path) -> None:
    """tls_verify_hosts: none and foreign are refused by alerts that gnutls-cli sees as well."""
    with gateway(Asks.STRICTLY) as mta:
        found = audited(mta.port, tmp_path)
        auth = found.endpoint.client_auth
        # Exim notes it when its process for that connection ends, which may be after ours.
        mta.log.await_line("TLS error on connection .*Certificate is required")
        mta.log.await_line("TLS error on connection .*certificate verification failed")
        assert "alert [116]" in gnutls_says(mta.port)
        chain, key = pki.write_pem(lab().foreign_client(), tmp_path, "foreign")
        foreign = gnutls_says(mta.port, chain, key)
    assert auth.requested.is_yes
    assert auth.demanded.is_yes
    assert auth.demanded_in in (Stage.HANDSHAKE, Stage.EHLO_IN_TLS)
    assert "116" in auth.demanded.evidence
    assert auth.own_accepted.is_yes
    assert auth.foreign_accepted.is_no
    refusal = found.connection(Purpose.FOREIGN_CERTIFICATE).tls
    assert refusal is not None
    assert refusal.alert is not None
    assert f"alert [{refusal.alert.number}]" in foreign
    verdicts = {"TLS05": "passed", "TLS06": "failed", "TLS07": "passed"}
    assert outcomes(found, *verdicts) == verdicts


def test_not_asking_is_seen(tmp_path: Path) -> None:
    """Without either setting no request goes out."""
    with gateway(Asks.NOT) as mta:
        found = audited(mta.port, tmp_path)
        agrees_on_tls(mta, found)
        assert not by_openssl(mta.port).asks
        assert "Server has requested a certificate" not in gnutls_says(mta.port)
    assert found.endpoint.client_auth.requested.is_no
    assert not found.endpoint.client_auth.own_accepted.is_known
    verdicts = {"TLS05": "failed", "TLS06": "passed", "TLS07": "unknown"}
    assert outcomes(found, *verdicts) == verdicts


def test_no_tls_at_all_is_seen(tmp_path: Path) -> None:
    """An Exim that advertises TLS to nobody offers no STARTTLS."""
    with gateway(Asks.NOT, variant=None) as mta:
        found = audited(mta.port, tmp_path)
    assert found.endpoint.starttls is Starttls.NOT_OFFERED
    assert not found.endpoint.client_auth.requested.is_known
    verdicts = {"SMTP01": "passed", "SMTP02": "failed", "TLS01": "unknown"}
    assert outcomes(found, *verdicts) == verdicts
