"""NET: was it measured from where it counts, and may this place use port 25?"""

from __future__ import annotations

from incamail_lib.checks._core import (
    MEASURE_ON_THE_GATEWAY,
    MEASURE_OUTSIDE,
    Context,
    NotApplicable,
    Result,
    SeenFrom,
    Subject,
    Subjects,
    check,
    counts,
    failed,
    passed,
    unknown,
)
from incamail_lib.checks._subjects import organisation
from incamail_lib.checks.words import joined, place_text
from incamail_lib.facts.audit import AuditFacts, Place, Vantage
from incamail_lib.facts.observation import Observation
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, Text, say, say_n
from incamail_lib.reach import AddressKind, kind_of


def where_told(vantage: Vantage) -> Text:
    """From where it was measured, as a sentence."""
    if vantage.on_lab:
        return say("Measured on the embedded lab, which plays every part.")
    if not vantage.machine:
        return say("Measured {place}.", place=place_text(vantage.place))
    return say(
        "Measured {place}, by the machine {machine}.",
        place=place_text(vantage.place),
        machine=vantage.machine,
    )


def _not_said() -> Result:
    return unknown(
        say("Nobody said where it was measured."),
        remedy=say(
            "Say it in the dossier (network.vantage) or with --vantage: gateway, inside or "
            "elsewhere. Then measure again."
        ),
    )


@check(
    "NET07",
    on=organisation,
    passes=N_("The way to IncaMail was measured where it begins"),
    fails=N_("The way to IncaMail was not measured where it begins"),
    asks=N_("Was the way to IncaMail measured where it begins?"),
    why=N_(
        "A device in the organisation's own outgoing path is met from its network only, and "
        "IncaMail must accept the certificate from there. Another place proves neither."
    ),
    remedy=MEASURE_ON_THE_GATEWAY,
    clarify=MEASURE_ON_THE_GATEWAY,
    item="8.4",
    reference="Post MGI guide 8.4",
    leg=Leg.LINK,
)
def outgoing_way_was_measured_at_its_beginning(facts: AuditFacts, _: Context) -> Result:
    """The machine stood on the gateway, or behind the same firewall."""
    if counts(SeenFrom.CLIENT, facts):
        return passed(where_told(facts.vantage))
    undeclared = facts.vantage.place is Place.UNDECLARED
    seen = say("Nobody said where it was measured.") if undeclared else where_told(facts.vantage)
    return unknown(seen)


@check(
    "NET08",
    on=organisation,
    passes=N_("The receiving gateways were looked at from outside"),
    fails=N_("The receiving gateways were not looked at from outside"),
    asks=N_("Were the receiving gateways looked at from outside?"),
    why=N_(
        "IncaMail delivers from the Internet, through the organisation's firewall. From inside "
        "that firewall is not met, and a closed port is not noticed."
    ),
    remedy=MEASURE_OUTSIDE,
    clarify=MEASURE_OUTSIDE,
    item="8.2",
    reference="Post MGI guide 8.2",
    leg=Leg.ARRIVAL,
)
def receiving_side_was_looked_at_from_outside(facts: AuditFacts, _: Context) -> Result:
    """The machine stood outside; one that holds a gateway's own address did not."""
    vantage = facts.receiving_vantage
    if vantage.on_lab:
        return passed(where_told(vantage))
    if vantage.place is Place.UNDECLARED:
        return _not_said()
    own = {address.partition("/")[0] for address in vantage.addresses}
    answered = [e.target.address for e in facts.receiving if e.survey.reached is not None]
    ours = [a for a in answered if a in own or kind_of(a) is AddressKind.LOOPBACK]
    if vantage.place is Place.ELSEWHERE and ours:
        return unknown(
            say("Declared as elsewhere, but the machine itself has {names}.", names=joined(ours))
        )
    answer = passed if counts(SeenFrom.OUTSIDE, facts) else unknown
    return answer(where_told(vantage))


def _places(facts: AuditFacts) -> Subjects[Vantage]:
    vantages = [facts.vantage]
    if facts.receiving_from is not None:
        vantages.append(facts.receiving_from.vantage)
    known = [v for v in vantages if v.port_25 is not None]
    if not known:
        return NotApplicable(say("No public address was tried on port 25."))
    return [Subject(v.machine, v) for v in known]


@check(
    "NET09",
    on=_places,
    passes=N_("Port 25 is open from the place of measurement"),
    fails=N_("Port 25 is probably blocked at the place of measurement"),
    asks=N_("Is port 25 open from the place of measurement?"),
    why=N_(
        "Many providers and firewalls block port 25 for ordinary computers. Then every mail "
        "server seems silent, and none of them is to blame."
    ),
    remedy=N_(
        "On the sending gateway: open outgoing port 25 in the firewall. Elsewhere: measure from a "
        "machine whose provider allows port 25."
    ),
    clarify=N_(
        "Try from here a mail server that is known to answer, such as your provider's: «nc -vz "
        "HOST 25». If it does not answer either, port 25 is blocked here."
    ),
    item="6.4",
    reference="RFC 5321 §4.5.4.2",
    leg=Leg.LINK,
    level=Level.RECOMMENDED,
)
def port_is_open_from_here(vantage: Vantage, _: Context) -> Result:
    """Some machine took a connection. Where none of two parties did, the block is near by."""
    return port_25_told(vantage)


def port_25_told(vantage: Vantage) -> Result:
    """What can be concluded about port 25 without asking anybody else."""
    seen = vantage.port_25
    if seen is None or not seen.is_known:
        return unknown(
            say_n(
                "The one address tried took no connection to port 25. A block near by and a "
                "silent server look alike from here.",
                "None of the {n} addresses tried took a connection to port 25. A block near by and "
                "a silent server look alike from here.",
                _count(seen),
            )
        )
    if seen.is_yes:
        return passed(say("{server} took a connection.", server=seen.evidence))
    return failed(
        say_n(
            "The one address tried took no connection to port 25, although the DNS answers. Port "
            "25 is probably blocked here.",
            "None of the {n} addresses tried, the organisation's and IncaMail's, took a connection "
            "to port 25, although the DNS answers. Port 25 is probably blocked here.",
            _count(seen),
        )
    )


def _count(seen: Observation | None) -> int:
    """How many addresses were tried, as the observation keeps it."""
    return int(seen.evidence) if seen is not None and seen.evidence.isdecimal() else 0
