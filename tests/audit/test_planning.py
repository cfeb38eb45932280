"""What a dossier asks for, as targets: name servers are addresses with a port that exists."""

from __future__ import annotations

import pytest

from incamail_lib.audit.planning import nameserver
from incamail_lib.errors import DossierError


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:65535", ("192.0.2.53", 65535)),
        ("[2001:db8::53]:5300", ("2001:db8::53", 5300)),
    ],
)
def test_a_name_server_is_an_address_with_or_without_its_port(
    text: str, server: tuple[str, int]
) -> None:
    """Without a port it is the DNS's own."""
    assert nameserver(text) == server


@pytest.mark.parametrize(
    "text", ["192.0.2.53:0", "192.0.2.53:65536", "192.0.2.53:-1", "ns.example"]
)
def test_a_port_that_does_not_exist_is_refused_before_anything_is_asked(text: str) -> None:
    """Else every question would end in a traceback of the event loop."""
    with pytest.raises(DossierError, match="is not an address such as"):
        nameserver(text)
