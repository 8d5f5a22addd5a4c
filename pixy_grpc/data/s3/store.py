"""A bucket as the store of bytes, create-only."""

import logging
import math
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    ImageCorruptError,
    StorageUnavailableError,
)
from pixy_grpc.data.s3.address import BucketAccess
from pixy_grpc.data.s3.client import REQUEST_SECONDS, BucketClient
from pixy_grpc.data.s3.errors import MissingObjectError, TakenNameError, late
from pixy_grpc.data.s3.reading import ObjectSource, OpenObject

MARK = ".pixy-store"
"""The object that holds the store id."""

QUARANTINE = "quarantine"
"""Where bytes lie that no row names, each under its key, for somebody to look at."""

MARK_SECONDS = 10.0
"""How long a mark that was seen counts. The folder looks at each call, as a disk may be
unmounted between two; a bucket is named in every request, and only an operator can put
another in its place. Health asks every second, so that no call pays for the look."""

_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}(\.[0-9a-z]+)+", re.ASCII)

_log = logging.getLogger(__name__)


class S3Store:
    """An ImageStore in a bucket: `ab/cd/` by the first digits of the guid, then the key.

    Nothing is connected before the first call. A key of a file that an earlier PixyProxy
    left in its folder names nothing here.
    """

    def __init__(self, access: BucketAccess, store_id: str = "") -> None:
        """Take the bucket, and the id it has to carry; without one, the first it shows."""
        self._client = BucketClient(access)
        self._prefix = access.address.prefix
        self._store_id = store_id
        self._seen_at = -math.inf

    def prepare(self) -> str | None:
        """Return the store id that the bucket carries, if any; it has to be there."""
        deadline = Deadline.after(REQUEST_SECONDS)
        self._store_id = self._read_mark(deadline)
        if not self._store_id:
            self._client.names(self._name(QUARANTINE), "", deadline)  # a missing bucket has none
        return self._store_id or None

    def mark(self, store_id: str) -> None:
        """Write the store id; another server may have written it just now.

        Raises ConstraintViolationError where another id is there, StorageUnavailableError
        where the store would let one put overwrite another.
        """
        deadline = Deadline.after(REQUEST_SECONDS)
        self._put(self._name(MARK), store_id.encode(), deadline)
        try:
            self._client.create(self._name(MARK), store_id.encode(), deadline)
        except TakenNameError:
            self._store_id = store_id
        else:
            raise StorageUnavailableError("The store of bytes does not know If-None-Match.")

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Store an object; the same bytes once more are taken for a put of ours whose
        answer was lost.
        """
        _require_time(deadline)
        name = self._name_of(key)
        self._require_mark(deadline)
        self._put(name, data, deadline)

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[OpenObject]:
        """Open an object, reading its beginning."""
        _require_time(deadline)
        source = ObjectSource(self._client, self._name_of(key), self._look_at_mark)
        with closing(OpenObject(source, deadline)) as opened:
            yield opened

    def delete(self, key: str, deadline: Deadline) -> None:
        """Remove the object, if it is there."""
        _require_time(deadline)
        name = self._name_of(key)
        self._require_mark(deadline)
        self._delete(name, deadline)

    def keys(self, guid: str, deadline: Deadline) -> list[str]:
        """List what begins with the guid, in its one folder."""
        _require_time(deadline)
        start = self._name_of(f"{guid}.0").removesuffix("0")
        self._require_mark(deadline)
        names = self._client.names(start.rpartition("/")[0], start, deadline)
        keys = [name.rpartition("/")[2] for name in names]
        return sorted(key for key, name in zip(keys, names, strict=True) if self._is_at(key, name))

    def quarantine(self, key: str, deadline: Deadline) -> None:
        """Copy the object aside, then remove it; what lies there is never overwritten.

        Raises ConstraintViolationError, and moves nothing, where other bytes of that key
        are in quarantine.
        """
        _require_time(deadline)
        name = self._name_of(key)
        self._require_mark(deadline)
        try:
            data = bytes(self._client.read(name, deadline).data)
        except MissingObjectError:
            return
        self._put(self._name(QUARANTINE, key), data, deadline)
        self._delete(name, deadline)

    def free_bytes(self, deadline: Deadline) -> None:
        """Return None: a bucket has no bound that it tells."""
        _require_time(deadline)

    def ping(self, deadline: Deadline) -> None:
        """Look for the mark."""
        _require_time(deadline)
        self._look_at_mark(deadline)

    def _name(self, *parts: str) -> str:
        return "/".join([*filter(None, [self._prefix]), *parts])

    def _name_of(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise ImageCorruptError("The image's bytes are not under a key of this store.")
        return self._name(key[:2], key[2:4], key)

    def _is_at(self, key: str, name: str) -> bool:
        """Tell whether a name is that of a key, and not of something below one."""
        return bool(_KEY.fullmatch(key)) and self._name_of(key) == name

    def _put(self, name: str, data: bytes, deadline: Deadline) -> None:
        """Create an object, or find that these very bytes are there.

        A create-only put whose answer was lost finds its own bytes when it is repeated,
        by obstore or by a later call. Raises ConstraintViolationError where others are.
        """
        try:
            self._client.create(name, data, deadline)
        except TakenNameError as error:
            if self._holds(name, data, deadline):
                _log.info("bytes are stored already name=%s", name)
                return
            text = "The store holds other bytes under this key."
            raise ConstraintViolationError(text) from error

    def _holds(self, name: str, data: bytes, deadline: Deadline) -> bool:
        try:
            return self._client.read(name, deadline).data == data
        except MissingObjectError as error:
            # 409: a delete of the same name was under way, and nothing was stored
            raise StorageUnavailableError("The store of bytes was busy. Try again.") from error

    def _delete(self, name: str, deadline: Deadline) -> None:
        try:
            self._client.delete(name, deadline)
        except MissingObjectError as error:
            raise _elsewhere() from error  # the bucket is: an object is no error

    def _require_mark(self, deadline: Deadline) -> None:
        if time.monotonic() - self._seen_at > MARK_SECONDS:
            self._look_at_mark(deadline)

    def _look_at_mark(self, deadline: Deadline) -> None:
        """Raise unless the bucket carries the mark it was first seen with."""
        found = self._read_mark(deadline)
        self._store_id = self._store_id or found
        if not found or found != self._store_id:
            self._seen_at = -math.inf
            raise _elsewhere()
        self._seen_at = time.monotonic()

    def _read_mark(self, deadline: Deadline) -> str:
        try:
            found = self._client.read(self._name(MARK), deadline.within(REQUEST_SECONDS))
        except MissingObjectError:
            return ""
        return bytes(found.data).decode(errors="replace").strip()


def _elsewhere() -> StorageUnavailableError:
    return StorageUnavailableError("Another store of bytes is in the place of ours.")


def _require_time(deadline: Deadline) -> None:
    if not deadline.remaining():
        raise late(deadline)
