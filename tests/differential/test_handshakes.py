"""What TLS peers with default settings do with drawn chains: Python's ssl on both sides, in memory.

The side that judges is untouched; the side that shows the chain is told to show anything.
"""

from __future__ import annotations

import datetime as dt
import random
import ssl
from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from differential.chains import Case, made, sound
from differential.judged import PURPOSES, accepted, judged, why_stricter
from differential.making import key
from differential.twists import cases

from incamail_lib.facts.certificate import TrustFacts, TrustReason

pytestmark = pytest.mark.xdist_group("differential")
SEED = 7
TO_PEM = ssl.DER_cert_to_PEM_cert
OK = "ok"


def written(case: Case, folder: Path) -> tuple[Path, Path]:
    """Chain and key as files, which Python's ssl wants."""
    chain, secret = folder / f"{case.number}.pem", folder / f"{case.number}.key"
    chain.write_text("".join(map(TO_PEM, case.chain)), encoding="ascii")
    private = case.leaf_key.private
    secret.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain, secret


def showing(context: ssl.SSLContext, case: Case, folder: Path) -> None:
    """Make this side show the chain, whatever it is."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(*written(case, folder))


def trusting(context: ssl.SSLContext, case: Case, level: int | None) -> None:
    """Make this side demand a certificate and know the case's anchors."""
    if level is not None:
        context.set_ciphers(f"DEFAULT@SECLEVEL={level}")
    context.verify_mode = ssl.CERT_REQUIRED
    for der in case.anchors:
        context.load_verify_locations(cadata=der)


def handshake(case: Case, purpose: str, folder: Path, *, level: int | None = None) -> str:
    """OK, or what ended the handshake in which `case` is shown for `purpose`."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    try:
        if purpose == "serverAuth":
            showing(server, case, folder)
            trusting(client, case, level)
        else:
            client.verify_mode = ssl.CERT_NONE
            server.load_cert_chain(*written(OTHER, folder))
            trusting(server, case, level)
            showing(client, case, folder)
    except ssl.SSLError as error:
        return f"not loaded: {error.reason}"
    return _dialogue(server, client)


def _dialogue(server: ssl.SSLContext, client: ssl.SSLContext) -> str:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = {
        "client": client.wrap_bio(back, there, server_side=False),
        "server": server.wrap_bio(there, back, server_side=True),
    }
    for _ in range(4):
        for name, side in sides.items():
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return f"{name}: {error.verify_message}"
            except ssl.SSLError as error:
                return f"{name}: {error.reason}"
    return OK


Shown = dict[tuple[int, str], tuple[TrustFacts, str]]
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def _sound() -> Case:
    return made(sound(random.Random(1), 9999, 1, ("p256",)), 9999, NOW)


OTHER = _sound()  # what the server shows where the client's chain is the question
# A second more or less decides nothing here: the peers' clock goes on.
DRAWN = [
    case
    for case in cases(SEED, NOW, single=9, combined=60)
    if not any("second" in said or "now" in said for said in case.said)
]


@pytest.fixture(scope="module")
def shown(
    tmp_path_factory: pytest.TempPathFactory,
) -> Shown:
    """Case and purpose -> our verdict, and how the handshake with a default peer ended."""
    folder = tmp_path_factory.mktemp("shown")
    return {
        (case.number, purpose): (judged(case, purpose, NOW), handshake(case, purpose, folder))
        for case in DRAWN
        for purpose in PURPOSES
    }


def test_what_we_accept_shakes_hands(shown: Shown) -> None:
    """At least a hundred chains, with peers as Python and Debian set them (level 2)."""
    said = {case.number: case.said for case in DRAWN}
    wrong = [
        (said[number], purpose, ended)
        for (number, purpose), (answer, ended) in shown.items()
        if accepted(answer, 2) and ended != OK
    ]
    assert wrong == []
    roles = Counter(purpose for (_, purpose), (_, ended) in shown.items() if ended == OK)
    assert min(roles["serverAuth"], roles["clientAuth"]) >= 50


def test_what_we_refuse_is_refused(shown: Shown) -> None:
    """Apart from what other libraries than OpenSSL refuse, each with its reason."""
    drawn = {case.number: case for case in DRAWN}
    open_ended = [
        (drawn[number].said, purpose, str(answer.reason))
        for (number, purpose), (answer, ended) in shown.items()
        if not accepted(answer, 1) and ended == OK and not why_stricter(answer, drawn[number])
    ]
    assert open_ended == []
    refused = Counter(p for (_, p), (answer, ended) in shown.items() if ended != OK)
    assert min(refused["serverAuth"], refused["clientAuth"]) >= 50


# OpenSSL 3.2 and newer agree on brainpool curves in TLS 1.3 by themselves (RFC 8734).
TAKES_BRAINPOOL = ssl.OPENSSL_VERSION_INFO >= (3, 2)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("kind", ["p224", "k256", "bp256"])
def test_a_curve_that_verifies_is_no_curve_that_peers_take(
    purpose: str, kind: str, tmp_path: Path
) -> None:
    """`openssl verify` accepts such a leaf; TLS peers do not, or not all of them by default."""
    case = _with_leaf_key(kind)
    taken = kind == "bp256" and TAKES_BRAINPOOL
    assert (handshake(case, purpose, tmp_path) == OK) is taken
    assert judged(case, purpose, NOW).reason is TrustReason.UNUSUAL
    usual = _with_leaf_key("p384")
    assert handshake(usual, purpose, tmp_path) == OK
    assert judged(usual, purpose, NOW).reason is TrustReason.TRUSTED


@pytest.mark.parametrize("purpose", PURPOSES)
def test_level_1_takes_what_the_default_refuses(purpose: str, tmp_path: Path) -> None:
    """RSA 1024 at the leaf: refused by default, accepted at security level 1, and told so."""
    case = _with_leaf_key("rsa1024")
    assert handshake(case, purpose, tmp_path) != OK
    assert handshake(case, purpose, tmp_path, level=1) == OK
    assert judged(case, purpose, NOW).security_level == 1


def _with_leaf_key(kind: str) -> Case:
    chain = sound(random.Random(2), 9000, 1, ("p256",))
    chain.members[0].key = key(kind, 5)
    return made(chain, 9000, NOW)
