"""Things that break: odd addresses, odd paths, ends in the middle; a sentence or it just works."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import nbformat
import psutil
import pytest
from attacks.started import COMMAND
from programs import running

from incamail_lib.batch.execute import run_notebook
from incamail_lib.errors import UsageError
from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet, SendingType
from incamail_lib.linktest import compose
from incamail_lib.notebooks import enter
from incamail_lib.runbook.workplace import prepare

NOW = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)
RULES = RuleSet(
    method=Method.DOMAIN, next_hop=NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
)
DOSSIER = "organisation: Muster AG\ndomains: [muster.example]\nplatform: lab\n"


def written(path: Path, *cells: nbformat.NotebookNode) -> None:
    """A notebook for a kernel of Python."""
    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


@pytest.mark.parametrize(
    "given",
    [
        "a:b@m.example",
        "=?utf-8?q?anna?=@m.example",
        "=?utf-8?b?YW5uYQ==?=@m.example",
        "anna=?us-ascii?q?x?=@m.example",
        "group:anna@m.example;",
        "anna@m.example,hans@m.example",
        "=?utf-8?q?Anna?= <anna@m.example>",
        "Anna <a:b@m.example>",
        '"anna hans"@m.example',
        "anna@m.example\r\nBcc: all@m.example",
        "anna(comment)@m.example",
        "anna.@m.example",
        "a..b@m.example",
        "anna@",
        "@m.example",
    ],
)
def test_an_odd_recipient_is_refused(given: str) -> None:
    """Nothing that a mail library would read as more than one plain address."""
    with pytest.raises(UsageError):
        compose("anna@muster.example", given, SendingType.CONFIDENTIAL, rules=RULES, now=NOW)


LOCAL_PARTS = ("anna", "a.b", "a+b", "a_b", "o'neil", "a=b", "a?b", "a/b", "{a}")


@pytest.mark.parametrize("local", LOCAL_PARTS)
def test_a_recipient_is_exactly_what_was_entered(local: str) -> None:
    """In the envelope and in the header, with the suffix and no other change."""
    test = compose(
        "anna@muster.example",
        f"{local}@m.example",
        SendingType.CONFIDENTIAL,
        rules=RULES,
        now=NOW,
    )
    assert test.recipient == f"{local}@m.example.incamail.ch"
    assert f"To: {local}@m.example.incamail.ch\r\n".encode() in test.message.as_bytes()


ODD_PATHS = ("{braces}", "{0}", "emoji-\U0001f600", "it's", 'a"b', "a\\b", "tab\tin")


@pytest.mark.parametrize("name", ODD_PATHS)
def test_the_parameters_cell_says_the_path_itself(name: str) -> None:
    """Whatever a path holds, the cell's line is one line of Python that gives that path."""
    line = 'dossier: str = "examples/muster.yaml"  # the dossier'
    cell = nbformat.v4.new_code_cell(line, metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[cell])
    enter(notebook, {"dossier": f"/tmp/{name}/muster.yaml"})
    [written] = notebook.cells
    assert len(written.source.splitlines()) == 1
    known: dict[str, object] = {}
    exec(compile(written.source, "cell", "exec"), known)
    assert known["dossier"] == f"/tmp/{name}/muster.yaml"


@pytest.mark.parametrize("name", ODD_PATHS)
def test_a_notebook_is_executed_into_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    """And nothing but the whole notebook is left there."""
    model = tmp_path / "model.ipynb"
    line = 'place: str = "x"  # where'
    cells = [
        nbformat.v4.new_code_cell(line, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("print(ascii(place))"),
    ]
    written(model, *cells)
    folder = tmp_path / name
    assert run_notebook(model, folder / "done.ipynb", {"place": name}, "en") is None
    assert [path.name for path in folder.iterdir()] == ["done.ipynb"]
    done = nbformat.read(folder / "done.ipynb", as_version=4)
    assert done.cells[-1].outputs[0].text.strip() == ascii(name)


def test_a_closed_output_is_no_bug(tmp_path: Path) -> None:
    """`>&-` closes it before the program begins."""
    code = "import os, sys; os.close(1); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", code, str(COMMAND), "dossier", "show", "muster.yaml"]
    (tmp_path / "muster.yaml").write_text(DOSSIER, encoding="utf-8")
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert done.returncode in (0, 2, 3, 141), done.stderr
    assert "Traceback" not in done.stderr
    assert "fault of its own" not in done.stderr


def test_a_terminal_of_few_letters_is_no_bug(tmp_path: Path) -> None:
    """Latin-1 has neither dashes nor ticks."""
    (tmp_path / "muster.yaml").write_text(DOSSIER, encoding="utf-8")
    for encoding in ("latin-1", "ascii"):
        done = subprocess.run(
            [COMMAND, "dossier", "show", "muster.yaml", "--lang", "fr"],
            check=False,
            capture_output=True,
            timeout=60,
            cwd=tmp_path,
            env=os.environ | {"PYTHONIOENCODING": encoding},
        )
        assert done.returncode in (0, 3), done.stderr
        assert done.stdout.decode(encoding)


@pytest.mark.parametrize("at", ["0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00"])
def test_a_leap_to_the_ends_of_the_calendar_is_no_bug(tmp_path: Path, at: str) -> None:
    """Judged as of then, or told in a sentence."""
    (tmp_path / "muster.yaml").write_text(DOSSIER, encoding="utf-8")
    for command in (("measure", "muster.yaml", "--out", "f.json"), ("judge", "f.json", "--at", at)):
        done = subprocess.run(
            [COMMAND, *command],
            check=False,
            capture_output=True,
            text=True,
            timeout=100,
            cwd=tmp_path,
        )
        assert done.returncode in (0, 1, 2, 3), done.stderr


def test_a_notebook_that_is_killed_leaves_nothing_half(tmp_path: Path) -> None:
    """After kill -9 of the run there is no executed notebook; the next start clears the rest."""
    flag, short = tmp_path / "flag", tmp_path / "t"
    short.mkdir()
    model = tmp_path / "model.ipynb"
    code = f"import pathlib, time; pathlib.Path({str(flag)!r}).touch(); time.sleep(60)"
    written(model, nbformat.v4.new_code_cell(code))
    run = (
        "import sys; from pathlib import Path\n"
        "from incamail_lib.batch.execute import run_notebook\n"
        "run_notebook(Path(sys.argv[1]), Path(sys.argv[2]), {}, 'en')"
    )
    out = tmp_path / "out" / "done.ipynb"
    given = os.environ | {"TMPDIR": str(short)}
    with running([sys.executable, "-c", run, model, out], env=given) as process:
        deadline = time.monotonic() + 60
        while not flag.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert flag.exists()
        kernels = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
        for kernel in kernels:
            with suppress(psutil.NoSuchProcess):  # it ends by itself without its parent
                kernel.kill()
        psutil.wait_procs(kernels, timeout=10)
    assert not out.exists()
    assert list(short.glob("incamail-*"))  # the attack: it is left behind
    quick = tmp_path / "quick.ipynb"
    written(quick, nbformat.v4.new_code_cell("1"))
    for left in short.glob("incamail-*"):  # a minute later
        os.utime(left, (0, 0))
    subprocess.run([sys.executable, "-c", run, quick, out], check=True, timeout=100, env=given)
    assert list(short.glob("incamail-*")) == []


def test_half_written_files_are_cleared_by_the_next_start(tmp_path: Path) -> None:
    """What a kill left an hour ago goes, beside the dossier and in the runbook's folder; young and
    foreign files stay: another program may be writing them."""
    path = tmp_path / "muster.yaml"
    path.write_text("organisation: Muster AG\ndomains: [muster.example]\n", encoding="utf-8")
    place = prepare(path, tmp_path / "reports")
    for folder in (tmp_path, place.folder):
        for name in (".incamail-1-old.part", ".incamail-1-young.part", "notes.part"):
            (folder / name).write_text("half", encoding="utf-8")
        hours_ago = time.time() - 2 * 3600
        os.utime(folder / ".incamail-1-old.part", (hours_ago, hours_ago))
        os.utime(folder / "notes.part", (hours_ago, hours_ago))
    prepare(path, tmp_path / "reports")
    for folder in (tmp_path, place.folder):
        left = sorted(file.name for file in folder.glob("*.part"))
        assert left == [".incamail-1-young.part", "notes.part"]
