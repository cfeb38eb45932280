"""What can be read for certain out of an answer that a person wrote in one of four languages.

Only whole, plain phrases count. The lists are short on purpose: what they lack stays unread.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterator
from functools import cache

from incamail_lib.dossier.agreed import AddIn, Program
from incamail_lib.i18n import LANGUAGES, LOCALES

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Negation, condition, contrast, time, doubt: with one of them an answer may mean anything.
_DOUBT = re.compile(
    r"[?]|n[’']t\b|\bn[’']"
    r"|\b(?:no|not|never|none|without|neither|nor|cannot|instead|rather|but|except|unless|until|"
    r"later|first|then|formerly|previously|currently|today|planned|maybe|perhaps|possibly|or|"
    r"either|if|when|once|was|were|tried|tested|about|approximately|around|over|least|most|pilot|"
    r"ne|pas|non|jamais|aucune?|sans|ni|plutôt|lieu|mais|sauf|jusqu\w*|plus|puis|ensuite|avant|"
    r"après|aujourd\w*|actuellement|prévue?s?|peut-être|ou|si|quand|environ|moins|pilote|ancien\w*|"
    r"nicht|kein\w*|nie|niemals|ohne|weder|statt|anstatt|anstelle|sondern|aber|ausser|außer|bis|"
    r"später|zuerst|dann|bisher|früher|heute|derzeit|geplant|vielleicht|eventuell|oder|allenfalls|"
    r"falls|wenn|sobald|etwa|rund|circa|ca|ungefähr|mindestens|höchstens|pilot\w*|getestet|"
    r"nessun\w*|mai|senza|né|invece|ma|piuttosto|tranne|eccetto|fino|più|prima|poi|dopo|oggi|"
    r"attualmente|previst\w*|forse|oppure|o|se|quando|almeno|pilota)\b",
    re.IGNORECASE,
)
_BY_DOMAIN = re.compile(
    r"\bby (?:the )?(?:recipient(?:[’']s)? )?(?:domain|suffix)\b|\b(?:domain|suffix)-based\b"
    r"|\b(?:par|selon|d[’']après|en fonction du) (?:le |du )?(?:domaine|suffixe)\b"
    r"|\b(?:nach|über|anhand|per|via) (?:de[mrs] |das |die )?(?:domain|domäne|suffix)\w*"
    r"|\bdomä?(?:in|nen)-?basiert"
    r"|\b(?:per|secondo|in base al) (?:il )?(?:dominio|suffisso)\b",
    re.IGNORECASE,
)
_BY_CONTENT = re.compile(
    r"\bby (?:the )?(?:content|subject)s?\b|\b(?:content|subject)-based\b|\bcontent routing\b"
    r"|\b(?:par|selon|d[’']après|en fonction d[ue]) (?:le |du |de )?(?:l[’'])?(?:contenu|objet)\b"
    r"|\b(?:nach|über|anhand|per|via) (?:de[mns] |des )?(?:inhalt|betreff)\w*"
    r"|\b(?:inhalts?|betreff)-?basiert|\binhalts?routing\b"
    r"|\b(?:per|secondo|in base al) ?(?:il |l)?[’']?(?:contenuto|oggetto)\b"
    r"|\bin base all[’']oggetto\b",
    re.IGNORECASE,
)
_PROGRAMS: dict[Program, re.Pattern[str]] = {
    Program.OUTLOOK_CLASSIC: re.compile(
        r"outlook \(?(?:classic|klassisch|classique|classico)\b\)?|\bclassic outlook\b"
        r"|\bklassische[ns]? outlook\b",
        re.IGNORECASE,
    ),
    Program.OUTLOOK_NEW: re.compile(
        r"\b(?:new|neue[ns]?|nouvel|nouveau|nuovo) outlook\b"
        r"|outlook \(?(?:new|neu|nouveau|nuovo)\b",
        re.IGNORECASE,
    ),
    Program.OUTLOOK_WEB: re.compile(r"outlook (?:on the|im|sur le|sul) web\b", re.IGNORECASE),
    Program.OUTLOOK_MAC: re.compile(r"outlook (?:for|für|pour|per) mac\b", re.IGNORECASE),
    Program.NOTES: re.compile(r"\b(?:lotus|hcl)[ -]notes\b", re.IGNORECASE),
    Program.GROUPWISE: re.compile(r"\bgroupwise\b", re.IGNORECASE),
}
_USERS = (
    r"(?:users?|people|workplaces?|utilisa(?:teur|trice)s?|personnes?|postes?|collabora(?:teur|"
    r"trice)s?|Benutzer\w*|Nutzer\w*|Personen|Arbeitsplätze?n?|Mitarbeitende\w*|utent[ei]|persone|"
    r"postazion[ei]|collaborator[ei])"
)
_NUMBER = re.compile(rf"(?<![\w.])(\d+)\s+(?={_USERS}\b)", re.IGNORECASE)
_JOINED = re.compile(r"[/&+]|\b(?:and|et|und|e|ed)\b", re.IGNORECASE)
_ADD_INS = {
    AddIn.HTML: re.compile(r"\bHTML[- ]add-?in|\badd-?in HTML\b", re.IGNORECASE),
    AddIn.COM: re.compile(r"\bCOM[- ]add-?in|\badd-?in COM\b", re.IGNORECASE),
}
_NOBODY = re.compile(
    r"(?:none|no monitoring|not monitored|aucune?|aucune surveillance|pas de surveillance|"
    r"keine?|keine überwachung|nicht überwacht|nessuno|nessun monitoraggio)[.!]?",
    re.IGNORECASE,
)
_AROUND_A_DATE = re.compile(
    r"(?:on|the|date|day|go|live|golive|going|go-live|fixed|start|from|is"
    r"|le|la|du|au|à|partir|dès|fixée?|mise|en|service|jour|connexion"
    r"|am|ab|der|den|dem|das|termin|datum|festgelegt|inbetriebnahme|einführung|ist"
    r"|il|dal|data|fissata|messa|servizio|avvio|è"
    r"|monday|tuesday|wednesday|thursday|friday|lundi|mardi|mercredi|jeudi|vendredi"
    r"|montag|dienstag|mittwoch|donnerstag|freitag"
    r"|lunedì|martedì|mercoledì|giovedì|venerdì)"
)
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]+)(?![\w.:])", re.IGNORECASE
)


def is_doubtful(prose: str) -> bool:
    """Whether an answer holds a word after which nothing in it is certain."""
    return _DOUBT.search(prose) is not None


def named_methods(prose: str) -> frozenset[str]:
    """By what mail is said to be routed: "domain", "content" or both."""
    patterns = (("domain", _BY_DOMAIN), ("content", _BY_CONTENT))
    return frozenset(name for name, pattern in patterns if pattern.search(prose))


def counted(prose: str) -> Iterator[tuple[Program, int]]:
    """How many people are said to use a mail client, of each part that says just that."""
    for part in re.split(r"[,;.\n]", prose):
        programs = [program for program, name in _PROGRAMS.items() if name.search(part)]
        numbers = _NUMBER.findall(part)
        digits = re.findall(r"\d+", part)
        if len(programs) == len(numbers) == len(digits) == 1 and not _JOINED.search(part):
            yield programs[0], int(numbers[0])


def named_add_ins(prose: str) -> frozenset[AddIn]:
    """Which kinds of add-in an answer names."""
    return frozenset(kind for kind, name in _ADD_INS.items() if name.search(prose))


def says_nothing_watches(prose: str) -> bool:
    """Whether the whole answer says that nothing is watched."""
    return _NOBODY.fullmatch(prose.strip()) is not None


def only_date(prose: str) -> dt.date | None:
    """The date of which an answer consists, but for such words as stand around one."""
    found = list(_date_pattern().finditer(prose))
    if len(found) != 1:
        return None
    rest = prose[: found[0].start()] + " " + prose[found[0].end() :]
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", rest.casefold())
    return _date(found[0]) if all(map(_AROUND_A_DATE.fullmatch, words)) else None


def _date(found: re.Match[str]) -> dt.date | None:
    parts = {name: value for name, value in found.groupdict().items() if value}
    year = next(parts[name] for name in ("y1", "y2", "y3") if name in parts)
    day = next(parts[name] for name in ("d1", "d2", "d3") if name in parts)
    month = parts.get("m1") or parts.get("m2") or _months()[parts["name"].casefold()]
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


@cache
def _months() -> dict[str, int]:
    from babel.dates import get_month_names

    names = (get_month_names("wide", locale=LOCALES[language]).items() for language in LANGUAGES)
    return {name.casefold(): number for months in names for number, name in months}


@cache
def _date_pattern() -> re.Pattern[str]:
    months = "|".join(map(re.escape, _months()))
    return re.compile(
        r"\b(?P<y1>20\d\d)-(?P<m1>\d\d)-(?P<d1>\d\d)\b"
        r"|\b(?P<d2>\d{1,2})[./] ?(?P<m2>\d{1,2})[./] ?(?P<y2>20\d\d)\b"
        rf"|\b(?P<d3>\d{{1,2}})(?:\.|er|°)? (?P<name>{months}) (?P<y3>20\d\d)\b",
        re.IGNORECASE,
    )


def addresses_in(line: str) -> tuple[tuple[IpAddress, ...], str]:
    """The addresses that a line names, and the line without them."""
    found: list[IpAddress] = []
    for text in _ADDRESS.findall(line):
        try:
            found.append(ipaddress.ip_address(text))
        except ValueError:
            return (), line
    return tuple(found), _ADDRESS.sub(" ", line)
