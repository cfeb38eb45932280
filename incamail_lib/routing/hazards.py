"""Everything that can go wrong with a message on its way to IncaMail: code, weight, meaning.

Codes are stable tokens kept in saved facts. The severity here is the usual one; the place that
finds a hazard may give another where the circumstances decide.
"""

from __future__ import annotations

from dataclasses import dataclass

from incamail_lib.facts.routing import Hazard, Severity
from incamail_lib.i18n import N_, Text, say

_LEAK, _MISROUTED, _WARNING = Severity.LEAK, Severity.MISROUTED, Severity.WARNING
_UNKNOWN = Severity.UNKNOWN
SHOWN = 200  # characters of evidence kept


@dataclass(frozen=True)
class HazardKind:
    """The usual severity of a hazard and its explanation (English source text)."""

    severity: Severity
    explanation: str


HAZARDS: dict[str, HazardKind] = {
    # leaks: the content leaves unprotected
    "tag_without_suffix": HazardKind(
        _LEAK,
        N_(
            "The subject carries an IncaMail tag, but this recipient has no IncaMail suffix and no "
            "rule looks at the subject: the message leaves in clear."
        ),
    ),
    "subject_rule_missed": HazardKind(
        _LEAK,
        N_(
            "The subject carries an IncaMail tag, but the subject rule does not recognise it in "
            "the form in which it sees it: the message leaves in clear."
        ),
    ),
    "subject_rule_without_host": HazardKind(
        _LEAK,
        N_(
            "The subject rule names no host. A look-up of the recipient's own domain leads past "
            "IncaMail: the message leaves in clear."
        ),
    ),
    "mixed_in_clear": HazardKind(
        _LEAK,
        N_(
            "The same message goes to another recipient through IncaMail, and to this one in clear."
        ),
    ),
    "mistyped_tag": HazardKind(
        _LEAK,
        N_("The subject contains something like an IncaMail tag that no rule recognises."),
    ),
    "lookalike_suffix": HazardKind(
        _LEAK,
        N_("The recipient's domain resembles IncaMail's suffix, but belongs to somebody else."),
    ),
    "suffix_in_local_part": HazardKind(
        _LEAK,
        N_("IncaMail's suffix stands before the @ sign, where it has no effect."),
    ),
    "suffix_lost": HazardKind(
        _LEAK,
        N_(
            "The header names this recipient with IncaMail's suffix, the envelope without it: "
            "something on the way has removed it."
        ),
    ),
    "taken_by_default_relay": HazardKind(
        _LEAK,
        N_(
            "No rule recognises this message, so your default relay takes it, and not IncaMail. "
            "Enter the relay's exception for .incamail.ch, or a rule of its own."
        ),
    ),
    "tls_not_required": HazardKind(
        _LEAK,
        N_(
            "The message carries the header «TLS-Required: no» (RFC 8689). Postfix 3.10 and later "
            "then send it in clear where TLS fails, even if your policy forces TLS. Remove the "
            "header on your server, or set tls_required_enable = no."
        ),
    ),
    # which way it goes cannot be told
    "route_unknown": HazardKind(_UNKNOWN, N_("Which way this message goes cannot be told.")),
    "unreadable_message": HazardKind(_UNKNOWN, N_("The file cannot be read as a message.")),
    "unreadable_recipients": HazardKind(
        _UNKNOWN,
        N_(
            "The list of recipients in the header is damaged, for example by a bracket that is not "
            "closed. Name the recipients yourself."
        ),
    ),
    "header_too_long": HazardKind(
        _UNKNOWN, N_("The header is longer than what was examined, so it is not judged.")
    ),
    # misrouted: goes to IncaMail or fails against the sender's wish
    "refused": HazardKind(
        _MISROUTED,
        N_("Your own server sends the message back, because the tag is there without the suffix."),
    ),
    "dragged_along": HazardKind(
        _MISROUTED,
        N_(
            "The subject rule applies to the whole message and sends this recipient's copy to "
            "IncaMail as well, although the sender did not choose it."
        ),
    ),
    "selected_without_wish": HazardKind(
        _MISROUTED,
        N_("The subject rule selects this message although its subject carries no IncaMail tag."),
    ),
    "malformed_address": HazardKind(_MISROUTED, N_("This is not a valid e-mail address.")),
    "address_literal": HazardKind(
        _MISROUTED,
        N_("IncaMail's suffix cannot be appended to an IP address in brackets."),
    ),
    "too_long": HazardKind(
        _MISROUTED,
        N_("With IncaMail's suffix the address is longer than mail servers must accept."),
    ),
    "doubled_suffix": HazardKind(
        _MISROUTED,
        N_("The suffix stands there twice: IncaMail would have to deliver to itself."),
    ),
    "incomplete_domain": HazardKind(
        _MISROUTED,
        N_("Without the suffix no complete domain remains, so IncaMail cannot deliver."),
    ),
    "contradictory_tags": HazardKind(
        _MISROUTED,
        N_(
            "The subject names several sending types. Which one IncaMail uses is not documented; "
            "the weakest, Confidential, is assumed here."
        ),
    ),
    # warnings
    "tls_not_forced": HazardKind(
        _WARNING,
        N_(
            "No rule recognises this message. It finds IncaMail by the ordinary MX look-up of the "
            "suffix, unless a default relay takes it, and encryption on this hop is not forced."
        ),
    ),
    "static_next_hop": HazardKind(
        _WARNING,
        N_("The next hop is a fixed IP address. IncaMail's addresses can change without notice."),
    ),
    "own_domain_suffixed": HazardKind(
        _WARNING,
        N_("The suffix was added to an address of your own: the message leaves and comes back."),
    ),
    "stays_internal": HazardKind(
        _WARNING,
        N_(
            "This recipient is in your own domain: no rule applies and the tag has no effect. If "
            "the address is an alias or a list that leads outside, or its owner forwards, the copy "
            "leaves in clear."
        ),
    ),
    "suffix_without_tag": HazardKind(
        _WARNING,
        N_("There is no tag in the subject, so IncaMail sends the message as Confidential."),
    ),
    "no_sending_type": HazardKind(
        _WARNING,
        N_("The tag names no sending type, so IncaMail sends the message as Confidential."),
    ),
    "type_tag_without_im": HazardKind(
        _WARNING,
        N_(
            "The subject carries a sending type without <im>: a rule that looks for <im> misses it."
        ),
    ),
    "unknown_tag": HazardKind(_WARNING, N_("The subject carries a tag that is not documented.")),
    "repeated_tag": HazardKind(_WARNING, N_("A tag stands in the subject more than once.")),
    "tag_behind_prefix": HazardKind(
        _WARNING,
        N_("The tag stands behind a reply prefix; a rule anchored to the start misses it."),
    ),
    "tag_not_at_start": HazardKind(
        _WARNING,
        N_("The tag does not stand at the start; whether IncaMail recognises it is uncertain."),
    ),
    "encoded_tag": HazardKind(
        _WARNING,
        N_("The tag is encoded (RFC 2047): a filter that looks at the raw header does not see it."),
    ),
    "hidden_characters": HazardKind(
        _WARNING,
        N_(
            "Invisible characters stand before or within the tag; a rule tied to the start of the "
            "subject misses it."
        ),
    ),
    "type_tag_in_text": HazardKind(
        _WARNING,
        N_(
            "The subject contains <c>, <p> or <r> in its text. It is not taken for a tag here; "
            "what the add-in and IncaMail do with it is not documented."
        ),
    ),
    "sloppy_encoded_word": HazardKind(
        _WARNING,
        N_(
            "An encoded part of the subject contains blanks, which RFC 2047 forbids. Most mail "
            "programs show it decoded all the same; a mail server may not recognise the tag."
        ),
    ),
    "pattern_refused": HazardKind(
        _WARNING,
        N_(
            "Your mail server refuses the subject pattern and skips the line: there is no subject "
            "rule at all."
        ),
    ),
    "engine_not_asked": HazardKind(
        _WARNING,
        N_(
            "This is what the documentation of your mail server says; it could not be asked here. "
            "Send this message to yourself with a test address and look which way it takes."
        ),
    ),
    "engine_not_named": HazardKind(
        _WARNING,
        N_(
            "It is not said which mail server compares the subject. All those known here would "
            "treat this message alike; name yours to be certain."
        ),
    ),
    "undecodable_subject": HazardKind(_WARNING, N_("A part of the subject could not be decoded.")),
    "unknown_charset": HazardKind(
        _WARNING, N_("The subject is encoded in a character set that is not known.")
    ),
    "eight_bit_subject": HazardKind(
        _WARNING,
        N_("The subject contains unencoded 8-bit characters, which not every server passes on."),
    ),
    "control_characters": HazardKind(_WARNING, N_("The subject contains control characters.")),
    "subject_too_long": HazardKind(
        _WARNING,
        N_("The subject is longer than what was examined; a tag behind that is not seen."),
    ),
    "several_subjects": HazardKind(
        _WARNING,
        N_("The message has several subjects; servers differ in which one counts."),
    ),
    "no_subject": HazardKind(_WARNING, N_("The message has no subject, so it carries no tag.")),
    "attached_subject": HazardKind(
        _WARNING,
        N_(
            "The subject of an attached message matches the subject rule. A filter that also looks "
            "at attached headers, as Postfix does by default, would select the whole message."
        ),
    ),
    "reply_to_secured": HazardKind(
        _WARNING,
        N_(
            "This looks like the answer to a message that came through IncaMail, but it does not "
            "go through IncaMail itself; quoted content leaves in clear."
        ),
    ),
    "bcc_in_message": HazardKind(
        _WARNING,
        N_("The message still contains a Bcc header, so all recipients could see the hidden ones."),
    ),
    "resent": HazardKind(
        _WARNING, N_("The message was resent; the recipients are those of the Resent headers.")
    ),
    "no_recipients": HazardKind(
        _UNKNOWN, N_("No recipients were found in the message, so nothing can be said of its way.")
    ),
    "too_many_recipients": HazardKind(
        _UNKNOWN, N_("Only the first recipients were examined; the message has more.")
    ),
    "needs_smtputf8": HazardKind(
        _WARNING,
        N_(
            "The address contains characters outside ASCII and needs SMTPUTF8 on every server; "
            "whether IncaMail supports it is not documented."
        ),
    ),
    "quoted_local_part": HazardKind(
        _WARNING, N_("The part before the @ sign is quoted, which not every server handles.")
    ),
    "trailing_dot": HazardKind(
        _WARNING,
        N_("The domain ends with a dot. Some servers then no longer recognise the suffix."),
    ),
    "source_route": HazardKind(
        _WARNING,
        N_("The address contains an obsolete route; only its last part counts."),
    ),
}


def hazard(code: str, detail: str = "", *, severity: Severity | None = None) -> Hazard:
    """The hazard `code`, with evidence made printable; KeyError for an undeclared code is a bug."""
    kind = HAZARDS[code]
    return Hazard(
        code=code,
        severity=severity or kind.severity,
        detail=printable(detail),
        text=Text(template=kind.explanation),
    )


def explained(code: str, cause: Text) -> Hazard:
    """The hazard `code` told with its cause."""
    return hazard(code, cause.english()).model_copy(
        update={
            "text": say(
                "{meaning} Cause: {cause}.",
                meaning=Text(template=HAZARDS[code].explanation),
                cause=cause,
            )
        }
    )


def printable(text: str, limit: int = SHOWN) -> str:
    """`text` shortened to `limit` characters; control, bidi and lone surrogate as escapes."""
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode()
        for char in text[: limit + 1]
    )
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
