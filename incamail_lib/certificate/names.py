"""Name matching by RFC 9525: the subject alternative name alone decides, never the CN."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509

from incamail_lib.certificate.extensions import (
    UNREADABLE,
    extension_of,
    parse,
    with_legible_names,
)
from incamail_lib.facts.certificate import CertificateFacts, NameMatch
from incamail_lib.printable import printable

if TYPE_CHECKING:
    from service_identity.hazmat import DNSPattern, IPAddressPattern


def match_name(leaf: CertificateFacts, host: str) -> NameMatch:
    """Whether `leaf` is valid for `host`, a name in A-label form or an address literal.

    A final dot, as the DNS writes names, is none of the name's (RFC 5280 §4.2.1.6).
    Names that cannot be read match nothing; `unreadable` of the leaf tells that there are some.
    """
    from service_identity import CertificateError, VerificationError  # late: most ask for no host

    presented = (*leaf.san_dns, *leaf.san_ip)
    try:
        certificate, _ = with_legible_names(parse(leaf.der))
        _verify(certificate, host.removesuffix("."))
    except VerificationError:
        return NameMatch(host=host, matched=False, presented=presented)
    except (CertificateError, *UNREADABLE) as error:
        detail = printable(str(error))
        return NameMatch(host=host, matched=False, presented=presented, detail=detail)
    return NameMatch(host=host, matched=True, presented=presented)


def _verify(certificate: x509.Certificate, host: str) -> None:
    from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity

    wanted = IPAddress_ID(host) if _is_address(host) else DNS_ID(host)
    verify_service_identity(_patterns(certificate), obligatory_ids=[wanted], optional_ids=[])


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _patterns(certificate: x509.Certificate) -> list[DNSPattern | IPAddressPattern]:
    """What a host can match. One odd name, such as an address written as a name, spoils no other.

    Services (SRV) and URIs name no mail server's host (RFC 9525 §6.1).
    """
    from service_identity import CertificateError
    from service_identity.hazmat import DNSPattern, IPAddressPattern

    names = extension_of(certificate, x509.SubjectAlternativeName)
    found: list[DNSPattern | IPAddressPattern] = []
    for name in names or ():
        if isinstance(name, x509.IPAddress):
            found.append(IPAddressPattern(ipaddress.ip_address(str(name.value))))
        elif isinstance(name, x509.DNSName):
            try:
                found.append(DNSPattern.from_bytes(name.value.encode()))
            except CertificateError:
                continue
    return found
