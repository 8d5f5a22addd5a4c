"""Where a token may travel in plain text: only where it does not leave the machine."""

import ipaddress
import re

_SCHEME = re.compile(r"(?P<scheme>dns|ipv4|ipv6|unix|unix-abstract):(?P<rest>.*)", re.DOTALL)
_BRACKETED = re.compile(r"\[(?P<host>[^\]]*)\](:\d+)?")
_LOCAL_SCHEMES = ("unix", "unix-abstract")


def is_loopback(target: str) -> bool:
    """Tell whether every address of a gRPC target is on this machine.

    Takes the forms of gRPC's name syntax; a form that is not understood is not local.
    Nor is a name other than localhost, nor one that another machine is to look up.
    """
    match = _SCHEME.fullmatch(target)
    if match is None:
        return _is_local_address(target)
    if match["scheme"] in _LOCAL_SCHEMES:
        return True
    addresses = match["rest"].removeprefix("///").split(",")
    return all(_is_local_address(address) for address in addresses)


def _is_local_address(address: str) -> bool:
    host = _host(address)
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(address: str) -> str:
    """Return an address without its port and brackets: `[::1]:1`, `::1`, `a:1`, `a`."""
    bracketed = _BRACKETED.fullmatch(address)
    if bracketed:
        return bracketed["host"]
    host, _, _ = address.partition(":")
    return host if address.count(":") == 1 else address
