"""The mail clients that an organisation has: users and add-in of each (guide 6.5)."""

from __future__ import annotations

from collections.abc import Callable

from incamail_lib.dossier.agreed import AddIn, MailClient, Program
from incamail_lib.dossier.decisions import client_name
from incamail_lib.dossier.words import term
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Button, Group, Input, Part, Row
from incamail_lib.sheets.language import formatter

PATH = "mail_clients"
_MORE = f"{PATH}/more"


def client_parts(session: Session, mended: Callable[[Input], Input]) -> tuple[Part, ...]:
    """A group for each mail client, and a button for one more."""
    tell = formatter(session.language).gettext
    clients = session.dossier.mail_clients
    groups = (_group(session, mended, *numbered) for numbered in enumerate(clients))
    return (*groups, Button(_MORE, tell("Another mail client")))


def _group(
    session: Session, mended: Callable[[Input], Input], number: int, client: MailClient
) -> Part:
    tell, start = formatter(session.language), f"{PATH}/{number}"
    programs = tuple((one.value, str(tell.told(term(one)))) for one in Program)
    add_ins = (("", "–"), *((one.value, str(tell.told(term(one)))) for one in AddIn))
    add_in = client.add_in.value if client.add_in else ""
    users = "" if client.users is None else str(client.users)
    named = Input(f"{start}/name", tell.gettext("Its name"), value=client.name, width="half")
    made = (
        Input(
            f"{start}/program",
            tell.gettext("Mail client"),
            "choice",
            client.program.value,
            programs,
            width="half",
        ),
        *([named] if client.program is Program.OTHER else []),
        Input(f"{start}/users", tell.gettext("Users"), "number", users, width="short"),
        Input(f"{start}/add_in", tell.gettext("Add-in"), "choice", add_in, add_ins, width="half"),
    )
    gone = Button(f"{start}/remove", tell.gettext("Remove"))
    title = str(tell.told(client_name(client)))
    return Group(start, title, (Row(tuple(mended(one) for one in made)), gone))


def pressed(session: Session, name: str) -> list[dict[str, object]] | None:
    """The mail clients after a button was pressed; None where it is none of theirs."""
    clients = [dict(entry) for entry in session.value_at((PATH,)) or ()]
    if name == _MORE:
        there = {entry["program"] for entry in clients}
        free = next((one for one in Program if one.value not in there), Program.OTHER)
        return [*clients, {"program": free.value}]
    start, _, action = name.rpartition("/")
    number = start.removeprefix(f"{PATH}/")
    if action == "remove" and number.isdecimal() and int(number) < len(clients):
        return clients[: int(number)] + clients[int(number) + 1 :]
    return None
