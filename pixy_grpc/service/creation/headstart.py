"""Stores bytes while they are decoded: the processor does one, the disk the other."""

import logging

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.core.ports import ImageStore

HEADSTART_SECONDS = 2.0
"""Cap on a store that is slow: what has no head start is stored afterwards, as ever."""

_log = logging.getLogger(__name__)


class HeadStart:
    """One image's bytes, stored under a key that no row names yet.

    A crash in between leaves what it leaves behind any `put`: bytes that a retry decodes
    before it adopts them.
    """

    def __init__(self, store: ImageStore) -> None:
        self._store = store
        self._key = ""

    @property
    def is_stored(self) -> bool:
        """Whether the bytes are durable."""
        return bool(self._key)

    def put(self, key: str, data: bytes) -> None:
        """Store the bytes, if that can be done now."""
        try:
            self._store.put(key, data, Deadline.after(HEADSTART_SECONDS))
            self._key = key
        except ImageException as error:
            _log.info("no head start key=%s reason=%s", key, error.reason)

    def take_back(self) -> None:
        """Remove bytes that are no image; fsck finds those that stay."""
        if not self._key:
            return
        try:
            self._store.delete(self._key, Deadline.after(HEADSTART_SECONDS))
        except ImageException as error:
            _log.warning("orphaned bytes key=%s reason=%s", self._key, error.reason)
