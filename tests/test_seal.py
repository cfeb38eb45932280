"""A seal tells a changed byte, and counts only by a key that its reader trusts."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from factories import NOW, facts
from typer.testing import CliRunner

from incamail_lib.audit import latest_audit, load_facts, save_record
from incamail_lib.checks import judge_facts
from incamail_lib.cli.app import app
from incamail_lib.errors import MaterialError
from incamail_lib.files import write_new
from incamail_lib.outputs import RECORD, new_audit, time_name
from incamail_lib.seal import KEY_VARIABLE, SEAL, Keys, Standing, examine, seal, sealed


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keys:
    """The keys of one user."""
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "own" / "seal.pem"))
    return Keys.of_user()


def written(output: Path, hours: int = 0) -> Path:
    """The folder of an audit, with a page beside its record; not sealed."""
    moment = NOW.replace(hour=hours)
    folder = new_audit(output, facts().declared.organisation, time_name(moment)).finish()
    save_record(judge_facts(facts(), NOW), folder / RECORD)
    (folder / "report.html").write_text("<p>A report</p>", encoding="utf-8")
    return folder


def verify(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["verify", *map(str, arguments)])
    return found.exit_code, found.output


def test_an_untouched_folder_is_intact(tmp_path: Path, keys: Keys) -> None:
    """Also when it was called otherwise then, which is told; the key is for its owner alone."""
    folder = written(tmp_path)
    seal(folder, keys)
    assert examine(folder, keys).standing is Standing.INTACT
    assert stat.S_IMODE(keys.file.stat().st_mode) == 0o600
    moved = folder.rename(tmp_path / "archive")
    code, told = verify(moved)
    assert code == 0
    assert folder.name in told
    assert not examine(moved, keys).proves(moved, RECORD)  # an old one is no newer one


def _changed_byte(folder: Path) -> None:
    data = bytearray((folder / RECORD).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / RECORD).write_bytes(data)


def _as_link(folder: Path) -> None:
    (folder / RECORD).rename(folder.parent / "kept.json")
    (folder / RECORD).symlink_to(folder.parent / "kept.json")


def _as_pipe(folder: Path) -> None:
    (folder / RECORD).unlink()
    os.mkfifo(folder / RECORD)


def _hash_changed(folder: Path) -> None:
    _changed_byte(folder)
    held = json.loads((folder / SEAL).read_text(encoding="utf-8"))
    held["files"][RECORD] = "0" * 64
    (folder / SEAL).write_text(json.dumps(held), encoding="utf-8")


def _no_seal_file(folder: Path) -> None:
    (folder / SEAL).write_text("[" * 100_000, encoding="utf-8")


@pytest.mark.parametrize(
    "attack", [_changed_byte, _as_link, _as_pipe, _hash_changed, _no_seal_file]
)
def test_a_changed_record_is_told_and_is_no_evidence(
    tmp_path: Path, keys: Keys, attack: Callable[[Path], None]
) -> None:
    """A byte, a link, a pipe, a forged hash, a damaged seal: altered, exit code 1, no evidence."""
    folder = written(tmp_path)
    seal(folder, keys)
    assert latest_audit(tmp_path, facts().declared.organisation, keys).audit is not None
    attack(folder)
    assert examine(folder, keys).standing is Standing.ALTERED
    code, told = verify(folder)
    assert code == 1
    assert "altered" in told
    found = latest_audit(tmp_path, facts().declared.organisation, keys)
    assert found.audit is None
    assert "changed after it was sealed" in found.notes[0].english()


def test_files_added_or_taken_away_are_named(tmp_path: Path, keys: Keys) -> None:
    """The page is gone and something new is there: both told; the record itself still counts."""
    folder = written(tmp_path)
    seal(folder, keys)
    (folder / "report.html").unlink()
    (folder / "planted.pdf").write_bytes(b"x")
    assert examine(folder, keys).changed == ("planted.pdf", "report.html")
    assert "planted.pdf" in verify(tmp_path)[1]
    assert latest_audit(tmp_path, facts().declared.organisation, keys).audit is not None


def test_a_planted_audit_is_no_evidence(tmp_path: Path, keys: Keys) -> None:
    """Without a seal, or sealed by a stranger's key: the older one of our own is taken."""
    ours = written(tmp_path, hours=1)
    seal(ours, keys)
    plain, foreign = written(tmp_path, hours=2), written(tmp_path, hours=3)
    stranger = Keys(tmp_path / "stranger" / "seal.pem")
    seal(foreign, stranger)
    found = latest_audit(tmp_path, facts().declared.organisation, keys)
    assert found.audit is not None
    told = [note.english() for note in found.notes]
    assert foreign.name in told[0]
    assert plain.name in told[1]
    assert verify(foreign)[0] == verify(plain)[0] == 3
    name = time_name(NOW.replace(hour=9))
    copied = new_audit(tmp_path, facts().declared.organisation, name).finish()
    for file in ours.iterdir():  # an old one under a newer time
        (copied / file.name).write_bytes(file.read_bytes())
    later = latest_audit(tmp_path, facts().declared.organisation, keys)
    assert copied.name in later.notes[0].english()


def test_a_key_that_was_laid_beside_the_own_one_is_trusted(tmp_path: Path, keys: Keys) -> None:
    """A colleague's audits count after their public key was laid there, and not before."""
    folder = written(tmp_path)
    colleague = Keys(tmp_path / "colleague" / "seal.pem")
    seal(folder, colleague)
    assert examine(folder, keys).standing is Standing.UNKNOWN_KEY
    keys.own()
    trusted = keys.file.parent / "trusted"
    trusted.mkdir()
    (trusted / "broken.pem").write_text("no key", encoding="utf-8")
    pem = colleague.own().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (trusted / "colleague.pem").write_bytes(pem)
    assert examine(folder, keys).standing is Standing.INTACT
    assert verify(folder)[0] == 0


def test_the_public_key_is_shown_and_no_other(keys: Keys) -> None:
    """What is handed to colleagues can only verify."""
    code, told = verify("--show-key")
    assert code == 0
    assert "BEGIN PUBLIC KEY" in told
    assert "PRIVATE" not in told


def test_facts_that_were_changed_after_their_seal_are_refused(tmp_path: Path, keys: Keys) -> None:
    """Named on the command line they are an error; copied out of the folder they are the user's."""
    folder = written(tmp_path)
    save_record(facts(), folder / "facts.json")
    seal(folder, keys)
    assert load_facts(folder / "facts.json") == facts()
    text = (folder / "facts.json").read_text(encoding="utf-8")
    (folder / "facts.json").write_text(text + "\n", encoding="utf-8")
    with pytest.raises(MaterialError, match="changed after it was sealed"):
        load_facts(folder / "facts.json")
    write_new(tmp_path / "copy.json", text.encode())
    assert load_facts(tmp_path / "copy.json") == facts()


def test_a_key_that_is_none_is_a_sentence(tmp_path: Path, keys: Keys) -> None:
    """A wrong key file seals nothing, and says what to do; the audit stays."""
    keys.file.parent.mkdir()
    keys.file.write_text("no key", encoding="utf-8")
    told = sealed(written(tmp_path), keys)
    assert "Ed25519" in told[0].english()
    assert "evidence" in told[1].english()


def test_many_at_once_make_one_key(keys: Keys) -> None:
    """Programs that seal for the first time at the same moment share the key of one of them."""
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: keys.own().private_bytes_raw(), range(48)))
    assert len(set(found)) == 1


def test_a_folder_without_an_audit_is_wrong_use(tmp_path: Path, keys: Keys) -> None:
    """Nothing to verify is said, not taken for intact."""
    assert verify(tmp_path)[0] == 2
    assert verify()[0] == 2


@pytest.mark.parametrize("field", ["folder", "files", "key"])
def test_a_seal_of_nested_values_counts_as_altered(tmp_path: Path, keys: Keys, field: str) -> None:
    """What no Python could write again is not taken in at all."""
    folder = tmp_path / "audit"
    folder.mkdir()
    seal(folder, keys)
    nested = '{"a":' * 50_000 + "1" + "}" * 50_000
    held = json.dumps(json.loads((folder / SEAL).read_text(encoding="utf-8")) | {field: "HERE"})
    (folder / SEAL).write_text(held.replace('"HERE"', nested), encoding="utf-8")
    assert examine(folder, keys).standing is Standing.ALTERED
