"""What certificates say, how a chain is built and which store trusts it."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from pydantic import Field

from incamail_lib.facts.observation import Observation
from incamail_lib.record import Record, UtcDatetime


class Hindrance(StrEnum):
    """The extension by which a certificate forbids a purpose."""

    EXTENDED_KEY_USAGE = "extended_key_usage"
    KEY_USAGE = "key_usage"
    NETSCAPE_TYPE = "netscape_type"
    UNREADABLE = "unreadable"  # one of them cannot be read, so nothing is taken for allowed


# What OpenSSL takes for each purpose (crypto/x509/v3_purp.c); the two long ones are the old
# "server gated cryptography" of Netscape and Microsoft.
_EXTENDED = {
    "serverAuth": frozenset({"serverAuth", "2.16.840.1.113730.4.1", "1.3.6.1.4.1.311.10.3.3"}),
    "clientAuth": frozenset({"clientAuth"}),
}
_RESTRICTING = frozenset({"ext_key_usage", "key_usage", "ns_cert_type"})
_NETSCAPE = {"serverAuth": "server", "clientAuth": "client"}
_SERVER_USAGES = frozenset({"digital_signature", "key_encipherment", "key_agreement"})


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
    def name(self) -> str:
        """What to call it: subject, else the first alternative name, else its fingerprint."""
        alternatives = (*self.san_dns, *self.san_ip, *self.san_email, self.sha256[:16])
        return self.subject or alternatives[0]

    @property
    def lifetime_days(self) -> float | None:
        """Days of validity, both ends included as in BR §6.3.2; None if unparsed."""
        if self.not_before is None or self.not_after is None:
            return None
        return (self.not_after - self.not_before + dt.timedelta(seconds=1)) / dt.timedelta(days=1)

    def allows(self, purpose: str) -> bool:
        """Whether the extensions let the certificate itself serve as server or as client."""
        return self.hindrance(purpose) is None

    def hindrance(self, purpose: str, *, issuing: bool = False) -> Hindrance | None:
        """The extension that forbids `purpose` ("serverAuth", "clientAuth"); None if none does.

        With `issuing`: that forbids certificates below this one to have it. As OpenSSL's purpose
        check has it (openssl-verification-options(1)), where anyExtendedKeyUsage is neither of
        the two, with two rules of TLS on top: a client signs (RFC 8446 §4.4.3), and so does the
        server of an elliptic-curve key (RFC 8422 §5.3).
        """
        if self.problem or not _RESTRICTING.isdisjoint(self.unreadable):
            return Hindrance.UNREADABLE
        wanted = _EXTENDED[purpose]
        if self.ext_key_usage is not None and not wanted & set(self.ext_key_usage):
            return Hindrance.EXTENDED_KEY_USAGE
        if self.key_usage is not None and not self._usages(purpose, issuing) & set(self.key_usage):
            return Hindrance.KEY_USAGE
        kinds = self.ns_cert_type if not issuing else None
        if kinds is not None and _NETSCAPE[purpose] not in kinds:
            return Hindrance.NETSCAPE_TYPE
        return None

    def _usages(self, purpose: str, issuing: bool) -> frozenset[str]:
        if issuing:
            return frozenset({"key_cert_sign"})
        if purpose == "serverAuth" and self.key_type == "RSA":
            return _SERVER_USAGES
        return frozenset({"digital_signature"})

    @property
    def signs(self) -> bool:
        """Whether the key usage lets the key sign a handshake, as ECDHE and TLS 1.3 need it."""
        return self.key_usage is None or "digital_signature" in self.key_usage


class ChainFacts(Record):
    """How the certificates of one chain hang together, leaf first as sent or stored."""

    length: int
    in_order: bool  # each certificate is signed by the next
    root_sent: bool  # a self-signed CA was sent along needlessly
    duplicates: int = 0
    path: tuple[str, ...] = ()  # SHA-256 of the certificates from the leaf upwards
    unrelated: tuple[str, ...] = ()  # subjects of those that are not on this path
    missing_issuer: str = ""  # DN of the intermediate that is missing; "" if none is
    missing_issuer_urls: tuple[str, ...] = ()  # AIA caIssuers where it may be had
    leaf_self_signed: bool = False


class TrustReason(StrEnum):
    """Why a store does or does not trust a chain for a purpose."""

    TRUSTED = "trusted"
    MISSING_INTERMEDIATE = "missing_intermediate"
    ISSUER_KEY_DIFFERS = "issuer_key_differs"  # an issuer of that name is there, the key is not
    UNKNOWN_ROOT = "unknown_root"
    SELF_SIGNED = "self_signed"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_PURPOSE = "wrong_purpose"  # usage extensions of any certificate of the path
    WEAK = "weak"  # key or signature refused at OpenSSL's security level 1
    UNUSUAL = "unusual"  # key or signature of a kind that TLS peers do not take by default
    NOT_AN_AUTHORITY = "not_an_authority"  # an issuer of the path may not issue
    PATH_LENGTH = "path_length"
    NAME_CONSTRAINTS = "name_constraints"
    UNKNOWN_CRITICAL = "unknown_critical"  # a critical extension that OpenSSL does not know
    BAD_SIGNATURE = "bad_signature"
    REFUSED = "refused"  # for another reason, in OpenSSL's words
    MALFORMED = "malformed"  # cannot be parsed
    STORE_UNREADABLE = "store_unreadable"


class Reservation(StrEnum):
    """Why some TLS libraries refuse a path that OpenSSL accepts."""

    LEVEL_2 = "level_2"  # refused at security level 2, the default of Debian and others
    UNUSUAL_AUTHORITY_KEY = "unusual_authority_key"  # e.g. a curve that some libraries refuse
    NO_SIGNING = "no_signing"  # a server's key usage without digitalSignature: GnuTLS refuses
    AUTHORITY_AS_LEAF = "authority_as_leaf"  # the leaf is a CA certificate (Mozilla, rustls)


class Reserved(Record):
    """One reservation and the certificate that it is about."""

    reason: Reservation
    sha256: str
    name: str


class TrustFacts(Record):
    """The verdict of one named trust store about one chain for one purpose.

    `members` is the path, leaf first: up to the anchor if `complete`, else as far as the chain
    itself leads. Revocation was not checked.
    """

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
    members: tuple[CertificateFacts, ...] = ()
    complete: bool = False  # whether the last member is an anchor of the store
    culprit: CertificateFacts | None = None  # the certificate that the reason is about
    security_level: int | None = None  # highest OpenSSL level (1, 2) that accepts the path
    reserved: tuple[Reserved, ...] = ()  # who refuses it although it is trusted


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
