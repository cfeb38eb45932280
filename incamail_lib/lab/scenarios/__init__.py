"""All scenarios of the lab, by name, sound ones first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from incamail_lib.lab.scenario import Scenario
from incamail_lib.lab.scenarios.certificates import CERTIFICATES
from incamail_lib.lab.scenarios.directory import DIRECTORY
from incamail_lib.lab.scenarios.mutual import MUTUAL
from incamail_lib.lab.scenarios.platform import PLATFORM
from incamail_lib.lab.scenarios.routes import ROUTES
from incamail_lib.lab.scenarios.sound import SOUND
from incamail_lib.lab.scenarios.starttls import STARTTLS

EVERY = (*SOUND, *STARTTLS, *MUTUAL, *CERTIFICATES, *PLATFORM, *DIRECTORY, *ROUTES)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType({s.name: s for s in EVERY})
