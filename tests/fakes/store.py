"""ImageStore, and the StoredBytes that it lends."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    ImageCorruptError,
    ImageException,
    StorageUnavailableError,
)
from pixy_grpc.core.keys import beside
from pixy_grpc.core.ports import Space, StoredObject
from tests.fakes.deadlines import require_time


@dataclass(frozen=True)
class InMemoryBytes:
    """StoredBytes of an object in memory."""

    data: bytes

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return len(self.data)

    def read(self, offset: int, length: int, head: bytes = b"") -> bytes:
        """Return a part of them."""
        return head + self.data[offset : offset + length]


class InMemoryImageStore:
    """An ImageStore; `objects` may be changed to damage what is stored, `modified` to age it.

    While `failure` is set, every method raises it and does nothing.
    """

    def __init__(self, beside: "InMemoryImageStore | None" = None) -> None:
        self.objects: dict[str, bytes] = beside.objects if beside else {}
        self.quarantined: dict[str, bytes] = beside.quarantined if beside else {}
        self.leftovers: dict[str, bytes] = beside.leftovers if beside else {}
        self.modified: dict[str, datetime] = beside.modified if beside else {}
        self.free: Space | None = None
        self._lock: threading.Lock = beside._lock if beside else threading.Lock()  # noqa: SLF001 - likewise
        self.failure: ImageException | None = None

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Keep bytes under a new key."""
        self._require(deadline)
        with self._lock:
            if key in self.objects:
                raise ConstraintViolationError("The store holds bytes under this key.")
            self.objects[key] = data
            self.modified[key] = datetime.now(UTC)

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Open what is kept under a key."""
        self._require(deadline)
        if key not in self.objects:
            raise ImageCorruptError("The image's bytes are missing.")
        yield InMemoryBytes(self.objects[key])

    def modified_at(self, key: str, deadline: Deadline) -> datetime:
        """Return what is kept of it."""
        self._require(deadline)
        if key not in self.objects:
            raise ImageCorruptError("The image's bytes are missing.")
        return self.modified[key]

    def delete(self, key: str, deadline: Deadline) -> None:
        """Forget a key."""
        self._require(deadline)
        self.objects.pop(key, None)

    def keys(self, guid: str, deadline: Deadline) -> list[str]:
        """Return the keys of a guid."""
        self._require(deadline)
        with self._lock:
            return sorted(key for key in self.objects if key.startswith(f"{guid}."))

    def quarantine(self, key: str, deadline: Deadline) -> None:
        """Put an object aside."""
        self._require(deadline)
        with self._lock:
            for found in (self.objects, self.leftovers):
                if key in found:
                    data = found.pop(key)
                    aside = key if self.quarantined.get(key, data) == data else beside(key)
                    self.quarantined[aside] = data
                    self.modified[aside] = datetime.now(UTC)

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield a copy; a key with a folder is that of an older file."""
        return self._listed({key: data for key, data in self.objects.items() if "/" not in key})

    def list_leftovers(self) -> Iterator[StoredObject]:
        """Yield a copy."""
        return self._listed(self.leftovers)

    def list_quarantine(self) -> Iterator[StoredObject]:
        """Yield a copy."""
        return self._listed(self.quarantined)

    @contextmanager
    def open_quarantined(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Open what was put aside."""
        self._require(deadline)
        if key not in self.quarantined:
            raise ImageCorruptError("The image's bytes are missing.")
        yield InMemoryBytes(self.quarantined[key])

    def purge(self, key: str, deadline: Deadline) -> None:
        """Forget a key in quarantine."""
        self._require(deadline)
        self.quarantined.pop(key, None)

    def _listed(self, found: dict[str, bytes]) -> Iterator[StoredObject]:
        if self.failure:
            raise self.failure
        for key, data in list(found.items()):
            yield StoredObject(key, len(data), self.modified[key])

    def space(self, deadline: Deadline) -> Space | None:
        """Return what was told."""
        self._require(deadline)
        return self.free

    def ping(self, deadline: Deadline) -> None:
        """Return at once."""
        self._require(deadline)

    def _require(self, deadline: Deadline) -> None:
        if self.failure:
            raise self.failure
        require_time(deadline, StorageUnavailableError)
