"""A guide that was damaged on this machine is told with its file and field, and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from incamail_lib.errors import GuideError
from incamail_lib.guide.contents import _entries
from incamail_lib.guide.hosted import HostedGateway


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('[[gateway]]\nprovider = "A"\nsuffixes = 5\nsource = "s"\n', "gateway.kind"),
        ('[[other]]\nname = "A"\n', "gateway"),
        ("[[gateway]\n", "gateway"),
    ],
)
def test_a_damaged_file_of_the_guide_names_its_field(tmp_path: Path, text: str, field: str) -> None:
    """The first thing that is wrong, and that the product is to be installed anew."""
    path = tmp_path / "gateways.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GuideError) as caught:
        _entries(path, "gateway", HostedGateway)
    told = str(caught.value)
    assert "gateways.toml" in told
    assert f"«{field}»" in told
    with pytest.raises(GuideError, match="missing"):
        _entries(tmp_path / "missing.toml", "gateway", HostedGateway)
