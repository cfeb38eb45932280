"""The one base of every record: frozen, strict about unknown fields, JSON both ways."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict


class Record(BaseModel):
    """A value that never changes, compares by content and round-trips through JSON."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


def _in_utc(moment: AwareDatetime) -> AwareDatetime:
    from datetime import UTC

    return moment.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An aware point in time, kept in UTC."""
