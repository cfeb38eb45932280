"""Routing rules that leak or misroute, and fixed next hops."""

from __future__ import annotations

from incamail_lib.facts.routing import Engine, Method, NextHop, NextHopKind, RuleSet
from incamail_lib.i18n import N_
from incamail_lib.lab.scenario import DOMAIN_RULE, DnsPlan, Names, Scenario
from incamail_lib.lab.scenarios._words import NOT_READY, READY, codes
from incamail_lib.lab.setting import LOOPBACK, SUFFIX


def _to(next_hop: NextHop) -> RuleSet:
    return DOMAIN_RULE.model_copy(update={"next_hop": next_hop})


def _by_exim(method: Method, pattern: str) -> RuleSet:
    return RuleSet(
        default_relay="",
        method=method,
        next_hop=DOMAIN_RULE.next_hop,
        engine=Engine.EXIM_DECODED,
        suffix_key=DOMAIN_RULE.suffix_key,
        subject_pattern=pattern,
    )


def _by_postfix(pattern: str) -> RuleSet:
    return RuleSet(
        default_relay="",
        method=Method.SUBJECT,
        next_hop=DOMAIN_RULE.next_hop,
        engine=Engine.POSTFIX_REGEXP,
        subject_pattern=pattern,
    )


def suffix_without_mx(plan: DnsPlan, _: Names) -> DnsPlan:
    """The platform publishes no MX below its suffix."""
    return plan.replaced(f"*{SUFFIX}", "MX")


ROUTES = (
    Scenario(
        name="subject_rule_raw",
        title=N_("A subject rule reads the raw header"),
        description=N_(
            "The rule looks for «<im>» in the undecoded header, as Postfix's header_checks do. "
            "Encoded subjects slip through, and mail leaves unprotected."
        ),
        fails=codes("ROUT02 ROUT04 ROUT05 ROUT07 ROUT17"),
        verdict=NOT_READY,
        rules=_by_postfix("<im>"),
    ),
    Scenario(
        name="subject_rule_only",
        title=N_("Mail is recognised by its subject alone"),
        description=N_(
            "The rule looks for «<im>» in the decoded subject; the HTML add-in may write tags "
            "without it, and every recipient of a message goes the same way."
        ),
        fails=codes("ROUT02 ROUT05 ROUT07 ROUT17"),
        verdict=READY,
        rules=_by_exim(Method.SUBJECT, "(?i)<im>"),
    ),
    Scenario(
        name="anchored_subject_rule",
        title=N_("The subject rule misses replies"),
        description=N_(
            "The pattern is tied to the start of the subject, so that «AW: <im>…» leaves in clear."
        ),
        fails=codes("ROUT02 ROUT05 ROUT06 ROUT07 ROUT17"),
        verdict=NOT_READY,
        rules=_by_exim(Method.SUBJECT, "(?i)^<im>"),
    ),
    Scenario(
        name="refused_expression",
        title=N_("The mail server refuses the subject pattern"),
        description=N_(
            "The pattern «(?i)^Subject:.*<im>» stands in a table of type regexp:, which does not "
            "know «(?i)». Postfix skips the line, so that there is no rule at all."
        ),
        fails=codes("ROUT02 ROUT03 ROUT04 ROUT05 ROUT06 ROUT15 ROUT16 ROUT17"),
        verdict=NOT_READY,
        rules=_by_postfix("(?i)^Subject:.*<im>"),
    ),
    Scenario(
        name="exact_subject_rule",
        title=N_("The subject rule knows one spelling only"),
        description=N_(
            "The pattern «^Subject: <im>» allows exactly one blank before the tag: a second one, a "
            "line break or a reply prefix is enough to let the message leave in clear."
        ),
        fails=codes("ROUT02 ROUT04 ROUT05 ROUT06 ROUT07 ROUT16 ROUT17"),
        verdict=NOT_READY,
        rules=_by_postfix("^Subject: <im>"),
    ),
    Scenario(
        name="wide_subject_rule",
        title=N_("The subject rule selects ordinary mail"),
        description=N_("The pattern «im» lacks the brackets, so that many a German word matches."),
        fails=codes("ROUT05 ROUT07 ROUT12"),
        verdict=READY,
        rules=_by_exim(Method.BOTH, "(?i)im"),
    ),
    Scenario(
        name="plain_domain_rule",
        title=N_("Tagged mail without the suffix leaves in clear"),
        description=N_(
            "Mail is recognised by the suffix alone, and nothing stops a message whose author "
            "typed the tag and forgot the suffix."
        ),
        fails=codes("ROUT03"),
        verdict=READY,
        rules=DOMAIN_RULE.model_copy(update={"refuses_tag_without_suffix": False}),
    ),
    Scenario(
        name="no_rule",
        title=N_("Mail finds IncaMail by MX look-up alone"),
        description=N_(
            "There is no rule; the ordinary MX look-up brings suffixed mail to IncaMail, but "
            "nothing forces encryption."
        ),
        fails=codes("ROUT02 ROUT03"),
        verdict=READY,
        rules=RuleSet(method=Method.NONE, next_hop=NextHop(kind=NextHopKind.MX), default_relay=""),
    ),
    Scenario(
        name="no_route",
        title=N_("Nothing leads to IncaMail"),
        description=N_("There is no rule, and the name server knows no MX below the suffix."),
        fails=codes("ROUT01 ROUT02 ROUT03"),
        verdict=NOT_READY,
        rules=RuleSet(method=Method.NONE, next_hop=NextHop(kind=NextHopKind.MX), default_relay=""),
        dns=suffix_without_mx,
    ),
    Scenario(
        name="static_next_hop",
        title=N_("The next hop is a fixed address"),
        description=N_("Mail for IncaMail is handed to an IP address, which will change one day."),
        fails=codes("ROUT09"),
        verdict=READY,
        rules=_to(NextHop(kind=NextHopKind.STATIC, value=LOOPBACK)),
    ),
    Scenario(
        name="next_hop_missing",
        title=N_("The rule names no next hop"),
        description=N_("The rule hands mail to a fixed address, but the address was left out."),
        fails=codes("ROUT08"),
        verdict=NOT_READY,
        rules=_to(NextHop(kind=NextHopKind.STATIC)),
    ),
    Scenario(
        name="foreign_next_hop",
        title=N_("The rule hands mail to somebody else"),
        description=N_("The next hop is a relay that belongs neither to IncaMail nor the client."),
        fails=codes("ROUT10"),
        verdict=NOT_READY,
        rules=_to(NextHop(kind=NextHopKind.SMART_HOST, value="relay.hoster.example")),
    ),
)
