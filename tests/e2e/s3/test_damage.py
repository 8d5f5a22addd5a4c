"""Damaged objects: DATA_LOSS before OK, and no wrong byte before that."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.core.exceptions import ImageCorruptError, StorageUnavailableError
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.e2e.rpc.damage import DATA, IN_A_BLOCK, OF_ANOTHER_LENGTH, OTHER, received
from tests.e2e.rpc.stocking import NOON, new_image, soon
from tests.e2e.rpc.wire import parts, refused
from tests.support.seaweedfs import Bare, name_of
from tests.support.server import RunningServer

LARGE_BYTES = 24 * 1024 * 1024
"""More than all that lies between the bucket and a reader who waits."""

Add = Callable[[bytes], tuple[str, str]]
Damage = Callable[[Bare, str], None]


def replaced_by_folder(bare: Bare, name: str) -> None:
    bare.delete(name)
    bare.write(f"{name}/child", DATA)


def written(data: bytes) -> Damage:
    """Return the damage of an object that holds other bytes."""
    return lambda bare, name: bare.write(name, data)


WHOLE_OBJECT: dict[str, Damage] = {
    **{name: written(data) for name, data in OF_ANOTHER_LENGTH.items()},
    "deleted": lambda bare, name: bare.delete(name),
    "folder in its place": replaced_by_folder,
}
"""What no read of any range survives."""


@pytest.fixture(scope="module")
def add(service: RunningServer, bare: Bare) -> Iterator[Add]:
    """Lend what stores bytes and their row, and returns the guid and the object's name."""
    with closing(SqliteDatabase(service.folder / "pixy.db")) as database:

        def adding(data: bytes) -> tuple[str, str]:
            new = new_image(data, "stock", NOON)
            name = name_of(new.contents.key)
            bare.write(name, data)
            SqlImageRepository(database).add(new, soon())
            return new.guid, name

        yield adding


@pytest.mark.parametrize("damage", WHOLE_OBJECT.values(), ids=WHOLE_OBJECT)
def test_read_of_an_object_that_is_not_what_it_was_delivers_nothing(
    service: RunningServer, bare: Bare, add: Add, damage: Damage
) -> None:
    """Another length, or no object at all, ends every read before its first byte."""
    guid, name = add(DATA)
    assert received(service, guid, 0, 0) == (DATA, "")
    damage(bare, name)

    for offset, limit in ((0, 0), (0, 1), (2 * BLOCK_BYTES, 10), (len(DATA), 0)):
        assert received(service, guid, offset, limit) == (b"", "IMAGE_CORRUPT")


@pytest.mark.parametrize(("block", "changed"), IN_A_BLOCK.values(), ids=IN_A_BLOCK)
def test_read_of_changed_bytes_stops_before_them(
    service: RunningServer, bare: Bare, add: Add, block: int, changed: bytes
) -> None:
    """Every block in front of the damage is right; a range is refused that touches it."""
    guid, name = add(DATA)
    bare.write(name, changed)

    assert received(service, guid, 0, 0) == (DATA[: block * BLOCK_BYTES], "IMAGE_CORRUPT")
    assert received(service, guid, block * BLOCK_BYTES + 5, 1) == (b"", "IMAGE_CORRUPT")


def test_download_of_a_damaged_image_is_corrupt(
    service: RunningServer, bare: Bare, add: Add
) -> None:
    """The client says so, and its details and its neighbours are served as before."""
    (guid, name), (other, _) = add(DATA), add(OTHER)
    bare.delete(name)

    with service.client() as client:
        with pytest.raises(ImageCorruptError):
            client.read(guid)
        assert client.get(guid).size_bytes == len(DATA)
        assert client.read(other).data == OTHER
        client.delete(guid)


def test_read_of_an_image_deleted_meanwhile_is_not_found(service: RunningServer, add: Add) -> None:
    """What the bucket lends of it ends before the image does: that is a deletion, no damage."""
    guid, _ = add(secrets.token_bytes(LARGE_BYTES))
    stream = iter(parts(service, guid))
    next(stream)

    with service.client() as client:
        client.delete(guid)

    refusal = refused(lambda: list(stream))
    assert (refusal.status, refusal.reason) == ("NOT_FOUND", "IMAGE_NOT_FOUND")


def test_bucket_that_lost_everything_is_unavailable(
    service: RunningServer, bare: Bare, add: Add
) -> None:
    """The mark is gone with the image: that is another bucket, and no lost image."""
    guid, name = add(DATA)
    mark = bare.read(".pixy-store")
    bare.delete(name, ".pixy-store")

    with service.client() as client:
        with pytest.raises(StorageUnavailableError):
            client.read(guid)
        bare.write(name, DATA)
        bare.write(".pixy-store", mark)
        assert client.read(guid).verified
