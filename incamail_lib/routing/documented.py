"""Products that cannot be asked here: what their documentation says, and nothing beyond it.

None of this could be tried, and the lists of signs are from memory of the references named: so no
answer from here is ever told as certain (`Reply.asked`).

Exchange Online: conditions SubjectMatchesPatterns and SubjectContainsWords of mail flow rules.
Cisco Secure Email: message filters (AsyncOS user guide, "Message Filter Rules"): expressions like
Python's, and case counts. SEPPmail: nothing found about its rules on subjects. What is not
documented is unknown, together with the test message that settles it.
"""

from __future__ import annotations

import re

import pcre2

from incamail_lib.facts.routing import Engine, SubjectView
from incamail_lib.i18n import say
from incamail_lib.routing.perl import pcre_matches
from incamail_lib.routing.reply import CannotAsk

# what "Regular expressions in transport rules" lists, and "."
_EXCHANGE = re.compile(r"(?:[^\\\[\]{}+?()]|\\[sSdDwW]|\\[^A-Za-z0-9]|\((?!\?)|\))*")
_CISCO = re.compile(r"(?:\(\?i\))?(?:[^\\(]|\\[^A-Za-z0-9]|\\[sSdDwW]|\((?!\?))*")
_ENCODED = re.compile(r"=\?[^?\s]+\?[bBqQ]\?")


def matches_subject(
    engine: Engine,
    pattern: str,
    *,
    raw: str,
    decoded: str,
    view: SubjectView = SubjectView.NOT_SAID,
) -> bool:
    """Whether the documentation says that the rule applies. `view`: what the administrator says
    that it compares. Errors: NoRule, CannotAsk."""
    if engine is Engine.EXCHANGE_ONLINE:
        return _exchange_pattern(pattern, raw, decoded)
    if engine is Engine.EXCHANGE_ONLINE_WORDS:
        return _exchange_words(pattern, decoded)
    if engine is Engine.CISCO_ESA:
        if view is SubjectView.NOT_SAID:
            _needs_no_decoding(raw, raw)
        return _cisco(pattern, decoded if view is SubjectView.DECODED else raw)
    if engine is Engine.EXCHANGE_SERVER:
        raise CannotAsk(say("no documented rule of Exchange Server chooses the route by subject"))
    raise CannotAsk(say("what SEPPmail does with a subject is not documented publicly"))


def _exchange_pattern(pattern: str, raw: str, decoded: str) -> bool:
    if not _EXCHANGE.fullmatch(pattern):
        raise CannotAsk(say("it uses signs that Exchange's documentation does not list"))
    _needs_no_decoding(raw, decoded)
    flags = int(pcre2.IGNORECASE)
    return pcre_matches(pattern.encode("utf-8", "replace"), decoded.encode("utf-8"), flags)


def _needs_no_decoding(raw: str, decoded: str) -> None:
    """How Exchange decodes is documented nowhere; what needs no decoding is not affected."""
    if _ENCODED.search(raw) or "\n" in raw or not decoded.isprintable():
        raise CannotAsk(say("how it decodes such a subject is not documented"))


def _exchange_words(words: str, decoded: str) -> bool:
    if not re.fullmatch(r"[A-Za-z0-9 ]+", words):
        raise CannotAsk(say("how it compares words with signs such as < and > is not documented"))
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", decoded, re.IGNORECASE) is not None


def _cisco(pattern: str, text: str) -> bool:
    if not _CISCO.fullmatch(pattern):
        raise CannotAsk(say("it uses signs that Cisco's documentation does not explain"))
    if "\n" in text:
        raise CannotAsk(say("what it does with a subject of several lines is not documented"))
    return pcre_matches(pattern.encode("utf-8", "replace"), text.encode("utf-8", "replace"))


def suffix_key_selects(engine: Engine, key: str, domain: str) -> bool:
    """Whether a key of the product's routing table selects a domain. Errors: CannotAsk.

    Exchange: New-SendConnector -AddressSpaces, New-OutboundConnector -RecipientDomains: "*."
    stands for everything below. Cisco: smtproutes, where a leading dot does.
    """
    folded = key.strip().lower().removeprefix("smtp:").partition(";")[0]
    exchange = engine in (
        Engine.EXCHANGE_ONLINE,
        Engine.EXCHANGE_ONLINE_WORDS,
        Engine.EXCHANGE_SERVER,
    )
    lead = "*." if exchange else "."
    if engine is Engine.SEPPMAIL or not re.fullmatch(
        r"[a-z0-9-][a-z0-9.-]*", folded.removeprefix(lead)
    ):
        raise CannotAsk(say("what it does with the key «{key}» is not documented", key=key))
    if folded.startswith(lead):
        return domain.endswith("." + folded.removeprefix(lead))
    return domain == folded
