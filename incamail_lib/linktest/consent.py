"""Consent to send: a value that names the message, the recipient and the person."""

from __future__ import annotations

from email.message import EmailMessage

from incamail_lib.errors import UsageError
from incamail_lib.i18n import say
from incamail_lib.record import Record, UtcDatetime


class Consent(Record):
    """Somebody agreed that this one message goes to this one recipient."""

    message_id: str
    recipient: str
    agreed_by: str
    agreed_at: UtcDatetime


def demand(consent: object, message: EmailMessage, recipient: str) -> Consent:
    """The consent, if it covers just this message and recipient.

    Errors: UsageError for none, for a plain yes, and for consent to something else.
    """
    covers = (
        isinstance(consent, Consent)
        and consent.message_id == str(message["Message-ID"])
        and consent.recipient == recipient
        and bool(consent.agreed_by.strip())
    )
    if not covers or not isinstance(consent, Consent):
        raise UsageError(
            say(
                "Nothing was sent: consent to this message is missing. It must name the message "
                "{message_id}, the recipient «{recipient}» and who agreed.",
                message_id=str(message["Message-ID"])[:200],
                recipient=recipient[:200],
            )
        )
    return consent
