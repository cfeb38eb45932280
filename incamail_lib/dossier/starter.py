"""The first text of a new dossier, with comments that explain its fields in one language."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from incamail_lib.dossier.fragment import on_one_line
from incamail_lib.dossier.progress import SCHEMA, Role
from incamail_lib.i18n import N_, Language, Text, Translator, translator

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
        N_("How IncaMail finds the receiving gateway: mx, smart_host or static (guide 8.2)."),
        "incoming: {route: mx}\n",
    ),
    (
        N_(
            "The routing rule of the sending mail server: domain, subject, both or none "
            "(guide 6.3)."
        ),
        "routing: {method: domain}\n"
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
        N_("People. Roles: {roles}."),
        "contacts: []\n#  - {role: mail_admin, name: Anna Muster, email: anna@muster.example}\n",
    ),
    (
        N_(
            "Answers to the checklist, by the guide's numbers. State: clear, unclear or todo; "
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
    for comment, part in _PARTS:
        lines += [
            "",
            *_comment(t.text(Text(template=comment, values={"roles": ", ".join(Role)}))),
            *part.rstrip("\n").split("\n"),
        ]
    return "\n".join(lines) + "\n"


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
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]
