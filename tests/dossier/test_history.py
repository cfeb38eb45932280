"""The history: a line for each change, on the disk before the change is, and never taken away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from programs import running

from incamail_lib.dossier import open_store, read_dossier
from incamail_lib.dossier.agreed import State
from incamail_lib.dossier.history import BY_FILE, digest, history_of, read_history
from incamail_lib.errors import DossierError, OutputError

SCHEMA_2 = """schema: 2
organisation: Muster AG  # as registered
domains: [muster.example]
history:
  - {at: '2026-11-01T08:00:00Z', who: Anna, what: language, before: '', after: fr}
  - {at: '2026-11-02T08:00:00Z', who: Bernd, what: language, before: fr, after: de}
language: de
"""
TODAY = "schema: 3\norganisation: Muster AG\ndomains: [muster.example]\nlanguage: de\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "muster.yaml"
    found.write_text(TODAY, encoding="utf-8")
    return found


def told(path: Path) -> list[tuple[str, str, str, str]]:
    return [(c.who, c.what, c.before, c.after) for c in read_history(path).changes]


def test_each_value_that_changed_is_a_line_and_nothing_else(path: Path) -> None:
    """A whole answer that is set again with one part altered leaves one line."""
    store = open_store(path)
    store.put("answers.6.3", {"state": "todo", "owner": "Anna"}, who="Anna")
    store.put("answers.6.3", {"state": "clear", "owner": "Anna"}, who="Bernd")
    assert told(path) == [
        ("Anna", "answers.6.3.owner", "", "Anna"),
        ("Anna", "answers.6.3.state", "", "todo"),
        ("Bernd", "answers.6.3.state", "todo", "clear"),
    ]
    assert "history" not in path.read_text(encoding="utf-8")


def test_an_older_history_moves_into_its_file_at_the_first_change(path: Path) -> None:
    """Until then nothing is touched; afterwards no line is lost and none stands twice."""
    path.write_text(SCHEMA_2, encoding="utf-8")
    store = open_store(path)
    assert [c.who for c in store.history] == ["Anna", "Bernd"]
    assert not history_of(path).exists()
    store.put("language", "it", who="Carla")
    assert [c.who for c in read_history(path).changes] == ["Anna", "Bernd", "Carla"]
    assert [c.who for c in store.history] == ["Anna", "Bernd", "Carla"]
    text = path.read_text(encoding="utf-8")
    assert "history" not in text
    assert text.startswith("schema: 3\norganisation: Muster AG  # as registered\n")


def test_a_move_that_was_interrupted_is_not_made_twice(path: Path) -> None:
    """Lines that reached the file before the program was killed are known the next time."""
    path.write_text(SCHEMA_2, encoding="utf-8")
    open_store(path).put("language", "it", who="Carla")
    path.write_text(SCHEMA_2, encoding="utf-8")
    open_store(path).put("language", "fr", who="Dario")
    people = [c.who for c in read_history(path).changes]
    assert people == ["Anna", "Bernd", "Carla", BY_FILE, "Dario"]


def test_a_change_that_never_reached_the_dossier_is_told(path: Path) -> None:
    """Killed between the two files: the next change adds the way back and takes nothing away."""
    store = open_store(path)
    store.put("language", "fr", who="Anna")
    path.write_text(TODAY, encoding="utf-8")
    open_store(path).put("sender", "a@muster.example", who="Bernd")
    assert told(path) == [
        ("Anna", "language", "de", "fr"),
        (BY_FILE, "language", "fr", "de"),
        ("Bernd", "sender", "", "a@muster.example"),
    ]


def test_a_change_by_hand_is_no_change_undone(path: Path) -> None:
    """Another text than the one from before says nothing of what was done."""
    open_store(path).put("language", "fr", who="Anna")
    path.write_text(path.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
    open_store(path).put("language", "it", who="Bernd")
    assert [who for who, *_ in told(path)] == ["Anna", "Bernd"]


def test_a_torn_line_is_left_out_and_closed(path: Path) -> None:
    """What a power failure left of a line does not swallow the next one."""
    store = open_store(path)
    store.put("language", "fr", who="Anna")
    with history_of(path).open("ab") as file:
        file.write(b'{"at": "2026-')
    store.put("language", "it", who="Bernd")
    found = read_history(path)
    assert [c.who for c in found.changes] == ["Anna", "Bernd"]
    assert found.damaged == (2,)


def test_a_dossier_that_cannot_be_written_leaves_no_line(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is taken back when its change failed, and comes with the change later."""
    store = open_store(path)
    store.put("language", "fr", who="Anna")

    def no_rename(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_rename)
        with pytest.raises(OutputError, match=r"muster\.yaml could not be written"):
            store.put("language", "it", who="Bernd")
    assert [who for who, *_ in told(path)] == ["Anna"]
    store.save(who="Bernd")
    assert [who for who, *_ in told(path)] == ["Anna", "Bernd"]
    assert read_dossier(path).language == "it"


def test_a_pipe_in_the_place_of_the_history_is_refused(path: Path) -> None:
    """Nothing waits for it and nothing is written; the file is named."""
    os.mkfifo(history_of(path))
    store = open_store(path)
    with pytest.raises(OutputError, match=r"muster\.yaml\.history could not be written"):
        store.put("language", "fr", who="Anna")
    assert path.read_text(encoding="utf-8") == TODAY
    with pytest.raises(DossierError, match="cannot be read"):
        read_history(path)


def test_the_history_is_as_private_as_its_dossier(path: Path) -> None:
    """Who decided what is nobody else's business either."""
    path.chmod(0o600)
    open_store(path).put("language", "fr", who="Anna")
    assert history_of(path).stat().st_mode & 0o777 == 0o600


def test_a_dossier_does_not_grow_with_its_history(path: Path) -> None:
    """A long session leaves the dossier as long as its answers are."""
    store = open_store(path)
    for number in range(60):
        store.put("answers.6.3.note", f"{number:02}", who="Anna")
    assert len(path.read_text(encoding="utf-8")) < 200
    assert len(read_history(path).changes) == 60


KILLED = """
import sys
from itertools import pairwise
from pathlib import Path
from incamail_lib.dossier import open_store
store = open_store(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(10_000):
    store.put("answers.6.3.note", str(number), who="Anna")
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 4, 9])
def test_history_and_dossier_agree_after_a_kill(path: Path, after: int) -> None:
    """Replayed, the history says what the dossier says, once the next change has been made."""
    command = [sys.executable, "-c", KILLED, str(path)]
    with running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(after + 1):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    open_store(path).put("language", "it", who="Bernd")
    notes = [c for c in read_history(path).changes if c.what == "answers.6.3.note"]
    assert all(one.after == other.before for one, other in pairwise(notes))
    assert notes[-1].after == read_dossier(path).answers["6.3"].note
    assert json.loads(history_of(path).read_text("utf-8").splitlines()[-1])["left"] == digest(
        path.read_text(encoding="utf-8")
    )


def test_the_state_of_a_question_is_what_its_last_line_says(path: Path) -> None:
    """Unsaved changes are part of the history that a session sees."""
    store = open_store(path, wait_s=0.05)
    store.put("answers.6.3.state", State.TODO, who="Anna")
    assert store.history[-1].after == "todo"
