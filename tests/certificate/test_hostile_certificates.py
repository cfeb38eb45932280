"""Whatever a server sends as its chain: no exception, no trust, and a word on what is wrong."""

from __future__ import annotations

import random

import factories
import pytest
from certificate.made import HOST, NOW, der, issued, with_empty_rdn

from incamail_lib.certificate import link, match_name, read_certificate
from incamail_lib.certificate.stores import TrustStore, file_store
from incamail_lib.certificate.trust import judge_trust
from incamail_lib.checks import judge_facts
from incamail_lib.facts.certificate import CertificateFacts, TrustFacts
from incamail_lib.lab import pki
from incamail_lib.lab.pki import Variant

SOUND = tuple(der(c) for c in issued().chain)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TrustStore:
    """The roots that issued what is damaged here."""
    return file_store(pki.write_trust_store(pki.build(NOW), tmp_path_factory.mktemp("roots")))


def told(chain: tuple[bytes, ...], store: TrustStore) -> tuple[list[CertificateFacts], TrustFacts]:
    """All that is done with a chain from a stranger before it is judged."""
    facts = [read_certificate(data) for data in chain]
    assert link(facts).length == len(chain)
    match_name(facts[0], HOST)
    trust = judge_trust(facts, store, purpose="serverAuth", now=NOW)
    assert all(CertificateFacts.model_validate_json(f.model_dump_json()) == f for f in facts)
    return facts, trust


def changed(which: int, place: int, value: int) -> tuple[bytes, ...]:
    data = bytearray(SOUND[which])
    data[place] = value
    return tuple(bytes(data) if n == which else c for n, c in enumerate(SOUND))


@pytest.mark.parametrize("which", [0, 1], ids=["leaf", "issuer"])
def test_any_one_damaged_byte_is_no_crash_and_no_trust(store: TrustStore, which: int) -> None:
    """Each byte in its turn takes another value; the chain as it was is trusted."""
    assert told(SOUND, store)[1].trusted.is_yes
    picked = random.Random(which)
    for place, value in enumerate(SOUND[which]):
        other = picked.choice([v for v in (0, 0xFF, value ^ 1, value ^ 0x80) if v != value])
        _, trust = told(changed(which, place, other), store)
        assert trust.trusted.is_no, f"byte {place} of certificate {which} set to {other}"


def test_cut_and_random_certificates_are_no_crash(store: TrustStore) -> None:
    """A connection that ends early, or a server that sends noise."""
    picked = random.Random(7)
    for _ in range(200):
        leaf, issuer = SOUND
        broken = picked.choice(
            [
                (leaf[: picked.randrange(len(leaf))], issuer),
                (leaf, issuer[: picked.randrange(len(issuer))]),
                (leaf, picked.randbytes(picked.randrange(600))),
                (picked.randbytes(picked.randrange(600)), issuer, leaf),
                (leaf + picked.randbytes(3), issuer),
            ]
        )
        assert told(broken, store)[1].trusted.is_no


def test_damaged_certificates_are_judged_without_a_crash(store: TrustStore) -> None:
    """Every check runs on what such a server showed; none says that all is well with the chain."""
    picked = random.Random(11)
    for _ in range(25):
        which = picked.randrange(2)
        place = picked.randrange(len(SOUND[which]))
        chain, trust = told(changed(which, place, SOUND[which][place] ^ 0x55), store)
        survey = factories.survey()
        assert survey.tls is not None
        shown = survey.tls.model_copy(update={"chain": tuple(chain), "links": link(chain)})
        endpoint = factories.endpoint(
            factories.GATEWAY,
            connections=(survey.model_copy(update={"tls": shown}),),
            trust=(trust,),
            name_match=match_name(chain[0], HOST),
        )
        audit = judge_facts(factories.facts(receiving=(endpoint,)), NOW)
        assert not [f for f in audit.findings if f.code == "CERT04" and f.outcome == "passed"]


def test_two_strangers_without_names_are_no_crash(store: TrustStore) -> None:
    """Names with an empty part, in two certificates that have nothing to do with each other."""
    facts, trust = told((with_empty_rdn(), with_empty_rdn()), store)
    assert trust.trusted.is_no
    assert link(facts).unrelated


def test_a_sound_chain_signed_with_sha1_may_be_damaged_too(store: TrustStore) -> None:
    """Such signatures are verified by our own hand, on names that may be unreadable."""
    chain = [der(c) for c in issued(Variant.SHA1).chain]
    for place in range(0, len(chain[1]), 3):
        data = bytearray(chain[1])
        data[place] ^= 0x21
        assert told((chain[0], bytes(data)), store)[1].trusted.is_no
