"""Lesson 3, reading a certificate: what the library is asked. The texts: certificate.toml."""

from __future__ import annotations

from itertools import permutations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from incamail_lib.audit.inspecting import inspected
from incamail_lib.certificate import match_name
from incamail_lib.certificate.chain import link
from incamail_lib.certificate.credential import load_credential
from incamail_lib.certificate.reading import read_certificate
from incamail_lib.certificate.stores import file_store
from incamail_lib.course.bench import DOMAIN, Bench
from incamail_lib.course.changes import certificate, gateway, no_change
from incamail_lib.course.reading import Asked, read
from incamail_lib.facts.certificate import CertificateFacts, CredentialUse
from incamail_lib.files import private_folder
from incamail_lib.findings import Verdict
from incamail_lib.i18n import Text, say
from incamail_lib.lab import SCENARIOS, pki
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.scenario import Arrangement, as_is, showing

_MX1, _OUT = f"mx1.{DOMAIN}", f"out.{DOMAIN}"


def _read(found: x509.Certificate) -> CertificateFacts:
    return read_certificate(found.public_bytes(Encoding.DER))


def _leaf(bench: Bench, variant: Variant) -> CertificateFacts:
    return _read(bench.pki.leaf(variant, _MX1).certificate)


def _lines(facts: CertificateFacts) -> tuple[str, ...]:
    """The parts of a certificate as `openssl x509 -text` names them."""
    usages = ", ".join(facts.ext_key_usage or ())
    return (
        f"subject: {facts.subject}",
        f"issuer: {facts.issuer}",
        f"notBefore: {facts.not_before:%Y-%m-%d}",
        f"notAfter: {facts.not_after:%Y-%m-%d}",
        f"X509v3 Subject Alternative Name (SAN): {', '.join(facts.san_dns)}",
        f"X509v3 Extended Key Usage: {usages}",
    )


def _covers(bench: Bench, host: str) -> bool:
    return match_name(_leaf(bench, Variant.WILDCARD), host).matched


def _order(bench: Bench) -> tuple[str, ...]:
    """The certificates of a path, each followed by the one that the library finds it signed by."""
    found = {
        "leaf": _leaf(bench, Variant.BOTH),
        "intermediate": _read(bench.pki.issuing.certificate),
        "root": _read(bench.pki.roots[0]),
    }
    chains = {way: link([found[name] for name in way]) for way in permutations(found)}
    return next(way for way, told in chains.items() if told.in_order and len(told.path) == len(way))


def _can_send(bench: Bench, variant: Variant) -> bool:
    with private_folder("incamail-course-") as folder:
        issued = bench.pki.leaf(variant, _OUT)
        file, key = pki.write_pem(issued, folder, "sending")
        told, _ = load_credential(file, key_path=key, uses=(CredentialUse.SENDING,))
        store = file_store(pki.write_trust_store(bench.pki, folder))
        judged = inspected(
            told,
            uses=(CredentialUse.SENDING,),
            stores=(store,),
            stores_decide=True,
            now=bench.now,
        )
    return judged.usable[CredentialUse.SENDING] is Verdict.READY


def _audit_says(bench: Bench, codes: set[str]) -> bool:
    return set(bench.failing(SCENARIOS["missing_intermediate"])) == codes


def _said(bench: Bench) -> tuple[Text, ...]:
    failing = bench.failing(SCENARIOS["missing_intermediate"])
    return tuple(say("{code}: {seen}", code=code, seen=f.seen) for code, f in failing.items())


CERTIFICATE = read(
    "certificate",
    {
        "names": Asked(
            material=lambda bench: _lines(_leaf(bench, Variant.WILDCARD)),
            holds=_covers,
            values={
                "mx1": "mx1.muster.example",
                "out": "OUT.MUSTER.EXAMPLE",
                "bare": "muster.example",
                "deep": "mx1.zurich.muster.example",
                "other": "mx1.muster.example.hoster.example",
            },
        ),
        "issuer": Asked(
            material=lambda bench: _lines(_leaf(bench, Variant.BOTH)),
            truth=lambda bench: _leaf(bench, Variant.BOTH).issuer_cn[0],
        ),
        "chain": Asked(order=_order),
        "usage": Asked(
            holds=_can_send,
            values={
                "both": Variant.BOTH,
                "server": Variant.SERVER,
                "self_signed": Variant.SELF_SIGNED,
                "expired": Variant.EXPIRED,
            },
        ),
        "alone": Asked(
            holds=_audit_says,
            proof=_said,
            values={
                "missing": {"CERT03"},
                "fine": set(),
                "unknown": {"CERT04"},
                "name": {"CERT06"},
            },
        ),
        "wrong_name": Asked(
            values={
                "san": gateway(as_is),
                "cn": gateway(showing(Variant.CN_ONLY)),
                "own": gateway(showing(Variant.SELF_SIGNED)),
                "old": gateway(showing(Variant.EXPIRED)),
            },
        ),
        "client": Asked(
            values={
                "both": certificate(Variant.BOTH),
                "renewed": no_change(),
                "self_signed": certificate(Variant.SELF_SIGNED),
                "exotic": certificate(Variant.EXOTIC),
            },
        ),
        "file": Asked(
            values={
                "chain": certificate(Variant.BOTH),
                "empty": certificate(Variant.BOTH, Arrangement.NOTHING),
                "other_key": certificate(Variant.KEY_MISMATCH),
                "expired": certificate(Variant.EXPIRED),
            },
        ),
    },
)
