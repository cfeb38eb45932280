"""What will be measured for one dossier: decided before any packet is sent."""

from __future__ import annotations

import platform as machine
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import dns.asyncresolver
from cryptography.hazmat.backends.openssl import backend as openssl

from incamail_lib.audit.passphrases import Passphrases, from_environment
from incamail_lib.audit.standing import own_addresses
from incamail_lib.dossier import CertificateFile, Dossier, Sample
from incamail_lib.dossier.model import name_server
from incamail_lib.errors import DossierError
from incamail_lib.facts.audit import Declared, Place, Vantage
from incamail_lib.facts.smtp import Purpose, Side, Target
from incamail_lib.guide import Platform, load_platform
from incamail_lib.i18n import Text, say
from incamail_lib.lookup import PolicyFetcher, resolver_for, system_resolver
from incamail_lib.lookup.fetching import HttpsFetcher
from incamail_lib.printable import printable
from incamail_lib.probe import Limits
from incamail_lib.reach import Reach, Spared, networks_of


@dataclass(frozen=True)
class CredentialSource:
    """Where one certificate of the client lies. The passphrase never shows in a repr."""

    file: Path
    key: Path | None
    passphrase: Callable[[], bytes | None]


@dataclass(frozen=True)
class Plan:
    """Everything `measure` needs; nothing in it is global."""

    declared: Declared
    platform: Platform
    vantage: Vantage
    resolver: dns.asyncresolver.Resolver
    ports: Mapping[str, int]
    limits: Limits
    sending: CredentialSource | None
    receiving: CredentialSource | None
    trust_stores: tuple[str, ...]
    samples: tuple[Sample, ...]
    receiving_purposes: frozenset[Purpose]
    platform_purposes: frozenset[Purpose]
    reach: Reach
    spared: Spared = field(default_factory=Spared)  # who must be let alone
    left_out: tuple[Text, ...] = ()  # what this machine cannot look at, and need not
    ask_postmaster: str = ""  # domain whose postmaster is named in RCPT; no message follows
    fetch_policy: PolicyFetcher | None = None

    def spares(self, target: Target) -> bool:
        """Whether a host, or the organisation whose mail it takes, does not want to be probed."""
        theirs = target.role is Side.RECEIVING and any(
            self.spared.spares_name(domain) for domain in self.declared.domains
        )
        return theirs or self.spared.spares(target.host, target.address)


def plan(
    dossier: Dossier,
    *,
    platform: Platform | None = None,
    passphrases: Passphrases | None = None,
    limits: Limits | None = None,
    reach: Reach | None = None,
    spared: Spared | None = None,
) -> Plan:
    """The measurements that a dossier asks for; `platform` replaces the one it names, and `reach`
    what it allows to be contacted. Who is `spared` is not asked at all."""
    platform = platform or _platform(dossier)
    reach = reach or _reach(dossier)
    resolver = _resolver(dossier)
    network = dossier.network
    ask = passphrases or from_environment
    purposes = {Purpose.SURVEY, Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE}
    extra = {
        Purpose.OTHER_KEY,
        *((Purpose.LEGACY_TLS,) if network.test_legacy_tls else ()),
        *((Purpose.INJECTION,) if network.test_injection else ()),
    }
    return Plan(
        declared=dossier.declared(platform),
        platform=platform,
        vantage=_vantage(dossier),
        resolver=resolver,
        ports=network.ports,
        limits=limits or Limits(),
        sending=_source(dossier, "sending", ask),
        receiving=_source(dossier, "receiving", ask),
        trust_stores=dossier.trust_stores,
        samples=dossier.samples,
        receiving_purposes=frozenset(purposes | extra),
        # The platform is not ours to test for weaknesses: only what our own mail will meet.
        platform_purposes=frozenset(purposes - {Purpose.OTHER_KEY} - _unwished(dossier)),
        reach=reach,
        spared=spared or Spared(),
        left_out=_left_out(dossier),
        ask_postmaster=dossier.domains[0] if network.test_recipient else "",
        fetch_policy=None if _lets_alone(dossier, spared) else HttpsFetcher(resolver, reach),
    )


def _lets_alone(dossier: Dossier, spared: Spared | None) -> bool:
    """Whether the web server with the policy must not be asked."""
    minds = spared is not None and any(map(spared.spares_name, dossier.domains))
    return minds or dossier.platform == "lab"


def _reach(dossier: Dossier) -> Reach:
    networks = networks_of(dossier.network.internal_networks)
    return Reach(networks, only_here=dossier.platform == "lab")


def _unwished(dossier: Dossier) -> set[Purpose]:
    """A stranger's certificate is shown to the real platform on explicit wish only."""
    wished = dossier.network.show_foreign_certificate or dossier.platform == "lab"
    return set() if wished else {Purpose.FOREIGN_CERTIFICATE}


def _platform(dossier: Dossier) -> Platform:
    return load_platform(dossier.platform if isinstance(dossier.platform, Path) else None)


def _resolver(dossier: Dossier) -> dns.asyncresolver.Resolver:
    network = dossier.network
    timeout_s = min(10.0, network.timeout_s)
    if not network.nameservers:
        return system_resolver(timeout_s)
    return resolver_for([nameserver(text) for text in network.nameservers], timeout_s)


def nameserver(text: str) -> tuple[str, int]:
    """ "192.0.2.53", "192.0.2.53:5300" or "[2001:db8::53]:5300" as address and port."""
    try:
        return name_server(text)
    except ValueError:
        raise DossierError(
            say(
                "network.nameservers: «{given}» is not an address such as 192.0.2.53 or "
                "192.0.2.53:5300.",
                given=text,
            )
        ) from None


def _vantage(dossier: Dossier) -> Vantage:
    """Where this machine stands. The lab plays every part, and says nothing of its machine."""
    on_lab = dossier.platform == "lab"
    return Vantage(
        place=Place.GATEWAY if on_lab else dossier.network.vantage,
        machine="" if on_lab else printable(socket.gethostname(), 260),
        addresses=() if on_lab else own_addresses(),
        ehlo_name=dossier.network.ehlo_name or own_name(),
        version=version("incamail-runbook"),
        python=machine.python_version(),
        openssl=openssl.openssl_version_text(),
        backend="pyopenssl",
        on_lab=on_lab,
        scenario=dossier.scenario if on_lab else "",
    )


def own_name() -> str:
    """This machine's name as it is; "" where it has no full name: the probe then says the address
    that the peer sees (RFC 5321 §4.1.4), since a made-up name would be a lie."""
    name = socket.gethostname()
    legal = "." in name and all(part.isalnum() for part in name.replace("-", "").split("."))
    return name.lower() if legal else ""


def _stays_at_home(dossier: Dossier, declared: CertificateFile | None) -> bool:
    """Whether a certificate of the client is rightly not on this machine: what it proves counts
    from the client's network only, and its key does not belong on a machine outside."""
    outside = dossier.network.vantage is Place.ELSEWHERE and dossier.platform != "lab"
    return outside and declared is not None and not declared.file.exists()


def _left_out(dossier: Dossier) -> tuple[Text, ...]:
    named = (dossier.certificates.sending, dossier.certificates.receiving)
    missing = [str(file.file) for file in named if file and _stays_at_home(dossier, file)]
    return tuple(
        say("{file} is not on the machine outside; its certificate was not shown there.", file=name)
        for name in dict.fromkeys(missing)
    )


def _source(dossier: Dossier, direction: str, ask: Passphrases) -> CredentialSource | None:
    declared: CertificateFile | None = getattr(dossier.certificates, direction)
    if declared is None or _stays_at_home(dossier, declared):
        return None
    return CredentialSource(
        file=declared.file,
        key=declared.key,
        passphrase=lambda: ask(declared.file, declared.key, declared.passphrase_env),
    )
