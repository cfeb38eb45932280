"""The fields of a dossier. Paths are kept as written; `read_dossier` makes them absolute."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import unicodedata
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from incamail_lib.dossier.agreed import (
    SCHEMA,
    AcceptanceTest,
    Answer,
    Arranged,
    Confirmation,
    Contact,
    History,
    ItemNumber,
    Line,
    MailClient,
    Monitoring,
    Signature,
)
from incamail_lib.errors import UsageError
from incamail_lib.facts.audit import (
    ComponentFacts,
    Declared,
    DeclaredGateway,
    IncomingRoute,
    Place,
)
from incamail_lib.facts.delivery import TlsUse
from incamail_lib.facts.routing import (
    Engine,
    Method,
    NextHop,
    NextHopKind,
    RuleSet,
    SubjectView,
)
from incamail_lib.guide import Platform
from incamail_lib.i18n import Language
from incamail_lib.names import ascii_name
from incamail_lib.printable import invisible
from incamail_lib.record import Record
from incamail_lib.routing.engine import check_pattern

MAX_PORT = 65535
_NAME_SERVER = re.compile(
    r"\[(?P<in_brackets>[^\]]*)\](:(?P<port>[0-9]{1,5}))?"
    r"|(?P<v4>[0-9.]+):(?P<v4_port>[0-9]{1,5})|(?P<plain>[^\[\]]+)"
)


def _a_label(name: str) -> str:
    """The A-label form of a host or domain name (RFC 5891); ValueError if it is none."""
    found = ascii_name(name)
    labels = found.split(".")
    legal = all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", label) for label in labels)
    if not legal or len(found) > 253 or len(labels) < 2 or labels[-1].isdigit():
        raise ValueError("not_a_domain_name")
    return found


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError as error:
        raise ValueError("not_an_address") from error


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError as error:
        raise ValueError("not_a_network") from error


def name_server(text: str) -> tuple[str, int]:
    """ "192.0.2.53", "192.0.2.53:5300" or "[2001:db8::53]:5300" as address and port.

    Errors: ValueError for anything else.
    """
    found = _NAME_SERVER.fullmatch(text)
    if not found:
        raise ValueError("not_a_name_server")
    try:
        literal = str(ipaddress.ip_address(found["in_brackets"] or found["v4"] or found["plain"]))
    except ValueError:
        raise ValueError("not_a_name_server") from None
    port = int(found["port"] or found["v4_port"] or "53")
    if not 1 <= port <= MAX_PORT:
        raise ValueError("not_a_name_server")
    return literal, port


def _name_server(text: str) -> str:
    name_server(text)
    return text


def _expression(pattern: str) -> str:
    try:
        check_pattern(pattern)
    except UsageError as error:
        raise ValueError("not_an_expression") from error
    return pattern


def _legible(path: str | Path) -> str | Path:
    """A path without characters that nobody sees: they are read out of "C:\\new", or pasted."""
    unseen = invisible(str(path))
    if unseen is not None or "\n" in str(path) or "\r" in str(path):
        control = any(unicodedata.category(c) == "Cc" for c in str(path))
        raise ValueError("control_character" if control else "invisible_character")
    return path


FilePath = Annotated[Path, AfterValidator(_legible)]
StoreName = Annotated[str, AfterValidator(_legible)]
DomainName = Annotated[str, AfterValidator(_a_label)]
Address = Annotated[str, AfterValidator(_address)]
NameServer = Annotated[str, AfterValidator(_name_server)]
OwnNetwork = Annotated[str, AfterValidator(_network)]
MachineName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9_.:-]{1,255}$"),
]
MaybeHost = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^([A-Za-z0-9_.:-]{1,255})?$"),
]
DemandKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
MeasureKey = DemandKey
Port = Annotated[int, Field(ge=1, le=65535)]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Gateway(Record):
    """A gateway of the client; give `addresses` only where IncaMail or you fix them."""

    host: DomainName
    addresses: Annotated[tuple[Address, ...], Field(max_length=16)] = ()
    port: Port = 25


class Gateways(Record):
    """Receiving and sending gateways; they may be different machines (guide 6.1)."""

    receiving: Annotated[tuple[Gateway, ...], Field(max_length=20)] = ()
    sending: Annotated[tuple[Gateway, ...], Field(max_length=20)] = ()


class Incoming(Record):
    """How IncaMail finds the receiving gateway (guide 8.2)."""

    route: NextHopKind = NextHopKind.MX
    value: str = ""


class Routing(Record):
    """The routing rules of the sending MTA (guide 6.3, 8.1)."""

    method: Method = Method.DOMAIN
    next_hop: NextHopKind = NextHopKind.SMART_HOST
    value: str = ""  # empty: the platform's smart host
    subject_pattern: Annotated[str, AfterValidator(_expression), Field(max_length=1000)] = "<im>"
    subject_view: SubjectView = SubjectView.NOT_SAID  # a named engine decides it
    engine: Engine = Engine.NOT_KNOWN  # what compares subject and suffix
    suffix_key: Annotated[str, Field(max_length=200)] = ""  # as it stands in the MTA's table
    # the host that takes all other mail; "none": each domain's own MX; not given: not said
    default_relay: Annotated[str, Field(max_length=255)] | None = None
    # a further rule sends back mail whose subject matches while a recipient lacks the suffix
    refuses_tag_without_suffix: bool = False

    @property
    def relay(self) -> str | None:
        """The default relay; "" where there is said to be none, None where nothing is said."""
        return "" if self.default_relay == "none" else self.default_relay


class CertificateFile(Record):
    """A certificate with or without its key. The passphrase is asked for or read from the
    environment variable named here; it never stands in a dossier."""

    file: FilePath
    key: FilePath | None = None
    passphrase_env: EnvironmentName | None = None


class Certificates(Record):
    """The client's own certificates by direction; one file may serve both."""

    sending: CertificateFile | None = None
    receiving: CertificateFile | None = None


class Sample(Record):
    """A message of the client to be classified: a .eml file, or recipients and a subject."""

    label: Line
    file: FilePath | None = None
    recipients: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    subject: str = ""


class Network(Record):
    """From where and how politely is measured. Defaults suit the Internet; the lab sets its own."""

    nameservers: Annotated[
        tuple[NameServer, ...], Field(max_length=4)
    ] = ()  # "192.0.2.53" or with :port
    ports: dict[str, Port] = Field(default_factory=dict)  # host -> port, where it is not 25
    # the organisation's own, e.g. "10.1.0.0/16": only there may a name lead to what is not public
    internal_networks: Annotated[tuple[OwnNetwork, ...], Field(max_length=50)] = ()
    vantage: Place = Place.UNDECLARED  # where the machine stands that measures
    ehlo_name: DomainName | None = None
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 30.0
    test_legacy_tls: bool = True
    test_injection: bool = True
    # RCPT TO the first domain's postmaster, then RSET, no message; some operators dislike it.
    test_recipient: bool = False
    # a throw-away certificate of an unknown authority is shown to IncaMail too, only on this wish
    show_foreign_certificate: bool = False


class Submission(Record):
    """The organisation's own mail server, to which test messages are handed (guide 8.3)."""

    host: MaybeHost = ""
    port: Port = 25
    starttls: TlsUse = TlsUse.REQUIRED
    name: MaybeHost = ""  # what its certificate names, where that is not `host`
    roots: FilePath | None = None  # PEM: the authority of its certificate, where no store has it
    user: str = ""  # where it wants a login; the password is never kept


class Component(Record):
    """One component of guide section 2."""

    present: bool | None = None
    product: str = ""
    operator: str = ""
    # names and addresses of its machines, as they stand in the Received lines of messages
    hosts: Annotated[tuple[MachineName, ...], Field(max_length=50)] = ()
    # key of a demand in guide/components.toml -> whether somebody says that it is met
    requirements: Annotated[dict[DemandKey, bool], Field(max_length=50)] = Field(
        default_factory=dict
    )


class Dossier(Record):
    """One organisation: what an audit needs to know, and what was agreed on the way."""

    model_config = ConfigDict(
        serialize_by_alias=True, validate_by_name=True, validate_by_alias=True
    )

    schema_version: Annotated[int, Field(alias="schema", ge=1, le=SCHEMA)] = 1
    organisation: Line
    language: Language = "en"
    go_live: dt.date | None = None
    domains: Annotated[tuple[DomainName, ...], Field(min_length=1, max_length=50)]
    platform: Literal["incamail", "lab"] | FilePath = "incamail"
    scenario: str = ""  # of the lab
    gateways: Gateways = Gateways()
    incoming: Incoming = Incoming()
    routing: Routing = Routing()
    certificates: Certificates = Certificates()
    trust_stores: Annotated[tuple[StoreName, ...], Field(min_length=1, max_length=8)] = (
        "certifi",
        "system",
    )
    samples: Annotated[tuple[Sample, ...], Field(max_length=200)] = ()
    components: dict[str, Component] = Field(default_factory=dict)
    mail_clients: Annotated[tuple[MailClient, ...], Field(max_length=50)] = ()
    # that the way between mail server and gateway is encrypted, where no message shows it
    inner_hop: Confirmation | None = None
    # who compared what answers in IncaMail's place with what is expected (guide 8.4)
    identity_checked: Confirmation | None = None
    monitoring: Monitoring = Monitoring()
    network: Network = Network()
    # key of a measure in guide/measures.toml -> who does it by when, where it was arranged
    measures: Annotated[dict[MeasureKey, Arranged], Field(max_length=200)] = Field(
        default_factory=dict
    )
    sender: str = ""  # address from which test messages are sent
    submission: Submission = Submission()
    contacts: Annotated[tuple[Contact, ...], Field(max_length=100)] = ()
    answers: dict[ItemNumber, Answer] = Field(default_factory=dict)
    acceptance: Annotated[tuple[AcceptanceTest, ...], Field(max_length=100)] = ()
    signatures: Annotated[tuple[Signature, ...], Field(max_length=50)] = ()
    history: History = ()  # of schema 2; since then it stands in a file of its own

    @property
    def undecided(self) -> tuple[str, ...]:
        """Settings that nobody has decided; what the model holds for them is only usual."""
        settings = ((self.routing, "routing.method"), (self.incoming, "incoming.route"))
        return tuple(
            name
            for record, name in settings
            if name.partition(".")[2] not in record.model_fields_set
        )

    def declared(self, platform: Platform) -> Declared:
        """The client's statements as facts; the platform supplies what was left open."""
        routing = self.routing
        value = routing.value
        if not value and routing.next_hop is NextHopKind.SMART_HOST:
            value = platform.smart_host.value
        return Declared(
            organisation=self.organisation,
            language=self.language,
            go_live=self.go_live,
            domains=self.domains,
            receiving=_declared(self.gateways.receiving),
            sending=_declared(self.gateways.sending),
            incoming=IncomingRoute(kind=self.incoming.route, value=self.incoming.value),
            rules=RuleSet(
                method=routing.method,
                next_hop=NextHop(kind=routing.next_hop, value=value),
                suffix=platform.suffix.value,
                subject_pattern=routing.subject_pattern,
                subject_view=routing.subject_view,
                engine=routing.engine,
                suffix_key=routing.suffix_key,
                default_relay=routing.relay,
                refuses_tag_without_suffix=routing.refuses_tag_without_suffix,
            ),
            components=tuple(
                ComponentFacts(key=key, **component.model_dump(exclude={"requirements"}))
                for key, component in self.components.items()
            ),
            undecided=self.undecided,
        )


def _declared(gateways: tuple[Gateway, ...]) -> tuple[DeclaredGateway, ...]:
    return tuple(DeclaredGateway(**gateway.model_dump()) for gateway in gateways)
