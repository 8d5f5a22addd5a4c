"""The stored bytes of an image: opened, and held to their sums as they are read."""

import hashlib
from collections.abc import Iterator
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
        self, stored: StoredImage, opened: OpenedBytes, span: range, call: Call
    ) -> Iterator[bytes]:
        """Yield a span of an image's bytes as `verified` does.

        Raises RecordNotFoundError where they cannot be read any more because the image
        has been deleted since it was opened: a store may lend but the beginning of it.
        """
        try:
            yield from verified(opened, span)
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


def verified(opened: OpenedBytes, span: range) -> Iterator[bytes]:
    """Yield a span in blocks, each read whole and held to its digest before it is cut.

    Where only the sum of the whole is known, the whole is held to it before its end. Older
    images have no sums until they are adopted. Raises ImageCorruptError.
    """
    contents = opened.contents
    is_summed = bool(contents.sha256 and not contents.block_digests)
    total = hashlib.sha256() if is_summed and len(span) == contents.size_bytes else None
    for index in range(span.start // BLOCK_BYTES, -(-span.stop // BLOCK_BYTES) if span else 0):
        start = index * BLOCK_BYTES
        length = min(BLOCK_BYTES, contents.size_bytes - start)
        block = opened.source.read(start, length)
        if len(block) != length or not _is_unchanged(block, contents, index):
            raise _changed()
        if total:
            total.update(block)
        if total and start + length == span.stop and total.hexdigest() != contents.sha256:
            raise _changed()
        yield block[max(span.start - start, 0) : span.stop - start]


def _is_unchanged(block: bytes, contents: ImageContents, index: int) -> bool:
    if not contents.block_digests:
        return True
    return hashlib.sha256(block).digest() == contents.block_digest(index)


def _changed() -> ImageCorruptError:
    return ImageCorruptError("The image's bytes have changed since they were stored.")
