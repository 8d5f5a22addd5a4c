"""Lets whoever pays for a creation follow the exchange that spends the money."""

from typing import Protocol

from pixy_grpc.core.call import Deadline


class Observer(Protocol):
    """Hears of an exchange on the thread that called `generate`, while it happens."""

    def asked(self) -> None:
        """Take note: the next thing that is written is a request that may be billed.

        The connection stands. Called once for each request. An ImageException raised
        here ends the creation with nothing sent and nothing spent.
        """

    def answered(self, deadline: Deadline) -> None:
        """Take note: an answer has begun, its bytes are read once this returns.

        The place to wait for room in memory; by the deadline the image is lost.
        """


class Unobserved:
    """Where nobody follows."""

    def asked(self) -> None:
        """Do nothing."""

    def answered(self, deadline: Deadline) -> None:
        """Do nothing."""
