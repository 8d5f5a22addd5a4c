"""Rows whose bytes are not what they were, and rows that only seem to be so."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.core.exceptions import DBConnectionError, StorageUnavailableError
from pixy_grpc.core.ports import ImageRow
from pixy_grpc.service.fsck import Fault, Progress, Step, Tasks
from pixy_grpc.service.fsck.parts import BATCH
from tests.fakes import InMemoryBytes, InMemoryInventory
from tests.unit.service.fsck.depot import Depot, StoreThatActs, actions, faults, soon, without_sums

DATA = b"x" * BLOCK_BYTES + b"y" * 100
MINUTES = 600.0
QUICK = Tasks(sums=False)


def test_right_images_are_no_findings() -> None:
    """Of none, one and several blocks; each is counted."""
    depot = Depot()
    for data in (b"", b"x", DATA):
        depot.image(data)
    fsck = depot.fsck()

    events = list(fsck.run(Tasks()))

    assert faults(events) == []
    assert (fsck.counts.images, fsck.counts.objects, fsck.counts.unverified) == (3, 3, 0)


DAMAGE: dict[str, tuple[bytes | None, Fault, bool]] = {
    "deleted": (None, Fault.MISSING, True),
    "emptied": (b"", Fault.WRONG_SIZE, True),
    "short": (DATA[:-1], Fault.WRONG_SIZE, True),
    "long": (DATA + b"y", Fault.WRONG_SIZE, True),
    "flipped in the first block": (b"X" + DATA[1:], Fault.WRONG_SUM, False),
    "flipped in the last block": (DATA[:-1] + b"Y", Fault.WRONG_SUM, False),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found(name: str) -> None:
    """Each kind under its name; without reading bytes, what their number tells."""
    left, fault, seen_quickly = DAMAGE[name]
    depot = Depot()
    damaged = depot.image(DATA)
    depot.image(DATA)
    del depot.store.objects[damaged.key]
    if left is not None:
        depot.store.objects[damaged.key] = left

    assert faults(depot.run()) == [(fault, damaged.key)]
    assert faults(depot.run(QUICK)) == ([(fault, damaged.key)] if seen_quickly else [])


class FarStore(StoreThatActs):
    """A store that counts what is read from its opening, as one of another machine does."""

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Open bytes that take minutes to read."""
        if deadline.remaining() < MINUTES:
            raise StorageUnavailableError("The store of bytes did not answer in time.")
        with super().open(key, deadline) as source:
            yield source


def test_large_image_of_a_slow_store_is_no_finding() -> None:
    """Minutes are not too long for it; what does not answer at all the store finds out."""
    depot = Depot(store=FarStore())
    depot.image(DATA)

    assert faults(depot.run()) == []


def test_wrong_block_digests_are_found() -> None:
    """A range would be held to them, and refused."""
    depot = Depot()
    image = depot.image(DATA)
    number, stored = next(iter(depot.images._tables.rows.values()))  # noqa: SLF001 - damaged
    wrong = replace(image, block_digests=bytes(64))
    depot.images._tables.rows[stored.image.guid] = (number, replace(stored, contents=wrong))  # noqa: SLF001

    assert faults(depot.run()) == [(Fault.WRONG_SUM, image.key)]


def test_older_image_is_held_to_its_size() -> None:
    """It is counted as not verified, and no finding while its size is right."""
    depot = Depot()
    right, short = (depot.image(known=without_sums(f"older/{n}", b"bytes")) for n in "ab")
    depot.store.objects[short.key] = b"byt"
    del depot.store.objects[right.key]
    depot.store.objects[right.key] = b"BYTES"
    fsck = depot.fsck()

    events = list(fsck.run(Tasks()))

    assert (Fault.WRONG_SIZE, short.key) in faults(events)
    assert right.key not in [key for fault, key in faults(events) if fault is Fault.WRONG_SUM]
    assert fsck.counts.unverified == 1


def test_image_that_is_deleted_meanwhile_is_no_finding() -> None:
    """Its row was read, then it went, row and bytes: nothing is wrong."""
    store = StoreThatActs()
    depot = Depot(store=store)
    image = depot.image()
    guid = image.key.partition(".")[0]

    def delete(_: str) -> None:
        depot.images.delete(guid, soon())
        depot.store.delete(image.key, soon())

    store.happens = delete

    assert faults(depot.run()) == []


def test_image_that_is_adopted_meanwhile_is_no_finding() -> None:
    """Its row was read without contents, and has them by the time that is told."""

    class Adopting(InMemoryInventory):
        """An inventory behind whose rows another check adopts."""

        def list_rows(self, after: int, limit: int, deadline: Deadline) -> Sequence[ImageRow]:
            """Return the rows as they were."""
            rows = super().list_rows(after, limit, deadline)
            for row in rows:
                self.set_contents(row, known, deadline)
            return rows

    depot = Depot(inventory=Adopting)
    known = depot.image()
    (row,) = InMemoryInventory(depot.images).list_rows(0, 2, soon())
    number, stored = depot.images._tables.rows[row.guid]  # noqa: SLF001 - damaged
    depot.images._tables.rows[row.guid] = (number, replace(stored, contents=None))  # noqa: SLF001

    assert faults(depot.run()) == []


def test_unreadable_bytes_do_not_end_the_check() -> None:
    """A bad sector is one image's; the store is there, and so is the rest."""
    store = StoreThatActs()
    depot = Depot(store=store)
    images = [depot.image() for _ in range(3)]
    store.spoil(images[1].key)
    fsck = depot.fsck()

    assert faults(list(fsck.run(Tasks()))) == [(Fault.UNREADABLE, images[1].key)]
    assert fsck.counts.images == 3


def test_store_that_is_away_ends_the_check() -> None:
    """Rather than tell of every image that its bytes are gone."""
    depot = Depot()
    depot.fill(3)
    depot.store.failure = StorageUnavailableError("No.")

    with pytest.raises(StorageUnavailableError):
        depot.run()


def test_database_that_is_away_ends_the_check() -> None:
    depot = Depot()
    depot.images.failure = DBConnectionError("No.")

    with pytest.raises(DBConnectionError):
        depot.run()


def test_progress_reaches_the_last_row() -> None:
    """Over several pages, each image counted once."""
    depot = Depot()
    depot.fill(BATCH + 3)

    steps = [each for each in depot.run(QUICK) if isinstance(each, Progress)]

    rows = [each for each in steps if each.step is Step.ROWS]
    assert [each.seen for each in rows] == list(range(1, BATCH + 4))
    assert (rows[-1].at, rows[-1].total) == (BATCH + 3, BATCH + 3)
    assert [each.at for each in steps if each.step is Step.OBJECTS] == [BATCH, BATCH + 3]


def test_check_changes_nothing() -> None:
    """Without being asked to, whatever it finds."""
    depot = Depot()
    depot.fill(4)
    depot.abandoned()
    depot.put("0a1b2c3d-0000-4000-8000-000000000000.1.png")
    before = dict(depot.store.objects)

    events = depot.run()

    assert len(faults(events)) == 2
    assert actions(events) == []
    assert depot.store.objects == before
    assert depot.store.quarantined == {}
