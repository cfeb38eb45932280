"""The file of waivers beside the dossiers: which failure is accepted, why, by whom, how long.

    waivers:
      - organisation: Muster AG
        check: TLS03
        subject: mx1.muster.example   # as the finding names it, or the host; without: everywhere
        reason: The scanner in the archive speaks TLS 1.0 until it is replaced in March.
        requested_by: {name: Anna Muster, email: anna.muster@muster.example}
        approved_by: {name: Beat Beispiel, email: beat.beispiel@provider.example}
        approved_on: 2026-11-20
        expires: 2027-03-31

Who asks may not approve, by whatever spelling. One waiver is for one check of one organisation,
for a year at most. A file that is wrong in any place stops the run: nobody shall believe that
something is accepted, or is not.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError

from incamail_lib.checks import ALL_CHECKS
from incamail_lib.dossier.reading import plain
from incamail_lib.errors import IncaMailError, reason
from incamail_lib.files import read_bounded
from incamail_lib.findings import Audit, Person, Waiver
from incamail_lib.i18n import N_, Text, say, say_n
from incamail_lib.printable import ACTING, printable
from incamail_lib.record import Record

WAIVERS = "waivers.yaml"
LONGEST = dt.timedelta(days=366)
MOST = 10  # of one organisation: with more, not the failures are the exception
_BYTES = 1_000_000
_LINE = 200
_REASON = 20  # characters that say more than "ok"
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TITLES = frozenset({"dr", "prof", "lic", "dipl", "ing", "herr", "frau", "mme"})


class WaiverError(IncaMailError):
    """The file of waivers is wrong; the text names file, entry, field and remedy. It is no error
    of one dossier: it stops the whole run."""


def _iso(given: object) -> object:
    """A date as it is written: digits alone would be taken for seconds."""
    if not (isinstance(given, str) and _DAY.fullmatch(given)):
        raise ValueError("no_date")
    return given


_Day = Annotated[dt.date, BeforeValidator(_iso)]


class _Written(Waiver):
    """A waiver as it must stand in the file."""

    organisation: str = Field(min_length=1, max_length=_LINE)
    check: str = Field(min_length=1, max_length=_LINE)
    subject: str = Field(default="", max_length=_LINE)
    reason: str = Field(min_length=_REASON, max_length=2000)
    approved_on: _Day
    expires: _Day


class _File(Record):
    schema_: Annotated[Literal["1"], Field(alias="schema")] = "1"
    waivers: tuple[_Written, ...]


def read_waivers(path: Path, today: dt.date) -> tuple[Waiver, ...]:
    """The waivers of a file; none where there is no such file.

    Errors: WaiverError for whatever is wrong with any of them.
    """
    try:
        text = read_bounded(path, _BYTES).decode("utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        cause = reason(error) if isinstance(error, OSError) else "UTF-8"
        raise WaiverError(
            say(
                "The waivers in {file} cannot be read ({cause}). Nothing was audited: mend the "
                "file or take it away.",
                file=str(path),
                cause=cause,
            )
        ) from None
    return _checked(text, path, today)


@lru_cache(maxsize=4)  # a run reads the same file for each dossier beside it
def _checked(text: str, path: Path, today: dt.date) -> tuple[Waiver, ...]:
    waivers = tuple(Waiver(**dict(one)) for one in _validated(_data(text, path), path).waivers)
    for number, waiver in enumerate(waivers, start=1):
        problem = _refusal(waiver, today)
        if problem is not None:
            raise WaiverError(_at(path, number, problem))
    _refuse_too_many(waivers, path)
    return waivers


def waivers_text(waivers: Iterable[Waiver]) -> bytes:
    """Waivers as a file that `read_waivers` reads."""
    every = [waiver.model_dump(mode="json") for waiver in waivers]
    return yaml.safe_dump({"waivers": every}, allow_unicode=True, sort_keys=False).encode()


def _data(text: str, path: Path) -> Any:
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
                raise WaiverError(_line(path, event.start_mark, say(_NO_REFERENCES)))
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", "")
        raise WaiverError(_not_yaml(path, mark, problem or type(error).__name__)) from None
    _refuse_twice(root, path)
    return plain(root) if root is not None else None


def _not_yaml(path: Path, mark: Any, problem: str) -> Text:
    told = say(
        "this is not valid YAML ({problem}). Check indentation, colons and quotes there.",
        problem=printable(problem, 200),
    )
    return _line(path, mark, told)


def _line(path: Path, mark: Any, problem: Text) -> Text:
    return say(
        "{file}, line {line}: {problem} Nothing was audited.",
        file=str(path),
        line=mark.line + 1 if mark else 1,
        problem=problem,
    )


_NO_REFERENCES = N_("anchors, aliases and tags (&, * and !) are not supported; repeat the value.")


def _refuse_twice(node: yaml.Node | None, path: Path) -> None:
    """Refuse fields that appear twice: which of them counts, nobody sees."""
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _refuse_twice(each, path)
    if isinstance(node, yaml.MappingNode):
        names = [str(key.value) for key, _ in node.value]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            told = say("the field «{field}» appears twice; keep one.", field=printable(twice, 80))
            raise WaiverError(_line(path, node.start_mark, told))
        for _, each in node.value:
            _refuse_twice(each, path)


def _validated(data: Any, path: Path) -> _File:
    try:
        return _File.model_validate(data)
    except ValidationError as error:
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        where = [part for part in first["loc"] if part not in ("waivers", "tuple")]
        number = where[0] + 1 if where and isinstance(where[0], int) else 0
        field = ".".join(str(part) for part in where if not isinstance(part, int)) or "waivers"
        allowed = ", ".join(_Written.model_fields) if number else "schema, waivers"
        kind = _KINDS.get(first["type"]) or _KINDS["value_error"]
        problem = say(kind, field=printable(field, 80), allowed=allowed)
        raise WaiverError(_at(path, number, problem)) from None


_KINDS = {
    "extra_forbidden": N_("the field «{field}» is not known. Allowed here: {allowed}."),
    "missing": N_("the field «{field}» is missing."),
    "string_too_short": N_("the field «{field}» says too little: a sentence is needed."),
    "value_error": N_("the field «{field}» cannot be what stands there. Allowed here: {allowed}."),
}


def _at(path: Path, number: int, problem: Text) -> Text:
    if not number:
        return say("{file}: {problem} Nothing was audited.", file=str(path), problem=problem)
    return say(
        "{file}, waiver {number}: {problem} Nothing was audited.",
        file=str(path),
        number=number,
        problem=problem,
    )


def _refusal(waiver: Waiver, today: dt.date) -> Text | None:
    """Why a waiver cannot stand; None if it can."""
    if _has_unseen(waiver):
        return say("an invisible character stands in it. Type the words anew.")
    if waiver.check not in {check.code for check in ALL_CHECKS}:
        return say(
            "«{given}» is no check. Name one by its code, such as TLS03; none stands for several.",
            given=printable(waiver.check, 40),
        )
    for person in (waiver.requested_by, waiver.approved_by):
        if not _is_person(person):
            return say(
                "«{name}» ({email}) is no person. Write first and last name in Latin letters, and "
                "an e-mail address.",
                name=printable(person.name, 80),
                email=printable(person.email, 80),
            )
    if same_person(waiver.requested_by, waiver.approved_by):
        return say(
            "{name} cannot approve what {other} asked for: it is the same person. Somebody else "
            "must approve.",
            name=waiver.approved_by.name,
            other=waiver.requested_by.name,
        )
    return _wrong_time(waiver, today)


def _wrong_time(waiver: Waiver, today: dt.date) -> Text | None:
    if waiver.approved_on > today:
        return say("it is approved on {day}, which is yet to come.", day=waiver.approved_on)
    if waiver.expires < waiver.approved_on:
        return say("it ends on {day}, before it is approved.", day=waiver.expires)
    if waiver.expires - waiver.approved_on > LONGEST:
        return say(
            "it ends on {day}. A waiver is for a year at most; then it is approved anew.",
            day=waiver.expires,
        )
    return None


def _has_unseen(waiver: Waiver) -> bool:
    people = (waiver.requested_by, waiver.approved_by)
    texts = (waiver.organisation, waiver.subject, *(t for p in people for t in (p.name, p.email)))
    return any(unicodedata.category(c) in ACTING for text in texts for c in text)


def _is_person(person: Person) -> bool:
    """First and last name and an address, in letters that cannot be taken for others."""
    if len(person.name) > _LINE or len(person.email) > _LINE:
        return False
    is_named = len(_words(person.name)) >= 2 and bool(_MAIL.fullmatch(person.email))
    return is_named and _is_latin(person.name + person.email)


def _is_latin(text: str) -> bool:
    """Whether every letter is one of a to z, with or without marks: others may look the same."""
    return all(c.isascii() for c in _plain_letters(text) if c.isalpha())


def same_person(one: Person, other: Person) -> bool:
    """Whether two entries are the same person: by name or address, or the name of one by the
    address of the other; case, accents, order, titles and initials do not matter."""
    names = _words(one.name), _words(other.name)
    mails = _local(one), _local(other)
    same_domain = _domain(one) == _domain(other)
    # info@ of two companies is two people; anna.muster@ is one, wherever she reads her mail.
    if _letters(mails[0]) == _letters(mails[1]) and (same_domain or len(mails[0]) > 1):
        return True
    if names[0] <= names[1] or names[1] <= names[0]:
        return True
    crossed = ((names[0], mails[1]), (names[1], mails[0]))
    return any(name <= mail or _letters(name) == _letters(mail) for name, mail in crossed)


def _letters(words: Iterable[str]) -> str:
    """The letters of some words, so that annamuster and muster.anna compare."""
    return "".join(sorted("".join(words)))


def _words(name: str) -> frozenset[str]:
    """The words of a name as they compare: plain letters, no initials and titles."""
    words = re.findall(r"[^\W\d_]+", _plain_letters(name))
    return frozenset(_folded(word) for word in words if len(word) > 1 and word not in _TITLES)


def _plain_letters(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(_BARRED))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


# Letters of European names that Unicode does not take apart.
_BARRED = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "ı": "i"})


def _folded(word: str) -> str:
    """Müller is written Mueller too, and Muller where there is no ü."""
    return re.sub(r"([aou])e", r"\1", word)


def _local(person: Person) -> frozenset[str]:
    """The words before the @, without what stands behind a plus sign."""
    return _words(person.email.partition("@")[0].partition("+")[0])


def _domain(person: Person) -> str:
    return person.email.rpartition("@")[2].casefold()


def _refuse_too_many(waivers: Sequence[Waiver], path: Path) -> None:
    """Refuse two of the same, and so many that they stand for all. Errors: WaiverError."""
    seen: set[tuple[str, str, str]] = set()
    for number, waiver in enumerate(waivers, start=1):
        key = (_organisation(waiver.organisation), waiver.check, waiver.subject)
        if key in seen:
            raise WaiverError(_at(path, number, say("the same stands above. Keep one of them.")))
        seen.add(key)
    for organisation, count in Counter(name for name, _, _ in seen).items():
        if count > MOST:
            told = say_n(
                "«{organisation}» has {n} waiver; {limit} are allowed. With more, failing is the "
                "rule.",
                "«{organisation}» has {n} waivers; {limit} are allowed. With more, failing is the "
                "rule.",
                count,
                organisation=organisation,
                limit=MOST,
            )
            raise WaiverError(_at(path, 0, told))


def _organisation(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def waivers_of(organisation: str, waivers: Iterable[Waiver]) -> tuple[Waiver, ...]:
    """Those of one organisation; blanks and case do not matter."""
    name = _organisation(organisation)
    return tuple(w for w in waivers if _organisation(w.organisation) == name)


def waiver_notes(audit: Audit, known: Iterable[Waiver] = ()) -> tuple[Text, ...]:
    """What is accepted, by whom and until when; what is so no longer; what meets no failure."""
    day = audit.judged_at.date()
    notes = [_note(waiver, waiver.holds_on(day)) for waiver in audit.waivers]
    for waiver in waivers_of(audit.facts.declared.organisation, known):
        if waiver not in audit.waivers:
            notes.append(say(_UNUSED, check=waiver.check))
    return tuple(notes)


_UNUSED = N_("The waiver of {check} meets nothing that fails. Take it out of the file.")


def _note(waiver: Waiver, holds: bool) -> Text:
    told: dict[str, Any] = {"check": waiver.check, "day": waiver.expires}
    if not holds:
        return say("The waiver of {check} ended on {day}: what fails there counts again.", **told)
    return say(
        "{check} fails and is accepted until {day} by {name}: {reason}",
        name=waiver.approved_by.name,
        reason=waiver.reason,
        **told,
    )
