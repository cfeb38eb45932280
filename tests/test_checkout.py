"""What a checkout offers to whoever works on it: make's targets, hooks before a commit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
HOOKS = ROOT / ".pre-commit-config.yaml"


def make(*words: str, folder: Path = ROOT) -> str:
    """What make says to these words; what another make was told, which runs these tests, is its
    own affair."""
    env = {k: v for k, v in os.environ.items() if k != "T" and not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=folder,
        env=env,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout


def targets(makefile: str) -> set[str]:
    """Everything that can be asked of make by name."""
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_every_target_is_declared_as_one() -> None:
    """A file called `docs` or `clean` keeps none from being made."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [phony] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert set(phony.split()) == targets(makefile)


def test_tests_are_chosen_by_their_paths_and_words() -> None:
    """`make test T="…"` hands pytest what a person would; without it, all are run."""
    ready = ("-n", "-o", ".venv/.ready-for-tests", "test")
    assert make(*ready, "T=tests/routing -k suffix").endswith("-n auto tests/routing -k suffix\n")
    assert make(*ready).rstrip().endswith("-n auto")


def test_clean_takes_what_was_made_and_nothing_of_a_person(tmp_path: Path) -> None:
    """Builds, caches and bytecode go; the environment, reports and sources stay."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    made = [
        *("build/coverage/index.html", "dist/x.whl", ".mypy_cache/x", ".hypothesis/x", ".coverage"),
        *("incamail_lib/cli/__pycache__/x.pyc", "notebooks/.ipynb_checkpoints/x"),
    ]
    kept = [
        *("reports/muster/audit.json", ".venv/bin/__pycache__/x.pyc", "incamail_lib/x.py"),
        *("tests/x.py", "notebooks/x.ipynb", "benchmarks/x.py", "examples/x.yaml"),
    ]
    for name in (*made, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    make("clean", folder=tmp_path)
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {*kept, "Makefile"}
    make("clean", folder=tmp_path)


def fetched(config: dict[str, Any]) -> list[str]:
    """The hooks that would bring or run something from elsewhere."""
    return [
        hook["id"]
        for repo in config["repos"]
        for hook in repo["hooks"]
        if repo["repo"] != "local"
        or hook["language"] != "system"
        or not hook["entry"].startswith(".venv/bin/")
    ]


def test_hooks_run_what_the_environment_has() -> None:
    """Each is local, and `make lint` or a test runs the same."""
    config = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    assert fetched(config) == []
    hooks = {hook["id"]: hook["entry"] for repo in config["repos"] for hook in repo["hooks"]}
    assert set(hooks) == {"ruff", "ruff-format", "mypy", "catalogs"}
    config["repos"].append({"repo": "elsewhere", "hooks": [{"id": "planted"}]})
    assert fetched(config) == ["planted"]


@pytest.mark.parametrize("target", ["format", "coverage"])
def test_what_only_a_person_asks_for_is_not_part_of_the_check(target: str) -> None:
    """`.ci/run` changes no file, and no figure of coverage fails a change."""
    assert f"make {target}" not in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "fail_under" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
