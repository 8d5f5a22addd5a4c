"""Puts the parts that speak HTTP together: importing this module imports openai, for a second."""

import ssl

import httpcore2

from pixy_grpc.service.generators.openai.client import ProviderClient
from pixy_grpc.service.generators.openai.fetching import ImageFetcher
from pixy_grpc.service.generators.openai.network import Network
from pixy_grpc.service.generators.openai.observer import Observer
from pixy_grpc.service.generators.openai.presence import PaidPresence, Presence
from pixy_grpc.service.generators.openai.settings import Endpoint, Limits
from pixy_grpc.service.generators.openai.sources import Sources
from pixy_grpc.service.generators.openai.stream import Admission, DeadlineBackend
from pixy_grpc.service.generators.openai.wire import Wire

IDLE_SECONDS = 5.0
"""How long a connection is kept for the next request: less than any server keeps it, for
a request that meets a closing one may have been billed for all we know."""

_JSON_BYTES = 256 * 1024
"""What stands around an image in an answer."""


class Session:
    """The client and the fetcher of one endpoint, with their pools."""

    def __init__(self, endpoint: Endpoint, limits: Limits, network: Network) -> None:
        tls = _tls(endpoint.ca_file)
        sources = Sources(endpoint)

        def wire(admission: Admission, body_bytes: int, hears: Observer) -> Wire:
            return Wire(
                httpcore2.ConnectionPool(
                    ssl_context=tls,
                    max_connections=limits.connections,
                    keepalive_expiry=IDLE_SECONDS,
                    network_backend=DeadlineBackend(network, admission),
                ),
                connect_seconds=limits.connect_seconds,
                body_bytes=body_bytes,
                observer=hears,
            )

        in_base64 = limits.image_bytes * 4 // 3 + _JSON_BYTES
        asking, fetching = Presence(), PaidPresence()
        self.client = ProviderClient(
            endpoint, wire(Admission(), in_base64, asking), asking, event_bytes=in_base64
        )
        self.fetcher = ImageFetcher(sources, wire(sources, limits.image_bytes, fetching), fetching)

    def close(self) -> None:
        """Close every connection."""
        self.client.close()
        self.fetcher.close()


def _tls(ca_file: str) -> ssl.SSLContext:
    return (
        ssl.create_default_context(cafile=ca_file) if ca_file else httpcore2.default_ssl_context()
    )
