"""From an answer to right or wrong, with the reason. Pure, but for what the bench tries out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from incamail_lib.course.bench import DOMAIN, Bench, NotMeasured
from incamail_lib.course.exercises import (
    Choose,
    Enter,
    Exercise,
    Given,
    Mark,
    Option,
    Repair,
    Rule,
    Sort,
)
from incamail_lib.errors import IncaMailError, UsageError
from incamail_lib.facts.routing import MessageRouting, RuleSet, Severity
from incamail_lib.findings import Finding, Outcome
from incamail_lib.i18n import Text, say, say_n
from incamail_lib.lab import SCENARIOS
from incamail_lib.lab.scenario import DOMAIN_RULE
from incamail_lib.report.words import PROBES
from incamail_lib.routing import standard_samples

_LONGEST = 500  # characters of an entered value


class State(StrEnum):
    """Where an exercise stands."""

    OPEN = "open"
    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True)
class Marking:
    """What an answer is worth: the state, the reasons, the beliefs behind it, what was seen."""

    state: State
    told: tuple[Text, ...] = ()
    beliefs: tuple[str, ...] = ()
    seen: tuple[Text, ...] = ()


OPEN = Marking(State.OPEN)


class NoAnswer(UsageError):
    """What was given is no answer to this exercise: nothing is recorded."""


def check(exercise: Exercise, given: Given, bench: Bench) -> Marking:
    """What `given` is worth; open, with the reason, where the lab could not be measured.

    Errors: NoAnswer where it cannot be an answer to this exercise.
    """
    try:
        return _checked(exercise, given, bench)
    except NotMeasured as error:
        return Marking(State.OPEN, (error.text,))


def _checked(exercise: Exercise, given: Given, bench: Bench) -> Marking:
    match exercise:
        case Mark():
            return _marked(exercise, _keys(exercise.options, given), bench)
        case Choose():
            return _chosen(exercise, _one(exercise.options, given), bench)
        case Sort():
            return _sorted(exercise, _keys(exercise.options, given), bench)
        case Enter():
            return _entered(exercise, given, bench)
        case Rule():
            return _ruled(exercise, given, bench)
        case Repair():
            return _repaired(exercise, _one(exercise.options, given), bench)
    raise TypeError(type(exercise))


def solution(exercise: Exercise, bench: Bench) -> Given:
    """An answer that the library takes for right; LookupError where there is none is a bug.

    Errors: NotMeasured.
    """
    match exercise:
        case Mark():
            return tuple(o.key for o in exercise.options if exercise.holds(bench, o.value))
        case Choose():
            return _first(o for o in exercise.options if exercise.holds(bench, o.value))
        case Sort():
            return exercise.order(bench)
        case Enter():
            return exercise.truth(bench)
        case Rule():
            return exercise.model
        case Repair():
            return _first(o for o in exercise.options if _heals(exercise, o, bench))
    raise TypeError(type(exercise))


def wrong_answers(exercise: Exercise, bench: Bench) -> tuple[tuple[Given, str], ...]:
    """Each wrong answer that has an explanation of its own, with the belief behind it."""
    if isinstance(exercise, Sort | Enter | Rule):
        return tuple((slip.example, slip.belief) for slip in exercise.slips)
    right = solution(exercise, bench)
    options: tuple[Option, ...] = getattr(exercise, "options", ())
    if isinstance(exercise, Mark):
        wrongly = ((*right, o.key) if o.key not in right else _without(right, o) for o in options)
        return tuple((keys, o.belief) for keys, o in zip(wrongly, options, strict=True))
    return tuple((o.key, o.belief) for o in options if o.key != right)


def _first(options: Iterable[Option]) -> str:
    for option in options:
        return option.key
    raise LookupError("no option is right")


def _without(keys: Given, option: Option) -> tuple[str, ...]:
    return tuple(key for key in keys if key != option.key)


def _one(options: tuple[Option, ...], given: Given) -> Option:
    keys = _keys(options, given)
    if len(keys) != 1:
        raise NoAnswer(say("Choose one of the answers."))
    return next(o for o in options if o.key == keys[0])


def _keys(options: tuple[Option, ...], given: Given) -> tuple[str, ...]:
    keys = (given,) if isinstance(given, str) else tuple(given)
    known = [o.key for o in options]
    strange = [key for key in keys if key not in known]
    if strange or len(set(keys)) != len(keys):
        raise NoAnswer(
            say(
                "«{given}» is no answer to this question. The answers are: {known}.",
                given=", ".join(strange or keys)[:80],
                known=", ".join(known),
            )
        )
    return keys


def _because(option: Option) -> Text:
    return Text(template=option.because)


def _chosen(exercise: Choose, option: Option, bench: Bench) -> Marking:
    right = exercise.holds(bench, option.value)
    return Marking(
        State.RIGHT if right else State.WRONG,
        (_because(option),),
        () if right else (option.belief,),
        exercise.proof(bench),
    )


def _marked(exercise: Mark, keys: tuple[str, ...], bench: Bench) -> Marking:
    """The reason of everything that was marked wrongly or missed; of all, when all is right."""
    held = {o.key: exercise.holds(bench, o.value) for o in exercise.options}
    off = [o for o in exercise.options if held[o.key] is not (o.key in keys)]
    if not off:
        told = tuple(_because(o) for o in exercise.options if held[o.key])
        return Marking(State.RIGHT, told, (), exercise.proof(bench))
    return Marking(
        State.WRONG,
        tuple(
            say("{line} – {reason}", line=Text(template=o.text), reason=_because(o)) for o in off
        ),
        tuple(dict.fromkeys(o.belief for o in off)),
    )


def _sorted(exercise: Sort, keys: tuple[str, ...], bench: Bench) -> Marking:
    truth = exercise.order(bench)
    if keys == truth:
        return Marking(State.RIGHT, (Text(template=exercise.right),), (), exercise.proof(bench))
    if set(keys) != set(truth):
        every = ", ".join(sorted(truth))  # not in their order, which is what is asked
        raise NoAnswer(say("Put all of them in order, each once: {all}.", all=every))
    met = (s for s in exercise.slips if keys.index(s.first) < keys.index(s.second))
    slip = next(met, None)
    if slip is None:
        swapped = next((a, b) for a, b in zip(keys, truth, strict=True) if a != b)
        texts = {o.key: Text(template=o.text) for o in exercise.options}
        told = say(
            "The order is not right yet: look where «{name}» stands.", name=texts[swapped[0]]
        )
        return Marking(State.WRONG, (told,))
    return Marking(State.WRONG, (Text(template=slip.because),), (slip.belief,))


def _plain(value: str) -> str:
    return " ".join(value.lower().split()).rstrip(".")


def _entered(exercise: Enter, given: Given, bench: Bench) -> Marking:
    if not isinstance(given, str) or not given.strip() or len(given) > _LONGEST:
        raise NoAnswer(say("Enter one value, of {most} characters at most.", most=_LONGEST))
    if _plain(given) == _plain(exercise.truth(bench)):
        return Marking(State.RIGHT, (Text(template=exercise.right),), (), exercise.proof(bench))
    for slip in exercise.slips:
        if _plain(given) == _plain(str(slip.example)):
            return Marking(State.WRONG, (Text(template=slip.because),), (slip.belief,))
    return Marking(State.WRONG, (Text(template=exercise.other),))


def astray(rules: RuleSet, domain: str) -> tuple[MessageRouting, ...]:
    """The standard samples that leak, or go to IncaMail against the sender's wish.

    What the lab's own good rule gets wrong too is left out: no rule can know a misspelt suffix.
    Errors: UsageError for a rule that no server takes.
    """
    beyond = {m.label for m in standard_samples(DOMAIN_RULE, (domain,)) if _goes_astray(m)}
    found = standard_samples(rules, (domain,))
    return tuple(m for m in found if _goes_astray(m) and m.label not in beyond)


_BAD = frozenset({Severity.LEAK, Severity.MISROUTED, Severity.UNKNOWN})
_HELD_BACK = "refused"  # it comes back to its author, who learns of the suffix: nothing leaked


def _goes_astray(message: MessageRouting) -> bool:
    notes = (h for route in message.routes for h in route.hazards)
    return any(note.severity in _BAD and note.code != _HELD_BACK for note in notes)


def rule_of(exercise: Rule, given: Given) -> RuleSet:
    """The rule set that the learner wrote. Errors: NoAnswer for other or wrong fields."""
    if not isinstance(given, dict) or set(given) - set(exercise.fields):
        raise NoAnswer(
            say("Write the rule with these fields: {fields}.", fields=", ".join(exercise.fields))
        )
    values = exercise.base.model_dump() | {k: _value(v) for k, v in given.items()}
    try:
        return RuleSet.model_validate(values)
    except ValueError:
        raise NoAnswer(
            say("A field of the rule has a value that does not exist: {given}.", given=str(given))
        ) from None


def _value(text: str) -> str | bool:
    return {"yes": True, "no": False}.get(text, text)


def _ruled(exercise: Rule, given: Given, bench: Bench) -> Marking:
    """Right where the checks of an audit find nothing to complain about in the rule."""
    rules = rule_of(exercise, given)
    try:
        wrong = astray(rules, DOMAIN)
    except IncaMailError as error:
        raise NoAnswer(error.text) from None
    samples = frozenset(m.probe for m in wrong if m.probe is not None)
    every = len(standard_samples(rules, (DOMAIN,)))
    counted = say_n(
        "Of {all} messages, {n} leaves unprotected or goes where it should not.",
        "Of {all} messages, {n} leave unprotected or go where they should not.",
        len(wrong),
        all=every,
    )
    seen = (counted, *(Text(template=PROBES[probe]) for probe in sorted(samples)))
    if bench.is_healthy(replace(SCENARIOS["sound"], rules=rules)):
        return Marking(State.RIGHT, (Text(template=exercise.right),), (), seen)
    slip = next((s for s in exercise.slips if s.samples <= samples), None)
    if slip is None:
        return Marking(State.WRONG, (Text(template=exercise.other),), (), seen)
    return Marking(State.WRONG, (Text(template=slip.because),), (slip.belief,), seen)


def _heals(exercise: Repair, option: Option, bench: Bench) -> bool:
    return bench.is_healthy(option.value(SCENARIOS[exercise.scenario]))


def _repaired(exercise: Repair, option: Option, bench: Bench) -> Marking:
    broken = SCENARIOS[exercise.scenario]
    changed = option.value(broken)
    before, after = bench.failing(broken), bench.failing(changed)
    now = {f.code: f for f in bench.audit(changed).findings if f.outcome is Outcome.PASSED}
    seen = (
        *(_told(now[code], say("passes now")) for code in before if code in now),
        *(_told(after[code], say("still fails")) for code in after if code in before),
        *(_told(after[code], say("fails newly")) for code in after if code not in before),
    )
    healthy = bench.is_healthy(changed)
    return Marking(
        State.RIGHT if healthy else State.WRONG,
        (_because(option),),
        () if healthy else (option.belief,),
        seen,
    )


def _told(finding: Finding, now: Text) -> Text:
    return say("{code} {now}: {seen}", code=finding.code, now=now, seen=finding.seen)
