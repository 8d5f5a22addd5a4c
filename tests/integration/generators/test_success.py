"""What is asked for, what comes back of it, and what nobody may add to it."""

import base64
import threading

import pytest

from pixy_grpc.core.exceptions import ProviderUnavailableError
from pixy_grpc.core.models import GenerationOptions, ImageFormat
from pixy_grpc.service.generators.openai import OPENAI, Defaults
from pixy_grpc.service.inspection import inspect
from tests.integration.generators.asking import KEY, Make, create, picture
from tests.support.provider import Provider, answer, held, image, slots

PNG = picture()
USAGE = {"input_tokens": 12, "output_tokens": 272, "total_tokens": 284}


def test_image_comes_back_with_what_it_took(provider: Provider, make: Make) -> None:
    """Bytes, model, tokens, the provider's request id and the time are handed on."""
    provider.will(image(PNG, usage=USAGE))

    made = create(make())

    assert (made.data, made.model) == (PNG, "a-model")
    assert made.usage
    assert made.usage.provider_request_id == "req_42"
    assert (made.usage.input_tokens, made.usage.output_tokens) == (12, 272)
    assert made.usage.latency_seconds
    assert 0 < made.usage.latency_seconds < 6


@pytest.mark.parametrize(
    "usage", [None, [], {"input_tokens": "many"}, {"input_tokens": -1, "output_tokens": True}]
)
def test_image_is_kept_when_its_usage_is_nonsense(
    usage: object, provider: Provider, make: Make
) -> None:
    """No image that was paid for is lost over an account of tokens."""
    provider.will(image(PNG, usage=usage))

    made = create(make())

    assert made.usage
    assert (made.usage.input_tokens, made.usage.output_tokens) == (None, None)


def test_forged_provider_request_id_is_dropped(provider: Provider, make: Make) -> None:
    """An id that is none reaches no log and no column."""
    body = b'{"data":[{"b64_json":"%s"}]}' % base64.b64encode(PNG)
    provider.will(answer(body, x_request_id="two words"))

    made = create(make())

    assert made.usage
    assert made.usage.provider_request_id == ""


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
def test_bytes_decide_the_type(image_format: str, provider: Provider, make: Make) -> None:
    """What came is what it is, whatever was asked for or claimed."""
    provider.will(image(picture(image_format), output_format="gif"))

    made = create(make())

    assert inspect(made.data).format == ImageFormat(image_format.lower())


def test_request_to_openai_sends_only_what_is_set(provider: Provider, make: Make) -> None:
    """A bare request is a model, a prompt and one image; no response_format."""
    provider.will(image(PNG))

    create(make(profile=OPENAI))

    assert provider.requests[0].line == "POST /v1/images/generations HTTP/1.1"
    assert provider.requests[0].parameters == {"model": "a-model", "prompt": "a fox", "n": 1}


def test_request_to_openai_sends_all_that_is_set(provider: Provider, make: Make) -> None:
    """Options of the request come first, then the settings."""
    provider.will(image(PNG))
    defaults = Defaults(
        size="1024x1024", quality="low", format=ImageFormat.WEBP, background="auto", compression=80
    )
    options = GenerationOptions(size="1536x1024", quality="high")

    create(make(profile=OPENAI, defaults=defaults), options=options)

    assert provider.requests[0].parameters == {
        "model": "a-model",
        "prompt": "a fox",
        "n": 1,
        "size": "1536x1024",
        "quality": "high",
        "output_format": "webp",
        "background": "auto",
        "output_compression": 80,
    }


def test_request_to_a_compatible_endpoint_asks_for_base64(provider: Provider, make: Make) -> None:
    """Such endpoints answer with a url unless they are told."""
    provider.will(image(PNG))

    create(make(), options=GenerationOptions(size="640x480"))

    sent = provider.requests[0].parameters
    assert (sent["response_format"], sent["size"]) == ("b64_json", "640x480")


def test_environment_adds_nothing(
    provider: Provider, elsewhere: Provider, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the openai package and httpx2 would read from the environment has no effect."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-other")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-other")
    monkeypatch.setenv("OPENAI_BASE_URL", elsewhere.origin)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer sk-other\nX-Other: 1")
    monkeypatch.setenv("HTTP_PROXY", elsewhere.origin)
    monkeypatch.setenv("ALL_PROXY", elsewhere.origin)
    provider.will(image(PNG))

    create(make())

    headers = provider.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["accept-encoding"] == "identity"
    assert not [name for name in headers if name.startswith(("openai-", "x-"))]
    assert not elsewhere.connections


def test_organization_and_project_are_sent_when_set(provider: Provider, make: Make) -> None:
    """Whose account is billed is a setting."""
    provider.will(image(PNG))

    create(make(organization="org-1", project="proj-1"))

    headers = provider.requests[0].headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj-1")


def test_connection_is_used_again(provider: Provider, make: Make) -> None:
    """A second creation right after the first shakes no hands."""
    provider.will(image(PNG))
    generator = make()

    create(generator)
    create(generator)

    assert (len(provider.requests), provider.connections) == (2, 1)


def test_threads_share_a_generator(provider: Provider, make: Make) -> None:
    """Creations run side by side, each with its own answer."""
    provider.will(held(slots({"b64_json": base64.b64encode(PNG).decode()})))
    generator = make()
    made: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: made.append(create(generator).data)) for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    provider.release.set()
    for thread in threads:
        thread.join()

    assert made == [PNG] * 8
    assert len(provider.requests) == 8


def test_closed_generator_asks_nobody(provider: Provider, make: Make) -> None:
    """A server that is stopping spends nothing more."""
    generator = make()
    generator.close()

    with pytest.raises(ProviderUnavailableError):
        create(generator)

    assert not provider.connections
