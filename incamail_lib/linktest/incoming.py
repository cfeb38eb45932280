"""Messages as IncaMail hands them over to the organisation (guide 8.2): for the lab, where IncaMail
is played. In life Swiss Post sends them.

The suffix has gone by then, and the tag with it; a registered message comes as an attachment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from incamail_lib.errors import UsageError
from incamail_lib.facts.routing import RuleSet, SendingType
from incamail_lib.i18n import N_, Language, say, translator
from incamail_lib.linktest.compose import TestMessage, mailbox
from incamail_lib.linktest.html_attachment import attach_page
from incamail_lib.routing import classify

SUBJECTS: dict[SendingType, str] = {
    SendingType.CONFIDENTIAL: N_("Test from IncaMail: confidential"),
    SendingType.PERSONAL: N_("Test from IncaMail: personal"),
    SendingType.REGISTERED: N_("Test from IncaMail: registered"),
}
TEXT = N_("This message tests the link from IncaMail.")


def compose_incoming(
    sender: str,
    recipient: str,
    sending_type: SendingType,
    *,
    rules: RuleSet,
    own_domains: Sequence[str],
    now: dt.datetime,
    language: Language = "en",
) -> TestMessage:
    """One message of IncaMail's side to an address of the organisation.

    Errors: UsageError for an address that cannot be used, and for a recipient outside.
    """
    author = mailbox(N_("sender"), sender)
    reader = mailbox(N_("recipient"), recipient)
    if reader.domain not in own_domains:
        raise UsageError(
            say(
                "«{address}» is not in a mail domain of the dossier. What IncaMail delivers goes "
                "to an address of the organisation only.",
                address=reader.text[:200],
            )
        )
    tell = translator(language)
    subject = tell(SUBJECTS[sending_type])
    message = EmailMessage(policy=SMTP)
    message["From"] = author.text
    message["To"] = reader.text
    message["Subject"] = subject
    message["Date"] = format_datetime(now.astimezone(dt.UTC))
    message["Message-ID"] = make_msgid(domain=author.domain)
    message.set_content(tell(TEXT) + "\n", cte="quoted-printable")
    if sending_type is SendingType.REGISTERED:
        attach_page(message, language)
    routing = classify((reader.text,), subject, rules, own_domains=own_domains)
    return TestMessage(sending_type, author.text, reader.text, message, routing)
