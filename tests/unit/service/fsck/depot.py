"""A store and a database in memory, to be damaged and checked; time stands still."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.creations import Creation, CreationKey, NewCreation
from pixy_grpc.core.exceptions import StorageUnavailableError
from pixy_grpc.core.ports import NewImage, StoredImage
from pixy_grpc.service.creation import CreationLimits, CreationParts
from pixy_grpc.service.fsck import Action, Event, Fault, Finding, Fsck, FsckParts, Repair, Tasks
from tests.fakes import (
    FixedClock,
    InMemoryBytes,
    InMemoryCreationRepository,
    InMemoryImageRepository,
    InMemoryImageStore,
    InMemoryInventory,
    InMemoryRenditionCache,
    InMemorySpool,
    ScriptedGenerator,
)
from tests.integration.data.examples import contents, new_guid
from tests.unit.service.creating import png

LONG = timedelta(days=3)
"""Older than anything a check asks the age of."""

FEW = 10
"""Orphans that are allowed as a rule: there are not hundreds of objects here."""

CHECK = Tasks(allow_orphans=FEW)
REPAIR = Tasks(repair=True, allow_orphans=FEW)
ADOPT = Tasks(adopt=True, allow_orphans=FEW)
PURGE = Tasks(purge_older_than=timedelta(days=30), allow_orphans=FEW)
LIMITS = CreationLimits()


def soon() -> Deadline:
    return Deadline.after(30)


class NoOlderImages:
    """A folder in which no earlier PixyProxy left anything."""

    def find(self, guid: str, filename: str) -> ImageContents | None:  # noqa: ARG002 - the port's
        """Find nothing."""
        return None


class Older:
    """Files of an earlier PixyProxy, by guid and by filename."""

    def __init__(self, **keys: str) -> None:
        self._keys = keys

    def find(self, guid: str, filename: str) -> ImageContents | None:
        """Look the guid up, then the filename."""
        key = self._keys.get(guid) or self._keys.get(filename.removesuffix(".png"))
        return without_sums(key, b"") if key else None


def without_sums(key: str, data: bytes) -> ImageContents:
    """Return what is known of the bytes of an older image."""
    known = contents(data, key)
    return replace(known, sha256="", block_digests=b"", width=0, height=0, content_type="")


class StoreThatActs(InMemoryImageStore):
    """A store in which something happens whenever bytes are opened, or asked after.

    `opened` are the keys of what was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.happens: Callable[[str], object] = lambda _: None

    def spoil(self, spoiled: str) -> None:
        """Let one object be unreadable, and no other."""

        def fail(key: str) -> None:
            if key == spoiled:
                raise StorageUnavailableError("No.")

        self.happens = fail

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Let it happen, then open."""
        self.opened.append(key)
        self.happens(key)
        with super().open(key, deadline) as source:
            yield source

    def modified_at(self, key: str, deadline: Deadline) -> datetime:
        """Let it happen, then tell."""
        self.happens(key)
        return super().modified_at(key, deadline)


class Depot:
    """What a check looks at, and what brings it about."""

    def __init__(
        self,
        *,
        store: InMemoryImageStore | None = None,
        inventory: type[InMemoryInventory] = InMemoryInventory,
    ) -> None:
        self.clock = FixedClock()
        self.store = store or InMemoryImageStore()
        self.images = InMemoryImageRepository()
        self.creations = InMemoryCreationRepository(self.images)
        self.spool = InMemorySpool()
        self.inventory = inventory(self.images)
        self.renditions = InMemoryRenditionCache()
        self.older: Older | NoOlderImages = NoOlderImages()
        self.parts = CreationParts(
            self.images, self.creations, self.store, self.spool, ScriptedGenerator(), self.clock
        )

    def fsck(self) -> Fsck:
        """Return a check that is about to begin."""
        return Fsck(FsckParts(self.parts, self.inventory, self.renditions, lambda: self.older))

    def run(self, tasks: Tasks = CHECK) -> list[Event]:
        """Check to the end; return what came."""
        return list(self.fsck().run(tasks))

    def put(self, key: str, data: bytes = b"bytes", age: timedelta = LONG) -> str:
        """Store bytes, that long ago."""
        self.store.put(key, data, soon())
        self.store.modified[key] = self.clock.now() - age
        return key

    def fill(self, count: int) -> None:
        """Store images with nothing wrong about them."""
        for _ in range(count):
            self.image()

    def image(self, data: bytes = b"bytes", known: ImageContents | None = None) -> ImageContents:
        """Store an image, bytes and row; return what is known of it."""
        guid = new_guid()
        found = known or contents(data, f"{guid}.1.png")
        self.put(found.key, data)
        self.images.add(NewImage(guid, "a.png", "a", self.clock.now(), found), soon())
        return found

    def bare(self, filename: str = "fox.png") -> str:
        """Add an image of which nothing is known but its details; return its guid."""
        guid = new_guid()
        self.images.add(NewImage(guid, filename, "a fox", self.clock.now(), contents()), soon())
        self.forget(guid)
        return guid

    def forget(self, guid: str) -> None:
        """Lose what is known of an image's bytes."""
        rows = self.images._tables.rows  # noqa: SLF001 - as an earlier version left it
        number, stored = rows[guid]
        rows[guid] = (number, StoredImage(stored.image, None))

    def known_of(self, guid: str) -> ImageContents | None:
        """Return what is known of an image's bytes."""
        return self.images.get(guid, soon()).contents

    def aside(self, key: str, days: float) -> str:
        """Put bytes into quarantine, so many days ago."""
        self.put(key)
        self.store.quarantine(key, soon())
        self.store.modified[key] = self.clock.now() - timedelta(days=days)
        return key

    def creation(self, *, lease_seconds: float, asked: bool = True) -> Creation:
        """Begin a creation, whose lease ends then: below 0 it has ended."""
        until = self.clock.milliseconds() + round(lease_seconds * 1000)
        key = CreationKey("alice", new_guid())
        new = NewCreation(
            key, "f" * 64, new_guid(), "a fox", "", "scripted", self.clock.now(), until
        )
        mine = self.creations.claim(new, soon())
        if asked:
            self.creations.note_asked(mine.fence, soon())
        return mine

    def abandoned(self, data: bytes | None = None) -> tuple[Creation, str]:
        """Leave a creation with durable bytes and nobody at it; return it, and their key."""
        mine = self.creation(lease_seconds=-60)
        key = self.put(f"{mine.guid}.1.png", png().data if data is None else data)
        return mine, key


def faults(events: list[Event]) -> list[tuple[Fault, str]]:
    """Return what was found, and where."""
    return [(each.fault, each.key) for each in events if isinstance(each, Finding)]


def actions(events: list[Event]) -> list[tuple[Action, str]]:
    """Return what was done, and to what."""
    return [(each.action, each.key) for each in events if isinstance(each, Repair)]


def monotone(ticks: int, steps: int) -> Iterator[tuple[int, ...]]:
    """Yield every way in which steps that keep their order fall between ticks."""
    if not steps:
        yield ()
        return
    for rest in monotone(ticks, steps - 1):
        for tick in range(rest[-1] if rest else 0, ticks):
            yield (*rest, tick)
