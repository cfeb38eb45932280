"""The MTA's engines behind one question: would this rule select this message?

The laws, the safest first:

1. Ask the engine's own library where there is one (posix.py, perl.py); it alone may be certain.
   What only the documentation says (documented.py) is never told as certain, and what neither says
   is unknown. We interpret no expression ourselves.
2. An engine sees the bytes that it sees in life: Postfix the header lines as they came, of parts
   as well; Exim its expansion, decoded or raw; the rest what their documentation says.
3. An expression that the engine refuses is no rule: it selects nothing, and its words are told.
4. Of an engine that is not known the answer is what every possible one would do – possible by what
   the dossier says it compares. Where they differ the answer is unknown, and they are named.
5. Asking never raises: what cannot be asked is an answer with its cause.

Tried and given up: one grammar of our own for all engines. It agreed with our tests and differed
from Postfix in a sixth of the real deliveries by single-line `regexp:` tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from incamail_lib.errors import UsageError
from incamail_lib.facts.routing import (
    ENGINE_NAMES,
    EXIM_ENGINES,
    POSTFIX_ENGINES,
    Engine,
    RuleSet,
    SubjectView,
)
from incamail_lib.i18n import Text, say
from incamail_lib.routing import documented, exim, postfix
from incamail_lib.routing.address import Address
from incamail_lib.routing.reply import Answer, CannotAsk, NoRule, Reply

HEADER_CHECKS = frozenset({Engine.POSTFIX_REGEXP, Engine.POSTFIX_PCRE})
_DECODING = (Engine.EXIM_DECODED, Engine.EXCHANGE_ONLINE)
_RAW = (Engine.POSTFIX_REGEXP, Engine.POSTFIX_PCRE, Engine.EXIM_RAW)
_EITHER = (Engine.CISCO_ESA,)  # which of the two it compares is not documented
MAX_PATTERN = 1000  # characters, of all lines together
_KEYED = (Engine.POSTFIX_TABLE, Engine.EXIM_DECODED, Engine.EXCHANGE_ONLINE, Engine.CISCO_ESA)


@dataclass(frozen=True)
class Headers:
    """What an engine may look at: header lines as they came, folds as LF, without line end."""

    subjects: tuple[bytes, ...] = ()  # whole lines, name included
    others: tuple[bytes, ...] = ()
    attached: tuple[bytes, ...] = ()  # of MIME parts and attached messages
    raw: str = ""  # of the first subject, its value as text
    decoded: str = ""


def ask_subject(rules: RuleSet, headers: Headers) -> Reply:
    """Whether the subject rule would select a message with these headers. Never raises."""

    def ask(engine: Engine) -> Reply:
        question = partial(_selects, engine, rules.subject_pattern, headers, rules.subject_view)
        return _ask(engine, question)

    if rules.engine is not Engine.NOT_KNOWN:
        return ask(rules.engine)
    return _agreed([ask(engine) for engine in candidates(rules.subject_view)])


def candidates(view: SubjectView) -> tuple[Engine, ...]:
    """The engines that an unnamed MTA may have, given what its rule is known to compare."""
    if view is SubjectView.DECODED:
        return (*_DECODING, *_EITHER)
    return (*_RAW, *_EITHER) if view is SubjectView.RAW else (*_RAW, *_DECODING, *_EITHER)


def ask_suffix(rules: RuleSet, address: Address) -> Reply:
    """Whether the key of the suffix rule would select an address. Never raises."""

    def ask(engine: Engine) -> Reply:
        return _ask(engine, partial(_keyed, engine, rules.suffix_key, address))

    if rules.engine is not Engine.NOT_KNOWN:
        return ask(rules.engine)
    return _agreed([ask(engine) for engine in _KEYED])


def _selects(
    engine: Engine, pattern: str, headers: Headers, view: SubjectView = SubjectView.NOT_SAID
) -> bool:
    if engine is Engine.POSTFIX_TABLE:
        raise NoRule(say("hash:, texthash:, lmdb: and cdb: compare addresses, not subjects"))
    if engine in HEADER_CHECKS:
        return _header_checks(engine, pattern, headers)
    if engine in EXIM_ENGINES:
        decoded = engine is Engine.EXIM_DECODED
        return exim.matches_subject(pattern, headers.subjects, decoded=decoded)
    if len(headers.subjects) > 1:
        raise CannotAsk(say("the message has several subjects"))
    return documented.matches_subject(
        engine, pattern, raw=headers.raw, decoded=headers.decoded, view=view
    )


def _header_checks(engine: Engine, pattern: str, headers: Headers) -> bool:
    if postfix.matches_header(engine, pattern, (*headers.subjects, *headers.others)):
        return True
    if postfix.matches_header(engine, pattern, headers.attached):
        raise CannotAsk(
            say("only a header of an attached part matches, which Postfix sees by default as well")
        )
    return False


def _keyed(engine: Engine, key: str, address: Address) -> bool:
    if engine in POSTFIX_ENGINES:
        return postfix.suffix_key_selects(engine, key, address.text, address.domain)
    if engine in EXIM_ENGINES:
        return exim.suffix_key_selects(key, address.domain)
    return documented.suffix_key_selects(engine, key, address.domain)


def _ask(engine: Engine, question: Callable[[], bool]) -> Reply:
    asked = engine in POSTFIX_ENGINES | EXIM_ENGINES
    try:
        answer = Answer.MATCHES if question() else Answer.MISSES
    except NoRule as error:
        refused = say(
            "{engine} refuses the expression: {cause}",
            engine=ENGINE_NAMES[engine],
            cause=error.cause,
        )
        return Reply(engine, Answer.NO_RULE, refused, asked)
    except CannotAsk as error:
        cannot = say("{engine}: {cause}", engine=ENGINE_NAMES[engine], cause=error.cause)
        return Reply(engine, Answer.UNKNOWN, cannot, asked)
    return Reply(engine, answer, None, asked)


def _agreed(replies: list[Reply]) -> Reply:
    """What all of them say; the one engine that is not known is among them, or is not."""
    answers = {reply.answer for reply in replies}
    if answers == {Answer.NO_RULE}:
        return Reply(Engine.NOT_KNOWN, Answer.NO_RULE, replies[0].cause, asked=False)
    if Answer.UNKNOWN not in answers and len({reply.selects for reply in replies}) == 1:
        answer = Answer.MATCHES if replies[0].selects else Answer.MISSES
        return Reply(Engine.NOT_KNOWN, answer, None, asked=False)
    return Reply(Engine.NOT_KNOWN, Answer.UNKNOWN, _differences(replies), asked=False)


def _differences(replies: Iterable[Reply]) -> Text:
    """The engines by what they would do."""
    by_answer = {
        answer: ", ".join(ENGINE_NAMES[r.engine] for r in replies if r.answer is answer) or "–"
        for answer in Answer
    }
    return say(
        "The mail servers differ. Selected by: {matches}. Not selected by: {misses}. Expression "
        "refused by: {refused}. Cannot be told for: {unknown}",
        matches=by_answer[Answer.MATCHES],
        misses=by_answer[Answer.MISSES],
        refused=by_answer[Answer.NO_RULE],
        unknown=by_answer[Answer.UNKNOWN],
    )


def check_pattern(pattern: str, engine: Engine = Engine.NOT_KNOWN) -> None:
    """Nothing, if some engine may take the pattern. Errors: UsageError, with the words of
    `engine` where it was asked, else of PCRE2."""
    if len(pattern) > MAX_PATTERN:
        raise _refusal(pattern, say("it is longer than {limit} characters", limit=MAX_PATTERN))
    replies = [
        _ask(engine, partial(_selects, engine, pattern, Headers()))
        for engine in (Engine.POSTFIX_REGEXP, Engine.POSTFIX_PCRE, Engine.EXIM_DECODED)
    ]
    told = [reply for reply in replies if reply.is_known]
    if told and all(reply.answer is Answer.NO_RULE for reply in told):
        its_own = [reply for reply in told if reply.engine is engine]
        raise _refusal(pattern, (its_own or told)[-1].cause or Text(template=""))


def _refusal(pattern: str, problem: Text) -> UsageError:
    return UsageError(
        say(
            "The subject pattern «{pattern}» cannot be used: {problem}.",
            pattern=pattern[:80],
            problem=problem,
        )
    )


def key_is_open(rules: RuleSet) -> bool:
    """Whether the mail server is, or may be, one that reads the guide's own spelling otherwise."""
    may_be_postfix = rules.engine is Engine.NOT_KNOWN or rules.engine in POSTFIX_ENGINES
    return may_be_postfix and not rules.suffix_key
