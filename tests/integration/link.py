"""Listens on the address of a link, in a network of its own: what a machine has may differ."""

import fcntl
import ipaddress
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import grpc

from pixy_grpc.listening import reserve
from pixy_grpc.settings import Settings

ADDRESS, LINK = "fe80::1", "lo"
WITHIN = ("unshare", "--user", "--map-root-user", "--net")

# Of linux/sockios.h and linux/if.h.
_SIOCSIFFLAGS, _SIOCSIFADDR, _IFF_UP = 0x8914, 0x8916, 1


def _give_address() -> None:
    """Let the link begin, and have the address: see netdevice(7) and ipv6(7)."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, _SIOCSIFFLAGS, struct.pack("16sh14x", LINK.encode(), _IFF_UP))
        packed = ipaddress.IPv6Address(ADDRESS).packed
        given = struct.pack("=16sIi", packed, 64, socket.if_nametoindex(LINK))
        fcntl.ioctl(asking, _SIOCSIFADDR, given)


def main() -> None:
    """Print what gRPC is told to listen on, once it does."""
    _give_address()
    settings = Settings.model_construct(listen=f"{ADDRESS}%{LINK}:0")
    server = grpc.server(ThreadPoolExecutor(1))
    with ExitStack() as reserved:
        (address,) = reserve(settings, reserved)
        server.add_insecure_port(address)
        print(address)  # noqa: T201 - whoever started it reads that


if __name__ == "__main__":
    main()
