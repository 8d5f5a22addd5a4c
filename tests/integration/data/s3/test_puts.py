"""Puts: create-only, whole, and ours where their answer was lost."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    StorageUnavailableError,
)
from pixy_grpc.data.s3.client import RETRIES
from pixy_grpc.data.s3.store import S3Store
from tests.integration.data.examples import new_key, soon
from tests.integration.data.s3.conftest import STORE_ID, open_store
from tests.support.lossy_proxy import Proxy
from tests.support.provider import answer, providing
from tests.support.seaweedfs import Bare, name_of

DATA = secrets.token_bytes(1_500_000)
EACH = RETRIES + 1
"""How often obstore asks within one put."""


@pytest.fixture
def far(bare: Bare, between: Proxy) -> S3Store:
    """Open the store by way of the proxy."""
    return open_store(bare, between.endpoint)


def test_put_whose_answer_is_lost_succeeds(far: S3Store, bare: Bare, between: Proxy) -> None:
    """The bytes that the repetition finds are ours."""
    key = new_key()
    far.ping(soon())
    between.lose_answers(1)

    far.put(key, DATA, soon())

    assert bare.read(name_of(key)) == DATA
    assert between.requests.count("PUT") == 2


def test_put_again_of_what_was_stored_unknown_to_us_succeeds(
    far: S3Store, bare: Bare, between: Proxy
) -> None:
    """Where no answer came at all the put fails, and a later one finds its own bytes."""
    key = new_key()
    far.ping(soon())
    between.lose_answers(EACH)

    with pytest.raises(StorageUnavailableError):
        far.put(key, DATA, soon())
    far.put(key, DATA, soon())

    assert bare.names() == [".pixy-store", name_of(key)]
    assert bare.read(name_of(key)) == DATA


def test_put_by_another_server_of_what_was_stored_unknown_succeeds(
    far: S3Store, bare: Bare, between: Proxy
) -> None:
    """The spool may be emptied by another process: nothing is remembered here."""
    key = new_key()
    far.ping(soon())
    between.lose_answers(EACH)

    with pytest.raises(StorageUnavailableError):
        far.put(key, DATA, soon())
    open_store(bare).put(key, DATA, soon())

    assert bare.read(name_of(key)) == DATA


@pytest.mark.parametrize("other", [DATA[:-1] + b"\0", DATA[:-1], DATA + b"\0", b""], ids=len)
def test_put_of_other_bytes_after_a_lost_answer_is_refused(
    far: S3Store, bare: Bare, between: Proxy, other: bytes
) -> None:
    """However alike they are."""
    key = new_key()
    bare.write(name_of(key), other)
    far.ping(soon())
    between.lose_answers(1)

    with pytest.raises(ConstraintViolationError):
        far.put(key, DATA, soon())

    assert bare.read(name_of(key)) == other


def test_put_cut_by_its_deadline_can_be_repeated(store: S3Store, bare: Bare) -> None:
    """Whether the server stored it after all, or not."""
    key = new_key()
    store.ping(soon())
    bare.server.freeze()
    with pytest.raises(StorageUnavailableError):
        store.put(key, DATA, Deadline.after(0.3))
    bare.server.thaw()

    store.put(key, DATA, soon())

    assert bare.read(name_of(key)) == DATA


MARK = answer(STORE_ID.encode(), etag='"1"', last_modified="Sun, 22 Nov 2026 12:00:00 GMT")


def test_put_that_met_another_request_was_not_stored(bare: Bare) -> None:
    """Amazon's 409: nothing need be there, and the put is to be tried again."""
    with providing() as stand_in:
        stand_in.will(MARK, answer(b"", 409), answer(b"", 404))

        with pytest.raises(StorageUnavailableError):
            S3Store(bare.access(stand_in.origin)).put(new_key(), DATA, soon())


def test_put_in_a_bucket_that_is_gone_is_unavailable(bare: Bare) -> None:
    """There is nothing that could be missing but the bucket, or what stands before it."""
    with providing() as stand_in:
        stand_in.will(MARK, answer(b"", 404))

        with pytest.raises(StorageUnavailableError):
            S3Store(bare.access(stand_in.origin)).put(new_key(), DATA, soon())


def test_delete_in_a_bucket_that_is_gone_is_unavailable(bare: Bare) -> None:
    """A missing object is answered as if it had been there; a missing bucket is not."""
    with providing() as stand_in:
        stand_in.will(MARK, answer(b"", 404))

        with pytest.raises(StorageUnavailableError):
            S3Store(bare.access(stand_in.origin)).delete(new_key(), soon())


def test_bytes_that_change_on_the_way_are_not_stored(
    far: S3Store, bare: Bare, between: Proxy
) -> None:
    """The store holds them to the checksum that came with them."""
    far.ping(soon())
    between.spoils = True

    with pytest.raises(StorageUnavailableError):
        far.put(new_key(), DATA, soon())

    assert bare.names() == [".pixy-store"]


def test_put_of_a_large_image_is_one_request(far: S3Store, bare: Bare, between: Proxy) -> None:
    """Of the parts that obstore may make of large ones none is create-only."""
    key = new_key()
    large = secrets.token_bytes(9_000_000)
    far.ping(soon())
    between.requests.clear()

    far.put(key, large, soon())

    assert between.requests == ["PUT"]
    assert bare.read(name_of(key)) == large
    with pytest.raises(ConstraintViolationError):
        far.put(key, large[::-1], soon())


def test_quarantined_bytes_lie_aside(store: S3Store, bare: Bare) -> None:
    """Whole, under their key, by however many at once."""
    key = new_key()
    store.put(key, DATA, soon())

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: store.quarantine(key, soon()), range(4)))

    assert bare.names() == [".pixy-store", f"quarantine/{key}"]
    assert bare.read(f"quarantine/{key}") == DATA


def test_quarantine_goes_on_after_a_crash(store: S3Store, bare: Bare) -> None:
    """Between the copy and the removal."""
    key = new_key()
    for name in (name_of(key), f"quarantine/{key}"):
        bare.write(name, DATA)

    store.quarantine(key, soon())

    assert bare.names() == [".pixy-store", f"quarantine/{key}"]


MODIFIED = "Sun, 22 Nov 2026 12:00:00 GMT"
MARKED = answer(STORE_ID.encode(), etag='"1"', last_modified=MODIFIED)
WHOLE = answer(DATA, etag='"2"', last_modified=MODIFIED)


def test_quarantine_again_stores_the_same_bytes_anew(bare: Bare) -> None:
    """As of now: what came there long ago, and once more now, is not purged as old."""
    key = new_key()
    taken = f"/quarantine/{key}"
    with providing() as stand_in:
        stand_in.will(
            MARKED, WHOLE, answer(b"", 412), WHOLE, answer(b"", etag='"3"'), answer(b"", 204)
        )

        S3Store(bare.access(stand_in.origin)).quarantine(key, soon())

    lines = [request.line.split()[:2] for request in stand_in.requests[2:]]
    assert [(verb, name.partition(bare.prefix)[2]) for verb, name in lines] == [
        ("PUT", taken),
        ("GET", taken),
        ("PUT", taken),
        ("DELETE", f"/{name_of(key)}"),
    ]
    assert "if-none-match" not in stand_in.requests[4].headers
    assert stand_in.requests[4].body == DATA


def test_mark_is_the_first_servers(bare: Bare) -> None:
    """Of two that start at once on an empty bucket both carry on with one id."""
    bare.delete(".pixy-store")
    first, second = (S3Store(bare.access()) for _ in range(2))
    assert [first.prepare(), second.prepare()] == [None, None]

    first.mark(STORE_ID)
    second.mark(STORE_ID)
    with pytest.raises(ConstraintViolationError):
        second.mark("another-id")

    assert bare.read(".pixy-store").decode() == STORE_ID
    assert S3Store(bare.access()).prepare() == STORE_ID


def test_store_that_overwrites_is_refused(bare: Bare) -> None:
    """One that ignores If-None-Match could lose an image; it shows at the start."""
    with providing() as stand_in:
        stand_in.will(answer(b"", etag='"1"'))

        with pytest.raises(StorageUnavailableError, match="If-None-Match"):
            S3Store(bare.access(stand_in.origin)).mark(STORE_ID)


def test_bucket_of_another_service_is_refused(bare: Bare) -> None:
    """Nothing is written, moved or removed where the mark is another's."""
    key = new_key()
    bare.write(name_of(key), DATA)
    store = S3Store(bare.access(), "another-id")

    for act in (
        lambda: store.put(new_key(), DATA, soon()),
        lambda: store.delete(key, soon()),
        lambda: store.quarantine(key, soon()),
        lambda: store.keys(key.partition(".")[0], soon()),
        lambda: store.ping(soon()),
    ):
        with pytest.raises(StorageUnavailableError):
            act()

    assert bare.names() == [".pixy-store", name_of(key)]


def test_mark_that_changed_is_noticed_by_ping(store: S3Store, bare: Bare) -> None:
    """From then on nothing is put there, until ours is back."""
    store.put(new_key(), DATA, soon())
    bare.write(".pixy-store", b"another-id")

    with pytest.raises(StorageUnavailableError):
        store.ping(soon())
    with pytest.raises(StorageUnavailableError):
        store.put(new_key(), DATA, soon())
    bare.write(".pixy-store", STORE_ID.encode())
    store.put(new_key(), DATA, soon())


def test_mark_is_not_looked_at_by_each_put(far: S3Store, between: Proxy) -> None:
    """One request a put, as long as the mark was seen just now."""
    far.ping(soon())
    between.requests.clear()

    far.put(new_key(), DATA, soon())
    far.put(new_key(), DATA, soon())

    assert between.requests == ["PUT", "PUT"]
