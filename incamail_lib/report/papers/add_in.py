"""The plan for the add-in (guide 6.5, 6.6): which one runs where, and how it gets there."""

from __future__ import annotations

from incamail_lib.dossier.progress import Role
from incamail_lib.guide import Certainty
from incamail_lib.i18n import Text, say
from incamail_lib.report.papers.model import (
    Cell,
    Checklist,
    CheckRow,
    Document,
    Listing,
    Missing,
    Section,
    Table,
)
from incamail_lib.report.papers.parts import (
    Basis,
    contact_section,
    decision,
    document,
    go_live,
    lines,
    or_missing,
    pairs,
    titled,
)
from incamail_lib.report.words import word

ROLES = (Role.PROJECT_LEAD, Role.MAIL_ADMIN, Role.SUPPORT)
DECISIONS = ("4.1", "6.5", "6.6")


def add_in_plan(basis: Basis) -> Document:
    """What is decided, which add-in loads in which mail client, and the steps up to the users."""
    return document(
        basis,
        "add_in_plan",
        say("Add-in plan"),
        _decided(basis),
        _clients(),
        _steps(),
        _users(basis),
        contact_section(basis, ROLES),
    )


def _decided(basis: Basis) -> Section:
    component = basis.dossier.components.get("mail_client")
    product = lines(component.product) if component else ()
    rows: tuple[tuple[Text, Cell], ...] = (
        (say("Mail clients in use"), or_missing(product, say("mail clients and their versions"))),
        *((titled(n, basis.asked(n)), decision(basis, n)) for n in DECISIONS),
        (say("Desired go-live date"), go_live(basis)),
    )
    return Section(say("What is decided"), (pairs(*rows),))


def _clients() -> Section:
    both = say("HTML add-in or COM add-in")
    html = say("HTML add-in only: COM add-ins do not load here")
    ask = Missing(say("answer of Swiss Post: is there an add-in?"))
    rows = (
        _client(say("Outlook for Windows, classic"), (both,), Certainty.SECONDARY),
        _client(say("Outlook for Windows, new"), (html,), Certainty.SECONDARY),
        _client(say("Outlook on the web"), (html,), Certainty.SECONDARY),
        _client(say("Outlook for Mac"), (html,), Certainty.SECONDARY),
        _client(say("Lotus Notes (HCL Notes)"), (ask,), Certainty.UNCONFIRMED),
        _client(say("GroupWise"), (ask,), Certainty.UNCONFIRMED),
    )
    headings = (
        say("Mail client"),
        say("Which add-in"),
        say("How certain"),
        say("Users, number"),
        say("Chosen"),
    )
    notes = Listing(
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
    return Section(
        say("Which add-in runs in which mail client"),
        (Table(headings, rows, (26, 30, 16, 14, 14)), notes),
    )


def _client(name: Text, add_in: Cell, certainty: Certainty) -> tuple[Cell, ...]:
    return (name,), add_in, (word(certainty),), (Missing(say("number")),), (Missing(say("choice")),)


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
