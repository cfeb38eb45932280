"""The lab's public-key infrastructure: authorities, and every variant of leaf certificate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from incamail_lib.lab.authority import (
    CLIENT_AUTH,
    SERVER_AUTH,
    Authority,
    Issued,
    KeyKind,
    Recipe,
    new_root,
    pem_of,
    self_signed,
    with_key_of,
)

CA_ORGANISATION = "Lab SwissSign AG (lab)"
CLIENT_ORGANISATION = "Muster AG (lab)"
PLATFORM_ORGANISATION = "Post CH AG"
INTERCEPTOR_ORGANISATION = "Bluecoat-like Corp (lab)"
DAY = dt.timedelta(days=1)


class Variant(StrEnum):
    """Every leaf certificate the lab can issue, named for what is special about it."""

    BOTH = "both"  # serverAuth and clientAuth
    SERVER = "server"  # serverAuth only
    CLIENT = "client"  # clientAuth only
    NO_EKU = "no_eku"  # no extended key usage: any purpose (RFC 5280 §4.2.1.12)
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    NEAR_EXPIRY = "near_expiry"  # ends in ten days
    OVERLONG = "overlong"  # 398 days although issued after 2026-03-15 (BR §6.3.2)
    SELF_SIGNED = "self_signed"
    EXOTIC = "exotic"  # complete chain to a root that no store holds
    WRONG_NAME = "wrong_name"
    WILDCARD = "wildcard"  # *.domain of the host
    CN_ONLY = "cn_only"  # the name in the common name, no SAN (RFC 9525 §2)
    NO_CN = "no_cn"  # the names in the SAN only
    WEAK_KEY = "weak_key"  # RSA 1024
    RSA = "rsa"  # RSA 2048, as most certificates in the field
    EXPIRED_RSA = "expired_rsa"
    SHA1 = "sha1"  # SHA-1 signature by the issuing CA
    SERVER_ONLY_CA = "server_only_ca"  # clientAuth on the leaf, serverAuth only on its CA
    KEY_MISMATCH = "key_mismatch"  # the key file belongs to another certificate
    INTERCEPTED = "intercepted"  # made by a box in between, for the host asked for


@dataclass(frozen=True)
class Pki:
    """All authorities of one lab, valid around `now`. Leaves are made on first use and kept."""

    now: dt.datetime
    recognised: tuple[Authority, ...]  # roots that the lab's trust store holds
    issuing: Authority
    server_only: Authority  # sub-CA restricted to serverAuth, as all new ones since 2026-06-15
    rsa_issuing: Callable[[], Authority] = field(repr=False)
    exotic: Authority
    interceptor: Authority
    _made: dict[tuple[str, str, str], Issued] = field(default_factory=dict, repr=False)

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        """The recognised roots, for a trust store."""
        return tuple(authority.certificate for authority in self.recognised)

    def leaf(
        self, variant: Variant, host: str, *, organisation: str = CLIENT_ORGANISATION
    ) -> Issued:
        """The certificate of `variant` for `host` (also its common name)."""
        key = (variant.value, host, organisation)
        if key not in self._made:
            self._made[key] = self._make(variant, host, organisation)
        return self._made[key]

    def platform(self, host: str) -> Issued:
        """A certificate of one of the platform's gateways, for both directions."""
        return self.leaf(Variant.BOTH, host, organisation=PLATFORM_ORGANISATION)

    def foreign_client(self) -> Issued:
        """A client certificate from an authority that nobody recognises."""
        recipe = Recipe("stranger.lab.example", "Stranger (lab)", usages=(CLIENT_AUTH,))
        return self.exotic.issue(recipe)

    def _make(self, variant: Variant, host: str, organisation: str) -> Issued:
        recipe = _recipe(variant, host, organisation)
        if variant is Variant.SELF_SIGNED:
            return self_signed(recipe, self.now)
        issued = self._issuer(variant).issue(recipe)
        if variant is Variant.KEY_MISMATCH:
            return with_key_of(issued, self.leaf(Variant.BOTH, f"other.{host}"))
        return issued

    def _issuer(self, variant: Variant) -> Authority:
        special = {
            Variant.EXOTIC: self.exotic,
            Variant.SERVER_ONLY_CA: self.server_only,
            Variant.INTERCEPTED: self.interceptor,
        }
        return self.rsa_issuing() if variant is Variant.SHA1 else special.get(variant, self.issuing)


def _recipe(variant: Variant, host: str, organisation: str) -> Recipe:
    plain = Recipe(host, organisation, (host,))
    parent = host.partition(".")[2]
    changes: dict[Variant, Recipe] = {
        Variant.SERVER: replace(plain, usages=(SERVER_AUTH,)),
        Variant.CLIENT: replace(plain, usages=(CLIENT_AUTH,)),
        Variant.NO_EKU: replace(plain, usages=None),
        Variant.EXPIRED: replace(plain, left=-1 * DAY),
        Variant.NOT_YET_VALID: replace(plain, not_before=3 * DAY),
        Variant.NEAR_EXPIRY: replace(plain, left=10 * DAY),
        Variant.OVERLONG: replace(plain, lifetime=398 * DAY),
        Variant.WRONG_NAME: Recipe(f"www.{parent}", organisation, (f"www.{parent}", parent)),
        Variant.WILDCARD: Recipe(f"*.{parent}", organisation, (f"*.{parent}",)),
        Variant.CN_ONLY: replace(plain, dns_names=()),
        Variant.NO_CN: replace(plain, common_name=""),
        Variant.WEAK_KEY: replace(plain, key=KeyKind.RSA_1024),
        Variant.RSA: replace(plain, key=KeyKind.RSA_2048),
        Variant.EXPIRED_RSA: replace(plain, key=KeyKind.RSA_2048, not_before=-96 * DAY),
        Variant.SHA1: replace(plain, sha1=True),
        Variant.INTERCEPTED: replace(plain, organisation=INTERCEPTOR_ORGANISATION),
    }
    return changes.get(variant, plain)


@cache
def build(now: dt.datetime) -> Pki:
    """The lab's PKI around `now` (aware UTC), built once per process and moment.

    Names follow the shape of real hierarchies and end in "(lab)", so that no one can take a
    lab certificate for a real one. Keys are EC P-256, whatever the name says, for speed.
    """
    first = new_root("Lab SwissSign RSA TLS Root (lab)", CA_ORGANISATION, now)
    second = new_root("Lab Other Recognised Root (lab)", "Lab Trust Services (lab)", now)
    exotic = new_root("Exotic Root (lab)", "Exotic Certificates Ltd (lab)", now)
    box = new_root("Interception Root (lab)", INTERCEPTOR_ORGANISATION, now)
    return Pki(
        now=now,
        recognised=(first, second),
        issuing=first.subordinate("Lab SwissSign RSA TLS OV ICA (lab)", CA_ORGANISATION),
        server_only=first.subordinate(
            "Lab TLS Server ICA (lab)", CA_ORGANISATION, usages=(SERVER_AUTH,)
        ),
        rsa_issuing=cache(
            lambda: first.subordinate(
                "Lab Old RSA ICA (lab)", CA_ORGANISATION, kind=KeyKind.RSA_2048
            )
        ),
        exotic=exotic.subordinate("Exotic Issuing CA (lab)", "Exotic Certificates Ltd (lab)"),
        interceptor=box.subordinate("Interception ICA (lab)", INTERCEPTOR_ORGANISATION),
    )


def write_pem(issued: Issued, directory: Path, name: str) -> tuple[Path, Path]:
    """Write `name`.pem (chain) and `name`.key (readable by the owner only); gives both paths."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    certificate.write_bytes(issued.pem())
    _write_private(key, issued.key_pem())
    return certificate, key


def write_encrypted(
    issued: Issued, directory: Path, name: str, *, passphrase: bytes
) -> tuple[Path, Path]:
    """Like `write_pem`, with the key encrypted by `passphrase`."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    certificate.write_bytes(issued.pem())
    _write_private(key, issued.key_pem(passphrase))
    return certificate, key


def write_pkcs12(issued: Issued, directory: Path, name: str, *, passphrase: bytes) -> Path:
    """Write `name`.p12 with key, leaf and intermediates, protected by `passphrase`."""
    path = directory / f"{name}.p12"
    protection = serialization.BestAvailableEncryption(passphrase)
    bundle = pkcs12.serialize_key_and_certificates(
        name.encode(), issued.key, issued.certificate, issued.intermediates, protection
    )
    _write_private(path, bundle)
    return path


def write_trust_store(pki: Pki, directory: Path, name: str = "recognised-roots") -> Path:
    """Write `name`.pem with the roots that the lab's platform recognises."""
    path = directory / f"{name}.pem"
    path.write_bytes(pem_of(pki.roots))
    return path


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)
