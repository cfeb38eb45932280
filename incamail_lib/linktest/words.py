"""A delivery told to people."""

from __future__ import annotations

from incamail_lib.facts.delivery import Cause, Delivery, DeliveryOutcome, SendingStage, TlsUse
from incamail_lib.i18n import N_, Text, say
from incamail_lib.linktest.trouble import remedy, trouble_of

_OUTCOMES: dict[DeliveryOutcome, str] = {
    DeliveryOutcome.ACCEPTED: N_(
        "The server {server} took the message for {recipient}: {cause}. That proves the hand-over "
        "and nothing more: whether it arrives is a record of its own."
    ),
    DeliveryOutcome.DEFERRED: N_(
        "The server {server} does not take the message for {recipient} now ({stage}): {cause}."
    ),
    DeliveryOutcome.REFUSED: N_(
        "The server {server} refused the message for {recipient} ({stage}): {cause}."
    ),
    DeliveryOutcome.NOT_SENT: N_(
        "The message for {recipient} was not handed to {server} ({stage}): {cause}."
    ),
    DeliveryOutcome.UNCERTAIN: N_(
        "The message for {recipient} was handed to {server}, but no answer came ({stage}): {cause}."
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

_TLS: dict[TlsUse, str] = {
    TlsUse.REQUIRED: N_("required"),
    TlsUse.OPPORTUNISTIC: N_("if offered"),
    TlsUse.OFF: N_("off"),
}


def tls_text(use: TlsUse) -> Text:
    """Whether a hand-over is encrypted, in a word."""
    return Text(template=_TLS[use])


def delivery_text(delivery: Delivery) -> Text:
    """What became of the message, where, by which words of the server, and what helps."""
    trouble = trouble_of(delivery)
    if trouble is None:
        return outcome_text(delivery)
    return say("{told} {remedy}", told=outcome_text(delivery), remedy=remedy(trouble))


def outcome_text(delivery: Delivery) -> Text:
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
