"""Spool: paid images that wait to be stored."""

from collections.abc import Iterator
from contextlib import contextmanager

from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.core.ports import SpooledImage


class InMemorySpool:
    """A Spool; while `failure` is set, `put` raises it."""

    def __init__(self) -> None:
        self.images: dict[str, SpooledImage] = {}
        self.failure: ImageException | None = None

    def put(self, spooled: SpooledImage) -> None:
        """Keep an image."""
        if self.failure:
            raise self.failure
        self.images[spooled.paid.store_key] = spooled

    def names(self) -> list[str]:
        """Return the names."""
        return list(self.images)

    def holds(self, guid: str) -> bool:
        """Look for the guid."""
        return any(name.startswith(f"{guid}.") for name in list(self.images))

    @contextmanager
    def take(self, name: str) -> Iterator[SpooledImage | None]:
        """Lend an image, to any number."""
        yield self.images.get(name)

    def remove(self, name: str) -> None:
        """Forget an image."""
        self.images.pop(name, None)
