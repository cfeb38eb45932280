"""Situations in which nothing required is missing, however unusual they look."""

from __future__ import annotations

from incamail_lib.facts.audit import IncomingRoute
from incamail_lib.facts.routing import Engine, Method, NextHopKind, RuleSet
from incamail_lib.i18n import N_
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.plan import Greeting, Refusal, Version
from incamail_lib.lab.scenario import (
    ANY_TAG,
    DOMAIN_RULE,
    Scenario,
    as_is,
    asking,
    changing,
    showing,
    speaking,
)
from incamail_lib.lab.scenarios._words import READY, codes

SOUND = (
    Scenario(
        name="sound",
        title=N_("Everything is in order"),
        description=N_(
            "TLS 1.3, mutual authentication in both directions, routing by domain, complete "
            "chains and a good name server."
        ),
        fails=codes(),
        verdict=READY,
    ),
    Scenario(
        name="sound_tls12",
        title=N_("In order with TLS 1.2 only"),
        description=N_(
            "Neither side speaks TLS 1.3 yet. TLS 1.2 is still allowed, and a refusal would "
            "already show during the handshake."
        ),
        fails=codes("TLS02 TLS08"),
        verdict=READY,
        gateways=(speaking(maximum=Version.TLS_1_2),),
        platform=speaking(maximum=Version.TLS_1_2),
    ),
    Scenario(
        name="sound_two_gateways",
        title=N_("In order with two gateways"),
        description=N_("Two exchangers of different preference receive mail; both are sound."),
        fails=codes(),
        verdict=READY,
        gateways=(as_is, as_is),
    ),
    Scenario(
        name="sound_subject_and_suffix",
        title=N_("In order with a rule on suffix and subject"),
        description=N_(
            "Mail is recognised by the suffix and, in addition, by the decoded subject; the "
            "pattern covers the tags with and without «<im>». A subject rule still takes along "
            "recipients who were not chosen."
        ),
        fails=codes("ROUT07"),
        verdict=READY,
        rules=RuleSet(
            method=Method.BOTH,
            next_hop=DOMAIN_RULE.next_hop,
            engine=Engine.EXIM_DECODED,
            suffix_key="*.incamail.ch",
            subject_pattern=ANY_TAG,
        ),
    ),
    Scenario(
        name="sound_static_host_name",
        title=N_("In order with a fixed host name for incoming mail"),
        description=N_(
            "IncaMail finds the gateway by a host name from the set-up document, not by MX."
        ),
        fails=codes(),
        verdict=READY,
        incoming=IncomingRoute(kind=NextHopKind.SMART_HOST, value="{host}"),
    ),
    Scenario(
        name="sound_slow_greeting",
        title=N_("In order behind a slow greeting"),
        description=N_(
            "The gateway holds senders back with a first greeting line and a pause, as Postfix's "
            "postscreen does. Tools that are impatient call this a fault."
        ),
        fails=codes(),
        verdict=READY,
        gateways=(
            changing(
                greeting=Greeting(("220-{host} please wait", "220 {host} ESMTP"), pause_s=0.12)
            ),
        ),
    ),
    Scenario(
        name="sound_no_ca_names",
        title=N_("In order although no authorities are named"),
        description=N_(
            "Both sides ask for a certificate with an empty list of authorities. That is legal "
            "and means that any authority may be tried; it is not the same as not asking."
        ),
        fails=codes(),
        verdict=READY,
        gateways=(asking(names_its_cas=False),),
        platform=asking(names_its_cas=False),
    ),
    Scenario(
        name="sound_platform_asks_at_mail",
        title=N_("In order with a demand made in SMTP"),
        description=N_(
            "The platform lets everybody through TLS and refuses senders without a certificate "
            "only at MAIL. The client shows a good certificate."
        ),
        fails=codes(),
        verdict=READY,
        platform=asking(refusal=Refusal.AT_MAIL_530),
    ),
    Scenario(
        name="sound_wildcard",
        title=N_("In order with a wildcard certificate"),
        description=N_("The gateway's certificate is made out for all hosts of the domain."),
        fails=codes(),
        verdict=READY,
        gateways=(showing(Variant.WILDCARD),),
    ),
)
