"""What the openai package sends through: it decides what is asked, we decide what leaves."""

from collections.abc import Iterator

import httpcore2
import httpx2

from pixy_grpc.core.call import Deadline
from pixy_grpc.service.generators.openai.settings import Endpoint
from pixy_grpc.service.generators.openai.wire import Incoming, Wire

PLAIN = (b"accept-encoding", b"identity")
"""Asks for bytes as they are: a small answer that unpacks to gigabytes is none we read."""

_DROPPED = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
"""What an answer's body was on its way: it comes as it is, and is never unpacked."""

_KEPT = frozenset({b"host", b"accept", b"content-type", b"content-length", b"user-agent"})


class WallClockTransport(httpx2.BaseTransport):
    """Sends a request over a wire; the read timeout it comes with bounds the whole exchange,
    the connect timeout all that comes before the request.

    Headers are an allow-list and the credentials are ours: the package merges
    OPENAI_CUSTOM_HEADERS, OPENAI_ORG_ID and OPENAI_PROJECT_ID of the environment into
    what it was told, and describes the machine to the endpoint.
    """

    def __init__(self, wire: Wire, endpoint: Endpoint) -> None:
        self._wire = wire
        self._ours = [PLAIN, *_credentials(endpoint)]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer, its body still to be read.

        Raises what the wire does, here or as it is read; the package lets it through.
        """
        seconds = request.extensions["timeout"]
        kept = [(key, value) for key, value in request.headers.raw if key.lower() in _KEPT]
        url = request.url
        answer = self._wire.send(
            httpcore2.Request(
                request.method,
                httpcore2.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=kept + self._ours,
                content=request.read(),
            ),
            Deadline.after(seconds["read"]),
            seconds["connect"],
        )
        headers = [pair for pair in answer.headers if pair[0].lower() not in _DROPPED]
        return httpx2.Response(answer.status, headers=headers, stream=_Body(answer))

    def close(self) -> None:
        """Close the wire."""
        self._wire.close()


class _Body(httpx2.SyncByteStream):
    def __init__(self, answer: Incoming) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.parts()

    def close(self) -> None:
        self._answer.close()


def _credentials(endpoint: Endpoint) -> list[tuple[bytes, bytes]]:
    headers = {
        "authorization": f"Bearer {endpoint.api_key}",
        "openai-organization": endpoint.organization,
        "openai-project": endpoint.project,
    }
    return [(name.encode(), value.encode()) for name, value in headers.items() if value]
