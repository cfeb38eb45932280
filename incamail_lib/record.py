"""The one base of every record: frozen, strict about unknown fields, JSON both ways."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

FIRST_YEAR, LAST_YEAR = 1990, 2200


class Record(BaseModel):
    """A value that never changes, compares by content and round-trips through JSON."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


def _in_utc(moment: AwareDatetime) -> AwareDatetime:
    from datetime import UTC

    try:
        return moment.astimezone(UTC)
    except OverflowError:  # its zone leads beyond the years 1 to 9999
        raise ValueError("out_of_range") from None


def _of_our_time(moment: AwareDatetime) -> AwareDatetime:
    """Days are added to and taken from it: near the ends of the calendar that cannot be."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError("out_of_range")
    return moment


def _address(text: str) -> str:
    ipaddress.ip_address(text)
    return text  # as it was written


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An aware point in time, kept in UTC."""

OurTime = Annotated[UtcDatetime, AfterValidator(_of_our_time)]
"""When something was done or measured, by a clock that was not far out."""

IpAddress = Annotated[str, AfterValidator(_address)]
"""An IPv4 or IPv6 literal."""
