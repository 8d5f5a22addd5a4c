"""RenditionCache: images as they were made smaller, or into another format."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.core.ports import EVERY_BYTE, OpenedBytes, RenditionKey
from tests.fakes.store import InMemoryBytes


class InMemoryRenditionCache:
    """A RenditionCache; `renditions` may be changed to damage what is kept.

    It keeps nothing unless it `keeps`. While `failure` is set, `delete` and `guids` raise it.
    """

    def __init__(self, *, keeps: bool = True) -> None:
        self.renditions: dict[RenditionKey, tuple[ImageContents, bytes]] = {}
        self.failure: ImageException | None = None
        self._keeps = keeps

    @contextmanager
    def open(
        self,
        key: RenditionKey,
        span: range = EVERY_BYTE,  # noqa: ARG002 - all of it is looked at
    ) -> Iterator[OpenedBytes | None]:
        """Open what is kept, if it is what was put."""
        contents, data = self.renditions.get(key, (None, b""))
        if contents is None or hashlib.sha256(data).hexdigest() != contents.sha256:
            yield None
        else:
            yield OpenedBytes(contents, InMemoryBytes(data))

    def put(self, key: RenditionKey, contents: ImageContents, data: bytes) -> None:
        """Keep a rendition."""
        if self._keeps:
            self.renditions[key] = (contents, data)

    def delete(self, guid: str) -> None:
        """Forget the renditions of an image."""
        if self.failure:
            raise self.failure
        for key in [key for key in self.renditions if key.guid == guid]:
            del self.renditions[key]

    def guids(self) -> list[str]:
        """Return whose renditions are kept."""
        if self.failure:
            raise self.failure
        return sorted({key.guid for key in self.renditions})

    def tidy(self) -> None:
        """Leave all as it is: there is room."""
