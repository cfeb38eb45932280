"""What GnuTLS, with which Debian's Exim speaks TLS, refuses where OpenSSL does not."""

from __future__ import annotations

import datetime as dt
import random
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from differential.chains import HOST, Case, Member, made, sound
from differential.judged import judged
from differential.making import key

from incamail_lib.facts.certificate import Reservation, TrustReason

pytestmark = pytest.mark.tool("gnutls-cli")
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def case(spoil: Callable[[list[Member]], object]) -> Case:
    """A sound chain, spoilt."""
    chain = sound(random.Random(4), 1, 1, ("p256",))
    spoil(chain.members)
    return made(chain, 1, NOW)


def gnutls_takes(one: Case, folder: Path) -> bool:
    """Whether gnutls-cli completes a handshake with a server that shows the chain."""
    chain, secret, anchors = (folder / name for name in ("chain.pem", "key.pem", "anchors.pem"))
    chain.write_text("".join(map(ssl.DER_cert_to_PEM_cert, one.chain)))
    anchors.write_text("".join(map(ssl.DER_cert_to_PEM_cert, one.anchors)))
    private = one.leaf_key.private
    secret.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening, context), daemon=True).start()
        command = [
            *("gnutls-cli", "--x509cafile", str(anchors), "--verify-hostname", HOST),
            *("-p", str(listening.getsockname()[1]), "127.0.0.1"),
        ]
        done = subprocess.run(command, check=False, input=b"", capture_output=True, timeout=60)
    return done.returncode == 0


def _serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listening.accept()
    try:
        with context.wrap_socket(connection, server_side=True) as served:
            served.recv(1)
    except OSError:  # the peer went away, which is what is asked
        connection.close()


def mute(members: list[Member]) -> None:
    members[0].key, members[0].usage = key("rsa2048", 3), ("key_encipherment",)


def odd_authority(members: list[Member]) -> None:
    members[1].key = key("k256", 3)


@pytest.mark.parametrize(
    ("spoil", "reservation"),
    [(mute, Reservation.NO_SIGNING), (odd_authority, Reservation.UNUSUAL_AUTHORITY_KEY)],
)
def test_what_we_have_reserves_about_gnutls_refuses(
    spoil: Callable[[list[Member]], object], reservation: Reservation, tmp_path: Path
) -> None:
    """OpenSSL takes both, so that they are trusted, with the reserve said."""
    one = case(spoil)
    found = judged(one, "serverAuth", NOW)
    assert found.reason is TrustReason.TRUSTED
    assert [r.reason for r in found.reserved] == [reservation]
    assert not gnutls_takes(one, tmp_path)


def test_gnutls_takes_what_we_trust_without_reserve(tmp_path: Path) -> None:
    """The same server with a sound chain."""
    one = case(lambda members: members)
    assert judged(one, "serverAuth", NOW).reserved == ()
    assert gnutls_takes(one, tmp_path)
