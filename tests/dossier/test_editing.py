"""A dossier's text says something else in one place, and stays as written in every other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from incamail_lib.dossier.editing import rewritten
from incamail_lib.dossier.fields import as_plain, with_value
from incamail_lib.dossier.reading import plain

WRITTEN = """\
# Written by Anna
organisation:   "Muster AG"   # legal name

answers:
    "6.3":
        state: unclear # ask Bernd
        note: >-
          folded
          words

# People, most important first
contacts:
- {role: post, name: 'Frau Post'}   # help session
-   role: mail_admin   # him first
    name: Bernd
    email:
empty: []  # nothing yet
flow: {a: 1,b: [x,   y], c: }
go_live:   # when?
# the end
"""


def root_of(text: str) -> yaml.MappingNode:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    return root


def edited(text: str, *changes: tuple[tuple[str, ...], Any]) -> str:
    """The text after changes, which must then say exactly what was meant."""
    after = plain(root_of(text))
    for path, value in changes:
        after = with_value(after, path, as_plain(value))
    new = rewritten(text, root_of(text), after)
    assert plain(root_of(new)) == after
    return new


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("organisation",), "Muster SA", '"Muster AG"   #', '"Muster SA"   #'),
        (("organisation",), 'A "B"', '"Muster AG"   #', '"A \\"B\\""   #'),
        (("answers", "6.3", "state"), "clear", "state: unclear #", "state: clear #"),
        (
            ("answers", "6.3", "owner"),
            "no",
            "          words\n",
            "          words\n        owner: 'no'\n",
        ),
        (
            ("answers", "6.3", "note"),
            "a\nb # c",
            ">-\n          folded\n          words",
            "|-\n          a\n          b # c",
        ),
        (
            ("answers", "6.3", "note"),
            "short",
            ">-\n          folded\n          words",
            "short",
        ),
        (
            ("answers", "6.3", "note"),
            None,
            "        note: >-\n          folded\n          words\n",
            "",
        ),
        (
            ("answers", "6.4"),
            {"state": "todo"},
            "          words\n",
            "          words\n    6.4:\n      state: todo\n",
        ),
        (("contacts", "0", "name"), "null", "'Frau Post'}", "'null'}"),
        (("contacts", "0", "phone"), "1, 2", "'Frau Post'}", "'Frau Post', phone: '1, 2'}"),
        (("contacts", "1", "email"), "b@x.example", "email:\n", "email: b@x.example\n"),
        (
            ("contacts", "2"),
            {"role": "support", "name": "C"},
            "    email:\n",
            "    email:\n- role: support\n  name: C\n",
        ),
        (("contacts", "0"), None, "- {role: post, name: 'Frau Post'}   # help session\n", ""),
        (("empty",), ["x"], "[]  # nothing yet\n", "  # nothing yet\n  - x\n"),
        (("flow", "c"), True, "c: }", "c: true }"),
        (("flow", "b", "2"), "z: z", "y]", "y, 'z: z']"),
        (("go_live",), "2027-01-15", "go_live:   #", "go_live: 2027-01-15   #"),
        (("platform",), "lab", "# when?\n", "# when?\nplatform: lab\n"),
    ],
)
def test_only_what_changes_is_touched(
    path: tuple[str, ...], value: Any, old: str, new: str
) -> None:
    """Comments, quotes, spaces and order stay; a comment stays above what it speaks of."""
    assert WRITTEN.count(old) == 1
    assert edited(WRITTEN, (path, value)) == WRITTEN.replace(old, new)


def test_words_of_several_lines_do_not_swallow_a_comment() -> None:
    """A block would make the comment behind the value part of the value."""
    new = edited(WRITTEN, (("organisation",), "a\nb"))
    assert 'organisation:   "a\\nb"   # legal name\n' in new


def test_a_list_may_lose_its_last_entry_and_stay_a_list() -> None:
    """A list on the column of its field leaves a value that is still the field's."""
    new = edited(WRITTEN, (("contacts",), []))
    assert "contacts:\n  []\nempty" in new


def test_what_is_put_in_does_not_go_with_what_is_removed() -> None:
    """A field that ends where the next one is taken away keeps its new entry."""
    new = edited(WRITTEN, (("contacts", "2"), "x"), (("empty",), None))
    assert "    email:\n- x\nflow:" in new


@pytest.mark.parametrize("value", ["\x85", "a\u2028b", "a\rb", "a\r\nb\n", " a\n b", "\ufeff"])
def test_odd_characters_come_back(value: str) -> None:
    """YAML would read other line ends as spaces; they are written as escapes."""
    edited(WRITTEN, (("answers", "6.3", "note"), value), (("organisation",), value))


def test_line_ends_and_a_byte_order_mark_stay(tmp_path: Path) -> None:
    """A file from another system is not turned into one of this system."""
    text = "\ufeff" + WRITTEN.replace("\n", "\r\n")
    new = edited(text, (("answers", "6.4"), {"state": "todo"}), (("flow", "a"), "2"))
    assert new.startswith("\ufeff#")
    assert new.count("\n") == new.count("\r\n")


def test_a_file_without_a_last_line_end_gets_one_where_needed() -> None:
    """What is appended begins on a line of its own."""
    assert edited("a: 1", (("b",), "2")) == "a: 1\nb: 2\n"


def test_nothing_changes_when_nothing_is_to_change() -> None:
    """The same data gives the same text, character by character."""
    assert edited(WRITTEN) == WRITTEN


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.one_of(
    TEXTS,
    st.lists(TEXTS, max_size=3),
    st.dictionaries(st.sampled_from("abcd"), TEXTS, max_size=3),
    st.none(),
)
PATHS = st.sampled_from(
    [
        ("organisation",),
        ("answers", "6.3", "note"),
        ("answers", "6.3", "state"),
        ("answers", "6.9"),
        ("contacts",),
        ("contacts", "0", "name"),
        ("contacts", "1", "role"),
        ("contacts", "1", "email"),
        ("contacts", "1"),
        ("empty",),
        ("flow", "a"),
        ("flow", "b"),
        ("flow", "d"),
        ("go_live",),
        ("new",),
    ]
)


@given(st.dictionaries(PATHS, VALUES, max_size=4))
def test_any_values_in_any_places_are_read_back(changes: dict[tuple[str, ...], Any]) -> None:
    """Whatever is put in, the text says it, and every comment of other lines is still there."""
    ordered = sorted(changes.items(), key=lambda change: len(change[0]), reverse=True)
    new = edited(WRITTEN, *ordered)
    for comment in ("# Written by Anna", "# People, most important first", "# the end"):
        assert comment in new
