"""A provider that streams, from its socket to the client: real servers all the way."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pixy_client import Creation, CreationGenerating, PartialImage
from pixy_grpc.service.generators.openai import OPENAI, Endpoint, Limits, OpenAIGenerator
from tests.e2e.creation.callers import CALL_SECONDS, follow, refusal, request
from tests.e2e.creation.scripted import scripted_server
from tests.e2e.rpc.wire import refused
from tests.integration.generators.asking import picture
from tests.support.provider import (
    Peer,
    Provider,
    completed,
    events,
    fault,
    image,
    partial,
    providing,
)
from tests.support.provider import refusal as refuses
from tests.support.server import RunningServer

PNG = picture()
UNFINISHED = [picture(side=16), picture("WEBP", 32)]


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Run a stand-in provider."""
    with providing() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, provider: Provider) -> Iterator[RunningServer]:
    """Serve what it makes; unfinished images are allowed."""
    endpoint = Endpoint("a-model", "a-key", base_url=f"{provider.origin}/v1", profile=OPENAI)
    limits = Limits(max_partial_images=3)
    with (
        closing(OpenAIGenerator(endpoint, limits=limits)) as generator,
        scripted_server(tmp_path, generator=generator) as running,
    ):
        yield running


def test_unfinished_images_are_seen_before_the_provider_has_finished(
    server: RunningServer, provider: Provider
) -> None:
    """The provider goes on only once the client has what it has sent."""
    seen = threading.Semaphore(0)

    def until_seen(_: Peer) -> None:
        assert seen.acquire(timeout=CALL_SECONDS)

    first, second = UNFINISHED
    provider.will(
        events(partial(first), until_seen, partial(second, 1), until_seen, completed(PNG))
    )
    told = []

    with server.client() as client:
        for event in client.create_stream("a fox", partial_images=2, timeout=CALL_SECONDS):
            told.append(event)
            if isinstance(event, PartialImage):
                seen.release()
        creation = told[-1]
        assert isinstance(creation, Creation)
        assert client.read(creation.image.guid).data == PNG

    assert told[1:4] == [
        CreationGenerating("openai"),
        PartialImage(0, "image/png", first),
        PartialImage(1, "image/webp", second),
    ]
    assert (creation.image.generator, creation.image.model) == ("openai", "a-model")
    assert provider.requests[0].parameters["partial_images"] == 2


def test_caller_who_wants_none_is_billed_for_none(
    server: RunningServer, provider: Provider
) -> None:
    """The provider is asked as CreateImage asks it."""
    provider.will(image(PNG))

    follow(server, request())

    assert "stream" not in provider.requests[0].parameters


def test_refusal_behind_an_unfinished_image_is_final(
    server: RunningServer, provider: Provider
) -> None:
    """A retry hears the same, from here: the provider is asked once."""
    provider.will(events(partial(UNFINISHED[0]), fault("moderation_blocked")))
    message = request()

    told = refused(lambda: follow(server, message, 3))
    again = refusal(server, message)

    assert (told.status, told.reason) == ("INVALID_ARGUMENT", "CONTENT_POLICY")
    assert (again.status, again.reason) == (told.status, told.reason)
    assert len(provider.requests) == 1


def test_rate_limit_beyond_the_callers_deadline_is_told_at_once(
    server: RunningServer, provider: Provider
) -> None:
    """With when to come back; the request id is free, and nobody is asked meanwhile."""
    provider.will(refuses(429, retry_after="30"), image(PNG))
    message = request()
    began = time.monotonic()

    told = refusal(server, message, seconds=10.0)

    assert (told.status, told.reason) == ("RESOURCE_EXHAUSTED", "PROVIDER_RATE_LIMITED")
    assert told.retry_seconds == 30.0
    assert time.monotonic() - began < 8.0
    assert len(provider.requests) == 1
    assert follow(server, message)[-1].created.details.guid
