"""Images of whose bytes nothing is known: which --adopt takes for theirs, and which never."""

from datetime import timedelta

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import StorageUnavailableError
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.ports import NewImage
from pixy_grpc.service.fsck import Action, Fault, Finding, Tasks
from tests.fakes import InMemoryImageStore
from tests.integration.data.examples import contents, new_guid
from tests.unit.service.creating import png
from tests.unit.service.fsck.depot import (
    ADOPT,
    FEW,
    Depot,
    Older,
    actions,
    faults,
    soon,
    without_sums,
)

DATA = png().data


def test_filename_of_two_images_is_nobodys() -> None:
    """The later may have been written over the earlier: both are left, and told."""
    depot = Depot()
    guids = [depot.bare() for _ in range(2)]
    depot.older = Older(fox=depot.put("older/fox.png", DATA))

    events = depot.run(ADOPT)

    assert actions(events) == []
    told = [each for each in events if isinstance(each, Finding) and "filename" in each.detail]
    assert [(each.fault, each.guid) for each in told] == [
        (Fault.UNKNOWN_BYTES, guid) for guid in guids
    ]
    assert [depot.known_of(guid) for guid in guids] == [None, None]


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
    assert depot.known_of(second) == shared
    depot.images.delete(second, soon())
    assert actions(depot.run(ADOPT)) == [(Action.ADOPTED, shared.key)]


def test_filename_that_a_newer_image_has_as_well_is_the_older_ones() -> None:
    """The bytes of the newer are known: its filename is a label."""
    depot = Depot()
    newer = NewImage(new_guid(), "fox.png", "a fox", depot.clock.now(), contents())
    depot.images.add(newer, soon())
    depot.bare()
    depot.older = Older(fox=depot.put("older/fox.png", DATA))

    assert actions(depot.run(ADOPT)) == [(Action.ADOPTED, "older/fox.png")]


def test_image_without_contents_takes_the_file_of_its_guid() -> None:
    """Which is nobody else's, whatever it is called now."""
    depot = Depot()
    guid = depot.bare()
    depot.images.update(guid, ImageUpdate(filename="b.png"), depot.clock.now(), soon())
    depot.older = Older(**{guid: depot.put(f"older/{guid}.png", DATA)})

    events = depot.run(ADOPT)

    assert faults(events)[0] == (Fault.UNKNOWN_BYTES, "")
    assert actions(events) == [(Action.ADOPTED, f"older/{guid}.png")]
    found = depot.known_of(guid)
    assert found
    assert (found.size_bytes, found.width) == (len(DATA), 8)


def test_image_without_contents_takes_the_file_of_its_name() -> None:
    depot = Depot()
    guid = depot.bare()
    depot.older = Older(fox=depot.put("older/fox.png", DATA))

    depot.run(ADOPT)

    found = depot.known_of(guid)
    assert found
    assert found.key == "older/fox.png"


def test_image_that_was_renamed_takes_no_file_of_that_name() -> None:
    """It may be another's: a filename is a label by now."""
    depot = Depot()
    guid = depot.bare("b.png")
    later = depot.clock.now() + timedelta(days=1)
    depot.images.update(guid, ImageUpdate(filename="fox.png"), later, soon())
    depot.older = Older(fox=depot.put("older/fox.png", DATA))

    assert actions(depot.run(ADOPT)) == []
    assert depot.known_of(guid) is None


def test_file_that_another_image_names_is_not_taken() -> None:
    depot = Depot()
    depot.image(DATA, contents(DATA, "older/fox.png"))
    guid = depot.bare()
    depot.older = Older(fox="older/fox.png")

    assert actions(depot.run(ADOPT)) == []
    assert depot.known_of(guid) is None


def test_image_that_lost_its_contents_gets_its_own_bytes_back() -> None:
    """They are in the store under its guid: nobody else's."""
    depot = Depot()
    guid = depot.bare()
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
    depot.forget(mine.guid)
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
    found = depot.known_of(guid)
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
    assert depot.known_of(guid) is None


def test_image_without_a_creation_takes_the_one_attempt_that_decodes() -> None:
    depot = Depot()
    guid = depot.bare()
    for attempt, data in ((1, DATA[:-20]), (2, DATA), (3, b"")):
        depot.put(f"{guid}.{attempt}.png", data)

    assert actions(depot.run(ADOPT)) == [(Action.ADOPTED, f"{guid}.2.png")]


def test_image_with_several_that_decode_is_left_and_told() -> None:
    """Which of them was shown nobody can tell."""
    depot = Depot()
    guid = depot.bare()
    keys = [
        depot.put(f"{guid}.{n}.png", png(color).data) for n, color in enumerate(["red", "blue"])
    ]

    events = depot.run(Tasks(adopt=True, repair=True, allow_orphans=FEW))

    assert actions(events) == []
    assert "2 attempts" in [each.detail for each in events if isinstance(each, Finding)][-1]
    assert depot.known_of(guid) is None
    assert list(depot.store.objects) == keys


def test_attempts_that_do_not_decode_are_left_and_told() -> None:
    depot = Depot()
    guid = depot.bare()
    key = depot.put(f"{guid}.1.png", DATA[:-20])

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.UNKNOWN_BYTES, ""), (Fault.NOT_AN_IMAGE, key)]
    assert actions(events) == []
    assert depot.known_of(guid) is None


def test_image_without_any_bytes_stays_a_finding() -> None:
    depot = Depot()
    depot.bare()

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.UNKNOWN_BYTES, "")]
    assert actions(events) == []


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
    store.unlisted = depot.bare("hen.png")
    right = depot.bare()
    depot.older = Older(
        hen=depot.put("older/hen.png", DATA), **{right: depot.put("older/fox.png", DATA)}
    )

    events = depot.run(ADOPT)

    assert faults(events) == [(Fault.UNKNOWN_BYTES, "")] * 2
    assert actions(events) == [(Action.ADOPTED, "older/fox.png")]
    assert depot.known_of(store.unlisted) is None
