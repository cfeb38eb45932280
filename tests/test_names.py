"""A name is the same wherever it is entered."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from incamail_lib.dossier.model import DomainName
from incamail_lib.names import ascii_name, covers

_DOSSIER = TypeAdapter(DomainName)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (" Muster.Example. ", "muster.example"),
        ("Zürich.example", "xn--zrich-kva.example"),
        ("zu\u0308rich.example", "xn--zrich-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
    ],
)
def test_a_dossier_holds_the_name_that_is_looked_up(given: str, wanted: str) -> None:
    """Capitals, accents of either kind and a last dot make no second name."""
    assert ascii_name(given) == wanted
    assert _DOSSIER.validate_python(given) == wanted


@pytest.mark.parametrize("given", ["☃\u200d.example", "a\u0300\ud800.example", "xn--ü.example", ""])
def test_what_no_domain_can_be_called_is_refused(given: str) -> None:
    """The look-up has no name for it, and a dossier does not take it; neither crashes."""
    assert ascii_name(given) == ""
    with pytest.raises(ValidationError, match="not_a_domain_name"):
        _DOSSIER.validate_python(given)


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("mx.muster.example", "MX.muster.example.", True),
        ("*.muster.example", "mx.muster.example", True),
        ("*.muster.example", "*.muster.example", True),
        ("*.muster.example", "a.b.muster.example", False),
        ("*.muster.example", "muster.example", False),
        ("mx.muster.example", "*.muster.example", False),
        ("mx.muster.example", "", False),
    ],
)
def test_a_wildcard_covers_one_label(pattern: str, name: str, covered: bool) -> None:
    """As in certificates and in policies of MTA-STS; case and a final dot are no difference."""
    assert covers(pattern, name) is covered
