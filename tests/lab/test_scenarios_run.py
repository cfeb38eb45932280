"""Every scenario starts, is what it declares on the wire, and stops without a trace."""

import asyncio
import datetime as dt
import re

import pytest
from cryptography import x509

from incamail_lib.lab.running import run
from incamail_lib.lab.scenario import Fault
from incamail_lib.lab.scenarios import EVERY, SCENARIOS
from incamail_lib.lab.setting import PLATFORM_HOSTS

DOMAINS = ("muster.example", "muster-holding.example")


async def connects(port: int) -> bool:
    """Whether something listens on `port`."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.transport.abort()
    return True


@pytest.mark.parametrize("scenario", EVERY, ids=lambda s: s.name)
def test_a_scenario_starts_and_stops_clean(scenario, tmp_path) -> None:
    """All parts listen, files are written, and after the end no task is left."""

    async def start_and_stop():
        before = asyncio.all_tasks()
        async with run(scenario, domains=DOMAINS, directory=tmp_path) as running:
            for gateway in running.gateways.values():
                assert await connects(running.ports[gateway.plan.host]) == gateway.plan.listens
        return running, asyncio.all_tasks() - before

    running, left = asyncio.run(start_and_stop())
    assert left == set()
    assert running.trust_store.exists()
    assert (running.certificate is None) == (scenario.sending_certificate is None)
    assert set(PLATFORM_HOSTS) < set(running.ports)
    assert running.go_live > dt.datetime.now(dt.UTC).date()


def test_scenarios_have_names_of_their_own() -> None:
    """No name is used twice, and each is a plain word that fits a command line."""
    assert len(SCENARIOS) == len(EVERY) >= 25
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in SCENARIOS)
    assert len({s.title for s in EVERY}) == len(EVERY)


def test_only_scenarios_that_wait_are_marked_so() -> None:
    """What ends by a time limit alone is marked, so that a caller can shorten the limit."""
    assert {s.name for s in EVERY if s.waits} == {"tarpit", "dns_timeout", "tls_at_once"}


def test_the_client_certificate_is_stored_as_declared(tmp_path) -> None:
    """The whole chain lies in the file, except where the scenario leaves the intermediate out."""

    async def stored(name: str) -> int:
        async with run(SCENARIOS[name], domains=DOMAINS, directory=tmp_path) as running:
            assert running.certificate is not None
            return len(x509.load_pem_x509_certificates(running.certificate.read_bytes()))

    assert asyncio.run(stored("sound")) == 2
    assert asyncio.run(stored("client_chain_incomplete")) == 1


def test_faults_of_the_name_server_are_all_used() -> None:
    """Every kind of fault can be asked for by name."""
    assert {f.value for f in Fault} == {"servfail", "refused", "timeout", "lame"}
