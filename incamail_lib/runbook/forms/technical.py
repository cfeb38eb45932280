"""Which fields of the dossier are asked in which phase."""

from __future__ import annotations

from typing import Any, TypedDict

from incamail_lib.facts.routing import ENGINE_NAMES, Engine
from incamail_lib.i18n import N_
from incamail_lib.runbook.forms.fields import Field, confirmed
from incamail_lib.runbook.forms.shape import Width


class _Wide(TypedDict):
    width: Width


_HALF: _Wide = {"width": "half"}
_OPEN = ("", N_("not decided yet"))
_METHODS = (
    _OPEN,
    ("domain", N_("by the recipient's domain suffix")),
    ("subject", N_("by the subject")),
    ("both", N_("by suffix and by subject")),
    ("none", N_("no rule")),
)
_HOPS = (("mx", N_("MX look-up")), ("smart_host", N_("host name")), ("static", N_("fixed address")))
_PLACES = (
    ("undeclared", N_("not declared yet")),
    ("gateway", N_("on the sending gateway")),
    ("inside", N_("in the organisation's network, behind the same firewall")),
    ("elsewhere", N_("elsewhere, outside the organisation's network")),
)
_VIEWS = (
    ("not_said", N_("not said")),
    ("decoded", N_("the decoded subject")),
    ("raw", N_("the raw header line")),
)
_ENGINES = (
    (Engine.NOT_KNOWN.value, N_("not known")),
    *((engine.value, name) for engine, name in ENGINE_NAMES.items()),
)


def _gateway_line(gateway: dict[str, Any]) -> str:
    addresses = " ".join(gateway.get("addresses") or ())
    return f"{gateway['host']} {addresses}".strip()


def _gateway(line: str) -> dict[str, Any]:
    host, *addresses = line.replace(",", " ").split()
    return {"host": host, "addresses": addresses} if addresses else {"host": host}


def _gateways(direction: str, label: str) -> Field:
    path = ("gateways", direction)
    return Field(path, label, "lines", read=_gateway_line, write=_gateway, width="half")


ORGANISATION = (
    Field(("organisation",), N_("Organisation"), width="half"),
    Field(("domains",), N_("Mail domains, one a line"), "lines", width="half"),
)
_STARTTLS = (
    ("required", N_("required")),
    ("opportunistic", N_("if offered")),
    ("off", N_("off")),
)
_SENDER = (
    Field(("sender",), N_("Address from which test messages are sent"), "email", width="half"),
    Field(("submission", "host"), N_("Own mail server that takes them"), **_HALF),
    Field(("submission", "port"), N_("Its port: 25, or 587 with a login"), "number", width="half"),
    Field(("submission", "starttls"), N_("STARTTLS to it"), "choice", _STARTTLS, **_HALF),
    Field(("submission", "name"), N_("Another name in its certificate"), **_HALF),
    Field(
        ("submission", "roots"),
        N_("PEM file of its internal authority"),
        **_HALF,
    ),
    Field(("submission", "user"), N_("User, where it wants a login"), **_HALF),
)
GROUPS: dict[str, tuple[Field, ...]] = {"organisation": ORGANISATION, "sender": _SENDER}
"""What no question decides. Those with a title are one line that opens."""
TITLES = {"sender": N_("The organisation's own mail server")}

_FROM_DOSSIER = N_("A path on this computer, as seen from the folder of the dossier.")
_CERTIFICATES = (
    Field(
        ("certificates", "sending", "file"),
        N_("Certificate for sending: file"),
        hint=_FROM_DOSSIER,
    ),
    Field(("certificates", "sending", "key"), N_("Its key: file, where it stands apart")),
    Field(
        ("certificates", "sending", "passphrase_env"),
        N_("Environment variable with the passphrase"),
        width="half",
    ),
    Field(("certificates", "receiving", "file"), N_("Certificate for receiving: file")),
)
_ROUTING = (
    Field(
        ("routing", "method"), N_("Mail for IncaMail is recognised"), "choice", _METHODS, **_HALF
    ),
    Field(
        ("routing", "engine"),
        N_("Mail server that applies the rule"),
        "choice",
        _ENGINES,
        **_HALF,
    ),
    Field(("routing", "subject_pattern"), N_("Subject pattern"), **_HALF),
    Field(("routing", "subject_view"), N_("A subject rule compares"), "choice", _VIEWS, **_HALF),
    Field(("routing", "suffix_key"), N_("The suffix as it stands in its table"), **_HALF),
    Field(("routing", "next_hop"), N_("Next hop"), "choice", _HOPS, **_HALF),
    Field(("routing", "value"), N_("Host of the next hop (empty: IncaMail's)"), **_HALF),
    Field(
        ("routing", "default_relay"),
        N_("Default relay for all other mail («none»: there is none)"),
        **_HALF,
    ),
    Field(
        ("routing", "refuses_tag_without_suffix"),
        N_("A rule sends back mail with a tag but without the suffix"),
        "yes_no",
    ),
)
_NETWORK = (
    Field(
        ("incoming", "route"),
        N_("IncaMail finds the organisation by"),
        "choice",
        (_OPEN, *_HOPS),
        **_HALF,
    ),
    Field(("incoming", "value"), N_("Host name or address, where it is not the MX"), **_HALF),
    Field(("network", "vantage"), N_("This computer stands"), "choice", _PLACES, **_HALF),
    Field(
        ("network", "internal_networks"),
        N_("Own networks to which names may lead, one a line"),
        "lines",
        **_HALF,
    ),
)
SETTINGS: dict[str, tuple[Field, ...]] = {
    "6.1": (
        _gateways("receiving", N_("Receiving gateways: name, then addresses")),
        _gateways("sending", N_("Sending gateways: name, then addresses")),
        *_CERTIFICATES,
        Field(
            ("inner_hop",),
            N_("Who confirms that the way between mail server and gateway is encrypted"),
            read=lambda said: str(said["by"]),
            write=confirmed,
            hint=N_("Only where no message that was handed in shows it."),
            width="half",
        ),
    ),
    "6.3": _ROUTING,
    "6.4": _NETWORK,
    "6.7": (
        Field(("monitoring", "failures"), N_("Failed deliveries to IncaMail"), "text"),
        Field(("monitoring", "queues"), N_("Mail queues"), "text"),
        Field(("monitoring", "certificates"), N_("End of certificates"), "text"),
    ),
    "7.3": (Field(("go_live",), N_("Planned go-live"), "date", width="short"),),
}
"""What a question decides, as fields: they stand in its card and nowhere else."""
