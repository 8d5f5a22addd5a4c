"""Tells whether bytes that arrive are those an image was stored with."""

import hashlib

from pixy_grpc.core.exceptions import ImageChangedError, ImageCorruptError
from pixy_grpc.core.models import Image


class Verification:
    """Checks the bytes of one read as they arrive: their number, and a whole image's SHA-256.

    What cannot be known is not checked: the size of an older image that was not adopted,
    the digest of a part.
    """

    def __init__(self, image: Image, offset: int, limit: int) -> None:
        self._image = image
        self._digest = hashlib.sha256()
        self.received = 0
        self.expected = expected_bytes(image, offset, limit)
        whole = offset == 0 and self.expected == image.size_bytes
        self._is_whole = whole and bool(image.sha256)

    def add(self, data: bytes) -> None:
        """Take the next bytes. Raises ImageCorruptError once there are too many."""
        self.received += len(data)
        if self._is_whole:
            self._digest.update(data)
        if self.expected is not None and self.received > self.expected:
            raise self._corrupt(f"has more than its {self.expected:,} bytes")

    def finish(self) -> bool:
        """Return whether the bytes were verified. Raises ImageCorruptError if they differ."""
        if self.expected is not None and self.received < self.expected:
            raise self._corrupt(f"ends after {self.received:,} of {self.expected:,} bytes")
        if self._is_whole and self._digest.hexdigest() != self._image.sha256:
            raise self._corrupt("has bytes that its SHA-256 does not match")
        return self._is_whole

    def _corrupt(self, how: str) -> ImageCorruptError:
        return ImageCorruptError(f"Image {self._image.guid}, as received, {how}.")


def expected_bytes(image: Image, offset: int, limit: int) -> int | None:
    """Return how many bytes have to arrive in all, None where nobody knows."""
    if not image.sha256 and not image.size_bytes:
        return None
    rest = max(0, image.size_bytes - offset)
    return min(rest, limit) if limit else rest


def check_unchanged(image: Image, first: Image) -> None:
    """Raise ImageChangedError where a later call has other bytes than the first one had."""
    if (image.sha256, image.size_bytes) != (first.sha256, first.size_bytes):
        raise ImageChangedError(
            f"The bytes of image {first.guid} changed while they were read: begin anew."
        )
