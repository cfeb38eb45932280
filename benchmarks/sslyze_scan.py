"""Run by the interpreter of sslyze's own environment: scans, prints one line of JSON.

    python sslyze_scan.py PORT[,PORT...] MODE [CHAIN KEY]

MODE is `connect` (connectivity and client authentication only) or `certificates` (with sslyze's
certificate information, which validates against its stores). It imports nothing of this project:
sslyze pins a `cryptography` that excludes ours.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from sslyze import (  # type: ignore[import-not-found]
    ClientAuthenticationCredentials,
    ProtocolWithOpportunisticTlsEnum,
    ScanCommand,
    Scanner,
    ServerNetworkConfiguration,
    ServerNetworkLocation,
    ServerScanRequest,
)


def main() -> None:
    """Scan, and tell what was said of client authentication, and what it cost."""
    ports, mode, *credential = sys.argv[1:]
    shown = None
    if credential:
        chain, key = credential
        shown = ClientAuthenticationCredentials(Path(chain), Path(key))
    commands = {ScanCommand.CERTIFICATE_INFO} if mode == "certificates" else set()
    requests = [
        ServerScanRequest(
            ServerNetworkLocation("127.0.0.1", int(port), "127.0.0.1"),
            ServerNetworkConfiguration(
                tls_server_name_indication="mx1.lab.example",
                tls_opportunistic_encryption=ProtocolWithOpportunisticTlsEnum.SMTP,
                tls_client_auth_credentials=shown,
                network_timeout=10,
            ),
            scan_commands=commands,
        )
        for port in ports.split(",")
    ]
    cpu, wall = _cpu_s(), time.perf_counter()
    scanner = Scanner()
    scanner.queue_scans(requests)
    results = list(scanner.get_results())
    cost = {"cpu_s": _cpu_s() - cpu, "wall_s": time.perf_counter() - wall, "scans": len(results)}
    said = [
        found.client_auth_requirement.name if (found := r.connectivity_result) else "NO RESULT"
        for r in results
    ]
    print(json.dumps({"client_auth": said, **cost}))


def _cpu_s() -> float:
    return sum(
        use.ru_utime + use.ru_stime
        for use in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


main()
