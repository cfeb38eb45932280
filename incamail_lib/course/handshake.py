"""One TLS handshake in memory, watched from the client's side, step by step as OpenSSL tells it.

Both ends are the lab's own: the server is one of the platform's gateways, judging as it does.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from functools import cache

from OpenSSL import SSL

from incamail_lib.lab import pki
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.plan import TlsPlan, Version
from incamail_lib.lab.setting import PLATFORM_HOSTS, sound_platform
from incamail_lib.lab.tls_context import PROTOCOLS, server_context

_ENOUGH = 65_536  # bytes of one flight


class Step(StrEnum):
    """What a sending gateway sees happen, from its own side of the connection."""

    HELLO = "hello"  # it begins
    SERVER = "server"  # the other side's certificate has come
    CLIENT = "client"  # its own goes out, or an empty list in its place
    DONE = "done"  # the handshake is complete
    VERDICT = "verdict"  # an alert about its certificate has come


_STATES = {  # SSL_state_string_long(3), alike since OpenSSL 1.1.1
    "SSLv3/TLS write client hello": Step.HELLO,
    "SSLv3/TLS read server certificate": Step.SERVER,
    "SSLv3/TLS write client certificate": Step.CLIENT,
}


@cache
def steps(now: dt.datetime, variant: Variant, version: Version) -> tuple[Step, ...]:
    """The steps, each when it first happened, as a gateway with that certificate goes through
    them. The verdict is an alert; one who is let in sees none."""
    lab = pki.build(now)
    seen: list[Step] = []
    client = SSL.Connection(_client(lab, variant, version, seen), None)
    client.set_connect_state()
    server = SSL.Connection(server_context(_platform(lab, version), now), None)
    server.set_app_data([])  # where the lab keeps what it dislikes about a certificate
    server.set_accept_state()
    for _ in range(4):  # two flights each way, and what comes behind them
        _advance(client, seen)
        _pass_on(client, server)
        _advance(server, [])
        _pass_on(server, client)
    return tuple(dict.fromkeys(seen))


def _platform(lab: pki.Pki, version: Version) -> TlsPlan:
    plan = sound_platform(PLATFORM_HOSTS[0], lab).tls
    assert plan is not None
    return replace(plan, minimum=version, maximum=version)


def _client(lab: pki.Pki, variant: Variant, version: Version, seen: list[Step]) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(PROTOCOLS[version])
    context.set_max_proto_version(PROTOCOLS[version])
    shown = lab.leaf(variant, "out.muster.example")
    context.use_certificate(shown.certificate)
    for certificate in shown.intermediates:
        context.add_extra_chain_cert(certificate)
    context.use_privatekey(shown.key)

    def note(connection: SSL.Connection, where: int, _: int) -> None:
        step = _STATES.get(connection.get_state_string().decode("ascii"))
        if where & SSL.SSL_CB_LOOP and step is not None:
            seen.append(step)
        if where & SSL.SSL_CB_HANDSHAKE_DONE:
            seen.append(Step.DONE)

    context.set_info_callback(note)
    return context


def _advance(side: SSL.Connection, seen: list[Step]) -> None:
    """As far as what has come leads; a fatal alert ends it, and is the verdict."""
    try:
        side.do_handshake()
        side.recv(1)
    except SSL.WantReadError:
        pass
    except (SSL.Error, SSL.ZeroReturnError):
        seen.append(Step.VERDICT)


def _pass_on(one: SSL.Connection, other: SSL.Connection) -> None:
    with suppress(SSL.WantReadError):  # nothing to be sent
        other.bio_write(one.bio_read(_ENOUGH))
