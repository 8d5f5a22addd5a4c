"""Older images: what --adopt learns of them, and whose bytes it never takes."""

from datetime import timedelta

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import StorageUnavailableError, TransactionConflictError
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.ports import ImageRow, NewImage, StoredImage
from pixy_grpc.service.fsck import Action, Fault, Finding, Tasks
from tests.fakes import InMemoryImageStore, InMemoryInventory
from tests.integration.data.examples import contents, new_guid
from tests.unit.service.creating import png
from tests.unit.service.fsck.depot import (
    FEW,
    Depot,
    Older,
    StoreThatActs,
    actions,
    faults,
    soon,
    without_sums,
)

ADOPT = Tasks(adopt=True, allow_orphans=FEW)
DATA = png().data


def bare(depot: Depot, filename: str = "fox.png") -> str:
    """Add an image of which nothing is known but its details; return its guid."""
    guid = new_guid()
    new = NewImage(guid, filename, "a fox", depot.clock.now(), contents())
    depot.images.add(new, soon())
    forget(depot, guid)
    return guid


def forget(depot: Depot, guid: str) -> None:
    """Lose what is known of an image's bytes."""
    number, stored = depot.images._tables.rows[guid]  # noqa: SLF001 - as an earlier version left it
    depot.images._tables.rows[guid] = (number, StoredImage(stored.image, None))  # noqa: SLF001


def known_of(depot: Depot, guid: str) -> ImageContents | None:
    return depot.images.get(guid, soon()).contents


def test_older_image_gets_its_sums() -> None:
    """And size, type and dimensions: from then on its bytes are held to them."""
    depot = Depot()
    image = depot.image(DATA, without_sums("older/fox.png", DATA))
    (row,) = depot.inventory.list_rows(0, 2, soon())
    fsck = depot.fsck()

    events = list(fsck.run(ADOPT))

    found = known_of(depot, row.guid)
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
    guid = bare(depot)
    depot.older = Older(fox=depot.put("older/fox.png", data))

    events = depot.run(ADOPT)

    assert actions(events) == []
    assert faults(events)[-2:] == [
        (Fault.NOT_AN_IMAGE, pinned.key),
        (Fault.NOT_AN_IMAGE, "older/fox.png"),
    ]
    assert known_of(depot, guid) is None


@pytest.mark.parametrize(("age", "is_adopted"), [(4, False), (6, True)])
def test_young_file_is_left_alone(age: int, *, is_adopted: bool) -> None:
    """Somebody may still be at it, whatever it looks like by now."""
    depot = Depot()
    guid = bare(depot)
    depot.older = Older(fox=depot.put("older/fox.png", DATA, timedelta(minutes=age)))
    fsck = depot.fsck()

    events = list(fsck.run(ADOPT))

    assert bool(actions(events)) == is_adopted
    assert (known_of(depot, guid) is not None) == is_adopted
    assert fsck.counts.young == (0 if is_adopted else 1)


def test_filename_of_two_images_is_nobodys() -> None:
    """The later may have been written over the earlier: both are left, and told."""
    depot = Depot()
    guids = [bare(depot) for _ in range(2)]
    depot.older = Older(fox=depot.put("older/fox.png", DATA))

    events = depot.run(ADOPT)

    assert actions(events) == []
    told = [each for each in events if isinstance(each, Finding) and "filename" in each.detail]
    assert [(each.fault, each.guid) for each in told] == [
        (Fault.UNKNOWN_BYTES, guid) for guid in guids
    ]
    assert [known_of(depot, guid) for guid in guids] == [None, None]


def test_file_that_two_images_name_gets_no_sums() -> None:
    """Both were pinned to it at the first start, and one's bytes have gone under the other's:
    whose they are is told to be unknown, until one of the two is deleted.
    """
    depot = Depot()
    shared, alone = (without_sums(f"older/{name}.png", DATA) for name in ("fox", "hen"))
    depot.image(DATA, shared)
    depot.image(DATA, alone)
    second = new_guid()
    depot.images.add(NewImage(second, "fox.png", "a", depot.clock.now(), shared), soon())

    events = depot.run(ADOPT)

    assert actions(events) == [(Action.ADOPTED, alone.key)]
    assert faults(events) == [(Fault.SHARED, shared.key)] * 2
    assert known_of(depot, second) == shared
    depot.images.delete(second, soon())
    assert actions(depot.run(ADOPT)) == [(Action.ADOPTED, shared.key)]


def test_filename_that_a_newer_image_has_as_well_is_the_older_ones() -> None:
    """The bytes of the newer are known: its filename is a label."""
    depot = Depot()
    newer = NewImage(new_guid(), "fox.png", "a fox", depot.clock.now(), contents())
    depot.images.add(newer, soon())
    bare(depot)
    depot.older = Older(fox=depot.put("older/fox.png", DATA))

    assert actions(depot.run(ADOPT)) == [(Action.ADOPTED, "older/fox.png")]


def test_image_without_contents_takes_the_file_of_its_guid() -> None:
    """Which is nobody else's, whatever it is called now."""
    depot = Depot()
    guid = bare(depot)
    depot.images.update(guid, ImageUpdate(filename="b.png"), depot.clock.now(), soon())
    depot.older = Older(**{guid: depot.put(f"older/{guid}.png", DATA)})

    events = depot.run(ADOPT)

    assert faults(events)[0] == (Fault.UNKNOWN_BYTES, "")
    assert actions(events) == [(Action.ADOPTED, f"older/{guid}.png")]
    found = known_of(depot, guid)
    assert found
    assert (found.size_bytes, found.width) == (len(DATA), 8)


def test_image_without_contents_takes_the_file_of_its_name() -> None:
    depot = Depot()
    guid = bare(depot)
    depot.older = Older(fox=depot.put("older/fox.png", DATA))

    depot.run(ADOPT)

    found = known_of(depot, guid)
    assert found
    assert found.key == "older/fox.png"


def test_image_that_was_renamed_takes_no_file_of_that_name() -> None:
    """It may be another's: a filename is a label by now."""
    depot = Depot()
    guid = bare(depot, "b.png")
    later = depot.clock.now() + timedelta(days=1)
    depot.images.update(guid, ImageUpdate(filename="fox.png"), later, soon())
    depot.older = Older(fox=depot.put("older/fox.png", DATA))

    assert actions(depot.run(ADOPT)) == []
    assert known_of(depot, guid) is None


def test_file_that_another_image_names_is_not_taken() -> None:
    depot = Depot()
    depot.image(DATA, contents(DATA, "older/fox.png"))
    guid = bare(depot)
    depot.older = Older(fox="older/fox.png")

    assert actions(depot.run(ADOPT)) == []
    assert known_of(depot, guid) is None


def test_image_that_lost_its_contents_gets_its_own_bytes_back() -> None:
    """They are in the store under its guid: nobody else's."""
    depot = Depot()
    guid = bare(depot)
    key = depot.put(f"{guid}.1.png", DATA)
    depot.older = Older(fox="older/fox.png")

    assert actions(depot.run(ADOPT)) == [(Action.ADOPTED, key)]
    assert faults(depot.run()) == []


def finished(depot: Depot) -> tuple[str, str]:
    """Let a creation end, and its image lose what it knew; return its guid, and the key that
    its creation names, under which nothing is stored yet.
    """
    mine = depot.creation(lease_seconds=-60)
    key = f"{mine.guid}.2.png"
    new = NewImage(mine.guid, "fox.png", "a fox", depot.clock.now(), contents(key=key), mine.fence)
    depot.images.add(new, soon())
    forget(depot, mine.guid)
    return mine.guid, key


@pytest.mark.parametrize("other", [DATA, DATA[:-20], b"\x89PNG\r\n\x1a\n"])
def test_image_of_a_creation_takes_what_that_names(other: bytes) -> None:
    """Not an attempt that was too late, whatever it is and however it is sorted."""
    depot = Depot()
    depot.fill(4)
    guid, key = finished(depot)
    depot.put(key, png("blue").data)
    for attempt in (1, 3):
        depot.put(f"{guid}.{attempt}.png", other)

    events = depot.run(ADOPT)

    assert actions(events) == [(Action.ADOPTED, key)]
    found = known_of(depot, guid)
    assert found
    assert (found.key, found.sha256) == (key, contents(png("blue").data).sha256)
    assert found.generator == "scripted"


def test_image_of_a_creation_whose_bytes_are_gone_takes_no_others() -> None:
    """Neither another attempt nor, by its label, a stranger's file."""
    depot = Depot()
    guid, _ = finished(depot)
    depot.put(f"{guid}.1.png", DATA)
    depot.older = Older(fox=depot.put("older/fox.png", DATA))

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.UNKNOWN_BYTES, "")]
    assert actions(events) == []
    assert known_of(depot, guid) is None


def test_image_without_a_creation_takes_the_one_attempt_that_decodes() -> None:
    depot = Depot()
    guid = bare(depot)
    for attempt, data in ((1, DATA[:-20]), (2, DATA), (3, b"")):
        depot.put(f"{guid}.{attempt}.png", data)

    assert actions(depot.run(ADOPT)) == [(Action.ADOPTED, f"{guid}.2.png")]


def test_image_with_several_that_decode_is_left_and_told() -> None:
    """Which of them was shown nobody can tell."""
    depot = Depot()
    guid = bare(depot)
    keys = [
        depot.put(f"{guid}.{n}.png", png(color).data) for n, color in enumerate(["red", "blue"])
    ]

    events = depot.run(Tasks(adopt=True, repair=True, allow_orphans=FEW))

    assert actions(events) == []
    assert "2 attempts" in [each.detail for each in events if isinstance(each, Finding)][-1]
    assert known_of(depot, guid) is None
    assert list(depot.store.objects) == keys


def test_attempts_that_do_not_decode_are_left_and_told() -> None:
    depot = Depot()
    guid = bare(depot)
    key = depot.put(f"{guid}.1.png", DATA[:-20])

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.UNKNOWN_BYTES, ""), (Fault.NOT_AN_IMAGE, key)]
    assert actions(events) == []
    assert known_of(depot, guid) is None


def test_image_without_any_bytes_stays_a_finding() -> None:
    depot = Depot()
    bare(depot)

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.UNKNOWN_BYTES, "")]
    assert actions(events) == []


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


class ListingStore(InMemoryImageStore):
    """A store that lists the attempts at one image to nobody."""

    unlisted = ""

    def keys(self, guid: str, deadline: Deadline) -> list[str]:
        """List those at any other."""
        if guid == self.unlisted:
            raise StorageUnavailableError("No.")
        return super().keys(guid, deadline)


def test_attempts_that_cannot_be_listed_do_not_stop_an_adoption() -> None:
    """Their image is left alone: a file of its name may be another's while they are there."""
    store = ListingStore()
    depot = Depot(store=store)
    store.unlisted = bare(depot, "hen.png")
    right = bare(depot)
    depot.older = Older(
        hen=depot.put("older/hen.png", DATA), **{right: depot.put("older/fox.png", DATA)}
    )

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.UNKNOWN_BYTES, "")] * 2
    assert actions(events) == [(Action.ADOPTED, "older/fox.png")]
    assert known_of(depot, store.unlisted) is None


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
