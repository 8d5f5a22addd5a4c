"""What a check works with, and its bounds."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    ImageCorruptError,
    ImageException,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import Inventory, OlderImages, RenditionCache
from pixy_grpc.service.creation.parts import CreationParts

BATCH = 500
"""Rows or objects looked up at once: a statement of some 20 KB, and some milliseconds."""

LOOKUP_SECONDS = 30.0
"""Cap on one lookup, and on moving or deleting one object."""

READ_SECONDS = 1800.0
"""Cap on reading one object from end to end, which a store of another machine counts from
its opening: 180 MB at 100 KB/s. One that does not answer ends it sooner, by its own caps."""

OF_ONE_OBJECT = (ConstraintViolationError, ImageCorruptError, StorageUnavailableError)
"""What may be wrong with one object, and the store there: FsckParts.require_store tells."""

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class FsckLimits:
    """How old things have to be.

    `young` is what bytes may lack a row for, whatever else is known: ten times the cap
    on storing one image, and a difference of clocks. `cut` is the age from which a
    write is taken for one that was cut: each write to its file makes it young again.
    """

    young: timedelta = timedelta(minutes=5)
    cut: timedelta = timedelta(days=1)


@dataclass(frozen=True)
class FsckParts:
    """The ports that a check meets. `older` is opened where it is first needed."""

    creation: CreationParts
    inventory: Inventory
    renditions: RenditionCache
    older: Callable[[], OlderImages]

    def require_store(self) -> None:
        """Return where it was one object alone that something was wrong with.

        Raises StorageUnavailableError where the store is away.
        """
        self.creation.store.ping(soon())


@dataclass(frozen=True)
class Tasks:
    """What one run is to do beyond looking for what can be seen without reading bytes.

    `sums` reads every byte. `purge_older_than` deletes from quarantine; None does not.
    `allow_orphans` is how many bytes of nobody may be there, and may be moved, though they
    are over 1% of all objects.
    """

    sums: bool = True
    repair: bool = False
    adopt: bool = False
    purge_older_than: timedelta | None = None
    allow_orphans: int = 0

    @property
    def changes_something(self) -> bool:
        """Whether it is to do more than look."""
        return self.repair or self.adopt or self.purge_older_than is not None


@dataclass
class Counts:
    """What a run has looked at: not wrong, and worth knowing."""

    images: int = 0
    objects: int = 0
    orphans: int = 0
    unverified: int = 0
    young: int = 0
    in_progress: int = 0
    kept_in_quarantine: int = 0


def soon() -> Deadline:
    """Return the deadline of one lookup that begins now."""
    return Deadline.after(LOOKUP_SECONDS)


def slowly() -> Deadline:
    """Return the deadline of one object that is read from now on."""
    return Deadline.after(READ_SECONDS)


def batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Yield the items, BATCH at a time."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def why(error: ImageException) -> str:
    """Return what an operator can do something about: the cause, where there is one."""
    return str(error.__cause__ or error.message)
