"""The port's side of the provider: what can be asked of it, and how the parts come together."""

import time
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.models import GenerationOptions
from pixy_grpc.core.ports import Audience, GeneratedImage
from pixy_grpc.service.generators.openai.attempts import Attempts
from pixy_grpc.service.generators.openai.network import Network
from pixy_grpc.service.generators.openai.parameters import Parameters
from pixy_grpc.service.generators.openai.request import ImageRequest
from pixy_grpc.service.generators.openai.settings import Defaults, Endpoint, Limits

if TYPE_CHECKING:
    from pixy_grpc.service.generators.openai.answer import Answer
    from pixy_grpc.service.generators.openai.session import Session


class OpenAIGenerator:
    """Asks a provider for one image, and pays at most once for each call.

    Any number of threads may share one. Raises ValueError where the settings do not go
    together; connects to nobody until it is used.
    """

    name = "openai"

    def __init__(
        self,
        endpoint: Endpoint,
        defaults: Defaults | None = None,
        limits: Limits | None = None,
        *,
        network: Network | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._parameters = Parameters(endpoint.profile, defaults or Defaults())
        self._limits = limits or Limits()
        self._network = network or Network()
        self._attempts = Attempts(self._limits)
        self._opening = Lock()
        self._opened: Session | None = None

    def load(self) -> None:
        """Import what takes a second, so that no creation has to wait for it.

        Raises OSError where `ca_file` cannot be used.
        """
        self._session()

    def check(self, options: GenerationOptions) -> None:
        """Raise what the profile rules out, before anything is spent.

        InvalidSizeError, InvalidQualityError or InvalidFormatError.
        """
        self._parameters.check(options)

    def generate(
        self, prompt: str, options: GenerationOptions, deadline: Deadline, audience: Audience
    ) -> GeneratedImage:
        """Return the provider's image by the deadline or our cap, whichever comes first.

        It is sent by the audience's deadline, if that is earlier, or not at all. The bytes
        are as they came: their type and whether they can be read is for `inspect` to say.
        Raises what `errors` lists; NOTHING_SPENT says which of it cost nothing.
        """
        wanted = ImageRequest(prompt, self._parameters.body(options), options)
        until = deadline.within(self._limits.cap_seconds)
        watchers = self._watchers(audience, until)
        session, started = self._session(), time.monotonic()
        self._attempts.check(until)
        answer = self._attempts.run(
            lambda: session.client.ask(wanted, until, watchers),
            watchers.deadline,
            watchers.is_waiting,
        )
        data = answer.image or self._fetched(session, answer, until, watchers)
        usage = replace(answer.usage, latency_seconds=time.monotonic() - started)
        return GeneratedImage(data, self._endpoint.model, usage)

    def close(self) -> None:
        """Close every connection. A creation that is waiting for its answer loses it."""
        self._attempts.close()
        with self._opening:
            if self._opened:
                self._opened.close()

    def _fetched(
        self, session: "Session", answer: "Answer", until: Deadline, watchers: Audience
    ) -> bytes:
        return self._attempts.run(lambda: session.fetcher.fetch(answer.url, until, watchers), until)

    def _watchers(self, audience: Audience, until: Deadline) -> Audience:
        """Return the audience with as much patience, and as much to see, as there is for it."""
        allowed = self._limits.max_partial_images if self._endpoint.profile.streams else 0
        return replace(
            audience,
            deadline=until.or_earlier(audience.deadline),
            partial_images=min(audience.partial_images, allowed),
        )

    def _session(self) -> "Session":
        from pixy_grpc.service.generators.openai.session import (  # noqa: PLC0415 - takes a second
            Session,
        )

        with self._opening:
            if self._opened is None:
                self._opened = Session(self._endpoint, self._limits, self._network)
            return self._opened
