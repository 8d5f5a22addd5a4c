"""Stores bytes while they are decoded: the processor does one, the disk the other."""

import logging

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.core.ports import ImageStore

_log = logging.getLogger(__name__)


class HeadStart:
    """One image's bytes, stored under a key that no row names yet.

    A crash in between leaves what it leaves behind any `put`: bytes that a retry decodes
    before it adopts them.
    """

    def __init__(self, store: ImageStore, seconds: float) -> None:
        """Take how long one attempt at storing may last."""
        self._store = store
        self._seconds = seconds
        self._key = ""

    @property
    def is_stored(self) -> bool:
        """Whether the bytes are durable."""
        return bool(self._key)

    def put(self, key: str, data: bytes) -> None:
        """Store the bytes, if that can be done now; what fails is tried again as ever."""
        try:
            self._store.put(key, data, Deadline.after(self._seconds))
        except Exception as error:  # noqa: BLE001 - whatever it was, the image is paid for
            _log.info("no head start key=%s cause=%r", key, error)
        else:
            self._key = key

    def set_aside(self) -> None:
        """Quarantine bytes that are no image, once nobody else may go on with them."""
        if not self._key:
            return
        try:
            self._store.quarantine(self._key, Deadline.after(self._seconds))
        except ImageException as error:
            _log.warning("orphaned bytes key=%s reason=%s", self._key, error.reason)
