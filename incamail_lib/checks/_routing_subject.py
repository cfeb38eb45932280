"""ROUT03 to ROUT07: what a rule on the subject does, and what happens without one."""

from __future__ import annotations

from incamail_lib.checks._advice import NOT_CLASSIFIED
from incamail_lib.checks._core import (
    Context,
    Result,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._routing_messages import (
    rule_text,
    subject_of,
    subject_rule_text,
    subjects,
    told_messages,
)
from incamail_lib.checks._subjects import organisation
from incamail_lib.checks.words import joined
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.routing import (
    ENGINE_NAMES,
    Engine,
    Hazard,
    MessageRouting,
    Method,
    Route,
    RuleSet,
    StandardSample,
)
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, Text, say

_BY_SUBJECT = (Method.SUBJECT, Method.BOTH)
_ADD_SUFFIX_RULE = N_(
    "Route by the recipient suffix (*.incamail.ch) instead of, or in addition to, the subject: the "
    "add-in appends the suffix to every address, and a suffix cannot be encoded or moved."
)


def probes(facts: AuditFacts, *wanted: StandardSample) -> tuple[MessageRouting, ...]:
    """The classified probes of the given kinds; none under rules that nobody has decided."""
    if "routing.method" in facts.declared.undecided:
        return ()
    return tuple(m for m in facts.routing if m.probe in wanted)


def routes_of(messages: tuple[MessageRouting, ...]) -> tuple[Route, ...]:
    """All their routes, in order."""
    return tuple(route for message in messages for route in message.routes)


def not_classified() -> Result:
    """The word of every check here when the probes are missing from the facts."""
    return unknown(
        say("The routing samples were not classified under the declared rules."),
        remedy=say(NOT_CLASSIFIED),
    )


def _no_subject_rule() -> Result:
    return not_applicable(say("No declared rule looks at the subject."))


def _looks_at_subject(rules: RuleSet) -> bool:
    return rules.method in _BY_SUBJECT or rules.refuses_tag_without_suffix


def weight(rules: RuleSet) -> Level:
    """The subject rule alone must hold; beside a suffix rule it is the second net."""
    return Level.REQUIRED if rules.method is Method.SUBJECT else Level.RECOMMENDED


def _held(facts: AuditFacts, *wanted: StandardSample) -> Result:
    """Whether every one of the probes is recognised: brought to IncaMail, or refused."""
    rules = facts.declared.rules
    messages = probes(facts, *wanted)
    if not _looks_at_subject(rules):
        return _no_subject_rule()
    if not messages:
        return not_classified()
    missed = [m for m in messages if any(_is_missed(r) for r in m.routes)]
    if missed:
        return failed(
            _unprotected(missed, subject_rule_text(rules)),
            level=weight(rules),
        )
    return untold(messages) or passed(say("Recognised: {subjects}.", subjects=subjects(messages)))


def _unprotected(missed: list[MessageRouting], rule: Text) -> Text:
    return say(
        "Would leave unprotected: {messages}. The rule that misses them: {rule}.",
        messages=told_messages(missed),
        rule=rule,
    )


def _is_missed(route: Route) -> bool:
    return route.is_known and not (route.to_incamail or route.refused)


def untold(messages: tuple[MessageRouting, ...]) -> Result | None:
    """Unknown, with the cause and the test message that settles it, if any way cannot be told."""
    unsure = [m for m in messages if any(not r.is_known for r in m.routes)]
    if not unsure:
        return None
    cause = next(r.unknown for m in unsure for r in m.routes if r.unknown is not None)
    return unknown(
        say(
            "It cannot be told which way these would take: {messages}. Cause: {cause}.",
            messages=told_messages(unsure),
            cause=cause,
        ),
        remedy=_settle(unsure[0]),
    )


def _settle(message: MessageRouting) -> Text:
    """The test that answers what cannot be asked here."""
    return say(
        "Name the mail server in the dossier (routing, engine). Where it is named already, send a "
        "test message with the subject «{subject}» to an outside mailbox of your own, without the "
        "suffix, and look in your mail server's log which way it took.",
        subject=subject_of(message),
    )


@check(
    "ROUT03",
    on=organisation,
    passes=N_("The plain tag without the suffix does not leave in clear"),
    fails=N_("Tagged mail without the suffix leaves in clear"),
    asks=N_("Does tagged mail without the suffix leave in clear?"),
    why=N_(
        "Somebody who types the tag but not the suffix believes that the message is protected. "
        "A rule on the suffix alone sends it out unprotected."
    ),
    remedy=N_(
        "Add a rule that sends a message back to its author if the subject carries an IncaMail tag "
        "and a recipient outside your organisation lacks the suffix. Tell users to use the add-in."
    ),
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="Post MGI guide 8.1, 8.3",
    leg=Leg.ROUTE,
)
def tagged_mail_is_never_clear(facts: AuditFacts, _: Context) -> Result:
    """The plain tag without suffix is routed or refused.

    Required where the subject rule is the only one: it then misses the very thing it is for.
    """
    messages = probes(facts, StandardSample.TAGGED_UNSUFFIXED, StandardSample.FOLDED)
    if not messages:
        return not_classified()
    leaking = [m for m in messages if m.leaks]
    if leaking:
        return failed(
            _unprotected(leaking, rule_text(facts.declared.rules)),
            level=weight(facts.declared.rules),
        )
    doubtful = untold(messages)
    if doubtful:
        return doubtful
    if any(route.refused for route in routes_of(messages)):
        return passed(say("Such mail is sent back to its author."))
    return passed(say("Such mail is routed to IncaMail by its subject."))


@check(
    "ROUT04",
    on=organisation,
    passes=N_("The subject rule sees encoded subjects"),
    fails=N_("The subject rule misses encoded subjects"),
    asks=N_("Does the subject rule see encoded subjects?"),
    why=N_(
        "A subject with an accent or umlaut is often encoded as a whole, tag and all. A filter on "
        "the raw header, such as Postfix header_checks, does not recognise it."
    ),
    remedy=_ADD_SUFFIX_RULE,
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="RFC 2047 §5, §6; RFC 5322 §2.2.3",
    leg=Leg.ROUTE,
)
def encoded_subjects_are_seen(facts: AuditFacts, _: Context) -> Result:
    """Base64, quoted-printable and a tag split over two words; required if nothing else catches."""
    return _held(
        facts, StandardSample.ENCODED_B, StandardSample.ENCODED_Q, StandardSample.ENCODED_SPLIT
    )


@check(
    "ROUT05",
    on=organisation,
    passes=N_("The subject rule recognises tags without <im>"),
    fails=N_("The subject rule misses tags without <im>"),
    asks=N_("Does the subject rule recognise tags without <im>?"),
    why=N_(
        "According to Swiss Post's help page, the HTML add-in writes <c>, <p> or <r> without <im>."
    ),
    remedy=N_(
        "Route by the recipient suffix, or extend the pattern to the three other tags at the start "
        "of the subject. Ask Swiss Post which tags the add-in you will use writes."
    ),
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="Post MGI guide 8.1; IncaMail HTML add-in help page",
    leg=Leg.ROUTE,
    level=Level.RECOMMENDED,
)
def type_tags_are_recognised(facts: AuditFacts, _: Context) -> Result:
    """Recommended: which tags are written is among the questions to Post."""
    result = _held(facts, StandardSample.TYPE_TAG_UNSUFFIXED)
    return Result(result.outcome, result.seen, remedy=result.remedy)


@check(
    "ROUT06",
    on=organisation,
    passes=N_("The subject rule recognises replies and forwarded messages"),
    fails=N_("The subject rule misses replies or forwarded messages"),
    asks=N_("Does the subject rule recognise replies and forwarded messages?"),
    why=N_(
        "A reply quotes the confidential message. If the rule is anchored to the start of the "
        "subject, a prefix such as «Re:» or «AW:» is enough to let it leave in clear."
    ),
    remedy=N_(
        "Let the pattern match anywhere in the subject, or permit the usual prefixes of all four "
        "languages before the tag. A rule on the recipient suffix is the safer way."
    ),
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="Post MGI guide 8.1; RFC 5322 §3.6.5",
    leg=Leg.ROUTE,
)
def replies_are_recognised(facts: AuditFacts, _: Context) -> Result:
    """Every reply prefix of the probes; required if nothing else catches them."""
    return _held(facts, StandardSample.REPLY)


@check(
    "ROUT07",
    on=organisation,
    passes=N_("Recipients who were not chosen are not sent through IncaMail"),
    fails=N_("Recipients who were not chosen are sent through IncaMail too"),
    asks=N_("Are recipients who were not chosen sent through IncaMail?"),
    why=N_(
        "A rule on the subject applies to the whole message: colleagues and other recipients who "
        "should get an ordinary copy receive it from IncaMail too."
    ),
    remedy=_ADD_SUFFIX_RULE,
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="RFC 5321 §3.3; Postfix header_checks(5) FILTER",
    leg=Leg.ROUTE,
    level=Level.RECOMMENDED,
)
def others_are_not_dragged_along(facts: AuditFacts, _: Context) -> Result:
    """In the mixed probe only the suffixed recipient goes to IncaMail."""
    messages = probes(facts, StandardSample.MIXED_TAGGED)
    routes = routes_of(messages)
    if not routes:
        return not_classified()
    dragged = [r.recipient for r in routes if any(h.code == "dragged_along" for h in r.hazards)]
    if dragged:
        return failed(say("Also sent to IncaMail: {addresses}.", addresses=joined(dragged)))
    return untold(messages) or passed(say("Each recipient is routed on its own."))


@check(
    "ROUT15",
    on=organisation,
    passes=N_("The mail server takes the expression of the subject rule"),
    fails=N_("The mail server does not take the expression of the subject rule"),
    asks=N_("Does the mail server take the expression of the subject rule?"),
    why=N_(
        "Mail servers read one and the same expression differently, and a line that a server "
        "refuses is skipped: there is then no rule at all."
    ),
    remedy=N_(
        "Compare the expression in the dossier (routing, subject_pattern) with the mail server's "
        "table. If it stands there like this, correct it: a line that the server refuses is "
        "skipped."
    ),
    clarify=N_(
        "Name the mail server and its table in the dossier (routing, engine), and enter the "
        "expression exactly as it stands there."
    ),
    item="6.3",
    reference="Postfix regexp_table(5), pcre_table(5); Exim specification 11.7",
    leg=Leg.ROUTE,
)
def engine_takes_the_expression(facts: AuditFacts, _: Context) -> Result:
    """Failed where the engine refuses the expression, unknown where it is not named or cannot be
    asked here."""
    rules = facts.declared.rules
    messages = probes(facts, StandardSample.TAGGED_UNSUFFIXED)
    if not _looks_at_subject(rules):
        return _no_subject_rule()
    if not messages:
        return not_classified()
    refusal = _noted(messages, "pattern_refused")
    if refusal is not None:
        return failed(refusal.text or Text(template=refusal.code))
    if rules.engine is Engine.NOT_KNOWN:
        return unknown(say("The dossier does not say which mail server applies the rule."))
    name = ENGINE_NAMES[rules.engine]
    if _noted(messages, "engine_not_asked") is not None:
        return unknown(
            say("{engine} cannot be asked here; only its documentation was read.", engine=name),
            remedy=_settle(messages[0]),
        )
    return untold(messages) or passed(say("{engine} takes the expression.", engine=name))


def _noted(messages: tuple[MessageRouting, ...], code: str) -> Hazard | None:
    return next((h for m in messages for h in m.hazards if h.code == code), None)


@check(
    "ROUT16",
    on=organisation,
    passes=N_("The subject rule recognises the tag however it is written"),
    fails=N_("The subject rule misses other spellings of the tag"),
    asks=N_("Does the subject rule recognise the tag however it is written?"),
    why=N_(
        "People and programs write the tag in upper case, with a second blank before it, or with "
        "a line break before it. A rule that is too exact lets such mail leave in clear."
    ),
    remedy=N_(
        "Let the expression ignore case and allow anything before the tag, line breaks too: in "
        "Postfix /^Subject:.*<im>/, in Exim \\N(?i)<im>\\N."
    ),
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="RFC 5322 §2.2.3; Postfix header_checks(5); Exim specification 11.5",
    leg=Leg.ROUTE,
    level=Level.RECOMMENDED,
)
def other_spellings_are_recognised(facts: AuditFacts, _: Context) -> Result:
    """Upper case, two blanks, and a fold before the tag."""
    result = _held(
        facts, StandardSample.TAG_UPPER_CASE, StandardSample.TWO_BLANKS, StandardSample.FOLD_FIRST
    )
    return Result(result.outcome, result.seen, remedy=result.remedy)


@check(
    "ROUT17",
    on=organisation,
    passes=N_("The subject rule sees very long encoded words"),
    fails=N_("The subject rule misses very long encoded words"),
    asks=N_("Does the subject rule see very long encoded words?"),
    why=N_(
        "Some programs encode a long subject in one piece of more than 75 characters. Exim leaves "
        "such a piece undecoded by default, so that the rule does not see the tag."
    ),
    remedy=N_(
        "In Exim, set check_rfc2047_length = false. In any case, add a rule on the recipient "
        "suffix, which does not depend on the subject."
    ),
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="RFC 2047 §2; Exim specification 14 (check_rfc2047_length)",
    leg=Leg.ROUTE,
    level=Level.RECOMMENDED,
)
def long_encoded_words_are_seen(facts: AuditFacts, _: Context) -> Result:
    """Judged where the subject rule is the only one: such words break the standard."""
    if facts.declared.rules.method is not Method.SUBJECT and facts.routing:
        return not_applicable(say("The subject rule is not the only one."))
    result = _held(facts, StandardSample.ENCODED_LONG)
    return Result(result.outcome, result.seen, remedy=result.remedy)
