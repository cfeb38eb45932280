"""papermill's engine of forks: it leaves what papermill leaves, and no client meets another.

All tests share one warm process, as the notebooks of a program do.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from factories import facts
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook
from programs import has_ended

from incamail_lib.audit import save_record
from incamail_lib.batch.engine import NAME, register
from incamail_lib.forked.processes import can_fork
from incamail_lib.notebooks import NOTEBOOKS

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system cannot fork")
ROOT = Path(__file__).parents[2]
CELL = nbformat.v4.new_code_cell
# What IPython shows, in every way it can; nothing that depends on how fast the machine is.
SHOWN = [
    "print('out'); 1 + 1",
    "import sys; print('err', file=sys.stderr)",
    "import os, time; _ = os.write(1, b'by the system\\n'); time.sleep(0.5)",
    "from IPython.display import HTML, Image, clear_output, display, update_display",
    "display(HTML('<b>x</b>'), metadata={'a': 1}); display({'text/plain': 'raw'}, raw=True)",
    "_ = display('first', display_id='one')",
    "update_display('second', display_id='one')",
    "print('gone'); clear_output(); print('stays')",
    "print('waits'); clear_output(wait=True); display('comes')",
    "import asyncio\ntask = asyncio.ensure_future(asyncio.sleep(0, 'later'))\nawait task",
    "async def f():\n    yield 1\n[x async for x in f()]",
    "%precision 2\n3.14159",
    "%%capture kept\nprint('captured')",
    "kept.stdout",
    "!echo from a shell",
    "%env INCAMAIL_TEST_VALUE=5\n!echo $INCAMAIL_TEST_VALUE",
    "class Odd:\n    def _repr_mimebundle_(self, **_):\n"
    "        return {'text/html': '<i>y</i>', 'text/plain': 'y'}, {'ours': {'key': 'k'}}\nOdd()",
    "len?",
    "import warnings; warnings.warn('careful', stacklevel=1)",
    "'\\ud800'.encode('utf-8', 'surrogatepass'), 'é漢\\U0001f600\\x1b[31m'",
    "import ipywidgets; ipywidgets.IntSlider(3)",
    "_, Out[1], In[1]",
    "%history -n 1-2",
    "",
    "def g():\n    return 1 / 0\ng()",
    "print('never run')",
]


@pytest.fixture(scope="module", autouse=True)
def registered() -> None:
    register()


def notebook(folder: Path, *cells: str) -> Path:
    made = nbformat.v4.new_notebook(cells=[CELL(code, id=f"c{n}") for n, code in enumerate(cells)])
    made.metadata.kernelspec = {"name": "python3", "language": "python", "display_name": "P"}
    path = folder / "in.ipynb"
    nbformat.write(made, path)
    return path


def executed(
    model: Path, engine: str | None, folder: Path, **options: Any
) -> nbformat.NotebookNode:
    """The notebook after its run, whether that ended well or not."""
    output = folder / f"{engine}.ipynb"
    with contextlib.suppress(PapermillExecutionError):
        execute_notebook(
            model, output, engine_name=engine, progress_bar=False, kernel_name="python3", **options
        )
    made: nbformat.NotebookNode = nbformat.read(output, as_version=4)
    return made


def whole(outputs: list[Any]) -> list[Any]:
    """Outputs with what one stream printed in a row as one."""
    kept: list[Any] = []
    for output in outputs:
        last = kept[-1] if kept else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last["text"] += output.text
        else:
            kept.append(output)
    return kept


def comparable(made: nbformat.NotebookNode) -> dict[str, Any]:
    """Without times, numbers of processes and objects, and random ids.

    What is printed comes in pieces, as many as the machine is slow: they are put together.
    """
    made.metadata.pop("papermill")
    for number, cell in enumerate(made.cells):
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell["outputs"] = whole(cell.outputs)
        told = cell.metadata.pop("papermill", {})
        cell.metadata["told"] = [told.get("status"), told.get("exception")]
        if "papermill-error-cell-tag" in cell.metadata.get("tags", []):
            cell["id"] = f"papermill-{number}"
    text = nbformat.writes(made)
    text = re.sub(r"0x[0-9a-f]{6,}|/tmp/ipykernel_\d+/\d+\.py|\b[0-9a-f]{32}\b", "…", text)
    # Each widget has ids of its own, and they stand in the order of these.
    found: dict[str, Any] = json.loads(text)
    widgets = found["metadata"].pop("widgets", None)
    if widgets:
        (states,) = widgets.values()
        found["widgets"] = len(re.findall("_model_name", json.dumps(states)))
    return found


@pytest.mark.parametrize("cells", [SHOWN, ["1", "raise SystemExit(0)", "2"]], ids=["all", "exit"])
def test_what_is_shown_is_what_a_kernel_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: list[str]
) -> None:
    """Streams, displays and their updates, awaits, magics, errors: cell by cell the same."""
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # ipykernel hears the system's own output otherwise
    model = notebook(tmp_path, *cells)
    usual, ours = (executed(model, engine, tmp_path) for engine in (None, NAME))
    told, expected = comparable(ours), comparable(usual)
    for cell, wanted in zip(told["cells"], expected["cells"], strict=True):
        assert cell == wanted
    assert told == expected
    assert "ZeroDivisionError" in nbformat.writes(ours) or len(cells) == 3
    assert ours.cells[-1].execution_count is None


def test_the_audit_notebook_is_the_same_as_from_a_kernel(tmp_path: Path) -> None:
    """Our own notebook on saved facts, with its parameters: every cell and every output."""
    dossier = tmp_path / "muster.yaml"
    dossier.write_text("organisation: Muster AG\ndomains: [muster.example]\n", encoding="utf-8")
    given = {
        "dossier": str(dossier),
        "facts": str(save_record(facts(), tmp_path / "facts.json")),
        "output": str(tmp_path),
    }
    model = NOTEBOOKS / "audit.ipynb"
    made = [executed(model, engine, tmp_path, parameters=given) for engine in (None, NAME)]
    usual, ours = map(comparable, made)
    for found in (usual, ours):
        for cell in found["cells"]:
            if "injected-parameters" in cell["metadata"].get("tags", []):
                cell["id"] = ""
    assert ours == usual


PLANT = """
import builtins, logging, os, random, signal, sys, tempfile
builtins.planted = 1
sys.modules['planted'] = os
os.environ['PLANTED'] = '1'
os.chdir('/')
os.umask(0o777)
logging.getLogger().addHandler(logging.FileHandler(os.devnull))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.path.insert(0, '/planted')
import incamail_lib.report.words as words
words._WORDS.clear()
planted = open(os.devnull)
tempfile.tempdir = '/planted'
import numpy
"""
LOOK = """
import builtins, logging, os, random, signal, sys, tempfile
mask = os.umask(0o022)
files = sorted(os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')
               if os.path.exists(f'/proc/self/fd/{n}'))
import incamail_lib.report.words as words
found = [hasattr(builtins, 'planted'), 'planted' in sys.modules, os.environ.get('PLANTED'),
    os.getcwd(), mask, logging.getLogger().handlers, signal.getsignal(signal.SIGTERM).name,
    '/planted' in sys.path, len(words._WORDS) > 0, 'planted' in globals(), tempfile.gettempdir(),
    'numpy' in sys.modules]
print(found)
"""
FILES = """
import os, random
print([os.readlink(f'/proc/self/fd/{n}').split(':')[0] for n in os.listdir('/proc/self/fd')
       if os.path.islink(f'/proc/self/fd/{n}')])
"""


def output_of(model: Path, folder: Path, **options: Any) -> str:
    return str(executed(model, NAME, folder, **options).cells[0].outputs[0].text)


def test_whoever_names_no_engine_can_have_it(tmp_path: Path) -> None:
    """As Airflow's operator calls papermill: with notebook, output and parameters, nothing else."""
    usual = papermill_engines.get_engine(None)
    code = "import os; print(os.getppid())"
    try:
        register(default=True)
        pid = int(executed(notebook(tmp_path, code), None, tmp_path).cells[0].outputs[0].text)
    finally:
        papermill_engines.register(None, usual)
    assert "forked.warm" in " ".join(psutil.Process(pid).cmdline())


def test_nothing_of_one_client_reaches_the_next(tmp_path: Path) -> None:
    """Modules, variables, environment, folder, umask, handlers, signals, files, caches."""
    look = notebook(tmp_path, LOOK)
    before = output_of(look, tmp_path)
    plant = tmp_path / "plant"
    plant.mkdir()
    spoilt = executed(notebook(plant, PLANT, LOOK), NAME, plant)
    assert spoilt.cells[1].outputs[0].text != before, "what was planted can be seen"
    assert output_of(look, tmp_path) == before


def test_a_notebook_has_no_file_open_but_its_own(tmp_path: Path) -> None:
    """Three standard ones and its connections: neither our terminal nor another client's file."""
    with (tmp_path / "of-the-parent").open("w"):
        held = output_of(notebook(tmp_path, FILES), tmp_path)
    kinds = {part.strip(" '[]\n") for part in held.split(",")}
    assert kinds <= {"/dev/null", "pipe", "socket", "anon_inode", "/proc/self/fd"} | {
        kind for kind in kinds if kind.startswith("/proc/")
    }


def test_each_draws_other_random_numbers(tmp_path: Path) -> None:
    """Forks of one process would all draw the same."""
    draw = notebook(tmp_path, "import random, uuid; print(random.random(), uuid.uuid4())")
    assert len({output_of(draw, tmp_path) for _ in range(3)}) == 3


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), 9)", "os._exit(0)", "import ctypes; ctypes.string_at(0)"]
)
def test_a_process_that_dies_is_told_and_leaves_its_last_words(tmp_path: Path, end: str) -> None:
    """Killed, gone without a word, crashed in C: an error at once, and what was printed is kept."""
    model = notebook(tmp_path, f"import os\nprint('last words', flush=True)\n{end}", "1")
    begun = time.monotonic()
    with pytest.raises(DeadKernelError):
        executed(model, NAME, tmp_path)
    assert time.monotonic() - begun < 30
    left = nbformat.read(tmp_path / f"{NAME}.ipynb", as_version=4)
    assert left.cells[0].outputs[0].text == "last words\n"
    assert left.cells[1].execution_count is None


def test_a_time_limit_ends_all_that_a_notebook_started(tmp_path: Path) -> None:
    """Neither a child of the notebook outlives it, nor one that made itself independent."""
    code = (
        "import subprocess, sys, time\n"
        "one = subprocess.Popen(['sleep', '1000'])\n"
        "two = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        "print(one.pid, two.pid, flush=True)\n"
        "time.sleep(1000)"
    )
    with pytest.raises(CellTimeoutError):
        executed(notebook(tmp_path, code), NAME, tmp_path, execution_timeout=6)
    left = nbformat.read(tmp_path / f"{NAME}.ipynb", as_version=4)
    started = [int(pid) for pid in left.cells[0].outputs[0].text.split()]
    assert len(started) == 2
    assert all(gone(pid) for pid in started)


def gone(pid: int) -> bool:
    """Whether a process ends within a while."""
    for _ in range(100):
        if has_ended(pid):
            return True
        time.sleep(0.1)
    return False


def test_stock_papermill_finds_the_engine_by_its_name(tmp_path: Path) -> None:
    """As its entry point says: papermill, which knows nothing of us, runs by it, whichever of both
    is imported first."""
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    (engine,) = known["papermill.engine"].items()
    info = tmp_path / "site" / "ours-1.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(f"[papermill.engine]\n{engine[0]} = {engine[1]}\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1\n")
    cells = "x = 1", "import os, sys; print(x, os.getcwd(), os.environ['MARK'])"
    model = notebook(tmp_path, *cells)
    held = nbformat.read(model, as_version=4)
    held.cells[0].metadata.tags = ["parameters"]
    nbformat.write(held, model)
    environment = os.environ | {"MARK": "seen", "PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}"}
    for first in ("incamail_lib.batch.engine", "papermill.execute"):
        code = f"import {first}; import papermill.engines, incamail_lib.batch.engine as ours\n"
        code += "known = papermill.engines.papermill_engines\n"
        code += f"assert known.get_engine({NAME!r}) is ours.ForkEngine"
        subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)
    subprocess.run(
        [sys.executable, "-m", "papermill", "--engine", NAME, "-p", "x", "7", model, "out.ipynb"],
        check=True,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=120,
    )
    made = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert made.cells[-1].outputs[0].text == f"7 {tmp_path} seen\n"
