"""How strong the keys and signatures of a path are, on OpenSSL's scale of security levels.

pyOpenSSL cannot ask for a level, so it is computed as OpenSSL does it (check_auth_level in
crypto/x509/x509_vfy.c): every key of the path counts, the anchor's too, and every signature but
the anchor's own. A differential against the openssl program holds this.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from incamail_lib.facts.certificate import CertificateFacts

# Bits of security that a level asks for: SSL_CTX_set_security_level(3). Level 2 is the default
# of Debian, Ubuntu and OpenSSL itself since 3.2; level 1 was OpenSSL's until then.
LEVELS = {1: 80, 2: 112}
# Curves that OpenSSL and GnuTLS take from a peer without being told to (RFC 8446 §4.2.3).
USUAL_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
KNOWN_KEYS = frozenset({"RSA", "EC", "Ed25519", "Ed448", "DSA"})
# X509_get_signature_info(3); SHA-1 counts 63 since collisions were found. SHA-3 is not here:
# OpenSSL 3.0 cannot verify it in certificates.
_DIGESTS = {
    **{"md2": 0, "md5": 39, "sha1": 63, "sha224": 112, "sha512-224": 112},
    **{"sha256": 128, "sha512-256": 128, "sha384": 192, "sha512": 256},
}
_EDWARDS = {"Ed25519": 128, "Ed448": 224}
_EDWARDS_SIGNATURES = {"ed25519": 128, "ed448": 224}


def key_bits(certificate: CertificateFacts) -> int:
    """Bits of security of the public key; 0 for a kind that is not known here."""
    if certificate.key_type in ("RSA", "DSA"):
        return _factoring(certificate.key_bits)
    if certificate.key_type == "EC":
        return _curve(certificate.key_bits)
    return _EDWARDS.get(certificate.key_type, 0)


def _factoring(size: int) -> int:
    """SP 800-56B rev. 2 appendix D with OpenSSL's rounding (crypto/rsa/rsa_lib.c)."""
    listed = {2048: 112, 3072: 128, 4096: 152, 6144: 176, 7680: 192, 8192: 200, 15360: 256}
    if size in listed or size < 8:
        return listed.get(size, 0)
    nats = size * math.log(2)
    strength = (1.923 * math.cbrt(nats * math.log(nats) ** 2) - 4.69) / math.log(2)
    cap = 192 if size <= 7680 else 256 if size <= 15360 else 1200
    return min((int(strength) + 4) & ~7, cap)


def _curve(size: int) -> int:
    steps = ((512, 256), (384, 192), (256, 128), (224, 112), (160, 80))
    return next((bits for order, bits in steps if size >= order), size // 2)


def signature_bits(certificate: CertificateFacts) -> int | None:
    """Bits of security of the signature on it; None for a kind that is not known here."""
    if not certificate.signature_hash:
        return _EDWARDS_SIGNATURES.get(certificate.signature_algorithm.lower())
    return _DIGESTS.get(certificate.signature_hash)


def security_level(path: Sequence[CertificateFacts]) -> tuple[int, CertificateFacts | None]:
    """The highest level (0, 1, 2) that takes the path, and the certificate that sets it.

    The last of `path` is the anchor, whose own signature nobody verifies.
    """
    weakest, culprit = 1000, None
    for number, certificate in enumerate(path):
        signed = signature_bits(certificate) if number < len(path) - 1 else None
        bits = min(key_bits(certificate), 1000 if signed is None else signed)
        if bits < weakest:
            weakest, culprit = bits, certificate
    level = max((n for n, asked in LEVELS.items() if weakest >= asked), default=0)
    return level, None if level == max(LEVELS) else culprit


def unusual(path: Sequence[CertificateFacts]) -> CertificateFacts | None:
    """The first certificate whose key or signature is of a kind that TLS peers refuse."""
    for number, certificate in enumerate(path):
        known = certificate.key_type in KNOWN_KEYS and signature_bits(certificate) is not None
        # The anchor's signature counts as well: OpenSSL finds the end of the path by it.
        if not known or (number == 0 and not has_usual_key(certificate)):
            return certificate
    return None


def has_usual_key(certificate: CertificateFacts) -> bool:
    """Whether TLS peers take the key from a leaf without being told to."""
    if certificate.key_type == "EC":
        return certificate.curve in USUAL_CURVES
    return certificate.key_type != "DSA"
