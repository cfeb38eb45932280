"""Named trust stores, and what each says about a chain. Trust is always told per store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from OpenSSL import crypto

from incamail_lib.certificate.chain import MAX_LENGTH, link
from incamail_lib.certificate.path import (
    NO_ISSUER,
    OPEN_STORE,
    REASONS,
    REJECTED,
    REJECTED_WORDS,
    SIGNATURE,
    Built,
    build,
    to_der,
)
from incamail_lib.certificate.purpose import hindering, reservations
from incamail_lib.certificate.reading import UNREADABLE, is_issued_by, parse, read_certificate
from incamail_lib.certificate.stores import TrustStore, for_openssl
from incamail_lib.facts.certificate import CertificateFacts, TrustFacts, TrustReason
from incamail_lib.facts.observation import Reason, inconclusive, no, yes
from incamail_lib.facts.strength import security_level, unusual
from incamail_lib.printable import printable


def judge_trust(
    chain: Sequence[CertificateFacts], store: TrustStore, *, purpose: str, now: dt.datetime
) -> TrustFacts:
    """What `store` says about `chain` (leaf first, as sent) for serverAuth or clientAuth at `now`.

    OpenSSL builds the path and judges it for the purpose; what it takes is judged again for what
    TLS needs on top. Neither order nor further certificates of `chain` matter.
    """
    asked = _Question(tuple(chain), store, purpose, now.astimezone(dt.UTC))
    if store.problem:
        return asked.answer(TrustReason.STORE_UNREADABLE, store.problem)
    parsed = [_parsed(c) for c in chain[:MAX_LENGTH]]
    if not parsed or parsed[0] is None or chain[0].problem:
        problem = chain[0].problem or chain[0].name if chain else "no certificate"
        return asked.answer(TrustReason.MALFORMED, problem, culprit=chain[0] if chain else None)
    others = [c for c in parsed[1:] if c is not None]
    built = build(parsed[0], others, store.anchors, purpose=purpose, now=asked.now)
    if built.path and not built.code and (built.path[-1], purpose) in store.rejected:
        built = replace(built, code=REJECTED, words=REJECTED_WORDS, culprit=built.path[-1])
    path = tuple(read_certificate(der) for der in built.path)
    return asked.refused(built, path) if built.code else asked.verified(path)


@dataclass(frozen=True)
class _Question:
    """One chain, one store, one purpose, one moment."""

    chain: tuple[CertificateFacts, ...]
    store: TrustStore
    purpose: str
    now: dt.datetime

    def answer(
        self,
        reason: TrustReason,
        detail: str = "",
        *,
        culprit: CertificateFacts | None = None,
        path: Sequence[CertificateFacts] = (),
        level: int | None = None,
    ) -> TrustFacts:
        """The facts; without a path to an anchor, the chain as far as it leads."""
        observed = no(Reason.SEEN)
        if reason is TrustReason.TRUSTED:
            observed = yes()
        if reason is TrustReason.STORE_UNREADABLE:
            observed = inconclusive(Reason.NOT_TRIED, detail)
        return TrustFacts(
            store=self.store.name,
            store_date=self.store.date,
            store_size=self.store.size,
            purpose=self.purpose,
            trusted=observed,
            reason=reason,
            detail=printable(detail or (culprit.problem or culprit.name if culprit else "")),
            path=tuple(c.name for c in path),
            members=tuple(path) or self._sent_path(),
            complete=bool(path),
            culprit=culprit,
            security_level=level,
            reserved=reservations(path, self.purpose) if level else (),
        )

    def _sent_path(self) -> tuple[CertificateFacts, ...]:
        known = {c.sha256: c for c in self.chain}
        return tuple(known[sha256] for sha256 in link(self.chain).path)

    def refused(self, built: Built, path: Sequence[CertificateFacts]) -> TrustFacts:
        """OpenSSL's error as a reason and the certificate at fault."""
        culprit = read_certificate(built.culprit) if built.culprit else None
        if built.code == OPEN_STORE and culprit is not None:
            return self.answer(TrustReason.UNKNOWN_ROOT, culprit.issuer)
        if built.code in NO_ISSUER:
            return self._unlinked(built.words) or self._no_anchor()
        if built.code in SIGNATURE and culprit is not None:
            return self._unsigned(culprit, path)
        reason = REASONS.get(built.code, TrustReason.REFUSED)
        detail = ""
        if reason is TrustReason.REFUSED:
            detail = f"{culprit.name}: {built.words}" if culprit else built.words
        return self.answer(reason, detail, culprit=culprit, path=path)

    def _unlinked(self, words: str) -> TrustFacts | None:
        """The root is in the store, and still OpenSSL does not lead the chain up to it.

        Key identifiers that contradict each other keep it from taking an issuer, and so does an
        extension that it cannot read, such as a key usage without any (RFC 5280 §4.2.1.3).
        """
        sent = self._sent_path()
        root = next((a for a in self._anchors(sent[-1]) if a.self_signed), None)
        if root is None:
            return None
        path = (*sent, *([root] if root.sha256 != sent[-1].sha256 else []))
        for below, above in pairwise(path):
            named, key = below.authority_key_id, above.subject_key_id
            if named and key and named != key:
                return self.answer(TrustReason.ISSUER_KEY_DIFFERS, culprit=above, path=path)
        empty = next((c for c in path if c.key_usage == ()), None)
        if empty is not None:
            return self.answer(TrustReason.MALFORMED, culprit=empty, path=path)
        detail = f"{sent[0].name}: {words}"
        return self.answer(TrustReason.REFUSED, detail, culprit=sent[0], path=path)

    def _anchors(self, certificate: CertificateFacts) -> list[CertificateFacts]:
        """The anchors that are this certificate or have issued it."""
        names = (certificate.subject, certificate.issuer)
        told = (read_certificate(to_der(a)) for a in self.store.anchors)
        known = [a for a in told if a.subject in names and not a.problem]
        this = parse(certificate.der)
        return [
            a for a in known if a.sha256 == certificate.sha256 or is_issued_by(this, parse(a.der))
        ]

    def _no_anchor(self) -> TrustFacts:
        """Tell a missing intermediate, one with another key and an unknown root apart.

        When the path stops at the leaf although the leaf says where its issuer can be fetched
        (AIA caIssuers), an intermediate is missing. When it stops at a CA certificate, what lacks
        is the root, which servers need not send.
        """
        facts, sent = link(self.chain), self._sent_path()
        top, leaf = sent[-1], self.chain[0]
        if facts.leaf_self_signed:
            return self.answer(TrustReason.SELF_SIGNED, culprit=leaf)
        namesake = self._namesake(top, sent)
        if namesake is not None:
            return self.answer(TrustReason.ISSUER_KEY_DIFFERS, culprit=namesake)
        if top.sha256 == leaf.sha256 and facts.missing_issuer_urls:
            return self.answer(TrustReason.MISSING_INTERMEDIATE, facts.missing_issuer)
        return self.answer(TrustReason.UNKNOWN_ROOT, facts.missing_issuer or top.name)

    def _namesake(
        self, last: CertificateFacts, path: Sequence[CertificateFacts]
    ) -> CertificateFacts | None:
        """A certificate of the chain with the name of the issuer that `last` lacks."""
        wanted = () if last.self_signed else (last.issuer,)
        others = (c for c in self.chain[1:] if c not in path)
        return next((c for c in others if c.subject in wanted and not c.problem), None)

    def _unsigned(self, culprit: CertificateFacts, path: Sequence[CertificateFacts]) -> TrustFacts:
        """A signature does not verify: forged or damaged, or the issuer has another key now.

        Where both certificates name the same key, it is the signature; else it is the key.
        """
        issuers = [*self.chain, *(read_certificate(to_der(a)) for a in self.store.anchors)]
        issuers = [c for c in issuers if c.subject == culprit.issuer and c != culprit]
        named = culprit.authority_key_id
        if not issuers or any(named and c.subject_key_id == named for c in issuers):
            return self.answer(TrustReason.BAD_SIGNATURE, culprit=culprit, path=path)
        return self.answer(TrustReason.ISSUER_KEY_DIFFERS, culprit=issuers[0], path=path)

    def verified(self, path: tuple[CertificateFacts, ...]) -> TrustFacts:
        """OpenSSL takes the path: do TLS peers take it as well, and which of them do not?"""
        for reason, culprit in self._objections(path):
            if culprit is not None:
                return self.answer(reason, culprit=culprit, path=path)
        level, _ = security_level(path)
        return self.answer(TrustReason.TRUSTED, path=path, level=level)

    def _objections(
        self, path: Sequence[CertificateFacts]
    ) -> Iterator[tuple[TrustReason, CertificateFacts | None]]:
        yield TrustReason.MALFORMED, next((c for c in path if c.problem), None)
        yield TrustReason.NOT_YET_VALID, next((c for c in path if _starts_after(c, self.now)), None)
        yield TrustReason.EXPIRED, next((c for c in path if _ended_by(c, self.now)), None)
        yield TrustReason.WRONG_PURPOSE, hindering(path, self.purpose)
        yield TrustReason.UNUSUAL, unusual(path)
        level, weakest = security_level(path)
        yield TrustReason.WEAK, None if level else weakest


def _starts_after(certificate: CertificateFacts, now: dt.datetime) -> bool:
    return certificate.not_before is None or now < certificate.not_before


def _ended_by(certificate: CertificateFacts, now: dt.datetime) -> bool:
    """OpenSSL counts the second of notAfter as over (X509_cmp_time)."""
    return certificate.not_after is None or now >= certificate.not_after


def _parsed(certificate: CertificateFacts) -> crypto.X509 | None:
    """For OpenSSL, which reads some that we do not; what it cannot read either is left out."""
    try:
        return for_openssl(parse(certificate.der))
    except UNREADABLE:
        return None
