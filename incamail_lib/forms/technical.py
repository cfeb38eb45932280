"""Which fields of the dossier are asked in which phase."""

from __future__ import annotations

from typing import Any

from incamail_lib.facts.routing import ENGINE_NAMES, Engine
from incamail_lib.forms.fields import Field
from incamail_lib.i18n import N_

_METHODS = (
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
    return Field(path, label, "lines", read=_gateway_line, write=_gateway)


ORGANISATION = (
    Field(("organisation",), N_("Organisation")),
    Field(("domains",), N_("Mail domains, one a line"), "lines"),
    Field(("go_live",), N_("Planned go-live"), "date"),
)
ARCHITECTURE = (
    _gateways("receiving", N_("Receiving gateways: name, then addresses")),
    _gateways("sending", N_("Sending gateways: name, then addresses")),
    Field(("incoming", "route"), N_("IncaMail finds the organisation by"), "choice", _HOPS),
    Field(("incoming", "value"), N_("Host name or address, where it is not the MX")),
    Field(("network", "vantage"), N_("This computer stands"), "choice", _PLACES),
    Field(
        ("network", "internal_networks"),
        N_("Own networks to which names may lead, one a line"),
        "lines",
    ),
)
ROUTING = (
    Field(("routing", "method"), N_("Mail for IncaMail is recognised"), "choice", _METHODS),
    Field(("routing", "next_hop"), N_("Next hop"), "choice", _HOPS),
    Field(("routing", "value"), N_("Host of the next hop (empty: IncaMail's)")),
    Field(("routing", "engine"), N_("Mail server that applies the rule"), "choice", _ENGINES),
    Field(("routing", "suffix_key"), N_("The suffix as it stands in its table")),
    Field(
        ("routing", "default_relay"), N_("Default relay for all other mail («none»: there is none)")
    ),
    Field(("routing", "subject_pattern"), N_("Subject pattern")),
    Field(("routing", "subject_view"), N_("A subject rule compares"), "choice", _VIEWS),
    Field(
        ("routing", "refuses_tag_without_suffix"),
        N_("A rule sends back mail with a tag but without the suffix"),
        "yes_no",
    ),
)
CERTIFICATES = (
    Field(("certificates", "sending", "file"), N_("Certificate for sending: file")),
    Field(("certificates", "sending", "key"), N_("Its key: file, where it stands apart")),
    Field(
        ("certificates", "sending", "passphrase_env"),
        N_("Environment variable with the passphrase"),
    ),
    Field(("certificates", "receiving", "file"), N_("Certificate for receiving: file")),
)
SENDER = (Field(("sender",), N_("Address from which test messages are sent")),)
GROUPS: dict[str, tuple[Field, ...]] = {
    "organisation": ORGANISATION,
    "architecture": ARCHITECTURE,
    "routing": ROUTING,
    "certificates": CERTIFICATES,
    "sender": SENDER,
}
