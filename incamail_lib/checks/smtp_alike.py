"""SMTP08: do all receiving gateways behave alike?"""

from __future__ import annotations

from collections.abc import Callable, Iterable

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
from incamail_lib.checks._endpoints import agreed
from incamail_lib.checks.words import joined
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.ehlo import size_limit
from incamail_lib.facts.smtp import EndpointFacts, Starttls
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, say


def _alike(facts: AuditFacts) -> Subjects[tuple[EndpointFacts, ...]]:
    if len(facts.receiving) < 2:
        return NotApplicable(say("There is only one receiving address."))
    return [Subject("", facts.receiving)]


_UNSEEN = object()


def _starttls_of(endpoint: EndpointFacts) -> object:
    return _UNSEEN if endpoint.starttls is Starttls.UNKNOWN else endpoint.starttls


def _version_of(endpoint: EndpointFacts) -> object:
    tls = agreed(endpoint)
    if tls is not None:
        return tls.version
    return _UNSEEN if endpoint.starttls in (Starttls.ACCEPTED, Starttls.UNKNOWN) else ""


def _asking_of(endpoint: EndpointFacts) -> object:
    asks = endpoint.client_auth.requested
    if asks.is_known:
        return asks.answer
    return _UNSEEN if endpoint.starttls in (Starttls.ACCEPTED, Starttls.UNKNOWN) else ""


def _size_of(endpoint: EndpointFacts) -> object:
    capabilities = endpoint.survey.capabilities
    return _UNSEEN if capabilities is None else size_limit(capabilities)


_TRAITS: tuple[Callable[[EndpointFacts], object], ...] = (
    _starttls_of,
    _version_of,
    _asking_of,
    _size_of,
)


def _fewest(groups: Iterable[list[str]]) -> list[str]:
    return sorted(groups, key=len)[0]


@check(
    "SMTP08",
    on=_alike,
    passes=N_("All receiving gateways behave alike"),
    fails=N_("The receiving gateways do not behave alike"),
    asks=N_("Do all receiving gateways behave alike?"),
    why=N_("IncaMail may use any of them; the weakest decides."),
    remedy=N_("Set all gateways up in the same way: STARTTLS, TLS versions, size limits."),
    clarify=N_(
        "First put right what other findings say of the addresses that could not be examined, "
        "then measure again; or compare the settings of the machines."
    ),
    item="6.1",
    reference="RFC 5321 §5.1",
    leg=Leg.ARRIVAL,
    level=Level.RECOMMENDED,
)
def gateways_are_alike(endpoints: tuple[EndpointFacts, ...], _: Context) -> Result:
    """STARTTLS, TLS version, request for a client certificate and size are the same everywhere.

    What was not seen of one gateway neither agrees nor differs: without a difference elsewhere
    it leaves the question open.
    """
    unequal: set[str] = set()
    complete = True
    for look in _TRAITS:
        shown: dict[object, list[str]] = {}
        for endpoint in endpoints:
            trait = look(endpoint)
            complete = complete and trait is not _UNSEEN
            if trait is not _UNSEEN:
                shown.setdefault(trait, []).append(endpoint.target.host)
        if len(shown) > 1:
            unequal.update(_fewest(shown.values()))
    if unequal:
        return failed(say("Different from the others: {hosts}.", hosts=joined(sorted(unequal))))
    if not complete:
        return unknown(say("Not every receiving address could be examined."))
    return passed(say("They agree on STARTTLS, client certificates and size."))
