"""The network matrix as rules for packet filters: addresses only, names never."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Iterable
from typing import Literal, get_args

from incamail_lib.documents.matrix import Pair
from incamail_lib.dossier.agreed import Direction
from incamail_lib.dossier.words import term
from incamail_lib.guide import Certainty
from incamail_lib.i18n import Language, Text, say, say_n
from incamail_lib.sheets.telling import told

Syntax = Literal["nftables", "asa"]
SYNTAXES: tuple[Syntax, ...] = get_args(Syntax)

# On ASCII-only consoles; all other letters lose their accents.
_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "œ": "oe"}
    | {"«": '"', "»": '"', "–": "-", "’": "'"}
)
_LISTS = {Direction.OUTGOING: "INCAMAIL-OUT", Direction.INCOMING: "INCAMAIL-IN"}
_CERTAIN = (Certainty.PRIMARY, Certainty.SECONDARY)


def network_rules(
    found: Iterable[Pair], syntax: Syntax, language: Language, *, on_lab: bool = False
) -> str:
    """The pairs whose addresses are both known, as text to be reviewed and loaded.

    What comes from a lab or leads to the loopback interface opens no firewall: it is a comment.

    nftables: `nft -f`, again and again with the same result. asa: configuration mode.
    Names stand in no rule and no comment: they come from files and from the DNS.
    """
    pairs = tuple(found)
    known = tuple(p for p in pairs if p.source.address and p.target.address)
    write = _nftables if syntax == "nftables" else _asa
    marked = tuple((pair, on_lab or _stays_here(pair)) for pair in known)
    lead = _introduction(pairs, known, has_samples=any(sample for _, sample in marked))
    return "\n".join(write(marked, lead, language)) + "\n"


def _stays_here(pair: Pair) -> bool:
    """Whether an end is an address that never leaves its machine."""
    ends = (ipaddress.ip_address(side.address) for side in (pair.source, pair.target))
    return any(address.is_loopback or address.is_unspecified for address in ends)


def _nftables(
    known: Iterable[tuple[Pair, bool]], lead: tuple[Text, ...], language: Language
) -> list[str]:
    hint = say(
        "Reach this chain by a rule in your own forward chain: jump incamail. Replies must already "
        "be let through as established connections."
    )
    lines = [f"# {told(text, language)}" for text in (*lead, hint)]
    lines += [
        "add table inet filter",
        "add chain inet filter incamail",
        "flush chain inet filter incamail",
    ]
    for pair, sample in known:
        lines += [f"# {told(text, language)}" for text in _doubts(pair)]
        rule = f"add rule inet filter incamail {_match(pair)} counter accept"
        lines.append(f"# {rule}" if sample else rule)
    return list(_without_repeats(lines))


def _match(pair: Pair) -> str:
    source = ipaddress.ip_address(pair.source.address)
    target = ipaddress.ip_address(pair.target.address)
    family = "ip" if source.version == 4 else "ip6"
    return f"{family} saddr {source} {family} daddr {target} tcp dport {pair.target.port}"


def _asa(
    known: Iterable[tuple[Pair, bool]], lead: tuple[Text, ...], language: Language
) -> list[str]:
    hint = say(
        "One list for each direction: bind it to an interface with access-group, or enter its "
        "lines into the list that is bound already. SMTP inspection must allow TLS (allow-tls)."
    )
    lines = [remark(text, language) for text in (*lead, hint)]
    for pair, sample in known:
        lines += [remark(text, language) for text in _doubts(pair)]
        source = ipaddress.ip_address(pair.source.address)
        target = ipaddress.ip_address(pair.target.address)
        ends = f"host {source} host {target} eq {pair.target.port}"
        rule = f"access-list {_LISTS[pair.direction]} extended permit tcp {ends}"
        lines.append(f"! {rule}" if sample else rule)
    return list(_without_repeats(lines))


def remark(text: Text, language: Language) -> str:
    """A comment line for an ASA, in ASCII."""
    letters = unicodedata.normalize("NFKD", str(told(text, language)).translate(_LETTERS))
    return f"! {letters.encode('ascii', 'ignore').decode()}"


def _introduction(
    pairs: tuple[Pair, ...], known: tuple[Pair, ...], *, has_samples: bool
) -> tuple[Text, ...]:
    texts = [
        say("SMTP between the organisation and IncaMail. Have it reviewed before you load it."),
        say(
            "Not among these rules: HTTPS (TCP 443) from the browsers of the users to IncaMail. "
            "Let it through by name; the network matrix gives the names."
        ),
    ]
    if has_samples:
        texts.append(
            say(
                "Not to be loaded: rules of the lab, or of addresses that never leave their "
                "machine, stand here as comments."
            )
        )
    left_out = len(pairs) - len(known)
    if left_out:
        texts.append(
            say_n(
                "Not complete: {n} connection is left out, because an address is missing.",
                "Not complete: {n} connections are left out, because an address is missing.",
                left_out,
            )
        )
    absent = (d for d in Direction if all(pair.direction is not d for pair in pairs))
    texts += [
        say("Not complete: no gateways are known for mail that is {direction}.", direction=term(d))
        for d in absent
    ]
    return tuple(texts)


def _doubts(pair: Pair) -> tuple[Text, ...]:
    if pair.source.certainty in _CERTAIN and pair.target.certainty in _CERTAIN:
        return ()
    return (say("The next address is unconfirmed: ask Swiss Post before you load this line."),)


def _without_repeats(lines: Iterable[str]) -> Iterable[str]:
    """Two hosts may share an address; one rule is enough."""
    seen: set[str] = set()
    for line in lines:
        rule = not line.startswith(("#", "!"))
        if rule and line in seen:
            continue
        seen.add(line)
        yield line
