"""Packages that load a module of theirs only when a name of it is first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def late(package: str, **modules: str) -> Callable[[str], Any]:
    """A `__getattr__` for `package`; each of `modules` is told with the names it gives.

    A command that wants one small module of a package then does not load the rest of it.
    """
    places = {name: module for module, names in modules.items() for name in names.split()}

    def found(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{places[name]}"), name)
        setattr(sys.modules[package], name, value)  # from now on nobody asks here
        return value

    return found
