"""An ordinary message from outside with an HTML attachment: does the gateway let it through?

A SAFE message arrives as an HTML attachment (guide 2, 8.2), which many filters remove. The test is
harmless: no tag, no suffix, no script, no form, no link, and only to an address of the organisation
itself. That it arrives does not prove that a form in such an attachment is let through as well.
"""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from incamail_lib.errors import UsageError
from incamail_lib.facts.routing import RuleSet
from incamail_lib.i18n import N_, Language, say, translator
from incamail_lib.linktest.compose import TestMessage, mailbox
from incamail_lib.routing import classify

SUBJECT = N_("Test of HTML attachments")
TEXT = N_("This message tests whether an HTML attachment arrives. Its attachment can be opened.")
ARRIVED = N_("The HTML attachment has arrived.")
FILE_NAME = "IncaMail-Test.html"
PAGE = """\
<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><title>Test</title></head>
<body><p>{arrived}</p></body>
</html>
"""


def compose_html(
    sender: str,
    recipient: str,
    *,
    rules: RuleSet,
    own_domains: Sequence[str],
    now: dt.datetime,
    language: Language = "en",
) -> TestMessage:
    """A message with an HTML attachment, from outside to an address of the organisation.

    Its few words are in the language of those who open it.

    Errors: UsageError for an address that cannot be used, a sender inside or a recipient outside.
    """
    author = mailbox(N_("sender"), sender)
    reader = mailbox(N_("recipient"), recipient)
    if reader.domain not in own_domains:
        raise UsageError(
            say(
                "«{address}» is not in a mail domain of the dossier. The message with an HTML "
                "attachment goes to an address of the organisation only.",
                address=reader.text[:200],
            )
        )
    if author.domain in own_domains:
        raise UsageError(
            say(
                "«{address}» is in a mail domain of the organisation. The message with an HTML "
                "attachment must come from outside: enter another sender.",
                address=author.text[:200],
            )
        )
    tell = translator(language)
    subject = tell(SUBJECT)
    message = EmailMessage(policy=SMTP)
    message["From"] = author.text
    message["To"] = reader.text
    message["Subject"] = subject
    message["Date"] = format_datetime(now.astimezone(dt.UTC))
    message["Message-ID"] = make_msgid(domain=author.domain)
    message.set_content(tell(TEXT) + "\n", cte="quoted-printable")
    attach_page(message, language)
    routing = classify((reader.text,), subject, rules, own_domains=own_domains)
    return TestMessage(None, author.text, reader.text, message, routing)


def attach_page(message: EmailMessage, language: Language) -> None:
    """Attach the harmless page that says it has arrived."""
    arrived = html.escape(translator(language)(ARRIVED))
    page = PAGE.format(language=language, arrived=arrived)
    message.add_attachment(page, subtype="html", filename=FILE_NAME, cte="quoted-printable")
