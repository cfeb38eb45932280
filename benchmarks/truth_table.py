"""Who tells the truth about mutual TLS? Every tool at every kind of gateway, near and far.

    python -m benchmarks.truth_table [--repeat 5] [--round-trip-ms 0 50] [--without testssl]

Prints a Markdown table. ✓ right, ✗ wrong, – says nothing about the question.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks import gateways, peers
from benchmarks.peers import Claim, Tool, Visit
from incamail_lib.certificate import Credential, load_credential
from incamail_lib.facts.certificate import CredentialUse
from incamail_lib.facts.observation import Observation
from incamail_lib.facts.smtp import EndpointFacts, Purpose, Side, Stage, Target
from incamail_lib.probe import Limits, ProbeSettings, probe_endpoint


@dataclass(frozen=True)
class Row:
    """One question: which gateway, what is shown to it, and the one right answer."""

    title: str
    plan: str
    shown: str
    truth: Claim


ROWS = (
    Row("none, not asked", "plain", "", Claim.NOT_ASKED),
    Row("none, optional", "optional", "", Claim.OPTIONAL),
    Row("none, required, TLS 1.2 and 1.3", "required", "", Claim.REQUIRED),
    Row("none, required, TLS 1.3 only", "required-1.3-only", "", Claim.REQUIRED),
    Row("none, required, TLS 1.2 only", "required-1.2-only", "", Claim.REQUIRED),
    Row("none, required, empty CA list", "required-empty-list", "", Claim.REQUIRED),
    Row("none, required in SMTP only (530)", "smtp-530", "", Claim.AT_MAIL),
    Row("good, required", "required", "good", Claim.ACCEPTED),
    Row("good, required, TLS 1.2 only", "required-1.2-only", "good", Claim.ACCEPTED),
    Row("foreign, required", "required", "foreign", Claim.REFUSED),
    Row("foreign, required, TLS 1.3 only", "required-1.3-only", "foreign", Claim.REFUSED),
    Row("foreign, required, TLS 1.2 only", "required-1.2-only", "foreign", Claim.REFUSED),
    Row("foreign, any will do", "any-certificate", "foreign", Claim.ACCEPTED),
)
TOOLS: dict[str, Tool] = {
    "sslyze": peers.sslyze,
    "testssl": peers.testssl,
    "gnutls-cli": peers.gnutls_cli,
    "s_client": peers.s_client,
    "posttls-finger": peers.posttls_finger,
}
SLOW = ("sslyze", "testssl")  # once per row and several rows at a time: up to a minute each
AT_ONCE = 4


def ours(visit: Visit) -> Claim:
    """This project's probe."""
    return asyncio.run(_ours(visit))


async def _ours(visit: Visit) -> Claim:
    now = dt.datetime.now(dt.UTC)
    purposes = {Purpose.SURVEY, *({Purpose.OWN_CERTIFICATE} if visit.shown else ())}
    settings = ProbeSettings(
        ehlo_name="probe.lab.example", limits=Limits(), purposes=frozenset(purposes)
    )
    target = Target(role=Side.PLATFORM, host=gateways.HOST, address="127.0.0.1", port=visit.port)
    own = credential(visit) if visit.shown else None
    return _claimed(await probe_endpoint(target, settings=settings, own=own, now=now), visit)


def credential(visit: Visit) -> Credential:
    """The certificate to be shown, loaded."""
    uses = (CredentialUse.SENDING,)
    _, loaded = load_credential(
        Path(visit.chain), key_path=Path(visit.key), passphrase=None, uses=uses
    )
    assert loaded is not None
    return loaded


def _claimed(found: EndpointFacts, visit: Visit) -> Claim:
    auth = found.client_auth
    if visit.shown:
        return _answer(auth.own_accepted, Claim.ACCEPTED, Claim.REFUSED)
    if auth.demanded.is_yes:
        return Claim.AT_MAIL if auth.demanded_in is Stage.MAIL else Claim.REQUIRED
    if not auth.demanded.is_no:
        return Claim.INCONCLUSIVE
    return _answer(auth.requested, Claim.OPTIONAL, Claim.NOT_ASKED)


def _answer(observation: Observation, good: Claim, bad: Claim) -> Claim:
    if not observation.is_known:
        return Claim.INCONCLUSIVE
    return good if observation.is_yes else bad


def mark(row: Row, claim: Claim) -> str:
    """Right, wrong, or no answer to the question of this row."""
    if claim is row.truth:
        return "✓"
    # "required" beside a shown certificate is true, and no answer to: was it accepted?
    beside = bool(row.shown) and claim is Claim.REQUIRED
    unanswered = (Claim.SILENT, Claim.NOT_INSTALLED)
    return "–" if claim in unanswered or beside else "✗"


def cell(row: Row, claims: list[Claim]) -> str:
    """All runs of one tool at one row: `required ✓`, or each answer with its count."""
    counts = Counter(claims).most_common()
    if len(counts) == 1:
        return f"{claims[0]} {mark(row, claims[0])}"
    return ", ".join(f"{claim} {mark(row, claim)} {n}/{len(claims)}" for claim, n in counts)


def table(tools: dict[str, Tool], *, repeat: int, round_trip_s: float) -> None:
    """Print one table. The quick tools have the machine to themselves, one after the other."""
    heads = ["client certificate, gateway", "truth", *tools]
    print(_line(heads) + "\n" + _line(["---"] * len(heads)), flush=True)
    with gateways.running(*gateways.PLANS, round_trip_s=round_trip_s) as servers:
        visits = {row: Visit(servers.ports[row.plan], row.shown, servers.folder) for row in ROWS}
        slow = [(row, name) for row in ROWS for name in tools if name in SLOW]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            claims = pool.map(lambda ask: [tools[ask[1]](visits[ask[0]])], slow)
            told = dict(zip(slow, claims, strict=True))
        for row, visit in visits.items():
            for name, tool in tools.items():
                if name not in SLOW:
                    told[row, name] = [tool(visit) for _ in range(repeat)]
            cells = [cell(row, told[row, name]) for name in tools]
            print(_line([row.title, row.truth, *cells]), flush=True)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print one table per round-trip time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--round-trip-ms", type=float, nargs="+", default=[0, 50])
    parser.add_argument("--without", nargs="*", choices=sorted(TOOLS), default=[])
    given = parser.parse_args()
    tools = {"ours": ours} | {n: t for n, t in TOOLS.items() if n not in given.without}
    for round_trip_ms in given.round_trip_ms:
        runs = f"{given.repeat} runs each, {' and '.join(SLOW)} one"
        print(f"\n### {round_trip_ms:g} ms round trip ({runs})\n")
        table(tools, repeat=given.repeat, round_trip_s=round_trip_ms / 1000)


if __name__ == "__main__":
    main()
