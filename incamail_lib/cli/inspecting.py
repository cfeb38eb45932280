"""inspect: what a certificate file holds, and what the audit would say about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.audit.inspecting import Inspection, inspected
from incamail_lib.audit.trusting import store_named
from incamail_lib.certificate import load_credential
from incamail_lib.checks.words import trust_text
from incamail_lib.cli._console import COLOURS, Styled, clear_errors, out, print_json, table
from incamail_lib.cli._options import At, Json, Lang, moment_of
from incamail_lib.cli._passphrases import passphrase_of
from incamail_lib.errors import MaterialError, reason, reason_in
from incamail_lib.facts.certificate import CertificateFacts, CredentialUse
from incamail_lib.files import read_regular
from incamail_lib.findings import Outcome, Verdict
from incamail_lib.i18n import N_, Translator, say
from incamail_lib.printable import printable
from incamail_lib.report.words import word

DEFAULT_STORES = ("certifi", "system")
_ANSWERS = {
    Verdict.READY: N_("yes"),
    Verdict.NOT_READY: N_("no"),
    Verdict.INCONCLUSIVE: N_("not known"),
}
_CONCLUSIONS = {
    Verdict.READY: N_("Nothing required speaks against this file."),
    Verdict.NOT_READY: N_("Something required fails."),
    Verdict.INCONCLUSIVE: N_("Something required could not be judged."),
}


def inspect(
    file: Annotated[Path, typer.Argument(help="PEM, DER, PKCS#7 or PKCS#12 file.")],
    key: Annotated[
        Path | None, typer.Option("--key", help="Its key, in a file of its own.")
    ] = None,
    passphrase_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the key's passphrase.")
    ] = None,
    use: Annotated[
        CredentialUse | None,
        typer.Option("--for", help="Direction; default: what its extended key usage names."),
    ] = None,
    trust_store: Annotated[
        list[str] | None,
        typer.Option(
            help="Roots that must lead to it: certifi, system, a file or a folder; repeatable. "
            "Default: certifi and system, for information only."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Host name that it must carry, for receiving.")] = "",
    at: At = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Say what a certificate file holds, and whether it serves as server and as client.

    Exit code 1: something fails; 3: something could not be judged; 2: no such file.
    """
    with clear_errors(lang) as t:
        passphrase = passphrase_of(file, key, passphrase_env, t)
        for given in (file, key):
            _must_be_there(given)
        now = moment_of(at)
        told, _ = load_credential(
            file,
            key_path=key,
            passphrase=passphrase,
            uses=tuple(CredentialUse),
        )
        found = inspected(
            told,
            uses=(use,) if use else (),
            stores=[store_named(name) for name in trust_store or DEFAULT_STORES],
            stores_decide=bool(trust_store),
            host=host,
            now=now,
        )
    if as_json:
        print_json(found)
    else:
        _tell(found, t)
    raise typer.Exit(found.verdict.exit_code)


def _must_be_there(path: Path | None) -> None:
    if path is None:
        return
    try:
        read_regular(path, 1)
    except OSError as error:
        raise MaterialError(
            say(
                "The file {file} cannot be read ({cause}). Check the path and its permissions.",
                file=printable(str(path)),
                cause=reason(error),
            )
        ) from None


def _tell(found: Inspection, t: Translator) -> None:
    heads = [t("What"), t("Seen")]
    table(heads, [*_file_rows(found, t), *_trust_rows(found, t)], found.label)
    for number, certificate in enumerate(found.chain, 1):
        title = t("Certificate {n}").format(n=number)
        table(heads, list(_certificate_rows(certificate, t)), title)
    _tell_findings(found, t)
    out().print(Styled(t(_CONCLUSIONS[found.verdict]), f"bold {COLOURS[found.verdict]}"))


def _file_rows(found: Inspection, t: Translator) -> list[tuple[str, str]]:
    if not found.readable.is_yes:
        return [(t("Readable"), t.text(reason_in(found.readable.evidence)))]
    names = {
        CredentialUse.RECEIVING: t("Usable as server"),
        CredentialUse.SENDING: t("Usable as client"),
    }
    rows = [
        (t("Format"), found.format),
        (t("Key present"), t("yes") if found.has_key else t("no")),
        (t("Key belongs to the certificate"), _key_match(found, t)),
        *((names[use], t(_ANSWERS[found.usable[use]])) for use in names),
    ]
    if found.name_match:
        matched = t("yes") if found.name_match.matched else t("no")
        rows.append((t("Valid for {host}").format(host=found.name_match.host), matched))
    public = next((s.public for s in found.trust), None)
    known = t("not known") if public is None else t("yes") if public else t("no")
    return [*rows, (t("Public authority"), known)]


def _key_match(found: Inspection, t: Translator) -> str:
    answer = t.text(word(found.key_matches.answer))
    cause = t(found.key_matches.evidence)
    return f"{answer} ({cause})" if cause else answer


def _trust_rows(found: Inspection, t: Translator) -> list[tuple[str, str]]:
    sides = {
        purpose: side
        for purpose, use, side in (
            ("serverAuth", CredentialUse.RECEIVING, t("as server")),
            ("clientAuth", CredentialUse.SENDING, t("as client")),
        )
        if use in found.uses
    }
    rows = []
    for told in (s for s in found.trust if s.purpose in sides):
        store = t.text(say("Trust store {store}", store=told.store))
        dated = f", {t.day(told.store_date)}" if told.store_date else ""
        seen = t.text(trust_text(told.reason))
        detail = f" ({told.detail})" if told.detail else ""
        rows.append((f"{store}{dated}, {sides[told.purpose]}", f"{seen}{detail}"))
    return rows


def _certificate_rows(certificate: CertificateFacts, t: Translator) -> Iterator[tuple[str, str]]:
    if certificate.problem:
        yield t("Readable"), certificate.problem
        return
    yield t("Subject"), certificate.subject
    yield t("Issuer"), certificate.issuer
    start, end = t.day(certificate.not_before), t.day(certificate.not_after)
    yield t("Valid"), t.text(say("{start} – {end}", start=start, end=end))
    yield t("Names"), ", ".join((*certificate.san_dns, *certificate.san_ip))
    yield t("Usage"), _listed(certificate.ext_key_usage, "ext_key_usage", certificate, t)
    yield t("Key usage"), _listed(certificate.key_usage, "key_usage", certificate, t)
    yield t("Self-signed"), t("yes") if certificate.self_signed else t("no")
    yield t("Key"), f"{certificate.key_type} {certificate.key_bits} {certificate.curve}".strip()
    if certificate.unreadable:
        yield t("Could not be read"), ", ".join(certificate.unreadable)
    yield "SHA-1", certificate.sha1
    yield "SHA-256", certificate.sha256
    yield "SPKI SHA-256", certificate.spki_sha256


def _listed(
    values: tuple[str, ...] | None, part: str, certificate: CertificateFacts, t: Translator
) -> str:
    if part in certificate.unreadable:
        return t("could not be read")
    return t("not restricted") if values is None else ", ".join(values)


def _tell_findings(found: Inspection, t: Translator) -> None:
    shown = [f for o in (Outcome.FAILED, Outcome.UNKNOWN) for f in found.findings if f.outcome is o]
    rows = [
        (f.code, t.text(word(f.outcome)), t.text(word(f.level)), t.text(f.seen), t.text(f.remedy))
        for f in shown
        if not f.blocked_by
    ]
    if rows:
        table([t("Code"), t("Outcome"), t("Level"), t("Seen"), t("What to do")], rows)
