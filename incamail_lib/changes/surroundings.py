"""What else differs between two audits: place, program, facts about the platform, dossier."""

from __future__ import annotations

from collections.abc import Iterator

from incamail_lib.changes.model import Change, Kind
from incamail_lib.checks.words import place_text
from incamail_lib.facts.audit import AuditFacts, Declared, Vantage
from incamail_lib.findings import Audit, Level, Waiver
from incamail_lib.guide import Platform, Sourced
from incamail_lib.i18n import N_, NO_DATE, Text, say

# Of the dossier, what findings rest upon; its domains show as subjects.
_COMPARED = ("receiving", "sending", "incoming", "rules", "components")


def waiver_changes(before: Audit, after: Audit) -> Iterator[Change]:
    """Failures that are accepted since, and those that are so no longer."""
    then, now = _holding(before), _holding(after)
    for waiver in now:
        if waiver not in then:
            text = say(
                "This fails and is accepted until {day} by {name}.",
                day=waiver.expires,
                name=waiver.approved_by.name,
            )
            yield _of_waiver(waiver, text, alarm=False)
    for waiver in then:
        failing = any(waiver.covers(finding) for finding in after.findings)
        if waiver not in now and failing:
            text = say("This fails still, and is accepted no longer.")
            yield _of_waiver(waiver, text, alarm=True)


def _holding(audit: Audit) -> tuple[Waiver, ...]:
    return tuple(w for w in audit.waivers if w.holds_on(audit.judged_at.date()))


def _of_waiver(waiver: Waiver, text: Text, *, alarm: bool) -> Change:
    return Change(
        kind=Kind.WAIVED,
        code=waiver.check,
        subject=waiver.subject,
        level=Level.REQUIRED,
        text=text,
        alarm=alarm,
    )


def surrounding_changes(before: AuditFacts, after: AuditFacts) -> Iterator[Change]:
    """Whatever may change findings without a change on anybody's servers."""
    for text in _vantages(before, after):
        yield Change(kind=Kind.VANTAGE, level=Level.RECOMMENDED, text=text)
    old, new = before.vantage.version, after.vantage.version
    if old != new:
        text = say("Measured by version {new} of the program, before by {old}.", new=new, old=old)
        yield Change(kind=Kind.RULES, text=text)
    fields = () if _on_lab(before, after) else _platform_fields(before.platform, after.platform)
    if fields:
        text = say("Facts about IncaMail are others than before: {fields}.", fields=_listed(fields))
        yield Change(kind=Kind.RULES, text=text)
    for text in _dossier(before.declared, after.declared):
        yield Change(kind=Kind.DOSSIER, text=text)


def _on_lab(before: AuditFacts, after: AuditFacts) -> bool:
    return before.vantage.on_lab or after.vantage.on_lab


def _vantages(before: AuditFacts, after: AuditFacts) -> Iterator[Text]:
    if before.vantage.on_lab != after.vantage.on_lab:
        if after.vantage.on_lab:
            yield say("Measured on the lab; before it was the real platform. Nothing compares.")
        else:
            yield say("Measured on the real platform; before it was the lab. Nothing compares.")
        return
    if before.vantage.place is not after.vantage.place:
        yield _from_elsewhere(_OUT, before.vantage, after.vantage)
    if before.receiving_vantage.place is not after.receiving_vantage.place:
        yield _from_elsewhere(_IN, before.receiving_vantage, after.receiving_vantage)


_OUT = N_(
    "The way to IncaMail was measured {new}; before, {old}. What was seen may differ for that."
)
_IN = N_("The receiving side was measured {new}; before, {old}. What was seen may differ for that.")


def _from_elsewhere(template: str, old: Vantage, new: Vantage) -> Text:
    return say(template, old=place_text(old.place), new=place_text(new.place))


def _platform_fields(before: Platform, after: Platform) -> tuple[str, ...]:
    """The facts that say something else, by their names in platform.toml."""
    fields = Platform.model_fields
    return tuple(f for f in fields if _value(before, f) != _value(after, f))


def _value(platform: Platform, field: str) -> object:
    value = getattr(platform, field)
    if isinstance(value, Sourced):
        return value.value, value.certainty
    if field == "gateways":
        return tuple((g.host, g.addresses, g.port, g.certainty) for g in platform.gateways)
    return value


def _dossier(before: Declared, after: Declared) -> Iterator[Text]:
    if before.go_live != after.go_live:
        yield say(
            "The go-live date is {new}; it was {old}.",
            new=after.go_live or NO_DATE,
            old=before.go_live or NO_DATE,
        )
    fields = [f for f in _COMPARED if getattr(before, f) != getattr(after, f)]
    if fields:
        yield say("The dossier says something else than before: {fields}.", fields=_listed(fields))


def _listed(fields: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"«{field}»" for field in fields)
