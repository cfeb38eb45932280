"""A server may show any certificate it likes: the probe tells what it saw and goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from certificate.made import made, with_empty_rdn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from probe.served import HOST, LAB, NOW, SURVEY, plan, probed, settings

from incamail_lib.audit.trusting import with_trust
from incamail_lib.certificate.reading import parse
from incamail_lib.certificate.stores import certifi_store, file_store
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.lab import pki
from incamail_lib.lab.authority import Issued

KEY = ec.generate_private_key(ec.SECP256R1())


def seen(folder: Path, *shown: x509.Certificate) -> EndpointFacts:
    """What the probe and the stores say about a gateway that shows this chain."""
    leaf, *others = shown
    served = plan()
    assert served.tls is not None
    issued = Issued(leaf, KEY, tuple(others))
    served = replace(served, tls=replace(served.tls, identity=issued))
    found = probed(served, settings(purposes=SURVEY)).endpoint
    stores = [certifi_store(), file_store(pki.write_trust_store(LAB, folder))]
    return with_trust(found, stores, NOW)


def nameless() -> tuple[x509.Certificate, ...]:
    return parse(with_empty_rdn(KEY)), parse(with_empty_rdn())


def with_broken_extension() -> tuple[x509.Certificate, ...]:
    broken = x509.UnrecognizedExtension(x509.CRLDistributionPoints.oid, bytes.fromhex("ff01"))
    name = x509.SubjectAlternativeName([x509.DNSName(HOST)])
    return (made(KEY, extensions=[broken, name]),)


@pytest.mark.parametrize("chain", [nameless, with_broken_extension])
def test_an_odd_certificate_is_told_and_ends_nothing(
    tmp_path: Path, chain: Callable[[], tuple[x509.Certificate, ...]]
) -> None:
    """Two strangers without a legible name ended the probe with a traceback."""
    found = seen(tmp_path, *chain())
    assert found.survey.tls is not None
    assert found.survey.tls.established
    assert len(found.chain) == len(chain())
    assert found.chain[0].unreadable
    assert len(found.trust) == 2
    assert not any(store.trusted.is_yes for store in found.trust)


def test_a_broken_extension_leaves_the_name_to_be_matched(tmp_path: Path) -> None:
    """The host's name stands in an extension of its own."""
    match = seen(tmp_path, *with_broken_extension()).name_match
    assert match is not None
    assert match.matched
