"""How long the probe waits and why a connection could not be made: facts of limits and errors."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import Any

import pytest
from factories import GATEWAY, NOW, broken, certificate, survey
from probe.served import FOREIGN, OWN

from incamail_lib.facts.observation import Reason, no, yes
from incamail_lib.facts.smtp import Purpose, SmtpFacts, Stage
from incamail_lib.probe.endpoint import _unanswered, _Visiting
from incamail_lib.probe.settings import Limits, ProbeSettings
from incamail_lib.probe.tls import Seen
from incamail_lib.probe.tls_pyopenssl import _note_alert, _words
from incamail_lib.probe.wire import _reason_of
from incamail_lib.probe.wire import _words as _system_words


def test_the_usual_limits_are_fair_to_slow_servers() -> None:
    """Half a minute for a greeting, 20 seconds for a reply, five minutes for an address."""
    usual = Limits()
    assert (usual.connect_s, usual.greeting_s, usual.reply_s) == (10, 30, 20)
    assert (usual.handshake_s, usual.goodbye_s) == (20, 2)
    assert (usual.total_s, usual.address_s, usual.max_bytes) == (75, 300, 256 * 1024)


@pytest.mark.parametrize(
    ("longest", "wanted"),
    [
        (5.0, (5, 5, 5, 5, 2, 12.5, 50)),
        (1.0, (1, 1, 1, 1, 1, 2.5, 10)),
        (60.0, (10, 60, 20, 20, 2, 150, 600)),
    ],
)
def test_a_limit_for_one_answer_shortens_the_others(
    longest: float, wanted: tuple[float, ...]
) -> None:
    """None is longer than the one given; only the greeting may be as long as it says."""
    found = Limits.within(longest)
    assert wanted == (
        *(found.connect_s, found.greeting_s, found.reply_s, found.handshake_s),
        *(found.goodbye_s, found.total_s, found.address_s),
    )


@pytest.mark.parametrize(("left", "total"), [(80.0, 75.0), (75.0, 75.0), (74.0, 74.0), (0.0, 0.0)])
def test_a_connection_ends_when_the_time_for_its_address_is_up(left: float, total: float) -> None:
    """Nothing else changes."""
    found = Limits().at_most(left)
    assert (found.total_s, found.reply_s, found.address_s) == (total, 20, 300)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, ""), Reason.REFUSED),
        (TimeoutError(errno.ETIMEDOUT, ""), Reason.TIMEOUT),
        (ConnectionResetError(errno.ECONNRESET, ""), Reason.RESET),
        (BrokenPipeError(errno.EPIPE, ""), Reason.RESET),
        *(
            (OSError(number, ""), Reason.UNREACHABLE)
            for number in (
                *(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN),
                *(errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM),
            )
        ),
        (OSError(errno.EIO, ""), Reason.UNREACHABLE),
    ],
)
def test_each_error_of_the_system_has_its_reason(error: OSError, reason: Reason) -> None:
    """A refusal was said by the machine itself; the others are told apart from it."""
    assert _reason_of(error) is reason


def test_the_systems_own_words_are_told() -> None:
    """Not asyncio's, which put a call in their place."""
    assert _system_words(OSError(errno.EHOSTUNREACH, "Connect call failed")) == os.strerror(
        errno.EHOSTUNREACH
    )
    assert _system_words(OSError("odd")) == "odd"


@pytest.mark.parametrize(
    ("level", "number", "alert", "warning"),
    [
        (2, 48, 48, None),
        (1, 112, None, 112),
        (2, 0, None, None),
        (1, 0, None, None),
        (1, 90, None, None),
        (2, 90, None, None),
        (1, 1, None, 1),
    ],
)
def test_a_warning_is_no_refusal_and_a_goodbye_is_neither(
    level: int, number: int, alert: int | None, warning: int | None
) -> None:
    """close_notify and user_canceled end a connection in peace."""
    seen = Seen()
    _note_alert(seen, level, number)
    assert (seen.alert, seen.warning) == (alert, warning)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Exception([("SSL routines", "", "wrong version number")]), "wrong version number"),
        (Exception([("a", "", "one"), ("b", "", "two"), ("c", "", "")]), "one; two"),
        (Exception([]), "closed"),
        (Exception(), "closed"),
        (Exception(-1, "Unexpected EOF"), "Unexpected EOF"),
        (Exception([("too", "short")]), "closed"),
    ],
)
def test_the_librarys_words_are_evidence(error: Exception, words: str) -> None:
    """All of them, or that it closed where it has none."""
    assert _words(error) == words


def shown(key: str) -> SmtpFacts:
    sound = survey()
    assert sound.tls is not None
    tls = sound.tls.model_copy(update={"chain": (certificate(key_type=key),)})
    return survey(tls=tls)


async def visiting(*, own: Any = OWN, first: SmtpFacts | None = None, **given: Any) -> _Visiting:
    settings = ProbeSettings(ehlo_name="x", **({"foreign": FOREIGN} | given))
    found = _Visiting(GATEWAY, settings, own, NOW)
    found._connections.append(first or shown("RSA"))
    return found


EVERY = [
    *(Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE, Purpose.OTHER_KEY),
    *(Purpose.LEGACY_TLS, Purpose.INJECTION),
]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, set()),
        ({"own": None}, {Purpose.OWN_CERTIFICATE}),
        ({"foreign": None}, {Purpose.FOREIGN_CERTIFICATE}),
        ({"first": shown("EC")}, set()),
        ({"first": shown("Ed25519")}, {Purpose.OTHER_KEY}),
        ({"first": broken(Reason.RESET, Stage.HANDSHAKE)}, {Purpose.OTHER_KEY}),
        ({"purposes": frozenset({Purpose.SURVEY})}, set(EVERY)),
        ({"purposes": frozenset({Purpose.LEGACY_TLS})}, set(EVERY) - {Purpose.LEGACY_TLS}),
    ],
)
def test_what_tells_most_is_asked_first_and_only_what_can_be_answered(
    given: dict[str, Any], missing: set[Purpose]
) -> None:
    """A certificate that is not there, or a key without a counterpart, costs no connection."""

    async def run() -> list[Purpose]:
        found = await visiting(**given)
        return found._asked(found._connections[0])

    assert asyncio.run(run()) == [p for p in EVERY if p not in missing]


@pytest.mark.parametrize("served", [True, False])
def test_the_smuggled_command_is_sent_with_a_certificate_only_where_one_is_demanded(
    served: bool,
) -> None:
    """A certificate that is refused would hide the answer."""
    sound = survey()
    assert sound.tls is not None
    let_in = yes() if served else no(Reason.ALERT)
    first = survey(tls=sound.tls.model_copy(update={"accepted": let_in}))

    async def run() -> list[Any]:
        found = await visiting(first=first)
        return [found._credential(p) for p in EVERY]

    assert asyncio.run(run()) == [OWN, FOREIGN, None, None, None if served else OWN]


@pytest.mark.parametrize(
    ("reason", "stage", "tls", "expected"),
    [
        (Reason.TIMEOUT, Stage.HANDSHAKE, {"answered": False}, True),
        (Reason.RESET, Stage.HANDSHAKE, {"answered": False}, True),
        (Reason.CLOSED, Stage.HANDSHAKE, {"answered": False}, True),
        (Reason.CLOSED, Stage.HANDSHAKE, {"answered": True}, False),
        (Reason.PROTOCOL_ERROR, Stage.HANDSHAKE, {"answered": False}, False),
        (Reason.TIMEOUT, Stage.STARTTLS, {"answered": False}, False),
    ],
)
def test_a_hello_is_unanswered_where_not_one_byte_came_back(
    reason: Reason, stage: Stage, tls: dict[str, Any], expected: bool
) -> None:
    """Only then is a smaller one tried: an answer, even a bad one, shows that it got through."""
    sound = survey()
    assert sound.tls is not None
    cut = broken(reason, stage, tls=sound.tls.model_copy(update=tls))
    assert _unanswered(cut) is expected
