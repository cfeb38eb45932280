"""When an authority stops issuing clientAuth, told for the renewal of one certificate."""

from __future__ import annotations

import datetime as dt

from incamail_lib.checks._core import Result, failed, unknown
from incamail_lib.facts.certificate import CertificateFacts
from incamail_lib.findings import Level
from incamail_lib.guide.ca_policy import ca_policy
from incamail_lib.i18n import N_, say

_NOT_KNOWN = N_(
    "It ends on {renewal}. When {issuer} stops issuing clientAuth is not known; it does so on "
    "{last} at the latest ({rule})."
)
_ASK_ISSUER = N_("Ask your authority until when it issues certificates with the usage clientAuth.")
_AT_THE_LATEST = N_(
    "It ends on {renewal}; {issuer} stops issuing clientAuth on {last} at the latest ({rule})."
)
_CONTRADICTORY = N_(
    "It ends on {renewal}. Sources contradict each other on when {authority} stops issuing "
    "clientAuth: {last} or {other}."
)
_ONE_MORE = N_(
    "One more renewal (by {renewal}) can keep clientAuth; {authority} ends it on {last}."
)


def renewal_of(leaf: CertificateFacts, ends_on: dt.date) -> Result:
    """Whether a certificate that ends on that day can be had again with clientAuth."""
    policy = ca_policy()
    end = policy.end_of_client_auth(leaf.issuer_o)
    told = {
        "renewal": ends_on.isoformat(),
        "authority": end.authority,
        "issuer": ", ".join(leaf.issuer_o) or leaf.issuer or "–",
        "last": end.told_date,
        "rule": policy.root_programme.authority,
    }
    if not end.known and ends_on < end.ends_on:
        return unknown(say(_NOT_KNOWN, **told), remedy=say(_ASK_ISSUER))
    if not end.known:
        return failed(say(_AT_THE_LATEST, **told))
    if end.contradicted_by is not None and end.ends_on <= ends_on < end.contradicted_by:
        other = end.contradicted_by.isoformat()
        title = N_("Use as a client may end with the next renewal")
        return failed(say(_CONTRADICTORY, **told, other=other), title=title)
    if ends_on >= end.ends_on:
        return failed(
            say("It ends on {renewal}; {authority} issues clientAuth until {last} only.", **told)
        )
    title = N_("Use as a client survives one more renewal at most")
    return failed(say(_ONE_MORE, **told), level=Level.INFO, title=title)
