"""What the warm process has read, none of its children reads again."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

from incamail_lib import guide
from incamail_lib.batch.warming import DATA


def test_all_data_of_the_guide_is_read_once_for_all_children() -> None:
    """Whatever one of the guide's modules reads whole, and keeps."""
    read = set()
    for module in pkgutil.iter_modules(guide.__path__):
        for found in vars(import_module(f"{guide.__name__}.{module.name}")).values():
            if hasattr(found, "cache_info") and not inspect.signature(found).parameters:
                read.add(found)
    assert read == set(DATA)
