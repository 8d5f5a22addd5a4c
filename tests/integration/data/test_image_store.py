"""Holds every ImageStore to the contract in core/ports.py."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DeadlineTooShortError,
    ImageCorruptError,
    ImageException,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import ImageStore
from tests.integration.data.examples import new_guid, new_key, soon
from tests.integration.data.implementations import OpenStore

DATA = bytes(range(256)) * 40


def _read(store: ImageStore, key: str) -> bytes:
    with store.open(key, soon()) as opened:
        return opened.read(0, opened.size_bytes)


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", DATA, b"x" * BLOCK_BYTES, b"y" * (3 * BLOCK_BYTES + 1)],
    ids=["nothing", "NUL", "some", "a block", "blocks"],
)
def test_put_bytes_are_read_whole(open_store: OpenStore, data: bytes) -> None:
    """What one instance stored every other reads, to the byte."""
    key = new_key()

    open_store().put(key, data, soon())

    with open_store().open(key, soon()) as opened:
        assert opened.size_bytes == len(data)
        assert opened.read(0, len(data) + 1) == data


def test_put_under_a_taken_key_leaves_what_is_there(store: ImageStore) -> None:
    """A second attempt cannot overwrite the first."""
    key = new_key()
    store.put(key, DATA, soon())

    for other in (b"other bytes", DATA[:-1], b""):
        with pytest.raises(ConstraintViolationError):
            store.put(key, other, soon())

    assert _read(store, key) == DATA


def test_put_of_the_same_bytes_again_leaves_them(store: ImageStore) -> None:
    """It is no error where it may be the repetition of a put whose answer was lost."""
    key = new_key()
    store.put(key, DATA, soon())

    with suppress(ConstraintViolationError):
        store.put(key, DATA, soon())

    assert _read(store, key) == DATA


def test_put_of_two_attempts_keeps_both(store: ImageStore) -> None:
    """Keys of one guid are apart."""
    guid = new_guid()

    store.put(f"{guid}.1.png", b"first", soon())
    store.put(f"{guid}.2.png", b"second", soon())
    store.put(f"{guid}.2.webp", b"third", soon())

    found = [_read(store, f"{guid}.{rest}") for rest in ("1.png", "2.png", "2.webp")]
    assert found == [b"first", b"second", b"third"]


def test_put_at_once_under_one_key_keeps_one(open_store: OpenStore) -> None:
    """One of them wins, and its bytes are whole."""
    key = new_key()
    barrier = threading.Barrier(6)

    def attempt(number: int) -> bytes | None:
        store = open_store()
        data = bytes([number]) * 100_000
        barrier.wait(10)
        try:
            store.put(key, data, soon())
        except ConstraintViolationError:
            return None
        return data

    with ThreadPoolExecutor(6) as threads:
        won = [data for data in threads.map(attempt, range(6)) if data]

    assert won == [_read(open_store(), key)]


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, 10, DATA[:10]),
        (5, 300, DATA[5:305]),
        (0, 0, b""),
        (len(DATA) - 1, 1, DATA[-1:]),
        (len(DATA) - 1, 9, DATA[-1:]),
        (len(DATA), 1, b""),
        (len(DATA) + 5, 1, b""),
    ],
)
def test_read_returns_that_part(
    store: ImageStore, offset: int, length: int, expected: bytes
) -> None:
    """Fewer bytes only where fewer are stored; parts in any order, from one opening."""
    key = new_key()
    store.put(key, DATA, soon())

    with store.open(key, soon()) as opened:
        opened.read(77, 7)

        assert opened.read(offset, length) == expected
        assert opened.read(offset, length, b"HEAD") == b"HEAD" + expected


def test_heads_stand_before_parts_and_change_none(store: ImageStore) -> None:
    """Each part has the head it was asked for, and neither it nor what is stored is touched
    by the next one.
    """
    key, size = new_key(), 700
    store.put(key, DATA, soon())
    heads = [b"", b"a", b"bcd", b"0123456789"]

    with store.open(key, soon()) as opened:
        parts = [opened.read(at * size, size, head) for at, head in enumerate(heads)]

        assert opened.read(0, len(DATA)) == DATA
    assert parts == [head + DATA[at * size :][:size] for at, head in enumerate(heads)]


def test_open_of_a_missing_key_is_corrupt(store: ImageStore) -> None:
    with pytest.raises(ImageCorruptError), store.open(new_key(), soon()):
        pass


def test_opened_bytes_outlive_their_key(store: ImageStore) -> None:
    """Whoever is reading reads on when the image is deleted."""
    key = new_key()
    store.put(key, DATA, soon())

    with store.open(key, soon()) as opened:
        store.delete(key, soon())

        assert opened.read(0, opened.size_bytes) == DATA
    with pytest.raises(ImageCorruptError), store.open(key, soon()):
        pass


def test_modification_is_when_bytes_were_stored(open_store: OpenStore) -> None:
    """Aware, by a clock about as ours, and as a walk tells it."""
    key = new_key()
    open_store().put(key, DATA, soon())

    found = open_store().modified_at(key, soon())

    assert abs(datetime.now(UTC) - found) < timedelta(minutes=1)
    (listed,) = open_store().list_objects()
    assert abs(listed.modified_at - found) < timedelta(seconds=1)
    with pytest.raises(ImageCorruptError):
        open_store().modified_at(new_key(), soon())


def test_delete_of_a_missing_key_is_fine(store: ImageStore) -> None:
    store.delete(new_key(), soon())


def test_delete_leaves_other_attempts(store: ImageStore) -> None:
    guid = new_guid()
    store.put(f"{guid}.1.png", b"first", soon())
    store.put(f"{guid}.2.png", b"second", soon())

    store.delete(f"{guid}.1.png", soon())

    assert _read(store, f"{guid}.2.png") == b"second"


def test_put_after_delete_works(store: ImageStore) -> None:
    key = new_key()
    store.put(key, b"first", soon())
    store.delete(key, soon())

    store.put(key, b"second", soon())

    assert _read(store, key) == b"second"


def test_keys_are_those_of_the_guid(open_store: OpenStore) -> None:
    """Every attempt is found, by any instance; other images' are not."""
    guid = new_guid()
    store = open_store()
    for key in (f"{guid}.2.png", f"{guid}.1.webp", new_key()):
        store.put(key, DATA, soon())

    assert list(open_store().keys(guid, soon())) == [f"{guid}.1.webp", f"{guid}.2.png"]
    assert list(store.keys(new_guid(), soon())) == []


def test_quarantined_bytes_are_gone_from_sight(store: ImageStore) -> None:
    """Nobody opens, finds or overwrites them by their key; the others stay."""
    guid = new_guid()
    kept, moved = f"{guid}.1.png", f"{guid}.2.png"
    for key in (kept, moved):
        store.put(key, DATA, soon())

    store.quarantine(moved, soon())
    store.quarantine(moved, soon())

    assert list(store.keys(guid, soon())) == [kept]
    with pytest.raises(ImageCorruptError), store.open(moved, soon()):
        pass


def test_quarantine_of_a_missing_key_is_fine(store: ImageStore) -> None:
    store.quarantine(new_key(), soon())


def test_space_is_some_or_unknown(store: ImageStore) -> None:
    """There is some left, of no less in all."""
    space = store.space(soon())

    assert space is None or 0 < space.free_bytes <= space.total_bytes


def test_ping_returns(store: ImageStore) -> None:
    store.ping(soon())


KEY = new_key()

OPERATIONS: dict[str, Callable[[ImageStore, Deadline], object]] = {
    "put": lambda store, deadline: store.put(KEY, DATA, deadline),
    "open": lambda store, deadline: store.open(KEY, deadline).__enter__(),
    "modified_at": lambda store, deadline: store.modified_at(KEY, deadline),
    "delete": lambda store, deadline: store.delete(KEY, deadline),
    "keys": lambda store, deadline: store.keys(new_guid(), deadline),
    "quarantine": lambda store, deadline: store.quarantine(KEY, deadline),
    "open_quarantined": lambda store, deadline: store.open_quarantined(KEY, deadline).__enter__(),
    "space": lambda store, deadline: store.space(deadline),
    "ping": lambda store, deadline: store.ping(deadline),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    ("from_caller", "expected"), [(True, DeadlineTooShortError), (False, StorageUnavailableError)]
)
def test_call_past_its_deadline_does_nothing(
    store: ImageStore, name: str, expected: type[ImageException], *, from_caller: bool
) -> None:
    """It ends in an error: the caller's for their deadline, ours for a cap of ours."""
    passed = Deadline.after(-1, from_caller=from_caller)

    with pytest.raises(expected):
        OPERATIONS[name](store, passed)

    with pytest.raises(ImageCorruptError), store.open(KEY, soon()):
        pass


def test_threads_read_what_they_put(store: ImageStore) -> None:
    """Each its own bytes, whole."""

    def work(number: int) -> bool:
        data = bytes([number]) * (number * 1_000)
        keys = [new_key() for _ in range(5)]
        for key in keys:
            store.put(key, data, soon())
        whole = all(_read(store, key) == data for key in keys)
        for key in keys:
            store.delete(key, soon())
        with suppress(ImageCorruptError):
            return whole and not _read(store, keys[0])
        return whole

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(8)))
