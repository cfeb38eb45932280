"""The plan for the add-in (guide 6.5, 6.6): which one runs where, and how it gets there."""

from __future__ import annotations

from incamail_lib.documents.filling import gap_at
from incamail_lib.documents.parts import (
    Basis,
    contact_section,
    decision,
    document,
    go_live,
    number,
    or_missing,
    pairs,
    titled,
)
from incamail_lib.dossier.agreed import AddIn, MailClient, Program, Role
from incamail_lib.dossier.decisions import client_name
from incamail_lib.dossier.words import term
from incamail_lib.guide import Certainty
from incamail_lib.i18n import Text, say
from incamail_lib.report.words import word
from incamail_lib.sheets.model import (
    Block,
    Cell,
    Checklist,
    CheckRow,
    Document,
    Listing,
    Mark,
    Section,
    Table,
)

ROLES = (Role.PROJECT_LEAD, Role.MAIL_ADMIN, Role.SUPPORT)
DECISIONS = ("4.1", "6.5", "6.6")

_BOTH = say("HTML add-in or COM add-in")
_HTML = say("HTML add-in only: COM add-ins do not load here")
_NONE_KNOWN = say("none known: ask Swiss Post, or write suffix and tag by hand")
_RUNS: dict[Program, tuple[Text, Certainty]] = {
    Program.OUTLOOK_CLASSIC: (_BOTH, Certainty.SECONDARY),
    Program.OUTLOOK_NEW: (_HTML, Certainty.SECONDARY),
    Program.OUTLOOK_WEB: (_HTML, Certainty.SECONDARY),
    Program.OUTLOOK_MAC: (_HTML, Certainty.SECONDARY),
}


def add_in_plan(basis: Basis) -> Document:
    """What is decided, which add-in loads in which mail client, and the steps up to the users."""
    return document(
        basis,
        "add_in_plan",
        say("Add-in plan"),
        _decided(basis),
        _clients(basis),
        _steps(),
        _users(basis),
        contact_section(basis, ROLES),
    )


def _decided(basis: Basis) -> Section:
    rows: tuple[tuple[Text, Cell], ...] = (
        *((titled(n, basis.asked(n)), decision(basis, n)) for n in DECISIONS),
        (say("Desired go-live date"), go_live(basis)),
    )
    return Section(say("What is decided"), (pairs(*rows),))


def _clients(basis: Basis) -> Section:
    """The mail clients that the organisation has: what runs there, how many use it, the choice."""
    clients = basis.dossier.mail_clients
    title = say("Which add-in runs in which mail client")
    if not clients:
        gap = gap_at(say("mail clients in use, with the number of their users"), ("mail_clients",))
        return Section(title, (gap, _notes()))
    headings = (
        say("Mail client"),
        say("Which add-in"),
        say("How certain"),
        say("Users, number"),
        say("Chosen"),
    )
    rows = tuple(map(_client, clients))
    return Section(title, (Table(headings, rows, (26, 30, 16, 14, 14)), _notes()))


def _client(client: MailClient) -> tuple[Cell, ...]:
    field = ("mail_clients", client.program, client.name)
    runs, certainty = _RUNS.get(client.program, (_NONE_KNOWN, Certainty.UNCONFIRMED))
    users = (number(client.users),) if client.users is not None else ()
    chosen: Cell = (term(client.add_in),) if client.add_in else ()
    if client.add_in is AddIn.COM and runs == _HTML:
        chosen = (*chosen, Mark("bad", say("It does not load here.")))
    return (
        (client_name(client),),
        (runs,),
        (word(certainty),),
        or_missing(users, say("number"), *field, "users"),
        or_missing(chosen, say("choice"), *field, "add_in"),
    )


def _notes() -> Block:
    return Listing(
        (
            say(
                "Swiss Post's description of the HTML add-in names Outlook on the web and older "
                "versions of Outlook. Have it confirmed for the new Outlook before you decide."
            ),
            say(
                "Whoever moves to the new Outlook loses the COM add-in that day: plan the HTML "
                "add-in from the start wherever the mailbox allows it."
            ),
            say(
                "The HTML add-in may write <c>, <p> or <r> without <im> into the subject. A "
                "routing rule on <im> misses such mail; route by the domain suffix."
            ),
        )
    )


def _steps() -> Section:
    texts = (
        say("Count the users of each mail client in the table above."),
        say("Get from Swiss Post the link of the HTML add-in, or the package of the COM add-in."),
        say("HTML add-in: register the link in Exchange, for a small group first."),
        say("With Exchange Online it can take up to three days until the add-in appears."),
        say("COM add-in: put the package into the software distribution, for a small group first."),
        say("Let the small group send one message of each sending type."),
        say("Check in the gateway's log that each of them went through IncaMail."),
        say("Inform employees (communication plan), then distribute to all groups of 4.1."),
        say("Agree how the add-in is updated, and how it leaves when somebody changes function."),
    )
    return Section(
        say("Steps of the distribution"), (Checklist(tuple(CheckRow(text) for text in texts)),)
    )


def _users(basis: Basis) -> Section:
    suffix = basis.platform.suffix.value
    texts = (
        say(
            "Without an add-in a message goes through IncaMail when {suffix} stands behind the "
            "recipient's address and the sending type stands before the subject, e.g. <im><c>.",
            suffix=suffix,
        ),
        say(
            "Addresses with {suffix} later come up in the auto-complete list, and then lead "
            "through IncaMail even where the add-in is closed.",
            suffix=suffix,
        ),
        say("If a user removes the tag, the message is sent as confidential."),
    )
    return Section(say("What users must know"), (Listing(texts),))
