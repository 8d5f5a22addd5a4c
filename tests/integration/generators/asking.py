"""How these tests ask: a generator with short limits, and what creation does with its answer."""

import io
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TypedDict, Unpack

from PIL import Image

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.models import GenerationOptions
from pixy_grpc.core.ports import Audience, GeneratedImage
from pixy_grpc.service.generators.openai import (
    COMPATIBLE,
    Defaults,
    Endpoint,
    Limits,
    Network,
    OpenAIGenerator,
    Profile,
)
from pixy_grpc.service.generators.openai.session import Session
from pixy_grpc.service.inspection import inspect
from tests.support.provider import Provider

KEY = "sk-test-key-that-nobody-else-sees"
LIMITS = Limits(cap_seconds=8.0, connect_seconds=2.0, least_seconds=0.05, image_bytes=1 << 20)
OPTIONS = GenerationOptions()

SHORT_SECONDS = 1.0
"""A deadline for those who are not going to answer: the request has to be out by then."""

LATE_SECONDS = 4.0
"""How much later than its deadline a call may end, on a machine that others keep busy."""

IMPORTED = Session
"""Takes a second to import, which no deadline below is to pay for."""

Make = Callable[..., OpenAIGenerator]


class EndpointFields(TypedDict, total=False):
    """The fields of Endpoint that tests set."""

    base_url: str
    organization: str
    project: str
    ca_file: str
    image_hosts: frozenset[str]


def make_generator(provider: Provider, opened: ExitStack) -> Make:
    """Return what makes a generator that asks the provider, unless told otherwise."""

    def make(
        *,
        profile: Profile = COMPATIBLE,
        defaults: Defaults | None = None,
        limits: Limits = LIMITS,
        network: Network | None = None,
        **endpoint: Unpack[EndpointFields],
    ) -> OpenAIGenerator:
        usual = Endpoint("a-model", KEY, base_url=f"{provider.origin}/v1", profile=profile)
        asked = replace(usual, **endpoint)
        generator = OpenAIGenerator(asked, defaults, limits, network=network)
        return opened.enter_context(closing(generator))

    return make


def create(
    generator: OpenAIGenerator,
    seconds: float = 6.0,
    options: GenerationOptions = OPTIONS,
    audience: Audience | None = None,
) -> GeneratedImage:
    """Generate and inspect, as creation does; fail where the deadline was not kept.

    By default the audience waits as long.
    """
    deadline = Deadline.after(seconds, from_caller=True)
    try:
        made = generator.generate("a fox", options, deadline, audience or Audience(deadline))
        inspect(made.data)
        return made
    finally:
        assert time.monotonic() < deadline.at + LATE_SECONDS


def picture(image_format: str = "PNG", side: int = 64) -> bytes:
    """Return an image's file that does not compress away."""
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 90).convert("RGB").save(buffer, image_format)
    return buffer.getvalue()


def names(addresses: Mapping[str, list[str]]) -> tuple[Network, list[str]]:
    """Return a network that knows these names alone, and the list of what it was asked."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        if host not in addresses:
            raise OSError("no such host")
        return addresses[host]

    return Network(resolve=resolve), asked
