"""The trust settings that stand behind a `BEGIN TRUSTED CERTIFICATE` (openssl-x509(1))."""

from __future__ import annotations

from collections.abc import Iterator

from incamail_lib.certificate import der

_REJECTED = 0xA0  # [0] IMPLICIT SEQUENCE OF OBJECT IDENTIFIER (crypto/x509/x_x509a.c)
_ANY = der.identifier("2.5.29.37.0")  # anyExtendedKeyUsage
_PURPOSES = {
    "serverAuth": der.identifier("1.3.6.1.5.5.7.3.1"),
    "clientAuth": der.identifier("1.3.6.1.5.5.7.3.2"),
}


def rejected_purposes(data: bytes) -> frozenset[str]:
    """The purposes for which OpenSSL refuses this certificate as an anchor; errors: ValueError.

    What is rejected is refused; and where some uses are trusted, so is every other one
    (`obj_trust` in crypto/x509/x509_trust.c).
    """
    settings = data[len(der.first(data)) :]
    if not settings:
        return frozenset()
    held = der.elements(der.content(der.first(settings)))
    return frozenset(_rejected(held))


def _rejected(settings: list[bytes]) -> Iterator[str]:
    trusted = [der.elements(der.content(e)) for e in settings if e[0] == der.SEQUENCE]
    refused = [der.elements(der.content(e)) for e in settings if e[0] == _REJECTED]
    for purpose, named in _PURPOSES.items():
        wanted = {named, _ANY}
        excluded = any(wanted & set(uses) for uses in refused)
        if excluded or any(not wanted & set(uses) for uses in trusted):
            yield purpose
