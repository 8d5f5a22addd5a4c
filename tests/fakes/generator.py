"""ImageGenerator: images, and errors, as a test has them in its script."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.core.models import GenerationOptions
from pixy_grpc.core.ports import Audience, GeneratedImage


@dataclass(frozen=True)
class GeneratorRequest:
    """What a ScriptedGenerator was asked for."""

    prompt: str
    options: GenerationOptions
    deadline: Deadline
    audience: Audience


Outcome = GeneratedImage | Exception | Callable[[GeneratorRequest], GeneratedImage]


class ScriptedGenerator:
    """An ImageGenerator that meets each request with the next outcome of its script.

    An outcome is an image, an exception to raise, or a function of the request; the
    last one is used over and over. `refusal` is what `check` raises.
    """

    name = "scripted"

    def __init__(self, *outcomes: Outcome, refusal: ImageException | None = None) -> None:
        self.requests: list[GeneratorRequest] = []
        self.refusal = refusal
        self._outcomes = list(outcomes)
        self._lock = threading.Lock()

    def script(self, *outcomes: Outcome) -> None:
        """Go on with another script."""
        self._outcomes = list(outcomes)

    def close(self) -> None:
        """Hold nothing."""

    def check(self, options: GenerationOptions) -> None:  # noqa: ARG002 - the port's
        """Raise the refusal, if there is one."""
        if self.refusal:
            raise self.refusal

    def generate(
        self, prompt: str, options: GenerationOptions, deadline: Deadline, audience: Audience
    ) -> GeneratedImage:
        """Return, raise or call the next outcome."""
        self.check(options)
        request = GeneratorRequest(prompt, options, deadline, audience)
        with self._lock:
            self.requests.append(request)
            outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome(request) if callable(outcome) else outcome
