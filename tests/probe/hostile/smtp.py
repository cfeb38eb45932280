"""Odd servers in clear: greeting, EHLO and STARTTLS, byte by byte."""

from __future__ import annotations

from probe.hostile.play import (
    GO,
    GREETS,
    OFFERS,
    Behaviour,
    Do,
    Drip,
    Endless,
    ehlo,
    greeting,
    starttls,
)

ASK, CLOSE, RESET, WAIT = Do.ASK, Do.CLOSE, Do.RESET, Do.WAIT
PLAIN = {"starttls": "not_offered"}
STARS = b"220 " + b"*" * 40 + b"\r\n"
FLOOD = Endless(b"250 x\r\n")
BYE = (ASK, b"221 bye\r\n")

GREETINGS: tuple[Behaviour, ...] = (
    greeting("is silent", WAIT),
    greeting("closes at once", CLOSE),
    greeting("resets at once", RESET),
    greeting("is cut off", b"220-half", CLOSE),
    greeting("is cut off and reset", b"220 half", RESET),
    greeting("drips", Drip(b"220 " + b"x" * 500)),
    greeting("never ends", Endless(b"220-wait\r\n")),
    greeting("never ends, slowly", Endless(b"220-wait\r\n", 0.05)),
    greeting("is one endless line", Endless(b"x" * 4096)),
    greeting("is zeros", Endless(b"\x00" * 4096)),
    greeting("is too long by one byte", b"220 " + b"x" * 4093 + b"\r\n"),
    greeting("has 201 lines", b"220-x\r\n" * 201 + b"220 x\r\n"),
    greeting("is HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    greeting("is SSH", b"SSH-2.0-OpenSSH_9.9\r\n"),
    greeting("is POP3", b"+OK ready\r\n"),
    greeting("is a POP3 refusal", b"-ERR no\r\n"),
    greeting("is IMAP", b"* OK IMAP4rev1 ready\r\n"),
    greeting("is telnet", b"\xff\xfd\x18\xff\xfd\x20login: \r\n"),
    greeting("is MySQL", b"J\x00\x00\x00\x0a8.0.36\x00\x00\x00\x00\x00\n"),
    greeting("is UTF-16", "220 mx1\r\n".encode("utf-16")),
    greeting("is an XMPP stream", b"<?xml version='1.0'?><stream:stream>\n"),
    greeting("says 421", b"421 4.3.2 No\r\n", CLOSE),
    greeting("says 421 in short", b"421\r\n", CLOSE),
    greeting("says 421 for a rate", b"421 4.7.0 too many connections\r\n", CLOSE),
    greeting("says 450", b"450 4.2.0 Greylisted\r\n", CLOSE),
    greeting("says 451", b"451 4.7.1 come back later\r\n", CLOSE),
    greeting("says 554", b"554 5.7.1 Listed at www.cert.at\r\n", CLOSE),
    greeting("says 554 about certificates", b"554 client certificate required\r\n", CLOSE),
    greeting("says 521", b"521 5.3.2 no mail here\r\n", CLOSE),
    greeting("says 250", b"250 Hello?\r\n"),
    greeting("says 354", b"354 Go ahead\r\n"),
    greeting("says 199", b"199 mx1\r\n"),
    greeting("says 999", b"999 mx1\r\n"),
    greeting("says 22", b"22 mx1\r\n"),
    greeting("says 2200", b"2200 mx1\r\n"),
    greeting("has two codes", b"220-one\r\n221 two\r\n"),
    greeting("has no separator", b"220mx1\r\n"),
    greeting("is an empty line", b"\r\n"),
    greeting("has bare CR", b"220 mx1\r"),
    greeting("is an alert of TLS", b"\x15\x03\x01\x00\x02\x02\x0a", at_once="yes"),
    greeting("is a handshake of TLS", b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00", at_once="yes"),
    greeting("lures with escapes", b"554 \x1b[2J\x1b]0;owned\x07 \xe2\x80\xae\r\n", CLOSE),
    greeting("lures with NULs", b"554 a\x00b\xff\xfe\r\n", CLOSE),
    # From here on it is odd, but a greeting.
    greeting("has no text", b"220\r\n", ASK, b"250 mx1\r\n", *BYE, **PLAIN),
    greeting("ends lines by LF", b"220 mx1\n", ASK, b"250-mx1\n250 SIZE\n", *BYE, **PLAIN),
    greeting("has 200 lines", b"220-x\r\n" * 199 + b"220 x\r\n", ASK, b"250 a\r\n", *BYE, **PLAIN),
    greeting("is said twice", GREETS * 2, ASK),
    greeting("brings the next reply along", GREETS + OFFERS, ASK, ASK, WAIT),
    greeting("brings a poor reply along", GREETS + b"250 mx1\r\n", ASK, ASK, *BYE, **PLAIN),
    greeting(
        "is of asterisks", b"220 " + b"*" * 40 + b"\r\n", ASK, b"250 a\r\n", *BYE, starttls="masked"
    ),
)

EHLOS: tuple[Behaviour, ...] = (
    ehlo("is silent", WAIT),
    ehlo("closes", CLOSE),
    ehlo("resets", RESET),
    ehlo("says 421", b"421 4.3.2 No\r\n", CLOSE),
    ehlo("says 450", b"450 4.7.1 Greylisted\r\n"),
    ehlo("says 501", b"501 5.5.4 Invalid name\r\n"),
    ehlo("says 503", b"503 5.5.1 Bad sequence\r\n"),
    ehlo("says 550", b"550 5.7.1 No\r\n"),
    ehlo("says 550 about certificates", b"550 no client certificate\r\n"),
    ehlo("says 220", b"220 mx1\r\n"),
    ehlo("says 354", b"354 go\r\n"),
    ehlo("never ends", Endless(b"250-X\r\n")),
    ehlo("never ends, slowly", Endless(b"250-X\r\n", 0.05)),
    ehlo("never comes to the last line", b"250-mx1\r\n250-STARTTLS\r\n", WAIT),
    ehlo("is cut off", b"250-mx1\r\n250-STARTTLS\r\n", CLOSE),
    ehlo("changes its code", b"250-mx1\r\n251-STARTTLS\r\n250 OK\r\n"),
    ehlo("has a long line", b"250-" + b"x" * 5000 + b"\r\n250 STARTTLS\r\n"),
    ehlo("is HTML", b"<html>STARTTLS</html>\r\n"),
    ehlo("is not known: 500", b"500 5.5.2 What?\r\n", *BYE, **PLAIN),
    ehlo("is not known: 502", b"502 5.5.1 No\r\n", *BYE, **PLAIN),
    ehlo("is one line", b"250 mx1\r\n", *BYE, **PLAIN),
    ehlo("names STARTTLS in place of the host", b"250 STARTTLS\r\n", *BYE, **PLAIN),
    ehlo("names STARTTLS as the host", b"250-STARTTLS\r\n250 SIZE\r\n", *BYE, **PLAIN),
    ehlo("offers XSTARTTLS", b"250-mx1\r\n250 XSTARTTLS\r\n", *BYE, **PLAIN),
    ehlo("offers STARTTLSX", b"250-mx1\r\n250 STARTTLSX\r\n", *BYE, **PLAIN),
    ehlo("offers STARTTLS with a NUL", b"250-mx1\r\n250 STARTTLS\x00\r\n", *BYE, **PLAIN),
    ehlo("offers a masked keyword", b"250-mx1\r\n250 XXXXXXXA\r\n", *BYE, starttls="masked"),
    ehlo("has 199 keywords", b"250-x\r\n" * 199 + b"250 x\r\n", *BYE, **PLAIN),
    ehlo("comes before it was asked", b"250 mx1\r\n250 mx1\r\n", ASK, **PLAIN),
    ehlo("is followed by a silent goodbye", b"250 mx1\r\n", ASK, WAIT, **PLAIN),
    ehlo(
        "is followed by a goodbye without end", b"250 mx1\r\n", ASK, Endless(b"250 x\r\n"), **PLAIN
    ),
    ehlo("is followed by a rude goodbye", b"250 mx1\r\n", ASK, b"<html>\r\n", **PLAIN),
)

STARTTLSES: tuple[Behaviour, ...] = (
    starttls("is silent", WAIT),
    starttls("closes", CLOSE),
    starttls("resets", RESET),
    starttls("says 421", b"421 4.3.2 No\r\n", CLOSE),
    starttls("says 421 about certificates", b"421 no client certificate\r\n", CLOSE),
    *(
        starttls(f"says {code}", b"%d No\r\n" % code, *BYE, starttls="refused")
        for code in (250, 354, 450, 454, 500, 501, 502, 503, 530, 554)
    ),
    starttls("never ends", Endless(b"220-x\r\n")),
    starttls("is cut off", b"220-go", CLOSE),
    starttls("is HTML", b"<html>\r\n"),
    starttls("drips and stops", Drip(b"220 g"), WAIT),
    starttls("then closes", GO, CLOSE, starttls="accepted"),
    starttls("then resets", GO, RESET, starttls="accepted"),
    starttls("then is silent", GO, WAIT, starttls="accepted"),
    starttls("then speaks on in clear", GO * 2, WAIT, starttls="accepted"),
    starttls("then is busy after all", GO + b"421 4.3.2 No\r\n", CLOSE, starttls="accepted"),
    starttls("then speaks without end", GO, Endless(b"220 x\r\n"), starttls="accepted"),
    starttls("has many lines", b"220-go\r\n" * 50 + GO, WAIT, starttls="accepted"),
)
BEHAVIOURS = (*GREETINGS, *EHLOS, *STARTTLSES)
