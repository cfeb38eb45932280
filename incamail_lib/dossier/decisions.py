"""Which setting of a dossier is the answer to which question of the checklist, and how it reads.

A decision is entered once: where a question is settled by a setting, that setting is its answer,
and what people wrote beside it explains. Where the two contradict each other, `contradictions` in
`contradicting` says so.
"""

from __future__ import annotations

from collections.abc import Callable

from incamail_lib.dossier.agreed import MailClient, Program
from incamail_lib.dossier.fields import FieldPath, Parts, field_path
from incamail_lib.dossier.model import CertificateFile, Dossier, Gateway
from incamail_lib.dossier.words import term
from incamail_lib.facts.routing import Engine, Method, NextHopKind
from incamail_lib.i18n import Text, say, say_n

DECISIONS: dict[str, tuple[Parts, ...]] = {
    "6.1": (
        ("gateways", "receiving"),
        ("gateways", "sending"),
        ("certificates", "sending"),
        ("certificates", "receiving"),
        ("inner_hop",),
    ),
    "6.3": (("routing",),),
    "6.4": (("incoming",),),  # guide 8.2; the gateways' addresses stand with the gateways
    "6.5": (("mail_clients",),),
    "6.7": (("monitoring",),),
    "7.3": (("go_live",),),
}
"""The fields of a dossier that are the answer to a question, all below them included."""


def question_of(field: FieldPath) -> str:
    """The question that a field of the dossier answers; "" where it is the answer to none."""
    path = field_path(field)
    if path[0] == "answers" and len(path) > 1:
        return path[1]
    starts = ((start, number) for number, starts in DECISIONS.items() for start in starts)
    return next((number for start, number in starts if path[: len(start)] == start), "")


def decided(dossier: Dossier, number: str) -> tuple[Text, ...]:
    """How the setting that answers a question reads, a line for each part of it; none where
    nobody has set it, or where no setting answers this question."""
    read = _READ.get(number)
    return read(dossier) if read else ()


def client_name(client: MailClient) -> Text:
    """Which mail client this is."""
    if client.program is Program.OTHER and client.name:
        return Text(template="{words}", values={"words": client.name})
    return term(client.program)


def _machines(dossier: Dossier) -> tuple[Text, ...]:
    gateways, files = dossier.gateways, dossier.certificates
    found = []
    if gateways.receiving:
        found.append(say("Receiving: {hosts}", hosts=_hosts(gateways.receiving)))
    if gateways.sending:
        found.append(say("Sending: {hosts}", hosts=_hosts(gateways.sending)))
    if files.receiving:
        found.append(say("Certificate for receiving: {file}", file=_name(files.receiving)))
    if files.sending:
        found.append(say("Certificate for sending: {file}", file=_name(files.sending)))
    return tuple(found)


def _hosts(gateways: tuple[Gateway, ...]) -> str:
    return ", ".join(gateway.host for gateway in gateways)


def _name(file: CertificateFile) -> str:
    """Without the folder: whose computer it lies on is nobody's business."""
    return str(file.file).replace("\\", "/").rpartition("/")[2]


def _rules(dossier: Dossier) -> tuple[Text, ...]:
    """The routing rules, once somebody has stated them: the usual ones are nobody's decision."""
    if "routing.method" in dossier.undecided:
        return ()
    routing = dossier.routing
    found = [say("Mail for IncaMail is recognised: {method}", method=term(routing.method))]
    if routing.method in (Method.SUBJECT, Method.BOTH):
        found.append(say("Subject pattern: {pattern}", pattern=routing.subject_pattern))
    if routing.engine is not Engine.NOT_KNOWN:
        found.append(say("Mail server that applies the rule: {name}", name=term(routing.engine)))
    hop = term(routing.next_hop)
    if routing.value and routing.next_hop is not NextHopKind.MX:
        hop = say("{way} {value}", way=hop, value=routing.value)
    found.append(say("IncaMail is found by: {way}", way=hop))
    return tuple(found)


def _addresses(dossier: Dossier) -> tuple[Text, ...]:
    incoming = dossier.incoming
    found = []
    if "incoming.route" not in dossier.undecided:
        way = term(incoming.route)
        if incoming.value and incoming.route is not NextHopKind.MX:
            way = say("{way} {value}", way=way, value=incoming.value)
        found.append(say("IncaMail finds the gateway by: {way}", way=way))
    both = (*dossier.gateways.receiving, *dossier.gateways.sending)
    known = {gateway.host: gateway.addresses for gateway in both if gateway.addresses}
    found += [
        say("{label}: {value}", label=host, value=", ".join(addresses))
        for host, addresses in known.items()
    ]
    return tuple(found)


def _clients(dossier: Dossier) -> tuple[Text, ...]:
    return tuple(map(_client, dossier.mail_clients))


def _client(client: MailClient) -> Text:
    what = term(client.add_in) if client.add_in else say("no add-in chosen yet")
    if client.users is None:
        return say("{client}: {add_in}", client=client_name(client), add_in=what)
    return say_n(
        "{client}: {n} user, {add_in}",
        "{client}: {n} users, {add_in}",
        client.users,
        client=client_name(client),
        add_in=what,
    )


def _watched(dossier: Dossier) -> tuple[Text, ...]:
    watched = dossier.monitoring
    lines = (
        (watched.failures, say("Failed deliveries to IncaMail")),
        (watched.queues, say("Mail queues")),
        (watched.certificates, say("End of certificates")),
    )
    return tuple(
        say("{label}: {value}", label=label, value=" ".join(value.split()))
        for value, label in lines
        if value.strip()
    )


def _day(dossier: Dossier) -> tuple[Text, ...]:
    return (say("Going live on {day}", day=dossier.go_live),) if dossier.go_live else ()


_READ: dict[str, Callable[[Dossier], tuple[Text, ...]]] = {
    "6.1": _machines,
    "6.3": _rules,
    "6.4": _addresses,
    "6.5": _clients,
    "6.7": _watched,
    "7.3": _day,
}
