"""The bytes of one image as they arrive."""

from collections.abc import Generator, Iterator
from typing import Self

from pixy_client.errors import AnswerTooLargeError, UnreadableAnswerError
from pixy_client.verification import Verification
from pixy_grpc.core.models import Image

MAX_UNKNOWN_BYTES = 256 * 1024 * 1024
"""What is taken of an image whose size nobody knows: a stream of it need never end."""


class ImageStream:
    """An image, and its bytes chunk by chunk: iterate it once, in a `with` that ends the call.

    What was received is not to be used before the iteration has ended without an error:
    it raises ImageCorruptError at the latest there. `verified` is as in ImageBytes, and
    False until then; `expected_bytes` is None where the service does not know.
    """

    def __init__(
        self, parts: Generator[Image | bytes, None, None], guid: str, offset: int, limit: int
    ) -> None:
        self._parts = parts
        self.image = begin(parts, guid)
        self.verified = False
        self._verification = Verification(self.image, offset, limit)
        self._usual_ceiling = limit or MAX_UNKNOWN_BYTES if self.expected_bytes is None else None
        self._ceiling = self._usual_ceiling

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
            self._check(self.received_bytes)
            yield part
        self.verified = self._verification.finish()

    def limit_bytes(self, max_bytes: int | None) -> None:
        """Take no more than so many bytes; None: what is expected or, without that,
        the limit that was asked for, or MAX_UNKNOWN_BYTES. So it is from the beginning.

        Raises AnswerTooLargeError, here or in the iteration, where there are more.
        """
        self._ceiling = self._usual_ceiling if max_bytes is None else max_bytes
        self._check(self.expected_bytes or 0)

    def close(self) -> None:
        """End the call, whatever is left of it."""
        self._parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self, size: int) -> None:
        if self._ceiling is not None and size > self._ceiling:
            raise AnswerTooLargeError(
                f"Image {self.image.guid} has more than the {self._ceiling:,} bytes "
                "that are taken at most."
            )


def begin(parts: Generator[Image | bytes, None, None], guid: str) -> Image:
    """Return the image that a stream begins with; end the stream where it is another one.

    Raises UnreadableAnswerError then.
    """
    part = next(parts, b"")
    if isinstance(part, Image) and part.guid.lower() == guid.lower():
        return part
    parts.close()
    if isinstance(part, Image):
        raise UnreadableAnswerError("The stream is that of another image.")
    raise UnreadableAnswerError("The stream does not begin with its image.")
