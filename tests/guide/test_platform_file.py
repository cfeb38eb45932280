"""An organisation's platform file: each mistake is named where it stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from incamail_lib.errors import GuideError
from incamail_lib.guide import Certainty, load_platform


def refusal(tmp_path: Path, text: str) -> str:
    path = tmp_path / "platform.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GuideError) as caught:
        load_platform(path)
    told = caught.value.text.english()
    assert str(path) in told
    return told


GATEWAYS = '[[gateways]]\nhost = "a.example"\n\n[[gateways]]\nhost = "b.example"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GATEWAYS.replace('host = "b', 'hots = "b'), "line 5, field «gateways.2.hots»"),
        (GATEWAYS.replace('host = "b', 'hots = "b'), "Allowed fields: host, addresses, port"),
        (GATEWAYS.replace('host = "a', '"hots" = "a'), "line 2, field «gateways.1.hots»"),
        (GATEWAYS + 'port = "x"\n', "line 6, field «gateways.2.port»"),
        ("[[gateways]]\nport = 25\n", "line 1, field «gateways.1.host»: This field is missing."),
        ('[suffix]\nvalue = ".x"\nsorce = "y"\n', "line 3, field «suffix.sorce»"),
        ('smart_hots = "x"\n', "line 1, field «smart_hots»"),
        (
            'smart_host =\u00a0"x"\n',
            "line 1, column 13: an invisible character stands here (U+00A0",
        ),
        ('name = "C:\\certs"\n', "line 1: in double quotes a backslash begins an escape"),
        ('name = "x\n', "is not valid TOML"),
    ],
)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, text: str, expected: str) -> None:
    """Line, field, entry of the list and what is allowed there."""
    assert expected in refusal(tmp_path, text)


def test_what_a_client_states_is_certain_for_this_client(tmp_path: Path) -> None:
    """Where a fact is overridden, the guess is gone; the others stay guesses."""
    path = tmp_path / "platform.toml"
    path.write_text('sender_domains = ["x.example"]\n' + GATEWAYS, encoding="utf-8")
    found = load_platform(path)
    assert found.sender_domains.certainty is Certainty.PRIMARY
    assert found.names.certainty is Certainty.INFERRED
    assert [g.host for g in found.gateways] == ["a.example", "b.example"]


def test_no_guess_is_shipped_as_a_certainty() -> None:
    """What rests on a third party's test, or on no certificate of today, says so."""
    shipped = load_platform()
    sure = {Certainty.PRIMARY}
    assert shipped.sender_domains.value == ("im.post.ch",)
    guessed = (shipped.sender_domains, shipped.organisations, shipped.names)
    assert sure.isdisjoint(fact.certainty for fact in guessed)
    assert sure.isdisjoint(gateway.certainty for gateway in shipped.gateways)
    assert shipped.has("GW1.incamail.com.")
    assert shipped.has("x.example", ("194.41.147.13",))
    assert not shipped.has("x.example", ("192.0.2.1",))


def test_a_pipe_in_place_of_a_platform_file_is_refused_without_waiting(tmp_path: Path) -> None:
    """Nobody writes to it: reading would hang the whole audit."""
    pipe = tmp_path / "platform.toml"
    os.mkfifo(pipe)
    with pytest.raises(GuideError, match=r"cannot be read \(not a regular file\)"):
        load_platform(pipe)
