"""A dossier is edited by people and by the program, and nothing anybody wrote is lost."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from programs import running

from incamail_lib.dossier import Dossier, open_store, read_dossier
from incamail_lib.dossier.agreed import AcceptanceTest, Answer, Contact, Role, State, TestResult
from incamail_lib.dossier.history import read_history
from incamail_lib.dossier.locking import lock_of
from incamail_lib.errors import DossierError, OutputError, UsageError

WRITTEN = """\
# Written by Anna
schema: 3
organisation:   "Muster AG"   # legal name
domains: [muster.example]
answers:
  "6.3":
    state: unclear  # ask Bernd

# the end
"""
POST = Contact(role=Role.POST, name="Frau Post")
PORTS = {"mx1.muster.example": 2525}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "muster.yaml"
    found.write_text(WRITTEN, encoding="utf-8")
    return found


def test_one_field_is_set_and_all_the_rest_stays(path: Path) -> None:
    """The file differs in that field alone; comments and quotes stay, and the history tells."""
    store = open_store(path)
    assert store.put("answers.6.3.state", State.CLEAR, who=" Anna ") == ()
    assert path.read_text(encoding="utf-8") == WRITTEN.replace("state: unclear", "state: clear")
    assert store.is_saved
    assert store.dossier == read_dossier(path)
    (line,) = read_history(path).changes
    assert (line.who, line.what) == ("Anna", "answers.6.3.state")
    assert (line.before, line.after, line.conflict) == ("unclear", "clear", False)


@pytest.mark.parametrize(
    ("field", "value", "seen", "expected"),
    [
        (("answers", "6.10"), Answer(note="no"), lambda d: d.answers["6.10"], Answer(note="no")),
        ("answers.7.3.due", "2027-01-15", lambda d: str(d.answers["7.3"].due), "2027-01-15"),
        ("answers.6.3.answer", "12:30", lambda d: d.answers["6.3"].answer, "12:30"),
        ("answers.6.3", None, lambda d: "6.3" in d.answers, False),
        ("network.ports.mx1.muster.example", 2525, lambda d: d.network.ports, PORTS),
        ("contacts.0", POST, lambda d: d.contacts, (POST,)),
        ("components.browser.present", False, lambda d: d.components["browser"].present, False),
        (
            "certificates.sending.file",
            Path("a.pem"),
            lambda d: d.certificates.sending.file,
            "a.pem",
        ),
    ],
)
def test_any_field_can_be_set(
    path: Path, field: Any, value: Any, seen: Callable[[Dossier], Any], expected: Any
) -> None:
    """Item numbers and host names hold dots; records, numbers, dates and paths are values."""
    store = open_store(path)
    store.put(field, value, who="Anna")
    found = seen(read_dossier(path))
    assert found == (path.parent / expected if isinstance(found, Path) else expected)
    assert store.dossier == read_dossier(path)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("answers.6.3.state", "maybe", "«maybe» is not possible; allowed: 'clear', 'unclear'"),
        ("answers.6.3.colour", "red", "Allowed here: state, answer, note, owner, due, reason."),
        ("answers.6.333", Answer(note="x"), "field «answers"),
        ("organisation", None, "This field is missing"),
        ("organisation.name", "x", "no place for «name»"),
        ("domains.3", "x.example", "no place for «3»"),
        ("domains.0", "a..b", "field «domains.0»: «a..b» is not a domain name"),
        ("go_live", "2027-02-30", "«2027-02-30» is not a date"),
        ("answers.6.3.note", "-----BEGIN PRIVATE KEY-----\nx", "a private key never belongs"),
    ],
)
def test_a_wrong_value_changes_nothing(path: Path, field: str, value: object, told: str) -> None:
    """It is refused with file or field and remedy; file, store and history are as before."""
    store = open_store(path)
    before = store.dossier
    with pytest.raises(DossierError) as caught:
        store.put(field, value, who="Anna")
    assert told in caught.value.text.english()
    assert "BEGIN" not in caught.value.text.english()
    assert path.read_text(encoding="utf-8") == WRITTEN
    assert store.dossier == before
    assert store.is_saved


@pytest.mark.parametrize(
    ("field", "who"), [("history", "A"), ("history.0.who", "A"), ("schema", "A"), ("language", " ")]
)
def test_the_history_is_the_programs_own(path: Path, field: str, who: str) -> None:
    """Nobody rewrites the history or the schema by hand, and nobody changes without a name."""
    with pytest.raises(UsageError):
        open_store(path).put(field, "de", who=who)
    assert path.read_text(encoding="utf-8") == WRITTEN


def test_the_same_value_again_writes_nothing(path: Path) -> None:
    """A history without empty lines: setting what is set is no change."""
    open_store(path).put("answers.6.3.state", "unclear", who="Anna")
    assert path.read_text(encoding="utf-8") == WRITTEN


def test_saving_without_a_change_reads_and_does_not_write(path: Path) -> None:
    """The store then says what others wrote; their file is not exchanged for a copy."""
    store = open_store(path)
    path.write_text(WRITTEN + "language: de\n", encoding="utf-8")
    before = path.stat()
    assert store.save(who="Anna") == ()
    assert store.dossier.language == "de"
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_a_person_writes_meanwhile_is_taken_along(path: Path) -> None:
    """An editor and the program at one file: both changes are in it, and in the store."""
    store = open_store(path)
    path.write_text(WRITTEN.replace("# the end", "go_live: 2027-01-15  # at last"), "utf-8")
    assert store.put("answers.6.3.state", "clear", who="Anna") == ()
    assert "go_live: 2027-01-15  # at last" in path.read_text(encoding="utf-8")
    assert str(store.dossier.go_live) == "2027-01-15"
    assert store.dossier.answers["6.3"].state is State.CLEAR


def test_a_conflict_keeps_theirs_and_loses_neither(path: Path) -> None:
    """The faster side stays in the file; the other value is given back and in the history."""
    anna, bernd = open_store(path), open_store(path)
    anna.put("answers.6.3.state", "clear", who="Anna")
    (conflict,) = bernd.put("answers.6.3.state", "todo", who="Bernd")
    assert (conflict.field, conflict.ours, conflict.theirs) == (
        "answers.6.3.state",
        "todo",
        "clear",
    )
    read = read_dossier(path)
    assert read.answers["6.3"].state is State.CLEAR
    assert [(c.who, c.after, c.conflict) for c in bernd.history] == [
        ("Anna", "clear", False),
        ("Bernd", "todo", False),
        ("Bernd", "todo", True),
    ]
    assert bernd.history[-1].before == "clear"
    assert bernd.is_saved
    assert bernd.put("answers.6.3.state", "todo", who="Bernd") == ()
    assert read_dossier(path).answers["6.3"].state is State.TODO


def test_two_testers_record_their_tests_at_once(path: Path) -> None:
    """Acceptance tests are known by what they test: both results stand."""
    kinds = ("confidential", "personal")
    stores = [open_store(path) for _ in kinds]
    for store, kind in zip(stores, kinds, strict=True):
        test = AcceptanceTest(
            direction="outgoing", kind=kind, audience="internal", result=TestResult.PASSED
        )
        assert store.put("acceptance", (test,), who=kind) == ()
    assert [test.kind for test in read_dossier(path).acceptance] == list(kinds)


def test_many_writers_lose_nothing(path: Path) -> None:
    """Eight stores write forty fields at once: all values and all lines of history are there."""

    def write(writer: int) -> None:
        store = open_store(path, wait_s=60)
        for number in range(1, 6):
            store.put(f"answers.{writer}.{number}.note", f"{writer}/{number}", who=f"W{writer}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(1, 9)))
    read = read_dossier(path)
    assert {f"{k}: {a.note}" for k, a in read.answers.items() if a.note} == {
        f"{w}.{n}: {w}/{n}" for w in range(1, 9) for n in range(1, 6)
    }
    assert len(read_history(path).changes) == 40


def test_threads_that_share_a_store_lose_nothing(path: Path) -> None:
    """JupyterLab handles what is entered in another thread than what a cell does."""
    store = open_store(path)

    def write(thread: int) -> None:
        for number in range(1, 6):
            store.put(f"answers.{thread}.{number}.note", f"{thread}/{number}", who="anna")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(1, 5)))
    wanted = {f"{t}.{n}": f"{t}/{n}" for t in range(1, 5) for n in range(1, 6)}
    for dossier in (read_dossier(path), store.dossier):
        assert {k: a.note for k, a in dossier.answers.items() if a.note} == wanted
    assert len(read_history(path).changes) == 20


def test_another_writer_is_named_and_the_change_kept(path: Path) -> None:
    """Waiting ends with who writes and in which file; the change goes with the next save."""
    store = open_store(path, wait_s=0.05)
    with FileLock(lock_of(path)):
        lock_of(path).write_text("Bernd (session)\n", encoding="utf-8")
        with pytest.raises(OutputError) as caught:
            store.put("answers.6.3.state", "clear", who="Anna")
    assert "muster.yaml is being written by Bernd (session)" in caught.value.text.english()
    assert path.read_text(encoding="utf-8") == WRITTEN
    assert not store.is_saved
    assert store.dossier.answers["6.3"].state is State.CLEAR
    store.put("language", "de", who="Anna")
    assert store.is_saved
    assert read_dossier(path).answers["6.3"].state is State.CLEAR
    assert [line.what for line in read_history(path).changes] == ["answers.6.3.state", "language"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "muster.yaml cannot be read"),
        (b"organisation: [", "line 1: this is not valid YAML"),
        (b"\xff", "is not UTF-8 text"),
        (b"", "is not a dossier"),
        (b"schema: 4\norganisation: A\ndomains: [a.example]\n", "newer version"),
    ],
)
def test_a_file_that_was_lost_or_damaged_meanwhile_is_told(
    path: Path, content: bytes | None, told: str
) -> None:
    """It is not overwritten; once it is in order again, the change kept here goes into it."""
    store = open_store(path)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DossierError) as caught:
        store.put("answers.6.3.state", "clear", who="Anna")
    assert told in caught.value.text.english()
    assert "The change is kept" in caught.value.text.english()
    assert (path.read_bytes() if path.exists() else None) == content
    path.write_text(WRITTEN, encoding="utf-8")
    assert store.save(who="Anna") == ()
    assert read_dossier(path).answers["6.3"].state is State.CLEAR


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow beyond some bytes, as on a disk without room."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_leaves_the_old_file_whole(path: Path) -> None:
    """The error names the file, no half file is left, and the change goes with the next save."""
    store = open_store(path)
    with (
        full_disk(),
        pytest.raises(OutputError, match=r"muster\.yaml\.history could not be written"),
    ):
        store.put("answers.6.3.state", "clear", who="Anna")
    assert path.read_text(encoding="utf-8") == WRITTEN
    assert {p.name for p in path.parent.iterdir()} == {path.name, lock_of(path).name}
    assert not store.is_saved
    store.save(who="Anna")
    assert read_dossier(path).answers["6.3"].state is State.CLEAR


@contextmanager
def read_only_folder() -> Iterator[Path]:
    """A folder in which this process may not write, not even when root runs the tests."""
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid()
    try:
        yield folder
    finally:
        if user == 0:
            os.seteuid(0)
        folder.chmod(0o700)
        shutil.rmtree(folder)


def test_a_read_only_folder_is_told(path: Path) -> None:
    """The error says what to make writable; the change is kept."""
    with read_only_folder() as folder:
        locked = Path(shutil.copy(path, folder / "muster.yaml"))
        store = open_store(locked)
        folder.chmod(0o555)
        if os.geteuid() == 0:
            os.seteuid(65534)
        with pytest.raises(OutputError) as caught:
            store.put("answers.6.3.state", "clear", who="Anna")
        assert "Make the folder writable for you" in caught.value.text.english()
        assert locked.read_text(encoding="utf-8") == WRITTEN
        assert not store.is_saved


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o644])
def test_the_files_mode_stays(path: Path, mode: int) -> None:
    """A dossier that only some may read stays so."""
    path.chmod(mode)
    open_store(path).put("language", "de", who="Anna")
    assert path.stat().st_mode & 0o777 == mode


def test_a_link_to_a_dossier_stays_a_link(path: Path) -> None:
    """The file behind the link is written."""
    link = path.with_name("link.yaml")
    link.symlink_to(path)
    open_store(link).put("language", "de", who="Anna")
    assert link.is_symlink()
    assert read_dossier(path).language == "de"


def test_a_dossier_never_grows_beyond_what_can_be_read(path: Path) -> None:
    """What this program writes it can read again: the limit is told before writing."""
    numbers = [f"{n / 10}" for n in range(11, 66) if n % 10]
    lines = [f"  {number}: {{note: {'ü' * 10_000}}}\n" for number in numbers[:49]]
    text = WRITTEN.replace("answers:\n", "answers:\n" + "".join(lines).replace("6.3:", "6.99:"))
    path.write_text(text, encoding="utf-8")
    store = open_store(path)
    with pytest.raises(OutputError, match="larger than 1 MB"):
        store.put("answers.9.9.note", "ü" * 10_000, who="Anna")
    assert path.read_text(encoding="utf-8") == text
    assert path.stat().st_size <= 1_000_000
    read_dossier(path)


KILLED = """
import sys
from pathlib import Path
from incamail_lib.dossier import open_store
store = open_store(Path(sys.argv[1]))
for number in range(10_000):
    store.put("answers.6.3.note", f"{number} " + "x" * 9_000, who="Anna")
    print(number, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 2, 3, 5, 8])
def test_a_killed_writer_leaves_a_whole_file_and_no_lock(path: Path, lines: int) -> None:
    """Killed at any moment: the file reads, holds every change that was told, and can be saved."""
    command = [sys.executable, "-c", KILLED, str(path)]
    with running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(lines):
            told = process.stdout.readline()
    read_dossier(path)
    assert len(read_history(path).changes) >= int(told) + 1
    open_store(path).put("answers.6.3.note", "after", who="Bernd")
    assert read_dossier(path).answers["6.3"].note == "after"


def test_a_form_that_cannot_be_edited_is_refused(path: Path) -> None:
    """Rather than touch what stands around it, the program asks for an ordinary form."""
    text = WRITTEN + "? go_live\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DossierError, match="written in a form that cannot be changed"):
        open_store(path).put("go_live", "2027-01-15", who="Anna")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("note", ["\n", "\n\n", "a\n\n", " \n\n", "a\n \n\n"])
def test_a_text_that_ends_in_blank_lines_hinders_no_later_change(path: Path, note: str) -> None:
    """PyYAML ends the document behind an open block: then nothing could be saved any more."""
    store = open_store(path)
    store.put("answers.6.3.note", note, who="Anna")
    store.put("answers.5.1.note", "later", who="Anna")
    answers = read_dossier(path).answers
    assert (answers["6.3"].note, answers["5.1"].note) == (note, "later")
