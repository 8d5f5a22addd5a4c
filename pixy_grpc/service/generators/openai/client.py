"""Asks for one image through the openai package, once: no retry and no redirect of its own."""

import logging
from contextlib import closing
from functools import partial

import httpx2
import openai

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.models import GenerationOptions
from pixy_grpc.core.ports import Audience
from pixy_grpc.service.generators.openai.answer import Answer, read_answer, unusable
from pixy_grpc.service.generators.openai.errors import (
    Failure,
    Refusal,
    outcome_unknown,
    refused,
    refused_in_event,
    sanitised,
    unreached,
)
from pixy_grpc.service.generators.openai.events import event_data
from pixy_grpc.service.generators.openai.presence import Presence
from pixy_grpc.service.generators.openai.request import ImageRequest
from pixy_grpc.service.generators.openai.retry_after import retry_after_seconds
from pixy_grpc.service.generators.openai.settings import Endpoint
from pixy_grpc.service.generators.openai.transport import WallClockTransport
from pixy_grpc.service.generators.openai.unfinished import RefusedError, finished
from pixy_grpc.service.generators.openai.wire import (
    EVENTS,
    CutError,
    UnreachedError,
    UnreadableError,
    Wire,
)

_REQUEST_ID = "x-request-id"

_FAILURES = (openai.APIStatusError, RefusedError, UnreachedError, CutError, UnreadableError)

_log = logging.getLogger(__name__)


class ProviderClient:
    """One endpoint. Threads share it."""

    def __init__(
        self, endpoint: Endpoint, wire: Wire, presence: Presence, *, event_bytes: int
    ) -> None:
        self._model = endpoint.model
        self._presence = presence
        self._event_bytes = event_bytes
        self._http = httpx2.Client(
            transport=WallClockTransport(wire, endpoint), trust_env=False, follow_redirects=False
        )
        # Whatever is left out the package looks for in the environment.
        self._openai = openai.OpenAI(
            api_key=endpoint.api_key,
            admin_api_key="",
            organization=endpoint.organization,
            project=endpoint.project,
            webhook_secret="",
            base_url=endpoint.base_url,
            max_retries=0,
            http_client=self._http,
        )

    def ask(self, request: ImageRequest, deadline: Deadline, audience: Audience) -> Answer:
        """Return the answer to one request, which is sent by the audience's deadline.

        Raises Failure.
        """
        try:
            with self._presence.of(audience):
                sent = self._sent(request, deadline, audience)
            with closing(sent) as response:
                return self._read(response, deadline, audience)
        except _FAILURES as error:
            raise _failure(error, request.options) from error

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def _sent(
        self, request: ImageRequest, deadline: Deadline, audience: Audience
    ) -> httpx2.Response:
        """Send a request; return the answer, which may still be coming."""
        seconds = deadline.remaining()
        connect_seconds = min(audience.deadline.remaining(), seconds)
        raw = self._openai.images.with_raw_response.generate(
            prompt=request.prompt,
            model=self._model,
            n=1,
            extra_body=request.parameters,
            timeout=httpx2.Timeout(seconds, connect=connect_seconds),
            stream=True if audience.partial_images else openai.omit,
            partial_images=audience.partial_images or openai.omit,
        )
        return raw.http_response

    def _read(self, response: httpx2.Response, deadline: Deadline, audience: Audience) -> Answer:
        provider_request_id = sanitised(response.headers.get(_REQUEST_ID))
        _log.info("provider answered provider_request_id=%s", provider_request_id)
        known_id = provider_request_id.strip("-")
        if response.is_closed or not _is_events(response):
            return read_answer(response.read(), known_id)
        arriving = partial(audience.arriving, deadline)
        events = event_data(response.iter_raw(), self._event_bytes, arriving)
        final = finished(events, audience.show)
        arriving()
        return final.answer(final.usage, known_id)


def _is_events(response: httpx2.Response) -> bool:
    """Tell whether an answer comes in events: one that was asked for as such need not."""
    return str(response.headers.get("content-type", "")).lower().startswith(EVENTS)


def _failure(error: Exception, options: GenerationOptions) -> Failure:
    if isinstance(error, openai.APIStatusError):
        return _refused(error, options)
    if isinstance(error, RefusedError):
        _log.info("provider refused codes=%s", ",".join(map(sanitised, sorted(error.codes))))
        return refused_in_event(error.codes, error.parameter, options)
    failure = {UnreachedError: unreached, CutError: outcome_unknown, UnreadableError: unusable}
    _log.info("provider failed kind=%s cause=%s", type(error).__name__, error)
    return failure[type(error)]()


def _refused(error: openai.APIStatusError, options: GenerationOptions) -> Failure:
    refusal = Refusal(
        status=error.status_code,
        codes=frozenset(code for code in (error.code, error.type) if isinstance(code, str)),
        parameter=_parameter(error),
        retry_after_seconds=retry_after_seconds(error.response.headers.get("retry-after", "")),
    )
    _log.info(
        "provider refused status=%d code=%s provider_request_id=%s",
        refusal.status,
        sanitised(error.code),
        sanitised(error.request_id),
    )
    return refused(refusal, options)


def _parameter(error: openai.APIStatusError) -> str:
    """Return the parameter that is named as wrong: by OpenAI, or as FastAPI servers do it,
    `{"detail": [{"loc": ["body", "size"], ...}]}`.
    """
    if isinstance(error.param, str):
        return error.param
    match error.body:
        case {"detail": [{"loc": [*_, str(name)]}, *_]}:
            return name
    return ""
