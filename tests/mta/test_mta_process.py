"""The real servers of these tests start on their own and leave nothing behind."""

from __future__ import annotations

import datetime as dt
import smtplib
import sys

import pytest
from mta import exim, postfix
from mta.mail import files_of, submit
from mta.process import Log, free_port, members, started

from incamail_lib.lab import pki
from incamail_lib.lab.pki import Variant

pytestmark = pytest.mark.xdist_group("mta")
HOST = "mx1.muster.example"


@pytest.fixture(scope="module")
def identity() -> postfix.Files:
    """A server certificate of the lab."""
    lab = pki.build(dt.datetime.now(dt.UTC).replace(microsecond=0))
    return files_of(lab.leaf(Variant.BOTH, HOST), lab)


@pytest.mark.postfix
def test_postfix_takes_a_message_and_is_gone_afterwards(identity: postfix.Files) -> None:
    """Postfix accepts mail for its domain over TLS; then no process and no file remains."""
    with postfix.running(*postfix.gateway(HOST, identity)) as mta:
        submit(mta.port, "hans@muster.example")
        assert "status=sent" in mta.log.await_line("to=<hans@muster.example>")
    assert members(mta.pid) == []
    assert not mta.directory.exists()


@pytest.mark.postfix
def test_two_postfixes_live_side_by_side(identity: postfix.Files) -> None:
    """Each instance has its own port, queue and log."""
    with (
        postfix.running(*postfix.gateway("a.example", None)) as one,
        postfix.running(*postfix.gateway("b.example", identity)) as other,
    ):
        assert one.port != other.port
        for mta, host, tls in ((one, b"a.example", False), (other, b"b.example", True)):
            with smtplib.SMTP("127.0.0.1", mta.port, timeout=30) as client:
                _, said = client.ehlo()
                assert said.startswith(host)
                assert client.has_extn("starttls") is tls


@pytest.mark.exim
def test_exim_takes_a_message_and_is_gone_afterwards(identity: postfix.Files) -> None:
    """Exim accepts mail and notes it; then no process and no file remains."""
    with exim.running(HOST, identity) as mta:
        submit(mta.port, "hans@muster.example")
        assert "anna@muster.example" in mta.log.await_line(" <= ")
    assert members(mta.pid) == []
    assert not mta.directory.exists()


def test_a_server_that_ends_at_once_is_told_with_its_words(tmp_path) -> None:
    """A wrong configuration fails the test with what the server said, without waiting."""
    command = [sys.executable, "-c", "import sys; sys.exit('no such setting')"]
    log = Log(tmp_path / "log")
    with (
        pytest.raises(AssertionError, match="no such setting"),
        started(command, port=free_port(), log=log),
    ):
        pytest.fail("it must not come to this")
