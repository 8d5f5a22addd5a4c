"""What a wire tells of an exchange, on the thread that waits for it."""

from typing import Protocol

from pixy_grpc.core.call import Deadline


class Observer(Protocol):
    """Hears of an exchange while it happens."""

    def asked(self) -> None:
        """Take note: the next thing that is written is a request that may be billed.

        The connection stands. Called once for each request. An ImageException raised
        here ends the creation with nothing sent and nothing spent.
        """

    def answered(self, deadline: Deadline) -> None:
        """Take note: an answer has begun, its bytes are read once this returns.

        The place to wait for room in memory; by the deadline the image is lost.
        """
