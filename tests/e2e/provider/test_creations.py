"""Images of a provider, and what becomes of them when something goes wrong beside it."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from pixy_grpc.core.creations import CreationState
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.creation.callers import create, refusal, request
from tests.e2e.provider.asking import KEY, Asked, settings_of
from tests.integration.generators.asking import picture
from tests.support.process import serving, wait_until
from tests.support.provider import Provider, held, image, providing, slots
from tests.support.provider import refusal as refusing
from tests.support.server import TOKENS, StartServer

PNG = picture()
USAGE = {"usage": {"input_tokens": 9, "output_tokens": 1056, "total_tokens": 1065}}


@pytest.fixture
def elsewhere() -> Iterator[Provider]:
    """Run a server that nobody may be led to."""
    with providing() as running:
        yield running


def test_image_of_a_provider_is_stored_as_it_came(asked: Asked) -> None:
    """Its bytes are the provider's, its type what the bytes say, its model the setting's."""
    asked.provider.will(image(PNG, **USAGE))

    with asked.server.client() as client:
        creation = client.create("a fox", size="640x480")
        data = client.read(creation.image.guid).data

    (sent,) = asked.provider.requests
    assert data == PNG
    assert (creation.image.generator, creation.image.model) == ("openai", "a-model")
    assert creation.image.content_type == "image/png"
    assert sent.parameters == {
        "model": "a-model",
        "n": 1,
        "prompt": "a fox",
        "size": "640x480",
        "response_format": "b64_json",
    }
    assert sent.headers["authorization"] == f"Bearer {KEY}"


def test_url_of_the_providers_own_origin_is_fetched(asked: Asked) -> None:
    """An answer may hold a url instead: two requests, the second without the key."""
    url = f"{asked.provider.origin}/files/1.png"
    asked.provider.will(slots({"url": url}), lambda peer: peer.send(_png_answer()))

    created = create(asked.server, request())

    first, second = asked.provider.requests
    assert created.details.size_bytes == len(PNG)
    assert first.line.startswith("POST ")
    assert second.line == "GET /files/1.png HTTP/1.1"
    assert "authorization" not in second.headers


def _png_answer() -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(PNG) + PNG


def test_url_into_loopback_reaches_nobody(asked: Asked, elsewhere: Provider) -> None:
    """An answer cannot lead this machine to another service on it."""
    asked.provider.will(slots({"url": f"https://127.0.0.1:{elsewhere.port}/1.png"}))

    told = refusal(asked.server, request())

    assert told.reason == "PROVIDER_BAD_RESPONSE"
    assert elsewhere.connections == 0


def test_rate_limit_that_fits_in_the_deadline_is_waited_for(asked: Asked) -> None:
    """Nothing was accepted, so that asking again bills nothing twice."""
    asked.provider.will(refusing(429, retry_after="0"), image(PNG))
    message = request()

    created = create(asked.server, message)

    claim = asked.claim(message.request_id)
    assert created.details.size_bytes == len(PNG)
    assert len(asked.provider.requests) == 2
    assert claim is not None
    assert (claim.state, claim.asks) == (CreationState.DONE, 1)


def test_provider_that_cannot_be_reached_costs_nothing(
    asked: Asked, start_server: StartServer
) -> None:
    """Cut before the request: no request, no claim, and UNAVAILABLE says so."""
    with providing() as gone:
        settings = settings_of(gone)
    server = start_server(**settings)
    message = request()

    told = refusal(server, message)

    assert (told.status, told.reason) == ("UNAVAILABLE", "PROVIDER_UNAVAILABLE")
    assert gone.requests == []
    assert Asked(server, asked.provider).claim(message.request_id) is None


def test_caller_that_cancels_after_the_ask_loses_nothing(asked: Asked) -> None:
    """The image is made and stored without it; its retry gets it, replayed, and unpaid."""
    asked.provider.will(held(image(PNG)))
    message = request()

    with asked.server.stub() as stub:
        call = stub.CreateImage.future(message, metadata=asked.server.metadata(), timeout=30)
        assert asked.provider.asked.wait(30)
        call.cancel()
        asked.provider.release.set()
        again = create(asked.server, message)

    assert again.replayed
    assert again.details.size_bytes == len(PNG)
    assert len(asked.provider.requests) == 1


def test_caller_whose_time_is_over_loses_nothing(asked: Asked) -> None:
    """So it is with one whose deadline passes while the provider is at work."""
    asked.provider.will(held(image(PNG)))
    message = request()

    with asked.server.stub() as stub:
        call = stub.CreateImage.future(message, metadata=asked.server.metadata(), timeout=2.0)
        assert asked.provider.asked.wait(30)
        assert isinstance(call.exception(timeout=30), grpc.RpcError)
    asked.provider.release.set()
    again = create(asked.server, message)

    assert again.replayed
    assert len(asked.provider.requests) == 1


def test_log_of_a_creation_shows_no_key_prompt_or_provider_text(tmp_path: Path) -> None:
    """What a provider says stays with it, whatever goes wrong."""
    with providing() as provider:
        provider.will(refusing(401, "invalid_api_key"))
        names = {name: str(value) for name, value in settings_of(provider).items()}
        with serving(tmp_path, **_environment(names)) as process:
            with process.server.stub() as stub, pytest.raises(grpc.RpcError):
                stub.CreateImage(
                    pb.CreateImageRequest(prompt="a secret fox", request_id=str(uuid.uuid4())),
                    metadata=process.server.metadata(),
                    timeout=30,
                )
            wait_until(lambda: any("REQUEST END" in line for line in process.lines), "it ends")
            log = "\n".join(process.lines)

    assert "status=401 code=invalid_api_key" in log
    assert not any(secret in log for secret in (KEY, "secret fox", "SECRET", *TOKENS.values()))


def _environment(settings: dict[str, str]) -> dict[str, str]:
    shared = {"openai_api_key": "OPENAI_API_KEY", "openai_base_url": "OPENAI_BASE_URL"}
    return {shared.get(name, f"PIXY_{name.upper()}"): value for name, value in settings.items()}
