"""Holds every ImageStore to what core/ports.py says of walking it and of its quarantine."""

from datetime import UTC, datetime, timedelta

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    DeadlineTooShortError,
    ImageCorruptError,
    ImageException,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import ImageStore
from tests.integration.data.examples import new_guid, new_key, soon
from tests.integration.data.implementations import OpenStore

SLACK = timedelta(minutes=1)
"""What the clock of a store on this machine may be off, whole seconds included."""


def test_walk_meets_every_object_once(open_store: OpenStore) -> None:
    """Any instance does, with sizes, and several attempts at one image."""
    guid = new_guid()
    sizes = {f"{guid}.1.png": 0, f"{guid}.2.webp": 7} | {new_key(): size for size in range(30)}
    store = open_store()
    for key, size in sizes.items():
        store.put(key, b"x" * size, soon())

    found = list(open_store().list_objects())

    assert len(found) == len(sizes)
    assert {each.key: each.size_bytes for each in found} == sizes


def test_walk_tells_when_objects_were_stored(store: ImageStore) -> None:
    """Aware, by a clock about as ours."""
    store.put(new_key(), b"bytes", soon())

    (found,) = store.list_objects()

    assert abs(datetime.now(UTC) - found.modified_at) < SLACK


def test_walk_over_nothing_ends(store: ImageStore) -> None:
    assert list(store.list_objects()) == []
    assert list(store.list_leftovers()) == []
    assert list(store.list_quarantine()) == []


def test_walk_is_lazy(store: ImageStore) -> None:
    """It may be left anywhere, and what is met may be removed on the way."""
    keys = {new_key() for _ in range(20)}
    for key in keys:
        store.put(key, b"bytes", soon())

    met = set()
    for each in store.list_objects():
        store.delete(each.key, soon())
        met.add(each.key)

    assert met == keys
    assert list(store.list_objects()) == []


def test_quarantined_object_is_met_there_alone(open_store: OpenStore) -> None:
    """Under a key by which it can be purged, since when it came there."""
    kept, moved = new_key(), new_key()
    store = open_store()
    for key in (kept, moved):
        store.put(key, b"bytes", soon())

    store.quarantine(moved, soon())

    (found,) = open_store().list_quarantine()
    assert [each.key for each in open_store().list_objects()] == [kept]
    assert (found.key, found.size_bytes) == (moved, 5)
    assert abs(datetime.now(UTC) - found.modified_at) < SLACK


def test_quarantine_overwrites_nothing(store: ImageStore) -> None:
    """Each of several bytes of one key is there, under a key of its own, and can be purged."""
    key = new_key()
    bodies = [b"first", b"second", b"", b"second"]
    for data in bodies:
        store.put(key, data, soon())
        store.quarantine(key, soon())

    found = [each.key for each in store.list_quarantine()]
    assert list(store.list_objects()) == []
    assert key in found
    assert all(each.startswith(key) for each in found)
    assert read_aside(store, key) == b"first"
    assert {read_aside(store, each) for each in found} == set(bodies)
    for each in found:
        store.purge(each, soon())
    assert list(store.list_quarantine()) == []


def test_same_bytes_come_into_quarantine_once(store: ImageStore) -> None:
    """However often: there is nothing to keep beside them."""
    key = new_key()
    for _ in range(3):
        store.put(key, b"bytes", soon())
        store.quarantine(key, soon())

    assert [each.key for each in store.list_quarantine()] == [key]
    assert list(store.list_objects()) == []


def read_aside(store: ImageStore, key: str) -> bytes:
    with store.open_quarantined(key, soon()) as opened:
        return opened.read(0, opened.size_bytes)


def test_quarantined_object_is_read_whole(open_store: OpenStore) -> None:
    """By any instance, once it is there and until it is purged."""
    key = new_key()
    store = open_store()
    store.put(key, b"bytes", soon())
    with pytest.raises(ImageCorruptError), store.open_quarantined(key, soon()):
        pass

    store.quarantine(key, soon())

    with open_store().open_quarantined(key, soon()) as opened:
        assert (opened.size_bytes, opened.read(0, 9)) == (5, b"bytes")
    store.purge(key, soon())
    with pytest.raises(ImageCorruptError), store.open_quarantined(key, soon()):
        pass


def test_purged_object_is_gone(store: ImageStore) -> None:
    """That one alone, and a second time is no error."""
    kept, purged = new_key(), new_key()
    for key in (kept, purged):
        store.put(key, b"bytes", soon())
        store.quarantine(key, soon())

    store.purge(purged, soon())
    store.purge(purged, soon())

    assert [each.key for each in store.list_quarantine()] == [kept]


def test_purge_leaves_what_is_not_in_quarantine(store: ImageStore) -> None:
    """An object of the same key stays where it is."""
    key = new_key()
    store.put(key, b"bytes", soon())

    store.purge(key, soon())

    with store.open(key, soon()) as opened:
        assert opened.read(0, 9) == b"bytes"


@pytest.mark.parametrize(
    ("from_caller", "expected"), [(True, DeadlineTooShortError), (False, StorageUnavailableError)]
)
def test_purge_past_its_deadline_does_nothing(
    store: ImageStore, expected: type[ImageException], *, from_caller: bool
) -> None:
    key = new_key()
    store.put(key, b"bytes", soon())
    store.quarantine(key, soon())

    with pytest.raises(expected):
        store.purge(key, Deadline.after(-1, from_caller=from_caller))

    assert [each.key for each in store.list_quarantine()] == [key]


def test_quarantined_object_stays_out_of_reach(store: ImageStore) -> None:
    key = new_key()
    store.put(key, b"bytes", soon())
    store.quarantine(key, soon())

    with pytest.raises(ImageCorruptError), store.open(key, soon()):
        pass
