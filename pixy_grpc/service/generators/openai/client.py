"""Asks for one image through the openai package, once: no retry and no redirect of its own."""

import logging
from collections.abc import Mapping

import httpx2
import openai

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.models import GenerationOptions
from pixy_grpc.service.generators.openai.answer import Answer, read_answer, unusable
from pixy_grpc.service.generators.openai.errors import (
    Failure,
    Refusal,
    outcome_unknown,
    refused,
    sanitised,
    unreached,
)
from pixy_grpc.service.generators.openai.retry_after import retry_after_seconds
from pixy_grpc.service.generators.openai.room import AnswerRoom
from pixy_grpc.service.generators.openai.settings import Endpoint
from pixy_grpc.service.generators.openai.transport import WallClockTransport
from pixy_grpc.service.generators.openai.wire import (
    CutError,
    UnreachedError,
    UnreadableError,
    Wire,
)

_REQUEST_ID = "x-request-id"

_log = logging.getLogger(__name__)


class ProviderClient:
    """One endpoint. Threads share it."""

    def __init__(self, endpoint: Endpoint, wire: Wire, room: AnswerRoom) -> None:
        self._model = endpoint.model
        self._room = room
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

    def ask(
        self,
        prompt: str,
        parameters: Mapping[str, object],
        options: GenerationOptions,
        deadline: Deadline,
    ) -> Answer:
        """Return the answer to one request; raise Failure."""
        try:
            raw = self._openai.images.with_raw_response.generate(
                prompt=prompt,
                model=self._model,
                n=1,
                extra_body=parameters,
                timeout=httpx2.Timeout(deadline.remaining()),
            )
        except (openai.APIStatusError, UnreachedError, CutError, UnreadableError) as error:
            raise _failure(error, options) from error
        else:
            provider_request_id = sanitised(raw.headers.get(_REQUEST_ID))
            _log.info("provider answered provider_request_id=%s", provider_request_id)
            return read_answer(raw.content, provider_request_id.strip("-"))
        finally:
            self._room.leave()

    def close(self) -> None:
        """Close every connection."""
        self._http.close()


def _failure(error: Exception, options: GenerationOptions) -> Failure:
    if isinstance(error, openai.APIStatusError):
        return _refused(error, options)
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
