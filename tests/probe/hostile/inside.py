"""Servers that are sound up to the handshake and odd inside TLS."""

from __future__ import annotations

import asyncio

from OpenSSL import SSL
from probe.hostile.play import CLEAR, GO, Behaviour, Call, Do, Drip, Endless, Step, Tls
from probe.served import asking, plan, speaking

from incamail_lib.lab.channel import Channel
from incamail_lib.lab.plan import Version

ASK, CLOSE, RESET, WAIT = Do.ASK, Do.CLOSE, Do.RESET, Do.WAIT
HELLO = b"250-mx1\r\n250 PIPELINING\r\n"
POOR = b"250 mx1\r\n"
LOGIN = b"250-mx1\r\n250 AUTH PLAIN LOGIN\r\n"
BYE = (ASK, b"221 bye\r\n")
# Servers, and what the handshakes alone show of them.
SOUND, ASKS = plan(), plan(asking())
DEMANDS = plan(asking(required=True))
OLD = speaking(Version.TLS_1_2, Version.TLS_1_2)
ASKS_OLD = speaking(Version.TLS_1_2, Version.TLS_1_2, asking())
ACCEPTED = {"starttls": "accepted"}
UNASKED = {**ACCEPTED, "requested": "no", "legacy": "no"}
ASKED = {**ACCEPTED, "requested": "yes", "foreign": "no", "legacy": "no"}
UNSAID = {**ACCEPTED, "legacy": "no"}  # TLS 1.2 may still ask in a second handshake
LEFT = {**ACCEPTED, "requested": "no"}  # who always hangs up is not asked for old versions


def in_tls(name: str, *steps: Step, served=SOUND, seen=UNASKED, **may: str) -> Behaviour:
    """Shakes hands as `served`, then behaves so."""
    return Behaviour(f"inside {name}", (*CLEAR, GO, Tls(served), *steps), {**seen, **may})


def ehlo(name: str, *steps: Step, served=SOUND, seen=UNASKED, **may: str) -> Behaviour:
    """Odd in answer to EHLO inside TLS."""
    return in_tls(f"ehlo {name}", ASK, *steps, served=served, seen=seen, **may)


def mail(name: str, *steps: Step, served=SOUND, seen=UNASKED, **may: str) -> Behaviour:
    """Odd in answer to MAIL."""
    return in_tls(f"mail {name}", ASK, POOR, ASK, *steps, served=served, seen=seen, **may)


def asked_ehlo(name: str, reply: bytes, **may: str) -> Behaviour:
    """The server asks for a certificate, and answers EHLO so."""
    return ehlo(name, reply + b"\r\n", CLOSE, served=ASKS, seen=ASKED, **may)


def asked_mail(name: str, reply: bytes, **may: str) -> Behaviour:
    """The server asks for a certificate, and answers MAIL so."""
    return mail(name, reply + b"\r\n", *BYE, served=ASKS, seen=ASKED, **may)


async def _begin_again(channel: Channel, tls: SSL.Connection | None) -> None:
    assert tls is not None
    tls.renegotiate()
    tls.do_handshake()
    await channel._flush(tls)


async def _many_hello_requests(channel: Channel, tls: SSL.Connection | None) -> None:
    for _ in range(20):
        await _begin_again(channel, tls)
        await asyncio.sleep(0.01)


async def _close_notify(channel: Channel, tls: SSL.Connection | None) -> None:
    assert tls is not None
    tls.shutdown()
    await channel._flush(tls)


def in_clear(data: bytes) -> Call:
    """Bytes past TLS."""

    async def act(channel: Channel, _: SSL.Connection | None) -> None:
        await channel._write(data)

    return Call(act)


EHLOS = (
    ehlo("is silent", WAIT),
    ehlo("closes", CLOSE, seen=LEFT),
    ehlo("resets", RESET, seen=LEFT),
    ehlo("closes TLS in order", Call(_close_notify), WAIT, seen=LEFT),
    ehlo("is cut off", b"250-mx1\r\n", CLOSE, seen=LEFT),
    ehlo("says 421", b"421 4.3.2 No\r\n", CLOSE),
    ehlo("says 421 for a rate", b"421 4.7.0 too many connections\r\n", CLOSE, seen=LEFT),
    ehlo("speaks of a certificate unasked", b"421 4.7.1 No client certificate\r\n", CLOSE),
    asked_ehlo("says 421 for a certificate", b"421 No client cert", demanded="yes", own="no"),
    asked_ehlo("says 421, renewing", b"421 4.3.2 certificate renewal, try again later"),
    asked_ehlo("says 451 about a certificate", b"451 4.7.1 certificate check unavailable"),
    asked_ehlo("says 550 with an address", b"550 5.7.1 contact cert@muster.example"),
    asked_ehlo("says 554 with a host", b"554 5.7.1 listed, see www.cert.at"),
    ehlo("says 500", b"500 5.5.2 What?\r\n"),
    ehlo("says 550", b"550 5.7.1 No\r\n"),
    ehlo("says 220", b"220 mx1\r\n"),
    ehlo("is HTML", b"<html>\r\n"),
    ehlo("never ends", Endless(b"250-x\r\n")),
    ehlo("is one endless line", Endless(b"x" * 4096)),
    ehlo("drips", Drip(b"250-" + b"x" * 300)),
    ehlo("is in clear", in_clear(b"250 in clear\r\n"), WAIT),
    ehlo("is noise in a record", in_clear(b"\x17\x03\x03\x00\x40" + b"n" * 64), WAIT),
    ehlo("is an alert in clear", in_clear(b"\x15\x03\x03\x00\x02\x02\x30"), CLOSE),
    ehlo("hangs in a second handshake", Call(_begin_again), WAIT, served=OLD, seen=UNSAID),
    ehlo("begins again and again", Call(_many_hello_requests), WAIT, served=OLD, seen=UNSAID),
    ehlo("is silent in TLS 1.2", WAIT, served=OLD, seen=UNSAID),
)
BESIDE = (Call(_begin_again), POOR, WAIT)
MAILS = (
    mail("is silent", WAIT),
    mail("closes", CLOSE, seen=LEFT),
    mail("resets", RESET, seen=LEFT),
    mail("says 421", b"421 4.3.2 No\r\n", CLOSE),
    mail("says 450", b"450 4.7.1 Greylisted\r\n", *BYE),
    mail("says 452", b"452 4.3.1 Insufficient storage\r\n", *BYE),
    mail("says 501", b"501 5.1.7 Bad sender\r\n", *BYE),
    mail("says 530", b"530 5.7.0 Authentication required\r\n", *BYE),
    mail("says 354", b"354 Go ahead\r\n", *BYE),
    asked_mail(
        "says 421 for a certificate", b"421 Client cert not trusted", demanded="yes", own="no"
    ),
    asked_mail("says 550 for one", b"550 Client cert required", demanded="yes", own="no"),
    asked_mail("says 530 without AUTH", b"530 5.7.0 Denied", demanded="yes", own="no"),
    asked_mail("says 451 about a certificate", b"451 Certificate check failed, try later"),
    asked_mail("says 550 with an address", b"550 5.7.1 contact cert@muster.example"),
    asked_mail("says 550 for its own", b"550 5.7.1 backend server certificate has expired"),
    asked_mail("says 554 with a host", b"554 5.7.1 listed, see www.cert.at"),
    asked_mail("says 554 with a team", b"554 5.7.1 blocked by CERT Austria"),
    asked_mail("says 554 to everybody", b"554 5.7.1 Access denied"),
    mail("is HTML", b"<html>\r\n", WAIT),
    mail("never ends", Endless(b"250-x\r\n")),
    mail("floods", Endless(b"250 x\r\n"), demanded="no"),
    mail("hangs in a second handshake", Call(_begin_again), WAIT, served=OLD, seen=UNSAID),
    mail("takes us beside a second handshake", *BESIDE, served=OLD, seen=UNSAID),
    mail("hangs and asks again", Call(_begin_again), WAIT, served=ASKS_OLD, seen=ASKED),
    in_tls(
        "mail wants a login",
        *(ASK, LOGIN, ASK, b"530 5.7.0 Authentication required\r\n", *BYE),
        served=ASKS,
        seen=ASKED,
    ),
)
TAKEN = (ASK, POOR, ASK, POOR, ASK)
# Every reply is taken for that to the command before: none may count.
DENIED = b"550 5.7.1 Client certificate required\r\n"
REFUSED = (ASK, POOR, ASK, DENIED, ASK, POOR, *BYE)
HIDDEN = (ASK, HELLO, ASK, DENIED, CLOSE)  # the reply that shows it is the last one
PIPED = (ASK, HELLO, ASK, DENIED, ASK, POOR, *BYE)
STRANGE = (
    in_tls("goodbye is silent", *TAKEN, WAIT, demanded="no"),
    in_tls("goodbye never ends", *TAKEN, Endless(b"250 x\r\n"), demanded="no"),
    in_tls("goodbye resets", *TAKEN, RESET, demanded="no"),
    in_tls("goodbye begins again", *TAKEN, Call(_begin_again), WAIT, served=OLD, demanded="no"),
    in_tls("answers ahead", POOR + POOR, ASK, ASK, WAIT),
    in_tls("answers ahead and asks", POOR + POOR, ASK, ASK, WAIT, served=ASKS, seen=ASKED),
    in_tls("speaks first", POOR, *REFUSED, served=ASKS, seen=ASKED),
    in_tls("speaks first to everybody", POOR, *REFUSED),
    in_tls("speaks first, then in step with PIPELINING", POOR, *PIPED, served=ASKS, seen=ASKED),
    in_tls("speaks first and closes", POOR, *HIDDEN, served=ASKS, seen=ASKED),
    in_tls("greets again", b"220 mx1 again\r\n", ASK, HELLO, ASK, POOR, WAIT),
    in_tls("asks and answers nobody", ASK, WAIT, served=ASKS, seen=ASKED),
    in_tls("demands and is silent", ASK, WAIT, served=DEMANDS, seen=ASKED, demanded="yes"),
    in_tls("demands and closes", ASK, CLOSE, served=DEMANDS, seen=ASKED, demanded="yes"),
)
BEHAVIOURS = (*EHLOS, *MAILS, *STRANGE)
