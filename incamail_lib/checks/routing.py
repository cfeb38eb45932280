"""ROUT: does the declared rule set bring every secure mail, and nothing else, to IncaMail?

Evidence are the fixed probes in `facts.routing` (facts/routing.py, `Probe`), classified under the
declared rules, and the client's own sample messages beside them.

Weights. A rule set that cannot do what it is there for is a required failure: a subject rule that
misses its own tag when the subject is encoded or a reply lets such mail leave in clear, and
nothing else catches it. What depends on a person bypassing the add-in (a tag typed by hand, no
suffix) is recommended under a suffix rule, because the guide itself offers that rule and the
add-in always appends the suffix. A leak in a sample of the client's own is required again: there
it is no longer possible but real.
"""

from __future__ import annotations

from incamail_lib.checks._core import (
    Check,
    Context,
    NotApplicable,
    Result,
    Subject,
    Subjects,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._routing_mx import with_mx
from incamail_lib.checks._routing_subject import (
    encoded_subjects_are_seen,
    engine_takes_the_expression,
    labels,
    long_encoded_words_are_seen,
    not_classified,
    other_spellings_are_recognised,
    others_are_not_dragged_along,
    probes,
    replies_are_recognised,
    routes_of,
    tagged_mail_is_never_clear,
    type_tags_are_recognised,
    untold,
    weight,
)
from incamail_lib.checks._routing_syntax import in_own_syntax
from incamail_lib.checks._subjects import organisation
from incamail_lib.checks.words import joined
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.routing import (
    MessageRouting,
    Method,
    NextHopKind,
    Probe,
    Route,
    Severity,
)
from incamail_lib.findings import Level
from incamail_lib.i18n import N_, Text, say
from incamail_lib.routing.engine import key_is_open

_LOOKALIKES = (Probe.LOOKALIKE_PREFIX, Probe.LOOKALIKE_INSIDE, Probe.LOOKALIKE_HOMOGRAPH)
_SUFFIXED = (Probe.TAGGED_SUFFIXED, Probe.SUFFIX_ONLY, Probe.SUFFIX_UPPER_CASE)


@check(
    "ROUT01",
    on=organisation,
    title=N_("Mail to suffixed addresses goes to IncaMail"),
    why=N_("The add-in appends .incamail.ch to the address; that is how mail finds IncaMail."),
    remedy=N_(
        "Enter the rule in your mail server's own words. Postfix, transport table: .incamail.ch "
        "smtp:[im.post.ch]. Exim: domains = *.incamail.ch and route_data = im.post.ch. Exchange: "
        "*.incamail.ch as address space or recipient domain of the connector. Cisco: smtproutes "
        ".incamail.ch im.post.ch. Without a rule, make sure that your server can look up the MX of "
        "domains below incamail.ch and that no default relay takes such mail."
    ),
    item="6.3",
    reference="Post MGI guide 8.1; RFC 5321 §5.1",
)
def suffixed_mail_reaches_incamail(facts: AuditFacts, _: Context) -> Result:
    """All suffixed probes go to IncaMail; where that rests on an MX look-up, the MX exists."""
    messages = probes(facts, *_SUFFIXED)
    routes = routes_of(messages)
    if not routes:
        return not_classified()
    lost = [route.recipient for route in routes if route.is_known and not route.to_incamail]
    if lost:
        return failed(
            say("Not routed to IncaMail: {addresses}.", addresses=joined(lost)),
            remedy=in_own_syntax(facts.declared.rules),
        )
    doubtful = untold(messages)
    if doubtful:
        return doubtful
    if any(route.rule == "suffix" for route in routes) and key_is_open(facts.declared.rules):
        return unknown(
            say(
                "The dossier does not say how the suffix stands in the mail server's table. In "
                "Postfix, *.incamail.ch as the guide prints it selects nothing."
            ),
            remedy=say(
                "Name the mail server in the dossier (routing, engine) and enter the suffix "
                "exactly as it stands in its table (routing, suffix_key)."
            ),
        )
    if not any(_by_suffix_mx(route) for route in routes):
        return passed(say("Suffixed addresses are routed to IncaMail, in upper case as well."))
    return with_mx(facts, by_no_rule=any(route.rule == "mx" for route in routes))


def _by_suffix_mx(route: Route) -> bool:
    hop = route.next_hop
    return hop is not None and hop.kind is NextHopKind.MX and not hop.value


@check(
    "ROUT02",
    on=organisation,
    title=N_("A rule names IncaMail, so that encryption can be forced"),
    why=N_(
        "Without a rule of its own, mail to IncaMail is treated like any other: encrypted if it "
        "happens to work, in clear if somebody on the way prevents it."
    ),
    remedy=N_(
        "Add a rule for the suffix (in Postfix's transport table: .incamail.ch, without an "
        "asterisk; in Exim and Exchange: *.incamail.ch) and force TLS with verification for its "
        "next hop. Where only the MX look-up is used, enter a TLS policy for .incamail.ch."
    ),
    item="6.3",
    reference="RFC 3207 §6; RFC 9325 §5.2; Post MGI guide 8.1",
    level=Level.RECOMMENDED,
)
def a_rule_names_incamail(facts: AuditFacts, _: Context) -> Result:
    """No suffixed probe takes the ordinary MX route. Recommended: guide 8.1 (a) allows it."""
    messages = probes(facts, *_SUFFIXED, Probe.TYPE_TAG_SUFFIXED, Probe.ENCODED_SUFFIXED)
    if not messages:
        return not_classified()
    loose = [m for m in messages if any(r.rule == "mx" for r in m.routes)]
    doubtful = untold(messages)
    if doubtful and not loose:
        return doubtful
    if not loose:
        return passed(say("Every suffixed address is selected by a rule of its own."))
    return failed(
        say(
            "No rule applies to suffixed mail with these subjects: {subjects}.",
            subjects=labels(loose),
        ),
        remedy=in_own_syntax(facts.declared.rules),
    )


@check(
    "ROUT08",
    on=organisation,
    title=N_("The rule names a host for all mail it selects"),
    why=N_(
        "A subject rule without a host looks up the recipient's own domain, which leads past "
        "IncaMail; a smart host without a name leads nowhere."
    ),
    remedy=N_("Enter IncaMail's smart host im.post.ch as the next hop of the rule."),
    item="6.3",
    reference="Post MGI guide 8.1; RFC 5321 §5.1",
)
def next_hop_is_named(facts: AuditFacts, _: Context) -> Result:
    """MX look-up suits the suffix only; smart host and address need a value."""
    rules = facts.declared.rules
    hop = rules.next_hop
    if rules.method is Method.NONE:
        return not_applicable(say("No rule is declared; the ordinary MX look-up applies."))
    if hop.value:
        return passed(say("Next hop: {host}.", host=hop.value))
    if hop.kind is not NextHopKind.MX:
        return failed(say("The rule hands mail to a fixed host, but no host is given."))
    if rules.method is Method.DOMAIN:
        return passed(say("The next hop is found by the MX of the suffixed domain."))
    return failed(
        say("The subject rule uses MX look-up without a host: unsuffixed mail leaves in clear."),
        level=weight(rules),
    )


@check(
    "ROUT09",
    on=organisation,
    title=N_("The next hop is found by its name"),
    why=N_("IncaMail's addresses can change; the guide advises against entering them as a route."),
    remedy=N_("Enter IncaMail's smart host by name, or use MX look-up."),
    item="6.3",
    reference="Post MGI guide 8.1",
    level=Level.RECOMMENDED,
    requires=("ROUT08",),
)
def next_hop_is_a_name(facts: AuditFacts, _: Context) -> Result:
    """The next hop is not an IP address, however it was declared."""
    routes = routes_of(probes(facts, Probe.TAGGED_SUFFIXED, Probe.TAGGED_UNSUFFIXED))
    if not routes:
        return not_classified()
    hop = facts.declared.rules.next_hop
    if any(h.code == "static_next_hop" for route in routes for h in route.hazards):
        return failed(say("The next hop is the fixed address {address}.", address=hop.value))
    return passed(say("The next hop is found by name or MX look-up."))


@check(
    "ROUT10",
    on=organisation,
    title=N_("The next hop belongs to IncaMail"),
    why=N_("Everything the rule selects is handed to this host, confidential content included."),
    remedy=N_(
        "Compare the next hop with the platform facts and the set-up document. If it is a gateway "
        "of your own that passes mail on to IncaMail, name it among your sending gateways."
    ),
    item="6.4",
    reference="Post MGI guide 6.4, 8.1",
    requires=("ROUT08",),
)
def next_hop_is_incamails(facts: AuditFacts, _: Context) -> Result:
    """The declared host or address is known as IncaMail's, or as a sending gateway of one's own."""
    value = facts.declared.rules.next_hop.value.strip("[] ").rstrip(".").lower()
    if not value:
        return passed(say("The next hop is found by the MX of the suffixed domain."))
    if value in _platform_hosts(facts):
        return passed(say("{host} is a host of IncaMail.", host=value))
    if any(value == g.host or value in g.addresses for g in facts.declared.sending):
        return passed(say("{host} is a sending gateway of your own.", host=value))
    return failed(say("{host} is not known as a host of IncaMail.", host=value))


def _platform_hosts(facts: AuditFacts) -> frozenset[str]:
    known = {facts.platform.smart_host.value}
    for gateway in facts.platform.gateways:
        known |= {gateway.host, *gateway.addresses}
    for host in facts.dns.platform_hosts:
        known |= {address.address for address in host.addresses}
    return frozenset(name.lower() for name in known)


@check(
    "ROUT11",
    on=organisation,
    title=N_("Look-alike domains are not taken for IncaMail"),
    why=N_(
        "A rule that compares only the letters «incamail.ch» without the dot before it also "
        "selects foreign domains such as notincamail.ch."
    ),
    remedy=N_("Write the suffix with its leading dot and let it match the end of the domain only."),
    item="6.3",
    reference="RFC 5321 §2.3.5; RFC 5890 §4.4",
)
def lookalikes_are_not_selected(facts: AuditFacts, _: Context) -> Result:
    """No look-alike, and not IncaMail's own domain either, is selected by a rule."""
    messages = probes(facts, *_LOOKALIKES, Probe.PLATFORM_ITSELF)
    routes = routes_of(messages)
    if not routes:
        return not_classified()
    caught = [route.recipient for route in routes if route.to_incamail]
    if caught:
        return failed(say("Selected by mistake: {addresses}.", addresses=joined(caught)))
    return untold(messages) or passed(say("Similar domains take the ordinary route."))


@check(
    "ROUT12",
    on=organisation,
    title=N_("Ordinary mail is not selected"),
    why=N_("A pattern that is too wide sends ordinary mail through IncaMail as Confidential."),
    remedy=N_("Write the tag with its angle brackets into the pattern, for example «<im>»."),
    item="6.3",
    reference="Post MGI guide 8.1",
    level=Level.RECOMMENDED,
)
def ordinary_mail_is_left_alone(facts: AuditFacts, _: Context) -> Result:
    """A subject full of words that begin with «im» takes the ordinary route."""
    messages = probes(facts, Probe.ORDINARY)
    if not messages:
        return not_classified()
    if any(route.to_incamail or route.refused for route in routes_of(messages)):
        return failed(say("Selected by mistake: «{subject}».", subject=messages[0].subject_decoded))
    return untold(messages) or passed(
        say("A message without tag and suffix takes the ordinary route.")
    )


@check(
    "ROUT13",
    on=organisation,
    title=N_("Addresses stay within the permitted length"),
    why=N_(
        "The suffix makes addresses longer; mail servers need not accept more than 64 octets "
        "before and 255 after the @ sign, and 256 for the whole path."
    ),
    remedy=N_("Use a shorter alias for this address, or send from the IncaMail web interface."),
    item="8.1",
    reference="RFC 5321 §4.5.3.1.1, §4.5.3.1.2, §4.5.3.1.3",
    level=Level.RECOMMENDED,
)
def addresses_stay_within_limits(facts: AuditFacts, _: Context) -> Result:
    """Neither the client's own domains, once suffixed, nor its samples exceed a limit."""
    if not probes(facts, Probe.OWN_DOMAIN_SUFFIXED):
        return not_classified()
    long = [
        f"{route.recipient[:60]} ({note.detail})"
        for route in routes_of(facts.routing)
        for note in route.hazards
        if note.code == "too_long"
    ]
    if long:
        return failed(say("Too long with the suffix: {addresses}.", addresses=joined(long, 4)))
    return passed(say("No address exceeds a limit once suffixed."))


def _samples(facts: AuditFacts) -> Subjects:
    own = [m for m in facts.routing if m.probe is None]
    if not own:
        return NotApplicable(say("The dossier contains no sample messages of your own."))
    return [Subject(message.label, message) for message in own]


@check(
    "ROUT14",
    on=_samples,
    title=N_("Your own sample messages go where they should"),
    why=N_("What your users really send shows best whether the rules fit."),
    remedy=N_(
        "Read the hazards listed for this message in the routing chapter and change the rule, or "
        "tell users how to address such a message."
    ),
    item="6.3",
    reference="Post MGI guide 8.1, 8.3",
)
def own_samples_are_safe(message: MessageRouting, _: Context) -> Result:
    """No leak (required) and nothing misrouted (recommended). No recipient: nothing to judge."""
    if not message.routes:
        return unknown(say("The message names no recipients."))
    for severity, level in (
        (Severity.LEAK, Level.REQUIRED),
        (Severity.MISROUTED, Level.RECOMMENDED),
    ):
        found = _worst(message, severity)
        if found:
            return failed(found, level=level)
    doubt = _worst(message, Severity.UNKNOWN)
    if doubt:
        return unknown(doubt)
    through = sum(route.to_incamail for route in message.routes)
    return passed(
        say(
            "{through} of {all} recipients are reached through IncaMail, the others as usual.",
            through=through,
            all=len(message.routes),
        )
    )


def _worst(message: MessageRouting, severity: Severity) -> Text | None:
    """The first hazard of this severity, told with its recipient."""
    for route in message.routes:
        for note in route.hazards:
            if note.severity is severity:
                meaning = note.text or note.code
                return say("{recipient}: {hazard}", recipient=route.recipient, hazard=meaning)
    of_message = next((n for n in message.hazards if n.severity is severity), None)
    return (of_message.text or Text(template=of_message.code)) if of_message else None


CHECKS: tuple[Check, ...] = (
    suffixed_mail_reaches_incamail,
    a_rule_names_incamail,
    tagged_mail_is_never_clear,
    encoded_subjects_are_seen,
    type_tags_are_recognised,
    replies_are_recognised,
    others_are_not_dragged_along,
    next_hop_is_named,
    next_hop_is_a_name,
    next_hop_is_incamails,
    lookalikes_are_not_selected,
    ordinary_mail_is_left_alone,
    addresses_stay_within_limits,
    own_samples_are_safe,
    engine_takes_the_expression,
    other_spellings_are_recognised,
    long_encoded_words_are_seen,
)
