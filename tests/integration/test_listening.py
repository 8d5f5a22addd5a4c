"""Addresses of this machine, held for workers to listen on."""

import ipaddress
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest

from pixy_grpc.listening import reserve
from pixy_grpc.settings import Settings

INTERFACES = Path("/proc/net/if_inet6")


def address_of_a_link() -> str:
    """Return one with its link: many may have the same, so that it is none without."""
    for line in INTERFACES.read_text().splitlines() if INTERFACES.exists() else ():
        digits, *_, link = line.split()
        address = ipaddress.IPv6Address(int(digits, 16))
        if address.is_link_local:
            return f"{address}%{link}"
    pytest.skip("no interface has an address that begins with fe80")


def test_address_of_a_link_is_listened_on_at_that_link() -> None:
    """No setting spells one; the name of a machine may stand for it beside others."""
    settings = Settings.model_construct(listen=f"{address_of_a_link()}:0")
    server = grpc.server(ThreadPoolExecutor(1))
    with ExitStack() as reserved:
        (address,) = reserve(settings, reserved)

        assert server.add_insecure_port(address)
