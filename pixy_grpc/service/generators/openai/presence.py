"""Brings the audience to the wire: whoever an exchange is for has the last word on it.

Connecting may take seconds. The wire is many calls below whoever knows the audience, the
openai package among them, so that each thread says for whom it is at work.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DeadlineTooShortError
from pixy_grpc.core.ports import Audience


class Presence:
    """An observer that hands what it hears on to the audience of the thread."""

    def __init__(self) -> None:
        self._mine = local()

    @contextmanager
    def of(self, audience: Audience) -> Iterator[None]:
        """Be at work for this audience in the block, on this thread."""
        self._mine.audience = audience
        try:
            yield
        finally:
            del self._mine.audience

    def asked(self) -> None:
        """Let nothing leave for an audience that has left: raise DeadlineTooShortError."""
        audience: Audience = self._mine.audience
        if not audience.deadline.remaining() or not audience.is_waiting():
            raise DeadlineTooShortError("The caller has gone; nothing was asked for.")
        audience.asking()

    def answered(self, deadline: Deadline) -> None:
        """Wait until the audience has room."""
        audience: Audience = self._mine.audience
        audience.arriving(deadline)


class PaidPresence(Presence):
    """The same, for requests that cost nothing more: they are made for whoever is left."""

    def asked(self) -> None:
        """Let it leave."""
