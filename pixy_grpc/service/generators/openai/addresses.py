"""Tells the addresses of the public internet from all others, which no answer may name."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

# What `is_global` lets pass in some versions of Python, though nobody's images are
# there: IETF protocol assignments and the relay anycast of 6to4 (RFC 6890, RFC 7526).
_V4_SPECIAL = (ip_network("192.0.0.0/24"), ip_network("192.88.99.0/24"))

_V6_GLOBAL = IPv6Network("2000::/3")
"""All that IANA has given out as global unicast; NAT64, mapped and local are elsewhere."""

# Within it: protocol assignments with Teredo, documentation, 6to4 (which embed IPv4).
_V6_SPECIAL = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


def is_public(text: str) -> bool:
    """Tell whether the text is the address of a host on the public internet."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return _is_public_v4(address)
    return _is_public_v6(address)


def _is_public_v4(address: IPv4Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _V4_SPECIAL)


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id or address not in _V6_GLOBAL:
        return False
    return not any(address in network for network in _V6_SPECIAL)
