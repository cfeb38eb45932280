"""The engine `incamail-fork` for papermill: each notebook in a fork of a warm process.

    papermill --engine incamail-fork IN OUT
    papermill.execute_notebook(IN, OUT, engine_name="incamail-fork")

The warm process is started with the first notebook and kept until the program ends. A notebook
sees the environment and the folder of whoever calls papermill, as with a kernel. Where processes
cannot be forked, papermill's own engine runs it.

papermill loads its engines while it is being imported: nothing of it may be imported here before.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from incamail_lib.batch.children import from_warm
from incamail_lib.forked.processes import can_fork

NAME = "incamail-fork"


class ForkEngine:
    """What papermill asks of an engine."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **options: Any) -> Any:
        """Run a notebook; the options are those of papermill's own engine."""
        from papermill.engines import NBClientEngine

        if not can_fork():
            return NBClientEngine.execute_notebook(nb, kernel_name, **options)
        from incamail_lib.forked.client import Engine

        engine: Any = Engine
        here = {"opened": from_warm, "environment": dict(os.environ), "folder": Path.cwd()}
        return engine.execute_notebook(nb, kernel_name, **(here | options))

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:
        """The kernel that was asked for, else the one that the notebook names, else Python's."""
        return name or str(nb.metadata.get("kernelspec", {}).get("name", "")) or "python3"

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> str:
        """The language that was asked for, else the one that the notebook names, else Python."""
        return language or str(nb.metadata.get("language_info", {}).get("name", "")) or "python"


def register(*, default: bool = False) -> None:
    """Make the engine known to papermill, also where the package is not installed.

    `default`: whoever names no engine, as Airflow's operator, gets this one.
    """
    from papermill.engines import papermill_engines

    papermill_engines.register(NAME, ForkEngine)
    if default:
        papermill_engines.register(None, ForkEngine)
