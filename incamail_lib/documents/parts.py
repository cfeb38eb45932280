"""What several documents share: their sources, the client's words, people, evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from incamail_lib.documents.filling import answer_field, to_fill
from incamail_lib.dossier.agreed import Answer, Contact, Role, State
from incamail_lib.dossier.contradicting import contradictions
from incamail_lib.dossier.decisions import DECISIONS, decided
from incamail_lib.dossier.model import Dossier
from incamail_lib.dossier.words import term
from incamail_lib.findings import Audit, Finding, Level, Outcome
from incamail_lib.guide import ChecklistQuestion, Contents, Platform
from incamail_lib.i18n import LANGUAGES, Text, say, translator
from incamail_lib.sheets.model import (
    Cell,
    Code,
    Document,
    Mark,
    Paragraph,
    Section,
    SignatureLine,
    SignatureLines,
    Table,
)

_REACHED = say("e-mail or telephone")


@dataclass(frozen=True)
class Basis:
    """Everything a document may say; what is in none of these is marked as missing."""

    dossier: Dossier
    guide: Contents
    platform: Platform
    audit: Audit | None
    today: dt.date

    @property
    def on_lab(self) -> bool:
        """Whether dossier or measurement belong to the lab, and not to IncaMail."""
        measured = self.audit is not None and self.audit.facts.vantage.on_lab
        return measured or self.dossier.platform == "lab"

    def item(self, number: str) -> ChecklistQuestion:
        """A question of the guide."""
        return next(item for item in self.guide.items if item.number == number)

    @property
    def coming_go_live(self) -> dt.date | None:
        """The go-live date, unless it has passed."""
        date = self.dossier.go_live
        return date if date and date >= self.today else None

    def asked(self, number: str) -> Text:
        """The question of the guide, with the platform's facts in it."""
        return self.platform.filled(self.item(number).question)

    def answer(self, number: str) -> Answer | None:
        """What the client answered, if anything."""
        return self.dossier.answers.get(number)


def document(basis: Basis, key: str, title: Text, *sections: Section) -> Document:
    """A document with what stands on top of all of them."""
    return Document(
        key=key,
        title=title,
        subtitle=say(
            "{organisation}: domain connection to IncaMail", organisation=organisation(basis)
        ),
        sections=sections,
        organisation=basis.dossier.organisation,
        made_on=basis.today,
        remarks=_remarks(basis),
    )


def organisation(basis: Basis) -> str:
    """The client's name as it is written in the dossier."""
    return basis.dossier.organisation


def _remarks(basis: Basis) -> tuple[Text, ...]:
    if not basis.on_lab:
        return ()
    return (
        say(
            "For training only: this dossier is audited on the embedded lab, and certificates come "
            "from there. Do not send this document to Swiss Post."
        ),
    )


def words(value: str) -> Text:
    """The client's own words, which no catalog translates."""
    return Text(template="{words}", values={"words": value})


def source(template: str) -> Text:
    """An English source text of the guide's data, which the catalogs hold."""
    return Text(template=template)


def known_from(text: str) -> Text:
    """Where a platform fact comes from: a text of ours, or what an organisation wrote itself."""
    return words(text) if "{" in text or "}" in text else source(text)


def number(value: int) -> Text:
    """A number, written as the language does."""
    return Text(template="{number}", values={"number": value})


def points(texts: Iterable[Text]) -> Cell:
    """Texts of the guide, a point each."""
    return tuple(Text(template="• {text}", values={"text": text}) for text in texts)


def titled(item: str, text: Text) -> Text:
    """A text of the guide behind its number."""
    return Text(template="{item} {text}", values={"item": item, "text": text})


def lines(value: str) -> Cell:
    """The client's own words line by line; none for an empty text."""
    return tuple(words(line.strip()) for line in value.splitlines() if line.strip())


def codes(values: Iterable[str]) -> Cell:
    """Names or addresses, one a line."""
    return tuple(Code(value) for value in values)


def or_missing(cell: Cell, what: Text, *field: str) -> Cell:
    """The cell, or the mark that it is missing, with the path of the field that fills it."""
    return cell or (to_fill(what, field),)


def decision(basis: Basis, number: str) -> Cell:
    """The client's answer to a question, or the mark that there is none: the setting that answers
    it, what was written beside it, and a warning where the two contradict each other."""
    answer = basis.answer(number) or Answer()
    given: Cell = (*decided(basis.dossier, number), *lines(answer.answer))
    if basis.item(number).yes_or_no:
        clear: Cell = (say("yes"),) if answer.state is State.CLEAR else ()
        return (*(given or clear), *alerts(basis, number))
    fields = DECISIONS.get(number, (answer_field(number),))
    return (*or_missing(given, say("the answer"), *fields[0]), *alerts(basis, number))


def alerts(basis: Basis, number: str) -> tuple[Mark, ...]:
    """A warning for each contradiction between setting and answer of a question."""
    return tuple(Mark("bad", c.text) for c in contradictions(basis.dossier) if c.number == number)


def evidence_against(basis: Basis, number: str) -> tuple[Finding, ...]:
    """The required checks that failed for a question, one for each code."""
    if basis.audit is None:
        return ()
    failed = [
        f
        for f in basis.audit.findings
        if f.item == number and f.outcome is Outcome.FAILED and f.level is Level.REQUIRED
    ]
    return tuple({f.code: f for f in failed}.values())


def pairs(*rows: tuple[Text, Cell]) -> Table:
    """A table of names and values."""
    return Table((), tuple(((name,), value) for name, value in rows), (30, 70))


def people(contacts: Iterable[Contact]) -> Table:
    """Contacts with what they are responsible for."""
    return Table(
        (say("Role"), say("Name"), say("E-mail"), say("Telephone")),
        tuple(_person(contact) for contact in contacts),
        (20, 24, 38, 18),
    )


def _person(contact: Contact) -> tuple[Cell, ...]:
    reached = bool(contact.email or contact.phone)
    email = codes([contact.email] if contact.email else [])
    return (
        (term(contact.role),),
        (words(contact.name),),
        email if reached else (to_fill(_REACHED, ("contacts", contact.role, "email")),),
        lines(contact.phone),
    )


def contact_section(basis: Basis, wanted: tuple[Role, ...]) -> Section:
    """Everybody in the dossier, and which of the wanted roles nobody has."""
    contacts = basis.dossier.contacts
    taken = {contact.role for contact in contacts}
    absent = tuple(role for role in wanted if role not in taken)
    table = people(contacts)
    missing = tuple(
        (
            (term(role),),
            (to_fill(say("name"), ("contacts", role, "name")),),
            (to_fill(_REACHED, ("contacts", role, "email")),),
            (),
        )
        for role in absent
    )
    return Section(say("Contacts"), (Table(table.headings, table.rows + missing, table.widths),))


def responsible(basis: Basis, role: Role) -> Cell:
    """Who has a role, or the mark that nobody has."""
    names = tuple(words(c.name) for c in basis.dossier.contacts if c.role is role)
    what = say("who does this ({role})", role=term(role))
    return or_missing(names, what, "contacts", role, "name")


def go_live(basis: Basis) -> Cell:
    """The desired date, or the mark that it is missing or has passed."""
    date = basis.dossier.go_live
    if date is None:
        return (to_fill(say("desired go-live date"), ("go_live",)),)
    passed = to_fill(say("a go-live date that has not passed"), ("go_live",))
    return (date, *((passed,) if date < basis.today else ()), *alerts(basis, "7.3"))


def signatures(
    basis: Basis, key: str, signs: Text, *, by_post: bool = False, warns: bool = False
) -> Section:
    """What is signed; who has signed already, then a line for each party that has not."""
    signed = [s for s in basis.dossier.signatures if s.document == key]
    given = tuple(SignatureLine(words(s.organisation), s.name, s.signed_on) for s in signed)
    names = {s.organisation.casefold() for s in signed}
    parties = [(words(organisation(basis)), {organisation(basis).casefold()})]
    if by_post:
        parties.append((say("Swiss Post"), _names_of_post(basis)))
    open_lines = tuple(SignatureLine(party) for party, known in parties if not known & names)
    sentence = Paragraph(signs, "warning" if warns else "body")
    return Section(say("Signatures"), (sentence, SignatureLines((*given, *open_lines))))


def _names_of_post(basis: Basis) -> set[str]:
    """By what a signature is known as Post's: its company's name, or its name in any language."""
    told = (translator(language).text(say("Swiss Post")) for language in LANGUAGES)
    return {name.casefold() for name in (*told, *basis.platform.organisations.value)}
