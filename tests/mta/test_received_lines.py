"""What Postfix and Exim really write over TLS and in clear, read by us."""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from mta import exim, postfix
from mta.audited import HOST, lab
from mta.exim import Exim
from mta.mail import files_of
from mta.sink import Sink, sinks

from incamail_lib.facts.observation import Answer
from incamail_lib.facts.transfer import Hop, HopNote
from incamail_lib.lab.pki import Variant
from incamail_lib.routing.received import read_hops

pytestmark = [pytest.mark.xdist_group("mta")]
CLIENT = "exch.muster.example"
MESSAGE = b"From: anna@muster.example\r\nTo: hans@muster.example\r\nSubject: Test\r\n\r\nTest\r\n"


def submitted(port: int, *, tls: bool, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> None:
    """Hand one message over as an inner mail server would, over TLS or in clear."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = version
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo(CLIENT)
        if tls:
            client.starttls(context=context)
            client.ehlo(CLIENT)
        client.sendmail("anna@muster.example", ["hans@muster.example"], MESSAGE)


@contextmanager
def through_postfix(**changes: str) -> Iterator[tuple[int, Sink]]:
    """Postfix as gateway, handing on to a sink that keeps what it got."""
    identity = files_of(lab().leaf(Variant.BOTH, HOST), lab())
    settings, files = postfix.gateway(HOST, identity)
    with sinks(1) as (sink,):
        route = {"transport_maps": f"inline:{{muster.example=smtp:[127.0.0.1]:{sink.port}}}"}
        with postfix.running(settings | route | changes, files) as mta:
            yield mta.port, sink


def read_from(sink: Sink) -> Hop:
    """The newest hand-over of the one message that arrived."""
    deadline = time.monotonic() + 30
    while not sink.contents:
        assert time.monotonic() < deadline, "nothing arrived"
        time.sleep(0.05)
    return read_hops(sink.contents[0], "m").hops[0]


@pytest.mark.postfix
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_postfix_over_tls(version: ssl.TLSVersion) -> None:
    """ESMTPS with version and cipher, from the address and the name of the greeting."""
    with through_postfix() as (port, sink):
        submitted(port, tls=True, version=version)
        hop = read_from(sink)
    assert (hop.encrypted, hop.note) == (Answer.YES, HopNote.KEYWORD)
    assert hop.tls_version == {771: "TLSv1.2", 772: "TLSv1.3"}[version]
    assert "GCM" in hop.cipher or "CHACHA" in hop.cipher
    assert (hop.from_names[0], hop.from_address, hop.by) == (CLIENT, "127.0.0.1", HOST)
    assert "hans@" not in hop.evidence


@pytest.mark.postfix
def test_postfix_over_tls_as_it_is_by_default() -> None:
    """Without smtpd_tls_received_header the keyword still says TLS; the version is not known."""
    with through_postfix(smtpd_tls_received_header="no") as (port, sink):
        submitted(port, tls=True)
        hop = read_from(sink)
    assert (hop.encrypted, hop.protocol, hop.tls_version) == (Answer.YES, "ESMTPS", "")


@pytest.mark.postfix
def test_postfix_in_clear() -> None:
    """ESMTP of Postfix means that there was no TLS."""
    with through_postfix() as (port, sink):
        submitted(port, tls=False)
        hop = read_from(sink)
    assert (hop.encrypted, hop.note, hop.protocol) == (Answer.NO, HopNote.PLAIN, "ESMTP")


def kept_by(mta: Exim) -> bytes:
    """The header of the one message in Exim's queue, as it would be delivered.

    In the spool each field stands behind its length and a letter (specification, chapter 57).
    """
    (file,) = (mta.directory / "spool" / "input").rglob("*-H")
    rest = file.read_bytes().partition(b"\n\n")[2]
    fields = []
    while match := re.match(rb"(\d{3,})(.) ", rest):
        end = match.end() + int(match[1])
        if match[2] != b"*":  # one that was deleted
            fields.append(rest[match.end() : end])
        rest = rest[end:]
    return b"".join(fields) + b"\n"


@pytest.mark.exim
@pytest.mark.parametrize("tls", [True, False])
def test_exim(tls: bool) -> None:
    """esmtps with its version and cipher, or esmtp: Exim always tells."""
    identity = files_of(lab().leaf(Variant.BOTH, HOST), lab())
    with exim.running(HOST, identity, further="queue_only = true\n") as mta:
        submitted(mta.port, tls=tls)
        (hop,) = read_hops(kept_by(mta), "m").hops
    if tls:
        assert (hop.encrypted, hop.note) == (Answer.YES, HopNote.KEYWORD)
        assert hop.tls_version == "TLSv1.3"
        assert hop.cipher
    else:
        assert (hop.encrypted, hop.note) == (Answer.NO, HopNote.PLAIN)
    assert (hop.from_address, hop.by) == ("127.0.0.1", HOST)
    assert CLIENT in hop.from_names
    assert "anna@" not in hop.evidence
