"""A child of the warm process asks it for another: clean, bounded, and gone when it is to be."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from incamail_lib.forked.channel import Channel
from incamail_lib.forked.processes import can_fork
from incamail_lib.forked.sibling import Sibling
from incamail_lib.forked.warm import Warm

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system cannot fork")


@pytest.fixture
def asking() -> Iterator[Channel]:
    """A child that asks for what it is told to ask for."""
    warm = Warm(preload="forked.asking:nothing")
    channel = warm.call("forked.asking:asks")
    yield channel
    channel.close()
    warm.close()


def asked(channel: Channel, function: str) -> dict[str, object]:
    channel.send({"function": f"forked.asking:{function}"})
    answer = channel.receive()
    assert answer is not None
    return answer


def test_it_is_gone_with_all_it_started_and_what_it_took_is_known(asking: Channel) -> None:
    """Once its end was waited for, in a session of its own or not; and it was nobody's child."""
    for _ in range(2):
        answer = asked(asking, "works")
        said, spent_s = answer["said"], answer["cpu_s"]
        assert isinstance(said, dict)
        assert isinstance(spent_s, float)
        assert not psutil.pid_exists(said["pid"])
        assert not psutil.pid_exists(said["left"])
        assert 0.2 < spent_s < 5
        assert answer["children"] == 0


def test_one_that_dies_is_told_and_the_next_one_comes(asking: Channel) -> None:
    """Who asked goes on."""
    assert asked(asking, "dies")["said"] == {"died": 3}
    assert asked(asking, "works")["said"]


def test_it_has_nobody_to_ask(asking: Channel) -> None:
    """Only children of the owner's have the way to the warm process open; and nobody else."""
    assert asked(asking, "asks_on")["said"] == {"refused": "ConnectionError"}
    with pytest.raises(ConnectionError):
        Sibling("forked.asking:works")
