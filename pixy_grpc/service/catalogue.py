"""The use cases about details: get, list, update, delete."""

import logging
from dataclasses import dataclass

from pixy_grpc.core.call import Call
from pixy_grpc.core.exceptions import ImageException, RecordNotFoundError
from pixy_grpc.core.models import Image, ImageUpdate
from pixy_grpc.core.ports import Clock, ImageRepository, ImageStore, PageQuery, RenditionCache
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.service.page_token import decode_page_token, encode_page_token
from pixy_grpc.service.validation import (
    valid_filter,
    valid_guid,
    valid_page_size,
    validated,
)

MAX_PAGE_BYTES = 1024 * 1024
"""Where the contract ends a page: a quarter of what clients receive by default."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ImagePage:
    """One page of the list; `next_page_token` is empty at its end, and only there."""

    images: tuple[Image, ...]
    next_page_token: str


class ImageCatalogue:
    """Answers what is known of images, and changes it."""

    def __init__(
        self,
        repository: ImageRepository,
        store: ImageStore,
        clock: Clock,
        renditions: RenditionCache,
    ) -> None:
        self._repository = repository
        self._store = store
        self._clock = clock
        self._renditions = renditions

    def get(self, guid: str, call: Call) -> Image:
        """Return one image. Raises InvalidGuidError, RecordNotFoundError."""
        return self._repository.get(valid_guid(guid), call.deadline).image

    def list_page(
        self, sought: ImageFilter, *, page_size: int, page_token: str, call: Call
    ) -> ImagePage:
        """Return one page, newest first; see the contract's ListImageDetails."""
        sought = valid_filter(sought)
        limit = valid_page_size(page_size)
        after = decode_page_token(page_token, sought)
        query = PageQuery(sought, after, limit, MAX_PAGE_BYTES)
        page = self._repository.list_page(query, call.deadline)
        images = tuple(stored.image for stored in page.images)
        return ImagePage(images, encode_page_token(page.next, sought))

    def update(self, guid: str, changes: dict[str, str], call: Call) -> Image:
        """Change the given fields of an image; none leaves it as it is."""
        guid = valid_guid(guid)
        update = validated(ImageUpdate, **changes)
        return self._repository.update(guid, update, self._clock.now(), call.deadline)

    def delete(self, guid: str, *, allow_missing: bool, call: Call) -> None:
        """Remove an image: its row, then its bytes and what this machine made of them.

        Bytes that cannot be removed now are nobody's any more, and wait for fsck.
        """
        guid = valid_guid(guid)
        try:
            contents = self._repository.delete(guid, call.deadline)
        except RecordNotFoundError:
            if allow_missing:
                return
            raise
        if contents:
            self._remove_bytes(contents.key, call)
        self._remove_renditions(guid)

    def _remove_bytes(self, key: str, call: Call) -> None:
        try:
            self._store.delete(key, call.deadline)
        except ImageException as error:
            _log.warning("orphaned bytes key=%s reason=%s", key, error.reason)

    def _remove_renditions(self, guid: str) -> None:
        try:
            self._renditions.delete(guid)
        except ImageException as error:
            _log.warning("orphaned renditions guid=%s reason=%s", guid, error.reason)
