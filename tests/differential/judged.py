"""Our verdicts on drawn chains, and which of them may be stricter than OpenSSL's, and why."""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from differential.chains import Case
from OpenSSL import crypto

from incamail_lib.certificate import read_certificate
from incamail_lib.certificate.stores import TrustStore
from incamail_lib.certificate.trust import judge_trust
from incamail_lib.facts.certificate import TrustFacts, TrustReason
from incamail_lib.facts.strength import USUAL_CURVES, signature_bits

PURPOSES = ("serverAuth", "clientAuth")


def judged(case: Case, purpose: str, now: dt.datetime) -> TrustFacts:
    """What we say about a case."""
    anchors = [x509.load_der_x509_certificate(der) for der in case.anchors]
    loaded = tuple(crypto.X509.from_cryptography(anchor) for anchor in anchors)
    store = TrustStore("case", size=len(loaded), anchors=loaded)
    return judge_trust(
        [read_certificate(der) for der in case.chain], store, purpose=purpose, now=now
    )


def accepted(answer: TrustFacts, level: int) -> bool:
    """Whether we say that OpenSSL takes it at this security level."""
    return answer.trusted.is_yes and (answer.security_level or 0) >= level


def why_stricter(answer: TrustFacts, case: Case) -> str:
    """The reason for refusing what `openssl verify` accepts; "" if there is none.

    Every one is a rule of TLS, which verifying a chain alone does not know; or a certificate that
    OpenSSL reads and our parser does not.
    """
    read = [read_certificate(der) for der in (*case.chain, *case.anchors)]
    if any(certificate.problem for certificate in read):
        return "a certificate that our parser cannot read"
    culprit = answer.culprit
    if culprit is None:
        return ""
    if answer.reason is TrustReason.UNUSUAL and signature_bits(culprit) is None:
        return "SHA-3 signatures are verified by some versions of OpenSSL only"
    if answer.reason is TrustReason.UNUSUAL and culprit.key_type == "EC":
        odd = culprit.curve not in USUAL_CURVES
        return "TLS peers do not agree on the leaf's curve by default" if odd else ""
    if answer.reason is not TrustReason.WRONG_PURPOSE or culprit.signs:
        return ""
    if answer.purpose == "clientAuth":
        return "a TLS client signs, so that keyAgreement alone does not do"
    if culprit.key_type != "RSA":
        return "the server of an elliptic-curve key signs, so that it needs digitalSignature"
    return ""
