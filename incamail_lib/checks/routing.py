"""ROUT: does the declared rule set bring every secure mail, and nothing else, to IncaMail?

Evidence are the fixed probes in `facts.routing` (`StandardSample`), classified under the declared
rules, and the client's own sample messages beside them.

Weights. A rule set that cannot do what it is there for is a required failure: a subject rule that
misses its own tag when the subject is encoded or a reply lets such mail leave in clear, and
nothing else catches it. What depends on a person bypassing the add-in (a tag typed by hand, no
suffix) is recommended under a suffix rule, because the guide itself offers that rule and the
add-in always appends the suffix. A leak in a sample of the client's own is required again: there
it is no longer possible but real.
"""

from __future__ import annotations

from incamail_lib.checks._advice import DECIDE_RULES, NOT_CLASSIFIED
from incamail_lib.checks._core import (
    Context,
    NotApplicable,
    Result,
    Subject,
    Subjects,
    check,
    failed,
    passed,
    unknown,
)
from incamail_lib.checks._routing_messages import subject_of, subjects
from incamail_lib.checks._routing_mx import with_mx
from incamail_lib.checks._routing_subject import (
    not_classified,
    probes,
    routes_of,
    untold,
)
from incamail_lib.checks._routing_syntax import in_own_syntax
from incamail_lib.checks._subjects import organisation
from incamail_lib.checks.words import joined
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.routing import (
    MessageRouting,
    NextHopKind,
    Route,
    Severity,
    StandardSample,
)
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, Text, say, say_n
from incamail_lib.routing.engine import key_is_open

_LOOKALIKES = (
    StandardSample.LOOKALIKE_PREFIX,
    StandardSample.LOOKALIKE_INSIDE,
    StandardSample.LOOKALIKE_HOMOGRAPH,
)
_SUFFIXED = (
    StandardSample.TAGGED_SUFFIXED,
    StandardSample.SUFFIX_ONLY,
    StandardSample.SUFFIX_UPPER_CASE,
)


@check(
    "ROUT01",
    on=organisation,
    passes=N_("Mail to suffixed addresses goes to IncaMail"),
    fails=N_("Mail to suffixed addresses does not reach IncaMail"),
    asks=N_("Does mail to suffixed addresses reach IncaMail?"),
    why=N_("The add-in appends .incamail.ch to the address; that is how mail finds IncaMail."),
    remedy=N_(
        "Enter the rule in your mail server's own words. Postfix, transport table: .incamail.ch "
        "smtp:[im.post.ch]. Exim: domains = *.incamail.ch and route_data = im.post.ch. Exchange: "
        "*.incamail.ch as address space or recipient domain of the connector. Cisco: smtproutes "
        ".incamail.ch im.post.ch. Without a rule, make sure that your server can look up the MX of "
        "domains below incamail.ch and that no default relay takes such mail."
    ),
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="Post MGI guide 8.1; RFC 5321 §5.1",
    leg=Leg.ROUTE,
)
def suffixed_mail_reaches_incamail(facts: AuditFacts, _: Context) -> Result:
    """All suffixed probes go to IncaMail; where that rests on an MX look-up, the MX exists."""
    messages = probes(facts, *_SUFFIXED)
    routes = routes_of(messages)
    if not routes:
        return _undecided(facts) or not_classified()
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


def _undecided(facts: AuditFacts) -> Result | None:
    if "routing.method" not in facts.declared.undecided:
        return None
    return unknown(
        say("Nobody has decided yet how mail for IncaMail is recognised."),
        remedy=say(DECIDE_RULES),
    )


def _by_suffix_mx(route: Route) -> bool:
    hop = route.next_hop
    return hop is not None and hop.kind is NextHopKind.MX and not hop.value


@check(
    "ROUT02",
    on=organisation,
    passes=N_("A rule names IncaMail, so that encryption can be forced"),
    fails=N_("No rule names IncaMail: suffixed mail goes by DNS alone"),
    asks=N_("Does a rule name IncaMail for all suffixed mail?"),
    why=N_(
        "Without a rule of its own, mail to IncaMail is treated like any other: encrypted if it "
        "happens to work, in clear if somebody on the way prevents it."
    ),
    remedy=N_(
        "Add a rule for the suffix (in Postfix's transport table: .incamail.ch, without an "
        "asterisk; in Exim and Exchange: *.incamail.ch) and force TLS with verification for its "
        "next hop. Where only the MX look-up is used, enter a TLS policy for .incamail.ch."
    ),
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="RFC 3207 §6; RFC 9325 §5.2; Post MGI guide 8.1",
    leg=Leg.ROUTE,
    level=Level.RECOMMENDED,
)
def a_rule_names_incamail(facts: AuditFacts, _: Context) -> Result:
    """No suffixed probe takes the ordinary MX route. Recommended: guide 8.1 (a) allows it."""
    messages = probes(
        facts, *_SUFFIXED, StandardSample.TYPE_TAG_SUFFIXED, StandardSample.ENCODED_SUFFIXED
    )
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
            subjects=subjects(loose),
        ),
        remedy=in_own_syntax(facts.declared.rules),
    )


@check(
    "ROUT11",
    on=organisation,
    passes=N_("Look-alike domains are not taken for IncaMail"),
    fails=N_("Other domains are taken for IncaMail"),
    asks=N_("Are look-alike domains taken for IncaMail?"),
    why=N_(
        "A rule that compares only the letters «incamail.ch» without the dot before it also "
        "selects foreign domains such as notincamail.ch."
    ),
    remedy=N_("Write the suffix with its leading dot and let it match the end of the domain only."),
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="RFC 5321 §2.3.5; RFC 5890 §4.4",
    leg=Leg.ROUTE,
)
def lookalikes_are_not_selected(facts: AuditFacts, _: Context) -> Result:
    """No look-alike, and not IncaMail's own domain either, is selected by a rule."""
    messages = probes(facts, *_LOOKALIKES, StandardSample.PLATFORM_ITSELF)
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
    passes=N_("Ordinary mail is not selected"),
    fails=N_("Ordinary mail is selected as well"),
    asks=N_("Is ordinary mail left alone?"),
    why=N_("A pattern that is too wide sends ordinary mail through IncaMail as Confidential."),
    remedy=N_("Write the tag with its angle brackets into the pattern, for example «<im>»."),
    clarify=NOT_CLASSIFIED,
    item="6.3",
    reference="Post MGI guide 8.1",
    leg=Leg.ROUTE,
    level=Level.RECOMMENDED,
)
def ordinary_mail_is_left_alone(facts: AuditFacts, _: Context) -> Result:
    """A subject full of words that begin with «im» takes the ordinary route."""
    messages = probes(facts, StandardSample.ORDINARY)
    if not messages:
        return not_classified()
    if any(route.to_incamail or route.refused for route in routes_of(messages)):
        return failed(say("Selected by mistake: «{subject}».", subject=subject_of(messages[0])))
    return untold(messages) or passed(
        say("A message without tag and suffix takes the ordinary route.")
    )


@check(
    "ROUT13",
    on=organisation,
    passes=N_("Addresses stay within the permitted length"),
    fails=N_("Addresses become too long with the suffix"),
    asks=N_("Do addresses stay within the permitted length?"),
    why=N_(
        "The suffix makes addresses longer; mail servers need not accept more than 64 octets "
        "before and 255 after the @ sign, and 256 for the whole path."
    ),
    remedy=N_("Use a shorter alias for this address, or send from the IncaMail web interface."),
    clarify=NOT_CLASSIFIED,
    item="8.1",
    reference="RFC 5321 §4.5.3.1.1, §4.5.3.1.2, §4.5.3.1.3",
    leg=Leg.ROUTE,
    level=Level.RECOMMENDED,
)
def addresses_stay_within_limits(facts: AuditFacts, _: Context) -> Result:
    """Neither the client's own domains, once suffixed, nor its samples exceed a limit."""
    if not probes(facts, StandardSample.OWN_DOMAIN_SUFFIXED):
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


def _samples(facts: AuditFacts) -> Subjects[MessageRouting]:
    if "routing.method" in facts.declared.undecided:
        return NotApplicable(say("Nobody has decided yet how mail for IncaMail is recognised."))
    own = [m for m in facts.routing if m.probe is None]
    if not own:
        return NotApplicable(say("The dossier contains no sample messages of your own."))
    return [Subject(message.label, message) for message in own]


@check(
    "ROUT14",
    on=_samples,
    passes=N_("Your own sample messages go where they should"),
    fails=N_("A sample message does not go where it should"),
    asks=N_("Do your own sample messages go where they should?"),
    why=N_("What your users really send shows best whether the rules fit."),
    remedy=N_(
        "Read the hazards listed for this message in the routing chapter and change the rule, or "
        "tell users how to address such a message."
    ),
    clarify=N_(
        "Read what the routing chapter says of this message, send one like it to a mailbox of "
        "your own, and look in the mail server's log which way it took."
    ),
    item="6.3",
    reference="Post MGI guide 8.1, 8.3",
    leg=Leg.ROUTE,
)
def own_samples_are_safe(message: MessageRouting, _: Context) -> Result:
    """No leak (required) and nothing misrouted (recommended). No recipient: nothing to judge."""
    if not message.routes:
        return unknown(
            say("The message names no recipients."),
            remedy=say(
                "Name its recipients in the dossier (samples: recipients), or save the message "
                "with its To and Cc lines."
            ),
        )
    for severity, level in (
        (Severity.LEAK, Level.REQUIRED),
        (Severity.MISROUTED, Level.RECOMMENDED),
    ):
        found = _worst(message, severity)
        if found:
            leaks = severity is Severity.LEAK
            title = N_("A sample message of your own leaves in clear") if leaks else ""
            return failed(found, level=level, title=title)
    doubt = _worst(message, Severity.UNKNOWN)
    if doubt:
        return unknown(doubt)
    return passed(_told_routes(message))


def _told_routes(message: MessageRouting) -> Text:
    """How many recipients are reached through IncaMail, and how many as usual."""
    total = len(message.routes)
    through = sum(route.to_incamail for route in message.routes)
    if through == total:
        return say_n(
            "The recipient is reached through IncaMail.",
            "All {n} recipients are reached through IncaMail.",
            total,
        )
    if not through:
        return say_n(
            "The recipient is reached as usual, not through IncaMail.",
            "All {n} recipients are reached as usual, not through IncaMail.",
            total,
        )
    return say_n(
        "{n} recipient of {total} is reached through IncaMail, the others as usual.",
        "{n} recipients of {total} are reached through IncaMail, the others as usual.",
        through,
        total=total,
    )


def _worst(message: MessageRouting, severity: Severity) -> Text | None:
    """The first hazard of this severity, told with its recipient."""
    for route in message.routes:
        for note in route.hazards:
            if note.severity is severity:
                meaning = note.text or note.code
                return say(
                    "A message to {recipient} with the subject «{subject}»: {hazard}",
                    recipient=route.recipient,
                    subject=subject_of(message),
                    hazard=meaning,
                )
    of_message = next((n for n in message.hazards if n.severity is severity), None)
    return (of_message.text or Text(template=of_message.code)) if of_message else None
