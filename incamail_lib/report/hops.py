"""Hand-overs of a message in words."""

from __future__ import annotations

from dataclasses import dataclass

from incamail_lib.facts.observation import Answer
from incamail_lib.facts.transfer import Hop, HopNote, MessageHops
from incamail_lib.i18n import Text, say

_NOTES: dict[HopNote, Text] = {
    HopNote.KEYWORD: say("the protocol says so"),
    HopNote.DETAILS: say("version or cipher is noted"),
    HopNote.PLAIN: say("this server notes TLS, but noted none here"),
    HopNote.NO_CIPHER: say("TLS without encryption"),
    HopNote.SILENT: say("this server may not note TLS"),
    HopNote.CONTRADICTORY: say("the line contradicts itself"),
    HopNote.MALFORMED: say("the line cannot be read"),
}
_ANSWERS: dict[Answer, Text] = {
    Answer.YES: say("yes"),
    Answer.NO: say("no"),
    Answer.INCONCLUSIVE: say("not known"),
}


@dataclass(frozen=True)
class HopRow:
    """One hand-over as a line of a table."""

    source: str
    target: str
    protocol: str
    answer: Text
    note: Text
    hop: Hop


def hop_rows(message: MessageHops) -> tuple[HopRow, ...]:
    """Every hand-over of a message, the newest first."""
    return tuple(_row(hop) for hop in message.hops)


def _row(hop: Hop) -> HopRow:
    name = " ".join(hop.from_names)
    address = f"[{hop.from_address}]" if hop.from_address else ""
    tls = " ".join(part for part in (hop.tls_version, hop.cipher) if part)
    return HopRow(
        source=" ".join(part for part in (name, address) if part),
        target=hop.by or hop.by_address,
        protocol=" ".join(part for part in (hop.protocol, tls) if part),
        answer=_ANSWERS[hop.encrypted],
        note=_NOTES[hop.note],
        hop=hop,
    )
