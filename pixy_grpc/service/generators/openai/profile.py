"""What an endpoint understands: asking for anything else is refused, or costs a 400.

Sources: openai 3.54.0, types/image_generate_params.py (made from OpenAI's OpenAPI
description), for what GPT image models take and stream; PITFALLS.md, "openai 3", for endpoints
that need `response_format` while GPT image models refuse it.
"""

from dataclasses import dataclass

from pixy_grpc.core.models import ImageFormat


@dataclass(frozen=True)
class Profile:
    """The parameters of the Images API that an endpoint takes.

    `sizes` and `qualities` None means any, empty means that the parameter is never
    sent; `formats` are those of `output_format`, likewise. `response_format` is sent
    where it is not empty. `streams` means that it takes `stream` and `partial_images`,
    and answers with events.
    """

    name: str
    response_format: str = ""
    sizes: frozenset[str] | None = None
    qualities: frozenset[str] | None = frozenset()
    formats: frozenset[ImageFormat] = frozenset()
    background: bool = False
    compression: bool = False
    streams: bool = False


OPENAI = Profile(
    name="openai",
    sizes=frozenset({"1024x1024", "1536x1024", "1024x1536"}),
    qualities=frozenset({"low", "medium", "high"}),
    formats=frozenset(ImageFormat),
    background=True,
    compression=True,
    streams=True,
)
"""What every GPT image model takes; "auto" is what not sending a parameter means."""

OPENAI_ANY_SIZE = Profile(
    name="openai-any-size",
    qualities=frozenset({"low", "medium", "high", "xhigh", "max"}),
    formats=frozenset(ImageFormat),
    background=True,
    compression=True,
    streams=True,
)
"""GPT image models from gpt-image-2 on: sides divisible by 16, up to 3840x2160, "xhigh" and
"max" from 2.5 on. What a model does not make it refuses itself, for nothing."""

COMPATIBLE = Profile(name="compatible", response_format="b64_json")
"""The smallest common part of other endpoints: a prompt, a size, base64 in the answer."""

PROFILES = {profile.name: profile for profile in (OPENAI, OPENAI_ANY_SIZE, COMPATIBLE)}
"""The built-in profiles by name; `dataclasses.replace` makes others of them."""
