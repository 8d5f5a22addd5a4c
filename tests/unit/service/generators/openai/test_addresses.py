"""Which addresses an answer may lead to."""

import pytest

from pixy_grpc.service.generators.openai.addresses import is_public

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "198.17.255.255",
    "198.20.0.1",
    "223.255.255.254",
    "2606:4700:4700::1111",
    "2a00:1450:4001:800::200e",
]

OTHERS = {
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],  # noqa: S104 - nothing is bound
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "link-local": ["169.254.0.1", "169.254.169.254", "fe80::1", "fe80::1%eth0"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd00::1"],
    "site-local": ["fec0::1"],
    "carrier-grade NAT": ["100.64.0.1", "100.127.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"],
    "broadcast, reserved": ["255.255.255.255", "240.0.0.1", "250.1.1.1"],
    "protocol assignments": ["192.0.0.1", "192.0.0.9", "192.0.0.170", "2001:10::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "6to4": ["192.88.99.1", "2002:7f00:1::", "2002:a00:1::1"],
    "IPv4 within IPv6": ["::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::ffff:0:1.1.1.1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "discard only": ["100::1"],
    "scoped": ["2606:4700:4700::1111%1"],
    "no address": ["", "localhost", "127.1", "0x7f000001", "2130706433", "010.0.0.1", "1.1.1.1 "],
}


@pytest.mark.parametrize("address", PUBLIC)
def test_host_on_the_internet_is_public(address: str) -> None:
    """An image may be there, next door to every special block."""
    assert is_public(address)


@pytest.mark.parametrize(
    ("_kind", "address"), [(kind, address) for kind, them in OTHERS.items() for address in them]
)
def test_any_other_address_is_not_public(_kind: str, address: str) -> None:
    """Whatever is inside, special, or stands for an address that may be, is out of bounds."""
    assert not is_public(address)
