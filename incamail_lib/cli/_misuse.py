"""What the argument parser refuses, in our own words and in the language of the user.

The parser knows its sentences in English only, and for most kinds nothing but the sentence says
what is wrong: so it is the sentence that is read. One that is not known here is told as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from incamail_lib.i18n import LANGUAGES, N_, Language, Text, environment_language, say

_ITEM = re.compile(r"""(['"])(.*?)\1""")


def _quoted(name: str) -> str:
    return rf"""(?P<quote_{name}>['"])(?P<{name}>.*?)(?P=quote_{name})"""


_NAME, _GIVEN = _quoted("name"), _quoted("given")
# The parser's sentences, and ours. They differ from version to version of it.
_KINDS = {
    rf"Missing \w+ {_NAME}\.\s+Choose from:(?P<allowed>.+)": N_(
        "{name} is missing: choose one of {allowed}."
    ),
    rf"Missing \w+ {_NAME}\.?": N_("{name} is missing."),
    r"Missing command\.": N_("The command is missing."),
    rf"No such command {_NAME}\. Did you mean (?P<allowed>.+)\?": N_(
        "There is no command «{name}». Did you mean {allowed}?"
    ),
    rf"No such command {_NAME}\.": N_("There is no command «{name}»."),
    r"No such option: (?P<name>.+?) (?:\(')?\(Possible options: (?P<allowed>[^)]+)\)(?:',\))?": N_(
        "There is no option «{name}». Did you mean {allowed}?"
    ),
    r"No such option: (?P<name>.+)": N_("There is no option «{name}»."),
    r"Got unexpected extra arguments?(?:\(s\))? \((?P<given>.*)\)": N_(
        "There is no place for «{given}»: more is given than this command takes."
    ),
    rf"Option {_NAME} requires .+": N_("The option {name} needs a value behind it."),
    rf"Option {_NAME} does not take a value\.": N_("The option {name} takes no value."),
    rf"Argument {_NAME} takes .+": N_("{name} needs more values."),
    rf"Invalid value for {_NAME}: (?P<problem>.+)": N_("{name}: {problem}"),
}
# What may be wrong with a value.
_PROBLEMS = {
    rf"(?:Value error, )?{_GIVEN} is not one of (?P<allowed>.+)\.": N_(
        "«{given}» is none of {allowed}."
    ),
    r"Input should be a valid integer.*": N_("this is no whole number."),
    rf"{_GIVEN} is not a valid int(?:eger)?(?: range)?\.": N_("this is no whole number."),
    r"Input should be a valid number.*": N_("this is no number."),
    rf"{_GIVEN} is not a valid float(?: range)?\.": N_("this is no number."),
    r"Input should be greater than or equal to (?P<least>\S+)": N_("it must be {least} or more."),
    r".* is not in the range x>=(?P<least>\S+)\.": N_("it must be {least} or more."),
    r"Input should be less than or equal to (?P<most>\S+)": N_("it must be {most} or less."),
    r".* is not in the range x<=(?P<most>\S+)\.": N_("it must be {most} or less."),
    r".* is not in the range (?P<least>\S+?)<=x<=(?P<most>\S+)\.": N_(
        "it must be between {least} and {most}."
    ),
}


def wrong_use(refusal: Any) -> Text:
    """What is wrong, of an exception of the parser."""
    return _read(_KINDS, refusal.format_message())


def usage(refusal: Any) -> tuple[Text, ...]:
    """How the command is used and where more is told, if it is known which one is meant."""
    context = getattr(refusal, "ctx", None)
    if context is None:
        return ()
    line = " ".join((context.command_path, *context.command.collect_usage_pieces(context)))
    return (
        say("Usage: {line}", line=line),
        say("«{command}» tells more.", command=f"{context.command_path} --help"),
    )


def _read(known: dict[str, str], sentence: str) -> Text:
    for pattern, template in known.items():
        found = re.fullmatch(pattern, sentence, re.DOTALL)
        if found is not None:
            values: dict[str, str | Text] = dict(found.groupdict())
            if found.groupdict().get("problem"):
                values["problem"] = _read(_PROBLEMS, found["problem"])
            if found.groupdict().get("allowed"):
                values["allowed"] = _listed(found["allowed"])
            return say(template, **values)
    return say("{sentence}", sentence=sentence)


def _listed(allowed: str) -> str:
    """Several values, as the parser lists them: quoted, or with commas and each on its line."""
    items = [item for _, item in _ITEM.findall(allowed)] or allowed.split(",")
    return ", ".join(item.strip() for item in items)


def language_of(arguments: Sequence[str]) -> Language:
    """The language that a command line asks for, legible or not, else that of the environment."""
    wanted = environment_language()
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        name, _, joined = option.partition("=")
        if name == "--lang":
            given = joined or value
            wanted = next((known for known in LANGUAGES if known == given), wanted)
    return wanted
