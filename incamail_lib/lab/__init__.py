"""The platform in a box: PKI, mail gateways and DNS on loopback, set up by named scenarios.

pki, authority (certificates) · gateway (SMTP and TLS with declared behaviour) · latency
(round-trip time) · nameserver · scenarios (declarations) · running (start and stop one) · mail,
forwarding, mailbox (the organisation's mail server, IncaMail behind its gateways, what arrived).
Nothing here leaves the machine: every server listens on 127.0.0.1, on a port chosen free.
"""

from incamail_lib.lab.running import Running, run
from incamail_lib.lab.scenario import Scenario
from incamail_lib.lab.scenarios import SCENARIOS

__all__ = ["SCENARIOS", "Running", "Scenario", "run"]
