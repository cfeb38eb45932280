"""linktest: hand one test message to the organisation's own mail server, on consent."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from incamail_lib.audit.case import bind
from incamail_lib.cli._console import Styled, chosen, clear_errors, out, print_json, table
from incamail_lib.cli._names import host_and_port
from incamail_lib.cli._options import Json, Lang
from incamail_lib.dossier import open_store
from incamail_lib.dossier.agreed import Attempt, MessageKind
from incamail_lib.dossier.model import Submission
from incamail_lib.dossier.words import term
from incamail_lib.errors import UsageError
from incamail_lib.facts.delivery import DeliveryOutcome
from incamail_lib.guide import load_platform
from incamail_lib.i18n import Text, Translator, say
from incamail_lib.report.words import word
from incamail_lib.runbook.attempts import Offer, Shown
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.html_linking import HtmlTests
from incamail_lib.runbook.linking import LinkTests


def linktest(
    dossier: Annotated[Path, typer.Argument(help="The organisation's dossier.")],
    to: Annotated[str, typer.Option(help="Recipient; the suffix is added.")] = "",
    kind: Annotated[
        list[MessageKind] | None,
        typer.Option(help="What it is sent as; repeatable. Default: confidential (guide 8.3)."),
    ] = None,
    by: Annotated[
        str, typer.Option(help="Who agrees and sends: a person of the dossier's contacts.")
    ] = "",
    agree: Annotated[
        str, typer.Option(metavar="RECIPIENT", help="Agree unasked, by naming the whole recipient.")
    ] = "",
    dry: Annotated[
        bool, typer.Option("--dry", help="Show what would be sent; ask and send nothing.")
    ] = False,
    outside: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Sender outside, for html_attachment.")
    ] = "",
    server: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Its mail server, for html_attachment.")
    ] = "",
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Send test messages (guide 8.3) through the organisation's own mail server, on consent.

    0: handed over – which does not prove that it arrived; on the lab: arrived. 1: refused, or not
    arrived. 3: neither.
    """
    with clear_errors(lang) as t:
        session = _session(dossier, lang)
        kinds = kind or [MessageKind.CONFIDENTIAL]
        tests = _tests(session, kinds, _person(session, by))
        tests.to(to)
        if isinstance(tests, HtmlTests):
            tests.from_(outside)
            host, port = host_and_port(server, 25) if server else ("", 25)
            tests.by(Submission(host=host, port=port))
        shown = tests.shown()
        if shown.problem is not None:
            raise UsageError(shown.problem)
        if dry:
            _show(shown, kinds, t, as_json)
            return
        if shown.missing is not None:
            raise UsageError(shown.missing)
        done = [_sent(tests, wanted, agree, t, quiet=as_json) for wanted in kinds]
    if as_json:
        print_json(done)
    raise typer.Exit(max(_code(attempt, on_lab=shown.on_lab) for attempt in done))


def _session(dossier: Path, lang: str | None) -> Session:
    case = bind(dossier, language=chosen(lang) if lang else "")
    override = case.dossier.platform if isinstance(case.dossier.platform, Path) else None
    return Session(
        store=open_store(dossier),
        platform=load_platform(override),
        language=case.language,
        interactive=False,
        output=Path(),
    )


def _tests(session: Session, kinds: Sequence[MessageKind], person: str) -> LinkTests:
    html = MessageKind.HTML_ATTACHMENT in kinds
    if html and len(kinds) > 1:
        raise UsageError(
            say("The message with an HTML attachment goes another way: send it by itself.")
        )
    return HtmlTests(session, person) if html else LinkTests(session, person)


def _person(session: Session, by: str) -> str:
    # One person may have several parts in it.
    names = list(dict.fromkeys(contact.name for contact in session.dossier.contacts))
    if by and by not in names:
        raise UsageError(
            say(
                "«{name}» is not among the contacts of the dossier ({names}). A test is noted "
                "under the name of a person who is.",
                name=by[:200],
                names=", ".join(names) or "–",
            )
        )
    return by


def _show(shown: Shown, kinds: Sequence[MessageKind], t: Translator, as_json: bool) -> None:
    messages = [m for m in shown.messages if m.kind in kinds]
    if as_json:
        print_json(
            [
                {
                    "kind": m.kind,
                    "sender": m.sender,
                    "recipient": m.recipient,
                    "subject": str(m.message["Subject"]),
                    "to_incamail": all(r.to_incamail for r in m.routing.routes),
                }
                for m in messages
            ]
        )
        return
    rows = [
        (
            t.text(term(MessageKind(m.kind))),
            m.sender,
            m.recipient,
            str(m.message["Subject"]),
            ", ".join(
                (r.next_hop.value or t.text(word(r.next_hop.kind))) if r.next_hop else "–"
                for r in m.routing.routes
            ),
        )
        for m in messages
    ]
    headings = ("Sending type", "Sender", "Recipient", "Subject line", "Next hop")
    table([t(heading) for heading in headings], rows)
    _say(shown.server, t)
    for warning in dict.fromkeys(w for m in messages for w in m.warnings):
        _say(warning, t)
    _say(say("Nothing was asked of any server, and nothing was sent."), t)


def _agreed(offer: Offer, agree: str, t: Translator) -> None:
    """Ask, unless the whole recipient was named. Errors: UsageError."""
    recipient = offer.test.recipient
    if agree and agree != recipient:
        raise UsageError(
            say(
                "Nothing was sent: you agreed to «{given}», and the recipient is «{recipient}».",
                given=agree[:400],
                recipient=recipient,
            )
        )
    if not agree and not sys.stdin.isatty():
        raise UsageError(
            say(
                "Nothing was sent: nobody can be asked here. Agree by --agree {recipient}",
                recipient=recipient,
            )
        )
    if not agree and not typer.confirm(t.text(offer.consent)):
        raise UsageError(say("Nothing was sent."))


def _sent(
    tests: LinkTests, kind: MessageKind, agree: str, t: Translator, *, quiet: bool
) -> Attempt:
    """One message, agreed to and handed over. Errors: UsageError where nothing was sent."""
    offer = next(offer for offer in tests.shown().offers if offer.key[1] is kind)
    _agreed(offer, agree, t)
    told = asyncio.run(tests.send(offer))
    identity = offer.test.message_id
    made = (x.attempt for x in tests.shown().tries if x.attempt.message_id == identity)
    attempt = next(made, None)
    if attempt is None:
        raise UsageError(told)
    if not quiet:
        _say(told, t)
    return attempt


def _code(attempt: Attempt, *, on_lab: bool) -> int:
    if attempt.outcome is DeliveryOutcome.REFUSED:
        return 1
    if attempt.outcome is not DeliveryOutcome.ACCEPTED:
        return 3
    return 0 if not on_lab or (attempt.seen and attempt.seen.arrived) else 1


def _say(text: Text, t: Translator) -> None:
    out().print(Styled(t.text(text)), soft_wrap=True)
