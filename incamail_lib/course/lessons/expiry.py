"""Lesson 7, certificates that die: what the library is asked. The texts stand in expiry.toml."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from incamail_lib.audit.inspecting import inspected
from incamail_lib.certificate.credential import load_credential
from incamail_lib.certificate.reading import read_certificate
from incamail_lib.certificate.stores import file_store
from incamail_lib.checks.validity import renewal_from
from incamail_lib.course.bench import DOMAIN, Bench, NotMeasured
from incamail_lib.course.changes import certificate, gateway, no_change, sending
from incamail_lib.course.reading import Asked, read
from incamail_lib.facts.certificate import CertificateFacts, CredentialUse
from incamail_lib.files import private_folder
from incamail_lib.findings import Leg, Verdict
from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.i18n import Text, say
from incamail_lib.lab import SCENARIOS, pki
from incamail_lib.lab.authority import Authority, Recipe, new_root, pem_of
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.scenario import Arrangement, as_is, showing

_DAY = dt.timedelta(days=1)
_DIGICERT = "DigiCert Inc"
_ISSUED = dt.date(2029, 3, 20)
_SECOND_OF_MARCH = dt.datetime(2027, 3, 2, 12, tzinfo=dt.UTC)
_ENDS = dt.datetime(2027, 5, 10, 12, tzinfo=dt.UTC)
_CA_LIFE = 2920  # days that a new authority of the lab's still has to live
_SHARED = SCENARIOS["one_certificate_for_both"]
_NIGHT = replace(_SHARED, gateways=(showing(Variant.SERVER),), sending_certificate=Variant.SERVER)


@dataclass(frozen=True)
class _Planned:
    """A certificate of the exercise, in days: its life, what is left of it, and of its chain."""

    life: int
    left: int
    chain_left: int = _CA_LIFE


PLANNED = {
    "relay": _Planned(200, 150, chain_left=35),
    "mx1": _Planned(200, 40),
    "out": _Planned(47, 28),
    "mx2": _Planned(90, 60),
}


def _read(found: x509.Certificate) -> CertificateFacts:
    return read_certificate(found.public_bytes(Encoding.DER))


def _authority(organisation: str, now: dt.datetime) -> Authority:
    return new_root(f"{organisation} Root (lab)", organisation, now)


def path_of(key: str, now: dt.datetime) -> tuple[CertificateFacts, CertificateFacts]:
    """Leaf and authority, issued so that what is planned for `key` is true at `now`."""
    planned = PLANNED[key]
    ago = (_CA_LIFE - planned.chain_left) * _DAY  # so long before, the authority was new
    authority = _authority(pki.CA_ORGANISATION, now - ago)
    recipe = Recipe(f"{key}.{DOMAIN}", left=planned.left * _DAY + ago, lifetime=planned.life * _DAY)
    return _read(authority.issue(recipe).certificate), _read(authority.certificate)


def _days(bench: Bench) -> tuple[str, ...]:
    """Of each certificate its life, what is left of it, and of the authority above it, in days."""
    rows = []
    for key in sorted(PLANNED):
        leaf, above = path_of(key, bench.now)
        assert leaf.not_before is not None
        assert leaf.not_after is not None
        assert above.not_after is not None
        spans = (
            leaf.not_after - leaf.not_before,
            leaf.not_after - bench.now,
            above.not_after - bench.now,
        )
        days = "".join(f"{round(span / _DAY):>7}" for span in spans)
        rows.append(f"{leaf.subject_cn[0]:<22}{days}")
    return tuple(rows)


def _order(bench: Bench) -> tuple[str, ...]:
    """By the day from which the library tells that a renewal is due."""
    due = {}
    for key in PLANNED:
        start = renewal_from(path_of(key, bench.now))
        assert start is not None
        due[key] = start
    return tuple(sorted(due, key=lambda key: due[key]))


def _rules(_: Bench) -> tuple[str, ...]:
    return tuple(f"{rule.issued_from}: {rule.days}" for rule in ca_policy().lifetime)


@cache
def _serves() -> bool:
    """Whether one can send with the certificate on the day after the authority has stopped."""
    day = _SECOND_OF_MARCH
    authority = _authority(_DIGICERT, day)
    issued = authority.issue(Recipe(f"out.{DOMAIN}", left=_ENDS - day, lifetime=200 * _DAY))
    with private_folder("incamail-course-") as folder:
        file, key = pki.write_pem(issued, folder, "sending")
        root = folder / "root.pem"
        root.write_bytes(pem_of((authority.certificate,)))
        told, _ = load_credential(file, key_path=key, uses=(CredentialUse.SENDING,))
        judged = inspected(
            told,
            uses=(CredentialUse.SENDING,),
            stores=(file_store(root),),
            stores_decide=True,
            now=day,
        )
    return judged.usable[CredentialUse.SENDING] is Verdict.READY


def _again(organisation: str, day: dt.date) -> bool:
    """Whether a public authority is known to issue clientAuth still on that day."""
    end = ca_policy().end_of_client_auth((organisation,))
    return end.known and day < end.ends_on


def _fate(_: Bench, told: tuple[bool, bool]) -> bool:
    return told == (_serves(), _again(_DIGICERT, _ENDS.date()))


def _certain(_: Bench, renewal: tuple[str, dt.date] | None) -> bool:
    """None is an authority that no public rule binds."""
    return renewal is None or _again(*renewal)


def _broken(bench: Bench, legs: set[Leg]) -> bool:
    if bench.audit(_NIGHT).verdict is Verdict.INCONCLUSIVE:
        raise NotMeasured
    return {found.leg for found in bench.failing(_NIGHT).values() if found.blocks} == legs


def _said(bench: Bench) -> tuple[Text, ...]:
    failing = bench.failing(_NIGHT)
    return tuple(say("{code}: {seen}", code=code, seen=f.seen) for code, f in failing.items())


EXPIRY = read(
    "expiry",
    {
        "days": Asked(material=_rules, truth=lambda _: str(ca_policy().longest_life(_ISSUED))),
        "first": Asked(material=_days, order=_order),
        "deadline": Asked(
            holds=_fate,
            values={
                "until": (True, False),
                "stops": (False, False),
                "again": (True, True),
                "browsers": (True, True),
            },
        ),
        "survives": Asked(
            holds=_certain,
            values={
                "february": (_DIGICERT, dt.date(2027, 2, 10)),
                "april": (_DIGICERT, dt.date(2027, 4, 20)),
                "robot": ("Let's Encrypt", dt.date(2027, 1, 15)),
                "silent": ("SwissSign AG", dt.date(2027, 2, 20)),
                "private": None,
            },
        ),
        "night": Asked(
            holds=_broken,
            proof=_said,
            values={
                "sending": {Leg.LINK},
                "nothing": set(),
                "both": {Leg.LINK, Leg.ARRIVAL},
                "receiving": {Leg.ARRIVAL},
            },
        ),
        "near": Asked(
            values={
                "renew": gateway(as_is),
                "earlier": sending(go_live_in_days=5),
                "long": gateway(showing(Variant.OVERLONG)),
                "leaf": gateway(showing(Variant.BOTH, Arrangement.LEAF_ONLY)),
            },
        ),
        "golive": Asked(
            values={
                "renew": certificate(Variant.BOTH),
                "web": certificate(Variant.SERVER),
                "future": certificate(Variant.NOT_YET_VALID),
                "receiving": gateway(showing(Variant.RSA)),
            },
        ),
        "key": Asked(
            values={
                "fetch": certificate(Variant.BOTH),
                "restart": no_change(),
                "old": certificate(Variant.EXPIRED),
                "own": certificate(Variant.SELF_SIGNED),
            },
        ),
        "shared": Asked(
            values={
                "own": sending(sending_host="out.{domain}"),
                "robot": lambda _: _NIGHT,
                "star": sending(
                    sending_certificate=Variant.WILDCARD, gateways=(showing(Variant.WILDCARD),)
                ),
                "self": sending(
                    sending_host="out.{domain}", sending_certificate=Variant.SELF_SIGNED
                ),
            },
        ),
    },
)
