"""What a target is, and where a token may travel in plain text: only within the machine."""

import ipaddress
import re

_TARGET = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?))"
    r":(?P<port>[0-9]{1,5})"
)
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")
MAX_PORT = 65_535


def target_complaint(target: str, source: str = "The target") -> str:
    """Return what is wrong with a target, by where it is from; empty if nothing is.

    A target is HOST:PORT and nothing else that gRPC would understand: a missing port
    means 443 there, and a port past the last one wraps.
    """
    if _host(target):
        return ""
    scheme = _SCHEME.match(target)
    advice = f"; leave {scheme[0]} out" if scheme else ""
    return f"{source} takes HOST:PORT, such as 127.0.0.1:50051, not {target!r}{advice}."


def is_loopback(target: str) -> bool:
    """Tell whether a target is on this machine: by its address, or as localhost.

    What is not HOST:PORT is not local, nor is a name that another machine looks up.
    """
    host = _host(target)
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(target: str) -> str:
    """Return the host of a target, without brackets; empty where it is not HOST:PORT."""
    match = _TARGET.fullmatch(target)
    if match is None or not 0 < int(match["port"]) <= MAX_PORT:
        return ""
    return match["name"] or _checked_v6(match["v6"])


def _checked_v6(address: str) -> str:
    try:
        return str(ipaddress.IPv6Address(address))
    except ValueError:
        return ""
