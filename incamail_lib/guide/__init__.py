"""What Swiss Post's guide says, as data. Texts are English sources for gettext."""

from incamail_lib.guide.contents import ChecklistQuestion, Contents, contents, read_contents
from incamail_lib.guide.platform import (
    Certainty,
    Platform,
    PlatformGateway,
    Sourced,
    load_platform,
)

__all__ = [
    "Certainty",
    "ChecklistQuestion",
    "Contents",
    "Platform",
    "PlatformGateway",
    "Sourced",
    "contents",
    "load_platform",
    "read_contents",
]
