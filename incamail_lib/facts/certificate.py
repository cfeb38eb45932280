"""What certificates say, how a chain is built and which store trusts it."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from pydantic import Field

from incamail_lib.facts.observation import Observation
from incamail_lib.record import Record, UtcDatetime


class CertificateFacts(Record):
    """One X.509 certificate, read without judging it (RFC 5280).

    Names are RFC 4514 strings; hashes are lower-case hexadecimal without separators;
    `key_usage` and `ext_key_usage` are None when the extension is absent (= any purpose,
    RFC 5280 §4.2.1.12). `problem` names why nothing could be parsed; the rest is then empty.
    `unreadable` names the parts of a legible certificate that could not be read: their fields
    are as if they were absent, and say nothing.
    """

    der: bytes
    sha1: str
    sha256: str
    spki_sha256: str = ""
    problem: str = ""
    unreadable: tuple[str, ...] = ()  # e.g. key_usage, subject_alt_name, not_after
    version: int = 3
    subject: str = ""
    subject_cn: tuple[str, ...] = ()
    subject_o: tuple[str, ...] = ()
    issuer: str = ""
    issuer_cn: tuple[str, ...] = ()
    issuer_o: tuple[str, ...] = ()
    serial: str = ""  # hexadecimal
    not_before: UtcDatetime | None = None
    not_after: UtcDatetime | None = None
    san_dns: tuple[str, ...] = ()
    san_ip: tuple[str, ...] = ()
    san_email: tuple[str, ...] = ()
    key_type: str = ""  # RSA, EC, Ed25519, Ed448, DSA
    key_bits: int = 0
    curve: str = ""
    signature_algorithm: str = ""  # e.g. sha256WithRSAEncryption
    signature_hash: str = ""  # e.g. sha256; empty where the scheme has none
    is_ca: bool = False
    path_length: int | None = None
    key_usage: tuple[str, ...] | None = None  # digital_signature, key_encipherment, ...
    ext_key_usage: tuple[str, ...] | None = None  # serverAuth, clientAuth, anyExtended..., OID
    unknown_critical: tuple[str, ...] = ()  # OIDs of critical extensions outside RFC 5280
    ns_cert_type: tuple[str, ...] | None = None  # Netscape's: server, client, sslCA, ...
    subject_key_id: str = ""
    authority_key_id: str = ""
    sct_count: int = 0
    ca_issuers_urls: tuple[str, ...] = ()
    ocsp_urls: tuple[str, ...] = ()
    crl_urls: tuple[str, ...] = ()
    self_issued: bool = False  # issuer == subject
    self_signed: bool = False  # and the signature verifies with its own key

    @property
    def lifetime_days(self) -> float | None:
        """Days of validity, both ends included as in BR §6.3.2; None if unparsed."""
        if self.not_before is None or self.not_after is None:
            return None
        return (self.not_after - self.not_before + dt.timedelta(seconds=1)) / dt.timedelta(days=1)

    def allows(self, usage: str) -> bool:
        """Whether the extended key usage permits `usage` ("serverAuth" or "clientAuth").

        One that could not be read permits nothing: only an absent one means any purpose.
        """
        if self.problem or "ext_key_usage" in self.unreadable:
            return False
        if self.ext_key_usage is None:
            return True
        return usage in self.ext_key_usage or "anyExtendedKeyUsage" in self.ext_key_usage


class ChainFacts(Record):
    """How the certificates of one chain hang together, leaf first as sent or stored."""

    length: int
    in_order: bool  # each certificate is signed by the next
    root_sent: bool  # a self-signed CA was sent along needlessly
    duplicates: int = 0
    unrelated: tuple[str, ...] = ()  # subjects that belong to no path from the leaf
    missing_issuer: str = ""  # DN of the intermediate that is missing; "" if none is
    missing_issuer_urls: tuple[str, ...] = ()  # AIA caIssuers where it may be had
    leaf_self_signed: bool = False


class TrustReason(StrEnum):
    """Why a store does or does not trust a chain."""

    TRUSTED = "trusted"
    MISSING_INTERMEDIATE = "missing_intermediate"
    UNKNOWN_ROOT = "unknown_root"
    SELF_SIGNED = "self_signed"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_PURPOSE = "wrong_purpose"  # EKU on the leaf or on an intermediate
    WEAK = "weak"  # key or signature below what the path rules allow
    MALFORMED = "malformed"
    STORE_UNREADABLE = "store_unreadable"


class TrustFacts(Record):
    """The verdict of one named trust store about one chain for one purpose."""

    store: str  # e.g. "certifi 2026.10.18", "system", "/etc/postfix/ca.pem" -> its base name
    store_date: dt.date | None = None
    store_size: int = 0  # trust anchors in it
    root_sha256: str = ""  # the root to which the chain leads, whatever this store holds
    public: bool | None = None  # whether that root is of a public programme; None: not known
    purpose: str = "serverAuth"  # or clientAuth
    trusted: Observation
    reason: TrustReason
    detail: str = ""
    path: tuple[str, ...] = ()  # subjects, leaf to anchor, when a path was found


class NameMatch(Record):
    """Whether a certificate is valid for a host name or address (RFC 9525)."""

    host: str
    matched: bool
    presented: tuple[str, ...] = ()  # the DNS-IDs / IP-IDs in the certificate
    detail: str = ""


class CredentialUse(StrEnum):
    """What a client's certificate file is meant for."""

    RECEIVING = "receiving"  # server certificate of the client's gateway
    SENDING = "sending"  # client certificate shown to IncaMail


class CredentialFacts(Record):
    """One certificate file of the client. Never holds key material or a passphrase."""

    label: str  # base name of the file
    uses: tuple[CredentialUse, ...]
    format: str = ""  # PEM, DER, PKCS#7, PKCS#12
    readable: Observation
    chain: tuple[CertificateFacts, ...] = ()  # leaf first
    links: ChainFacts | None = None
    has_key: bool = False
    key_encrypted: bool = False
    leaf_stands_first: bool = True  # else OpenSSL takes another certificate of the file for it
    key_matches: Observation
    trust: tuple[TrustFacts, ...] = Field(default=())
