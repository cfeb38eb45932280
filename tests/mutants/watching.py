"""A plugin of pytest: tells coverage which test is running, without its parameters."""

from __future__ import annotations

from collections.abc import Iterator

import coverage
import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A context per test function; what is imported before any test has the empty one."""
    measuring = coverage.Coverage.current()
    assert measuring is not None
    measuring.switch_context(item.nodeid.split("[")[0])
    yield
    measuring.switch_context("between")
