"""Every TCP connection that this process tries to open, as the interpreter itself reports it."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

_listening: list[list[tuple[str, int]]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _listening or event != "socket.connect":
        return
    used, where = arguments
    if used.family not in (socket.AF_INET, socket.AF_INET6) or used.type != socket.SOCK_STREAM:
        return
    host, port = where[:2]
    _listening[-1].append((host, port))
    if not ipaddress.ip_address(host).is_loopback:
        raise AssertionError(f"a test must not leave this computer: {host}")


@cache
def _installed() -> None:
    sys.addaudithook(_hook)  # cannot be taken away again; it sleeps while nobody listens


@contextlib.contextmanager
def recorded() -> Iterator[list[tuple[str, int]]]:
    """Addresses and ports in order; one that is not loopback is noted and then kept back."""
    _installed()
    seen: list[tuple[str, int]] = []
    _listening.append(seen)
    try:
        yield seen
    finally:
        _listening.pop()
