"""A new dossier: its first text, with comments that explain its fields in one language."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from incamail_lib.dossier.agreed import SCHEMA, AddIn, Program, Role, State
from incamail_lib.dossier.fragment import on_one_line
from incamail_lib.dossier.model import Dossier
from incamail_lib.dossier.reading import parsed
from incamail_lib.dossier.words import term
from incamail_lib.errors import UsageError
from incamail_lib.files import write_whole
from incamail_lib.i18n import N_, Language, Text, Translator, say, translator

_WIDTH = 96
_COMPONENTS = ("mail_client", "browser", "mail_server", "mail_gateway", "firewall")

# Comment above a part of the file -> the part. A line that begins with # is an example.
_PARTS: tuple[tuple[str, str], ...] = (
    (
        N_(
            "The gateways of the organisation that talk to IncaMail; receiving and sending may be "
            "different machines (guide 6.1)."
        ),
        "# gateways:\n"
        "#   receiving:\n#     - {host: mx1.muster.example}\n"
        "#   sending:\n#     - {host: out1.muster.example}\n",
    ),
    (
        N_(
            "How IncaMail finds the receiving gateway: mx, smart_host or static (guide 8.2). It is "
            "open until it stands here."
        ),
        "# incoming: {route: mx}\n",
    ),
    (
        N_(
            "The routing rule of the sending mail server: domain, subject, both or none "
            "(guide 6.3). It is open until it stands here."
        ),
        "# routing: {method: domain, engine: postfix_table, suffix_key: .incamail.ch, "
        "default_relay: none}\n",
    ),
    (
        N_(
            "Where the computer stands that measures: gateway (the sending gateway itself), inside "
            "(behind the same firewall) or elsewhere. internal_networks are the organisation's "
            "own: only there may a name lead to a private address."
        ),
        "# network: {vantage: gateway, internal_networks: [10.1.0.0/16]}\n",
    ),
    (
        N_(
            "Certificate and key, as paths from this file. A passphrase never stands here: "
            "passphrase_env names the environment variable that holds it."
        ),
        "# certificates:\n#   sending: {file: client.pem, key: client.key, passphrase_env: PASS}\n",
    ),
    (
        N_(
            "The address from which test messages are sent, and the organisation's own mail server "
            "that takes them. starttls is required, opportunistic or off; roots names a PEM file "
            "of its authority where it is an internal one (guide 8.3)."
        ),
        "# sender: anna@muster.example\n"
        "# submission: {host: mail.muster.example, port: 25, starttls: required}\n",
    ),
    (
        N_(
            "Mail clients, how many people use each, and the add-in chosen for it (guide 6.5). "
            "program is one of: {programs}; add_in one of: {add_ins}."
        ),
        "# mail_clients:\n#   - {program: outlook_classic, users: 40, add_in: html}\n",
    ),
    (
        N_("By what and by whom the link is watched (guide 6.7)."),
        "# monitoring: {failures: '', queues: '', certificates: ''}\n",
    ),
    (
        N_(
            "Who confirms since when that the way between mail server and gateway is encrypted, "
            "where no message shows it."
        ),
        "# inner_hop: {by: Anna Muster, on: 2027-01-04}\n",
    ),
    (
        N_(
            "Measures of the implementation plan that somebody else does, or by another day, or "
            "that are done."
        ),
        "# measures:\n#   rules: {owner: Anna Muster, due: 2027-01-04, done: 2027-01-04}\n",
    ),
    (
        N_("People. role is one of: {roles}."),
        "contacts: []\n#  - {role: mail_admin, name: Anna Muster, email: anna@muster.example}\n",
    ),
    (
        N_(
            "Answers to the checklist, by the guide's numbers. state is one of: {states}. "
            "owner is who must act, due a date."
        ),
        "answers: {}\n#  6.3: {state: todo, answer: '', owner: Anna Muster, due: 2027-01-15}\n",
    ),
)


def starter(
    *, organisation: str, domains: Sequence[str], language: Language, scenario: str = ""
) -> str:
    """A commented dossier; with a `scenario` it is audited on the lab, otherwise on IncaMail."""
    t = translator(language)
    head = N_("The dossier of one organisation. Lines that begin with # are comments.")
    lines = [
        *_comment(t(head)),
        f"schema: {SCHEMA}",
        f"organisation: {on_one_line(organisation)}",
        *_comment(t("Language of the reports: en, fr, de or it.")),
        f"language: {language}",
        *_comment(t("Every mail domain of the organisation.")),
        f"domains: {on_one_line(list(domains))}",
        *_comment(t("The date on which the connection goes live, e.g. 2027-01-15 (guide 7.3).")),
        "go_live:",
        *_platform(t, scenario),
        *_components(t),
    ]
    keys = {
        "roles": _keys(Role, t),
        "states": _keys(State, t),
        "programs": _keys(Program, t),
        "add_ins": _keys(AddIn, t),
    }
    for comment, part in _PARTS:
        lines += [
            "",
            *_comment(t.text(Text(template=comment, values={**keys}))),
            *part.rstrip("\n").split("\n"),
        ]
    return "\n".join(lines) + "\n"


def begin(path: Path, text: str) -> Dossier:
    """Write a new dossier and give what it says; nothing that is there is overwritten, and a link
    is there even where it leads to nothing.

    Errors: UsageError for a file that is there, DossierError for a text that is no dossier,
    OutputError.
    """
    if os.path.lexists(path):
        raise UsageError(say("{file} is there already and is not overwritten.", file=str(path)))
    dossier = parsed(text, path).dossier  # a wrong name is told before anything is written
    write_whole(path, text.encode())
    return dossier


def _keys(codes: Iterable[StrEnum], t: Translator) -> str:
    """What a field may hold, each beside what forms and documents call it."""
    return ", ".join(_key(code.value, t.text(term(code))) for code in codes)


def _key(code: str, told: str) -> str:
    return code if told == code else f"{code} ({told})"


def _platform(t: Translator, scenario: str) -> list[str]:
    comment = t("Against what is measured: incamail, or lab for an exercise on this computer.")
    fields = ["platform: lab", f"scenario: {scenario}"] if scenario else ["platform: incamail"]
    return [*_comment(comment), *fields]


def _components(t: Translator) -> list[str]:
    comment = t("What is there (true or false), which product it is, who runs it (guide 2).")
    empty = "{present: , product: '', operator: ''}"
    fields = (f"  {key}: {empty}" for key in _COMPONENTS)
    return ["", *_comment(comment), "components:", *fields]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False)]
