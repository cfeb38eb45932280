"""The command line, as a person types it, audits two real mail servers at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mta import exim, postfix
from mta.audited import DOMAIN, HOST, lab
from mta.mail import files_of

from incamail_lib.audit import load_audit
from incamail_lib.facts.smtp import EndpointFacts, Starttls
from incamail_lib.lab import pki
from incamail_lib.lab.pki import Variant

pytestmark = [pytest.mark.postfix, pytest.mark.exim, pytest.mark.xdist_group("mta")]
OTHER = f"mx2.{DOMAIN}"
COMMAND = Path(sys.executable).with_name("incamail")

DOSSIER = """\
organisation: Muster AG
domains: [{domain}]
platform: lab
gateways:
  receiving:
    - {{host: {host}, addresses: [127.0.0.1], port: {port}}}
    - {{host: {other}, addresses: [127.0.0.1], port: {other_port}}}
certificates:
  sending: {{file: sending.pem, key: sending.key}}
trust_stores: [recognised-roots.pem]
network: {{timeout_s: 10, ehlo_name: probe.lab.example}}
"""


def test_incamail_audit_examines_a_real_postfix_and_a_real_exim(tmp_path: Path) -> None:
    """The record that the command writes says of each server what its own log says."""
    pki.write_trust_store(lab(), tmp_path)
    pki.write_pem(lab().leaf(Variant.CLIENT, f"out.{DOMAIN}"), tmp_path, "sending")
    first = files_of(lab().leaf(Variant.BOTH, HOST), lab())
    second = files_of(lab().leaf(Variant.BOTH, OTHER), lab())
    with (
        postfix.running(*postfix.gateway(HOST, first, postfix.Asks.OPTIONALLY)) as asking,
        exim.running(OTHER, second, exim.Asks.STRICTLY) as demanding,
    ):
        (tmp_path / "muster.yaml").write_text(
            DOSSIER.format(
                domain=DOMAIN, host=HOST, port=asking.port, other=OTHER, other_port=demanding.port
            )
        )
        found = by_command(tmp_path)
        asking.log.await_line(": Trusted TLS connection established from")
        demanding.log.await_line("TLS error on connection .*Certificate is required")
    by_postfix, by_exim = found[asking.port], found[demanding.port]
    for endpoint in (by_postfix, by_exim):
        assert endpoint.starttls is Starttls.ACCEPTED
        assert endpoint.client_auth.requested.is_yes
        assert endpoint.client_auth.own_accepted.is_yes
        assert all(trust.trusted.is_yes for trust in endpoint.trust)
        assert endpoint.name_match is not None
        assert endpoint.name_match.matched
    assert by_postfix.client_auth.demanded.is_no
    assert by_exim.client_auth.demanded.is_yes
    assert by_postfix.client_auth.verified.is_no
    assert by_exim.client_auth.verified.is_yes


def by_command(folder: Path) -> dict[int, EndpointFacts]:
    """Run `incamail audit`; the client's endpoints by port, from the record it wrote."""
    command = [str(COMMAND), "audit", "muster.yaml", "--output", "reports", "--no-pdf", "--json"]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, timeout=240)
    # 4: a crash was recorded, 2: wrong use; what the verdict is depends on the lab around.
    assert done.returncode in (0, 1, 3), done.stderr.decode("utf-8", "replace")
    (told,) = json.loads(done.stdout)
    (record,) = (folder / "reports").glob("**/audit.json")
    audit = load_audit(record)
    assert told["verdict"] == audit.verdict.value
    return {endpoint.target.port: endpoint for endpoint in audit.facts.receiving}
