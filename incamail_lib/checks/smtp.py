"""SMTP: what the client's receiving gateway says before and around STARTTLS."""

from __future__ import annotations

import math
import re

from incamail_lib.checks._advice import GATEWAY_DIALOGUE
from incamail_lib.checks._core import (
    Context,
    Result,
    SeenFrom,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._endpoints import advice_on, dialogue_ended, nobody_asked, reason_of
from incamail_lib.checks._subjects import receiving
from incamail_lib.checks.words import reason_text
from incamail_lib.facts.ehlo import offers, size_limit
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import EndpointFacts, Starttls
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, say

MEGABYTE = 1_000_000
BASE64_GROWTH = 1.37  # RFC 2045 §6.8: 4 octets for 3, plus line ends
_FULL_NAME = re.compile(r"(?=.{4,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\Z")


@check(
    "SMTP01",
    on=receiving,
    passes=N_("The gateway greets and serves this sender"),
    fails=N_("The gateway does not serve this sender"),
    asks=N_("Does the gateway greet and serve this sender?"),
    why=N_(
        "A gateway that greylists, limits or refuses IncaMail delays secure mail or bounces it. "
        "IncaMail's servers belong on the allow list."
    ),
    remedy=N_(
        "Exempt IncaMail's servers from greylisting, rate limits and block lists. If this test "
        "ran from elsewhere, repeat it from an address that the gateway serves."
    ),
    clarify=N_(
        "Read in the gateway's log why it ended the dialogue, then measure again from an address "
        "that the gateway serves."
    ),
    item="6.8",
    reference="RFC 5321 §3.1, §4.2.1",
    leg=Leg.ARRIVAL,
    requires=("NET01", "SMTP09"),  # SMTP09 tells of a silent port, once
)
def gateway_serves(endpoint: EndpointFacts, _: Context) -> Result:
    """The gateway answered with 220 and 250. A refusal of this vantage point says nothing of
    IncaMail, so it is unknown and not failed."""
    if endpoint.survey.capabilities is not None:
        greeting = endpoint.survey.greeting
        return passed(say("{greeting}", greeting=greeting.text if greeting else "250"))
    return dialogue_ended(endpoint)


@check(
    "SMTP09",
    on=receiving,
    passes=N_("The port begins in clear, as SMTP does"),
    fails=N_("The port speaks TLS at once, without STARTTLS"),
    asks=N_("Does the port greet in clear, as SMTP does?"),
    why=N_(
        "IncaMail begins in clear and asks for TLS by STARTTLS. A port that speaks TLS from the "
        "first byte, as port 465 does, never understands it."
    ),
    remedy=N_(
        "Name the port that offers STARTTLS, usually 25, or switch this one from TLS at once to "
        "STARTTLS (Postfix: smtpd_tls_wrappermode = no; Exim: take it from tls_on_connect_ports)."
    ),
    clarify=N_(
        "See from outside whether the port greets: «nc HOST 25» must show a line that begins with "
        "220. If nothing comes, look at the mail service, and at the devices in front of it."
    ),
    item="6.1",
    reference="RFC 3207 §4; RFC 8314 §3",
    leg=Leg.ARRIVAL,
    requires=("NET01",),
)
def port_begins_in_clear(endpoint: EndpointFacts, _: Context) -> Result:
    """Not a word of TLS came before STARTTLS; a port that stayed silent leaves it open."""
    survey = endpoint.survey
    if survey.ended is Reason.TLS_AT_ONCE:
        return failed(say("The port speaks TLS at once, without STARTTLS."))
    if survey.greeting is not None:
        return passed(say("The port greets in clear."))
    return dialogue_ended(endpoint)


@check(
    "SMTP02",
    on=receiving,
    passes=N_("The gateway offers STARTTLS"),
    fails=N_("The gateway does not offer STARTTLS"),
    asks=N_("Does the gateway offer STARTTLS?"),
    why=N_("IncaMail delivers over TLS only; without STARTTLS no secure mail can arrive."),
    remedy=N_("Switch TLS on for receiving mail and install a certificate on the gateway."),
    clarify=GATEWAY_DIALOGUE,
    item="6.1",
    reference="RFC 3207 §4",
    leg=Leg.ARRIVAL,
    requires=("SMTP01",),
    seen_from=SeenFrom.OUTSIDE,
)
def starttls_is_offered(endpoint: EndpointFacts, _: Context) -> Result:
    """STARTTLS stands in a complete EHLO reply; a masked keyword points at a device in between."""
    inspection = say(
        "A firewall edits SMTP on this path (for example Cisco ESMTP inspection): switch the "
        "inspection off for this server, or permit TLS in it."
    )
    if endpoint.starttls is Starttls.MASKED:
        return failed(
            say("STARTTLS is masked by a device in between."),
            remedy=inspection,
            title=N_("STARTTLS is masked on the way"),
        )
    if endpoint.starttls is Starttls.VANISHED:
        return failed(
            say("STARTTLS was offered on one connection and missing on the next."),
            remedy=say(
                "Look for several machines behind one address that are set up differently, or for "
                "a device that removes STARTTLS when many connections come from one address."
            ),
            title=N_("STARTTLS is missing on some connections"),
        )
    refusal = endpoint.survey.ehlo_refusal
    if refusal is not None:
        return failed(
            say("The server does not know EHLO: «{reply}».", reply=refusal.text),
            remedy=inspection,
            title=N_("The gateway does not know EHLO, and so no STARTTLS"),
        )
    if endpoint.starttls is Starttls.NOT_OFFERED:
        return failed(say("The complete EHLO reply does not offer STARTTLS."))
    if offers(endpoint.survey.capabilities or (), "STARTTLS"):
        return passed(say("STARTTLS is offered."))
    return dialogue_ended(endpoint)


@check(
    "SMTP03",
    on=receiving,
    passes=N_("The gateway accepts the STARTTLS command"),
    fails=N_("The gateway refuses the STARTTLS command"),
    asks=N_("Does the gateway accept the STARTTLS command?"),
    why=N_("An offer that is then refused leaves IncaMail without an encrypted way."),
    remedy=N_(
        "Read the gateway's log for the cause: a missing or unreadable certificate or key is the "
        "usual one; a firewall that blocks the command is another."
    ),
    clarify=GATEWAY_DIALOGUE,
    item="6.1",
    reference="RFC 3207 §4, §4.1",
    leg=Leg.ARRIVAL,
    requires=("SMTP02",),
    seen_from=SeenFrom.OUTSIDE,
)
def starttls_is_accepted(endpoint: EndpointFacts, _: Context) -> Result:
    """The STARTTLS command is answered by 220."""
    reply = endpoint.survey.starttls_reply
    if endpoint.starttls is Starttls.ACCEPTED:
        return passed(say("{reply}", reply=reply.text if reply else "220"))
    if endpoint.starttls is Starttls.REFUSED:
        return failed(say("STARTTLS is answered by «{reply}».", reply=reply.text if reply else "–"))
    return dialogue_ended(endpoint)


@check(
    "SMTP04",
    on=receiving,
    passes=N_("Nothing sent before TLS is obeyed inside TLS"),
    fails=N_("A command sent before TLS is obeyed inside TLS"),
    asks=N_("Is a command sent before TLS obeyed inside TLS?"),
    why=N_(
        "Otherwise an attacker on the way can slip commands into the protected dialogue "
        "(CVE-2011-0411)."
    ),
    remedy=N_("Update the mail server; it must discard its input buffer when TLS starts."),
    clarify=N_(
        "Look up whether this version of the mail server discards its input buffer when TLS "
        "starts (CVE-2011-0411), or measure again when the gateway lets the test through."
    ),
    item="6.2",
    reference="RFC 3207 §4.2; CVE-2011-0411",
    leg=Leg.ARRIVAL,
    requires=("SMTP03",),
)
def injection_is_impossible(endpoint: EndpointFacts, _: Context) -> Result:
    """A command smuggled in behind STARTTLS was not answered inside TLS."""
    found = endpoint.injection
    if found.is_yes:
        return failed(say("A smuggled command was obeyed: «{reply}».", reply=found.evidence))
    if found.is_no:
        return passed(say("A smuggled command was not obeyed."))
    if nobody_asked(endpoint, found):
        return not_applicable(say("The dossier asks not to test this."))
    why = reason_of(endpoint, found)
    return unknown(
        say("It could not be tested: {reason}.", reason=reason_text(why)),
        remedy=advice_on(endpoint, why),
    )


@check(
    "SMTP05",
    on=receiving,
    passes=N_("No plaintext follows the answer to STARTTLS"),
    fails=N_("Plaintext follows the answer to STARTTLS"),
    asks=N_("Does plaintext follow the answer to STARTTLS?"),
    why=N_("Bytes between the answer and the handshake may come from an attacker on the way."),
    remedy=N_("Update the mail server, and look for a device in between that adds text."),
    clarify=GATEWAY_DIALOGUE,
    item="6.2",
    reference="RFC 3207 §4, §4.2",
    leg=Leg.ARRIVAL,
    level=Level.RECOMMENDED,
    requires=("SMTP03",),
)
def no_plaintext_follows(endpoint: EndpointFacts, _: Context) -> Result:
    """The 220 to STARTTLS is the last plaintext."""
    extra = endpoint.survey.plaintext_after_starttls
    if extra:
        return failed(say("After the answer came: «{text}».", text=extra))
    return passed(say("The answer was the last plaintext."))


@check(
    "SMTP06",
    on=receiving,
    passes=N_("The gateway takes messages as large as IncaMail's"),
    fails=N_("The gateway's size limit is too low for IncaMail"),
    asks=N_("Does the gateway take messages as large as IncaMail's?"),
    why=N_(
        "IncaMail carries messages up to 30 MB, and encryption and encoding make them larger. A "
        "lower limit bounces the large ones."
    ),
    remedy=N_(
        "Raise the message size limit of the gateway, and of the mail server behind it, for mail "
        "from IncaMail. Encoding adds about 37 %: 42 MB suffice for 30 MB of content. A message "
        "that is delivered as an encrypted attachment (SAFE) may be twice as large."
    ),
    clarify=N_(
        "Look up the size limit in the settings of the gateway, and of the mail server behind it "
        "(Postfix: postconf message_size_limit; Exim: exim -bP message_size_limit)."
    ),
    item="6.1",
    reference="RFC 1870 §3, §4; RFC 2045 §6.8",
    leg=Leg.ARRIVAL,
    level=Level.RECOMMENDED,
    requires=("SMTP01",),
)
def size_limit_is_sufficient(endpoint: EndpointFacts, context: Context) -> Result:
    """SIZE is at least the platform's message limit once encoded; 0 means no fixed limit."""
    survey = endpoint.survey
    capabilities = survey.capabilities_in_tls or survey.capabilities
    if capabilities is None:
        return dialogue_ended(endpoint)
    wanted = context.facts.platform.message_limit_mb.value
    limit = size_limit(capabilities)
    if limit is None:
        return unknown(say("The gateway announces no size limit (SIZE is missing)."))
    if limit == 0:
        return passed(say("The gateway announces no fixed size limit."))
    megabytes = round(limit / MEGABYTE, 1)
    needed = math.ceil(wanted * BASE64_GROWTH)
    if limit < needed * MEGABYTE:
        return failed(
            say(
                "Limit {limit} MB; {wanted} MB of content need {needed} MB.",
                limit=megabytes,
                wanted=wanted,
                needed=needed,
            )
        )
    return passed(say("Limit {limit} MB.", limit=megabytes))


@check(
    "SMTP07",
    on=receiving,
    passes=N_("The gateway introduces itself with its full name"),
    fails=N_("The gateway does not introduce itself with its full name"),
    asks=N_("Does the gateway introduce itself with its full name?"),
    why=N_("Names without a domain, or masked ones, hinder diagnosis and cost reputation."),
    remedy=N_("Set the host name of the mail server to its full DNS name."),
    clarify=N_("Read the first line that the gateway sends: «nc HOST 25»."),
    item="6.2",
    reference="RFC 5321 §4.1.1.1, §4.2",
    leg=Leg.ARRIVAL,
    level=Level.INFO,
    requires=("SMTP01",),
)
def greeting_has_full_name(endpoint: EndpointFacts, _: Context) -> Result:
    """The first word of the greeting is a fully qualified name."""
    greeting = endpoint.survey.greeting
    words = greeting.lines[0].split() if greeting and greeting.lines else []
    if words and _FULL_NAME.match(words[0].lower()):
        return passed(say("{name}", name=words[0]))
    return failed(say("The greeting is «{text}».", text=greeting.text if greeting else "–"))
