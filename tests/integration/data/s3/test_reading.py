"""How an object is read: which requests that takes, and what becomes of it meanwhile."""

import secrets
from collections.abc import Callable

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.core.exceptions import (
    ImageCorruptError,
    ImageException,
    StorageUnavailableError,
)
from pixy_grpc.data.s3.reading import WINDOW_BYTES
from pixy_grpc.data.s3.store import S3Store
from tests.integration.data.examples import new_key, soon
from tests.integration.data.s3.conftest import open_store
from tests.support.lossy_proxy import Proxy
from tests.support.process import wait_until
from tests.support.provider import Reply, answer, providing
from tests.support.seaweedfs import Bare, name_of

DATA = secrets.token_bytes(4 * WINDOW_BYTES + 777)
USUAL = DATA[:1_500_000]


@pytest.fixture
def key(store: S3Store) -> str:
    """Store an object of five windows."""
    key = new_key()
    store.put(key, DATA, soon())
    return key


@pytest.fixture
def watched(bare: Bare, between: Proxy) -> S3Store:
    """Open the store by way of the proxy, and begin to count."""
    store = open_store(bare, between.endpoint)
    between.requests.clear()
    return store


def blocks(size_bytes: int) -> list[tuple[int, int]]:
    """Return the parts in which a delivery reads."""
    return [(at, min(BLOCK_BYTES, size_bytes - at)) for at in range(0, size_bytes, BLOCK_BYTES)]


def window(index: int) -> str:
    """Return the request for a window."""
    stop = min((index + 1) * WINDOW_BYTES, len(DATA)) if index else WINDOW_BYTES
    return f"GET {index * WINDOW_BYTES}-{stop - 1}"


def test_usual_image_is_one_request(store: S3Store, watched: S3Store, between: Proxy) -> None:
    """Opening it reads it."""
    key = new_key()
    store.put(key, USUAL, soon())

    with watched.open(key, soon()) as opened:
        data = b"".join(opened.read(*each) for each in blocks(opened.size_bytes))

    assert data == USUAL
    assert between.requests == [window(0)]


def test_large_image_is_read_window_by_window(key: str, watched: S3Store, between: Proxy) -> None:
    """Each byte passes once, however small the parts."""
    with watched.open(key, soon()) as opened:
        data = b"".join(opened.read(*each) for each in blocks(opened.size_bytes))

    assert data == DATA
    assert between.requests == [window(index) for index in range(5)]


def test_reader_that_goes_on_finds_the_next_window_under_way(
    key: str, watched: S3Store, between: Proxy
) -> None:
    """It is asked for before it is wanted; one that stalls has no more than that."""
    with watched.open(key, soon()) as opened:
        opened.read(0, BLOCK_BYTES)
        assert between.requests == [window(0)]
        opened.read(BLOCK_BYTES, BLOCK_BYTES)

        wait_until(lambda: len(between.requests) > 1, "the next window is asked for")
        opened.read(WINDOW_BYTES - 1, 1)
        opened.read(0, BLOCK_BYTES)

    assert between.requests == [window(0), window(1)]


def test_ranged_read_takes_its_windows_alone(key: str, watched: S3Store, between: Proxy) -> None:
    """Beside the first, which told how large the object is."""
    with watched.open(key, soon()) as opened:
        assert opened.read(3 * WINDOW_BYTES - 5, 10) == DATA[3 * WINDOW_BYTES - 5 :][:10]
        assert opened.read(10, 10) == DATA[10:20]

    assert between.requests[:3] == [window(0), window(2), window(3)]


def test_parts_in_any_order_are_right(store: S3Store, key: str) -> None:
    """Windows ahead are no use to who turns back, and do no harm."""
    with store.open(key, soon()) as opened:
        for at in (0, 5, WINDOW_BYTES - 5, 3 * WINDOW_BYTES, 1, len(DATA) - 3, WINDOW_BYTES):
            assert opened.read(at, WINDOW_BYTES) == DATA[at : at + WINDOW_BYTES]
        assert opened.read(0, len(DATA) + 5) == DATA


def test_closing_cuts_what_is_under_way(bare: Bare, key: str, between: Proxy) -> None:
    """Who stops reading leaves no request behind."""
    store = open_store(bare, between.endpoint)
    with store.open(key, soon()) as opened:
        opened.read(0, BLOCK_BYTES)
        bare.server.freeze()
        between.cut.clear()
        opened.read(BLOCK_BYTES, BLOCK_BYTES)
        wait_until(lambda: between.requests[-1] == window(1), "the next window is asked for")
        assert not between.cut.is_set()

    assert between.cut.wait(20)


def test_window_ahead_that_failed_is_read_again(key: str, watched: S3Store, between: Proxy) -> None:
    """A connection that is cut meanwhile costs a request, not the read."""
    with watched.open(key, soon()) as opened:
        opened.read(0, BLOCK_BYTES)
        between.lose_answers(3, "GET")
        opened.read(BLOCK_BYTES, BLOCK_BYTES)

        assert opened.read(WINDOW_BYTES, BLOCK_BYTES) == DATA[WINDOW_BYTES:][:BLOCK_BYTES]


@pytest.mark.parametrize(
    "data",
    [DATA[::-1], DATA[:-1], DATA[:5], b"", DATA + b"\0"],
    ids=["changed", "cut by a byte", "cut", "emptied", "grown"],
)
def test_read_of_a_replaced_object_is_corrupt(
    store: S3Store, bare: Bare, key: str, data: bytes
) -> None:
    """What was opened is never mixed with what is there now."""
    with store.open(key, soon()) as opened:
        bare.write(name_of(key), data)

        assert opened.read(0, WINDOW_BYTES) == DATA[:WINDOW_BYTES]
        with pytest.raises(ImageCorruptError):
            opened.read(WINDOW_BYTES, 1)


def partial(data: bytes, start: int, tag: str, said: int = 0) -> Reply:
    """Answer with a part of an object of two windows, as a store does."""
    stop = start + (said or len(data)) - 1
    headers = {
        "etag": f'"{tag}"',
        "last_modified": "Sun, 22 Nov 2026 12:00:00 GMT",
        "content_range": f"bytes {start}-{stop}/{2 * WINDOW_BYTES}",
    }
    return answer(data, 206, "image/png", **headers)


WRONG_PARTS = {
    "of another object": (partial(DATA[:WINDOW_BYTES], WINDOW_BYTES, "2"), ImageCorruptError),
    "too short": (partial(DATA[:9], WINDOW_BYTES, "1"), StorageUnavailableError),
    "shorter than said": (
        partial(DATA[:9], WINDOW_BYTES, "1", WINDOW_BYTES),
        StorageUnavailableError,
    ),
    "another part": (partial(DATA[:WINDOW_BYTES], 0, "1"), StorageUnavailableError),
    "past the end of another object": (answer(b"", 416, "text/plain"), ImageCorruptError),
}


@pytest.mark.parametrize(("wrong", "expected"), WRONG_PARTS.values(), ids=WRONG_PARTS)
def test_part_that_is_not_what_was_asked_for_is_refused(
    bare: Bare, wrong: Reply, expected: type[ImageException]
) -> None:
    """By stores that know neither If-Match nor ranges as they should."""
    with providing() as stand_in:
        stand_in.will(partial(DATA[:WINDOW_BYTES], 0, "1"), wrong)

        with S3Store(bare.access(stand_in.origin)).open(new_key(), soon()) as opened:
            assert opened.read(0, 5) == DATA[:5]
            with pytest.raises(expected):
                opened.read(WINDOW_BYTES, 5)


def test_first_part_that_is_shorter_than_said_is_unavailable(bare: Bare) -> None:
    """The object is as it was, and whoever asks again may have all of it."""
    with providing() as stand_in:
        stand_in.will(partial(DATA[:9], 0, "1", WINDOW_BYTES))

        store = S3Store(bare.access(stand_in.origin))
        with pytest.raises(StorageUnavailableError), store.open(new_key(), soon()):
            pass


def test_object_that_goes_while_it_is_opened_is_corrupt(bare: Bare) -> None:
    """Without a range, as an empty one is read, it is looked for once more: it has gone."""
    with providing() as stand_in:
        stand_in.will(
            answer(b"", 416, "text/plain"), answer(b"", 404, "text/plain"), answer(b"an id", 200)
        )

        store = S3Store(bare.access(stand_in.origin))
        with pytest.raises(ImageCorruptError), store.open(new_key(), soon()):
            pass


def test_read_of_a_deleted_object_is_corrupt(store: S3Store, bare: Bare, key: str) -> None:
    """What is in memory is right, and the rest is told to be gone."""
    with store.open(key, soon()) as opened:
        bare.delete(name_of(key))

        assert opened.read(5, 10) == DATA[5:15]
        with pytest.raises(ImageCorruptError):
            opened.read(WINDOW_BYTES, 1)


@pytest.mark.parametrize("size", [0, 1, WINDOW_BYTES, WINDOW_BYTES + 1])
def test_object_of_any_size_tells_it(store: S3Store, bare: Bare, size: int) -> None:
    """Longer or shorter than it was stored, an empty one too: the delivery compares."""
    key = new_key()
    bare.write(name_of(key), DATA[:size])

    with store.open(key, soon()) as opened:
        assert opened.size_bytes == size
        assert opened.read(0, size + 1) == DATA[:size]


def test_folder_in_the_place_of_an_object_is_corrupt(store: S3Store, bare: Bare) -> None:
    """What lies below a key is not the key's, whoever asks."""
    key = new_key()
    bare.write(f"{name_of(key)}/child", b"other bytes")
    bare.write(f"{name_of(key)}/{key}", b"other bytes")

    with pytest.raises(ImageCorruptError), store.open(key, soon()):
        pass

    assert store.keys(key.partition(".")[0], soon()) == []


def test_keys_of_neighbours_are_others(store: S3Store) -> None:
    """The folder is shared, and the list goes on behind the guid's own."""
    guids = [f"abcd{number}000-0000-0000-0000-000000000000" for number in range(3)]
    for guid in guids:
        for attempt in ("1.png", "2.webp"):
            store.put(f"{guid}.{attempt}", USUAL, soon())

    for guid in guids:
        assert store.keys(guid, soon()) == [f"{guid}.1.png", f"{guid}.2.webp"]


@pytest.mark.parametrize("key", ["older/fox.png", "../.pixy-store", ".pixy-store", "a" * 36])
@pytest.mark.parametrize("act", [S3Store.delete, S3Store.quarantine])
def test_key_of_another_store_is_corrupt(
    store: S3Store, bare: Bare, key: str, act: Callable[[S3Store, str, Deadline], None]
) -> None:
    """No name is built from what is no key of ours."""
    with pytest.raises(ImageCorruptError), store.open(key, soon()):
        pass
    with pytest.raises(ImageCorruptError):
        act(store, key, soon())

    assert bare.names() == [".pixy-store"]


def test_bucket_without_our_mark_is_unavailable(store: S3Store, bare: Bare, key: str) -> None:
    """Where the mark is gone too, the store is, and not an image: nothing was lost."""
    with store.open(key, soon()) as opened:
        bare.delete(name_of(key), ".pixy-store")

        with pytest.raises(StorageUnavailableError):
            opened.read(WINDOW_BYTES, 1)
    with pytest.raises(StorageUnavailableError), store.open(key, soon()):
        pass
