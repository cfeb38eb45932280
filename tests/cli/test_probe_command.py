"""`incamail probe` as a person types it: what it shows, what it warns of, and its exit codes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from probe.served import HOST, LAB, NOW, asking, plan, speaking
from typer.testing import CliRunner

from incamail_lib.cli.app import app
from incamail_lib.lab import pki
from incamail_lib.lab.gateway import Gateway, serve
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.plan import GatewayPlan, Version

runner = CliRunner()
DEMANDING = speaking(Version.TLS_1_2, Version.TLS_1_2, asking(required=True))


@contextmanager
def gateway(served: GatewayPlan) -> Iterator[Gateway]:
    """A lab gateway in a thread of its own, so that the command has a loop of its own."""
    ready, over = threading.Event(), threading.Event()
    found: list[Gateway] = []

    async def run() -> None:
        async with serve(served, now=NOW) as running:
            found.append(running)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert ready.wait(20)
        yield found[0]
    finally:
        over.set()
        thread.join(20)


def probed(served: GatewayPlan, *options: str, code: int = 0) -> tuple[str, Gateway]:
    """What the command prints of a gateway, on one line."""
    with gateway(served) as running:
        command = ["probe", "127.0.0.1", "--port", str(running.port), "--timeout", "6"]
        result = runner.invoke(app, [*command, *options], env={"COLUMNS": "400"})
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output, running


def own_files(folder: Path) -> list[str]:
    """Options that show a sound client certificate."""
    file, key = pki.write_pem(LAB.leaf(Variant.CLIENT, "out.muster.example"), folder, "own")
    return ["--cert", str(file), "--key", str(key)]


def test_mutual_tls_of_version_1_2_is_an_answer(tmp_path: Path) -> None:
    """Refused without and accepted with a certificate: the version is shown, exit code 0."""
    told, _ = probed(DEMANDING, *own_files(tmp_path))
    assert "TLSv1.2 ECDHE" in told
    accepted = next(line for line in told.splitlines() if "Your certificate accepted" in line)
    assert "yes" in accepted
    bare, _ = probed(DEMANDING)
    assert "TLSv1.2 ECDHE" in bare


def test_no_demand_is_said_with_how_far_we_were_let() -> None:
    """A server may demand a certificate at RCPT only: unasked, the table says so."""

    def row(told: str) -> str:
        return next(line for line in told.splitlines() if "certificate demanded" in line)

    assert "as far as MAIL" in row(probed(plan(asking()))[0])
    asked = probed(plan(asking()), "--ask-postmaster", "muster.example")[0]
    assert "the postmaster was taken" in row(asked)
    assert "as far as" not in row(probed(DEMANDING)[0])


def test_a_dropped_hello_is_named_with_its_remedy() -> None:
    """The cause and what to do stand in the table; a sound gateway has no such row."""
    told, _ = probed(plan(drops_hello_over=1400))
    assert "ClientHello" in told
    assert "X25519MLKEM768" in told
    assert "ClientHello" not in probed(plan())[0]


def test_a_port_that_speaks_tls_at_once_is_named() -> None:
    """Exit code 3, since no mail can be delivered there, and the reason in words."""
    told, _ = probed(plan(tls_at_once=True), code=3)
    assert "without STARTTLS" in told


def test_a_second_certificate_is_shown_with_its_end() -> None:
    """An expired one beside a sound one does not stay hidden."""
    sound = plan()
    assert sound.tls is not None
    expired = LAB.leaf(Variant.EXPIRED_RSA, HOST)
    told, _ = probed(replace(sound, tls=replace(sound.tls, second=expired)))
    assert "Further certificate" in told
    assert "Expired on" in told
    assert "Expired on" not in probed(sound)[0]


def test_the_name_to_greet_with_and_the_postmaster_are_options() -> None:
    """Unasked neither is used: no recipient is ever named, and a name of ours is never made up."""
    _, running = probed(plan(), "--ehlo", "probe.muster.example")
    assert "EHLO probe.muster.example" in running.commands
    assert not any(c.startswith("RCPT") for c in running.commands)
    told, running = probed(plan(), "--ehlo", "[192.0.2.1]", "--ask-postmaster", "muster.example")
    assert "EHLO [192.0.2.1]" in running.commands
    assert "RCPT TO:<postmaster@muster.example>" in running.commands
    assert "2.1.5 Ok" in told
    assert running.messages == ()


def test_everything_is_in_the_json() -> None:
    """The facts of every connection, to be read by a program."""
    told, _ = probed(plan(), "--json")
    found = json.loads(told)[0]
    assert found["large_hello"]["answer"] == "yes"
    assert found["connections"][0]["tls"]["hello_bytes"] > 1400


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--address", "mx1.muster.example"], "--address takes an address"),
        (["--address", "127.0.0.1:25"], "--address takes an address"),
        (["--nameserver", "127.0.0.1:dns"], "--nameserver takes an address"),
        (["--nameserver", "127.0.0.1:65536"], "not «127.0.0.1:65536»"),
        (["--ehlo", "two words"], "two words"),
        (["--ehlo", "a.example\r\nDATA"], "no full domain name"),
        (["--ehlo", "[999.1.1.1]"], "no full domain name"),
        (["--ask-postmaster", "a@muster.example"], "no full domain name"),
        (["--ask-postmaster", "muster.example>\r\nDATA"], "no full domain name"),
    ],
)
def test_what_is_no_name_or_address_is_refused(options: list[str], told: str) -> None:
    """One sentence, exit code 2, and nothing is contacted."""
    result = runner.invoke(app, ["probe", "127.0.0.1", "--port", "9", *options])
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("host", "told"),
    [("foo:bar", "port bar is not"), ("::::", "port"), ("[::1]:x", "port x is not")],
)
def test_a_port_that_is_no_number_is_refused(host: str, told: str) -> None:
    """It is not taken for a part of the name, which the DNS would then be asked for."""
    result = runner.invoke(app, ["probe", host, "--nameserver", "127.0.0.1:9"])
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.output.split())
