"""What the composition root hands to the generator. Nothing here reads the environment."""

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.progress import MAX_PARTIAL_IMAGES
from pixy_grpc.service.generators.openai.profile import OPENAI, Profile

OPENAI_BASE_URL = "https://api.openai.com/v1"
"""Where OpenAI's own API is."""

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The ports that a URL of each scheme may leave out."""

HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)
"""A host name in lower case as DNS has it, or an IP address."""

MAX_MODEL_CHARACTERS = 255
"""What a database keeps of it: no image with more could be stored once it is paid for."""

_HEADER = re.compile(r"[\x21-\x7e]+", re.ASCII)
_HOST_PORT = re.compile(r"(?P<host>[a-z0-9.-]+)(:(?P<port>[1-9]\d{0,4}))?", re.ASCII)


@dataclass(frozen=True)
class Origin:
    """Scheme, host in lower case and port of a URL: who is spoken to."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True)
class Endpoint:
    """Who is asked, as whom, for which model, and what they understand.

    `ca_file` is a PEM file of authorities for an endpoint with a private one, empty for
    the system's. `image_hosts` are the hosts, each with a port or 443, from which a url
    in an answer is fetched whatever their addresses. Raises ValueError, never showing
    the key.
    """

    model: str
    api_key: str = field(repr=False)
    base_url: str = OPENAI_BASE_URL
    profile: Profile = OPENAI
    organization: str = ""
    project: str = ""
    ca_file: str = ""
    image_hosts: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("model", "api_key"):
            if not _HEADER.fullmatch(getattr(self, name)):
                raise ValueError(f"The {name} has to be visible ASCII characters, one at least.")
        if len(self.model) > MAX_MODEL_CHARACTERS:
            raise ValueError(f"The model has to have {MAX_MODEL_CHARACTERS} characters at most.")
        for name in ("organization", "project"):
            if not _HEADER.fullmatch(getattr(self, name) or "-"):
                raise ValueError(f"The {name} has to be visible ASCII characters.")
        _ = self.origin, self.image_origins

    @property
    def origin(self) -> Origin:
        """The origin of the base URL."""
        parts = urlsplit(self.base_url)
        if not _is_base(parts):
            raise ValueError("The base URL has to be like https://host:port/v1, nothing more.")
        host = (parts.hostname or "").lower()
        return Origin(parts.scheme, host, parts.port or DEFAULT_PORTS[parts.scheme])

    @property
    def image_origins(self) -> frozenset[Origin]:
        """The origins that `image_hosts` name."""
        return frozenset(_named_origin(host) for host in self.image_hosts)


@dataclass(frozen=True)
class Defaults:
    """What is asked for where a request leaves it open; what is empty or None is not sent.

    `background` is "transparent", "opaque" or "auto"; `compression` is 0 to 100, sent
    with JPEG and WebP only: PNG takes none.
    """

    size: str = ""
    quality: str = ""
    format: ImageFormat | None = None
    background: str = ""
    compression: int | None = None


@dataclass(frozen=True)
class Limits:
    """What one creation may take.

    `cap_seconds` bounds the whole exchange where the caller's deadline is later;
    `connect_seconds` everything before the request is sent; with less than
    `least_seconds` left nobody is asked, for the answer would come too late and be
    paid for. `connections` bounds each of the two pools, to the provider and to image
    hosts: the number of creations at once is what it takes. `max_partial_images`
    unfinished images, 0 to 3, are asked for at most where an audience wants them: OpenAI
    bills each as 100 more output tokens. Raises ValueError for another number of them.
    """

    cap_seconds: float = 170.0
    connect_seconds: float = 10.0
    least_seconds: float = 1.0
    image_bytes: int = 64 * 1024 * 1024
    attempts: int = 3
    connections: int = 64
    max_partial_images: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.max_partial_images <= MAX_PARTIAL_IMAGES:
            raise ValueError(f"Partial images are 0 to {MAX_PARTIAL_IMAGES}.")


def _is_base(parts: SplitResult) -> bool:
    try:
        port_is_valid = parts.port != 0
    except ValueError:
        return False
    extra = parts.username or parts.password or parts.query or parts.fragment
    host_is_valid = bool(HOST.fullmatch((parts.hostname or "").lower()))
    return parts.scheme in DEFAULT_PORTS and host_is_valid and port_is_valid and not extra


def _named_origin(text: str) -> Origin:
    match = _HOST_PORT.fullmatch(text.lower())
    if not match or int(match["port"] or 1) > 65535:  # noqa: PLR2004 - the last TCP port
        raise ValueError("An image host has to be a host, or host:port.")
    return Origin("https", match["host"], int(match["port"] or DEFAULT_PORTS["https"]))
