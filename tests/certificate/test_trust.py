"""What each trust store says about a chain: one reason, named, dated, and never a guess."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

import certifi
import pytest
from certificate.made import HOST, NOW, der, issued, made, refused_by_openssl, told
from cryptography import x509
from fuzzing import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incamail_lib.certificate import read_certificate
from incamail_lib.certificate.stores import TrustStore, certifi_store, file_store, system_store
from incamail_lib.certificate.trust import judge_trust
from incamail_lib.errors import MaterialError
from incamail_lib.facts.certificate import Reservation, TrustFacts, TrustReason
from incamail_lib.facts.observation import Answer
from incamail_lib.lab import pki
from incamail_lib.lab.authority import Recipe, new_root, pem_of
from incamail_lib.lab.pki import Variant

LAB = pki.build(NOW)
LEAF, ISSUING = issued().chain
ROOT = LAB.roots[0]
SERVER, CLIENT = "serverAuth", "clientAuth"


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    """The roots that the lab's platform recognises."""
    return file_store(pki.write_trust_store(LAB, tmp_path))


def said(
    store: TrustStore,
    chain: Sequence[x509.Certificate],
    purpose: str = SERVER,
    now: dt.datetime = NOW,
) -> TrustFacts:
    return judge_trust(told(chain), store, purpose=purpose, now=now)


def subject(certificate: x509.Certificate) -> str:
    return read_certificate(der(certificate)).subject


def stored(path: Path, *certificates: x509.Certificate) -> TrustStore:
    path.write_bytes(pem_of(certificates))
    return file_store(path)


@pytest.mark.parametrize(
    "chain",
    [(LEAF, ISSUING), (LEAF, ISSUING, ROOT), (LEAF, ROOT, ISSUING), (LEAF, LEAF, ISSUING)],
    ids=["as it should be", "with root", "wrong order with root", "leaf twice"],
)
def test_a_recognised_chain_is_trusted_in_any_order(
    store: TrustStore, chain: tuple[x509.Certificate, ...]
) -> None:
    """Order is told elsewhere; the path goes from leaf to anchor, and the store is named."""
    found = said(store, chain)
    assert (found.trusted.answer, found.reason) == (Answer.YES, TrustReason.TRUSTED)
    assert found.path == (subject(LEAF), subject(ISSUING), subject(ROOT))
    assert (found.store, found.store_size, found.purpose) == ("recognised-roots.pem", 2, SERVER)
    assert said(store, issued(Variant.EXOTIC).chain).trusted.answer is Answer.NO


REFUSALS = [
    (issued(Variant.EXOTIC).chain, SERVER, TrustReason.UNKNOWN_ROOT),
    ((*issued(Variant.EXOTIC).chain, LAB.exotic.root), SERVER, TrustReason.UNKNOWN_ROOT),
    (issued(Variant.SELF_SIGNED).chain, SERVER, TrustReason.SELF_SIGNED),
    (issued().leaf_only, SERVER, TrustReason.MISSING_INTERMEDIATE),
    (issued(Variant.EXPIRED).chain, SERVER, TrustReason.EXPIRED),
    (issued(Variant.NOT_YET_VALID).chain, SERVER, TrustReason.NOT_YET_VALID),
    (issued(Variant.SERVER).chain, CLIENT, TrustReason.WRONG_PURPOSE),
    (issued(Variant.CLIENT).chain, SERVER, TrustReason.WRONG_PURPOSE),
    (issued(Variant.SERVER_ONLY_CA).chain, CLIENT, TrustReason.WRONG_PURPOSE),
    (issued(Variant.SHA1).chain, SERVER, TrustReason.WEAK),
]


@pytest.mark.parametrize(
    ("chain", "purpose", "reason"), REFUSALS, ids=[f"{n}-{r[2]}" for n, r in enumerate(REFUSALS)]
)
def test_every_refusal_has_its_own_reason(
    store: TrustStore, chain: tuple[x509.Certificate, ...], purpose: str, reason: TrustReason
) -> None:
    """A missing intermediate is not "untrusted", and a wrong purpose is not an unknown root."""
    found = said(store, chain, purpose)
    assert (found.trusted.answer, found.reason) == (Answer.NO, reason)
    assert found.detail


@pytest.mark.parametrize(
    ("variant", "purpose"),
    [
        (Variant.SERVER, SERVER),
        (Variant.CLIENT, CLIENT),
        (Variant.SERVER_ONLY_CA, SERVER),
        (Variant.NO_EKU, SERVER),
        (Variant.NO_EKU, CLIENT),
        (Variant.RSA, SERVER),
        (Variant.WRONG_NAME, SERVER),
    ],
)
def test_what_serves_the_purpose_is_trusted(
    store: TrustStore, variant: Variant, purpose: str
) -> None:
    """The same variants pass for the purpose they have; names are no matter of a store."""
    assert said(store, issued(variant).chain, purpose).reason is TrustReason.TRUSTED


def test_a_key_that_only_level_2_refuses_is_trusted_with_reserve(store: TrustStore) -> None:
    """RSA 1024 is OpenSSL's level 1; Debian's default of 2 refuses it, and the leaf is named."""
    found = said(store, issued(Variant.WEAK_KEY).chain)
    assert (found.reason, found.security_level) == (TrustReason.TRUSTED, 1)
    assert [(r.reason, r.name) for r in found.reserved] == [
        (Reservation.LEVEL_2, subject(issued(Variant.WEAK_KEY).certificate))
    ]
    sound = said(store, issued().chain)
    assert (sound.security_level, sound.reserved) == (2, ())


def test_the_refusal_names_who_is_at_fault(store: TrustStore) -> None:
    """The missing intermediate, the restricted authority, the expired leaf: each by its name."""
    assert said(store, issued().leaf_only).detail == subject(ISSUING)
    restricted = said(store, issued(Variant.SERVER_ONLY_CA).chain, CLIENT)
    assert restricted.detail == subject(LAB.server_only.certificate)
    on_leaf = said(store, issued(Variant.SERVER).chain, CLIENT)
    assert on_leaf.detail == subject(issued(Variant.SERVER).certificate)
    assert said(store, issued(Variant.EXOTIC).chain).detail == subject(LAB.exotic.root)


def test_a_missing_root_is_no_missing_intermediate(tmp_path: Path) -> None:
    """With the intermediate sent, a store without the root says so; adding the root mends it."""
    other = stored(tmp_path / "other.pem", LAB.exotic.root)
    assert said(other, (LEAF, ISSUING)).reason is TrustReason.UNKNOWN_ROOT
    assert said(other, (LEAF, ISSUING, ROOT)).reason is TrustReason.UNKNOWN_ROOT
    right = stored(tmp_path / "right.pem", LAB.exotic.root, ROOT)
    assert said(right, (LEAF, ISSUING)).reason is TrustReason.TRUSTED


def test_a_stranger_sent_along_does_not_stand_in_for_the_intermediate(store: TrustStore) -> None:
    """Another certificate behind the leaf fills no gap, and does not hide it."""
    found = said(store, (LEAF, LAB.exotic.certificate))
    assert found.reason is TrustReason.MISSING_INTERMEDIATE


def test_the_date_decides_and_is_given(store: TrustStore) -> None:
    """One store, asked for several dates: not yet valid, trusted, and expired, to the second."""
    facts = read_certificate(der(LEAF))
    assert facts.not_before is not None
    assert facts.not_after is not None
    second = dt.timedelta(seconds=1)
    moments = [facts.not_before - second, facts.not_before, facts.not_after - second]
    found = [said(store, issued().chain, now=now).reason for now in moments]
    assert found == [TrustReason.NOT_YET_VALID, TrustReason.TRUSTED, TrustReason.TRUSTED]
    late = said(store, issued().chain, now=facts.not_after + second)
    assert (late.reason, late.detail) == (TrustReason.EXPIRED, subject(LEAF))


def test_an_expired_root_is_named_and_not_the_leaf(tmp_path: Path) -> None:
    """Ten years on the authority itself has ended; a young leaf under it is not to blame."""
    root = new_root("Ended Root", "Ended", NOW - dt.timedelta(days=4000))
    leaf = root.issue(Recipe(HOST, not_before=dt.timedelta(days=3990))).certificate
    found = said(stored(tmp_path / "ended.pem", root.certificate), (leaf,))
    assert (found.reason, found.detail) == (TrustReason.EXPIRED, subject(root.certificate))


def test_a_self_signed_certificate_is_trusted_where_it_is_an_anchor(tmp_path: Path) -> None:
    """An MTA's own store may hold it; its purpose is judged all the same."""
    alone = issued(Variant.SELF_SIGNED).certificate
    own = stored(tmp_path / "own.pem", alone)
    assert said(own, (alone,)).reason is TrustReason.TRUSTED
    server_only = made(extensions=[x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH])])
    restricted = stored(tmp_path / "restricted.pem", server_only)
    assert said(restricted, (server_only,), SERVER).reason is TrustReason.TRUSTED
    assert said(restricted, (server_only,), CLIENT).reason is TrustReason.WRONG_PURPOSE


def test_stores_differ_and_each_speaks_for_itself(store: TrustStore) -> None:
    """The lab's root is in the lab's store alone; every answer names its store and its size."""
    for public in (certifi_store(), system_store()):
        if public.problem:
            continue
        found = said(public, issued().chain)
        assert found.reason is TrustReason.UNKNOWN_ROOT
        assert (found.store, found.store_size) == (public.name, public.size)
    assert said(store, issued().chain).reason is TrustReason.TRUSTED


def test_certifi_is_named_by_its_version_and_dated() -> None:
    """Which roots it held on that day can be looked up years later."""
    found = certifi_store()
    assert found.name == f"certifi {certifi.__version__}"
    assert found.date is not None
    assert found.name.endswith(f"{found.date:%Y.%m.%d}")
    assert found.size == Path(certifi.where()).read_bytes().count(b"BEGIN CERTIFICATE")
    assert found.problem == ""
    assert certifi_store() is found


def test_the_system_store_is_named_and_dated() -> None:
    """A machine with roots has a store, dated by the package they came in; else without a date."""
    found = system_store()
    assert found.name.startswith("system")
    assert bool(found.problem) == (found.size == 0)
    assert (found.date is not None) == ("ca-certificates" in found.name)


def test_a_store_that_cannot_be_read_gives_no_verdict() -> None:
    """No store is no refusal: the answer stays open and names the cause."""
    found = said(TrustStore("system", problem="no bundle of roots"), issued().chain)
    assert (found.trusted.answer, found.reason) == (
        Answer.INCONCLUSIVE,
        TrustReason.STORE_UNREADABLE,
    )
    assert found.detail == "no bundle of roots"


def test_a_folder_of_roots_is_one_store(tmp_path: Path) -> None:
    """Every PEM file in it counts, once; other files and folders do no harm."""
    folder = tmp_path / "roots.d"
    (folder / "deeper").mkdir(parents=True)
    (folder / "a.pem").write_bytes(pem_of([ROOT]))
    (folder / "b.crt").write_bytes(b"# comment\n" + pem_of([LAB.roots[1], ROOT]))
    (folder / "README").write_bytes(b"\xff\x00 not a certificate")
    (folder / "gone").symlink_to(folder / "nowhere")
    found = file_store(folder)
    assert (found.name, found.size) == ("roots.d", 2)
    assert said(found, issued().chain).reason is TrustReason.TRUSTED


def test_a_store_is_dated_by_what_stands_in_it(tmp_path: Path) -> None:
    """When a file was copied says nothing of its roots: a date at its head does, else none."""
    path = pki.write_trust_store(LAB, tmp_path)
    moment = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    assert file_store(path).date is None
    head = b"##\n## Certificate data from Mozilla as of: Tue Sep  9 03:12:01 2025 GMT\n##\n"
    path.write_bytes(head + path.read_bytes())
    assert file_store(path).date == dt.date(2025, 9, 9)
    assert said(file_store(path), issued().chain).store_date == dt.date(2025, 9, 9)


DAMAGED = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "content",
    [b"", b"no certificate", bytes(range(256)), DAMAGED, pem_of([ROOT])[:200]],
    ids=["empty", "text", "binary", "damaged", "cut"],
)
def test_a_store_without_a_certificate_is_an_error_of_the_user(
    tmp_path: Path, content: bytes
) -> None:
    """An empty store would call every chain untrusted: it is refused, by name, with a remedy."""
    path = tmp_path / "store.pem"
    path.write_bytes(content)
    with pytest.raises(MaterialError) as caught:
        file_store(path)
    assert str(path) in caught.value.text.english()


def test_a_store_that_is_not_there_is_an_error_of_the_user(tmp_path: Path) -> None:
    """A missing file, a file that cannot be opened and an empty folder are told with the path."""
    loop, folder = tmp_path / "loop.pem", tmp_path / "empty.d"
    loop.symlink_to(loop)
    folder.mkdir()
    for path in (tmp_path / "missing.pem", loop, folder):
        with pytest.raises(MaterialError) as caught:
            file_store(path)
        assert str(path) in caught.value.text.english()


def test_a_damaged_root_is_left_out_and_the_others_count(tmp_path: Path) -> None:
    """One bad block does not void a bundle; what OpenSSL cannot read is not counted either."""
    path = tmp_path / "store.pem"
    odd = x509.load_der_x509_certificate(refused_by_openssl()[0].der)
    path.write_bytes(DAMAGED + pem_of([odd, ROOT, ROOT]))
    found = file_store(path)
    assert found.size == 1
    assert said(found, issued().chain).reason is TrustReason.TRUSTED


def test_no_certificate_and_a_damaged_one_are_malformed(store: TrustStore) -> None:
    """Nothing to judge is never trusted; a damaged intermediate is as good as missing."""
    empty = judge_trust([], store, purpose=SERVER, now=NOW)
    assert (empty.trusted.answer, empty.reason) == (Answer.NO, TrustReason.MALFORMED)
    broken = read_certificate(der(LEAF)[:-9])
    found = judge_trust([broken, *told([ISSUING])], store, purpose=SERVER, now=NOW)
    assert (found.reason, found.detail) == (TrustReason.MALFORMED, broken.problem)
    gap = judge_trust([*told([LEAF]), read_certificate(b"junk")], store, purpose=SERVER, now=NOW)
    assert gap.reason is TrustReason.MISSING_INTERMEDIATE


def test_what_openssl_cannot_read_is_malformed(store: TrustStore) -> None:
    """Legible to one parser and not to the other: mail servers would refuse it, so do we."""
    chain = refused_by_openssl()
    assert chain[0].problem == ""
    found = judge_trust(chain, store, purpose=SERVER, now=NOW)
    assert (found.reason, found.detail) == (TrustReason.MALFORMED, chain[0].subject)


def test_a_tampered_certificate_is_not_trusted(store: TrustStore) -> None:
    """One changed letter in the name voids the signature."""
    forged = read_certificate(der(LEAF).replace(b"Muster AG", b"Muster AB"))
    assert forged.subject_o == ("Muster AB (lab)",)
    found = judge_trust([forged, *told([ISSUING])], store, purpose=SERVER, now=NOW)
    assert found.trusted.answer is Answer.NO


def test_an_impostor_of_the_root_is_not_trusted(store: TrustStore) -> None:
    """The name of a recognised root with another key opens nothing, sent along or not."""
    impostor = new_root("Lab SwissSign RSA TLS Root (lab)", pki.CA_ORGANISATION, NOW)
    assert subject(impostor.certificate) == subject(ROOT)
    leaf = impostor.issue(Recipe(HOST, dns_names=(HOST,))).certificate
    for chain in ((leaf,), (leaf, impostor.certificate)):
        assert said(store, chain).trusted.answer is Answer.NO


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 1),
)
@settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_mutated_chains_never_raise_and_are_never_trusted(
    store: TrustStore, changes: list[tuple[int, int]], which: int
) -> None:
    """Whatever is changed in leaf or intermediate, it is refused with a reason."""
    chain = [der(LEAF), der(ISSUING)]
    data = bytearray(chain[which])
    for place, value in changes:
        data[place % len(data)] = value
    if bytes(data) == chain[which]:
        return
    chain[which] = bytes(data)
    facts = [read_certificate(c) for c in chain]
    found = judge_trust(facts, store, purpose=SERVER, now=NOW)
    assert found.trusted.answer is Answer.NO
    assert found.reason is not TrustReason.TRUSTED
