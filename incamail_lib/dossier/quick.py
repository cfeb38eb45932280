"""What a dossier says without where it says so: by libyaml, several times as fast.

libyaml's words and places for what is wrong are poorer than the Python parser's, and it takes
some texts that the other refuses. So it is asked for plain, ordinary text alone, and event by
event: nothing here calls itself, however deeply a hostile text is nested. For everything else
`plain_data` gives None, and the Python parser decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

MAX_DEPTH = 50  # a dossier has five levels
# Where the two parsers differ: tabs, line ends other than LF and CR LF, controls and byte order
# marks, and a comment on the heels of a block's sign.
_ODD = re.compile(
    "[^\n\r -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\U00010000-\U0010ffff]|\r(?!\n)|[|>][-+\\d]*#"
)
_EMPTY = frozenset({"", "~", "null"})


def plain_data(text: str) -> dict[str, Any] | None:
    """The fields of a dossier, scalars as text or None; None for what is not plain and ordinary.

    A text that is taken says here what it says to `reading.parsed`.
    """
    loader = getattr(yaml, "CSafeLoader", None)  # not every build of PyYAML has libyaml
    if loader is None or _ODD.search(text):
        return None
    try:
        return _Builder().document(yaml.parse(text, Loader=loader))
    except (yaml.YAMLError, _NotPlainError):
        return None


class _NotPlainError(Exception):
    """Something that the Python parser has to decide about."""


class _Builder:
    """Events to data. A mapping that waits for the value of a field has its name in `_keys`."""

    def __init__(self) -> None:
        self._open: list[dict[str, Any] | list[Any]] = []
        self._keys: list[str | None] = []
        self._root: dict[str, Any] | None = None

    def document(self, events: Iterable[Any]) -> dict[str, Any] | None:
        """The one mapping that the events tell. Errors: _NotPlainError, yaml.YAMLError."""
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._plain(event)
                empty = not event.style and event.value in _EMPTY
                self._take(None if empty else event.value, event.value)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._plain(event)
                self._begin({} if isinstance(event, yaml.MappingStartEvent) else [])
            elif isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
                self._keys.pop()
            elif isinstance(event, yaml.AliasEvent):
                raise _NotPlainError
            elif isinstance(event, yaml.DocumentStartEvent):
                self._first(event)
        return self._root

    def _plain(self, event: Any) -> None:
        """No tag, no anchor, and no question mark without quotes, which inside brackets the two
        parsers read differently."""
        marked = isinstance(event, yaml.ScalarEvent) and not event.style and "?" in event.value
        if marked or event.tag is not None or event.anchor is not None:
            raise _NotPlainError

    def _first(self, event: yaml.DocumentStartEvent) -> None:
        if self._root is not None or event.version or event.tags:
            raise _NotPlainError

    def _begin(self, collection: dict[str, Any] | list[Any]) -> None:
        if self._open:
            self._take(collection, None)
        elif isinstance(collection, dict):
            self._root = collection
        else:
            raise _NotPlainError
        if len(self._open) >= MAX_DEPTH:
            raise _NotPlainError
        self._open.append(collection)
        self._keys.append(None)

    def _take(self, value: Any, name: str | None) -> None:
        """A value into the innermost collection; in a mapping every other one is a name."""
        if not self._open:
            raise _NotPlainError
        place = self._open[-1]
        if isinstance(place, list):
            place.append(value)
            return
        key = self._keys[-1]
        if key is not None:
            place[key] = value
            self._keys[-1] = None
        elif name is None or name == "<<" or name in place:
            raise _NotPlainError
        else:
            self._keys[-1] = name
