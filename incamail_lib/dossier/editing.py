"""Another value in a dossier's text, and every other character as a person wrote it.

The places come from the parser that reads the dossier, so reading and writing cannot disagree.
Only the characters of what changes are exchanged: comments, order, quotes, indentation, line ends
and blank lines of all the rest stay.

The laws, each a consequence of that:

1. Compare first: a node that says already what it should is not touched.
2. Descend as far as both sides have the same shape – fields into fields, a list into the entries
   from the first that differs to the last – and exchange the smallest piece. Only where pieces
   will not do (nothing would be left, an entry goes out of a bracketed list, a field does not
   begin its own line) the node is replaced as a whole.
3. A piece is written as its surroundings are: inside brackets on one line, a text in the quotes or
   the block style it had, a new field below the last one and on its column. A list may stand on
   the column of its field; a group of fields may not.
4. A value ends with its last character, not with the blank lines and comments behind it, which
   the parser counts to it: they belong to what follows.
5. Changes are collected as places in the old text and carried out from its end to its start, so
   that none moves another; lines put in where lines go are put in first.
6. What was written is read again by the caller (`store`), and nothing is kept that reads otherwise.

Tried and given up: a library that keeps comments in its tree. It moved people's comments when a
list or a group of fields grew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml

from incamail_lib.dossier import fragment
from incamail_lib.dossier.fragment import INDENT
from incamail_lib.dossier.reading import plain

Collection = yaml.MappingNode | yaml.SequenceNode
_BLOCK_SCALARS = ("|", ">")


class _Splice(NamedTuple):
    start: int
    end: int
    new: str


@dataclass(frozen=True)
class _Place:
    """Where a value stands: below which field, how far indented, inside brackets or not."""

    path: tuple[str, ...] = ()
    column: int = -len(INDENT)  # of the field or dash that it belongs to
    in_flow: bool = False
    in_list: bool = False


def rewritten(text: str, root: yaml.MappingNode, after: dict[str, Any]) -> str:
    """`text`, whose nodes are `root`, changed so that it says `after`.

    The caller reads the result again: YAML has corners (tags, keys with a question mark) in which
    it may not say `after`.
    """
    editor = _Editor(text)
    editor.change(root, after, _Place())
    return editor.result()


class _Editor:
    def __init__(self, text: str) -> None:
        self._eol = "\r\n" if "\r\n" in text else "\n"
        self._text = text if text.endswith("\n") else text + self._eol
        self._splices: list[_Splice] = []

    def result(self) -> str:
        """The text with everything exchanged, from its end to its start."""
        text = self._text
        # Lines put in where other lines go come first, so that they do not go with them.
        ordered = sorted(self._splices, key=lambda splice: (splice.start, splice.end))
        for start, end, new in reversed(ordered):
            text = text[:start] + new + text[end:]
        return text

    def change(self, node: yaml.Node, after: Any, place: _Place) -> None:
        """Make `node` say `after`, in as few pieces as possible."""
        if plain(node) == after:
            return
        done = False
        if isinstance(node, yaml.MappingNode) and isinstance(after, dict):
            done = self._change_fields(node, after, place)
        elif isinstance(node, yaml.SequenceNode) and isinstance(after, list):
            done = self._change_entries(node, after, place)
        if not done:
            self._replace(node, after, place)

    def _inner(self, node: Collection, place: _Place, *names: str) -> _Place:
        return _Place(
            path=(*place.path, *names),
            column=node.start_mark.column,
            in_flow=place.in_flow or bool(node.flow_style),
            in_list=isinstance(node, yaml.SequenceNode),
        )

    def _change_fields(self, node: yaml.MappingNode, after: dict[str, Any], place: _Place) -> bool:
        """Change a group of fields piece by piece; False where it must be replaced whole."""
        removed = [(key, value) for key, value in node.value if key.value not in after]
        in_flow = place.in_flow or bool(node.flow_style)
        if len(removed) == len(node.value) or (removed and in_flow):
            return False
        if any(not self._starts_line(key.start_mark.index) for key, _ in removed):
            return False
        for key, value in removed:
            self._drop_lines(key.start_mark.index, self._end(value))
        known = {key.value for key, _ in node.value}
        for key, value in node.value:
            if key.value in after:
                self.change(value, after[key.value], self._inner(node, place, key.value))
        added = {key: value for key, value in after.items() if key not in known}
        if added and in_flow:
            text = fragment.on_one_line(added).removeprefix("{").removesuffix("}")
            self._insert(self._end(node.value[-1][1]), f", {text}")
        elif added:
            lines = fragment.fields(added)
            self._insert_lines(self._end(node.value[-1][1]), lines, node.start_mark.column)
        return True

    def _change_entries(self, node: yaml.SequenceNode, after: list[Any], place: _Place) -> bool:
        """Change a list from the first to the last entry that differs; False as above."""
        before, inner = plain(node), self._inner(node, place)
        first = _common(before, after)
        last = _common(before[first:][::-1], after[first:][::-1])
        old, new = node.value[first : len(before) - last], after[first : len(after) - last]
        pairs = min(len(old), len(new))
        if not after or (new[pairs:] and first + pairs == 0) or (inner.in_flow and old[pairs:]):
            return False
        for child, value in zip(old, new, strict=False):
            self.change(child, value, inner)
        for child in old[pairs:]:
            if not self._starts_line(self._dash_of(child)):
                return False
            self._drop_lines(self._dash_of(child), self._end(child))
        if new[pairs:]:
            end = self._end(node.value[first + pairs - 1])
            self._add_entries(end, new[pairs:], inner)
        return True

    def _add_entries(self, end: int, values: list[Any], inner: _Place) -> None:
        if inner.in_flow:
            self._insert(end, "".join(f", {fragment.on_one_line(value)}" for value in values))
        else:
            self._insert_lines(end, fragment.entries(values), inner.column)

    def _replace(self, node: yaml.Node, after: Any, place: _Place) -> None:
        start, end = node.start_mark.index, self._end(node)
        is_block = isinstance(node, Collection) and not node.flow_style
        if place.in_flow or not isinstance(after, dict | list) or not after:
            self._replace_by_line(node, after, place)
        elif is_block:
            # A list may stand on the column of its field; a group of fields may not.
            shift = "" if node.start_mark.column > place.column else INDENT
            pad = self._eol + " " * node.start_mark.column + shift
            self._splices.append(_Splice(start, end, shift + pad.join(self._block(after))))
        elif place.in_list or (isinstance(node, Collection) and node.value):
            self._splices.append(_Splice(start, end, fragment.on_one_line(after)))
        else:  # a single value, or empty brackets, gives way to lines below its field
            self._splices.append(_Splice(start, end, ""))
            self._insert_lines(end, self._block(after), place.column + len(INDENT))

    def _block(self, after: Any) -> list[str]:
        if isinstance(after, dict):
            return fragment.fields(after)
        return fragment.entries(after)

    def _replace_by_line(self, node: yaml.Node, after: Any, place: _Place) -> None:
        """Put a single value, or a bracketed one, where `node` stands."""
        start, end = node.start_mark.index, self._end(node)
        style = node.style if isinstance(node, yaml.ScalarNode) else None
        alone = not place.in_flow and not self._rest_of_line(end).strip()
        if after is None or isinstance(after, str):
            lines = fragment.scalar(after, old_style=style, as_block=alone)
        else:
            lines = [fragment.on_one_line(after)]
        pad = " " * max(place.column, 0)
        new = self._eol.join([lines[0], *((pad + line) if line else line for line in lines[1:])])
        if self._text[start - 1 : start] in (":", "-"):
            new = f" {new}"
        elif self._starts_line(start) and node.start_mark.column <= place.column:
            new = INDENT + new  # what was a list on the column of its field
        self._splices.append(_Splice(start, end, new))

    def _end(self, node: yaml.Node) -> int:
        """Where a value ends, without the blank lines and comments behind it."""
        if isinstance(node, Collection) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(node, yaml.MappingNode) else last)
        start, end = node.start_mark.index, node.end_mark.index
        if isinstance(node, yaml.ScalarNode) and node.style in _BLOCK_SCALARS:
            return start + len(self._text[start:end].rstrip())
        return int(end)

    def _dash_of(self, entry: yaml.Node) -> int:
        return self._text.rfind("-", 0, entry.start_mark.index)

    def _line_start(self, position: int) -> int:
        return self._text.rfind("\n", 0, position) + 1

    def _line_end(self, position: int) -> int:
        found = self._text.find("\n", position)
        return len(self._text) if found < 0 else found + 1

    def _rest_of_line(self, position: int) -> str:
        return self._text[position : self._line_end(position)]

    def _starts_line(self, position: int) -> bool:
        return not self._text[self._line_start(position) : position].strip()

    def _insert(self, position: int, new: str) -> None:
        self._splices.append(_Splice(position, position, new))

    def _insert_lines(self, end: int, lines: list[str], column: int) -> None:
        pad = " " * column
        new = "".join((pad + line if line else line) + self._eol for line in lines)
        self._insert(self._line_end(end), new)

    def _drop_lines(self, start: int, end: int) -> None:
        self._splices.append(_Splice(self._line_start(start), self._line_end(end), ""))


def _common(one: list[Any], other: list[Any]) -> int:
    """How many entries two lists share from the start."""
    differing = (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))
