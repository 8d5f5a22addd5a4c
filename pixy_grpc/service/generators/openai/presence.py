"""Looks, at the last moment, whether anybody still waits for what is about to be paid for.

Connecting may take seconds. The wire is many calls below whoever knows the audience, the
openai package among them, so that each thread says for whom it asks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DeadlineTooShortError
from pixy_grpc.core.ports import Audience
from pixy_grpc.service.generators.openai.observer import Observer


class Presence:
    """An observer in front of another, which lets nothing leave for an audience that has left."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._mine = local()

    @contextmanager
    def of(self, audience: Audience) -> Iterator[None]:
        """Ask for this audience in the block, on this thread."""
        self._mine.audience = audience
        try:
            yield
        finally:
            del self._mine.audience

    def asked(self) -> None:
        """Hand it on, or raise DeadlineTooShortError: nothing is sent then."""
        audience: Audience = self._mine.audience
        if not audience.deadline.remaining() or not audience.is_waiting():
            raise DeadlineTooShortError("The caller has gone; nothing was asked for.")
        self._observer.asked()

    def answered(self, deadline: Deadline) -> None:
        """Hand it on."""
        self._observer.answered(deadline)
