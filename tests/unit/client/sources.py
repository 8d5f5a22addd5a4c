"""Streams of an image without a service."""

from collections.abc import Generator

from pixy_client import Image, ImageException, ImageStream
from tests.unit.client.images import DATA, GUID, image_of

SIZE = len(DATA)
CHUNK_BYTES = 5


class Source:
    """Streams of an image, and the offsets at which they were opened.

    `failures` are raised by stream after stream, each in place of its next message.
    """

    def __init__(self, image: Image | None = None, data: bytes = DATA) -> None:
        self.image = image or image_of(data)
        self.data = data
        self.opened: list[tuple[int, str]] = []
        self.running = 0
        self.failures: list[ImageException] = []

    def open(self, offset: int, sha256: str) -> ImageStream:
        """Open a stream there."""
        self.opened.append((offset, sha256))
        return ImageStream(self._parts(offset), GUID, offset, 0)

    def _parts(self, offset: int) -> Generator[Image | bytes, None, None]:
        self.running += 1
        try:
            yield self.image
            for at in range(offset, len(self.data), CHUNK_BYTES):
                if self.failures:
                    raise self.failures.pop(0)
                yield self.data[at : at + CHUNK_BYTES]
                yield b""
        finally:
            self.running -= 1

    @property
    def offsets(self) -> list[int]:
        """Where streams were opened."""
        return [offset for offset, _ in self.opened]
