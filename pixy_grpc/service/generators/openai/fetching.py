"""Fetches an image that an answer only names: paid for, so tried again, but from few places."""

import logging

import httpcore2

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ProviderOutcomeUnknownError
from pixy_grpc.core.ports import Audience
from pixy_grpc.service.generators.openai.answer import unusable
from pixy_grpc.service.generators.openai.errors import Failure
from pixy_grpc.service.generators.openai.presence import PaidPresence
from pixy_grpc.service.generators.openai.sources import ForbiddenUrlError, Sources
from pixy_grpc.service.generators.openai.transport import PLAIN
from pixy_grpc.service.generators.openai.wire import (
    CutError,
    UnreachedError,
    UnreadableError,
    Wire,
)

_OK = 200
_TOO_MANY = 429
_SERVER_ERRORS = 500

_log = logging.getLogger(__name__)


class ImageFetcher:
    """Gets bytes from the places that `Sources` allows, without a key. Threads share it."""

    def __init__(self, sources: Sources, wire: Wire, presence: PaidPresence) -> None:
        self._sources = sources
        self._wire = wire
        self._presence = presence

    def fetch(self, url: str, deadline: Deadline, audience: Audience) -> bytes:
        """Return the bytes; raise Failure. No redirect is followed: it is no image."""
        try:
            with self._presence.of(audience):
                answer = self._wire.exchange(self._request(url), deadline)
        except (UnreachedError, CutError) as error:
            _log.info("image not fetched cause=%s", error)
            raise _lost() from error
        except (ForbiddenUrlError, UnreadableError) as error:
            _log.info("image not fetched cause=%s", error)
            raise unusable() from error
        if answer.status == _OK:
            return answer.body
        _log.info("image not fetched status=%d", answer.status)
        may_pass = answer.status == _TOO_MANY or answer.status >= _SERVER_ERRORS
        raise _lost() if may_pass else unusable()

    def close(self) -> None:
        """Close every connection."""
        self._wire.close()

    def _request(self, url: str) -> httpcore2.Request:
        place = self._sources.place(url)
        return httpcore2.Request(
            b"GET",
            httpcore2.URL(
                scheme=place.origin.scheme,
                host=place.origin.host,
                port=place.origin.port,
                target=place.target,
            ),
            headers=[
                (b"host", place.authority.encode()),
                (b"user-agent", b"pixy-grpc"),
                (b"accept", b"image/*"),
                PLAIN,
            ],
        )


def _lost() -> Failure:
    """Return a failure that is worth another attempt: reading costs nothing."""
    text = "The image was made, but the provider does not hand it out. Ask again later."
    return Failure(ProviderOutcomeUnknownError(text), 0.0)
