"""Where an image may be fetched from when an answer names a url: it could name anything.

An answer is text from outside. Without these rules it could make this server read the
cloud's metadata service, or any service that trusts its network.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pixy_grpc.service.generators.openai.addresses import is_public
from pixy_grpc.service.generators.openai.settings import (
    DEFAULT_PORTS,
    HOST,
    Endpoint,
    Origin,
)
from pixy_grpc.service.generators.openai.stream import Admission

MAX_URL_CHARACTERS = 8192
"""Signed urls are long; longer ones no server takes."""

_URL = re.compile(rf"[\x21-\x7e]{{1,{MAX_URL_CHARACTERS}}}", re.ASCII)


class ForbiddenUrlError(Exception):
    """The url is none that may be fetched; the text never holds it."""


@dataclass(frozen=True)
class ImagePlace:
    """A url that may be asked for, taken apart once, so that nobody reads it another way."""

    origin: Origin
    target: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.origin.host}]" if ":" in self.origin.host else self.origin.host
        is_default = DEFAULT_PORTS[self.origin.scheme] == self.origin.port
        return host if is_default else f"{host}:{self.origin.port}"


class Sources(Admission):
    """The base URL's own origin, hosts named by setting, and the public internet by https."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._trusted = endpoint.image_origins | {endpoint.origin}
        self._trusted_hosts = {(origin.host, origin.port) for origin in self._trusted}

    def place(self, url: str) -> ImagePlace:
        """Take the url apart; raise ForbiddenUrlError where it may not be fetched.

        https, or http where that is the base URL's own origin; no user or password.
        Addresses are looked at when they are known: see `check`.
        """
        if not _URL.fullmatch(url):
            raise ForbiddenUrlError("not a url")
        try:
            parts = urlsplit(url)
            origin = _origin(parts)
        except ValueError as error:
            raise ForbiddenUrlError("not a url") from error
        if origin.scheme != "https" and origin not in self._trusted:
            raise ForbiddenUrlError("not https")
        return ImagePlace(origin, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))

    def check(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Raise ForbiddenUrlError unless the host is trusted or all its addresses are public.

        All of them: a name with a public and a private address is somebody's trick.
        """
        if (host, port) in self._trusted_hosts:
            return
        if not addresses or not all(is_public(address) for address in addresses):
            raise ForbiddenUrlError("not a public address")


def _origin(parts: SplitResult) -> Origin:
    host = (parts.hostname or "").lower()
    if parts.scheme not in DEFAULT_PORTS or not HOST.fullmatch(host):
        raise ValueError("no host to fetch from")
    if parts.username is not None or parts.password is not None or parts.port == 0:
        raise ValueError("no plain host")
    return Origin(parts.scheme, host, parts.port or DEFAULT_PORTS[parts.scheme])
