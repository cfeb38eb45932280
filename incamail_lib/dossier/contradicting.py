"""Where what people wrote to a question contradicts the setting that answers it.

Prose comes in four languages and says many things beside the decision. So only what is certain is
told, better nothing than a false alarm: a question mark, a negation or a word of time or contrast
anywhere in an answer, or a second possible reading, and nothing is concluded from it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from incamail_lib.dossier.agreed import AddIn, Answer, State
from incamail_lib.dossier.decisions import DECISIONS, client_name, decided
from incamail_lib.dossier.fields import Parts
from incamail_lib.dossier.model import Dossier
from incamail_lib.dossier.prose import (
    addresses_in,
    counted,
    is_doubtful,
    named_add_ins,
    named_methods,
    only_date,
    says_nothing_watches,
)
from incamail_lib.dossier.words import term
from incamail_lib.facts.routing import Method
from incamail_lib.i18n import Text, say
from incamail_lib.record import Record

_SHOWN = 160
# Addresses inside a network: they are translated on their way out (RFC 1918, RFC 4193).
_INNER = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)
_ROUTED: dict[Method, str] = {
    Method.DOMAIN: "domain",
    Method.SUBJECT: "content",
    Method.NONE: "",
}
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+", re.IGNORECASE)
_ADDRESS_WORDS = re.compile(
    r"\b(?:ip(?:v[46])?|address(?:es)?|adress[en]+|adresses?|indirizz[io])\b"
)


class Contradiction(Record):
    """A question whose answer in words is not what its setting says, and the setting's fields."""

    number: str
    text: Text
    fields: tuple[Parts, ...]


def contradictions(dossier: Dossier) -> tuple[Contradiction, ...]:
    """Everything that is certainly said in two ways, in the order of the questions."""
    return tuple(
        Contradiction(number=number, text=text, fields=DECISIONS[number])
        for number, look in _LOOKS.items()
        if number in dossier.answers
        for text in look(dossier, dossier.answers[number])
    )


def _both(number: str, answer: Answer, setting: Text | str) -> Text:
    return say(
        "The answer to question {number} says «{words}», but what is set is: {setting}. Correct "
        "the one that is wrong.",
        number=number,
        words=_short(answer.answer),
        setting=setting,
    )


def _short(prose: str) -> str:
    flat = " ".join(prose.split())
    return flat if len(flat) <= _SHOWN else f"{flat[: _SHOWN - 1]}…"


def _machines(dossier: Dossier, answer: Answer) -> Iterator[Text]:
    """An answer that names hosts of the organisation and nothing else, none of them a gateway."""
    gateways = (*dossier.gateways.receiving, *dossier.gateways.sending)
    named = {name.casefold() for name in _HOST.findall(answer.answer)}
    own = {name for name in named if name.endswith(tuple(f".{d}" for d in dossier.domains))}
    rest = re.findall(r"[^\W\d_]{2,}", _HOST.sub(" ", answer.answer))
    known = {gateway.host for gateway in gateways} | {dossier.incoming.value}
    known |= {host for component in dossier.components.values() for host in component.hosts}
    if gateways and own and own == named and len(rest) < 4 and not named & known:
        hosts = ", ".join(dict.fromkeys(gateway.host for gateway in gateways))
        yield _both("6.1", answer, hosts)


def _rules(dossier: Dossier, answer: Answer) -> Iterator[Text]:
    named, method = named_methods(answer.answer), dossier.routing.method
    is_set = "method" in dossier.routing.model_fields_set and method in _ROUTED
    if is_set and len(named) == 1 and _ROUTED[method] not in named:
        yield _both("6.3", answer, term(method))


def _addresses(dossier: Dossier, answer: Answer) -> Iterator[Text]:
    """A line with the name of one gateway and an address that is none of those that are set."""
    both = (*dossier.gateways.receiving, *dossier.gateways.sending)
    for line in answer.answer.casefold().splitlines():
        given, rest = addresses_in(line)
        hosts = _HOST.findall(rest)
        beside = _ADDRESS_WORDS.sub(" ", _HOST.sub(" ", rest))
        if len(hosts) != 1 or not given or re.search(r"[^\W_]", beside):
            continue
        known = {ipaddress.ip_address(a) for g in both if g.host == hosts[0] for a in g.addresses}
        outer = [a for a in given if not any(a in network for network in _INNER)]
        if known and len(outer) == len(given) and not known & set(given):
            told = ", ".join(sorted(map(str, known)))
            yield _both("6.4", answer, say("{label}: {value}", label=hosts[0], value=told))


def _clients(dossier: Dossier, answer: Answer) -> Iterator[Text]:
    clients = dossier.mail_clients
    for program, number in counted(answer.answer):
        same = [client for client in clients if client.program is program]
        users = [client.users for client in same if client.users is not None]
        if same and len(users) == len(same) and sum(users) != number:
            name = client_name(same[0])
            yield _both("6.5", answer, say("{label}: {value}", label=name, value=sum(users)))
    named = named_add_ins(answer.answer)
    chosen = {client.add_in for client in clients if client.add_in not in (None, AddIn.NONE)}
    if len(named) == 1 and chosen and not named & chosen:
        yield _both("6.5", answer, term(next(iter(chosen))))


def _watched(dossier: Dossier, answer: Answer) -> Iterator[Text]:
    told = decided(dossier, "6.7")
    if told and says_nothing_watches(answer.answer):
        yield _both("6.7", answer, told[0])


def _day(dossier: Dossier, answer: Answer) -> Iterator[Text]:
    said = only_date(answer.answer)
    if dossier.go_live and said and said != dossier.go_live:
        yield _both("7.3", answer, say("Going live on {day}", day=dossier.go_live))
    if dossier.go_live is None and answer.state is State.CLEAR:
        yield say("Question 7.3 is said to be clear, but no date is set for going live.")


def _if_certain(
    look: Callable[[Dossier, Answer], Iterator[Text]],
) -> Callable[[Dossier, Answer], Iterator[Text]]:
    def looked(dossier: Dossier, answer: Answer) -> Iterator[Text]:
        return iter(()) if is_doubtful(answer.answer) else look(dossier, answer)

    return looked


_LOOKS: dict[str, Callable[[Dossier, Answer], Iterator[Text]]] = {
    "6.1": _if_certain(_machines),
    "6.3": _if_certain(_rules),
    "6.4": _addresses,
    "6.5": _if_certain(_clients),
    "6.7": _watched,
    "7.3": _day,
}
