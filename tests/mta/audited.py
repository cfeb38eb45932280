"""A real mail server in the place of a lab gateway, audited as `incamail audit` does it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import re
import subprocess
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from programs import running

from incamail_lib.audit import measure
from incamail_lib.audit.case import limits_of, plan_on_lab
from incamail_lib.checks import judge_facts
from incamail_lib.dossier import Dossier
from incamail_lib.dossier.model import Network
from incamail_lib.facts.smtp import EndpointFacts, Purpose, SmtpFacts
from incamail_lib.findings import Audit
from incamail_lib.lab import SCENARIOS, pki, run
from incamail_lib.lab.pki import Pki

DOMAIN = "muster.example"
HOST = f"mx1.{DOMAIN}"
TIMEOUT_S = 10.0


@cache
def lab() -> Pki:
    """The lab's authorities around now, the same for server, lab and audit."""
    return pki.build(dt.datetime.now(dt.UTC).replace(microsecond=0))


@dataclass(frozen=True)
class Audited:
    """The audit of one organisation whose first MX is a real server."""

    audit: Audit
    endpoint: EndpointFacts  # that server

    def connection(self, purpose: Purpose) -> SmtpFacts:
        """The connection made for one purpose."""
        return next(c for c in self.endpoint.connections if c.purpose is purpose)

    def outcome(self, code: str) -> str:
        """What one check said of the server."""
        label = self.endpoint.target.label
        return next(
            f.outcome.value for f in self.audit.findings if (f.code, f.subject) == (code, label)
        )


def outcomes(found: Audited, *codes: str) -> dict[str, str]:
    """What these checks said of the server."""
    return {code: found.outcome(code) for code in codes}


def audited(port: int, folder: Path, **network: bool) -> Audited:
    """Audit muster.example on the lab, with the server on `port` as its mx1; `network` changes
    what the dossier says of it."""
    return asyncio.run(_audited(port, folder, network))


async def _audited(port: int, folder: Path, network: dict[str, bool]) -> Audited:
    dossier = Dossier(
        organisation="Muster AG",
        domains=(DOMAIN,),
        platform="lab",
        network=Network(timeout_s=TIMEOUT_S, ehlo_name="probe.lab.example", **network),
    )
    now = lab().now
    async with run(SCENARIOS["sound"], domains=(DOMAIN,), directory=folder, now=now) as running:
        here = replace(running, ports={**running.ports, HOST: port})
        plan = plan_on_lab(dossier, here, limits=limits_of(dossier))
        facts = await measure(plan, now=now)
    audit = judge_facts(facts, now)
    found = next(e for e in facts.receiving if e.target.port == port)
    return Audited(audit, found)


@dataclass(frozen=True)
class SecondOpinion:
    """What a peer tool says of the same server."""

    version: str
    leaf_sha256: str
    certificates: int
    asks: bool


def by_openssl(port: int) -> SecondOpinion:
    """openssl s_client; the one question it answers well without a certificate is who is there."""
    command = ["openssl", "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{port}"]
    text = _said([*command, "-servername", HOST, "-showcerts"], b"QUIT\r\n")
    chain = re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.S)
    shown = ["openssl", "x509", "-noout", "-fingerprint", "-sha256"]
    fingerprint = _said(shown, chain[0].encode()).strip().rpartition("=")[2]
    found = re.search(r"^New, (\S+), Cipher is", text, re.M)
    assert found, text
    # The server's certificate is printed once in the chain and, on its own, not again.
    return SecondOpinion(
        version=found.group(1),
        leaf_sha256=fingerprint.replace(":", "").lower(),
        certificates=len(chain),
        asks="Requested Signature Algorithms" in text,
    )


def gnutls_says(port: int, *credential: Path, priority: str = "NORMAL") -> str:
    """Everything gnutls-cli prints of TLS, EHLO and QUIT; `credential` is chain and key to show."""
    shown = [
        f"--{option}={path}"
        for option, path in zip(("x509certfile", "x509keyfile"), credential, strict=False)
    ]
    command = ["gnutls-cli", "--starttls-proto=smtp", "--insecure", "--priority", priority]
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with running(
        [*command, *shown, "-p", str(port), "127.0.0.1"], errors="replace", **piped
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # refused and gone; what it said is there
            # Its input stays open: at the end of it, gnutls-cli leaves without reading the answer.
            process.stdin.write("EHLO probe.lab.example\r\nQUIT\r\n")
            process.stdin.flush()
        return process.stdout.read()


def _said(command: list[str], given: bytes) -> str:
    found = subprocess.run(command, check=False, input=given, capture_output=True, timeout=60)
    return (found.stdout + found.stderr).decode("utf-8", "replace")
