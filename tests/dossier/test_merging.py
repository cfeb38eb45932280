"""Two people change one dossier: what can stand together does, the rest is told as a conflict."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incamail_lib.dossier.merging import Conflict, differences, merge

ANNA = {"role": "mail_admin", "name": "Anna"}
BERND = {"role": "support", "name": "Bernd"}
CARLA = {"role": "support", "name": "Carla"}
BASE: dict[str, Any] = {
    "organisation": "Muster AG",
    "answers": {"6.3": {"state": "unclear", "note": "old"}},
    "contacts": [ANNA, BERND],
    "trust_stores": ["certifi"],
}


def test_different_fields_stand_together() -> None:
    """Each side's change is in the result, in one answer too."""
    ours = BASE | {"answers": {"6.3": {"state": "clear", "note": "old"}}, "go_live": "2027-01-15"}
    theirs = BASE | {"answers": {"6.3": {"state": "unclear", "note": "new"}, "6.4": {}}}
    merged = merge(BASE, ours, theirs)
    assert merged.conflicts == ()
    assert merged.value["answers"] == {"6.3": {"state": "clear", "note": "new"}, "6.4": {}}
    assert merged.value["go_live"] == "2027-01-15"


@pytest.mark.parametrize(
    ("ours", "theirs", "conflict"),
    [
        ({"organisation": "A"}, {"organisation": "B"}, ("organisation", "A", "B")),
        ({"organisation": "A"}, {"organisation": None}, ("organisation", "A", None)),
        (
            {"answers": {"6.3": {"state": "clear"}}},
            {"answers": {"6.3": {"state": "todo", "note": "old"}}},
            ("answers.6.3.state", "clear", "todo"),
        ),
        ({"answers": "x"}, {"answers": {}}, ("answers", "x", {})),
        ({"trust_stores": []}, {"trust_stores": ["a"]}, ("trust_stores", [], ["a"])),
        (
            {"contacts": [ANNA, BERND | {"email": "b"}]},
            {"contacts": [ANNA, CARLA]},
            ("contacts.support.Bernd", BERND | {"email": "b"}, None),
        ),
    ],
)
def test_contradictions_keep_theirs_and_are_told(
    ours: dict[str, Any], theirs: dict[str, Any], conflict: tuple[str, Any, Any]
) -> None:
    """Neither side's value is lost: theirs is in the result, both are in the conflict."""
    merged = merge(BASE, BASE | ours, BASE | theirs)
    field, mine, other = conflict
    assert merged.conflicts == (Conflict(field=field, ours=mine, theirs=other),)
    name = field.split(".")[0]
    expected = {**BASE, **theirs}[name]
    if field == "answers.6.3.state":
        expected = {"6.3": {"state": "todo"}}  # our removal of the note stands
    assert merged.value[name] == expected


def test_a_removed_field_stays_removed() -> None:
    """Removing is a change like any other; the other side's silence does not undo it."""
    ours = {key: value for key, value in BASE.items() if key != "trust_stores"}
    assert merge(BASE, ours, BASE | {"go_live": "x"}).value == ours | {"go_live": "x"}


def test_entries_are_known_by_what_they_say() -> None:
    """An entry inserted above does not put our change into somebody else's entry."""
    ours = BASE | {"contacts": [ANNA | {"phone": "1"}, BERND]}
    theirs = BASE | {"contacts": [CARLA, ANNA, BERND]}
    merged = merge(BASE, ours, theirs)
    assert merged.value["contacts"] == [CARLA, ANNA | {"phone": "1"}, BERND]
    assert merged.conflicts == ()


def test_entries_without_a_name_are_added_by_both() -> None:
    """Two additions to one list stand together; the same addition stands once."""
    ours = BASE | {"trust_stores": ["certifi", "system", "a.pem"]}
    theirs = BASE | {"trust_stores": ["certifi", "a.pem"]}
    assert merge(BASE, ours, theirs).value["trust_stores"] == ["certifi", "a.pem", "system"]


TREES = st.recursive(
    st.sampled_from(["x", "y", "z"]),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
DATA = st.dictionaries(st.sampled_from("abc"), TREES, max_size=3)


@given(DATA, DATA)
def test_one_side_alone_always_wins(base: dict[str, Any], changed: dict[str, Any]) -> None:
    """Without a change on the other side there is no conflict, whichever side it is."""
    assert merge(base, changed, base).value == changed
    assert merge(base, base, changed).value == changed
    assert merge(base, changed, changed).value == changed


@given(DATA, DATA, DATA)
def test_no_value_of_ours_vanishes_silently(
    base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    """What we changed is in the result or in a conflict."""
    merged = merge(base, ours, theirs)
    told = [c.field for c in merged.conflicts]
    kept = {d.field: d.after for d in differences({}, merged.value)}
    for changed in differences(base, ours):
        is_told = any(changed.field == f or changed.field.startswith(f"{f}.") for f in told)
        is_told = is_told or any(f.startswith(f"{changed.field}.") for f in told)
        if changed.after is not None and not is_told:
            assert kept.get(changed.field) == changed.after


def test_differences_name_single_values() -> None:
    """Two dossiers differ in the field that was changed, and in nothing else."""
    after = BASE | {"contacts": [BERND, ANNA | {"phone": "1"}], "trust_stores": []}
    found = {d.field: (d.before, d.after) for d in differences(BASE, after)}
    assert found == {
        "contacts.mail_admin.Anna.phone": (None, "1"),
        "trust_stores.0": ("certifi", None),
    }
