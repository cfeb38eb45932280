"""What can stand between the client and the platform, or be wrong with the platform."""

from __future__ import annotations

from dataclasses import replace

from incamail_lib.facts.smtp import Stage
from incamail_lib.i18n import N_
from incamail_lib.lab.pki import PLATFORM_ORGANISATION, Pki, Variant
from incamail_lib.lab.plan import GatewayPlan, Greeting, Judged, StarttlsPlan, TlsPlan, Version
from incamail_lib.lab.scenario import (
    Arrangement,
    Scenario,
    afterwards,
    asking,
    changing,
    showing,
    speaking,
)
from incamail_lib.lab.scenarios._words import INCONCLUSIVE, NOT_READY, READY, codes
from incamail_lib.lab.scenarios.starttls import IN_CLEAR, inspected


def intercepted(plan: GatewayPlan, pki: Pki) -> GatewayPlan:
    """A box in between ends TLS with a certificate of its own and asks for none."""
    return replace(plan, tls=TlsPlan(pki.leaf(Variant.INTERCEPTED, plan.host)))


def one_path_intercepted(plan: GatewayPlan, pki: Pki) -> GatewayPlan:
    """The box sits on the way to the first gateway only."""
    return intercepted(plan, pki) if plan.host.startswith("gw1.") else plan


def imitated(plan: GatewayPlan, pki: Pki) -> GatewayPlan:
    """A certificate that claims the platform's organisation, from an unknown authority."""
    issued = pki.leaf(Variant.EXOTIC, plan.host, organisation=PLATFORM_ORGANISATION)
    return replace(plan, tls=TlsPlan(issued))


PLATFORM = (
    Scenario(
        name="intercepted",
        title=N_("A device decrypts mail on its way to the platform"),
        description=N_(
            "The certificate shown for IncaMail's gateways was made by a security device of the "
            "client's own network."
        ),
        fails=codes("PLAT02 PLAT03 PLAT06 TLS11"),
        verdict=NOT_READY,
        platform=intercepted,
    ),
    Scenario(
        name="intercepted_on_one_path",
        title=N_("A device decrypts mail on one of two ways"),
        description=N_("Only the connection to the first gateway is intercepted."),
        fails=codes("PLAT02 PLAT03 PLAT06 PLAT09 TLS11"),
        verdict=NOT_READY,
        platform=one_path_intercepted,
    ),
    Scenario(
        name="intercepted_now_and_then",
        title=N_("A device decrypts some connections only"),
        description=N_(
            "The first connection reaches IncaMail; the following ones end in a security device "
            "that shows a certificate of its own."
        ),
        fails=codes("PLAT02 PLAT03 PLAT06 TLS11 TLS19"),
        verdict=NOT_READY,
        platform=afterwards(intercepted),
    ),
    Scenario(
        name="large_hello_dropped_outgoing",
        title=N_("A large ClientHello is dropped on the way out"),
        description=N_(
            "A firewall of the client's breaks off every connection to IncaMail whose ClientHello "
            "does not fit into one packet."
        ),
        fails=codes("TLS18"),
        verdict=NOT_READY,
        platform=changing(drops_hello_over=1400),
    ),
    Scenario(
        name="imitated",
        title=N_("Somebody imitates the platform"),
        description=N_(
            "The certificate claims the organisation «Post CH AG», but comes from an authority "
            "that nobody recognises."
        ),
        fails=codes("PLAT03 PLAT06 TLS11"),
        verdict=NOT_READY,
        platform=imitated,
    ),
    Scenario(
        name="platform_stripped",
        title=N_("STARTTLS is removed on the way to the platform"),
        description=N_("The platform's answer to EHLO arrives without STARTTLS."),
        fails=codes("PLAT01"),
        verdict=NOT_READY,
        platform=changing(capabilities=IN_CLEAR),
    ),
    Scenario(
        name="platform_masked",
        title=N_("STARTTLS is masked on the way to the platform"),
        description=N_("A firewall with SMTP inspection sits on the outgoing path."),
        fails=codes("PLAT01"),
        verdict=NOT_READY,
        platform=inspected,
    ),
    Scenario(
        name="platform_refuses_starttls",
        title=N_("STARTTLS is refused on the way to the platform"),
        description=N_("STARTTLS is offered, and the answer to it is 454."),
        fails=codes("PLAT01"),
        verdict=NOT_READY,
        platform=changing(starttls=StarttlsPlan("454 4.7.0 TLS not available")),
    ),
    Scenario(
        name="platform_greylists",
        title=N_("The platform does not know this sender"),
        description=N_(
            "Every connection gets 451, because the sending address is not registered. Nothing "
            "can be said about TLS."
        ),
        fails=codes(),
        verdict=INCONCLUSIVE,
        platform=changing(
            greeting=Greeting(("451 4.7.1 {host} Try again later",), then_close=True)
        ),
    ),
    Scenario(
        name="platform_denies",
        title=N_("The platform denies this sender"),
        description=N_("Every connection gets 554, because the sending address is blocked."),
        fails=codes("NET06"),
        verdict=NOT_READY,
        platform=changing(greeting=Greeting(("554 5.7.1 {host} Denied",), then_close=True)),
    ),
    Scenario(
        name="platform_resets",
        title=N_("Connections to the platform are reset in the handshake"),
        description=N_("An intrusion prevention system breaks TLS off without a word."),
        fails=codes(),
        verdict=INCONCLUSIVE,
        platform=changing(reset_at=Stage.HANDSHAKE),
    ),
    Scenario(
        name="platform_expired",
        title=N_("The platform's certificate has expired"),
        description=N_("A renewal went wrong on the platform's side."),
        fails=codes("PLAT06 PLAT07"),
        verdict=NOT_READY,
        platform=showing(Variant.EXPIRED, organisation=PLATFORM_ORGANISATION),
    ),
    Scenario(
        name="platform_chain_incomplete",
        title=N_("The platform does not send its intermediate certificate"),
        description=N_("A server that holds only roots cannot verify the platform."),
        fails=codes("PLAT06 PLAT10"),
        verdict=NOT_READY,
        platform=showing(Variant.BOTH, Arrangement.LEAF_ONLY, organisation=PLATFORM_ORGANISATION),
    ),
    Scenario(
        name="platform_other_name",
        title=N_("The platform's certificate names another of its hosts"),
        description=N_(
            "The certificate belongs to the platform, but not to the host that was asked for; a "
            "server that verifies names does not deliver."
        ),
        fails=codes("PLAT05"),
        verdict=NOT_READY,
        platform=showing(Variant.WRONG_NAME, organisation=PLATFORM_ORGANISATION),
    ),
    Scenario(
        name="platform_nameless",
        title=N_("The platform's certificate holds no DNS name"),
        description=N_("The name stands in the common name only, where nobody looks any more."),
        fails=codes("PLAT04 PLAT05"),
        verdict=NOT_READY,
        platform=showing(Variant.CN_ONLY, organisation=PLATFORM_ORGANISATION),
    ),
    Scenario(
        name="fingerprint_differs",
        title=N_("The platform's fingerprint is not the one on paper"),
        description=N_(
            "The set-up document gives a SHA-1 fingerprint from before the last renewal."
        ),
        fails=codes("PLAT08"),
        verdict=NOT_READY,
        fingerprint_sha1="00" * 20,
    ),
    Scenario(
        name="platform_address_changed",
        title=N_("The platform's addresses are not the documented ones"),
        description=N_("The network matrix still names addresses that the platform has left."),
        fails=codes("NET04"),
        verdict=READY,
        documented=("194.41.147.13",),
    ),
    Scenario(
        name="platform_closed",
        title=N_("The platform's port is closed from here"),
        description=N_("The firewall rejects outgoing connections to port 25."),
        fails=codes("NET02"),
        verdict=NOT_READY,
        platform=changing(listens=False),
    ),
    Scenario(
        name="platform_too_old",
        title=N_("No modern TLS can be agreed with the platform"),
        description=N_("What answers there speaks TLS 1.0 only and refuses with an alert."),
        fails=codes("TLS10"),
        verdict=NOT_READY,
        platform=speaking(minimum=Version.TLS_1_0, maximum=Version.TLS_1_0),
    ),
    Scenario(
        name="platform_accepts_any",
        title=N_("The platform accepts any client certificate"),
        description=N_(
            "A stranger's certificate is let in as well, so that acceptance does not prove that "
            "the client's certificate is registered."
        ),
        fails=codes("TLS14"),
        verdict=READY,
        platform=asking(judged=Judged.NOTHING),
    ),
)
