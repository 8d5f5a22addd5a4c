"""The stored bytes of an image: opened, and held to their sums as they are read."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from pixy_grpc.core.call import Call
from pixy_grpc.core.contents import BLOCK_BYTES, ImageContents
from pixy_grpc.core.exceptions import ImageCorruptError
from pixy_grpc.core.ports import (
    ImageRepository,
    ImageStore,
    OpenedBytes,
    StoredBytes,
    StoredImage,
)

HeadOf = Callable[[int], bytes]
"""What stands before a chunk of that many bytes."""


def headless(_length: int) -> bytes:
    """Put nothing before a chunk."""
    return b""


class Originals:
    """Opens what the store keeps of images."""

    def __init__(self, repository: ImageRepository, store: ImageStore) -> None:
        self._repository = repository
        self._store = store

    @contextmanager
    def open(self, stored: StoredImage, call: Call) -> Iterator[OpenedBytes]:
        """Open an image's bytes; they stay whole when the image is deleted.

        Raises ImageCorruptError where they are missing or not as many as were stored,
        RecordNotFoundError where the image has been deleted since.
        """
        contents = known(stored)
        with ExitStack() as resources:
            source = self._source(resources, contents.key, stored.image.guid, call)
            if source.size_bytes != contents.size_bytes:
                raise ImageCorruptError("The image's bytes are not as many as were stored.")
            yield OpenedBytes(contents, source)

    def read(
        self,
        stored: StoredImage,
        opened: OpenedBytes,
        span: range,
        call: Call,
        head_of: HeadOf = headless,
    ) -> Iterator[bytes]:
        """Yield a span of an image's bytes as `verified` does.

        Raises RecordNotFoundError where they cannot be read any more because the image
        has been deleted since it was opened: a store may lend but the beginning of it.
        """
        try:
            yield from verified(opened, span, head_of)
        except ImageCorruptError:
            self.require(stored.image.guid, call)
            raise

    def require(self, guid: str, call: Call) -> None:
        """Raise RecordNotFoundError unless the image is still there."""
        self._repository.get(guid, call.deadline)

    def _source(self, resources: ExitStack, key: str, guid: str, call: Call) -> StoredBytes:
        try:
            return resources.enter_context(self._store.open(key, call.deadline))
        except ImageCorruptError:
            self.require(guid, call)
            raise


def known(stored: StoredImage) -> ImageContents:
    """Return what is known of an image's bytes; raise ImageCorruptError for nothing."""
    if stored.contents is None:
        raise ImageCorruptError("The image's bytes are not known to the service.")
    return stored.contents


def verified(opened: OpenedBytes, span: range, head_of: HeadOf = headless) -> Iterator[bytes]:
    """Yield a span in chunks of a block or less, each behind its head.

    A block is read whole and held to its digest before it is cut. Where only the sum of the
    whole is known, the whole is held to it before its end. Older images have no sums until
    they are adopted. Raises ImageCorruptError.
    """
    contents, sums = opened.contents, _Sums(opened.contents, span)
    first = span.start // BLOCK_BYTES * BLOCK_BYTES
    for start in range(first, span.stop if span else 0, BLOCK_BYTES):
        length = min(BLOCK_BYTES, contents.size_bytes - start)
        is_whole = span.start <= start and start + length <= span.stop
        head = head_of(length) if is_whole else b""
        chunk = opened.source.read(start, length, head)
        if len(chunk) != len(head) + length:
            raise _changed()
        sums.check(start, memoryview(chunk)[len(head) :])
        if is_whole:
            yield chunk
        else:
            part = chunk[max(span.start - start, 0) : span.stop - start]
            yield head_of(len(part)) + part


class _Sums:
    """What the blocks of a span are held to, one after the other."""

    def __init__(self, contents: ImageContents, span: range) -> None:
        is_summed = bool(contents.sha256 and not contents.block_digests)
        is_whole = len(span) == contents.size_bytes
        self._contents = contents
        self._total = hashlib.sha256() if is_summed and is_whole else None

    def check(self, start: int, block: memoryview) -> None:
        """Take the block that starts there. Raises ImageCorruptError."""
        contents, total = self._contents, self._total
        if contents.block_digests:
            if hashlib.sha256(block).digest() != contents.block_digest(start // BLOCK_BYTES):
                raise _changed()
        elif total:
            total.update(block)
            is_last = start + len(block) == contents.size_bytes
            if is_last and total.hexdigest() != contents.sha256:
                raise _changed()


def _changed() -> ImageCorruptError:
    return ImageCorruptError("The image's bytes have changed since they were stored.")
