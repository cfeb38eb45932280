"""Received lines: what the server itself says counts, and nothing that a stranger can write."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incamail_lib.facts.observation import Answer
from incamail_lib.facts.transfer import Hop, HopNote, MessageHops
from incamail_lib.routing.received import MAX_HOPS, MAX_LINE, read_hop, read_hops

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.INCONCLUSIVE
POSTFIX = """from out.muster.example (out.muster.example [10.0.0.7])
\t(using {tls} with cipher {cipher} ({bits}/256 bits)
\t key-exchange X25519 server-signature ECDSA (P-256) server-digest SHA256)
\t(No client certificate requested)
\tby mx1.muster.example (Postfix) with {protocol} id 4F1
\tfor <anna@muster.example>; Tue, 24 Nov 2026 12:00:00 +0100 (CET)"""
MODERN = {"tls": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "bits": "256"}
EXCHANGE = "from A.muster.local (10.1.2.3) by B.muster.local (10.1.2.4) with Microsoft SMTP Server"


def postfix(protocol: str, **changes: str) -> Hop:
    return read_hop(POSTFIX.format(protocol=protocol, **(MODERN | changes)).encode())


def test_a_line_of_postfix_is_read_whole() -> None:
    """Both ends, protocol, version and cipher; neither recipient nor time are kept."""
    hop = postfix("ESMTPS")
    assert (hop.from_names, hop.from_address) == (("out.muster.example",), "10.0.0.7")
    assert (hop.by, hop.protocol) == ("mx1.muster.example", "ESMTPS")
    assert (hop.tls_version, hop.cipher) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert (hop.encrypted, hop.note) == (YES, HopNote.KEYWORD)
    assert "anna" not in hop.evidence
    assert "with ESMTPS" in hop.evidence


@pytest.mark.parametrize(
    "keyword",
    [
        *("ESMTPS", "ESMTPSA", "LMTPS", "LMTPSA", "SMTPS", "esmtps"),
        *("UTF8SMTPS", "UTF8SMTPSA", "UTF8LMTPS", "UTF8LMTPSA"),
    ],
)
def test_keywords_with_tls(keyword: str) -> None:
    """RFC 3848 and RFC 6531: the S behind the protocol means TLS, whoever writes it."""
    hop = read_hop(f"from a.example by b.example with {keyword} id 1; x".encode())
    assert (hop.encrypted, hop.note) == (YES, HopNote.KEYWORD)


@pytest.mark.parametrize("keyword", ["SMTP", "ESMTP", "ESMTPA", "LMTP", "UTF8SMTP", "UTF8SMTPA"])
def test_a_keyword_without_tls_means_nothing_of_an_unknown_product(keyword: str) -> None:
    """Postfix notes TLS, so its ESMTP is in clear; of another product nobody knows."""
    known = read_hop(f"from a by b (Postfix) with {keyword} id 1; x".encode())
    other = read_hop(f"from a by b with {keyword} id 1; x".encode())
    assert (known.encrypted, known.note) == (NO, HopNote.PLAIN)
    assert (other.encrypted, other.note) == (UNKNOWN, HopNote.SILENT)


@pytest.mark.parametrize(
    ("line", "answer", "version", "cipher"),
    [
        (
            f"{EXCHANGE} (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.2; x",
            *(YES, "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ),
        (f"{EXCHANGE} (TLS) id 14.3.1; x", YES, "", ""),
        (f"{EXCHANGE} id 15.1.2; x", NO, "", ""),
        (
            "from a ([10.1.2.3] helo=b) by c with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384 "
            "(Exim 4.96) (envelope-from <a@b.example>) id 1x for c@d.example; x",
            *(YES, "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
        ),
        (
            "from a by c with esmtps (TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256) (Exim 4.92) id 1; x",
            *(YES, "TLSv1.2", "ECDHE_RSA_AES_256_GCM_SHA384"),
        ),
        ("from a by c with esmtp (Exim 4.96) (envelope-from <a@b>) id 1x; x", NO, "", ""),
        (
            "from a (a [10.1.2.3]) by c (8.17.1/8.17.1) with ESMTPS id 1 "
            "(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NOT) for <d@e>; x",
            *(YES, "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
        ),
        ("from a by c (8.17.1/8.17.1) with ESMTP id 1; x", NO, "", ""),
        ("from a by c with ESMTP/TLS/ECDHE-RSA-AES256-GCM-SHA384; x", YES, "", None),
        ("from a (HELO b) (10.1.2.3) by c with (AES256-SHA encrypted) SMTP; x", YES, "", None),
        (
            "from a by c (OpenSMTPD) with ESMTPS id 1 (TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO); x",
            *(YES, "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
        ),
        ("by 2002:a05:6638::1 with SMTP id 1; x", UNKNOWN, "", ""),
        ("from mapi.muster.local by mapi.muster.local with mapi id 15.1; x", UNKNOWN, "", ""),
        ("by c (Postfix, from userid 0) id 1; x", UNKNOWN, "", ""),
    ],
)
def test_products(line: str, answer: Answer, version: str, cipher: str | None) -> None:
    """Exchange, Exim, Sendmail, Cisco, qmail, OpenSMTPD, Google, and what is no SMTP at all."""
    hop = read_hop(line.encode())
    assert (hop.encrypted, hop.tls_version) == (answer, version)
    assert hop.cipher if cipher is None else hop.cipher == cipher


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a.example (b.example [10.0.0.7])", ("a.example", "b.example")),
        ("a.example (unknown [10.0.0.7])", ("a.example",)),
        ("a.example ([10.0.0.7] helo=b.example)", ("a.example", "b.example")),
        ("[10.0.0.7] (port=48442 helo=b.example)", ("b.example",)),
        ("[10.0.0.7] (helo=b.example)", ("b.example",)),
        ("unknown (HELO b.example) (10.0.0.7)", ("b.example",)),
        ("A.Example. (10.0.0.7)", ("a.example",)),
        ("[IPv6:fd00::7] (helo=b.example)", ("b.example",)),
    ],
)
def test_both_names_of_the_other_side_are_kept(source: str, names: tuple[str, ...]) -> None:
    """The greeting and what the DNS says, as Postfix, Exim, qmail and Exchange write them."""
    hop = read_hop(f"from {source} by mx.example with ESMTPS id 1; x".encode())
    assert hop.from_names == names
    assert hop.from_address in ("10.0.0.7", "fd00::7")


@pytest.mark.parametrize(
    "version", [("SSLv3", "SSLv3"), ("TLSv1", "TLSv1"), ("TLSv1.1", "TLSv1.1")]
)
def test_old_versions_keep_their_name(version: tuple[str, str]) -> None:
    """What is judged by its version must not read as a newer one."""
    assert postfix("ESMTPS", tls=version[0]).tls_version == version[1]


def test_a_cipher_that_does_not_encrypt_is_no_encryption() -> None:
    """ESMTPS with a NULL cipher, or with no bits, is in clear."""
    for changes in ({"cipher": "NULL-SHA256"}, {"bits": "0"}):
        hop = postfix("ESMTPS", tls="TLSv1.2", **changes)
        assert (hop.encrypted, hop.note) == (NO, HopNote.NO_CIPHER)


@pytest.mark.parametrize(
    "line",
    [
        # a greeting that brings its own clauses along
        "from x by y with ESMTPS (z [10.1.2.3]) by mx (Postfix) with SMTP id 1; x",
        "from x with ESMTPS by mx (Postfix) with SMTP id 1; x",
        "from x from y by mx with ESMTPS id 1; x",
        "no received line at all",
        "from x by mx (never closed with ESMTPS id 1; x",
        f"from x by mx {'(' * 50}{')' * 50} with ESMTPS id 1; x",
        f"from {'x' * MAX_LINE} by mx with ESMTPS id 1; x",
        "",
    ],
)
def test_a_line_that_was_tampered_with_proves_nothing(line: str) -> None:
    """Repeated clauses, endless comments and lines too long are unknown, never encrypted."""
    hop = read_hop(line.encode())
    assert (hop.encrypted, hop.note, hop.evidence) == (UNKNOWN, HopNote.MALFORMED, "")


@pytest.mark.parametrize(
    "line",
    [
        "from x (using TLSv1.3 with cipher AES (256/256 bits)) by mx (Postfix) with ESMTP id 1; x",
        "from x by mx with esmtp (Exim 4.96) "
        '(envelope-from <"a) (version=TLS1_2, cipher=AES">) id 1; x',
        "from x (version=TLS1_2, cipher=AES) by mx with ESMTP id 1; x",
    ],
)
def test_details_from_a_stranger_do_not_make_tls(line: str) -> None:
    """Greeting and envelope sender stand in the line as well: the keyword decides."""
    assert read_hop(line.encode()).encrypted is not YES


def test_the_newest_line_stands_first_and_their_number_is_bounded() -> None:
    """A message of a thousand lines gives a hundred, and says that there were more."""
    one = b"Received: from a%d.example by b.example with ESMTPS id 1; x\r\n"
    message = (
        b"".join(one % n for n in range(1000)) + b"Subject: x\r\n\r\nReceived: in the body\r\n"
    )
    found = read_hops(message, "m")
    assert len(found.hops) == MAX_HOPS
    assert found.is_cut
    assert found.hops[0].from_names == ("a0.example",)
    assert MessageHops.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("content", [b"", b"\xd0\xcf\x11\xe0", b"\xff\xfeR\0", b"\0\0", b"\n\nx"])
def test_what_is_no_message_is_said(content: bytes) -> None:
    """An Outlook file, UTF-16 or nothing at all has no lines, and says so."""
    found = read_hops(content, "m")
    assert not found.is_readable
    assert found.hops == ()


def test_hostile_characters_are_shown_not_kept() -> None:
    """Control characters and direction marks of a stranger reach neither screen nor file."""
    hop = read_hop("from a\u202eb\x1b[31m by mx (Postfix) with ESMTPS id 1; x".encode())
    assert "\u202e" not in hop.model_dump_json()
    assert "\x1b" not in hop.evidence + "".join(hop.from_names)


_PIECES = st.sampled_from(
    [*'()[];\\" \t', "from ", "by ", "with ", "ESMTPS ", "using TLSv1.3 with cipher ", "x" * 50]
)


@settings(deadline=None)
@given(st.lists(_PIECES | st.text(max_size=5), max_size=200).map("".join))
def test_nothing_raises(text: str) -> None:
    """Whatever stands there, an answer comes; without `by` and a protocol it is never yes."""
    hop = read_hop(text.encode("utf-8", "surrogatepass"))
    assert hop.encrypted is not YES or (hop.by and hop.protocol)
    assert read_hops(b"Received: " + text.encode("utf-8", "surrogatepass") + b"\n\n", "x")


@pytest.mark.parametrize(
    "piece", ["(a)", "()", "using TLSv1.3 with cipher a ", "version=TLS1_2 ", "\\(", "[1.2.3.4"]
)
def test_a_hundred_of_the_longest_lines_are_read_in_time(piece: str) -> None:
    """No pattern runs wild on the worst that fits into a line."""
    comment = f"({piece * 400})"[: MAX_LINE - 200]
    line = f"Received: from a {comment}) by b with ESMTPS {comment[:100]}) id 1; x\r\n"
    started = time.monotonic()
    read_hops(line.encode() * MAX_HOPS, "m")
    assert time.monotonic() - started < 20
