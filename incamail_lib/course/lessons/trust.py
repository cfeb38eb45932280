"""Lesson 4, whom do you trust: what the library is asked. The texts stand in trust.toml."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from incamail_lib.audit.inspecting import inspected
from incamail_lib.certificate.credential import load_credential
from incamail_lib.certificate.reading import read_certificate
from incamail_lib.certificate.stores import TrustStore, store_of
from incamail_lib.certificate.trust import judge_trust
from incamail_lib.course.bench import DOMAIN, Bench
from incamail_lib.course.changes import certificate, gateway, no_change
from incamail_lib.course.reading import Asked, read
from incamail_lib.facts.certificate import CertificateFacts, CredentialUse, TrustFacts
from incamail_lib.files import private_folder
from incamail_lib.findings import Outcome
from incamail_lib.i18n import Text, say
from incamail_lib.lab import SCENARIOS, pki
from incamail_lib.lab.authority import Authority, Issued, Recipe, new_root
from incamail_lib.lab.pki import Pki, Variant
from incamail_lib.lab.plan import GatewayPlan
from incamail_lib.lab.scenario import Arrangement, Twist, as_is, showing

_MX1, _OUT = f"mx1.{DOMAIN}", f"out.{DOMAIN}"


def _read(found: x509.Certificate) -> CertificateFacts:
    return read_certificate(found.public_bytes(Encoding.DER))


def _sent(
    bench: Bench, variant: Variant = Variant.BOTH, host: str = _MX1
) -> list[x509.Certificate]:
    """What a gateway with that certificate sends: all but the root."""
    return list(bench.pki.leaf(variant, host).chain)


def _answer(
    sent: list[x509.Certificate], store: TrustStore, purpose: str, now: dt.datetime
) -> TrustFacts:
    return judge_trust([_read(c) for c in sent], store, purpose=purpose, now=now)


def _anchor(bench: Bench) -> str:
    """The name of the certificate at which the path ends in a store that accepts it."""
    store = store_of("incamail", bench.pki.roots)
    return _answer(_sent(bench), store, "serverAuth", bench.now).members[-1].subject_cn[0]


def _shown(bench: Bench) -> tuple[str, ...]:
    """What the gateway sends, as `openssl s_client` lists it: subject and issuer of each."""
    told = [_read(c) for c in _sent(bench)]
    pairs = [(f"{n} s: {c.subject}", f"  i: {c.issuer}") for n, c in enumerate(told)]
    return tuple(line for pair in pairs for line in pair)


def _let_in(bench: Bench, where: str) -> bool:
    """Whether IncaMail accepts a private authority whose root was put there, and nowhere else."""
    root = bench.pki.exotic.root
    held = [*bench.pki.roots, *([root] if where == "incamail" else [])]
    along = [root] if where == "chain" else []
    sent = [*bench.pki.leaf(Variant.EXOTIC, _OUT).chain, *along]
    return _answer(sent, store_of("incamail", held), "clientAuth", bench.now).trusted.is_yes


def _store(lab: Pki, name: str) -> TrustStore:
    """The stores that lie in the machines of the exercise."""
    first, second = lab.roots
    others = (second, lab.exotic.root, lab.interceptor.root)
    barred = frozenset({(first.public_bytes(Encoding.DER), "serverAuth")})
    stores = {
        "current": store_of(name, lab.roots),
        "own": store_of(name, [first]),
        "old": store_of(name, [second]),
        "large": store_of(name, others),
        "link": store_of(name, [lab.issuing.certificate]),
        "namesake": store_of(name, [_namesake(lab.now).certificate]),
        "barred": store_of(name, lab.roots, rejected=barred),
    }
    return stores[name]


@cache
def _namesake(now: dt.datetime) -> Authority:
    """A root of the same name as the lab's first one, made by somebody else."""
    return new_root("Lab SwissSign RSA TLS Root (lab)", pki.CA_ORGANISATION, now)


def _accepts(bench: Bench, name: str) -> bool:
    store = _store(bench.pki, name)
    return _answer(_sent(bench), store, "serverAuth", bench.now).trusted.is_yes


@cache
def _of_the_second(now: dt.datetime) -> Issued:
    """A certificate from below the lab's second root, which is the one to be distrusted."""
    root = pki.build(now).recognised[1]
    issuing = root.subordinate("Lab Other ICA (lab)", "Lab Trust Services (lab)")
    return issuing.issue(Recipe(_MX1, pki.CLIENT_ORGANISATION, (_MX1,)))


@cache
def _between_two_stores(now: dt.datetime) -> dict[str, Text]:
    """What the checks find when one store has dropped the root and the other has not."""
    first, second = pki.build(now).roots
    stores = (store_of("roots-january.pem", [first, second]), store_of("roots-today.pem", [first]))
    with private_folder("incamail-course-") as folder:
        file, key = pki.write_pem(_of_the_second(now), folder, "receiving")
        told, _ = load_credential(file, key_path=key, uses=(CredentialUse.RECEIVING,))
    judged = inspected(
        told, uses=(CredentialUse.RECEIVING,), stores=stores, stores_decide=True, now=now
    )
    return {f.code: f.seen for f in judged.findings if f.outcome is Outcome.FAILED}


def _audit_of_two(bench: Bench, codes: set[str]) -> bool:
    return set(_between_two_stores(bench.now)) == codes


def _told(found: dict[str, Text]) -> tuple[Text, ...]:
    return tuple(say("{code}: {seen}", code=code, seen=seen) for code, seen in found.items())


def _imitated(bench: Bench) -> dict[str, Text]:
    """What fails about the certificate of whoever imitates IncaMail."""
    failing = bench.failing(SCENARIOS["imitated"])
    return {code: f.seen for code, f in failing.items() if code.startswith("PLAT")}


def _found_out_by(bench: Bench, codes: set[str]) -> bool:
    return set(_imitated(bench)) == codes


def _with_root(variant: Variant) -> Twist:
    """A gateway that sends the root behind the rest, in order."""

    def twist(plan: GatewayPlan, lab: Pki) -> GatewayPlan:
        issued = lab.leaf(variant, plan.host)
        assert plan.tls is not None
        assert issued.root is not None
        sent = (*issued.chain, issued.root)
        return replace(plan, tls=replace(plan.tls, identity=issued, sent=sent))

    return twist


TRUST = read(
    "trust",
    {
        "anchor": Asked(material=_shown, truth=_anchor),
        "where": Asked(
            holds=_let_in,
            values={name: name for name in ("incamail", "gateway", "chain", "browser")},
        ),
        "stores": Asked(
            material=_shown,
            holds=_accepts,
            values={
                name: name
                for name in ("current", "own", "old", "large", "link", "namesake", "barred")
            },
        ),
        "distrusted": Asked(
            holds=_audit_of_two,
            proof=lambda bench: _told(_between_two_stores(bench.now)),
            values={
                "differ": {"CERT05"},
                "fine": set(),
                "nobody": {"CERT04"},
                "expired": {"CERT07"},
            },
        ),
        "imitated": Asked(
            holds=_found_out_by,
            proof=lambda bench: _told(_imitated(bench)),
            values={
                "authority": {"PLAT03", "PLAT06"},
                "fine": set(),
                "organisation": {"PLAT02"},
                "host": {"PLAT05"},
            },
        ),
        "own_hand": Asked(
            values={
                "recognised": gateway(as_is),
                "longer": gateway(showing(Variant.SELF_SIGNED)),
                "import": no_change(),
                "house": gateway(showing(Variant.EXOTIC)),
            },
        ),
        "private": Asked(
            values={
                "recognised": gateway(as_is),
                "root_along": gateway(_with_root(Variant.EXOTIC)),
                "renewed": no_change(),
                "self_signed": gateway(showing(Variant.SELF_SIGNED)),
            },
        ),
        "sending": Asked(
            values={
                "recognised": certificate(Variant.BOTH),
                "web": certificate(Variant.SERVER),
                "root_along": certificate(Variant.EXOTIC, Arrangement.WRONG_ORDER_WITH_ROOT),
                "import": no_change(),
            },
        ),
    },
)
