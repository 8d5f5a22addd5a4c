"""Older images: what --adopt learns of their bytes, and what keeps it from that."""

from datetime import timedelta

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import TransactionConflictError
from pixy_grpc.core.ports import ImageRow
from pixy_grpc.service.fsck import Action, Fault
from tests.fakes import InMemoryInventory
from tests.integration.data.examples import contents
from tests.unit.service.creating import png
from tests.unit.service.fsck.depot import (
    ADOPT,
    Depot,
    Older,
    StoreThatActs,
    actions,
    faults,
    soon,
    without_sums,
)

DATA = png().data


def test_older_image_gets_its_sums() -> None:
    """And size, type and dimensions: from then on its bytes are held to them."""
    depot = Depot()
    image = depot.image(DATA, without_sums("older/fox.png", DATA))
    (row,) = depot.inventory.list_rows(0, 2, soon())
    fsck = depot.fsck()

    events = list(fsck.run(ADOPT))

    found = depot.known_of(row.guid)
    assert fsck.counts.unverified == 0
    assert actions(events) == [(Action.ADOPTED, image.key)]
    assert found
    assert (found.sha256, found.block_digests) == (
        contents(DATA).sha256,
        contents(DATA).block_digests,
    )
    assert (found.width, found.height, found.content_type) == (8, 6, "image/png")
    depot.store.objects[image.key] = DATA[:-1] + b"?"
    assert (Fault.WRONG_SUM, image.key) in faults(depot.run())


def test_adoption_again_does_nothing() -> None:
    depot = Depot()
    depot.image(DATA, without_sums("older/fox.png", DATA))
    depot.run(ADOPT)

    assert actions(depot.run(ADOPT)) == []


def test_newer_images_are_not_adopted_anew() -> None:
    """Damage does not become the truth."""
    depot = Depot()
    image = depot.image(DATA)
    depot.store.objects[image.key] = DATA[:-1] + b"?"

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.WRONG_SUM, image.key)]
    assert actions(events) == []


def test_older_image_of_another_size_is_not_adopted() -> None:
    """It has changed since it was pinned: that is told, not sealed."""
    depot = Depot()
    image = depot.image(DATA, without_sums("older/fox.png", DATA))
    depot.store.objects[image.key] = DATA[:-40]

    events = depot.run(ADOPT)

    assert (Fault.WRONG_SIZE, image.key) in faults(events)
    assert actions(events) == []


@pytest.mark.parametrize("data", [b"GIF89a and so on", b""])
def test_bytes_that_do_not_decode_get_sums_and_are_told(data: bytes) -> None:
    """They are what was there, and what it is somebody has to look at."""
    depot = Depot()
    image = depot.image(data, without_sums("older/fox", data))

    events = depot.run(ADOPT)

    assert actions(events) == [(Action.ADOPTED, image.key)]
    assert (Fault.NOT_AN_IMAGE, image.key) in faults(events)


@pytest.mark.parametrize("data", [DATA[:-20], DATA[:8], b"\xff\xd8\xff and on", b"RIFF....WEBP"])
def test_bytes_that_are_cut_off_are_told_and_left(data: bytes) -> None:
    """They begin as an image: what is missing may come yet, and no sum is in its way."""
    depot = Depot()
    pinned = depot.image(data, without_sums("older/hen.png", data))
    guid = depot.bare()
    depot.older = Older(fox=depot.put("older/fox.png", data))

    events = depot.run(ADOPT)

    assert actions(events) == []
    assert faults(events)[-2:] == [
        (Fault.NOT_AN_IMAGE, pinned.key),
        (Fault.NOT_AN_IMAGE, "older/fox.png"),
    ]
    assert depot.known_of(guid) is None


@pytest.mark.parametrize(("age", "is_adopted"), [(4, False), (6, True)])
def test_young_file_is_left_alone(age: int, *, is_adopted: bool) -> None:
    """Somebody may still be at it, whatever it looks like by now."""
    depot = Depot()
    guid = depot.bare()
    depot.older = Older(fox=depot.put("older/fox.png", DATA, timedelta(minutes=age)))
    fsck = depot.fsck()

    events = list(fsck.run(ADOPT))

    assert bool(actions(events)) == is_adopted
    assert (depot.known_of(guid) is not None) == is_adopted
    assert fsck.counts.young == (0 if is_adopted else 1)


def test_unreadable_bytes_do_not_stop_an_adoption() -> None:
    """Theirs alone is left, and told."""
    store = StoreThatActs()
    depot = Depot(store=store)
    spoiled, right = (depot.image(DATA, without_sums(f"older/{name}", DATA)) for name in ("a", "b"))
    store.spoil(spoiled.key)

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.UNREADABLE, spoiled.key)]
    assert actions(events) == [(Action.ADOPTED, right.key)]


def test_missing_bytes_do_not_stop_an_adoption() -> None:
    depot = Depot()
    gone, right = (depot.image(DATA, without_sums(f"older/{name}", DATA)) for name in ("a", "b"))
    del depot.store.objects[gone.key]

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.MISSING, gone.key)]
    assert actions(events) == [(Action.ADOPTED, right.key)]


class ContendedInventory(InMemoryInventory):
    """An inventory in whose way others are, so many times."""

    conflicts = 0

    def set_contents(self, row: ImageRow, contents: ImageContents, deadline: Deadline) -> bool:
        """Raise, or set."""
        if self.conflicts:
            self.conflicts -= 1
            raise TransactionConflictError("No.")
        return super().set_contents(row, contents, deadline)


@pytest.mark.parametrize("conflicts", [1, 2])
def test_adoption_that_somebody_is_in_the_way_of_is_tried_again(conflicts: int) -> None:
    """Who changes the image on another node of a cluster, for example."""
    depot = Depot(inventory=ContendedInventory)
    image = depot.image(DATA, without_sums("older/fox.png", DATA))
    assert isinstance(depot.inventory, ContendedInventory)
    depot.inventory.conflicts = conflicts

    assert actions(depot.run(ADOPT)) == [(Action.ADOPTED, image.key)]
