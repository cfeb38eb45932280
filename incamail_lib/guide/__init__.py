"""What Swiss Post's guide says, as data. Texts are English sources for gettext."""

from incamail_lib.guide.platform import Certainty, Platform, PlatformGateway, Sourced, load_platform

__all__ = ["Certainty", "Platform", "PlatformGateway", "Sourced", "load_platform"]
