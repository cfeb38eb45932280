"""Hand one test message to the client's own server, on consent; whatever the server does is a
fact."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage

from incamail_lib.errors import UsageError
from incamail_lib.facts.delivery import Delivery, TlsUse
from incamail_lib.i18n import say
from incamail_lib.linktest.consent import Consent, demand
from incamail_lib.linktest.handing import Order, hand_over
from incamail_lib.linktest.server import Mta, SendLimits
from incamail_lib.routing.address import parse_address, split_mailboxes


async def send(
    message: EmailMessage,
    *,
    recipient: str,
    server: Mta,
    consent: Consent,
    limits: SendLimits | None = None,
    now: dt.datetime | None = None,
) -> Delivery:
    """Hand `message` to `server` for `recipient` alone, if `consent` covers just that.

    What the server does, or does not do, is told by the Delivery. A cancelled call breaks the
    connection off; what the server had taken by then stays taken.
    Errors: UsageError without consent or for addresses that cannot be used, MaterialError for a
    file of roots that cannot be read.
    """
    given = demand(consent, message, recipient)
    sender = _only_mailbox(str(message["From"] or ""))
    named = split_mailboxes(str(message["To"] or ""))
    if _only_mailbox(recipient) not in named:
        raise UsageError(
            say(
                "Nothing was sent: the message is not addressed to «{recipient}». Compose it anew.",
                recipient=recipient[:200],
            )
        )
    context = None if server.starttls is TlsUse.OFF else server.context()
    return await hand_over(
        Order(
            message.as_bytes(),
            sender,
            recipient,
            server,
            context,
            message_id=given.message_id,
            agreed_by=given.agreed_by,
        ),
        limits,
        now=now,
    )


def _only_mailbox(given: str) -> str:
    """The address, if it can stand in an SMTP command as it is."""
    address = parse_address(given)
    if address.problem or address.is_literal or not address.text.isascii():
        raise UsageError(
            say(
                "Nothing was sent: «{address}» cannot stand in the envelope of a test message. "
                "Compose the message anew.",
                address=given[:200],
            )
        )
    return address.text
