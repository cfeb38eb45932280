"""The messages that a check of the routing is about, told as the people who write them know them.

The raw header – encoded words, folds – is for the report's annex: who decides sees subjects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from incamail_lib.checks.words import joined, joined_texts
from incamail_lib.facts.routing import MessageRouting, Method, RuleSet, StandardSample
from incamail_lib.i18n import N_, Text, say

_FORMS: dict[StandardSample, str] = {
    StandardSample.ENCODED_SUFFIXED: N_("encoded as a whole"),
    StandardSample.ENCODED_B: N_("encoded as Base64"),
    StandardSample.ENCODED_Q: N_("encoded as quoted-printable"),
    StandardSample.ENCODED_SPLIT: N_("encoded in two pieces"),
    StandardSample.ENCODED_LONG: N_("encoded in one very long piece"),
    StandardSample.FOLDED: N_("on several lines"),
    StandardSample.FOLD_FIRST: N_("with a line break before the tag"),
    StandardSample.TWO_BLANKS: N_("with two blanks before the tag"),
    StandardSample.SUFFIX_UPPER_CASE: N_("address in capitals"),
}
_ADDRESSES = 3


@dataclass
class _Kind:
    """Messages that look alike to their writer."""

    recipients: Text
    subject: str
    forms: list[Text] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)


def told_messages(messages: Sequence[MessageRouting]) -> Text:
    """To whom and with which decoded subject; alike ones once, with the forms they take."""
    kinds: dict[tuple[str, str], _Kind] = {}
    for message in messages:
        key = _key(message)
        kind = kinds.setdefault(key, _Kind(_recipients(message), subject_of(message)))
        form = _FORMS.get(message.probe) if message.probe else None
        if form:
            kind.forms.append(Text(template=form))
        if message.probe is StandardSample.REPLY:
            kind.prefixes.append(f"«{_prefix(message)}»")
    return joined_texts([_told(kind) for kind in kinds.values()])


def subject_of(message: MessageRouting) -> str:
    """The subject as a mail program shows it: decoded, and on one line."""
    words = message.subject_decoded or message.subject_raw or message.label
    if message.probe is not None:  # folds of ours; a client's own backslash stays
        words = words.replace("\\n", " ").replace("\\t", " ")
    return " ".join(words.split())


def subjects(messages: Iterable[MessageRouting]) -> Text:
    """Their decoded subjects, each once."""
    return joined(list(dict.fromkeys(f"«{subject_of(message)}»" for message in messages)))


def rule_text(rules: RuleSet) -> Text:
    """What the declared rules go by, and what they look for."""
    names = {
        Method.DOMAIN: say("suffix «{suffix}»", suffix=rules.suffix),
        Method.SUBJECT: subject_rule_text(rules),
        Method.BOTH: say(
            "suffix «{suffix}» and subject «{pattern}»",
            suffix=rules.suffix,
            pattern=rules.subject_pattern,
        ),
        Method.NONE: say("none"),
    }
    return names[rules.method]


def subject_rule_text(rules: RuleSet) -> Text:
    """What the rule on the subject looks for."""
    return say("subject «{pattern}»", pattern=rules.subject_pattern)


def _key(message: MessageRouting) -> tuple[str, str]:
    to = ",".join(route.recipient.lower() for route in message.routes)
    subject = subject_of(message)
    if message.probe is StandardSample.REPLY:
        subject = subject.removeprefix(_prefix(message))
    return to, subject


def _prefix(message: MessageRouting) -> str:
    return subject_of(message).split(" ", 1)[0]


def _recipients(message: MessageRouting) -> Text:
    return joined([route.recipient for route in message.routes], _ADDRESSES)


def _told(kind: _Kind) -> Text:
    if len(kind.prefixes) > 1:
        return say(
            "a reply or forwarded message to {recipients} with the subject «{subject}» (and "
            "likewise {prefixes})",
            recipients=kind.recipients,
            subject=kind.subject,
            prefixes=", ".join(kind.prefixes[1:]),
        )
    if kind.forms:
        return say(
            "a message to {recipients} with the subject «{subject}» ({forms})",
            recipients=kind.recipients,
            subject=kind.subject,
            forms=joined_texts(kind.forms),
        )
    return say(
        "a message to {recipients} with the subject «{subject}»",
        recipients=kind.recipients,
        subject=kind.subject,
    )
