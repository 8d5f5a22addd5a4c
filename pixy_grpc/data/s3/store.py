"""A bucket as the store of bytes, create-only."""

import logging
import math
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    ImageCorruptError,
    StorageUnavailableError,
)
from pixy_grpc.core.keys import beside
from pixy_grpc.core.ports import StoredObject
from pixy_grpc.data.s3.address import BucketAccess
from pixy_grpc.data.s3.client import REQUEST_SECONDS, BucketClient
from pixy_grpc.data.s3.errors import MissingObjectError, TakenNameError, require_time
from pixy_grpc.data.s3.names import ObjectNames
from pixy_grpc.data.s3.reading import ObjectSource, OpenObject
from pixy_grpc.data.s3.walk import quarantined_objects, stored_objects

MARK_SECONDS = 10.0
"""How long a mark that was seen counts. The folder looks at each call, as a disk may be
unmounted between two; a bucket is named in every request, and only an operator can put
another in its place. Health asks every second, so that no call pays for the look."""

_log = logging.getLogger(__name__)


class S3Store:
    """An ImageStore in a bucket, under the names of ObjectNames.

    Nothing is connected before the first call. A key of a file that an earlier PixyProxy
    left in its folder names nothing here.
    """

    def __init__(self, access: BucketAccess, store_id: str = "") -> None:
        """Take the bucket, and the id it has to carry; without one, the first it shows."""
        self._client = BucketClient(access)
        self._names = ObjectNames(access.address.prefix)
        self._store_id = store_id
        self._seen_at = -math.inf

    def prepare(self) -> str | None:
        """Return the store id that the bucket carries, if any; it has to be there."""
        found = self.found_id()
        self._store_id = found or ""
        return found

    def found_id(self) -> str | None:
        """Return the same, and remember nothing."""
        deadline = Deadline.after(REQUEST_SECONDS)
        found = self._read_mark(deadline)
        if not found:
            self._client.names(self._names.quarantine, "", deadline)  # a missing bucket has none
        return found or None

    def mark(self, store_id: str) -> None:
        """Write the store id; another server may have written it just now.

        Raises ConstraintViolationError where another id is there, StorageUnavailableError
        where the store would let one put overwrite another.
        """
        deadline = Deadline.after(REQUEST_SECONDS)
        self._put(self._names.mark, store_id.encode(), deadline)
        try:
            self._client.create(self._names.mark, store_id.encode(), deadline)
        except TakenNameError:
            self._store_id = store_id
        else:
            raise StorageUnavailableError("The store of bytes does not know If-None-Match.")

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Store an object; the same bytes once more are taken for a put of ours whose
        answer was lost.
        """
        require_time(deadline)
        name = self._names.stored(key)
        self._require_mark(deadline)
        self._put(name, data, deadline)

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[OpenObject]:
        """Open an object, reading its beginning."""
        with self._opened(self._names.stored(key), deadline) as opened:
            yield opened

    def modified_at(self, key: str, deadline: Deadline) -> datetime:
        """Ask for all about the object but its bytes."""
        require_time(deadline)
        try:
            return self._client.modified_at(self._names.stored(key), deadline)
        except MissingObjectError as error:
            self._look_at_mark(deadline)
            raise ImageCorruptError("The image's bytes are missing.") from error

    def delete(self, key: str, deadline: Deadline) -> None:
        """Remove the object, if it is there."""
        require_time(deadline)
        name = self._names.stored(key)
        self._require_mark(deadline)
        self._delete(name, deadline)

    def keys(self, guid: str, deadline: Deadline) -> list[str]:
        """List what begins with the guid, in its one folder."""
        require_time(deadline)
        start = self._names.stored(f"{guid}.0").removesuffix("0")
        self._require_mark(deadline)
        names = self._client.names(start.rpartition("/")[0], start, deadline)
        return sorted(filter(None, map(self._names.stored_key, names)))

    def quarantine(self, key: str, deadline: Deadline) -> None:
        """Copy the object aside, then remove it; what lies there is never overwritten."""
        require_time(deadline)
        name = self._names.stored(key)
        self._require_mark(deadline)
        try:
            data = bytes(self._client.read(name, deadline).data)
        except MissingObjectError:
            return
        self._put_aside(key, data, deadline)
        self._delete(name, deadline)

    def list_objects(self) -> Iterator[StoredObject]:
        """Walk all that is under the prefix."""
        self._require_mark(Deadline.after(REQUEST_SECONDS))
        yield from stored_objects(self._client, self._names)

    def list_leftovers(self) -> Iterator[StoredObject]:
        """Yield nothing: a put is one request, and what is cut leaves no object."""
        return iter(())

    def list_quarantine(self) -> Iterator[StoredObject]:
        """Walk the folder of what was put aside."""
        self._require_mark(Deadline.after(REQUEST_SECONDS))
        yield from quarantined_objects(self._client, self._names)

    @contextmanager
    def open_quarantined(self, key: str, deadline: Deadline) -> Iterator[OpenObject]:
        """Open an object that was put aside."""
        with self._opened(self._names.quarantined(key), deadline) as opened:
            yield opened

    def purge(self, key: str, deadline: Deadline) -> None:
        """Remove an object that was put aside, if it is there."""
        require_time(deadline)
        name = self._names.quarantined(key)
        self._require_mark(deadline)
        self._delete(name, deadline)

    def space(self, deadline: Deadline) -> None:
        """Return None: a bucket has no bound that it tells."""
        require_time(deadline)

    def ping(self, deadline: Deadline) -> None:
        """Look for the mark."""
        require_time(deadline)
        self._look_at_mark(deadline)

    @contextmanager
    def _opened(self, name: str, deadline: Deadline) -> Iterator[OpenObject]:
        require_time(deadline)
        source = ObjectSource(self._client, name, self._look_at_mark)
        with closing(OpenObject(source, deadline)) as opened:
            yield opened

    def _put(self, name: str, data: bytes, deadline: Deadline) -> bool:
        """Create an object, or find that these very bytes are there; tell whether it is new.

        A create-only put whose answer was lost finds its own bytes when it is repeated,
        by obstore or by a later call. Raises ConstraintViolationError where others are.
        """
        try:
            self._client.create(name, data, deadline)
        except TakenNameError as error:
            if self._holds(name, data, deadline):
                _log.info("bytes are stored already name=%s", name)
                return False
            text = "The store holds other bytes under this key."
            raise ConstraintViolationError(text) from error
        except MissingObjectError as error:
            raise _elsewhere() from error  # the bucket is
        return True

    def _put_aside(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Store what was read, as of now: what lies there already may have lain there for
        long, and would be purged by that age.
        """
        name = self._names.quarantined(key)
        try:
            if not self._put(name, data, deadline):
                self._client.renew(name, data, deadline)
        except ConstraintViolationError:
            self._put(self._names.quarantined(beside(key)), data, deadline)

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
            found = self._client.read(self._names.mark, deadline.within(REQUEST_SECONDS))
        except MissingObjectError:
            return ""
        return bytes(found.data).decode(errors="replace").strip()


def _elsewhere() -> StorageUnavailableError:
    return StorageUnavailableError("Another store of bytes is in the place of ours.")
