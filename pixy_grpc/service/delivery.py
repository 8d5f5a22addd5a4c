"""The use case of reading an image's bytes: whole and right, or an error."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pixy_grpc.core.call import Call
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import ImageChangedError, InvalidOffsetError
from pixy_grpc.core.models import Image, ImageFormat
from pixy_grpc.core.ports import EVERY_BYTE, ImageRepository
from pixy_grpc.service.originals import HeadOf, Originals, headless, known, verified
from pixy_grpc.service.renditions import Renditions, rendition_key
from pixy_grpc.service.validation import valid_guid, valid_max_side, valid_sha256


@dataclass(frozen=True)
class ByteRange:
    """Which bytes are wanted: a limit of 0 means up to the end."""

    offset: int = 0
    limit: int = 0

    def of_any(self) -> range:
        """Return the bytes of an image of whatever size. Raises InvalidOffsetError."""
        if self.offset < 0 or self.limit < 0:
            raise InvalidOffsetError("read_offset and read_limit are 0 or more.")
        if not self.limit:
            return EVERY_BYTE[self.offset :]
        return range(self.offset, self.offset + self.limit)

    def within(self, size_bytes: int) -> range:
        """Return the bytes of an image of that size. Raises InvalidOffsetError."""
        wanted = self.of_any()
        if self.offset > size_bytes:
            raise InvalidOffsetError(
                f"read_offset is past the end: the image has {size_bytes} bytes."
            )
        return range(self.offset, min(wanted.stop, size_bytes))


@dataclass(frozen=True)
class WantedBytes:
    """What is wanted of an image: by default all of it, as it is, whatever its sum.

    `max_side` is in pixels, 0 for as many as the image has.
    """

    range: ByteRange = ByteRange()
    max_side: int = 0
    format: ImageFormat | None = None
    expected_sha256: str = ""


@dataclass(frozen=True)
class Delivery:
    """An image as it is sent, and the bytes wanted of it, at most BLOCK_BYTES at a time, each
    time behind their head.

    Iterating raises ImageCorruptError before a byte of a damaged block is given out, and
    RecordNotFoundError where the image was deleted and the store lends no more of it.
    """

    image: Image
    chunks: Iterator[bytes]


class ImageDelivery:
    """Reads bytes."""

    def __init__(
        self, repository: ImageRepository, originals: Originals, renditions: Renditions
    ) -> None:
        self._repository = repository
        self._originals = originals
        self._renditions = renditions

    @contextmanager
    def open(
        self, guid: str, wanted: WantedBytes, call: Call, head_of: HeadOf = headless
    ) -> Iterator[Delivery]:
        """Open an image, or a rendition of it, for reading.

        `head_of` says what stands before each chunk: put there as the chunk is read, it costs
        no copy. What is given out of it is right whatever becomes of the image. Raises
        InvalidGuidError, InvalidSizeError, MalformedRequestError for a sum that is none,
        RecordNotFoundError, ImageChangedError, InvalidOffsetError, what opening a rendition
        does, and ImageCorruptError where bytes are missing or not as many as were stored.
        """
        guid, max_side = valid_guid(guid), valid_max_side(wanted.max_side)
        expected = valid_sha256(wanted.expected_sha256)
        stored = self._repository.get(guid, call.deadline)
        key = rendition_key(stored, max_side, wanted.format)
        with ExitStack() as resources:
            if key is None:
                span = _span(known(stored), wanted.range, expected)
                opened = resources.enter_context(self._originals.open(stored, call))
                chunks = self._originals.read(stored, opened, span, call, head_of)
                yield Delivery(stored.image, chunks)
            else:
                sought = wanted.range.of_any()
                opened = resources.enter_context(self._renditions.open(stored, key, sought, call))
                span = _span(opened.contents, wanted.range, expected)
                chunks = verified(opened, span, head_of)
                yield Delivery(_as_sent(stored.image, opened.contents), chunks)


def _span(contents: ImageContents, wanted: ByteRange, expected_sha256: str) -> range:
    """Return the bytes to send. Where no sum is known, none can be the expected one."""
    if expected_sha256 not in ("", contents.sha256):
        raise ImageChangedError(
            "The bytes are not those of expected_sha256: begin anew, at read_offset 0."
        )
    return wanted.within(contents.size_bytes)


def _as_sent(image: Image, contents: ImageContents) -> Image:
    """Return the image with what is said of its bytes true of these."""
    about = ("content_type", "size_bytes", "sha256", "width", "height")
    return image.model_copy(update={name: getattr(contents, name) for name in about})
