"""The annex of a report: gateways and certificates in full, and every connection word for word."""

from __future__ import annotations

from collections.abc import Iterable

from incamail_lib.facts.certificate import CertificateFacts, CredentialFacts, TrustFacts
from incamail_lib.facts.smtp import EndpointFacts, Exchange, SmtpFacts
from incamail_lib.i18n import Text, say, say_n
from incamail_lib.report.subjects import fingerprint, handshake, reached
from incamail_lib.report.telling import (
    LONG,
    Told,
    code,
    codes,
    listed,
    on,
    ours,
    pairs,
    present,
    words,
)
from incamail_lib.report.words import (
    USAGES,
    demanded,
    labelled,
    observed,
    reason_text,
    stage_text,
    told_trust,
    word,
)
from incamail_lib.sheets.model import (
    Block,
    Cell,
    Code,
    Fold,
    Heading,
    Inline,
    Paragraph,
    Phrase,
    Quiet,
    Table,
    Verbatim,
)

EXCHANGES = 80
"""As many of one connection."""


def details(told: Told) -> tuple[Block, ...]:
    """Gateways and certificates in full, with the answer of every trust store."""
    facts = told.audit.facts
    blocks: list[Block] = [b for c in facts.credentials for b in _credential(c)]
    for endpoint in (*facts.receiving, *facts.platform_endpoints):
        blocks += _endpoint(endpoint)
    return tuple(blocks) or (Paragraph(say("No certificate was seen.")),)


def _credential(credential: CredentialFacts) -> list[Block]:
    uses = ", ".join("{" + f"u{n}" + "}" for n in range(len(credential.uses)))
    told_uses = Text(
        template=uses, values={f"u{n}": word(use) for n, use in enumerate(credential.uses)}
    )
    meant = say(
        "Meant for: {uses}. Format: {format}.",
        uses=told_uses,
        format=words(credential.format or "–"),
    )
    lines: list[Inline] = [meant]
    if credential.has_key:
        answer = observed(credential.key_matches)
        lines.append(say("Private key belongs to the certificate: {answer}.", answer=answer))
    if not credential.readable.is_yes:
        lines.append(say("Readable: {answer}.", answer=observed(credential.readable)))
    blocks: list[Block] = [
        Heading(say("Certificate file {name}", name=words(credential.label))),
        Paragraph(Phrase(tuple(lines))),
    ]
    if credential.chain:
        blocks.append(_certificate(credential.chain[0]))
        blocks += _further(credential.chain, say("Further certificates in the file"))
        blocks += _stores(credential.trust)
    return blocks


def _endpoint(endpoint: EndpointFacts) -> list[Block]:
    blocks: list[Block] = [Heading(code(endpoint.target.label)), _answers(endpoint)]
    if endpoint.leaf is None:
        return [*blocks, Paragraph(say("This gateway showed no certificate."))]
    blocks.append(_certificate(endpoint.leaf))
    blocks += _further(endpoint.chain, say("Sent along"))
    return blocks + _stores(endpoint.trust)


def _further(chain: tuple[CertificateFacts, ...], what: Text) -> list[Block]:
    if len(chain) < 2:
        return []
    names = "; ".join(str(words(c.subject).values["words"]) for c in chain[1:])
    return [Paragraph(labelled(what, words(names, LONG)))]


def _answers(endpoint: EndpointFacts) -> Table:
    survey, auth, tls = endpoint.survey, endpoint.client_auth, handshake(endpoint)
    rows: list[tuple[Text, Cell]] = [
        (say("Reached"), (reached(endpoint),)),
        (say("Greeting"), (code(survey.greeting.text),) if survey.greeting else ()),
        (say("STARTTLS"), (word(endpoint.starttls),)),
    ]
    if tls and tls.established:
        agreed = (tls.version or "–", tls.cipher or "–", tls.group or "–")
        version, cipher, group = (words(value) for value in agreed)
        text = say(
            "{version}, {cipher}, key exchange {group}", version=version, cipher=cipher, group=group
        )
        rows.append((say("TLS"), (text,)))
    if tls and tls.post_quantum is not None:
        rows.append((say("Post-quantum key exchange"), (present(tls.post_quantum),)))
    rows += [
        (say("Asks for a client certificate"), (observed(auth.requested),)),
        (say("Demands a client certificate"), (demanded(endpoint),)),
        (say("Accepts the organisation's certificate"), (observed(auth.own_accepted),)),
        (
            say("Accepts a certificate of an unknown authority"),
            (observed(auth.foreign_accepted),),
        ),
        (say("Verifies the client certificate"), (observed(auth.verified),)),
        (say("TLS 1.0 or 1.1"), (observed(endpoint.legacy),)),
        (say("Obeys commands smuggled in before TLS"), (observed(endpoint.injection),)),
    ]
    match = endpoint.name_match
    if match:
        host = words(match.host)
        fits = say("valid for {host}", host=host)
        text = fits if match.matched else say("not valid for {host}", host=host)
        rows.append((say("Name in the certificate"), (text,)))
    return pairs(None, *rows)


def _certificate(c: CertificateFacts) -> Table:
    key = f"{c.key_type} {c.curve}".strip()
    size = say("{type}, {bits} bits", type=words(key), bits=words(c.key_bits))
    valid = say("{start} – {end}", start=c.not_before or "–", end=c.not_after or "–")
    rows: list[tuple[Text, Cell]] = []
    if c.problem:
        rows.append((say("Could not be read"), (words(c.problem),)))
    if c.unreadable:
        rows.append((say("Could not be read"), listed(c.unreadable)))
    rows += [
        (say("Subject"), (code(c.subject),)),
        (say("Organisation"), codes(c.subject_o)),
        (say("Names"), codes((*c.san_dns, *c.san_ip))),
        (say("Issuer"), (code(c.issuer),)),
        (say("Valid"), (valid,)),
        (say("Key"), (size,) if c.key_type else ()),
        (say("Signature algorithm"), (code(c.signature_algorithm),)),
        (say("Usages"), _usages(c)),
        (say("Serial number"), (code(c.serial),)),
        (say("SHA-1"), (code(fingerprint(c.sha1)),)),
        (say("SHA-256"), (code(fingerprint(c.sha256)),)),
        (say("SHA-256 of the public key"), (code(fingerprint(c.spki_sha256)),)),
    ]
    return pairs(None, *rows)


def _usages(c: CertificateFacts) -> Cell:
    if "ext_key_usage" in c.unreadable:
        return (say("could not be read"),)
    if c.ext_key_usage is None:
        return (say("any: the certificate does not limit them"),)
    return tuple(_usage(usage) for usage in c.ext_key_usage[:12])


def _usage(usage: str) -> Text:
    return ours(USAGES[usage]) if usage in USAGES else words(usage)


def _stores(trust: tuple[TrustFacts, ...]) -> list[Block]:
    if not trust:
        return []
    rows = tuple(
        (
            (words(t.store),),
            on(t.store_date),
            (_usage(t.purpose),),
            (told_trust(t),),
            (words(" → ".join(t.path), LONG),)
            if t.path
            else (words(t.detail),)
            if t.detail
            else (),
        )
        for t in trust
    )
    headings = (
        *(say("Trust store"), say("As of"), say("Purpose")),
        *(say("Result"), say("Path or detail")),
    )
    table = Table(headings, rows, (19, 14, 14, 17, 36), say("Trust, store by store"))
    return [table, Paragraph(say("Whether a certificate was revoked was not checked."), "note")]


def _path(trust: TrustFacts) -> Cell:
    if trust.path:
        return (words(" → ".join(trust.path), LONG),)
    return (words(trust.detail),) if trust.detail else ()


def evidence(told: Told) -> tuple[Block, ...]:
    """Every connection with its transcript."""
    facts = told.audit.facts
    lead = say(
        "What was said on every connection, with the time in seconds since its start: > was sent, "
        "< was received. Long or unprintable text is shortened or written as code points."
    )
    blocks: list[Block] = [Paragraph(lead)]
    for endpoint in (*facts.receiving, *facts.platform_endpoints):
        blocks.append(Heading(code(endpoint.target.label)))
        blocks += [_connection(c) for c in endpoint.connections]
    if len(blocks) == 1:
        blocks.append(Paragraph(say("No connection was made.")))
    return tuple(blocks)


def _connection(c: SmtpFacts) -> Fold:
    ended = say(
        "ended at stage {stage}: {reason}",
        stage=stage_text(c.ended_in),
        reason=reason_text(c.ended),
    )
    state = say("complete") if c.ended.value == "seen" else ended
    title = say("{name} – {detail}", name=word(c.purpose), detail=state)
    took = say(
        "{seconds} s, {sent}, {received}.",
        seconds=round(c.elapsed_s, 3),
        sent=say_n("{n} byte sent", "{n} bytes sent", c.bytes_sent),
        received=say_n("{n} byte received", "{n} bytes received", c.bytes_received),
    )
    lines: list[Inline] = [c.started_at, took]
    if c.evidence:
        lines.append(code(c.evidence))
    blocks: list[Block] = [Paragraph(Phrase(tuple(lines))), *_spoken(c)]
    spoken = tuple(line for exchange in c.transcript[:EXCHANGES] for line in _lines(exchange))
    return Fold(title, (*blocks, *((Verbatim(spoken),) if spoken else ())))


def _spoken(c: SmtpFacts) -> tuple[Block, ...]:
    """What TLS itself said."""
    tls = c.tls
    if tls is None:
        return ()
    lines: list[Inline] = []
    if tls.alert:
        lines.append(
            say(
                "TLS alert {number} ({name}) at stage {stage}.",
                number=tls.alert.number,
                name=words(tls.alert.name),
                stage=stage_text(tls.alert.stage),
            )
        )
    if tls.acceptable_cas:
        names = words("; ".join(str(ca)[:200] for ca in tls.acceptable_cas[:20]), LONG)
        lines.append(say("Accepted authorities, as the server names them: {names}.", names=names))
    if tls.error:
        lines.append(code(tls.error))
    return (Paragraph(Phrase(tuple(lines))),) if lines else ()


def _lines(exchange: Exchange) -> Iterable[Inline]:
    moment = f"{exchange.at_s:7.3f}"
    stage = stage_text(exchange.stage)
    if exchange.sent:
        yield Phrase((Code(f"{moment} >"), code(exchange.sent), Quiet(stage)))
    for number, line in enumerate(exchange.received[:LONG].splitlines()):
        first = Code(f"{moment} <") if not number else Code("        <")
        yield Phrase((first, code(line)))
    if len(exchange.received) > LONG:
        yield words(f"… [+{len(exchange.received) - LONG}]")
