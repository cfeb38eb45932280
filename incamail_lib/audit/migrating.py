"""From one schema of saved facts and audits to the next: tables of pure functions on plain data.

When the number rises: with the first change after a release that adds, removes, renames or moves a
field of `AuditFacts` or `Audit`, or gives one another meaning. An older program then says that it
must be updated, instead of naming a field it does not know. Facts and audits are counted apart,
since an audit holds facts. What raises a number adds the step here and a literal file of the old
number to tests/audit/older/.

What a step may do: rename, move, drop, and fill in that something is not known. It never fills in
that something was seen: facts are evidence, and what was not measured then is unknown now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from incamail_lib.facts.audit import AuditFacts
from incamail_lib.findings import Audit

Data = dict[str, Any]
Step = Callable[[Data], Data]
MOST = 10**9  # a number beyond is no schema


def facts_to_2(data: Data) -> Data:
    """Schema 2 names the platform's tags, contacts and links; older facts do not know them."""
    platform = data.get("platform")
    if not isinstance(platform, dict):
        return data
    day = str(data.get("measured_at"))[:10]
    unknown = {"value": [], "source": "", "certainty": "?", "verified_on": day}
    return data | {"platform": dict.fromkeys(("tags", "contacts", "links"), unknown) | platform}


FACTS: dict[int, Step] = {1: facts_to_2}
"""Schema of facts -> what makes the next one of it."""

AUDIT: dict[int, Step] = {}
"""Schema of an audit, its facts left out -> what makes the next one of it."""

FACTS_SCHEMA: int = AuditFacts.model_fields["schema_version"].default
AUDIT_SCHEMA: int = Audit.model_fields["schema_version"].default


def schema_of(data: Data) -> int | None:
    """The schema that a record says it has; 1 when it says nothing, None when it is no number."""
    given = data.get("schema_version", 1)
    is_number = isinstance(given, int) and not isinstance(given, bool)
    return given if is_number and given < MOST else None


def migrated(data: Data, steps: Mapping[int, Step]) -> Data:
    """The same record in the schema that the steps lead to; the data given stays as it is."""
    while (schema := schema_of(data)) is not None and schema in steps:
        data = steps[schema](data) | {"schema_version": schema + 1}
    return data
