"""Measurements of several places as one audit: each side from where it counts, or refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from factories import (
    GATEWAY,
    NOW,
    certificate,
    declared,
    endpoint,
    facts,
    host,
    mail_domain,
    survey,
    vantage,
)
from factories import platform as the_platform

from incamail_lib.audit import merged_facts, save_record, with_age
from incamail_lib.errors import MaterialError, UsageError
from incamail_lib.facts.audit import AuditFacts, DeclaredGateway, Place
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse
from incamail_lib.facts.dns import DnsFacts
from incamail_lib.facts.observation import yes
from incamail_lib.guide import Sourced


def at(place: Place, **changes) -> AuditFacts:
    """What was measured at one place; the resolver tells the files apart."""
    dns = DnsFacts(
        resolver=f"resolver-{place.value}",
        domains=(mail_domain("mx1.muster.example"),),
        platform_hosts=(host(f"gw-{place.value}.incamail.com", "194.41.147.13"),),
    )
    one = {"vantage": vantage(place), "receiving_from": None, "dns": dns}
    return facts(**(one | changes))


def merged(folder: Path, *measured: AuditFacts) -> AuditFacts:
    files = [save_record(one, folder / f"{n}.json") for n, one in enumerate(measured)]
    return merged_facts(files)


def refused(folder: Path, *measured: AuditFacts) -> str:
    with pytest.raises(UsageError) as told:
        merged(folder, *measured)
    return told.value.text.english()


@pytest.mark.parametrize("turned", [False, True])
def test_each_side_comes_from_where_it_counts(tmp_path: Path, turned: bool) -> None:
    """In either order: the way out and the certificate from the gateway, the rest from outside."""
    own = CredentialFacts(
        label="client.pem",
        uses=(CredentialUse.SENDING,),
        readable=yes(),
        key_matches=yes(),
        chain=(certificate(),),
    )
    inner = at(Place.GATEWAY, credentials=(own,))
    outer = at(Place.ELSEWHERE, measured_at=NOW + dt.timedelta(hours=2))
    found = merged(tmp_path, *([outer, inner] if turned else [inner, outer]))
    assert found.vantage == inner.vantage
    assert found.receiving_vantage == outer.vantage
    assert found.credentials == (own,)
    assert [h.host for h in found.dns.platform_hosts] == ["gw-gateway.incamail.com"]
    assert found.dns.resolver == "resolver-elsewhere, resolver-gateway"
    assert (found.measured_at, found.complete_at) == (NOW, outer.measured_at)
    assert found.limits == ()


def test_the_gateway_counts_before_its_neighbour(tmp_path: Path) -> None:
    """Three places: what was measured on the gateway itself is the better evidence."""
    found = merged(tmp_path, at(Place.INSIDE), at(Place.ELSEWHERE), at(Place.GATEWAY))
    assert found.vantage.place is Place.GATEWAY
    assert found.receiving_vantage.place is Place.ELSEWHERE


def test_one_file_stays_as_it_is(tmp_path: Path) -> None:
    """Also an old one without a place, and a file named twice."""
    alone = at(Place.UNDECLARED)
    path = save_record(alone, tmp_path / "a.json")
    assert merged_facts([path]) == merged_facts([path, path]) == alone


def test_other_organisations_are_refused(tmp_path: Path) -> None:
    """Facts of somebody else never come together with these."""
    other = at(Place.ELSEWHERE, declared=declared(organisation="Andere AG"))
    assert "Andere AG" in refused(tmp_path, at(Place.GATEWAY), other)
    domains = at(Place.ELSEWHERE, declared=declared(domains=("other.example",)))
    told = refused(tmp_path, at(Place.GATEWAY), domains)
    assert "one organisation" in told
    assert f"«{', '.join(domains.declared.domains)}»" in told, "what differs is told"


def test_different_settings_are_refused(tmp_path: Path) -> None:
    """Another dossier, another platform, or the lab: the two did not look at the same thing."""
    gateways = declared(sending=(DeclaredGateway(host="new.muster.example"),))
    assert "sending" in refused(tmp_path, at(Place.GATEWAY), at(Place.ELSEWHERE, declared=gateways))
    lab = at(Place.ELSEWHERE, vantage=vantage(Place.ELSEWHERE, on_lab=True))
    assert "platform" in refused(tmp_path, at(Place.GATEWAY), lab)
    moved = the_platform(
        smart_host=Sourced[str](
            **{
                "value": "other.post.ch",
                "source": "test",
                "certainty": "A",
                "verified_on": dt.date(2026, 11, 24),
            }
        )
    )
    assert "platform" in refused(tmp_path, at(Place.GATEWAY), at(Place.ELSEWHERE, platform=moved))


def test_files_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    """No place, the same place twice, or merged before."""
    told = refused(tmp_path, at(Place.GATEWAY), at(Place.UNDECLARED))
    assert "does not say where" in told
    assert "incamail measure" in told
    assert "same place" in refused(tmp_path, at(Place.GATEWAY), at(Place.GATEWAY, dns=DnsFacts()))
    assert "merged already" in refused(tmp_path, facts(), at(Place.INSIDE))


@pytest.mark.parametrize("days", [14, 15])
def test_files_far_apart_are_refused(tmp_path: Path, days: int) -> None:
    """Up to a fortnight it is told, beyond it is refused with the file to measure anew."""
    later = at(Place.ELSEWHERE, measured_at=NOW + dt.timedelta(days=days))
    if days <= 14:
        found = merged(tmp_path, at(Place.GATEWAY), later)
        assert "14 days apart" in found.limits[0].english()
        return
    told = refused(tmp_path, at(Place.GATEWAY), later)
    assert "0.json" in told
    assert "15 days" in told


def test_what_the_two_places_see_differently_is_told(tmp_path: Path) -> None:
    """Another exchanger in split DNS, another certificate behind a device that ends TLS."""
    dns = DnsFacts(domains=(mail_domain("mx-inside.muster.example"),))
    inner = at(Place.GATEWAY, dns=dns)
    tls = survey().tls
    assert tls is not None
    own = tls.model_copy(update={"chain": (certificate(sha256="dd" * 32),)})
    outer = at(Place.ELSEWHERE, receiving=(endpoint(GATEWAY, connections=(survey(tls=own),)),))
    told = [note.english() for note in merged(tmp_path, inner, outer).limits]
    assert any("IncaMail sees those outside: mx1.muster.example" in note for note in told)
    assert any("mx1.muster.example shows one certificate inside" in note for note in told)


def test_old_facts_are_told_once(tmp_path: Path) -> None:
    """Judged again a year later they say their age; the older one of two places counts."""
    later = NOW + dt.timedelta(days=10)
    both = merged(tmp_path, at(Place.GATEWAY), at(Place.ELSEWHERE, measured_at=later))
    assert with_age(both, NOW + dt.timedelta(days=30)) == both
    old = with_age(both, NOW + dt.timedelta(days=31))
    assert "31 days old" in old.limits[-1].english()
    older = with_age(old, NOW + dt.timedelta(days=365))
    assert len(older.limits) == len(old.limits)
    assert "365 days old" in older.limits[-1].english()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """One of two cannot be read: nothing is concluded from the other."""
    path = save_record(at(Place.GATEWAY), tmp_path / "a.json")
    (tmp_path / "b.json").write_text("{}", encoding="utf-8")
    with pytest.raises(MaterialError, match=r"b\.json"):
        merged_facts([path, tmp_path / "b.json"])
