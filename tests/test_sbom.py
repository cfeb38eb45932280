"""The list of what a user installs is that of the pins, and says nothing of where it was made."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from incamail_lib.tools import sbom

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Where the list is made: .ci/sbom insists on it.
MADE_ON = {
    **dict(python_version="3.11", python_full_version="3.11.9", implementation_version="3.11.9"),
    **dict(implementation_name="cpython", platform_python_implementation="CPython"),
    **dict(sys_platform="linux", os_name="posix", platform_system="Linux"),
    **dict(platform_machine="x86_64", platform_release="", platform_version="", extra=""),
}
ELSEWHERE = re.compile(
    r"https?://|file:|(?<![\w.])/(?:home|root|tmp|var|opt|usr|srv|mnt|Users)/|[A-Z]:\\\\|@ ", re.I
)


def text_of(name: str) -> str:
    """A file of docs/."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bom() -> Any:
    """The list that is kept."""
    return json.loads(text_of(sbom.BOM))


def pinned(requirements: str) -> dict[str, str]:
    """Name and version of every pin that holds where the list is made."""
    lines = [line for line in requirements.splitlines() if line and not line.startswith((" ", "#"))]
    found = [Requirement(line.removesuffix("\\")) for line in lines]
    return {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in found
        if pin.marker is None or pin.marker.evaluate(MADE_ON)
    }


def listed(bom: Any) -> dict[str, str]:
    """Name and version of every package in the list."""
    return {canonicalize_name(c["name"]): c["version"] for c in bom["components"]}


def test_the_list_is_that_of_the_pins(bom: Any) -> None:
    """Names and versions are those of requirements.txt; `make sbom` was run after `make pins`."""
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert listed(bom) == pinned(requirements)
    assert len(listed(bom)) == len(bom["components"])
    certifi = f"certifi=={pinned(requirements)['certifi']}"
    assert listed(bom) != pinned(requirements.replace(certifi, "certifi==1"))
    assert listed(bom) != pinned(requirements + "\nnew==1\n")


def test_a_pin_for_another_system_is_not_in_the_list() -> None:
    """Markers are read: one system's pin is nothing to another."""
    text = "a==1 ; sys_platform == 'win32' \\\nb==2 ; python_full_version < '3.12' \\\n"
    assert pinned(text) == {"b": "2"}


def test_each_package_can_be_found_and_depended_on(bom: Any) -> None:
    """Addresses of packages (purl) name the same version; dependencies are of the list."""
    references = {c["bom-ref"] for c in bom["components"]}
    own = bom["metadata"]["component"]["bom-ref"]
    assert bom["metadata"]["component"]["version"] == PROJECT["version"]
    for component in bom["components"]:
        name, version = canonicalize_name(component["name"]), component["version"]
        assert component["purl"] == f"pkg:pypi/{name}@{version}"
    for dependency in bom["dependencies"]:
        assert dependency["ref"] in references | {own}
        assert set(dependency.get("dependsOn", ())) <= references


@pytest.mark.parametrize("name", [sbom.BOM, sbom.PAGE])
def test_nothing_tells_where_it_was_made(name: str) -> None:
    """No host, no path of a machine; only the address of CycloneDX's own schema."""
    text = text_of(name).replace("http://cyclonedx.org/schema/bom-1.6.schema.json", "")
    assert ELSEWHERE.findall(text) == []
    for planted in ("https://pypi.example/simple", "file:///srv/x", "/home/anna/x", "a @ b"):
        assert ELSEWHERE.search(planted)


def test_the_list_is_the_same_each_time(bom: Any) -> None:
    """No time and no serial number; what is written from it is what is kept, byte by byte."""
    assert "serialNumber" not in bom
    assert "timestamp" not in text_of(sbom.BOM)
    again = sbom.bare(bom, lambda _: "")
    assert json.dumps(again, indent=1, ensure_ascii=False) + "\n" == text_of(sbom.BOM)


def test_what_only_a_checkout_has_is_left_out() -> None:
    """Paths, addresses, the checkout itself and its tools go, also as dependencies."""
    raw = {
        **{"$schema": "s", "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1},
        "serialNumber": "urn:uuid:1",
        "metadata": {
            "timestamp": "2026-01-01",
            "component": {"bom-ref": "own", "name": "incamail-runbook", "type": "application"},
            "properties": [],
            "tools": {"components": []},
        },
        "components": [
            {"bom-ref": "i", "name": "incamail-runbook", "externalReferences": ["file:///x"]},
            {"bom-ref": "p", "name": "pip"},
            {"bom-ref": "a", "name": "a", "externalReferences": ["https://a.example"]},
        ],
        "dependencies": [
            {"ref": "own", "dependsOn": ["a", "p"]},
            {"ref": "p", "dependsOn": ["a"]},
            {"ref": "a"},
        ],
    }
    kept = sbom.bare(raw, lambda _: "MIT")
    assert "x" not in json.dumps(kept["components"])
    licence = [{"license": {"name": "MIT"}}]
    assert kept["components"] == [{"bom-ref": "a", "name": "a", "licenses": licence}]
    assert kept["dependencies"] == [{"ref": "own", "dependsOn": ["a"]}, {"ref": "a"}]
    assert not {"serialNumber", "timestamp"} & {*kept, *kept["metadata"]}


def test_the_page_of_licences_is_that_of_the_list(bom: Any) -> None:
    """docs/licences.md is made of docs/sbom.cdx.json and has every package."""
    assert text_of(sbom.PAGE) == sbom.page(bom)
    for name, version in ((c["name"], c["version"]) for c in bom["components"]):
        assert f"\n| {name} | {version} | " in text_of(sbom.PAGE)


def test_every_licence_is_settled(bom: Any) -> None:
    """No package is of an unknown licence or one that reaches the programs which use it."""
    grades = {c["name"]: sbom.kind(sbom.licences(c)) for c in bom["components"]}
    assert {n: g for n, g in grades.items() if g not in ("permissive", "weak")} == {}


@pytest.mark.parametrize(
    ("declared", "grade"),
    [
        ([{"license": {"id": "MIT"}}], "permissive"),
        ([{"license": {"name": "License :: OSI Approved :: BSD License"}}], "permissive"),
        ([{"expression": "Apache-2.0 OR GPL-3.0-only"}], "permissive"),
        ([{"expression": "MPL-2.0 AND MIT"}], "weak"),
        ([{"license": {"id": "LGPL-3.0-only"}}], "weak"),
        ([{"expression": "MIT AND GPL-3.0-only"}], "strong"),
        ([{"license": {"id": "AGPL-3.0-or-later"}}], "strong"),
        ([{"license": {"name": "See the file"}}], "unknown"),
        ([{"expression": "MIT AND LicenseRef-Own"}], "unknown"),
        ([], "unknown"),
    ],
)
def test_a_licence_that_binds_is_named_in_a_sentence(declared: Any, grade: str) -> None:
    """Copyleft of either reach and unknown licences stand before the table, the rest does not."""
    component = {"name": "odd-one", "version": "1", "licenses": declared}
    assert sbom.kind(sbom.licences(component)) == grade
    sentences = sbom.page({"components": [component]}).partition("| Package")[0]
    assert ("odd-one" in sentences) == (grade != "permissive")
