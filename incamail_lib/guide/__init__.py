"""What Swiss Post's guide says, as data. Texts are English sources for gettext."""

from incamail_lib.guide.contents import Contents, Item, contents, read_contents
from incamail_lib.guide.platform import (
    Certainty,
    Platform,
    PlatformGateway,
    Sourced,
    load_platform,
)

__all__ = [
    "Certainty",
    "Contents",
    "Item",
    "Platform",
    "PlatformGateway",
    "Sourced",
    "contents",
    "load_platform",
    "read_contents",
]
