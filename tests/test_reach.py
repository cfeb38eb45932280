"""Addresses by what they are for, and what may be contacted."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incamail_lib.reach import AddressKind, Reach, kind_of, networks_of

KINDS = {
    AddressKind.PUBLIC: "194.41.147.13 8.8.8.8 172.32.0.1 100.128.0.1 2a00:1450::1 2606::25",
    AddressKind.PRIVATE: "10.1.2.3 172.16.0.1 172.31.255.255 192.168.0.1 fd00::1 fec0::1 "
    "64:ff9b:1::1",
    AddressKind.SHARED: "100.64.0.1 100.127.255.255",
    AddressKind.LOOPBACK: "127.0.0.1 127.255.255.255 ::1",
    AddressKind.LINK_LOCAL: "169.254.169.254 fe80::1",
    AddressKind.MULTICAST: "224.0.0.1 239.255.255.255 ff02::1",
    AddressKind.BROADCAST: "255.255.255.255",
    AddressKind.UNSPECIFIED: "0.0.0.0 0.1.2.3 ::",
    AddressKind.MAPPED: "::ffff:10.1.2.3 ::ffff:8.8.8.8",
    AddressKind.RESERVED: "192.0.2.1 198.51.100.1 203.0.113.9 198.18.0.1 198.19.255.255 240.0.0.1 "
    "192.0.0.8 192.88.99.1 2001:db8::1 2001::1 3fff::1 100::1 5f00::1 ::8.8.8.8 4000::1",
}
# Each holds an address of IPv4, and reaches whatever that reaches.
EMBEDDED = {
    "64:ff9b::a01:203": AddressKind.PRIVATE,  # 10.1.2.3
    "64:ff9b::a9fe:a9fe": AddressKind.LINK_LOCAL,  # 169.254.169.254
    "64:ff9b::c229:930d": AddressKind.PUBLIC,  # 194.41.147.13, as DNS64 makes it
    "2002:7f00:1::1": AddressKind.LOOPBACK,  # 127.0.0.1
    "2002:c0a8:1::25": AddressKind.PRIVATE,  # 192.168.0.1
    "2002:c229:930d::1": AddressKind.PUBLIC,
}
CASES = [(a, kind) for kind, texts in KINDS.items() for a in texts.split()] + [*EMBEDDED.items()]


@pytest.mark.parametrize(("address", "kind"), CASES)
def test_the_kind_of_an_address(address: str, kind: AddressKind) -> None:
    """By the registries of the IANA; what IPv6 wraps counts as what is inside."""
    assert kind_of(address) is kind
    assert Reach().allows(address) is (kind is AddressKind.PUBLIC)


@given(st.ip_addresses())
def test_what_python_knows_as_special_is_never_public(address) -> None:
    """A second opinion: nothing that `ipaddress` calls private, and so on, may be contacted."""
    special = address.is_private or address.is_loopback or address.is_link_local
    special |= address.is_multicast or address.is_unspecified
    embedded = address in ipaddress.ip_network("2002::/16") if address.version == 6 else False
    if special and not embedded:
        assert not Reach().allows(str(address))


def test_the_operators_own_networks_are_allowed_and_no_others() -> None:
    """A network, or a single address; the neighbour stays out."""
    reach = Reach(networks_of(["10.1.0.0/16", "fd00::25"]))
    assert reach.allows("10.1.2.3")
    assert reach.allows("fd00::25")
    assert not reach.allows("10.2.0.1")
    assert not reach.allows("fd00::26")


def test_a_written_address_is_the_operators_will() -> None:
    """What a person wrote himself is contacted, wherever it lies."""
    assert Reach().allows("10.1.2.3", written=True)
    assert not Reach().allows("10.1.2.3")


@pytest.mark.parametrize("address", ["8.8.8.8", "10.1.2.3", "::ffff:127.0.0.1", "2002:7f00:1::1"])
def test_the_lab_never_leaves_this_computer(address: str) -> None:
    """Whatever else is allowed: neither a network nor a written address leads outside."""
    lab = Reach(networks_of(["10.0.0.0/8", "0.0.0.0/0", "::/0"]), only_here=True)
    assert not lab.allows(address, written=True)
    assert lab.allows("127.0.0.2")
    assert lab.allows("::1")
