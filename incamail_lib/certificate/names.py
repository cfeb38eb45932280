"""Name matching by RFC 9525: the subject alternative name alone decides, never the CN."""

from __future__ import annotations

import ipaddress

from cryptography import x509
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import (
    extract_patterns,
    verify_certificate_hostname,
    verify_certificate_ip_address,
)

from incamail_lib.certificate.reading import UNREADABLE, parse
from incamail_lib.facts.certificate import CertificateFacts, NameMatch
from incamail_lib.printable import printable


def match_name(leaf: CertificateFacts, host: str) -> NameMatch:
    """Whether `leaf` is valid for `host`, a name in A-label form or an address literal."""
    presented = (*leaf.san_dns, *leaf.san_ip)
    try:
        certificate = parse(leaf.der)
        _verify(certificate, host)
    except VerificationError:
        return NameMatch(host=host, matched=False, presented=presented)
    except (CertificateError, *UNREADABLE) as error:
        detail = printable(str(error))
        return NameMatch(host=host, matched=False, presented=presented, detail=detail)
    return NameMatch(host=host, matched=True, presented=presented)


def _verify(certificate: x509.Certificate, host: str) -> None:
    extract_patterns(certificate)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        verify_certificate_hostname(certificate, host)
    else:
        verify_certificate_ip_address(certificate, host)
