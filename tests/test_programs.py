"""No test waits for ever, and none leaves a program behind."""

from __future__ import annotations

import ast
import os
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from programs import has_ended, running

TESTS = Path(__file__).parent
STARTS_PROCESSES = {"programs.py", "mta/process.py"}  # the two places that also end them
SLEEPS = "import time; print('here', flush=True); time.sleep(600)"
HAS_A_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPS!r}])"


def calls(path: Path) -> list[ast.Call]:
    """Every call of a function of `subprocess` in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == "subprocess"
    ]


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda p: p.stem)
def test_no_program_is_waited_for_without_a_limit(path: Path) -> None:
    """subprocess.run names a time limit; Popen is left to the helpers that end what they start."""
    for call in calls(path):
        name = ast.unparse(call.func)
        if name == "subprocess.Popen":
            assert path.relative_to(TESTS).as_posix() in STARTS_PROCESSES, call.lineno
        else:
            assert any(k.arg == "timeout" for k in call.keywords), f"{name}, line {call.lineno}"


def test_what_a_test_starts_ends_with_it_however_it_fails() -> None:
    """Grandchildren too are gone after an exception in the block."""

    def fails() -> None:
        with running([sys.executable, "-c", HAS_A_CHILD], stdout=-1) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
            left.extend([psutil.Process(process.pid), *psutil.Process(process.pid).children()])
            raise ZeroDivisionError

    left: list[psutil.Process] = []
    with pytest.raises(ZeroDivisionError):
        fails()
    assert len(left) == 2
    _, alive = psutil.wait_procs(left, timeout=10)
    assert all(has_ended(one.pid) for one in alive)


def test_whether_a_program_has_ended_is_told_while_it_ends() -> None:
    """Running, ended, ended and waited for; also when that happens between two looks."""
    with running([sys.executable, "-c", "input()"], stdin=-1) as process:
        assert not has_ended(process.pid)
        process.kill()
        assert os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert has_ended(process.pid)
        process.wait(timeout=10)
        assert has_ended(process.pid)
    for _ in range(50):
        with running(["/bin/true"]) as process:
            waiting = threading.Thread(target=process.wait)
            waiting.start()
            while not has_ended(process.pid):
                pass
            waiting.join()


def test_a_silent_program_is_ended_at_the_limit() -> None:
    """Reading from a program that says nothing ends when its time is over."""
    began = time.monotonic()
    with running([sys.executable, "-c", "input()"], limit_s=1, stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == ""
    assert time.monotonic() - began < 30
