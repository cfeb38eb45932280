"""The hand-overs of one message, as the servers on its way noted them (RFC 5321 §4.4)."""

from __future__ import annotations

from enum import StrEnum

from incamail_lib.facts.observation import Answer
from incamail_lib.record import Record


class HopNote(StrEnum):
    """How it is known whether a hand-over was encrypted. Stable tokens, kept in saved facts."""

    KEYWORD = "keyword"  # the protocol's keyword says TLS (RFC 3848, RFC 6531 §4.3)
    DETAILS = "details"  # version or cipher stand there, by a product without that keyword
    PLAIN = "plain"  # a product that notes TLS noted none
    NO_CIPHER = "no_cipher"  # TLS without encryption (a NULL cipher)
    SILENT = "silent"  # a product that may not note TLS, or no protocol at all
    CONTRADICTORY = "contradictory"  # one part of the line says TLS, another denies it
    MALFORMED = "malformed"  # not as RFC 5321 §4.4 has it, or too long


class Hop(Record):
    """One hand-over: the server under `by` wrote the line, and vouches for nothing below it."""

    from_names: tuple[str, ...] = ()  # as the other side said, then as the server looked it up
    from_address: str = ""
    by: str = ""
    by_address: str = ""
    protocol: str = ""  # the keyword in capitals, or "MICROSOFT SMTP SERVER"
    tls_version: str = ""  # "TLSv1.3"; "" where it is not said
    cipher: str = ""
    encrypted: Answer
    note: HopNote
    evidence: str = ""  # the line, printable and bounded, without recipient and envelope sender


class MessageHops(Record):
    """Every hand-over of one message that was handed in, the newest first."""

    label: str
    hops: tuple[Hop, ...] = ()
    is_cut: bool = False  # there are more lines than are kept, all of them older
    is_readable: bool = True  # False: the file is no message
