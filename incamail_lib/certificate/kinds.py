"""Files that are given for a certificate and are something else: what each is, and what to do.

FILE stands for the file that was given, NEW for the one that the command makes.
"""

from __future__ import annotations

import base64
import binascii
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from incamail_lib.i18n import N_

UNKNOWN = N_(
    "neither PEM, DER, PKCS#7 nor PKCS#12, or damaged. Export the certificate again, as PEM"
)
NO_CERTIFICATE = N_("the file holds no certificate")
_REQUEST = N_(
    "it is a certificate request (CSR), not the certificate. Name the file that the authority sent "
    "back. What the request asks for shows: openssl req -in FILE -noout -text"
)
_REVOCATIONS = N_(
    "it is a revocation list (CRL), not a certificate. Name the certificate's file. What the list "
    "holds shows: openssl crl -in FILE -noout -text"
)
_PUBLIC_KEY = N_(
    "it is a public key alone, not a certificate. Name the file that the authority sent"
)
_KEY_ALONE = N_(
    "the file holds a private key but no certificate. Name the certificate's file, and this file "
    "as its key"
)
OPENSSH_KEY = N_(
    "it is a key in OpenSSH's own form, which mail servers do not read. Convert a copy of it: "
    "ssh-keygen -p -m PEM -f FILE"
)
_SSH_PUBLIC = N_(
    "it is a public key of SSH, which has nothing to do with TLS. Name the certificate's file"
)
_PUTTY = N_(
    "it is a key of PuTTY. Convert it: puttygen FILE -O private-openssh -o NEW, then: "
    "ssh-keygen -p -m PEM -f NEW"
)
PGP = N_("it is of OpenPGP, which has nothing to do with TLS. Name the X.509 certificate's file")
JAVA = N_(
    "it is a Java keystore (JKS). Convert it: keytool -importkeystore -srckeystore FILE "
    "-destkeystore NEW.p12 -deststoretype PKCS12"
)
KEYSTORE = N_(
    "it is a keystore (JKS or PKCS#12). Write its certificates as PEM: "
    "keytool -list -rfc -keystore FILE > NEW"
)
_UTF16 = N_(
    "it is text in UTF-16, which OpenSSL and Postfix do not read. Convert it: "
    "iconv -f UTF-16 -t ASCII FILE > NEW"
)
_BARE = N_(
    "it is base64 without the lines «-----BEGIN CERTIFICATE-----» and «-----END CERTIFICATE-----», "
    "so OpenSSL and Postfix find nothing in it. Convert it: "
    "base64 -d FILE | openssl x509 -inform DER -out NEW"
)
_WEB_PAGE = N_("it is a web page, not a certificate. Download the certificate again")
_ARCHIVE = N_("it is an archive (ZIP). Unpack it and name the certificate's file")
_WINDOWS_STORE = N_(
    "it is a serialized certificate store of Windows (SST). Convert it: certutil -split -dump FILE"
)

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xfe\xed\xfe\xed", JAVA),
    (b"\xce\xce\xce\xce", JAVA),
    (b"\xff\xfe", _UTF16),
    (b"\xfe\xff", _UTF16),
    (b"-\0", _UTF16),
    (b"\0-", _UTF16),
    (b"PK\x03\x04", _ARCHIVE),
    (b"\0\0\0\0CERT", _WINDOWS_STORE),
    (b"ssh-", _SSH_PUBLIC),
    (b"ecdsa-sha2-", _SSH_PUBLIC),
    (b"---- BEGIN SSH2", _SSH_PUBLIC),
    (b"PuTTY-User-Key-File", _PUTTY),
    (b"<!doctype html", _WEB_PAGE),
    (b"<html", _WEB_PAGE),
)
_LABELS: tuple[tuple[str, str], ...] = (
    ("CERTIFICATE REQUEST", _REQUEST),
    ("OPENSSH PRIVATE KEY", OPENSSH_KEY),
    ("PGP ", PGP),
    ("PRIVATE KEY", _KEY_ALONE),
    ("X509 CRL", _REVOCATIONS),
    ("PUBLIC KEY", _PUBLIC_KEY),
)
_DER: tuple[tuple[Callable[[bytes], Any], str], ...] = (
    (x509.load_der_x509_csr, _REQUEST),
    (x509.load_der_x509_crl, _REVOCATIONS),
    (serialization.load_der_public_key, _PUBLIC_KEY),
    (lambda data: serialization.load_der_private_key(data, None), _KEY_ALONE),
)


def of_labels(labels: Sequence[str]) -> str:
    """What a PEM file without a certificate is, by the labels of its blocks."""
    for part, told in _LABELS:
        if any(part in label for label in labels):
            return told
    return NO_CERTIFICATE


def of_content(data: bytes) -> str:
    """What a file is that is no certificate in any form."""
    start = data.lstrip()[:200].lower()
    for magic, told in _MAGIC:
        if data.startswith(magic) or start.startswith(magic.lower()):
            return told
    for load, told in _DER:
        if _loads(load, data):
            return told
    return _BARE if _is_bare_base64(data) else UNKNOWN


def _loads(load: Callable[[bytes], Any], data: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load(data)
    except (ValueError, UnsupportedAlgorithm):
        return False
    except TypeError:  # a key that is encrypted
        return True
    return True


def _is_bare_base64(data: bytes) -> bool:
    try:
        return base64.b64decode(b"".join(data.split()), validate=True).startswith(b"\x30\x82")
    except binascii.Error:
        return False
