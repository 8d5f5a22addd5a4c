"""The bytes of one image as they arrive."""

from collections.abc import Generator, Iterator
from typing import Self

from pixy_client.errors import UnreadableAnswerError
from pixy_client.verification import Verification
from pixy_grpc.core.models import Image


class ImageStream:
    """An image, and its bytes chunk by chunk: iterate it once, in a `with` that ends the call.

    What was received is not to be used before the iteration has ended without an error:
    it raises ImageCorruptError at the latest there. `verified` is as in ImageBytes, and
    False until then; `expected_bytes` is None where the service does not know.
    """

    def __init__(
        self, parts: Generator[Image | bytes, None, None], offset: int, limit: int
    ) -> None:
        self._parts = parts
        self.image = self._begin()
        self.verified = False
        self._verification = Verification(self.image, offset, limit)

    @property
    def expected_bytes(self) -> int | None:
        """How many bytes will arrive."""
        return self._verification.expected

    @property
    def received_bytes(self) -> int:
        """How many bytes have arrived."""
        return self._verification.received

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, Image):
                raise UnreadableAnswerError("The stream describes a second image.")
            self._verification.add(part)
            yield part
        self.verified = self._verification.finish()

    def close(self) -> None:
        """End the call, whatever is left of it."""
        self._parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> Image:
        part = next(self._parts, b"")
        if isinstance(part, bytes):
            self.close()
            raise UnreadableAnswerError("The stream does not begin with its image.")
        return part
