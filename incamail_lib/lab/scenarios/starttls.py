"""STARTTLS missing, refused, masked, broken or abused at the client's gateway."""

from __future__ import annotations

from dataclasses import replace

from incamail_lib.facts.smtp import Stage
from incamail_lib.i18n import N_
from incamail_lib.lab.pki import Pki
from incamail_lib.lab.plan import (
    MASKED_CAPABILITIES,
    USUAL_CAPABILITIES,
    AfterReply,
    GatewayPlan,
    Greeting,
    Manner,
    StarttlsPlan,
)
from incamail_lib.lab.scenario import Scenario, as_is, changing
from incamail_lib.lab.scenarios._words import INCONCLUSIVE, NOT_READY, READY, codes

IN_CLEAR = tuple(c for c in USUAL_CAPABILITIES if c != "STARTTLS")


def limited_to(size: int) -> tuple[str, ...]:
    """The usual capabilities with another size limit in bytes."""
    return tuple(f"SIZE {size}" if c.startswith("SIZE") else c for c in USUAL_CAPABILITIES)


SMALL = limited_to(10_485_760)
SMALLER = limited_to(45_000_000)
MASKED_GREETING = Greeting(("220 " + "*" * 40,))
BUSY = Greeting(
    ("421 4.3.2 {host} Service not available, closing transmission channel",), then_close=True
)
UNWELCOME = Greeting(("554 5.7.1 {host} Access denied",), then_close=True)


def vanishing(plan: GatewayPlan, _: Pki) -> GatewayPlan:
    """STARTTLS is offered on the first connection only."""
    return replace(plan, later=(2, replace(plan, capabilities=IN_CLEAR)))


def inspected(plan: GatewayPlan, _: Pki) -> GatewayPlan:
    """What Cisco's ESMTP inspection leaves of a gateway (its default before `allow-tls`)."""
    return replace(
        plan,
        greeting=MASKED_GREETING,
        capabilities=MASKED_CAPABILITIES,
        starttls=StarttlsPlan(reply="500 #5.5.1 command not recognized"),
    )


def limited(plan: GatewayPlan, _: Pki) -> GatewayPlan:
    """Serves two connections, then answers 421."""
    return plan.limited_to(2)


STARTTLS = (
    Scenario(
        name="starttls_missing",
        title=N_("STARTTLS is not offered"),
        description=N_("The gateway answers EHLO completely, and STARTTLS is not in the answer."),
        fails=codes("SMTP02"),
        verdict=NOT_READY,
        gateways=(changing(capabilities=IN_CLEAR),),
    ),
    Scenario(
        name="starttls_masked",
        title=N_("STARTTLS is masked by a firewall"),
        description=N_(
            "A firewall with SMTP inspection replaces STARTTLS by XXXXXXXA and the greeting by "
            "asterisks; the gateway behind it would offer TLS."
        ),
        fails=codes("SMTP02 SMTP07"),
        verdict=NOT_READY,
        gateways=(inspected,),
    ),
    Scenario(
        name="starttls_refused",
        title=N_("STARTTLS is offered and then refused"),
        description=N_(
            "The gateway answers 454 to STARTTLS, usually because its certificate or key cannot "
            "be loaded."
        ),
        fails=codes("SMTP03"),
        verdict=NOT_READY,
        gateways=(
            changing(starttls=StarttlsPlan("454 4.7.0 TLS not available due to local problem")),
        ),
    ),
    Scenario(
        name="starttls_vanishes",
        title=N_("STARTTLS vanishes after the first connection"),
        description=N_(
            "The first connection is offered STARTTLS, the following ones are not, as when a "
            "gateway throttles a sender or balances over unequal machines."
        ),
        fails=codes("SMTP02 TLS17"),
        verdict=NOT_READY,
        gateways=(vanishing,),
    ),
    Scenario(
        name="tls_at_once",
        title=N_("The port speaks TLS at once"),
        description=N_(
            "The gateway waits for TLS from the first byte, as on port 465; STARTTLS never comes."
        ),
        fails=codes("SMTP09"),
        verdict=NOT_READY,
        gateways=(changing(tls_at_once=True),),
        waits=True,
    ),
    Scenario(
        name="large_hello_dropped",
        title=N_("A large ClientHello is dropped on the way"),
        description=N_(
            "A device in between breaks off every connection whose ClientHello does not fit into "
            "one packet, as current mail servers send it; older ones get through."
        ),
        fails=codes("TLS15"),
        verdict=NOT_READY,
        gateways=(changing(drops_hello_over=1400),),
    ),
    Scenario(
        name="starttls_closes",
        title=N_("The connection ends after STARTTLS was accepted"),
        description=N_("The gateway answers 220 to STARTTLS and hangs up."),
        fails=codes(),
        verdict=INCONCLUSIVE,
        gateways=(changing(starttls=StarttlsPlan(then=AfterReply.CLOSE)),),
    ),
    Scenario(
        name="starttls_garbage",
        title=N_("Something that is not TLS follows STARTTLS"),
        description=N_(
            "The first TLS record is answered by bytes that are no TLS, as a confused proxy does."
        ),
        fails=codes(),
        verdict=INCONCLUSIVE,
        gateways=(changing(starttls=StarttlsPlan(then=AfterReply.GARBAGE)),),
    ),
    Scenario(
        name="starttls_injection",
        title=N_("Commands sent before TLS are obeyed inside it"),
        description=N_(
            "The gateway keeps what was sent in clear after STARTTLS and runs it as if it had "
            "come encrypted (CVE-2011-0411)."
        ),
        fails=codes("SMTP04"),
        verdict=NOT_READY,
        gateways=(changing(starttls=StarttlsPlan(keeps_plaintext=True)),),
    ),
    Scenario(
        name="small_size",
        title=N_("Only small messages are taken"),
        description=N_("The gateway announces a limit of 10 MB; IncaMail sends up to 30 MB."),
        fails=codes("SMTP06"),
        verdict=READY,
        gateways=(changing(capabilities=SMALL),),
    ),
    Scenario(
        name="greylisting",
        title=N_("The gateway greylists"),
        description=N_(
            "The greeting is 451 for a sender that is new. That says nothing about TLS; the test "
            "must be repeated from an address that is known."
        ),
        fails=codes(),
        verdict=INCONCLUSIVE,
        gateways=(
            changing(
                greeting=Greeting(
                    ("451 4.7.1 {host} Greylisted, please try again later",), then_close=True
                )
            ),
        ),
    ),
    Scenario(
        name="busy",
        title=N_("The gateway is busy"),
        description=N_("Every connection is greeted with 421, as under load or a rate limit."),
        fails=codes(),
        verdict=INCONCLUSIVE,
        gateways=(changing(greeting=BUSY),),
    ),
    Scenario(
        name="rate_limited",
        title=N_("The gateway allows only two connections"),
        description=N_(
            "The first two connections are served, all further ones get 421. What was seen on the "
            "first two still counts."
        ),
        fails=codes(),
        verdict=INCONCLUSIVE,
        gateways=(limited,),
    ),
    Scenario(
        name="unwelcome",
        title=N_("The gateway denies access"),
        description=N_("The greeting is 554: this sender is on a block list or not allow-listed."),
        fails=codes(),
        verdict=INCONCLUSIVE,
        gateways=(changing(greeting=UNWELCOME),),
    ),
    Scenario(
        name="tarpit",
        title=N_("The gateway never greets"),
        description=N_("The connection is taken and then nothing comes."),
        fails=codes(),
        verdict=INCONCLUSIVE,
        gateways=(changing(greeting=Greeting(manner=Manner.SILENT)),),
        waits=True,
    ),
    Scenario(
        name="endless_greeting",
        title=N_("The greeting never ends"),
        description=N_("The gateway sends line after line and never finishes its greeting."),
        fails=codes(),
        verdict=INCONCLUSIVE,
        gateways=(changing(greeting=Greeting(manner=Manner.ENDLESS, pause_s=0.001)),),
    ),
    Scenario(
        name="reset",
        title=N_("The connection is reset at STARTTLS"),
        description=N_(
            "A device in between breaks the connection off as soon as STARTTLS is sent."
        ),
        fails=codes(),
        verdict=INCONCLUSIVE,
        gateways=(changing(reset_at=Stage.STARTTLS),),
    ),
    Scenario(
        name="starttls_followed_by_text",
        title=N_("Plaintext follows the answer to STARTTLS"),
        description=N_(
            "A second reply in clear comes together with the 220, before TLS has begun; a careless "
            "sender would take it for protected."
        ),
        fails=codes("SMTP05"),
        verdict=READY,
        gateways=(changing(starttls=StarttlsPlan(trailing="250 2.0.0 Ok\r\n")),),
    ),
    Scenario(
        name="short_host_name",
        title=N_("The gateway greets with a short name"),
        description=N_("The host name of the mail server was set without its domain."),
        fails=codes("SMTP07"),
        verdict=READY,
        gateways=(changing(greeting=Greeting(("220 mail ESMTP",))),),
    ),
    Scenario(
        name="unequal_gateways",
        title=N_("Two gateways are set up differently"),
        description=N_("The second exchanger takes smaller messages than the first."),
        fails=codes("SMTP08"),
        verdict=READY,
        gateways=(as_is, changing(capabilities=SMALLER)),
    ),
    Scenario(
        name="gateway_closed",
        title=N_("The gateway's port is closed"),
        description=N_("The firewall rejects connections, or the mail service is not running."),
        fails=codes("NET01"),
        verdict=NOT_READY,
        gateways=(changing(listens=False),),
    ),
)
