"""Two runs side by side: which organisations came and went, and what changed for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from incamail_lib.changes import Change, Kind, alarms, compare
from incamail_lib.findings import Level, Verdict
from incamail_lib.history.digest import Digest
from incamail_lib.history.store import History, Run
from incamail_lib.i18n import Text, say


@dataclass(frozen=True)
class Between:
    """One organisation in two runs; None where it is in one of them only."""

    organisation: str  # with its dossier, where there are several of it
    before: Digest | None
    after: Digest | None
    changes: tuple[Change, ...] = ()
    note: Text | None = None  # why not everything could be compared

    def summary(self) -> dict[str, Any]:
        """As plain data for --json."""
        return {
            "organisation": self.organisation,
            "dossier": told.dossier if (told := self.after or self.before) else "",
            "before": _verdict(self.before),
            "after": _verdict(self.after),
            "changes": [change.model_dump(mode="json") for change in self.changes],
            "note": self.note.english() if self.note else None,
        }


def _verdict(digest: Digest | None) -> str | None:
    return digest.verdict.value if digest and digest.verdict else None


def difference(history: History, before: Run, after: Run) -> Iterator[Between]:
    """Each organisation of either run that is not the same in both, by name.

    Errors: HistoryError.
    """
    then = {(d.organisation, d.dossier): d for d in history.digests(before.number)}
    now = {(d.organisation, d.dossier): d for d in history.digests(after.number)}
    times = Counter(name for name, _ in then.keys() | now.keys())
    for key in sorted(then.keys() | now.keys()):
        found = _between(history, before, after, then.get(key), now.get(key))
        if times[key[0]] > 1:
            found = replace(found, organisation=f"{key[0]} ({key[1]})")
        if found.changes or found.note:
            yield found


def _between(
    history: History, before: Run, after: Run, then: Digest | None, now: Digest | None
) -> Between:
    told = then or now
    assert told is not None
    if then is None or now is None:
        return Between(told.organisation, then, now, (_came_or_went(now is not None, now),))
    changes = list(_problems(then, now))
    if then.verdict is None or now.verdict is None:
        return Between(told.organisation, then, now, tuple(changes))
    if now.compared_with == before.number:
        return Between(told.organisation, then, now, now.changes)
    if now.fingerprint == then.fingerprint:
        return Between(told.organisation, then, now)
    old = history.audit(before.number, then.organisation, then.dossier)
    new = history.audit(after.number, now.organisation, now.dossier)
    if old is None or new is None:
        note = say("The whole audits of these runs are kept no longer; only the verdicts are.")
        same = then.verdict is now.verdict
        return Between(told.organisation, then, now, (), None if same else note)
    return Between(told.organisation, then, now, compare(old, new))


def _came_or_went(came: bool, now: Digest | None) -> Change:
    if not came:
        text = say("This organisation was not in the later run.")
        return Change(kind=Kind.GONE, level=Level.RECOMMENDED, text=text)
    failed = now is not None and now.verdict is not Verdict.READY
    text = say("This organisation was not in the earlier run.")
    return Change(kind=Kind.NEW, level=Level.RECOMMENDED, text=text, alarm=failed)


def _problems(then: Digest, now: Digest) -> Iterator[Change]:
    """An audit that could not be made is worse than any that could: nobody knows anything."""
    if now.problem is not None and then.problem is None:
        yield Change(kind=Kind.WORSE, level=Level.REQUIRED, text=now.problem, alarm=True)
    if then.problem is not None and now.problem is None:
        text = say("The organisation could be audited again.")
        yield Change(kind=Kind.BETTER, level=Level.REQUIRED, text=text)


def alerts(found: Between) -> Iterator[Text]:
    """One line for each change that somebody should look at at once."""
    for change in alarms(found.changes):
        told = change.text
        if change.subject:
            told = say("{subject}: {sentence}", subject=change.subject, sentence=told)
        if change.code:
            told = say("[{code}] {sentence}", code=change.code, sentence=told)
        yield say("{organisation}: {sentence}", organisation=found.organisation, sentence=told)
