"""Makes one rendition of a stored image, and has it kept."""

import hashlib
import io
import logging
from dataclasses import dataclass

from pixy_grpc.core.call import Call
from pixy_grpc.core.contents import ImageContents, digest_blocks
from pixy_grpc.core.exceptions import ImageCorruptError, ImageException
from pixy_grpc.core.ports import RenditionCache, RenditionKey, StoredImage
from pixy_grpc.service.originals import Originals, known, verified
from pixy_grpc.service.rendering import (
    Rendered,
    UnreadablePictureError,
    render,
    unrenderable,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """A rendition in memory, and what is known of it."""

    contents: ImageContents
    data: bytes


class RenditionMaking:
    """Makes renditions; who may, and when, is for others to say."""

    def __init__(self, originals: Originals, cache: RenditionCache) -> None:
        self._originals = originals
        self._cache = cache

    def found(self, key: RenditionKey) -> Made | None:
        """Look once more: it may have been made since the call came, here or next door."""
        with self._cache.open(key) as kept:
            if kept is None:
                return None
            try:
                data = b"".join(verified(kept, range(kept.contents.size_bytes)))
            except ImageCorruptError:  # since it was opened
                return None
            return Made(kept.contents, data)

    def make(self, stored: StoredImage, key: RenditionKey, call: Call) -> Made:
        """Make it, and have it kept if there is room.

        Raises InvalidFormatError where the image is no picture, and what opening and
        reading the image itself does.
        """
        rendered = self._rendered(stored, key, call)
        made = Made(_contents(key, rendered), rendered.data)
        if known(stored).sha256:  # else the file may become another without a word
            self._cache.put(key, made.contents, made.data)
        try:
            self._originals.require(key.guid, call)
        except ImageException:
            self._forget(key.guid)  # a delete that came before may have found nothing
            raise
        return made

    def _forget(self, guid: str) -> None:
        try:
            self._cache.delete(guid)
        except ImageException as error:
            _log.warning("orphaned renditions guid=%s reason=%s", guid, error.reason)

    def _rendered(self, stored: StoredImage, key: RenditionKey, call: Call) -> Rendered:
        with self._originals.open(stored, call) as original:
            whole = io.BytesIO()
            span = range(original.contents.size_bytes)
            for block in self._originals.read(stored, original, span, call):
                call.check()
                whole.write(block)
        try:
            return render(whole, key.max_side, key.format)
        except UnreadablePictureError as error:
            if original.contents.sha256:  # it is what was stored
                raise unrenderable() from error
            raise ImageCorruptError("The image's bytes are no longer a picture.") from error


def _contents(key: RenditionKey, rendered: Rendered) -> ImageContents:
    return ImageContents(
        key="",
        content_type=key.format.content_type,
        size_bytes=len(rendered.data),
        sha256=hashlib.sha256(rendered.data).hexdigest(),
        block_digests=digest_blocks(rendered.data),
        width=rendered.width,
        height=rendered.height,
        generator="",
        model="",
    )
