"""Test messages by guide 8.3, each routed by the client's own rules before it exists.

The subject stays plain ASCII, so that no library encodes it (RFC 2047): a filter on the raw header
would miss an encoded tag. Nothing given may contain a line break or another control character, so
no header can be slipped in (CWE-93).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path

from incamail_lib.errors import UsageError
from incamail_lib.facts.routing import MessageRouting, RuleSet, SendingType, Severity
from incamail_lib.files import write_whole
from incamail_lib.i18n import N_, Language, Text, say, translator
from incamail_lib.outputs import slug
from incamail_lib.routing import classify
from incamail_lib.routing.address import Address, canonical_suffix, has_suffix, parse_address

# Guide 8.3; the tags by guide 8.1.
SUBJECTS: dict[SendingType, str] = {
    SendingType.CONFIDENTIAL: "<im><c> Test-Mail outbound to IncaMail",
    SendingType.PERSONAL: "<im><p> Test-Mail outbound to IncaMail",
    SendingType.REGISTERED: "<im><r> Test-Mail outbound to IncaMail",
}
_KINDS: dict[SendingType | None, str] = {
    SendingType.CONFIDENTIAL: N_("confidential"),
    SendingType.PERSONAL: N_("personal"),
    SendingType.REGISTERED: N_("registered"),
    None: N_("HTML attachment"),
}
HTML_KIND = "html_attachment"
BODY = N_("This message tests the link to IncaMail.")
MAX_BODY = 500
_UNSAFE = re.compile(r"[^a-z0-9@-]+")
_NAMED = re.compile(r"[^<>()@:;,\\]*<(?P<address>[^<>]*)>")
# RFC 5322 §3.2.3
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ACTING = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True)
class TestMessage:
    """One test message and where the client's rules send it."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    sending_type: SendingType | None  # None: ordinary mail, for the HTML attachment
    sender: str
    recipient: str  # with the suffix, exactly once
    message: EmailMessage = field(repr=False)
    routing: MessageRouting = field(repr=False)

    @property
    def message_id(self) -> str:
        """The Message-ID, by which logs and receipts name the message."""
        return str(self.message["Message-ID"])

    @property
    def kind(self) -> str:
        """What it is sent as, in the words of the acceptance tests."""
        return self.sending_type.value if self.sending_type else HTML_KIND

    @property
    def warnings(self) -> tuple[Text, ...]:
        """What the operator should know before sending, such as that TLS is not forced."""
        found = (*self.routing.hazards, *(h for r in self.routing.routes for h in r.hazards))
        return tuple(hazard.text for hazard in found if hazard.text)


def compose(
    sender: str,
    recipient: str,
    sending_type: SendingType,
    *,
    rules: RuleSet,
    own_domains: Sequence[str] = (),
    now: dt.datetime,
    language: Language = "en",
    body: str | None = None,
) -> TestMessage:
    """The test message of one sending type to one recipient, suffixed if it is not yet.

    Without a `body` it says in the language of its readers what it is for.

    Errors: UsageError for an address or body that cannot be used, and for a message that would
    leave unprotected or go astray under `rules`.
    """
    author = mailbox(N_("sender"), sender)
    reader = mailbox(N_("recipient"), recipient)
    suffix = canonical_suffix(rules.suffix)
    domain = reader.domain
    while has_suffix(domain, suffix):
        domain = domain.removesuffix(suffix)
    text = translator(language)(BODY) if body is None else body
    message = EmailMessage(policy=SMTP)
    message["From"] = author.text
    message["To"] = f"{reader.local}@{domain}{suffix}"
    message["Subject"] = SUBJECTS[sending_type]
    message["Date"] = format_datetime(now.astimezone(dt.UTC))
    message["Message-ID"] = make_msgid(domain=author.domain)
    message.set_content(_line(N_("body"), text, MAX_BODY) + "\n", cte="quoted-printable")
    to = str(message["To"])
    routing = guard(message, to, rules=rules, own_domains=own_domains)
    return TestMessage(sending_type, author.text, to, message, routing)


def compose_all(
    sender: str,
    recipients: Iterable[str],
    *,
    rules: RuleSet,
    own_domains: Sequence[str] = (),
    now: dt.datetime,
    language: Language = "en",
) -> tuple[TestMessage, ...]:
    """A message of every sending type to each recipient, recipients in their order."""
    return tuple(
        compose(
            sender,
            recipient,
            kind,
            rules=rules,
            own_domains=own_domains,
            now=now,
            language=language,
        )
        for recipient in recipients
        for kind in SUBJECTS
    )


def guard(
    message: EmailMessage, recipient: str, *, rules: RuleSet, own_domains: Sequence[str] = ()
) -> MessageRouting:
    """The routes of `message` to `recipient` under `rules`, if it may be sent at all.

    Errors: UsageError when its content would leave unprotected, or go astray.
    """
    routing = classify((recipient,), str(message["Subject"]), rules, own_domains=own_domains)
    barred = (Severity.LEAK, Severity.MISROUTED, Severity.UNKNOWN)
    found = (*routing.hazards, *(h for route in routing.routes for h in route.hazards))
    for hazard in found:
        if hazard.severity in barred:
            raise UsageError(
                say(
                    "The test message to «{recipient}» is not made: {why} Correct the recipient "
                    "or the routing rules of the dossier.",
                    recipient=recipient[:200],
                    why=hazard.text or hazard.code,
                )
            )
    return routing


def save(test: TestMessage, folder: Path, language: Language = "en") -> Path:
    """Write the message as `.eml`, to be opened in a mail program or kept with the record; its name
    says in one language what it is sent as.

    Errors: OutputError naming the file.
    """
    unique = re.sub(r"\W", "", test.message_id)[-40:]
    to = _UNSAFE.sub("-", test.recipient.lower())[:80].strip("-")
    kind = slug(translator(language)(_KINDS[test.sending_type]))
    name = f"{kind}-{to}-{unique}.eml"
    return write_whole(folder / name, test.message.as_bytes())


def mailbox(field_name: str, given: str) -> Address:
    """One ordinary address, at most with a name before it: no quotes, route, comment or literal.

    A mail library would read more into a colon or an encoded word, and write another address.
    """
    address = parse_address(_line(field_name, given, 400))
    named = _NAMED.fullmatch(given.strip())
    local = (named["address"] if named else given.strip()).rpartition("@")[0]
    plain = local == address.local and _DOT_ATOM.fullmatch(local) and "=?" not in given
    if address.problem or address.is_literal or address.has_route or not plain:
        raise UsageError(
            say(
                "The {field} «{given}» is not an address that a test message can use; write one "
                "like «anna@muster.example».",
                field=Text(template=field_name),
                given=given[:200],
            )
        )
    return address


def _line(field_name: str, given: str, longest: int) -> str:
    """`given` if it is one line without control characters, not empty and not too long."""
    acts = any(unicodedata.category(character) in _ACTING for character in given)
    if acts or not given.strip() or len(given) > longest:
        raise UsageError(
            say(
                "The {field} must be one line of 1 to {longest} characters, without line breaks "
                "or other control characters.",
                field=Text(template=field_name),
                longest=longest,
            )
        )
    return given
