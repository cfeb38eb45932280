"""The facts of an endpoint that was not contacted: nobody allowed it, or its owner minds."""

from __future__ import annotations

import datetime as dt

from incamail_lib.facts.observation import Reason, inconclusive
from incamail_lib.facts.smtp import (
    ClientAuthFacts,
    EndpointFacts,
    Purpose,
    SmtpFacts,
    Stage,
    Target,
)
from incamail_lib.reach import kind_of


def untouched(
    target: Target, now: dt.datetime, why: Reason = Reason.NOT_CONTACTED
) -> EndpointFacts:
    """Nothing is known of `target` but where it lies; not a packet went there."""
    unseen = inconclusive(why)
    survey = SmtpFacts(
        purpose=Purpose.SURVEY,
        started_at=now,
        elapsed_s=0.0,
        reached=None,
        ended=why,
        ended_in=Stage.CONNECT,
        evidence=kind_of(target.address).value if why is Reason.NOT_CONTACTED else "",
    )
    return EndpointFacts(
        target=target,
        connections=(survey,),
        client_auth=ClientAuthFacts(
            requested=unseen,
            demanded=unseen,
            own_accepted=unseen,
            foreign_accepted=unseen,
            verified=unseen,
        ),
        legacy=unseen,
        injection=unseen,
    )
