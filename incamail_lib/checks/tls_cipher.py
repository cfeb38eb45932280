"""TLS04: how strong the cipher and the key exchange are that a gateway chooses."""

from __future__ import annotations

from incamail_lib.checks._advice import GATEWAY_DIALOGUE
from incamail_lib.checks._core import Context, Result, check, failed, passed
from incamail_lib.checks._endpoints import agreed, tls_not_seen
from incamail_lib.checks._subjects import receiving
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, say

_STRONG = ("GCM", "CHACHA20", "CCM")
_BROKEN = ("NULL", "RC4", "DES", "EXP", "MD5", "ADH", "AECDH", "IDEA", "SEED")
_FORWARD_SECRET = ("ECDHE", "DHE", "EDH")
MIN_DH, GOOD_DH = 1024, 2048  # bits of the prime: weakdh.org broke 1024 for states; RFC 9325 §4.5


@check(
    "TLS04",
    on=receiving,
    passes=N_("A strong cipher with forward secrecy is chosen"),
    fails=N_("The cipher or key exchange is weaker than advised"),
    asks=N_("Does the gateway choose a strong cipher with forward secrecy?"),
    why=N_("Forward secrecy keeps recorded mail secret even if the key is stolen later."),
    remedy=N_(
        "Prefer ECDHE key exchange with AES-GCM or ChaCha20; remove RC4, 3DES and RSA key exchange."
    ),
    clarify=GATEWAY_DIALOGUE,
    item="6.2",
    reference="RFC 9325 §4.1, §4.2",
    leg=Leg.ARRIVAL,
    requires=("TLS01",),
)
def cipher_is_strong(endpoint: EndpointFacts, _: Context) -> Result:
    """AEAD and ephemeral keys pass; broken ciphers fail; the rest is advised against."""
    tls = agreed(endpoint)
    if tls is None:
        return tls_not_seen(endpoint)
    name = tls.cipher.upper()
    if any(word in name for word in _BROKEN) or 0 < tls.cipher_bits < 128:
        return failed(
            say("Broken cipher: {cipher}.", cipher=tls.cipher),
            title=N_("A broken cipher is chosen"),
        )
    if 0 < tls.dh_bits < GOOD_DH:
        told = say(
            "{cipher}, with Diffie-Hellman of {bits} bits.", cipher=tls.cipher, bits=tls.dh_bits
        )
        level = Level.REQUIRED if tls.dh_bits < MIN_DH else Level.RECOMMENDED
        return failed(
            told,
            level=level,
            title=N_("The Diffie-Hellman group is too small"),
            remedy=say("Use a Diffie-Hellman group of 2048 bits or more, or prefer ECDHE."),
        )
    ephemeral = tls.version == "TLSv1.3" or name.startswith(_FORWARD_SECRET)
    if not ephemeral:
        return failed(
            say("RSA key exchange, without forward secrecy: {cipher}.", cipher=tls.cipher),
            level=Level.RECOMMENDED,
            title=N_("The key exchange has no forward secrecy"),
        )
    if any(word in name for word in _STRONG):
        return passed(say("{cipher}", cipher=tls.cipher))
    return failed(say("Dated cipher: {cipher}.", cipher=tls.cipher), level=Level.RECOMMENDED)
