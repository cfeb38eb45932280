"""What people and programs put into a Subject header: whole header lines, as on the wire."""

from __future__ import annotations

import base64
import itertools

TAGS = (b"<im><c>", b"<c>", b"<IM><C>", b"<im>")
LEADS = (
    b"Subject: %s Befund",
    b"Subject:  %s Befund",
    b"Subject:\t%s Befund",
    b"Subject:%s Befund",
    b"Subject:\r\n %s Befund",
    b"Subject: \r\n\t%s Befund",
    b"Subject : %s Befund",
    b"SUBJECT: %s Befund",
    b"subject: %s",
    b"Subject: %s\r\n Befund",
    b"Subject: Befund\r\n %s",
    b"Subject: Befund %s",
    b"Subject: Re: %s Befund",
    b"Subject: AW: %s Befund",
    b"Subject: AW: WG: %s Befund",
    b"Subject: Antwort: %s Befund",
    b"Subject: R\xc3\xa9f. : %s x",
    b"Subject: [EXTERN] %s Befund",
    b"Subject: EXTERN: %s Befund",
    b"Subject: Fwd:%s Befund",
    b"Subject: Weitergeleitet: %s x",
    b"Subject: Automatische Antwort: %s x",
    b"Subject: a\0%s x",
    b"Subject: %s D\xe9cision",
    b"Subject: %s D\xc3\xa9cision",
    b"Subject: \xe2\x80\x8b%s x",
    b"Subject: \xef\xbb\xbf%s x",
    b"Subject: %s ",
    b"Subject: %s\t",
    b"Subject: x\r\nSubject: %s y",
    b"Subject: %s x\r\nSubject: y",
    b"Subject: =?utf-8?q?D=C3=A9c?= %s x",
    b"Subject: %s =?utf-8?q?D=C3=A9c?=",
    b"Comments: %s\r\nSubject: x",
    b"Subject: a\r%s x",
    b"Subject: \x0b%s x",
    b"Subject: \xc2\xa0%s x",
    b"Subject:\r\n\t \r\n %s x",
    b"Subject: %s\r\n\t\r\n y",
    b"sUbJecT\t: %s",
    b"Subject: \x7f%s",
    b"Subject: x\r\n\tSubject: %s",
)
PLAIN = (
    b"Subject: Termin im Januar",
    b"Subject: impression",
    b"Subject: c/p/r im Mai",
    b"Subject:",
    b"Subject: ",
    b"Subject: <html>",
    b"Subject: Die <p>-Elemente",
    b"Subject: im",
    b"Subject: IM",
    b"Subject: <im",
    b"Subject: im>",
    b"Subject: <lm><c> x",
    b"Subject: <imc> x",
    b"Subject: <i m> x",
    b"Subject: &lt;im&gt; x",
    b"Subject: [im] x",
    b"Subject: (im) x",
    b"Subject: \xef\xbc\x9cim\xef\xbc\x9e x",
    b"Subject: <\xd1\x96m> x",
    b"Subject: <i\xe2\x80\x8bm> x",
    b"Subject: <im ><c> x",
    b"Subject: < im><c> x",
    b"Subject: <im/><c> x",
    b"X-Note: x",
    b"Subject: " + b"Befund " * 60 + b"<im>",
    b"Subject: " + b"x" * 900 + b"<im><c>",
    b"Subject: " + b"x" * 2500 + b"<im><c>",
    b"Subject: " + b"x " * 3500 + b"<im><c>",
    b"Subject: " + b"x" * 9000 + b"<im><c>",
    b"Subject:" + b"\r\n xxxxxxx" * 300 + b" <im><c>",
    b"Subject: x\r\nSubject: \r\nSubject: <im>",
    b"Subject: <im\r\n ><c> x",
    b"Subject: =?utf-8?q?=3Cim=3E?=\r\n =?utf-8?q?=3Cc=3E?= x",
    b"Subject: =?utf-8?Q?=3Cim=3E?=\r\n\t=?iso-8859-1?Q?=3Cc=3E_=E9?= x",
    b"Subject: =?utf-8*de-CH?q?=3Cim=3E?= x",
    b"Subject: =?UTF8?q?=3Cim=3E?= x",
    b"Subject: =?ISO-8859-15?q?=3Cim=3E_=A4?= x",
    b"Subject: =?windows-1252?q?=3Cim=3E_=80?= x",
    b"Subject: =?macintosh?q?=3Cim=3E?= x",
    b"Subject: =?gb2312?b?PGltPg==?= x",
    b"Subject: =?utf-8?b?PGlt\r\n Pg==?= x",
    b"Subject: =?utf-8?b?PGlt=?= x",
    b"Subject: =?utf-8?b?PGltPh==?= x",
    b"Subject: =?utf-8?q?=3cim=3e=?= x",
    b"Subject: =?utf-8?q?=3Cim=3E=00?= x",
    b"Subject: =?us-ascii?q?=3Cim=3E=E9?= x",
    b"Subject: =?utf-8?q?=3Cim=3E=FF?= x",
    b'Subject: "<im>" x',
    b"Subject: (<im>) x",
    b"Subject: Secured by IncaMail",
    b"Subject: Re: x (Secured by IncaMail)",
)


def _b(text: bytes, charset: bytes = b"utf-8", *, pad: bool = True) -> bytes:
    data = base64.b64encode(text)
    return b"=?%s?B?%s?=" % (charset, data if pad else data.rstrip(b"="))


def _q(text: bytes, charset: bytes = b"utf-8") -> bytes:
    return b"=?%s?Q?%s?=" % (charset, b"".join(_octet(byte) for byte in text))


def _octet(byte: int) -> bytes:
    if byte == 32:
        return b"_"
    return bytes([byte]) if chr(byte).isalnum() and byte < 128 else b"=%02X" % byte


def _encoded(tag: bytes) -> tuple[bytes, ...]:
    text, accents = tag + b" Befund", tag + " Décision".encode()
    long = accents + b" concernant la readaptation professionnelle de l'assuree"
    half, rest = tag[:2], tag[2:] + b" x"
    return (
        _b(text),
        _q(text),
        _b(accents),
        _q(accents),
        _b(long),
        _q(long),
        b"x " + _b(text),
        _b(text, pad=False),
        _b(accents, pad=False),
        _q(text).lower(),
        _b(text, b"UTF-8*de"),
        _b(tag + " é".encode("latin-1"), b"iso-8859-1"),
        _q(tag + b" \xe9", b"windows-1252"),
        _b(tag.decode().encode("utf-16-be"), b"utf-16be"),
        _b(tag.decode().encode("utf-16"), b"UTF-16"),
        _b(text, b"x-unknown"),
        _b(text, b"us-ascii"),
        _b(text, b"utf-7"),
        _b(text, b"koi8-r"),
        _b(half) + b" " + _b(rest),
        _q(half) + b"\r\n " + _q(rest),
        _b(half) + _b(rest),
        _b(half) + b" x " + _b(rest),
        _q(b"") + b" " + _b(text),
        _b(b"") + tag,
        b"=?utf-8?q??= " + tag,
        b"=?utf-8?q? " + tag.replace(b"<", b"=3C") + b" Q4?=",
        b"=?utf-8?q?=3" + tag + b"?=",
        b"=?utf-8?x?" + tag + b"?=",
        b"=?utf-8?q?" + tag + b"?=",
        b"=?utf-8?b?????=" + tag,
        b"=?utf-8?q?x?=" + tag,
        tag + b"=?utf-8?q?x?=",
        b"=?=?utf-8?q?x?= " + tag,
    )


def subjects() -> tuple[bytes, ...]:
    """Header lines (one or several, CRLF between), each different."""
    led = (lead % tag for lead, tag in itertools.product(LEADS, TAGS))
    coded = (b"Subject: " + word for tag in TAGS[:3] for word in _encoded(tag))
    return tuple(dict.fromkeys([*led, *coded, *PLAIN]))


def bodies() -> tuple[tuple[bytes, bytes], ...]:
    """Further headers and a body, each with a tag where only some servers look."""
    inner = b"From: a@x.example\r\nSubject: <im><c> inner\r\n\r\ntext\r\n"
    mixed = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n'
    digest = b'MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary="b"\r\n'
    return (
        (mixed, b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"--b--\r\n"),
        (digest, b"--b\r\n\r\n" + inner + b"--b--\r\n"),
        (mixed, b"--b\r\nSubject: <im>\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"),
        (b"MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n", inner),
        (b"X-Tag: <im>\r\n", b"x\r\n"),
        (b"", b"Subject: <im><c>\r\n"),
        (b"a line without a colon\r\nSubject: <im>\r\n", b"x\r\n"),
        (b"Sub ject: <im>\r\nSubject: y\r\n", b"x\r\n"),
        (b">From x\r\nSubject: <im>\r\n", b"x\r\n"),
        (b"From x Mon\r\nSubject: <im>\r\n", b"x\r\n"),
        (b"X-\xe9: y\r\nSubject: <im>\r\n", b"x\r\n"),
        (b": y\r\nSubject: <im>\r\n", b"x\r\n"),
        (b"X-Long: " + b"y" * 5000 + b"\r\nSubject: <im>\r\n", b"x\r\n"),
        (mixed, b"--b\r\n\r\nSubject: <im>\r\n--b--\r\nSubject: <im>\r\n"),
    )


ADDRESSES = tuple(
    dict.fromkeys(
        [
            f"{local}@{domain}"
            for local, domain in itertools.product(
                ("a", "A.B", "a+b", '"a b"', "a..b", "a.", "o'x", "a%b", "a!b", "é"),
                (
                    "partner.example",
                    "partner.example.incamail.ch",
                    "PARTNER.EXAMPLE.INCAMAIL.CH",
                    "notincamail.ch",
                    "x.notincamail.ch",
                    "incamail.ch",
                    "x.incamail.ch.evil.example",
                    "incamail.ch.incamail.ch",
                    "x.incamail",
                    "x.inca.mail.ch",
                    "x.im.post.ch",
                    "muster.example",
                    "muster.example.incamail.ch",
                ),
            )
        ]
        + [
            "hans%gmail.example",
            "gmail.example!hans",
            "hans%gmail.example.incamail.ch",
            "hans@partner . example",
            "hans@partner.example .incamail.ch",
            "a@partner。example",
            "a@partner.example。incamail。ch",
            "a@partner．example．incamail．ch",
            "a\x01b@x.example",
            "a\x7fb@x.example.incamail.ch",
            "a b@partner.example",
            "a@[192.0.2.1]",
            "a@müller.example",
            "a@müller.example.incamail.ch",
            "a@xn--mller-kva.example.incamail.ch",
            "postmaster",
            "hans",
            "a@partner.example.",
            "a@partner.example.incamail.ch.",
            "@r.example:a@partner.example",
            "@r.example:a@partner.example.incamail.ch",
            "a@x_y.example.incamail.ch",
            "a@-x.example",
            "a@partner..example",
            "a@.incamail.ch",
            "a@partner.example..incamail.ch",
            '"a@b"@x.example',
            '"a\\"b"@x.example.incamail.ch',
            "a(c)@x.example.incamail.ch",
            "a@x.example(c)",
            "a@x.example.incamail.ch(c)",
            "<a@x.example>",
            "a@b@x.example.incamail.ch",
            "a@x.example.incamail.ch@evil.example",
            "a%x.example.incamail.ch@muster.example",
            "a@☃.example.incamail.ch",
            "δ@x.example.incamail.ch",
            "a@іncamail.ch",
            "a" * 64 + "@x.example",
            "a" * 65 + "@x.example.incamail.ch",
            "a@" + "d." * 110 + "incamail.ch",
        ]
    )
)
