"""Certificates: reading, linking into chains, loading the client's files, matching names."""

from incamail_lib.certificate.chain import link
from incamail_lib.certificate.credential import (
    Credential,
    foreign_credential,
    load_credential,
    needs_passphrase,
)
from incamail_lib.certificate.names import match_name
from incamail_lib.certificate.reading import read_certificate

__all__ = [
    "Credential",
    "foreign_credential",
    "link",
    "load_credential",
    "match_name",
    "needs_passphrase",
    "read_certificate",
]
