"""The communication plan (guide 5.4, 5.5): whom to tell what and when, with texts to copy."""

from __future__ import annotations

from incamail_lib.documents.filling import answer_field, gap_at
from incamail_lib.documents.measures import told_tasks, when
from incamail_lib.documents.parts import (
    Basis,
    contact_section,
    decision,
    document,
    go_live,
    lines,
    organisation,
    pairs,
    source,
    titled,
)
from incamail_lib.dossier.agreed import Role
from incamail_lib.guide import Certainty
from incamail_lib.i18n import Text, say
from incamail_lib.sheets.model import (
    Block,
    Code,
    Document,
    Inline,
    Paragraph,
    Section,
    Table,
)

ROLES = (Role.PROJECT_LEAD, Role.COMMUNICATION, Role.SUPPORT)
DECISIONS = ("4.1", "4.2", "5.1", "5.2", "5.3", "5.4", "5.5")


def communication_plan(basis: Basis) -> Document:
    """A timetable counted from go-live, what is decided, and one text for each audience."""
    return document(
        basis,
        "communication_plan",
        say("Communication plan"),
        _timetable(basis),
        _decided(basis),
        _to_employees(basis),
        _to_recipients(basis),
        contact_section(basis, ROLES),
    )


def _timetable(basis: Basis) -> Section:
    rows = tuple(
        (when(task), (source(task.measure.audience),), (source(task.measure.message),), task.owner)
        for task in told_tasks(basis)
        if task.measure
    )
    lead = Paragraph(
        say("A proposal, counted from the day of going live. Move what falls on a holiday."),
        "note",
    )
    headings = (say("When"), say("To whom"), say("What"), say("By whom"))
    live = pairs((say("Desired go-live date"), go_live(basis)))
    return Section(
        say("Who is told what, and when"), (lead, live, Table(headings, rows, (24, 18, 36, 22)))
    )


def _decided(basis: Basis) -> Section:
    rows = tuple(
        (titled(number, basis.asked(number)), decision(basis, number)) for number in DECISIONS
    )
    return Section(say("What the texts rest on"), (pairs(*rows),))


def _quoted(*texts: Inline) -> tuple[Block, ...]:
    return tuple(Paragraph(text, "quote") for text in texts)


def _given(basis: Basis, number: str, missing: Text) -> tuple[Block, ...]:
    """The client's answer as part of a text, or the mark that it must be put in."""
    answer = basis.answer(number)
    given = lines(answer.answer) if answer else ()
    return _quoted(*given) if given else (gap_at(missing, answer_field(number)),)


def _to_employees(basis: Basis) -> Section:
    name = organisation(basis)
    start: Inline = say("We will soon send confidential e-mail through IncaMail of Swiss Post.")
    if basis.coming_go_live:
        start = say(
            "From {day} on we send confidential e-mail through IncaMail of Swiss Post.",
            day=basis.coming_go_live,
        )
    suffix = basis.platform.suffix.value
    blocks: tuple[Block, ...] = (
        Paragraph(say("Subject: Confidential e-mail with IncaMail"), "quote-title"),
        *_quoted(say("Dear colleagues"), start),
        *_quoted(say("Which e-mail goes through IncaMail:")),
        *_given(basis, "4.2", say("the rule which mails go through IncaMail")),
        *_quoted(
            say(
                "How it works: write the e-mail as usual, choose the sending type in the IncaMail "
                "add-in and send. Confidential reaches everybody; personal and registered only "
                "recipients who have registered with IncaMail; registered also gives receipts."
            ),
            say(
                "The add-in puts a tag before the subject and {suffix} behind the address. Leave "
                "both as they are. The subject is not encrypted up to the recipient's mailbox: "
                "keep confidential details out of it.",
                suffix=suffix,
            ),
            say(
                "Your mail client may later propose addresses that end in {suffix}: a message to "
                "such an address goes through IncaMail.",
                suffix=suffix,
            ),
            say("IncaMail keeps neither messages nor receipts: file them as our policy demands."),
            say("Your guide:"),
        ),
        *_given(basis, "5.1", say("which guide users get, and where it is")),
        *_quoted(say("Questions? Ask:")),
        *_given(basis, "5.2", say("first-level support with hours")),
        *_quoted(say("Kind regards, {organisation}", organisation=name)),
    )
    return Section(say("Text to employees"), blocks)


def _to_recipients(basis: Basis) -> Section:
    name = organisation(basis)
    start: Inline = say(
        "{organisation} will soon send you confidential messages through IncaMail, the service of "
        "Swiss Post for secure e-mail.",
        organisation=name,
    )
    if basis.coming_go_live:
        start = say(
            "From {day} on {organisation} sends you confidential messages through IncaMail, "
            "the service of Swiss Post for secure e-mail.",
            day=basis.coming_go_live,
            organisation=name,
        )
    blocks: tuple[Block, ...] = (
        Paragraph(say("Subject: You will receive secure e-mail from us"), "quote-title"),
        *_quoted(say("Dear Sir or Madam"), start, *_how_to_read()),
        *_quoted(say("Such messages come from addresses at:")),
        _sender_domains(basis),
        *_quoted(
            say(
                "Neither we nor Swiss Post ask for your password by e-mail. If you doubt whether a "
                "message is genuine, call us at a number that you know already."
            ),
            say("Questions? Ask:"),
        ),
        *_given(basis, "5.2", say("support that recipients may ask")),
        *_quoted(say("Kind regards, {organisation}", organisation=name)),
    )
    return Section(say("Text to recipients"), blocks)


def _sender_domains(basis: Basis) -> Block:
    """Domains that Swiss Post confirmed; a guess in a text against phishing would help phishers."""
    known = basis.platform.sender_domains
    if known.certainty is Certainty.PRIMARY and known.value:
        return Paragraph(Code(", ".join(known.value)), "quote")
    field = ("platform", "sender_domains")
    return gap_at(say("the sender domains, as Swiss Post confirms them"), field)


def _how_to_read() -> tuple[Text, ...]:
    return (
        say(
            "The first time, choose «Read» in the message, accept the terms, ask for the key link "
            "and open the message with the second e-mail that you then get. If there is no such "
            "button, open the attachment IncaMail.html, or save it and open it in your browser."
        ),
        say(
            "Confidential messages can be read without an account. Personal and registered ones "
            "need a registration with IncaMail; a registered message can be accepted or "
            "refused within seven days."
        ),
    )
