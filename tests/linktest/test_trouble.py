"""Whatever stops a message is told by its own remedy; no two causes are mixed up."""

from __future__ import annotations

import pytest
from linktest.test_sending import NOW

from incamail_lib.facts.delivery import Cause, Delivery, DeliveryOutcome, SendingStage
from incamail_lib.facts.smtp import Reply
from incamail_lib.i18n import translator
from incamail_lib.linktest import delivery_text
from incamail_lib.linktest.trouble import Trouble, remedy, trouble_of

OUTCOMES = {2: DeliveryOutcome.ACCEPTED, 4: DeliveryOutcome.DEFERRED, 5: DeliveryOutcome.REFUSED}
E, M, R, C = (
    SendingStage.EHLO_IN_TLS,
    SendingStage.MAIL,
    SendingStage.RCPT,
    SendingStage.CONTENT,
)
A, G = SendingStage.AUTH, SendingStage.GREETING

# stage, reply as the server says it, inside TLS or not, what it means
REPLIES = [
    # a certificate of ours is wanted: Postfix (smtpd_tls_req_ccert), and others
    (E, "421 4.7.1 mx Error: No client certificate presented", True, Trouble.CLIENT_CERTIFICATE),
    (E, "421 4.7.1 mx Error: Client certificate not trusted", True, Trouble.CLIENT_CERTIFICATE),
    (M, "530 5.7.0 No client certificate presented", True, Trouble.CLIENT_CERTIFICATE),
    (M, "454 4.7.0 Client certificate not trusted", True, Trouble.CLIENT_CERTIFICATE),
    (R, "550 5.7.1 certificate required", True, Trouble.CLIENT_CERTIFICATE),
    # TLS (RFC 3207 §4)
    (M, "530 5.7.0 Must issue a STARTTLS command first", False, Trouble.TLS_DEMANDED),
    (M, "451 5.7.3 STARTTLS is required to send mail", False, Trouble.TLS_DEMANDED),
    (M, "523 5.7.10 Encryption needed", False, Trouble.TLS_DEMANDED),
    # a login (RFC 4954 §6; Exchange)
    (M, "530 5.7.0 Authentication required", True, Trouble.LOGIN_DEMANDED),
    (M, "530 5.7.57 Client not authenticated to send mail", True, Trouble.LOGIN_DEMANDED),
    (M, "550 5.7.60 SMTP; Client does not have permissions", True, Trouble.LOGIN_DEMANDED),
    (R, "550 Authentication is required for relay", True, Trouble.LOGIN_DEMANDED),
    (A, "535 5.7.8 Error: authentication failed", True, Trouble.LOGIN_REFUSED),
    (A, "535 5.7.3 Authentication unsuccessful", True, Trouble.LOGIN_REFUSED),
    (A, "454 4.7.0 Temporary authentication failure", True, Trouble.LOGIN_REFUSED),
    (A, "534 5.7.9 Application-specific password required", True, Trouble.LOGIN_REFUSED),
    # no relaying: Postfix, Exim, Exchange, Sendmail
    (R, "554 5.7.1 <a@b.incamail.ch>: Relay access denied", True, Trouble.RELAY_DENIED),
    (R, "454 4.7.1 <a@b.incamail.ch>: Relay access denied", True, Trouble.RELAY_DENIED),
    (R, "550 relay not permitted", True, Trouble.RELAY_DENIED),
    (R, "550 5.7.54 SMTP; Unable to relay recipient", True, Trouble.RELAY_DENIED),
    (R, "550 5.7.1 Relaying denied. Proper authentication required.", True, Trouble.RELAY_DENIED),
    # put off on purpose
    (R, "450 4.2.0 <a@b>: Recipient address rejected: Greylisted", True, Trouble.GREYLISTED),
    (R, "451 4.7.1 Greylisting in action, please come back later", True, Trouble.GREYLISTED),
    (C, "451 graylisted", True, Trouble.GREYLISTED),
    # no way to the domain
    (R, "450 4.1.2 <a@b>: Domain not found", True, Trouble.NO_ROUTE),
    (R, "550 5.1.2 Bad destination system address", True, Trouble.NO_ROUTE),
    (R, "550 5.4.4 Unable to route", True, Trouble.NO_ROUTE),
    (R, "550 5.4.310 DNS domain does not exist", True, Trouble.NO_ROUTE),
    (R, "451 4.4.3 Directory server failure", True, Trouble.NO_ROUTE),
    (R, "550 Unrouteable address", True, Trouble.NO_ROUTE),
    (C, "554 5.4.6 Routing loop detected", True, Trouble.NO_ROUTE),
    # size (RFC 1870) and storage are two things under one code
    (M, "552 5.3.4 Message size exceeds fixed limit", True, Trouble.TOO_LARGE),
    (C, "552 5.2.3 Message exceeds administrative limit", True, Trouble.TOO_LARGE),
    (C, "552 message too large", True, Trouble.TOO_LARGE),
    (R, "552 5.2.2 Mailbox full", True, Trouble.MAILBOX_FULL),
    (R, "452 4.2.2 The account is over quota", True, Trouble.MAILBOX_FULL),
    (R, "552 Requested action aborted: exceeded storage allocation", True, Trouble.MAILBOX_FULL),
    # addresses
    (R, "550 5.1.1 User unknown", True, Trouble.UNKNOWN_RECIPIENT),
    (R, "550 No such user here", True, Trouble.UNKNOWN_RECIPIENT),
    (R, "556 5.1.10 Recipient address has null MX", True, Trouble.UNKNOWN_RECIPIENT),
    (M, "553 5.7.1 Sender address rejected: not owned by user", True, Trouble.SENDER_REFUSED),
    (M, "550 5.1.8 Domain of sender address does not exist", True, Trouble.SENDER_REFUSED),
    (C, "550 5.7.23 SPF validation failed", True, Trouble.SENDER_REFUSED),
    # busy
    (G, "421 4.3.2 System not accepting network messages", False, Trouble.BUSY),
    (G, "421 mx Service not available", False, Trouble.BUSY),
    (M, "452 4.3.1 Insufficient system storage", True, Trouble.BUSY),
    (R, "452 4.5.3 Too many recipients", True, Trouble.BUSY),
    (G, "421 4.7.0 mx too many connections", False, Trouble.BUSY),
    # what says no more than that
    (G, "554 5.7.1 Access denied", False, Trouble.POLICY),
    (C, "550 5.7.1 Message rejected by content filter", True, Trouble.POLICY),
    (C, "550 5.7.1 No mail with a certificate attached", True, Trouble.POLICY),
    (R, "451 4.7.1 Try again later", True, Trouble.DEFERRED),
    (M, "451 Requested action aborted: error in processing", True, Trouble.DEFERRED),
    (M, "501 5.5.4 Syntax error in parameters", True, Trouble.REFUSED),
]  # fmt: skip


def delivery(
    stage: SendingStage,
    reply: str = "",
    *,
    in_tls: bool = True,
    cause: Cause = Cause.REPLY,
    outcome: DeliveryOutcome | None = None,
    evidence: str = "",
) -> Delivery:
    """A hand-over that ended so."""
    code, _, words = reply.partition(" ")
    first, *_ = words.split(" ")
    parts = first.split(".")
    enhanced = first if len(parts) == 3 and all(part.isdigit() for part in parts) else ""
    said = Reply(code=int(code), enhanced=enhanced, lines=(words,)) if reply else None
    return Delivery(
        message_id="<1@muster.example>",
        sender="anna@muster.example",
        recipient="hans@partner.example.incamail.ch",
        server="mail.muster.example:25",
        agreed_by="Anna",
        outcome=outcome or OUTCOMES[int(reply[:1])],
        stage=stage,
        cause=cause,
        reply=said,
        tls_version="TLSv1.3" if in_tls else "",
        started_at=NOW,
        elapsed_s=0.1,
        evidence=evidence,
    )


@pytest.mark.parametrize(("stage", "reply", "in_tls", "expected"), REPLIES)
def test_each_reply_means_one_thing(
    stage: SendingStage, reply: str, in_tls: bool, expected: Trouble
) -> None:
    """Code, enhanced code and, where those leave it open, words decide; the remedy follows."""
    found = delivery(stage, reply, in_tls=in_tls)
    assert trouble_of(found) is expected
    told = translator("en").text(delivery_text(found))
    assert translator("en").text(remedy(expected)) in told
    assert reply.partition(" ")[2] in told


ENDS = [
    (Cause.CERTIFICATE, "certificate has expired", Trouble.UNTRUSTED_CERTIFICATE),
    (Cause.TLS_FAILED, "tlsv13 alert certificate required", Trouble.CLIENT_CERTIFICATE),
    (Cause.TLS_FAILED, "tlsv1 alert unknown ca", Trouble.CLIENT_CERTIFICATE),
    (Cause.TLS_FAILED, "sslv3 alert bad certificate", Trouble.CLIENT_CERTIFICATE),
    (Cause.TLS_FAILED, "sslv3 alert handshake failure", Trouble.TLS_FAILED),
    (Cause.TLS_FAILED, "tlsv1 alert protocol version", Trouble.TLS_FAILED),
    (Cause.NO_STARTTLS, "", Trouble.NO_STARTTLS),
    (Cause.STARTTLS_REFUSED, "", Trouble.NO_STARTTLS),
    (Cause.NO_LOGIN, "", Trouble.LOGIN_IMPOSSIBLE),
    (Cause.TIMEOUT, "timed out", Trouble.SILENT),
    (Cause.CONNECTION_REFUSED, "Connection refused", Trouble.NOBODY_LISTENS),
    (Cause.UNREACHABLE, "Name or service not known", Trouble.NOT_FOUND),
    (Cause.CLOSED, "Connection reset by peer", Trouble.CLOSED),
    (Cause.PROTOCOL_ERROR, "HTTP/1.1 400", Trouble.NO_SMTP),
]


@pytest.mark.parametrize(("cause", "evidence", "expected"), ENDS)
def test_each_end_without_a_reply_means_one_thing(
    cause: Cause, evidence: str, expected: Trouble
) -> None:
    """An alert about a certificate of ours is told from a handshake that found nothing in common,
    and both from a certificate of theirs."""
    found = delivery(E, cause=cause, outcome=DeliveryOutcome.NOT_SENT, evidence=evidence)
    assert trouble_of(found) is expected


def test_every_trouble_is_met_and_has_a_remedy_of_its_own() -> None:
    """The tables above leave none out, and no remedy is told for two causes."""
    met = {expected for *_, expected in REPLIES} | {expected for *_, expected in ENDS}
    assert met | {Trouble.UNCERTAIN} == set(Trouble)
    told = [remedy(trouble).template for trouble in Trouble]
    assert len(set(told)) == len(told)


def test_only_what_may_pass_is_tried_again() -> None:
    """«Later» is said of greylisting, a busy server and an unexplained 4xx, and of nothing else:
    a wanted certificate or login does not come by waiting."""
    later = {
        t for t in Trouble if "later" in remedy(t).template or "again in" in remedy(t).template
    }
    waiting = {Trouble.GREYLISTED, Trouble.BUSY, Trouble.DEFERRED}
    assert later - {Trouble.CLIENT_CERTIFICATE} == waiting
    assert "later does not help" in remedy(Trouble.CLIENT_CERTIFICATE).template


def test_what_was_taken_or_may_have_been_is_no_refusal() -> None:
    """A 250 has no trouble and says what it proves; a lost answer sends to the log."""
    taken = delivery(C, "250 2.0.0 queued")
    assert trouble_of(taken) is None
    assert "proves the hand-over and nothing more" in translator("en").text(delivery_text(taken))
    lost = delivery(C, cause=Cause.CLOSED, outcome=DeliveryOutcome.UNCERTAIN)
    assert trouble_of(lost) is Trouble.UNCERTAIN
