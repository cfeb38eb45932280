"""What stands between a sender and TLS – boxes on the way, and unequal machines."""

from __future__ import annotations

from incamail_lib.checks._advice import GATEWAY_DIALOGUE, PLATFORM_DIALOGUE
from incamail_lib.checks._core import (
    Context,
    Result,
    SeenFrom,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from incamail_lib.checks._endpoints import agreed, not_seen, tls_not_seen
from incamail_lib.checks._subjects import platform, receiving
from incamail_lib.checks.words import joined_texts
from incamail_lib.facts.observation import Reason
from incamail_lib.facts.smtp import EndpointFacts, Trait
from incamail_lib.findings import Leg, Level
from incamail_lib.i18n import N_, Text, say, say_n

_TRAITS: dict[Trait, str] = {
    Trait.STARTTLS: N_("the offer of STARTTLS"),
    Trait.VERSION: N_("the TLS version"),
    Trait.CERTIFICATE: N_("the certificate shown"),
    Trait.REQUEST: N_("the request for a client certificate"),
}


_UNTIL_THEN = N_(
    "Update the firewall, proxy or load balancer in between, or exempt this connection from its "
    "TLS inspection. Until then a sender can leave the hybrid group X25519MLKEM768 out."
)


def _gets_through(endpoint: EndpointFacts) -> Result:
    """The usual hello was answered; or it was not, and a small one was."""
    found = endpoint.large_hello
    if found.is_yes:
        return passed(say("A ClientHello of {size} bytes was answered.", size=found.evidence))
    if found.reason is Reason.NOT_TRIED:
        return not_applicable(say("No large ClientHello was sent."))
    if not found.is_no:
        return not_seen(endpoint, found)
    large, _slash, small = found.evidence.partition("/")
    return failed(
        say(
            "A ClientHello of {large} bytes got no answer; one of {small} bytes, without the "
            "hybrid post-quantum group, did.",
            large=large,
            small=small,
        )
    )


@check(
    "TLS15",
    on=receiving,
    passes=N_("A ClientHello of more than one packet reaches the gateway"),
    fails=N_("A ClientHello of more than one packet gets no answer"),
    asks=N_("Does a ClientHello of more than one packet reach the gateway?"),
    why=N_(
        "Current mail servers offer a hybrid post-quantum group, so that their first message no "
        "longer fits into one packet. Where a device drops it, none of them can deliver."
    ),
    remedy=_UNTIL_THEN,
    clarify=N_(
        "Compare from outside whether «openssl s_client -starttls smtp -groups X25519MLKEM768» "
        "and the same with «-groups X25519» are both answered."
    ),
    item="6.2",
    reference="RFC 9846 §5.1; RFC 10024",
    leg=Leg.ARRIVAL,
    requires=("SMTP03",),
)
def large_hello_comes_in(endpoint: EndpointFacts, _: Context) -> Result:
    """The client's gateway answers the hello that current senders use."""
    return _gets_through(endpoint)


@check(
    "TLS16",
    on=receiving,
    passes=N_("Renegotiation of TLS 1.2 is protected"),
    fails=N_("Renegotiation of TLS 1.2 is not protected"),
    asks=N_("Is renegotiation of TLS 1.2 protected?"),
    why=N_(
        "Without the protection an attacker can put text of his own before a dialogue, and "
        "senders with OpenSSL 3 or newer refuse to connect at all."
    ),
    remedy=N_("Update the TLS library of the mail server; the protection is from the year 2010."),
    clarify=GATEWAY_DIALOGUE,
    item="6.2",
    reference="RFC 5746 §3.6; RFC 9325 §3.5",
    leg=Leg.ARRIVAL,
    requires=("TLS01",),
)
def renegotiation_is_protected(endpoint: EndpointFacts, _: Context) -> Result:
    """The server answered the signal of RFC 5746; TLS 1.3 has no renegotiation."""
    tls = agreed(endpoint)
    if tls is None:
        return tls_not_seen(endpoint)
    if tls.version == "TLSv1.3":
        return passed(
            say("TLS 1.3 has no renegotiation."),
            title=N_("TLS 1.3 is chosen, which needs no protected renegotiation"),
        )
    if tls.secure_renegotiation is None:
        # Facts of an older version: the question is new, and says nothing against what was ready.
        return not_applicable(say("This was not looked at."))
    if tls.secure_renegotiation:
        return passed(say("The server protects it."))
    return failed(say("The server does not know the protection."))


_SAME = N_("Set all machines behind the address up in the same way, and test again.")


def _alike(endpoint: EndpointFacts) -> Result:
    """What connections alike showed was the same; each of the differences is judged elsewhere."""
    if endpoint.differing:
        told = joined_texts([Text(template=_TRAITS[t]) for t in endpoint.differing])
        return failed(say("From connection to connection differed: {traits}.", traits=told))
    seen = [c for c in endpoint.connections if c.tls is not None and c.tls.version]
    if len(seen) < 2:
        return unknown(say("Too few connections reached TLS to compare them."))
    return passed(
        say_n("{n} connection showed the same.", "{n} connections showed the same.", len(seen))
    )


@check(
    "TLS17",
    on=receiving,
    passes=N_("The gateway behaves alike on every connection"),
    fails=N_("The gateway differs from connection to connection"),
    asks=N_("Does the gateway behave alike on every connection?"),
    why=N_(
        "Behind one address there may be several machines. What differs between them comes and "
        "goes, and no single test tells which one IncaMail will meet."
    ),
    remedy=_SAME,
    clarify=N_(
        "Read in the gateway's log why so few connections reached TLS, and measure again once it "
        "takes several in a row."
    ),
    item="6.1",
    reference="RFC 5321 §5.1",
    leg=Leg.ARRIVAL,
    level=Level.RECOMMENDED,
)
def machines_are_alike(endpoint: EndpointFacts, _: Context) -> Result:
    """Connection after connection shows the same gateway."""
    return _alike(endpoint)


@check(
    "TLS18",
    on=platform,
    passes=N_("A ClientHello of more than one packet reaches IncaMail"),
    fails=N_("A ClientHello of more than one packet to IncaMail gets no answer"),
    asks=N_("Does a ClientHello of more than one packet reach IncaMail?"),
    why=N_(
        "Your mail server, or its next version, offers a hybrid post-quantum group, so that its "
        "first message no longer fits into one packet. Where a device on your way out drops it, "
        "no secure mail leaves."
    ),
    remedy=_UNTIL_THEN,
    clarify=N_(
        "Compare on the sending gateway whether «openssl s_client -starttls smtp -groups "
        "X25519MLKEM768» and the same with «-groups X25519» are both answered."
    ),
    item="8.4",
    reference="RFC 9846 §5.1; RFC 10024",
    leg=Leg.LINK,
    requires=("PLAT01",),
    seen_from=SeenFrom.CLIENT,
)
def large_hello_goes_out(endpoint: EndpointFacts, _: Context) -> Result:
    """The platform answers the hello that current senders use."""
    return _gets_through(endpoint)


@check(
    "TLS19",
    on=platform,
    passes=N_("IncaMail shows itself alike on every connection"),
    fails=N_("IncaMail differs from connection to connection"),
    asks=N_("Does IncaMail show itself alike on every connection?"),
    why=N_(
        "What differs from connection to connection may come from several machines, or from a "
        "device in between that takes over some of them."
    ),
    remedy=N_("Compare from another network, and report the difference to Swiss Post."),
    clarify=PLATFORM_DIALOGUE,
    item="8.4",
    reference="Post MGI guide 8.4",
    leg=Leg.LINK,
    level=Level.RECOMMENDED,
    seen_from=SeenFrom.CLIENT,
)
def platform_is_alike(endpoint: EndpointFacts, _: Context) -> Result:
    """Connection after connection shows the same platform."""
    return _alike(endpoint)
