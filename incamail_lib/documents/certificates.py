"""The client's certificates of both directions, as read or seen by an audit."""

from __future__ import annotations

import datetime as dt

from incamail_lib.checks.validity import Presented, earliest_renewal, held_by, shown_by
from incamail_lib.checks.words import hindrance_text
from incamail_lib.documents.filling import AUDIT, gap_at, to_fill
from incamail_lib.documents.parts import Basis, codes, or_missing, pairs, words
from incamail_lib.facts.certificate import CertificateFacts, CredentialUse, Hindrance
from incamail_lib.findings import Audit
from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.i18n import say, say_n
from incamail_lib.sheets.model import (
    Block,
    Cell,
    Code,
    Inline,
    Listing,
    Paragraph,
    Section,
)

USES = (CredentialUse.RECEIVING, CredentialUse.SENDING)
_PURPOSES = {CredentialUse.RECEIVING: "serverAuth", CredentialUse.SENDING: "clientAuth"}


def certificate_sections(basis: Basis) -> tuple[Section, ...]:
    """One section for each direction."""
    titles = {
        CredentialUse.RECEIVING: say("Certificate for receiving (server certificate)"),
        CredentialUse.SENDING: say("Certificate for sending (client certificate)"),
    }
    return tuple(Section(titles[use], _certificates(basis, use)) for use in USES)


def _certificates(basis: Basis, use: CredentialUse) -> tuple[Block, ...]:
    found = presented(basis, use)
    if not found:
        missing = say("certificate, by an audit with the certificate's file")
        return (gap_at(missing, ("certificates", use.value, "file")),)
    return tuple(block for seen, shown in found for block in _one(basis, use, seen, shown))


def leaves(basis: Basis, use: CredentialUse) -> tuple[tuple[str, CertificateFacts], ...]:
    """Every distinct certificate of one direction, with where it was found."""
    return tuple((label, shown.leaf) for label, shown in presented(basis, use))


def presented(basis: Basis, use: CredentialUse) -> tuple[tuple[str, Presented], ...]:
    """Every distinct certificate of one direction with its chain, and where it was found."""
    if basis.audit is None:
        return ()
    facts, purpose = basis.audit.facts, _PURPOSES[use]
    files = [c for c in facts.credentials if c.chain and use in c.uses]
    sources = [(c.label, held_by(c, purpose)) for c in files]
    if use is CredentialUse.RECEIVING:
        sources += [(e.target.label, shown_by(e)) for e in facts.receiving if e.leaf]
    found: dict[str, tuple[list[str], Presented]] = {}
    for label, shown in sources:
        found.setdefault(shown.leaf.sha256, ([], shown))[0].append(label)
    return tuple((", ".join(dict.fromkeys(labels)), shown) for labels, shown in found.values())


def _one(basis: Basis, use: CredentialUse, seen: str, shown: Presented) -> tuple[Block, ...]:
    if shown.leaf.problem:
        return (
            Paragraph(say("{where}: the certificate could not be read.", where=seen), "warning"),
        )
    return identity(seen, shown.leaf), *_renewal(basis, use, shown)


def identity(seen: str, leaf: CertificateFacts) -> Block:
    """What identifies one certificate: names, issuer, fingerprints, validity."""
    no_cn = say("none; ask Swiss Post whether the alternative names do")
    return pairs(
        (say("Found in"), (words(seen),)),
        (say("Subject"), codes([leaf.subject] if leaf.subject else [])),
        (say("Common name (CN)"), codes(leaf.subject_cn) or (no_cn,)),
        (say("Alternative names (SAN)"), codes((*leaf.san_dns, *leaf.san_ip, *leaf.san_email))),
        (say("Issuer"), codes([leaf.issuer])),
        (say("Serial number"), codes([leaf.serial] if leaf.serial else [])),
        (say("SHA-1 fingerprint"), (Code(colons(leaf.sha1)),)),
        (say("SHA-256 fingerprint"), (Code(colons(leaf.sha256)),)),
        (say("SHA-256 of the public key"), codes([leaf.spki_sha256] if leaf.spki_sha256 else [])),
        (say("Usage"), _usage(leaf)),
        (say("Valid from"), _moment(leaf.not_before)),
        (say("Valid until"), _moment(leaf.not_after)),
    )


def colons(digest: str) -> str:
    """A digest as certificates are compared by eye, e.g. "AA:BB"."""
    upper = digest.upper()
    return ":".join(upper[at : at + 2] for at in range(0, len(upper), 2))


def _usage(leaf: CertificateFacts) -> Cell:
    if "ext_key_usage" in leaf.unreadable:
        return (to_fill(say("the usage, which cannot be read"), AUDIT),)
    if leaf.ext_key_usage is None:
        return (say("not restricted"),)
    return codes(leaf.ext_key_usage)


def _moment(moment: dt.datetime | None) -> Cell:
    return or_missing((moment,) if moment else (), say("date"), *AUDIT)


def _renewal(basis: Basis, use: CredentialUse, shown: Presented) -> tuple[Block, ...]:
    leaf, now = shown.leaf, _moment_of(basis)
    renewal = earliest_renewal(shown, now)
    if renewal is None:
        return (gap_at(say("renewal plan: the certificate shows no end of validity"), AUDIT),)
    start, end, first = renewal
    points: list[Inline] = []
    if first != leaf:  # facts that were read from a file hold a copy of it in the path
        points.append(
            say("{name} on its path ends before the certificate itself.", name=first.name)
        )
    if end < now:
        points.append(say("The certificate ended on {day}: replace it now.", day=end))
    elif start <= now:
        points.append(say("Renewal is due now: the certificate ends on {day}.", day=end))
    else:
        points.append(
            say_n(
                "Renew at the latest on {day}, {n} day before the end.",
                "Renew at the latest on {day}, {n} days before the end.",
                (end - start).days,
                day=start,
            )
        )
    renew = start.date()
    points += _policy(use, leaf, max(renew, basis.today))
    points.append(
        say(
            "Tell Swiss Post the new fingerprint before the new certificate is used, unless it has "
            "confirmed that it recognises the names alone."
        )
    )
    points.append(_watched(basis))
    return Paragraph(say("Renewal plan"), "quote-title"), Listing(tuple(points))


def _moment_of(basis: Basis) -> dt.datetime:
    """The moment of the verdict on its own day, later the beginning of the day."""
    audit, midnight = basis.audit, dt.datetime.combine(basis.today, dt.time(), dt.UTC)
    return max(midnight, audit.judged_at) if _same_day(audit, basis.today) and audit else midnight


def _same_day(audit: Audit | None, today: dt.date) -> bool:
    return audit is not None and audit.judged_at.date() == today


def _watched(basis: Basis) -> Inline:
    """Who watches the end of validity."""
    said, answer = basis.dossier.monitoring.certificates, basis.answer("6.7")
    words = " ".join((said or (answer.answer if answer else "")).split())
    if words:
        return say("Monitoring (6.7): {answer}", answer=words)
    return to_fill(say("who watches the end of validity"), ("monitoring", "certificates"))


def _policy(use: CredentialUse, leaf: CertificateFacts, renewal: dt.date) -> tuple[Inline, ...]:
    """What public authorities allow by then; a private authority is bound by neither."""
    policy = ca_policy()
    points: list[Inline] = []
    days = policy.longest_life(renewal)
    if days is not None:
        points.append(
            say_n(
                "A certificate that a public authority issues then lives {n} day at most.",
                "A certificate that a public authority issues then lives {n} days at most.",
                days,
            )
        )
    if use is CredentialUse.SENDING:
        points.append(_end_of_client_auth(leaf))
        points += _hindrance(leaf)
    return tuple(points)


def _hindrance(leaf: CertificateFacts) -> tuple[Inline, ...]:
    found = leaf.hindrance("clientAuth")
    if found is None:
        return ()
    if found is Hindrance.EXTENDED_KEY_USAGE:
        return (say("This certificate cannot be used as a client: it lacks the usage clientAuth."),)
    cause = hindrance_text(leaf, found, "clientAuth")
    return (say("This certificate cannot be used as a client. {cause}", cause=cause),)


def _end_of_client_auth(leaf: CertificateFacts) -> Inline:
    policy = ca_policy()
    end = policy.end_of_client_auth(leaf.issuer_o)
    if end.known:
        return say(
            "Public authorities end the usage clientAuth ({authority}: {day}). Agree "
            "with Swiss Post on an authority for the client certificate that follows.",
            authority=end.authority,
            day=end.told_date,
        )
    return say(
        "When {issuer} stops issuing the usage clientAuth is not known; public authorities do so "
        "on {day} at the latest ({rule}). Agree with Swiss Post on an authority for the client "
        "certificate that follows.",
        issuer=", ".join(leaf.issuer_o) or leaf.issuer or "–",
        rule=policy.root_programme.authority,
        day=end.told_date,
    )
