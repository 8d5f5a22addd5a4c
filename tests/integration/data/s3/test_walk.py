"""Walking a bucket: what is met there, and the requests that takes."""

import secrets
import time
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import pytest

from pixy_grpc.core.exceptions import ImageCorruptError, StorageUnavailableError
from pixy_grpc.data.s3.client import BucketClient
from pixy_grpc.data.s3.store import S3Store
from tests.integration.data.examples import new_key, soon
from tests.integration.data.mysql.faults import silent_listener
from tests.integration.data.s3.conftest import STORE_ID
from tests.support.provider import Peer, Reply, answer, providing
from tests.support.seaweedfs import Bare, name_of

DATA = secrets.token_bytes(1_000)
LATE_SECONDS = 4.0
"""How far a page may outlive its cap, on a machine that others keep busy."""

MOMENT = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
MARKED = answer(STORE_ID.encode(), etag='"1"', last_modified=f"{MOMENT:%a, %d %b %Y %H:%M:%S} GMT")

CONTROLS = {"\n": "&#10;", "\t": "&#9;"}
"""How a listing has them."""


def page(bare: Bare, *keys: str, next_token: str = "") -> Reply:
    """Answer a listing with some objects of 7 bytes, and whether there are more."""
    return names_page([f"{bare.prefix}/{name_of(key)}" for key in keys], next_token)


def listing(bare: Bare, *names: str) -> Reply:
    """Answer each listing with those of the names that it asks for, as a bucket does."""
    whole = sorted(f"{bare.prefix}/{name}" for name in names)

    def reply(peer: Peer) -> None:
        query = parse_qs(urlsplit(peer.provider.requests[-1].line.split()[1]).query)
        names_page([name for name in whole if name.startswith(query["prefix"][0])])(peer)

    return reply


def names_page(names: list[str], next_token: str = "") -> Reply:
    found = "".join(
        f"<Contents><Key>{escape(name, CONTROLS)}</Key><Size>7</Size>"
        f"<LastModified>{MOMENT:%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
        for name in names
    )
    more = f"<NextContinuationToken>{next_token}</NextContinuationToken>" if next_token else ""
    listing = f"<ListBucketResult>{more}{found}</ListBucketResult>"
    return answer(listing.encode(), content_type="application/xml")


def test_walk_asks_for_a_page_when_it_is_wanted(bare: Bare) -> None:
    """A million names are never in memory; who stops early has asked for one page."""
    first = [new_key() for _ in range(1000)]
    second = new_key()
    with providing() as stand_in:
        stand_in.will(MARKED, page(bare, *first, next_token="behind-these"), page(bare, second))
        walk = S3Store(bare.access(stand_in.origin)).list_objects()

        begun = [next(walk).key for _ in first]
        asked = len(stand_in.requests)
        rest = list(walk)

        assert (begun, asked) == (first, 2)
        assert [(each.key, each.size_bytes, each.modified_at) for each in rest] == [
            (second, 7, MOMENT)
        ]
        assert len(stand_in.requests) == 3
        assert "continuation-token=behind-these" in stand_in.requests[2].line


@pytest.mark.parametrize("odd", ["notes\n1.txt", "zz//b.txt", "00/../c", "ab/no\tes"])
def test_walk_goes_round_a_name_that_cannot_be_read(
    bare: Bare, odd: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody put it there: the objects that are ours are met, each once, and the log names
    it. A listing that has it is refused as a whole.
    """
    keys = sorted(new_key() for _ in range(30))
    keys.append(f"ab{new_key()[2:]}")
    with providing() as stand_in:
        stand_in.will(MARKED, listing(bare, odd, *map(name_of, keys)))

        found = [each.key for each in S3Store(bare.access(stand_in.origin)).list_objects()]

    assert sorted(found) == sorted(keys)
    assert repr(f"{bare.prefix}/{odd}")[1:-1] in caplog.text


def test_name_that_cannot_be_read_hides_no_more_than_its_own_folder(
    bare: Bare, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder of objects, or the quarantine: the walk comes to its end."""
    beside, other = "abcd" + new_key()[4:], "abce" + new_key()[4:]
    odd = ("ab/cd/no\ntes", "quarantine/no\ntes")
    with providing() as stand_in:
        stand_in.will(MARKED, listing(bare, *odd, name_of(beside), name_of(other)))
        store = S3Store(bare.access(stand_in.origin))

        assert [each.key for each in store.list_objects()] == [other]
        assert list(store.list_quarantine()) == []
        with pytest.raises(StorageUnavailableError):
            store.keys(beside.partition(".")[0], soon())

    assert f"{bare.prefix}/ab/cd'" in caplog.text
    assert f"{bare.prefix}/quarantine'" in caplog.text


def test_walk_that_is_cut_off_says_so(bare: Bare) -> None:
    """What was met stays met; the end is not taken for the end of the list."""
    keys = [new_key() for _ in range(1000)]
    with providing() as stand_in:
        stand_in.will(MARKED, page(bare, *keys, next_token="behind-these"), answer(b"", 403))
        walk = S3Store(bare.access(stand_in.origin)).list_objects()

        assert [next(walk).key for _ in keys] == keys
        with pytest.raises(StorageUnavailableError):
            next(walk)


def test_page_that_does_not_come_is_not_waited_for(bare: Bare) -> None:
    """Each has a cap of its own, however long the walk is."""
    with silent_listener() as listener:
        client = BucketClient(bare.access(f"http://127.0.0.1:{listener.port}"))
        began = time.monotonic()

        with pytest.raises(StorageUnavailableError, match="in time"):
            next(client.pages("", page_seconds=0.1))

        assert time.monotonic() - began < LATE_SECONDS


def test_walk_passes_over_what_is_no_object_of_ours(store: S3Store, bare: Bare) -> None:
    """The mark, the quarantine, what lies in the wrong folder, below a key, or beside."""
    key, aside, other = new_key(), new_key(), new_key()
    bare.write(name_of(key), DATA)
    for name in (
        f"quarantine/{aside}",
        f"quarantine/{name_of(other)}",
        "quarantine/notes.txt",
        f"ff/{name_of(other)}",
        f"{name_of(other)}/child",
        f"{name_of(other)}/{other}",
        other,
        "ab/cd/notes.txt",
    ):
        bare.write(name, DATA)

    assert [(each.key, each.size_bytes) for each in store.list_objects()] == [(key, len(DATA))]
    assert [each.key for each in store.list_quarantine()] == [aside]
    assert list(store.list_leftovers()) == []


def test_walk_of_one_prefix_meets_no_other(store: S3Store, bare: Bare) -> None:
    """Services that share a bucket do not see each other's objects, whatever their names."""
    beside = Bare(bare.server, f"{bare.prefix}-b")
    beside.write(name_of(new_key()), DATA)
    beside.write(f"quarantine/{new_key()}", DATA)

    assert list(store.list_objects()) == []
    assert list(store.list_quarantine()) == []


def test_purge_takes_nothing_but_keys(store: S3Store, bare: Bare) -> None:
    """No name is built from what is no key of ours."""
    bare.write("quarantine/notes.txt", DATA)

    for key in ("notes.txt", "../.pixy-store", "", "quarantine/notes.txt"):
        with pytest.raises(ImageCorruptError):
            store.purge(key, soon())

    assert bare.names() == [".pixy-store", "quarantine/notes.txt"]


def test_walk_of_another_services_bucket_is_refused(bare: Bare) -> None:
    """Nothing of it is met, and nothing is deleted there."""
    key = new_key()
    for name in (name_of(key), f"quarantine/{key}"):
        bare.write(name, DATA)
    store = S3Store(bare.access(), "another-id")

    for act in (
        lambda: list(store.list_objects()),
        lambda: list(store.list_quarantine()),
        lambda: store.purge(key, soon()),
    ):
        with pytest.raises(StorageUnavailableError):
            act()

    assert bare.names() == [".pixy-store", name_of(key), f"quarantine/{key}"]


def test_looking_for_the_id_makes_nothing(bare: Bare) -> None:
    """A bucket without one stays so, a missing bucket is told."""
    assert S3Store(bare.access()).found_id() == STORE_ID
    bare.delete(".pixy-store")

    assert S3Store(bare.access()).found_id() is None
    with pytest.raises(StorageUnavailableError):
        S3Store(bare.access(bucket="missing")).found_id()

    assert bare.names() == []
