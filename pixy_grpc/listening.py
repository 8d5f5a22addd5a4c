"""The port that workers share: held for them, and for no other server."""

import errno
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from pixy_grpc.settings import Settings, SettingsError

Address = tuple[Any, ...]
"""As sockets take it: host and port, and more by its family."""

_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def reserve(settings: Settings, reserved: ExitStack) -> Sequence[str]:
    """Hold the port on every address of the host; return what to listen on.

    Those are numbers: gRPC may find others for a name. An address that this machine has not
    is passed over, where it has another of them. Raises SettingsError where the port is taken.
    """
    port, addresses, absent = settings.port, list[str](), 0
    found = _resolve(settings)
    for family, (host, _, *rest) in found:
        try:
            held = reserved.enter_context(_hold(family, (host, port, *rest)))
        except OSError as error:
            absent += 1
            if error.errno not in _ABSENT or absent == len(found):
                raise SettingsError(
                    f"PIXY_LISTEN: {settings.listen} cannot be used: {error.strerror}"
                ) from error
        else:
            port = held.getsockname()[1]
            addresses.append(_numeric(held))
    return addresses


def _hold(family: int, address: Address) -> socket.socket:
    """Hold a port without listening on it, so that workers may come and go.

    Sockets that share a port do so silently, between two servers too: a first bind
    without sharing finds out whether anybody is there. It would not find a socket that
    has SO_REUSEADDR and does not listen, so what is held here has it not: a server whose
    workers are still starting is found too.
    """
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        address = probe.getsockname()
    with ExitStack() as unless_held:
        held = unless_held.enter_context(socket.socket(family, socket.SOCK_STREAM))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(address)
        unless_held.pop_all()
    return held


def _numeric(held: socket.socket) -> str:
    """Return where a socket is bound, with the link of an address that needs one (fe80::1%eth0)."""
    flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    host, port = socket.getnameinfo(held.getsockname(), flags)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _resolve(settings: Settings) -> list[tuple[int, Address]]:
    """Return family and address, each once: a name may stand twice for the same."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise SettingsError(f"PIXY_LISTEN: there is no host {settings.host}") from error
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))
