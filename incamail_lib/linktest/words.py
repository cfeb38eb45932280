"""A delivery told to people."""

from __future__ import annotations

from incamail_lib.facts.delivery import Cause, Delivery, DeliveryOutcome, SendingStage
from incamail_lib.i18n import N_, Text, say

_OUTCOMES: dict[DeliveryOutcome, str] = {
    DeliveryOutcome.ACCEPTED: N_(
        "The server {server} took the message for {recipient}: {cause}. Now look whether it "
        "arrives."
    ),
    DeliveryOutcome.DEFERRED: N_(
        "The server {server} does not take the message for {recipient} now ({stage}): {cause}. "
        "Try again later."
    ),
    DeliveryOutcome.REFUSED: N_(
        "The server {server} refused the message for {recipient} ({stage}): {cause}."
    ),
    DeliveryOutcome.NOT_SENT: N_(
        "The message for {recipient} was not handed to {server} ({stage}): {cause}."
    ),
    DeliveryOutcome.UNCERTAIN: N_(
        "The message for {recipient} was handed to {server}, but no answer came ({stage}): "
        "{cause}. Look into the server's log before sending it again."
    ),
}

_CAUSES: dict[Cause, str] = {
    Cause.REPLY: N_("the server's answer decided it"),
    Cause.NO_STARTTLS: N_("TLS is required and the server does not offer STARTTLS"),
    Cause.STARTTLS_REFUSED: N_("the server offers STARTTLS and then refuses it"),
    Cause.CERTIFICATE: N_("the server's certificate could not be verified"),
    Cause.TLS_FAILED: N_("the TLS handshake failed"),
    Cause.NO_LOGIN: N_("no way to log in: no TLS, or neither PLAIN nor LOGIN is offered"),
    Cause.TIMEOUT: N_("no answer within the time limit"),
    Cause.CONNECTION_REFUSED: N_("connection refused"),
    Cause.UNREACHABLE: N_("network or machine not reachable"),
    Cause.CLOSED: N_("the connection was closed without a reason"),
    Cause.PROTOCOL_ERROR: N_("the answer was not valid SMTP or TLS"),
}

_STAGES: dict[SendingStage, str] = {
    SendingStage.CONNECT: N_("connecting"),
    SendingStage.GREETING: N_("greeting"),
    SendingStage.EHLO: N_("EHLO"),
    SendingStage.STARTTLS: N_("STARTTLS"),
    SendingStage.HANDSHAKE: N_("TLS handshake"),
    SendingStage.EHLO_IN_TLS: N_("EHLO inside TLS"),
    SendingStage.AUTH: N_("login"),
    SendingStage.MAIL: N_("MAIL"),
    SendingStage.RCPT: N_("RCPT"),
    SendingStage.DATA: N_("DATA"),
    SendingStage.CONTENT: N_("handing over the message"),
}


def delivery_text(delivery: Delivery) -> Text:
    """One sentence: what became of the message, where, and by which words of the server."""
    cause: Text | str = Text(template=_CAUSES[delivery.cause])
    detail = delivery.reply.text if delivery.reply else delivery.evidence
    if delivery.cause is Cause.REPLY and detail:
        cause = detail
    elif detail:
        cause = say("{meaning} [{detail}]", meaning=cause, detail=detail)
    return Text(
        template=_OUTCOMES[delivery.outcome],
        values={
            "server": delivery.server,
            "recipient": delivery.recipient,
            "stage": Text(template=_STAGES[delivery.stage]),
            "cause": cause,
        },
    )
