"""The client's certificates of both directions, as read or seen by an audit."""

from __future__ import annotations

import datetime as dt

from incamail_lib.dossier.progress import Answer
from incamail_lib.facts.certificate import CertificateFacts, CredentialUse
from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.i18n import say
from incamail_lib.report.papers.model import (
    Block,
    Cell,
    Code,
    Dated,
    Gap,
    Inline,
    Listing,
    Missing,
    Paragraph,
    Section,
)
from incamail_lib.report.papers.parts import Basis, codes, or_missing, pairs, words

RENEW_BEFORE = dt.timedelta(days=30)
USES = (CredentialUse.RECEIVING, CredentialUse.SENDING)


def certificate_sections(basis: Basis) -> tuple[Section, ...]:
    """One section for each direction."""
    titles = {
        CredentialUse.RECEIVING: say("Certificate for receiving (server certificate)"),
        CredentialUse.SENDING: say("Certificate for sending (client certificate)"),
    }
    return tuple(Section(titles[use], _certificates(basis, use)) for use in USES)


def _certificates(basis: Basis, use: CredentialUse) -> tuple[Block, ...]:
    found = leaves(basis, use)
    if not found:
        return (Gap(say("certificate, by an audit with the certificate's file")),)
    return tuple(block for seen, leaf in found for block in _one(basis, use, seen, leaf))


def leaves(basis: Basis, use: CredentialUse) -> tuple[tuple[str, CertificateFacts], ...]:
    """Every distinct certificate of one direction, with where it was found."""
    if basis.audit is None:
        return ()
    facts = basis.audit.facts
    sources = [(c.label, c.chain[0]) for c in facts.credentials if c.chain and use in c.uses]
    if use is CredentialUse.RECEIVING:
        sources += [(e.target.label, e.leaf) for e in facts.receiving if e.leaf]
    found: dict[str, tuple[list[str], CertificateFacts]] = {}
    for label, leaf in sources:
        found.setdefault(leaf.sha256, ([], leaf))[0].append(label)
    return tuple((", ".join(dict.fromkeys(labels)), leaf) for labels, leaf in found.values())


def _one(basis: Basis, use: CredentialUse, seen: str, leaf: CertificateFacts) -> tuple[Block, ...]:
    if leaf.problem:
        return (
            Paragraph(say("{where}: the certificate could not be read.", where=seen), "warning"),
        )
    return identity(seen, leaf), *_renewal(basis, use, leaf)


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
        return (Missing(say("the usage, which cannot be read")),)
    if leaf.ext_key_usage is None:
        return (say("not restricted"),)
    return codes(leaf.ext_key_usage)


def _moment(moment: dt.datetime | None) -> Cell:
    return or_missing((moment,) if moment else (), say("date"))


def _renewal(basis: Basis, use: CredentialUse, leaf: CertificateFacts) -> tuple[Block, ...]:
    if leaf.not_after is None:
        return (Gap(say("renewal plan: the certificate shows no end of validity")),)
    end = leaf.not_after.date()
    renew = end - RENEW_BEFORE
    points: list[Inline] = []
    if end < basis.today:
        points.append(Dated(say("The certificate ended on {day}: replace it now."), end))
    elif renew <= basis.today:
        points.append(Dated(say("Renewal is due now: the certificate ends on {day}."), end))
    else:
        points.append(Dated(say("Renew at the latest on {day}, 30 days before the end."), renew))
    points += _policy(use, leaf, max(renew, basis.today))
    points.append(
        say(
            "Tell Swiss Post the new fingerprint before the new certificate is used, unless it has "
            "confirmed that it recognises the names alone."
        )
    )
    owner = basis.answer("6.7")
    watched = [say("Monitoring (6.7): {answer}", answer=line) for line in _lines(owner)]
    points.extend(watched or [Missing(say("who watches the end of validity (question 6.7)"))])
    return Paragraph(say("Renewal plan"), "quote-title"), Listing(tuple(points))


def _lines(answer: Answer | None) -> tuple[str, ...]:
    return tuple(line for line in answer.answer.splitlines() if line.strip()) if answer else ()


def _policy(use: CredentialUse, leaf: CertificateFacts, renewal: dt.date) -> tuple[Inline, ...]:
    """What public authorities allow by then; a private authority is bound by neither."""
    policy = ca_policy()
    points: list[Inline] = []
    days = policy.longest_life(renewal)
    if days is not None:
        points.append(
            say(
                "A certificate that a public authority issues then lives {days} days at most.",
                days=days,
            )
        )
    if use is CredentialUse.SENDING:
        end = policy.end_of_client_auth(leaf.issuer_o)
        points.append(
            Dated(
                say(
                    "Public authorities end the usage clientAuth ({authority}: on {day}). Agree "
                    "with Swiss Post on an authority for the client certificate that follows.",
                    authority=end.authority,
                ),
                end.ends_on,
            )
        )
        if not leaf.allows("clientAuth"):
            points.append(
                say("This certificate cannot be used as a client: it lacks the usage clientAuth.")
            )
    return tuple(points)
