"""What if: who breaks with another platform, certificate or store, from saved facts alone."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from factories import GATEWAY, NOW, PLATFORM, client_file, endpoint, ready, survey
from factories import platform as platform_facts
from typer.testing import CliRunner

from incamail_lib.audit import save_record
from incamail_lib.audit.trusting import file_trust, with_trust
from incamail_lib.audit.what_if import (
    Replacement,
    Supposition,
    Whose,
    replacement_from,
    roots_of,
    suppose,
    unnamed_authority,
)
from incamail_lib.certificate import link, read_certificate
from incamail_lib.certificate.stores import TrustStore, store_of
from incamail_lib.checks import judge_facts
from incamail_lib.cli.app import app
from incamail_lib.cli.what_if import Supposed, one_supposed
from incamail_lib.errors import MaterialError
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import CertificateFacts, CredentialUse
from incamail_lib.facts.observation import Answer
from incamail_lib.facts.smtp import EndpointFacts, Target
from incamail_lib.findings import Finding, Outcome, Verdict
from incamail_lib.lab import pki
from incamail_lib.lab.authority import Issued
from incamail_lib.lab.pki import Variant

LAB = pki.build(NOW)
STORE = store_of("roots", LAB.roots)
Chain = tuple[CertificateFacts, ...]


def chain_of(issued: Issued) -> Chain:
    ders = (c.public_bytes(Encoding.DER) for c in (issued.certificate, *issued.intermediates))
    return tuple(read_certificate(der) for der in ders)


def stranger(host: str) -> Chain:
    """A chain of an authority that the store does not hold."""
    return chain_of(LAB.leaf(Variant.EXOTIC, host))


def showing(target: Target, chain: Chain, **changes: Any) -> EndpointFacts:
    seen = survey()
    assert seen.tls is not None
    tls = seen.tls.model_copy(update={"chain": chain, "links": link(chain)})
    shown = endpoint(target, connections=(seen.model_copy(update={"tls": tls}),), **changes)
    return with_trust(shown, [STORE], NOW)


def measured() -> AuditFacts:
    """A client that is ready, whose chains all lead to one root of one store."""
    own = chain_of(LAB.leaf(Variant.BOTH, "out.muster.example"))
    file = client_file(chain=own, links=link(own))
    sure = platform_facts(
        organisations={"value": ("Post CH AG",), **SOURCE},
        issuers={"value": (pki.CA_ORGANISATION,), **SOURCE},
    )
    plain = ready()
    lets_in = plain.receiving[0].client_auth
    return plain.model_copy(
        update={
            "platform": sure,
            "credentials": (file.model_copy(update={"trust": file_trust(file, [STORE], NOW)}),),
            "receiving": (
                showing(
                    GATEWAY,
                    chain_of(LAB.leaf(Variant.BOTH, GATEWAY.host)),
                    client_auth=lets_in,
                ),
            ),
            "platform_endpoints": (showing(PLATFORM, chain_of(LAB.platform(PLATFORM.host))),),
        }
    )


SOURCE = {"source": "test", "certainty": "A", "verified_on": "2026-11-24"}
FACTS = measured()
NEW = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)


def found(supposition: Supposition, facts: AuditFacts = FACTS) -> Supposed:
    return one_supposed(facts, supposition, NOW)


def findings(supposition: Supposition, outcome: Outcome) -> list[Finding]:
    audit = judge_facts(suppose(FACTS, supposition, NOW), NOW)
    return [f for f in audit.findings if f.outcome is outcome]


def replacing(whose: Whose, chain: Chain) -> Supposition:
    return Supposition(replacement=Replacement(whose, chain, "new.pem"))


def test_supposing_what_is_so_changes_nothing() -> None:
    """The same stores, the same certificate, the same platform: nobody breaks."""
    assert judge_facts(FACTS, NOW).verdict is Verdict.READY
    today = FACTS.platform_endpoints[0].chain
    for same in (
        Supposition(stores=(STORE,)),
        Supposition(platform=FACTS.platform),
        replacing(Whose.PLATFORM, today),
        Supposition(distrusted=frozenset({"00" * 32})),
    ):
        assert found(same).changes == ()


def test_a_distrusted_root_breaks_whoever_hangs_on_it() -> None:
    """With the whole store at hand; from the facts alone it is not known what else it holds."""
    roots = frozenset(read_certificate(r.public_bytes(Encoding.DER)).sha256 for r in LAB.roots)
    whole = found(Supposition(stores=(STORE,), distrusted=roots))
    assert (whole.supposed, whole.breaks) == (Verdict.NOT_READY, True)
    assert {c.code for c in whole.changes if c.alarm} >= {"CERT04", "PLAT07"} - {"PLAT07"}
    partly = found(Supposition(distrusted=roots))
    assert (partly.supposed, partly.breaks, partly.is_open) == (Verdict.INCONCLUSIVE, False, True)


def test_another_authority_of_the_platform_is_judged_by_each_clients_stores() -> None:
    """One that leads to a root known to be in the store stays trusted; of another nothing is
    known, and with the store at hand it is refused."""
    host = PLATFORM.host
    renewed = chain_of(LAB.leaf(Variant.RSA, host, organisation=pki.PLATFORM_ORGANISATION))
    assert not found(replacing(Whose.PLATFORM, renewed)).breaks
    other = replacing(Whose.PLATFORM, stranger(host))
    told = suppose(FACTS, other, NOW).platform_endpoints[0]
    assert {t.trusted.answer for t in told.trust} == {Answer.INCONCLUSIVE}
    both = Supposition(replacement=other.replacement, stores=(STORE,))
    assert {
        t.trusted.answer for e in suppose(FACTS, both, NOW).platform_endpoints for t in e.trust
    } == {Answer.NO}
    assert found(both).breaks


def test_a_gateway_that_names_todays_authority_and_not_the_new_one_is_told() -> None:
    """Such a gateway may never be shown IncaMail's new certificate."""
    today = FACTS.platform_endpoints[0].chain[0].issuer
    auth = FACTS.receiving[0].client_auth.model_copy(update={"acceptable_cas": (today,)})
    gateway = FACTS.receiving[0].model_copy(update={"client_auth": auth})
    naming = FACTS.model_copy(update={"receiving": (gateway,)})
    new = replacing(Whose.PLATFORM, stranger(PLATFORM.host))
    assert [subject for subject, _ in unnamed_authority(naming, new.replacement)] == [GATEWAY.label]
    assert found(new, naming).breaks
    assert list(unnamed_authority(FACTS, new.replacement)) == []  # names none: takes any
    same = replacing(Whose.PLATFORM, FACTS.platform_endpoints[0].chain)
    assert list(unnamed_authority(naming, same.replacement)) == []


def test_a_new_certificate_for_sending_is_unknown_to_incamail() -> None:
    """Its key was not given and nobody has met it; what it may be used for is known."""
    server_only = chain_of(LAB.leaf(Variant.SERVER, "out.muster.example"))
    told = found(replacing(Whose.SENDING, server_only))
    assert told.breaks
    assert "CERT22" in {c.code for c in told.changes if c.alarm}
    good = found(replacing(Whose.SENDING, chain_of(LAB.leaf(Variant.CLIENT, "out.muster.example"))))
    assert (good.breaks, good.is_open) == (False, True)
    assert {"CERT21", "TLS12"} <= {c.code for c in good.changes}


def test_only_the_use_that_is_replaced_changes() -> None:
    """One file for both directions stays what it was for the other."""
    both = (CredentialUse.SENDING, CredentialUse.RECEIVING)
    file = FACTS.credentials[0].model_copy(update={"uses": both})
    facts = FACTS.model_copy(update={"credentials": (file,)})
    new = chain_of(LAB.leaf(Variant.CLIENT, "out.muster.example"))
    kept, replaced = suppose(facts, replacing(Whose.SENDING, new), NOW).credentials
    assert (kept.uses, kept.chain) == ((CredentialUse.RECEIVING,), file.chain)
    assert (replaced.uses, replaced.chain) == ((CredentialUse.SENDING,), new)
    without = FACTS.model_copy(update={"credentials": ()})
    assert suppose(without, replacing(Whose.SENDING, new), NOW) == without


def test_a_certificate_of_the_gateway_must_fit_its_name() -> None:
    """A new one for another host breaks, one that was never shown stays unseen."""
    wrong = found(replacing(Whose.RECEIVING, chain_of(LAB.leaf(Variant.BOTH, "mx9.example"))))
    assert "CERT06" in {c.code for c in wrong.changes if c.alarm}
    nothing = FACTS.model_copy(update={"receiving": (endpoint(GATEWAY, connections=(bare(),)),)})
    right = replacing(Whose.RECEIVING, chain_of(LAB.leaf(Variant.BOTH, GATEWAY.host)))
    assert suppose(nothing, right, NOW).receiving == nothing.receiving


def bare() -> Any:
    return survey(tls=None)


def test_a_platform_with_other_gateways_has_not_been_measured() -> None:
    """The old gateways no longer count and the new ones were not seen: never ready."""
    gateway = FACTS.platform.gateways[0].model_copy(
        update={"host": "new.incamail.com", "addresses": ("194.41.147.99",)}
    )
    moved = FACTS.platform.model_copy(update={"gateways": (gateway,)})
    told = found(Supposition(platform=moved))
    assert told.supposed is Verdict.INCONCLUSIVE
    assert told.is_open
    nameless = moved.model_copy(
        update={"gateways": (gateway.model_copy(update={"addresses": ()}),)}
    )
    assert found(Supposition(platform=nameless)).supposed is Verdict.INCONCLUSIVE


def test_other_facts_about_the_platform_are_judged_at_once() -> None:
    """Another organisation in its certificate, sure as it is: everybody breaks."""
    other = FACTS.platform.model_copy(
        update={
            "organisations": FACTS.platform.organisations.model_copy(
                update={"value": ("Somebody else",)}
            )
        }
    )
    assert "PLAT02" in {c.code for c in found(Supposition(platform=other)).changes if c.alarm}


def test_a_store_that_was_unreadable_stays_so() -> None:
    """Nothing is known of it then or now."""
    gone = TrustStore("gone", problem="no such file")
    told = with_trust(FACTS.receiving[0], [gone], NOW)
    facts = FACTS.model_copy(update={"receiving": (told,)})
    supposed = suppose(facts, Supposition(distrusted=frozenset({"00" * 32})), NOW)
    asked = {t.store: t.trusted.answer for t in supposed.receiving[0].trust}
    assert asked == {"gone": Answer.INCONCLUSIVE, "roots": Answer.YES}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as audits leave it: two organisations, of one an older audit too."""
    folder = tmp_path_factory.mktemp("reports")
    for organisation, time in (("one", "20261101T0"), ("one", "20261124T0"), ("two", "20261124T0")):
        named = FACTS.declared.model_copy(update={"organisation": f"{organisation} {time}"})
        told = FACTS.model_copy(update={"declared": named})
        save_record(judge_facts(told, NOW), folder / organisation / time / "audit.json")
    save_record(FACTS, folder / "three" / "20261124T0" / "facts.json")
    return folder


def said(*words: object, code: int) -> str:
    told = CliRunner().invoke(
        app, ["judge", *map(str, words), "--at", "2026-11-24", "--lang", "en"]
    )
    assert told.exit_code == code, told.output
    return told.output


def test_the_command_lists_who_breaks(run: Path, tmp_path: Path) -> None:
    """The newest audit of each organisation, by a folder; as data too."""
    roots = pki.write_trust_store(LAB, tmp_path)
    text = said(run, "--store", roots, "--distrust", roots, code=1)
    assert "3 of 3 organisations would break" in text
    assert "one 20261101" not in text
    data = json.loads(said(run, "--distrust", roots, "--json", code=3))
    assert {(one["breaks"], one["open"]) for one in data} == {(False, True)}
    assert len(data) == 3
    assert "0 of 3" in said(run, "--store", roots, code=0)


def test_the_command_takes_a_new_certificate(run: Path, tmp_path: Path) -> None:
    """Of the platform unless it says whose."""
    issued = LAB.leaf(Variant.SERVER, "out.muster.example")
    file = tmp_path / "new.pem"
    pem = [c.public_bytes(Encoding.PEM) for c in (issued.certificate, *issued.intermediates)]
    file.write_bytes(b"".join(pem))
    text = said(run, "--replace-cert", file, "--whose", "sending", code=1)
    assert "CERT22 (new.pem)" in text
    assert replacement_from(file, Whose.SENDING).chain == chain_of(issued)


@pytest.mark.parametrize(
    "words",
    [
        ["--replace-cert", "NOTHING"],
        ["--replace-cert", "EMPTY"],
        ["--platform", "NOTHING"],
        ["--platform", "EMPTY/x"],
        ["--store", "NOTHING"],
        ["--store", "EMPTY"],
        ["--distrust", "NOTHING"],
        ["--distrust", "EMPTY"],
        ["--distrust", "abc"],
    ],
)
def test_what_cannot_be_supposed_is_one_sentence(
    run: Path, tmp_path: Path, words: list[str]
) -> None:
    """Missing and empty files of each kind."""
    (tmp_path / "EMPTY").write_bytes(b"")
    given = [str(tmp_path / w) if w.isupper() or "/" in w else w for w in words]
    told = said(run, *given, code=2)
    assert " ".join(told.split()).count(". ") <= 1
    assert "Traceback" not in told


def test_a_folder_without_audits_is_told(tmp_path: Path) -> None:
    """By its name."""
    assert str(tmp_path) in said(tmp_path, "--store", "certifi", code=2).replace("\n", "")
    with pytest.raises(MaterialError):
        roots_of(tmp_path)
