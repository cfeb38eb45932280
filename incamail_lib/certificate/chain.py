"""How certificates hang together, as facts: order, gaps, what was sent needlessly."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from incamail_lib.certificate.reading import UNREADABLE, is_issued_by, parse
from incamail_lib.facts.certificate import CertificateFacts, ChainFacts

MAX_LENGTH = 20  # nobody needs more; a longer one is cut before it costs anything


def link(chain: Sequence[CertificateFacts]) -> ChainFacts:
    """What a chain, leaf first as sent, lacks or carries too much.

    `missing_issuer` names the issuer of the last certificate on the path from the leaf when that
    certificate is not self-signed. It may be a root, which need not be sent: only a trust store
    can tell, so `judge_trust` says whether it is really missing.
    """
    certificates = list(chain[:MAX_LENGTH])
    if not certificates:
        return ChainFacts(length=0, in_order=False, root_sent=False)
    unique = list({c.sha256: c for c in certificates}.values())
    parsed = {c.sha256: _parsed(c) for c in unique}
    path = _path(unique, parsed)
    last = path[-1]
    in_path = {c.sha256 for c in path}
    return ChainFacts(
        length=len(chain),
        in_order=[c.sha256 for c in certificates[: len(path)]] == [c.sha256 for c in path],
        root_sent=len(path) > 1 and last.self_signed,
        duplicates=len(certificates) - len(unique),
        path=tuple(c.sha256 for c in path),
        unrelated=tuple(c.subject for c in unique if c.sha256 not in in_path),
        missing_issuer="" if last.self_signed else last.issuer,
        missing_issuer_urls=() if last.self_signed else last.ca_issuers_urls,
        leaf_self_signed=certificates[0].self_signed,
    )


def _parsed(certificate: CertificateFacts) -> x509.Certificate | None:
    try:
        return parse(certificate.der)
    except UNREADABLE:
        return None


def _path(
    unique: Sequence[CertificateFacts], parsed: dict[str, x509.Certificate | None]
) -> list[CertificateFacts]:
    """From the leaf upwards, each certificate signed by the next; never the same one twice."""
    path = [unique[0]]
    while not path[-1].self_signed:
        current = parsed[path[-1].sha256]
        above = [c for c in unique if c not in path and c.subject == path[-1].issuer]
        issuer = next((c for c in above if _signed(current, parsed[c.sha256])), None)
        if issuer is None:
            break
        path.append(issuer)
    return path


def _signed(certificate: x509.Certificate | None, issuer: x509.Certificate | None) -> bool:
    return certificate is not None and issuer is not None and is_issued_by(certificate, issuer)
