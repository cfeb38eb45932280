"""Routing rules that leak or misroute, and fixed next hops."""

from __future__ import annotations

from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet, SubjectView
from incamail_lib.i18n import N_
from incamail_lib.lab.scenario import DOMAIN_RULE, Scenario
from incamail_lib.lab.scenarios._words import NOT_READY, codes
from incamail_lib.lab.setting import LOOPBACK

ROUTES = (
    Scenario(
        name="subject_rule_raw",
        title=N_("A subject rule reads the raw header"),
        description=N_(
            "The rule looks for «<im>» in the undecoded header, as Postfix's header_checks do. "
            "Encoded subjects slip through, and mail leaves unprotected."
        ),
        fails=codes(),
        verdict=NOT_READY,
        rules=RuleSet(
            method=Method.SUBJECT,
            next_hop=DOMAIN_RULE.next_hop,
            subject_view=SubjectView.RAW,
        ),
    ),
    Scenario(
        name="subject_rule_only",
        title=N_("Mail is recognised by its subject alone"),
        description=N_(
            "The rule looks for «<im>» in the decoded subject; the HTML add-in may write tags "
            "without it, and every recipient of a message goes the same way."
        ),
        fails=codes(),
        verdict=NOT_READY,
        rules=RuleSet(method=Method.SUBJECT, next_hop=DOMAIN_RULE.next_hop),
    ),
    Scenario(
        name="no_rule",
        title=N_("Nothing routes mail to IncaMail"),
        description=N_("There is no rule and the MX look-up is not used for the suffix either."),
        fails=codes(),
        verdict=NOT_READY,
        rules=RuleSet(method=Method.NONE, next_hop=NextHop(kind=NextHopKind.MX)),
    ),
    Scenario(
        name="static_next_hop",
        title=N_("The next hop is a fixed address"),
        description=N_("Mail for IncaMail is handed to an IP address, which will change one day."),
        fails=codes(),
        verdict=NOT_READY,
        rules=RuleSet(
            method=Method.DOMAIN, next_hop=NextHop(kind=NextHopKind.STATIC, value=LOOPBACK)
        ),
    ),
)
