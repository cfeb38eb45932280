"""dossier new, show, check, diff and history: the file of one organisation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from incamail_lib.cli._console import Styled, chosen, clear_errors, out, print_json, table
from incamail_lib.cli._options import Json, Lang
from incamail_lib.dossier import (
    Dossier,
    Progress,
    contradictions,
    open_store,
    progress,
    read_dossier,
)
from incamail_lib.dossier.agreed import Change, State, TestResult
from incamail_lib.dossier.history import history_of, read_history
from incamail_lib.dossier.merging import differences, in_words
from incamail_lib.dossier.phases import Step, StepKind
from incamail_lib.dossier.reading import read_source
from incamail_lib.dossier.starter import begin, starter
from incamail_lib.dossier.words import phase_text, term
from incamail_lib.errors import UsageError
from incamail_lib.guide import contents
from incamail_lib.i18n import LANGUAGES, Language, Translator, say, translator
from incamail_lib.lab import SCENARIOS
from incamail_lib.record import Record
from incamail_lib.report.words import labelled
from incamail_lib.sheets.language import formatter

app = typer.Typer(
    help="Begin, show, check and compare dossiers.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
File = Annotated[Path, typer.Argument(help="Dossier file.")]


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="Dossier file to be written.")],
    organisation: Annotated[str, typer.Option(help="Name of the organisation.")],
    domain: Annotated[list[str], typer.Option(help="Mail domain; repeatable.")],
    language: Annotated[
        str | None, typer.Option(help="Language of the dossier and its reports: en, fr, de or it.")
    ] = None,
    lab: Annotated[
        str | None, typer.Option(help="Scenario of the lab to be audited in place of IncaMail.")
    ] = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Write a commented dossier to begin with; a file that is there is never overwritten."""
    with clear_errors(lang) as t:
        text = starter(
            organisation=organisation,
            domains=domain,
            language=_language(language, lang),
            scenario=_scenario(lab),
        )
        dossier = begin(file, text)
    if as_json:
        print_json(dossier)
    else:
        out().print(Styled(t("{file} is written. Open it and fill it in.").format(file=file)))


def _language(given: str | None, lang: str | None) -> Language:
    if given is None:
        return chosen(lang)
    found = next((known for known in LANGUAGES if known == given), None)
    if found is None:
        allowed = ", ".join(LANGUAGES)
        raise UsageError(
            say("«{given}» is not possible; allowed: {allowed}.", given=given, allowed=allowed)
        )
    return found


def _scenario(name: str | None) -> str:
    if name is not None and name not in SCENARIOS:
        raise UsageError(
            say(
                "The lab has no scenario «{name}». «incamail lab --list» shows them all.", name=name
            )
        )
    return name or ""


@app.command()
def show(file: File, lang: Lang = None, as_json: Json = False) -> None:
    """Show people, and for each phase what is done, what comes next and what is overdue."""
    with clear_errors(lang):
        dossier = read_dossier(file)
        found = _progress(dossier)
    if as_json:
        print_json(found)
        return
    t = translator(chosen(lang, dossier.language))
    if dossier.contacts:
        people = [(t.text(term(c.role)), c.name, c.email, c.phone) for c in dossier.contacts]
        table([t("Role"), t("Name"), t("E-mail"), t("Telephone")], people, dossier.organisation)
    _tell_phases(found, t)
    late = [step for phase in found.phases for step in phase.overdue]
    if late:
        unique = list({step.key: step for step in late}.values())
        table(_heads(t), [_row(step, t) for step in unique], t("Overdue"))


@app.command()
def history(file: File, lang: Lang = None, as_json: Json = False) -> None:
    """Show who changed what, and when, oldest first."""
    with clear_errors(lang):
        store = open_store(file)
        changes, damaged = store.history, read_history(file).damaged
    if as_json:
        print_json(changes)
        return
    language = chosen(lang, store.dossier.language)
    t, moment = translator(language), formatter(language).moment
    heads = [t("When"), t("Who"), t("Field"), t("Before"), t("After")]
    rows = [(moment(c.at), c.who, c.what, c.before, _after(c, t)) for c in changes]
    table(heads, rows, store.dossier.organisation)
    if damaged:
        lines = ", ".join(str(number) for number in damaged[:10])
        told = t("Lines of {file} that cannot be read and are left out: {lines}.")
        out().print(Styled(told.format(file=history_of(file), lines=lines)))


def _after(change: Change, t: Translator) -> str:
    if change.conflict:
        return t("«{value}» did not get in: somebody else was faster").format(value=change.after)
    return change.after


def _progress(dossier: Dossier) -> Progress:
    return progress(dossier, contents(), dt.datetime.now(dt.UTC).date())


def _tell_phases(found: Progress, t: Translator) -> None:
    rows = []
    for phase in found.phases:
        step = phase.next_step
        rows.append(
            (
                t.text(phase_text(phase.phase)),
                f"{phase.done}/{len(phase.steps)}",
                _counts(phase.questions, t),
                _counts(phase.components, t),
                _counts(phase.tests, t),
                _what(step, t) if step else "–",
                _actor(step, t) if step else "–",
            )
        )
    heads = [t("Phase"), t("Done"), t("Questions"), t("Components"), t("Tests"), t("Next")]
    go_live = t.day(found.go_live)
    title = say("{organisation}, go-live: {date}", organisation=found.organisation, date=go_live)
    table([*heads, t("Who must act")], rows, t.text(title))


def _counts(counts: Mapping[State, int] | Mapping[TestResult, int], t: Translator) -> str:
    told = [t.text(labelled(term(state), n)) for state, n in counts.items() if n]
    return "\n".join(told) or "–"


def _actor(step: Step, t: Translator) -> str:
    role = term(step.role)
    return t.text(say("{name} ({detail})", name=step.who, detail=role) if step.who else role)


def _heads(t: Translator) -> list[str]:
    return [t("What"), t("State"), t("Who must act"), t("Due")]


def _what(step: Step, t: Translator) -> str:
    # Questions are known by their numbers; the keys of the others only repeat their titles.
    name = t.text(step.title)
    return f"{step.key} {name}" if step.kind is StepKind.QUESTION else name


def _row(step: Step, t: Translator) -> tuple[str, ...]:
    return _what(step, t), t.text(term(step.state)), _actor(step, t), t.day(step.due)


@app.command()
def check(file: File, lang: Lang = None, as_json: Json = False) -> None:
    """Check that a dossier is valid and does not contradict itself, and list what each phase still
    needs; 1 if anything."""
    with clear_errors(lang):
        dossier = read_dossier(file)
        found = _progress(dossier)
    missing: dict[str, Sequence[Step]] = {p.phase: p.missing for p in found.phases}
    doubts = contradictions(dossier)
    is_sound = found.is_complete and not doubts
    if as_json:
        told: dict[str, Sequence[Record]] = {**missing, "contradictions": doubts}
        print_json({k: [s.model_dump(mode="json") for s in v] for k, v in told.items()})
        raise typer.Exit(0 if is_sound else 1)
    t = translator(chosen(lang, dossier.language))
    out().print(Styled(t("{file} is a valid dossier.").format(file=file)))
    for key, steps in missing.items():
        if steps:
            table(_heads(t), [_row(step, t) for step in steps], t.text(phase_text(key)))
    if doubts:
        rows = [(c.number, t.text(c.text)) for c in doubts]
        table([t("Question"), t("Contradiction")], rows, t("What is said in two ways"))
    if found.is_complete:
        out().print(Styled(t("Nothing is missing in any phase.")))
    raise typer.Exit(0 if is_sound else 1)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="One dossier, e.g. the older one.")],
    after: Annotated[Path, typer.Argument(help="The other one.")],
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Compare two dossiers field by field, their histories left out; 1 if they differ."""
    with clear_errors(lang) as t:
        found = differences(_compared(before), _compared(after))
    if as_json:
        print_json(found)
    elif found:
        rows = [(d.field, in_words(d.before) or "–", in_words(d.after) or "–") for d in found]
        table([t("Field"), before.name, after.name], rows)
    else:
        out().print(Styled(t("The two dossiers say the same.")))
    raise typer.Exit(1 if found else 0)


def _compared(path: Path) -> dict[str, Any]:
    """What a dossier says, with its paths as written: two files may lie in two folders."""
    dossier = Dossier.model_validate(read_source(path).data)
    return dossier.model_dump(mode="json", exclude={"history", "schema_version"})
