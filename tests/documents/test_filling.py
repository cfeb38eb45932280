"""A gap can be closed: each names a field that exists, and filling it closes the gap."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, get_args

import pytest
from documents.dossiers import FULL, TODAY, audit, basis, empty, full
from pydantic import BaseModel

from incamail_lib.documents import Basis
from incamail_lib.documents.collection import documents
from incamail_lib.documents.filling import place
from incamail_lib.dossier.model import Dossier
from incamail_lib.findings import Audit
from incamail_lib.guide import Certainty, Platform
from incamail_lib.i18n import LANGUAGES
from incamail_lib.sheets.model import Missing, gaps
from incamail_lib.sheets.telling import told

HALF: dict[str, Any] = {
    key: FULL[key] for key in ("organisation", "domains", "go_live", "gateways", "answers")
} | {
    "components": {"mail_gateway": {"present": True}, "browser": {"present": False}},
    "contacts": ({"role": "support", "name": "Service"},),
    "incoming": {"route": "static"},
    "routing": {"next_hop": "static"},
    "mail_clients": ({"program": "notes"}, {"program": "other", "name": "Thunderbird", "users": 1}),
    "acceptance": (
        {"direction": "incoming", "kind": "personal", "audience": "internal", "result": "passed"},
    ),
}
EMPTY = {"organisation": "Leer AG", "domains": ("leer.example",)}
# What a list's entries are told apart by, in the path of a gap.
LISTS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("contacts",): ("role",),
    ("acceptance",): ("direction", "kind", "audience"),
    ("mail_clients",): ("program", "name"),
    ("gateways", "receiving"): ("host",),
    ("gateways", "sending"): ("host",),
}
LINK_TEST = FULL["acceptance"][0]


def entry_of(path: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, str], tuple[str, ...]]:
    """The list that a path leads through, what its entry is told by, and the rest of the path."""
    for start, names in LISTS.items():
        if path[: len(start)] == start and len(path) > len(start):
            keys = path[len(start) : len(start) + len(names)]
            return start, dict(zip(names, keys, strict=True)), path[len(start) + len(names) :]
    return (), {}, path


def record_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := record_in(arg))), None)


def exists(path: tuple[str, ...]) -> bool:
    """Whether the model has a field at this path."""
    if path == ("audit",):
        return True
    if path[0] == "platform":
        return len(path) == 2 and path[1] in Platform.model_fields
    start, _, rest = entry_of(path)
    model: type[BaseModel] | None = Dossier
    parts = list(start + rest)
    while parts and model is not None:
        name = parts.pop(0)
        field = model.model_fields.get(name)
        if field is None:
            return False
        below = record_in(field.annotation)
        if "dict" in str(field.annotation) and parts:
            parts.pop(0)  # the number of a question, the key of a component or of a demand
        model = below
    return not parts


VALUES: dict[str, Any] = {
    "go_live": dt.date(2027, 3, 1),
    "due": dt.date(2027, 2, 1),
    "state": "clear",
    "present": True,
    "addresses": ["192.0.2.77"],
    "receiving": [{"host": "mx9.leer.example", "addresses": ["192.0.2.9"]}],
    "sending": [{"host": "out9.leer.example", "addresses": ["192.0.2.10"]}],
    "mail_clients": [{"program": "notes", "users": 2, "add_in": "none"}],
    "users": 4,
    "add_in": "html",
    "value": "192.0.2.9",
    "method": "domain",
    "route": "mx",
    "routing": {"method": "domain"},
    "incoming": {"route": "mx"},
    "monitoring": {"queues": "Zabbix"},
    "inner_hop": {"by": "Anna", "on": TODAY},
    "identity_checked": {"by": "Anna", "on": TODAY},
    "result": "passed",
    "tested_at": "2026-11-24T12:00:00Z",
    "file": "client.pem",
    "email": "a@leer.example",
    "gateways": {"receiving": [{"host": "mx9.leer.example"}]},
}


def set_at(data: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        data = data.setdefault(part, {})
    data[path[-1]] = value


def filled(known: Basis, field: tuple[str, ...]) -> Basis:
    """The same sources with this field filled in, and with what a new audit then shows."""
    if field == ("audit",):
        return replace(known, audit=measured(known.dossier))
    if field[0] == "platform":
        return replace(known, platform=confirmed(known.platform, field[1]))
    data = known.dossier.model_dump(mode="json", by_alias=True, exclude_unset=True)
    start, entry, rest = entry_of(field)
    value = VALUES.get(field[-1], "Anna")
    if rest == ("requirements",) or (len(field) > 2 and field[2] == "requirements"):
        value = True
    if not entry:
        set_at(data, field, value)
    else:
        holder = data
        for part in start[:-1]:
            holder = holder.setdefault(part, {})
        entries = holder.setdefault(start[-1], [])
        same = [e for e in entries if all(e.get(k, "") == v for k, v in entry.items())]
        lacking = [e for e in same if not e.get(rest[0])]
        found = (lacking or same or [None])[0]
        if found is None:
            found = {**entry, **({"name": "Anna"} if start == ("contacts",) else {})}
            entries.append(found)
        if rest == ("attempts",):
            found |= LINK_TEST
        else:
            found[rest[0]] = value
    dossier = Dossier.model_validate(data)
    new = measured(dossier) if field[0] == "certificates" else known.audit
    return replace(known, dossier=dossier, audit=new)


def measured(dossier: Dossier) -> Audit:
    """An audit that found MX records for every domain of the dossier."""
    found = audit()
    dns = found.facts.dns
    every = tuple(dns.domains[0].model_copy(update={"domain": d}) for d in dossier.domains)
    seen = found.facts.model_copy(update={"dns": dns.model_copy(update={"domains": every})})
    return found.model_copy(update={"facts": seen})


def confirmed(platform: Platform, key: str) -> Platform:
    fact = getattr(platform, key)
    if key == "gateways":
        stated = tuple(
            g.model_copy(update={"addresses": ("194.41.147.1", "2001:db8::1")}) for g in fact
        )
        return platform.model_copy(update={key: stated})
    update = {"certainty": Certainty.PRIMARY, "value": fact.value or ("11" * 20,)}
    return platform.model_copy(update={key: fact.model_copy(update=update)})


def open_gaps(known: Basis) -> dict[str, tuple[Missing, ...]]:
    made = documents(
        known.dossier, known.guide, known.platform, audit=known.audit, today=known.today
    )
    return {document.key: gaps(document) for document in made}


SOURCES = {
    "empty": basis(empty()),
    "half": basis(Dossier.model_validate(HALF)),
    "half, late": replace(basis(full(go_live=dt.date(2026, 11, 2))), audit=audit()),
    "full": basis(full(), audit()),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_gap_names_a_field_that_exists(name: str) -> None:
    """The model has the field, and its place can be told in every language."""
    found = [gap for document in open_gaps(SOURCES[name]).values() for gap in document]
    assert found
    for gap in found:
        assert exists(gap.field), gap
        for language in LANGUAGES:
            assert told(place(gap.field), language)


@pytest.mark.parametrize("name", SOURCES)
def test_filling_the_named_field_closes_the_gap(name: str) -> None:
    """Of every document, gap by gap: with that field alone it is no longer there."""
    known = SOURCES[name]
    before = open_gaps(known)
    fields = {gap.field for document in before.values() for gap in document}
    for field in fields:
        after = open_gaps(filled(known, field))
        for key, found in before.items():
            mine = [gap for gap in found if gap.field == field]
            left = [gap for gap in after[key] if gap in mine]
            assert len(left) < len(mine) or not mine, (key, field)


@pytest.mark.parametrize("name", SOURCES)
def test_a_dossier_can_be_finished(name: str) -> None:
    """Filling whatever is named, again and again, leaves no gap in any document."""
    known = SOURCES[name]
    for _ in range(12):
        left = {gap.field for document in open_gaps(known).values() for gap in document}
        if not left:
            return
        for field in sorted(left):
            known = filled(known, field)
    pytest.fail(str(left))


def test_a_wrong_path_is_noticed() -> None:
    """The rule can fail: misspelt fields exist nowhere."""
    for path in (
        ("go_liv",),
        ("answers", "4.1", "anser"),
        ("platform", "x"),
        ("contacts", "a", "b"),
    ):
        assert not exists(path)
    assert exists(("answers", "4.1", "answer"))
    assert exists(("components", "firewall", "requirements", "port_25"))
