"""Files of every kind with bytes changed, lost or doubled: read, or refused by a sentence."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from factories import NOW, facts
from fuzzing import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incamail_lib import guide
from incamail_lib.audit import load_audit, load_facts
from incamail_lib.audit.case import bind
from incamail_lib.checks import judge_facts
from incamail_lib.dossier import open_store
from incamail_lib.dossier.history import history_of
from incamail_lib.errors import IncaMailError
from incamail_lib.guide import load_platform
from incamail_lib.notebooks import EXAMPLES
from incamail_lib.routing.message import classify_message
from incamail_lib.routing.received import read_hops

MESSAGE = (EXAMPLES / "messages" / "fr_personal_encoded.eml").read_bytes()
HOPS = (EXAMPLES / "messages" / "hops_outgoing.eml").read_bytes()
DOSSIER = (EXAMPLES / "halbvoll.yaml").read_bytes()
PLATFORM = (Path(guide.__file__).parent / "platform.toml").read_bytes()
FACTS = facts().model_dump_json(indent=1).encode()
AUDIT = judge_facts(facts(), NOW).model_dump_json(indent=1).encode()
HISTORY = b'{"when": "2026-11-24T12:00:00Z", "who": "anna", "what": "language", "new": "de"}\n' * 3


def _as_dossier(path: Path) -> None:
    case = bind(path)
    open_store(path)
    assert case.dossier.organisation.strip()


def _as_history(path: Path) -> None:
    dossier = path.with_name("muster.yaml")
    dossier.write_bytes(DOSSIER)
    path.replace(history_of(dossier))
    store = open_store(dossier)
    assert len(store.history) >= 0
    store.put(("language",), "fr", who="anna")
    assert store.history[-1].what == "language"


def _as_message(path: Path) -> None:
    classify_message(path.read_bytes(), facts().declared.rules)


def _as_hops(path: Path) -> None:
    assert read_hops(path.read_bytes(), path.name).label == path.name


KINDS: dict[str, tuple[str, bytes, Callable[[Path], object]]] = {
    "dossier": ("one.yaml", DOSSIER, _as_dossier),
    "history": ("one.jsonl", HISTORY, _as_history),
    "platform": ("platform.toml", PLATFORM, load_platform),
    "facts": ("facts.json", FACTS, load_facts),
    "audit": ("audit.json", AUDIT, load_audit),
    "message": ("one.eml", MESSAGE, _as_message),
    "hops": ("two.eml", HOPS, _as_hops),
}
# What to put where: bytes that mean something in one of the formats, or any.
MEANING = (
    *(b"", b"\n", b"\r", b"\0", b"\t", b": ", b"- ", b"&a ", b"*a", b"!!", b"{", b"}", b"[", b'"'),
    *(b"= ", b"#", b"%", b"<<", b"1e999", b"-1", b"9" * 30),
    *("\u202e\u2028é".encode(), b"\xff\xfe"),
)
PIECES = st.sampled_from(MEANING) | st.binary(max_size=4)
CHANGES = st.lists(
    st.tuples(st.integers(0, 60_000), st.integers(0, 40), PIECES), min_size=1, max_size=5
)


@pytest.mark.parametrize("kind", KINDS)
@given(changes=CHANGES, end=st.none() | st.integers(0, 60_000))
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_or_told(
    tmp_path: Path, kind: str, changes: list[tuple[int, int, bytes]], end: int | None
) -> None:
    """No bytes make a reader raise anything but the sentence that helps."""
    name, sample, read = KINDS[kind]
    data = bytearray(sample)
    for place, length, piece in changes:
        at = place % len(data)
        data[at : at + length] = piece
        data = data or bytearray(b" ")
    path = tmp_path / name
    path.write_bytes(bytes(data if end is None else data[: end % (len(data) + 1)]))
    with suppress(IncaMailError):
        read(path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_itself_is_read(tmp_path: Path, kind: str) -> None:
    """What is damaged above is sound before."""
    name, sample, read = KINDS[kind]
    (tmp_path / name).write_bytes(sample)
    read(tmp_path / name)
