"""What is told of a creation while it runs."""

from typing import Protocol

MAX_PARTIAL_IMAGES = 3
"""Unfinished images that are made of one at most: OpenAI takes no more for `partial_images`."""

MAX_PARTIAL_BYTES = 3 * 1024 * 1024
"""The largest unfinished image that is shown: a message has at most 4 MiB, all in all."""


class Progress(Protocol):
    """Hears how far a creation has come, on the thread that makes the image.

    Nothing here blocks or raises: no image waits for whoever hears of it.
    """

    @property
    def partial_images(self) -> int:
        """How many unfinished images are wanted, 0 to MAX_PARTIAL_IMAGES."""

    def accepted(self, *, waiting: bool) -> None:
        """Hear that the request is valid and has a place.

        `waiting` where another call makes the image. It may be said again once that call
        has ended: what was said first counts.
        """

    def generating(self, generator: str) -> None:
        """Hear that the generator of that name is asked, and may be billed from here on."""

    def partial(self, data: bytes, content_type: str) -> None:
        """Take an unfinished image of at most MAX_PARTIAL_BYTES."""

    def stored(self, size_bytes: int) -> None:
        """Hear that the image's bytes are durable."""


class Unwatched:
    """The Progress of a creation that nobody follows."""

    partial_images = 0

    def accepted(self, *, waiting: bool) -> None:
        """Do nothing."""

    def generating(self, generator: str) -> None:
        """Do nothing."""

    def partial(self, data: bytes, content_type: str) -> None:
        """Do nothing."""

    def stored(self, size_bytes: int) -> None:
        """Do nothing."""


UNWATCHED = Unwatched()
"""It keeps nothing, so that one does for all."""
