"""The fixed battery of samples on which every declared rule set is tried.

Each sample is what an add-in, a person or a mail program may well produce. The partner's domain
is reserved for documentation (RFC 2606), so nothing could ever reach anybody.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Sequence

from incamail_lib.facts.routing import MessageRouting, RuleSet, StandardSample
from incamail_lib.routing.address import canonical_suffix
from incamail_lib.routing.classify import classify
from incamail_lib.routing.message import classify_message

REPLY_PREFIXES = ("Re:", "RE:", "Fwd:", "FW:", "AW:", "WG:", "TR:", "R:", "I:")
PARTNER = "partner@recipient.example"
OTHER = "other@third-party.example"
_TAGGED = "<im><c> Test-Mail outbound to IncaMail"
_FRENCH = "<im><c> Décision médicale"
_LONG = "<im><c> Décision médicale concernant la réadaptation professionnelle de l'assurée"
_ORDINARY = "Termin im Januar: impression, Immobilien, image, c/p/r"


def standard_samples(rules: RuleSet, domains: Sequence[str]) -> tuple[MessageRouting, ...]:
    """Every probe classified under `rules`; `domains` are the client's mail domains (A-labels).

    A result carries its probe, and as label its name ("reply AW:" for replies, the domain after
    "own_domain_suffixed"). Errors: UsageError for rules that `validate_rules` refuses.
    """
    tried = tuple(
        classify(recipients, subject, rules, own_domains=domains, label=label, probe=probe)
        for probe, label, recipients, subject in _battery(canonical_suffix(rules.suffix), domains)
    )
    return (*tried, _tls_waived(rules, domains))


def _tls_waived(rules: RuleSet, domains: Sequence[str]) -> MessageRouting:
    """A message whose header permits that it be sent in clear (RFC 8689 §4)."""
    recipient = PARTNER + canonical_suffix(rules.suffix)
    eml = f"To: {recipient}\nSubject: {_TAGGED}\nTLS-Required: no\n\nTest\n".encode()
    probe = StandardSample.TLS_WAIVED
    found = classify_message(eml, rules, own_domains=domains, label=probe.value)
    return found.model_copy(update={"probe": probe})


_Row = tuple[StandardSample, str, tuple[str, ...], str | bytes]


def _battery(suffix: str, domains: Sequence[str]) -> list[_Row]:
    named = [(probe, probe.value, to, subject) for probe, to, subject in _named(suffix, domains)]
    replies: list[_Row] = [
        (
            StandardSample.REPLY,
            f"{StandardSample.REPLY.value} {prefix}",
            (PARTNER,),
            f"{prefix} {_TAGGED}",
        )
        for prefix in REPLY_PREFIXES
    ]
    own: list[_Row] = [
        (
            StandardSample.OWN_DOMAIN_SUFFIXED,
            f"{StandardSample.OWN_DOMAIN_SUFFIXED.value} {domain}",
            (f"first.last@{domain}{suffix}",),
            _TAGGED,
        )
        for domain in domains
    ]
    return [*named, *replies, *own]


def _named(
    suffix: str, domains: Sequence[str]
) -> list[tuple[StandardSample, tuple[str, ...], str | bytes]]:
    suffixed = PARTNER + suffix
    colleague = tuple(f"colleague@{domain}" for domain in domains[:1])
    base = suffix[1:]
    twin = base.replace("i", "\u0456", 1).replace("a", "\u0430", 1)  # Cyrillic letters
    return [
        (StandardSample.TAGGED_SUFFIXED, (suffixed,), _TAGGED),
        (StandardSample.SUFFIX_ONLY, (suffixed,), "Test"),
        (StandardSample.SUFFIX_UPPER_CASE, (suffixed.upper(),), _TAGGED),
        (StandardSample.TAGGED_UNSUFFIXED, (PARTNER,), _TAGGED),
        (StandardSample.TYPE_TAG_SUFFIXED, (suffixed,), "<c> Test"),
        (StandardSample.TYPE_TAG_UNSUFFIXED, (PARTNER,), "<c> Test"),
        (StandardSample.ENCODED_SUFFIXED, (suffixed,), _word_b(_FRENCH)),
        (StandardSample.ENCODED_B, (PARTNER,), _word_b(_FRENCH)),
        (StandardSample.ENCODED_Q, (PARTNER,), _word_q(_FRENCH)),
        (StandardSample.ENCODED_SPLIT, (PARTNER,), _word_q("<i") + b"\r\n " + _word_q(_FRENCH[2:])),
        (StandardSample.ENCODED_LONG, (PARTNER,), _word_b(_LONG)),
        (StandardSample.TAG_UPPER_CASE, (PARTNER,), "<IM><C> Test"),
        (StandardSample.TWO_BLANKS, (PARTNER,), b" " + _TAGGED.encode()),
        (StandardSample.FOLD_FIRST, (PARTNER,), b"\r\n " + _TAGGED.encode()),
        (StandardSample.FOLDED, (PARTNER,), b"<im><c>\r\n Test-Mail\r\n\toutbound to IncaMail"),
        (StandardSample.MIXED_TAGGED, (suffixed, OTHER, *colleague), _TAGGED),
        (StandardSample.LOOKALIKE_PREFIX, (f"{PARTNER}.not{base}",), "Test"),
        (StandardSample.LOOKALIKE_INSIDE, (f"{PARTNER}{suffix}.evil.example",), "Test"),
        (StandardSample.LOOKALIKE_HOMOGRAPH, (f"{PARTNER}.{twin}",), "Test"),
        (StandardSample.PLATFORM_ITSELF, (f"somebody@{base}",), "Test"),
        (StandardSample.ORDINARY, (PARTNER,), _ORDINARY),
        *((StandardSample.ALIAS, (address,), _TAGGED) for address in colleague),
    ]


def _word_b(text: str) -> bytes:
    return b"=?UTF-8?B?" + base64.b64encode(text.encode()) + b"?="


def _word_q(text: str) -> bytes:
    # quoted-printable leaves < and > alone; mail programs encode them in encoded words
    encoded = quopri.encodestring(text.encode(), quotetabs=True, header=True)
    return b"=?UTF-8?Q?" + encoded.replace(b"<", b"=3C").replace(b">", b"=3E") + b"?="
