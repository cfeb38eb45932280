"""What would break: `incamail judge` with another platform, certificate or trust store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from incamail_lib.audit import load_facts
from incamail_lib.audit.trusting import store_named
from incamail_lib.audit.what_if import (
    Supposition,
    Whose,
    replacement_from,
    roots_of,
    suppose,
    unnamed_authority,
)
from incamail_lib.changes import Change, Kind, alarms, compare_supposed
from incamail_lib.checks import judge_facts
from incamail_lib.cli._console import Styled, out, print_json
from incamail_lib.errors import UsageError
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.findings import Level, Outcome, Verdict
from incamail_lib.guide import load_platform
from incamail_lib.history import History
from incamail_lib.i18n import N_, Text, Translator, say, say_n
from incamail_lib.outputs import FACTS, RECORD
from incamail_lib.report.words import labelled, word

_FINGERPRINT = 64  # hexadecimal digits of a SHA-256


@dataclass(frozen=True)
class Supposed:
    """One organisation as it is and as it would be; no verdicts where no audit is kept."""

    organisation: str
    today: Verdict | None
    supposed: Verdict | None
    changes: tuple[Change, ...]

    @property
    def breaks(self) -> bool:
        """Whether something would fail that does not fail today."""
        return any(c.outcome is Outcome.FAILED for c in alarms(self.changes))

    @property
    def is_open(self) -> bool:
        """Whether something required could not be told any more, or nothing at all."""
        return self.supposed is None or (not self.breaks and bool(alarms(self.changes)))

    def summary(self) -> dict[str, Any]:
        """As plain data for --json."""
        return {
            "organisation": self.organisation,
            "today": self.today and self.today.value,
            "supposed": self.supposed and self.supposed.value,
            "breaks": self.breaks,
            "open": self.is_open,
            "changes": [change.model_dump(mode="json") for change in self.changes],
        }


def supposition_of(
    platform: Path | None,
    certificate: Path | None,
    whose: Whose,
    *,
    stores: Sequence[str] = (),
    distrusted: Sequence[str] = (),
) -> Supposition:
    """What the options suppose. Errors: GuideError, MaterialError or UsageError for a file that
    cannot be used."""
    return Supposition(
        platform=load_platform(platform) if platform else None,
        replacement=replacement_from(certificate, whose) if certificate else None,
        stores=tuple(store_named(name) for name in stores),
        distrusted=frozenset(root for given in distrusted for root in _roots(given)),
    )


def _roots(given: str) -> frozenset[str]:
    plain = given.replace(":", "").lower()
    if len(plain) == _FINGERPRINT and all(c in "0123456789abcdef" for c in plain):
        return frozenset({plain})
    if not Path(given).exists():
        raise UsageError(
            say(
                "--distrust takes a file with roots or the SHA-256 of one, not «{given}».",
                given=given,
            )
        )
    return roots_of(Path(given))


def records_in(arguments: Sequence[Path]) -> tuple[Path, ...]:
    """Files of facts or audits: those named, and below folders the newest of each organisation.

    Errors: UsageError for a folder without any.
    """
    found: list[Path] = []
    for path in arguments:
        if not path.is_dir():
            found.append(path)
            continue
        below = sorted({r.parent for name in (RECORD, FACTS) for r in path.rglob(name)})
        if not below:
            raise UsageError(say("There is no audit in {folder}.", folder=str(path)))
        newest = {folder.parent: folder for folder in below}  # names are times, the last is newest
        found += [folder / RECORD for folder in newest.values()]
    return tuple(path if path.exists() else path.with_name(FACTS) for path in found)


def each_supposed(
    records: Sequence[Path], supposition: Supposition, now: dt.datetime
) -> Iterator[Supposed]:
    """Every organisation as it would be, one after the other.

    Errors: MaterialError for a damaged file.
    """
    for path in records:
        yield one_supposed(load_facts(path), supposition, now)


def of_run(
    file: Path, number: int, supposition: Supposition, now: dt.datetime
) -> Iterator[Supposed]:
    """Every organisation of a run that is kept, as it would be. Errors: HistoryError."""
    with History.open(file) as history:
        run = history.run(number).number
        for digest in history.digests(run):
            audit = history.audit(run, digest.organisation, digest.dossier)
            if audit is None:
                yield Supposed(digest.organisation, None, None, ())
            else:
                yield one_supposed(audit.facts, supposition, now)


def one_supposed(facts: AuditFacts, supposition: Supposition, now: dt.datetime) -> Supposed:
    """One organisation as it is by saved facts, and as it would be."""
    today = judge_facts(facts, now)
    then = judge_facts(suppose(facts, supposition, now), now)
    unnamed = (
        Change(
            kind=Kind.WORSE,
            subject=subject,
            level=Level.RECOMMENDED,
            text=say(_UNNAMED, issuer=issuer),
            outcome=Outcome.FAILED,
            alarm=True,
        )
        for subject, issuer in unnamed_authority(facts, supposition.replacement)
    )
    changes = (*compare_supposed(today, then), *unnamed)
    return Supposed(facts.declared.organisation, today.verdict, then.verdict, changes)


_UNNAMED = N_(
    "The gateway names the authorities whose client certificates it takes. IncaMail's of today is "
    "among them, {issuer} is not."
)


def tell(found: Sequence[Supposed], t: Translator, *, as_json: bool) -> int:
    """Print who would break and what could not be told; the exit code."""
    if as_json:
        print_json([one.summary() for one in found])
    else:
        _print(found, t)
    if any(one.breaks for one in found):
        return Verdict.NOT_READY.exit_code
    return Verdict.INCONCLUSIVE.exit_code if any(one.is_open for one in found) else 0


def _print(found: Sequence[Supposed], t: Translator) -> None:
    for one in sorted(found, key=lambda each: (not each.breaks, not each.is_open)):
        if one.today is None or one.supposed is None:
            told = say("no whole audit is kept of that run")
        elif not one.changes:
            continue
        else:
            told = say("{today}, would be {then}", today=word(one.today), then=word(one.supposed))
        style = "bold red" if one.breaks else "bold yellow" if one.is_open else "bold"
        out().print(Styled(t.text(labelled(one.organisation, told)), style))
        for change in one.changes:
            out().print(Styled(f"  {_line(change, t)}"))
    for text in _sums(found):
        out().print(Styled(t.text(text)))


def _line(change: Change, t: Translator) -> str:
    where = f" ({change.subject})" if change.subject else ""
    return f"{change.code or '–'}{where} {t.text(change.text)}"


def _sums(found: Sequence[Supposed]) -> Iterator[Text]:
    total = len(found)
    breaking, opened = sum(o.breaks for o in found), sum(o.is_open for o in found)
    yield say_n(
        "{n} of {total} organisations would break.",
        "{n} of {total} organisations would break.",
        breaking,
        total=total,
    )
    if opened:
        yield say_n(
            "Of {n} more it cannot be told from what was measured.",
            "Of {n} more it cannot be told from what was measured.",
            opened,
        )
