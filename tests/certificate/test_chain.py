"""How the certificates of a chain hang together: order, gaps, and what was sent needlessly."""

from __future__ import annotations

import pytest
from certificate.made import HOST, NOW, der, issued, made, told
from cryptography import x509

from incamail_lib.certificate import link, read_certificate
from incamail_lib.certificate.chain import MAX_LENGTH
from incamail_lib.facts.certificate import ChainFacts
from incamail_lib.lab import authority, pki
from incamail_lib.lab.authority import KeyKind, Recipe, new_root
from incamail_lib.lab.pki import Variant

LEAF, ISSUING = issued().chain
ROOT = pki.build(NOW).roots[0]
OTHER = issued(Variant.EXOTIC).certificate
DAMAGED = der(ISSUING)[:-20]


def linked(*certificates: x509.Certificate) -> ChainFacts:
    return link(told(certificates))


def test_a_complete_chain_is_in_order_and_lacks_the_root_only() -> None:
    """Leaf and intermediate as they should be sent; the next above is named, with no blame."""
    found = linked(LEAF, ISSUING)
    assert (found.length, found.in_order, found.root_sent) == (2, True, False)
    assert found.missing_issuer == read_certificate(der(ROOT)).subject
    assert (found.unrelated, found.duplicates, found.leaf_self_signed) == ((), 0, False)


def test_a_leaf_alone_names_its_missing_issuer_and_where_to_get_it() -> None:
    """The name and address of the intermediate stand in the leaf."""
    found = linked(LEAF)
    assert found.missing_issuer == read_certificate(der(ISSUING)).subject
    assert found.missing_issuer_urls == read_certificate(der(LEAF)).ca_issuers_urls
    assert found.missing_issuer_urls


@pytest.mark.parametrize(
    ("chain", "in_order"),
    [
        ((LEAF, ISSUING, ROOT), True),
        ((LEAF, ROOT, ISSUING), False),
    ],
)
def test_a_root_sent_along_is_told_whatever_the_order(
    chain: tuple[x509.Certificate, ...], in_order: bool
) -> None:
    """The path is found in either order; with the root nothing is missing any more."""
    found = linked(*chain)
    assert (found.in_order, found.root_sent) == (in_order, True)
    assert (found.missing_issuer, found.unrelated) == ("", ())


def test_strangers_and_repetitions_are_counted() -> None:
    """What belongs to no path from the leaf is named; what was sent twice is counted."""
    found = linked(LEAF, ISSUING, OTHER, ISSUING)
    assert found.unrelated == (read_certificate(der(OTHER)).subject,)
    assert (found.length, found.duplicates, found.in_order) == (4, 1, True)
    assert not linked(LEAF, OTHER, ISSUING).in_order


def test_a_self_signed_leaf_is_no_root_sent_along() -> None:
    """It vouches for itself: nothing is missing, and nothing was sent needlessly."""
    found = linked(issued(Variant.SELF_SIGNED).certificate)
    assert (found.leaf_self_signed, found.root_sent, found.missing_issuer) == (True, False, "")
    assert not linked(LEAF).leaf_self_signed


def test_a_namesake_with_another_key_is_not_the_issuer() -> None:
    """An impostor of the same name is unrelated, and the real issuer is still found behind it."""
    real, impostor = new_root("Same", "Same", NOW), new_root("Same", "Same", NOW)
    leaf = real.issue(Recipe(HOST)).certificate
    assert linked(leaf, impostor.certificate).unrelated == ("CN=Same,O=Same,C=CH",)
    assert linked(leaf, impostor.certificate).missing_issuer == "CN=Same,O=Same,C=CH"
    both = linked(leaf, impostor.certificate, real.certificate)
    assert (both.root_sent, both.missing_issuer) == (True, "")


def test_a_sha1_chain_hangs_together() -> None:
    """SHA-1 below and in the root: still linked, in order, and the root seen as such."""
    root = new_root("Old Root", "Old", NOW, kind=KeyKind.RSA_2048)
    leaf = root.issue(Recipe(HOST, sha1=True)).certificate
    old = authority._signed_again_with_sha1(root.certificate, root.key)
    found = linked(leaf, old)
    assert (found.in_order, found.root_sent, found.missing_issuer) == (True, True, "")


def test_damaged_certificates_break_the_chain_and_nothing_else() -> None:
    """An illegible one is no issuer, and an illegible leaf has none."""
    behind = link([*told([LEAF]), read_certificate(DAMAGED)])
    assert behind.missing_issuer == read_certificate(der(ISSUING)).subject
    in_front = link([read_certificate(DAMAGED), *told([ISSUING])])
    assert (in_front.missing_issuer, in_front.leaf_self_signed) == ("", False)


def test_no_certificate_is_no_order() -> None:
    """An empty chain proves nothing."""
    assert link([]) == ChainFacts(length=0, in_order=False, root_sent=False)


def test_an_endless_chain_is_cut() -> None:
    """Two hundred certificates cost no more than twenty; the length is told as it was."""
    crowd = [made(common_name=f"n{n}") for n in range(30)]
    found = linked(LEAF, *crowd, *crowd)
    assert found.length == 61
    assert len(found.unrelated) == MAX_LENGTH - 1
