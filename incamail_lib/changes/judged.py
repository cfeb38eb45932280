"""Findings and verdicts that differ, and by whose doing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from incamail_lib.changes.model import Change, Kind
from incamail_lib.findings import Audit, Finding, Level, Outcome, Verdict
from incamail_lib.i18n import N_, Text, say

F, P, U, N = Outcome.FAILED, Outcome.PASSED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
_WEIGHT = (F, U, P, N)
_LEVELS = tuple(Level)
_OUTCOMES = {Verdict.READY: P, Verdict.NOT_READY: F, Verdict.INCONCLUSIVE: U}
_Key = tuple[str, str]


@dataclass(frozen=True)
class Judged:
    """The two audits and two between them, which tell apart by what a finding changed."""

    before: Audit
    by_rules: Audit  # the facts of before by the rules and platform facts of today
    by_date: Audit  # the same as of the later day
    after: Audit
    names: Mapping[str, str]  # subjects of before as they are called now


class Cause(Enum):
    """By what a finding changed."""

    SEEN = 0  # something else was seen
    RULES = 1  # the same was seen; the program or what is known of the platform changed
    DATE = 2  # the same was seen by the same rules; time passed


_KINDS: dict[tuple[Outcome, Outcome], Kind] = {
    (P, F): Kind.WORSE,
    (F, P): Kind.BETTER,
    (P, U): Kind.BECAME_UNKNOWN,
    (F, U): Kind.BECAME_UNKNOWN,
    (U, P): Kind.BECAME_KNOWN,
    (U, F): Kind.BECAME_KNOWN,
    **{(N, outcome): Kind.NEW for outcome in (F, U, P)},
    **{(outcome, N): Kind.GONE for outcome in (F, U, P)},
}

# What is said where something else was seen; {title} is the check's for what it is now.
_SENTENCES: dict[tuple[Outcome, Outcome], str] = {
    (P, F): N_("{title}. It was in order before. {seen}"),
    (U, F): N_("{title}. Before, this was not known. {seen}"),
    (N, F): N_("{title}. Before, the question did not arise. {seen}"),
    (F, P): N_("In order now: {title}."),
    (U, P): N_("In order, as is known now: {title}."),
    (N, P): N_("In order: {title}. Before, the question did not arise."),
    (P, U): N_("{title} It was in order before, and cannot be told now. {seen}"),
    (F, U): N_("{title} It failed before, and cannot be told now. {seen}"),
    (N, U): N_("{title} This cannot be told; before, the question did not arise. {seen}"),
    **dict.fromkeys([(F, N), (U, N), (P, N)], N_("{title} The question does not arise any more.")),
}
_BY_RULES: dict[Outcome, str] = {
    F: N_("{title}. Nothing else was seen: the rules or the facts about IncaMail changed. {seen}"),
    P: N_(
        "In order: {title}. Nothing else was seen: the rules or the facts about IncaMail changed."
    ),
    U: N_("{title} It cannot be told by the rules or the facts about IncaMail of now. {seen}"),
    N: N_("{title} By the rules or the facts about IncaMail of now the question does not arise."),
}
_BY_DATE: dict[Outcome, str] = {
    F: N_("{title}. Nothing was changed: it is a matter of the date. {seen}"),
    P: N_("In order now: {title}. Nothing was changed: it is a matter of the date."),
    U: N_("{title} Nothing was changed: by its date it cannot be told any more. {seen}"),
    N: N_("{title} By its date the question does not arise any more."),
}


def finding_changes(judged: Judged) -> Iterator[Change]:
    """Each finding that says something else than before."""
    then, now = _by_key(judged.before, judged.names), _by_key(judged.after, {})
    by_rules, by_date = (_by_key(a, judged.names) for a in (judged.by_rules, judged.by_date))
    for key in dict.fromkeys((*now, *then)):
        if not _pairs_with_another(key, then, now):
            old, new = _counterpart(key, then), _counterpart(key, now)
            between = _counterpart(key, by_rules), _counterpart(key, by_date)
            yield from _change(old, new, _cause(old, new, *between))


def _by_key(audit: Audit, names: Mapping[str, str]) -> dict[_Key, Finding]:
    """Findings by check and subject; of several alike the worst."""
    found: dict[_Key, Finding] = {}
    for finding in audit.findings:
        key = finding.code, names.get(finding.subject, finding.subject)
        known = found.get(key)
        if known is None or _WEIGHT.index(finding.outcome) < _WEIGHT.index(known.outcome):
            found[key] = finding
    return found


def _pairs_with_another(key: _Key, *sides: Mapping[_Key, Finding]) -> bool:
    """Whether a finding about no subject in particular stands for those that the other side has."""
    code, subject = key
    return not subject and any(
        key not in side and any(c == code for c, _ in side) for side in sides
    )


def _counterpart(key: _Key, side: Mapping[_Key, Finding]) -> Finding | None:
    """The finding of that subject, else the one made while there was no subject at all."""
    return side.get(key) or side.get((key[0], ""))


def _cause(old: Finding | None, new: Finding | None, *between: Finding | None) -> Cause:
    by_rules, by_date = between
    if _same(old, new):
        return Cause.SEEN
    if _same(by_rules, new):
        return Cause.RULES
    return Cause.DATE if _same(by_date, new) else Cause.SEEN


def _same(one: Finding | None, other: Finding | None) -> bool:
    return _state(one) == _state(other)


def _state(finding: Finding | None) -> tuple[Outcome, Level | None, str]:
    """What counts of a finding: for a failure, how much it weighs and why it failed."""
    if finding is None:
        return N, None, ""
    failed = finding.outcome is F
    return finding.outcome, finding.level if failed else None, finding.title if failed else ""


def _change(old: Finding | None, new: Finding | None, cause: Cause) -> Iterator[Change]:
    told = new or old
    outcomes = (old.outcome if old else N, new.outcome if new else N)
    if told is None or _same(old, new) or _told_elsewhere(old, new):
        return
    kind, template = _kind(outcomes, old, new), _sentence(outcomes, old, new, cause)
    # A failure may weigh less than its check does; a pass has the weight of the check.
    level = next((f.level for f in (new, old) if f and f.outcome is F), told.level)
    yield Change(
        kind=Kind.RULES if cause is Cause.RULES else kind,
        code=told.code,
        subject=told.subject,
        level=level,
        text=say(template, title=Text(template=told.title), seen=told.seen),
        outcome=outcomes[1],
        alarm=cause is not Cause.RULES and _alarms(kind, outcomes, level),
    )


def _told_elsewhere(old: Finding | None, new: Finding | None) -> bool:
    """Whether it is no news of its own: another finding or line says it, or nothing weighs on it.

    What a prerequisite keeps from being judged is told there, unless it failed; what is gone with
    its subject by the line about that. That a question arises, or does not, is none while all is
    well; and what only informs is none while it is not known.
    """
    known = [f for f in (old, new) if f is not None]
    outcomes = {f.outcome for f in known} | ({N} if len(known) < 2 else set())
    if new is None or outcomes <= {P, N}:
        return True
    if any(f.blocked_by for f in known) and F not in outcomes:
        return True
    lightest = max(_LEVELS.index(f.level) for f in known if f.outcome in (F, U))
    of_a_new_subject = old is None and new.outcome is U and new.level is not Level.REQUIRED
    only_informs = _LEVELS[lightest] is Level.INFO and (U in outcomes or old is None)
    return of_a_new_subject or only_informs


def _kind(outcomes: tuple[Outcome, Outcome], old: Finding | None, new: Finding | None) -> Kind:
    if old is not None and new is not None and outcomes == (F, F):
        if old.level is new.level:
            return Kind.OTHER_CAUSE
        heavier = _LEVELS.index(new.level) < _LEVELS.index(old.level)
        return Kind.WORSE if heavier else Kind.BETTER
    return _KINDS[outcomes]


def _sentence(
    outcomes: tuple[Outcome, Outcome], old: Finding | None, new: Finding | None, cause: Cause
) -> str:
    if cause is Cause.RULES:
        return _BY_RULES[outcomes[1]]
    if cause is Cause.DATE:
        return _BY_DATE[outcomes[1]]
    if outcomes != (F, F):
        return _SENTENCES[outcomes]
    same_level = old is not None and new is not None and old.level is new.level
    if same_level:
        return N_("{title}. It failed before too, for another reason. {seen}")
    return N_("{title}. It failed before too, and weighs differently now. {seen}")


def _alarms(kind: Kind, outcomes: tuple[Outcome, Outcome], level: Level) -> bool:
    """Failures that are new, and what is required, did not fail and can no longer be told."""
    old, new = outcomes
    if new is U:
        return level is Level.REQUIRED and old is not F
    failed = new is F and kind in (Kind.WORSE, Kind.NEW, Kind.BECAME_KNOWN)
    return failed and level is not Level.INFO


def verdict_changes(judged: Judged) -> Iterator[Change]:
    """The verdict, if it is another one."""
    old, new = judged.before.verdict, judged.after.verdict
    if old is new:
        return
    cause = Cause.SEEN
    if judged.by_rules.verdict is new:
        cause = Cause.RULES
    elif judged.by_date.verdict is new:
        cause = Cause.DATE
    kind = _KINDS[_OUTCOMES[old], _OUTCOMES[new]]
    yield Change(
        kind=Kind.RULES if cause is Cause.RULES else kind,
        level=Level.REQUIRED,
        text=say(_VERDICTS[cause], old=_word(old), new=_word(new)),
        outcome=_OUTCOMES[new],
        alarm=new is not Verdict.READY and (old is Verdict.READY or new is Verdict.NOT_READY),
    )


_VERDICTS = {
    Cause.SEEN: N_("The verdict is «{new}»; it was «{old}»."),
    Cause.RULES: N_(
        "The verdict is «{new}»; it was «{old}». Nothing else was seen: the rules or the facts "
        "about IncaMail changed."
    ),
    Cause.DATE: N_(
        "The verdict is «{new}»; it was «{old}». Nothing was changed: it is a matter of the date."
    ),
}


def _word(verdict: Verdict) -> Text:
    words = {
        Verdict.READY: N_("ready"),
        Verdict.NOT_READY: N_("not ready"),
        Verdict.INCONCLUSIVE: N_("inconclusive"),
    }
    return Text(template=words[verdict])
