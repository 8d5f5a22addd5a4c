"""What the provider is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass

from pixy_grpc.core.models import GenerationOptions


@dataclass(frozen=True)
class ImageRequest:
    """A prompt, what is sent with it, and the options of the caller that it came from."""

    prompt: str
    parameters: Mapping[str, object]
    options: GenerationOptions
