"""Damaged files: DATA_LOSS before OK, and no wrong byte before that."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pixy_client import Client
from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.core.exceptions import ImageCorruptError
from pixy_grpc.core.models import Image
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rpc.damage import DATA, IN_A_BLOCK, OF_ANOTHER_LENGTH, OTHER, flipped, received
from tests.e2e.rpc.stocking import Add, stock
from tests.e2e.rpc.wire import CREATE, READ, ask, holdings, refused
from tests.support.server import RunningServer, StartServer

Damage = Callable[[Path, Path], object]


def replaced_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replaced_by_link(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def replaced_by_link_to_itself_moved(path: Path) -> None:
    moved = path.with_name("moved")
    path.rename(moved)
    path.symlink_to(moved)


def replaced_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def swapped(path: Path, other: Path) -> None:
    aside = path.with_name("aside")
    path.rename(aside)
    other.rename(path)
    aside.rename(other)


def folder_replaced_by_file(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.write_bytes(DATA)


def written(data: bytes) -> Damage:
    """Return the damage of a file that holds other bytes."""
    return lambda path, _: path.write_bytes(data)


WHOLE_FILE: dict[str, Damage] = {
    **{name: written(data) for name, data in OF_ANOTHER_LENGTH.items()},
    "deleted": lambda path, _: path.unlink(),
    "folder in its place": lambda path, _: replaced_by_folder(path),
    "pipe in its place": lambda path, _: replaced_by_pipe(path),
    "link to another image": replaced_by_link,
    "link to its own bytes": lambda path, _: replaced_by_link_to_itself_moved(path),
    "link to nothing": lambda path, _: replaced_by_link(path, Path("nothing")),
    "folder above it is a file": lambda path, _: folder_replaced_by_file(path),
}
"""What no read of any range survives."""

IN_A_BLOCK_OF_A_FILE: dict[str, tuple[int, Damage]] = {
    **{name: (block, written(data)) for name, (block, data) in IN_A_BLOCK.items()},
    "swapped with one of the same size": (0, swapped),
}
"""What a read notices in the block it touches."""


@pytest.fixture(scope="module")
def add(lone_server: RunningServer) -> Iterator[Add]:
    """Store images in the module's server."""
    with stock(lone_server) as adding:
        yield adding


@pytest.fixture
def caller(lone_server: RunningServer) -> Iterator[Client]:
    """Connect to the module's server."""
    with lone_server.client() as connected:
        yield connected


@pytest.mark.parametrize("damage", WHOLE_FILE.values(), ids=WHOLE_FILE)
def test_read_of_a_file_that_is_not_what_it_was_delivers_nothing(
    lone_server: RunningServer, add: Add, damage: Damage
) -> None:
    """Another length, or no plain file at all, ends every read before its first byte."""
    guid, other = add(DATA), add(OTHER)
    damage(lone_server.file_of(guid), lone_server.file_of(other))

    for offset, limit in ((0, 0), (0, 1), (BLOCK_BYTES, 10), (len(DATA) - 1, 0), (len(DATA), 0)):
        assert received(lone_server, guid, offset, limit) == (b"", "IMAGE_CORRUPT")


@pytest.mark.parametrize(
    ("block", "damage"), IN_A_BLOCK_OF_A_FILE.values(), ids=IN_A_BLOCK_OF_A_FILE
)
def test_whole_read_of_changed_bytes_stops_before_them(
    lone_server: RunningServer, add: Add, block: int, damage: Damage
) -> None:
    """Every block in front of the damage is right, and nothing of the damaged one comes."""
    guid, other = add(DATA), add(OTHER)
    damage(lone_server.file_of(guid), lone_server.file_of(other))

    data, reason = received(lone_server, guid, 0, 0)

    assert reason == "IMAGE_CORRUPT"
    assert data == DATA[: block * BLOCK_BYTES]


@pytest.mark.parametrize(
    ("block", "damage"), IN_A_BLOCK_OF_A_FILE.values(), ids=IN_A_BLOCK_OF_A_FILE
)
@pytest.mark.parametrize("at", [0, 1, 776])
def test_ranged_read_verifies_the_block_it_touches(
    lone_server: RunningServer, add: Add, block: int, damage: Damage, at: int
) -> None:
    """One byte of a damaged block is refused, though that byte itself may be right."""
    guid, other = add(DATA), add(OTHER)
    damage(lone_server.file_of(guid), lone_server.file_of(other))

    assert received(lone_server, guid, block * BLOCK_BYTES + at, 1) == (b"", "IMAGE_CORRUPT")


def test_ranged_read_beside_the_damage_is_right(lone_server: RunningServer, add: Add) -> None:
    """A block that no range touches does not spoil the others."""
    guid = add(DATA)
    lone_server.file_of(guid).write_bytes(flipped(BLOCK_BYTES + 5))
    last = (2 * BLOCK_BYTES, len(DATA))

    assert received(lone_server, guid, 0, BLOCK_BYTES) == (DATA[:BLOCK_BYTES], "")
    assert received(lone_server, guid, last[0], 0) == (DATA[slice(*last)], "")
    assert received(lone_server, guid, 0, BLOCK_BYTES + 1) == (DATA[:BLOCK_BYTES], "IMAGE_CORRUPT")


def test_download_of_a_damaged_image_leaves_no_file(
    lone_server: RunningServer, add: Add, caller: Client, tmp_path: Path
) -> None:
    """Who downloads gets the image or the error, and no part of either on disk."""
    guid = add(DATA)
    lone_server.file_of(guid).write_bytes(flipped(len(DATA) - 1))

    with pytest.raises(ImageCorruptError) as caught:
        caller.download(guid, tmp_path / "image.png")

    assert caught.value.call_id
    assert list(tmp_path.iterdir()) == []


def test_damage_of_one_image_leaves_details_and_the_others(
    lone_server: RunningServer, add: Add, caller: Client
) -> None:
    """Details are still known, the image can be deleted, and its neighbours are served."""
    guid, other = add(DATA), add(OTHER)
    lone_server.file_of(guid).write_bytes(b"gone")

    assert caller.get(guid).size_bytes == len(DATA)
    assert caller.read(other).data == OTHER
    caller.delete(guid)
    assert caller.read(other).verified


@pytest.mark.parametrize("empty_folder", [False, True])
def test_store_that_was_moved_away_is_unavailable_until_it_is_back(
    start_server: StartServer, *, empty_folder: bool
) -> None:
    """A mount that is gone is no damage: nothing is lost, and nothing is written beside it."""
    server = start_server()
    away = server.folder / "away"
    with server.client() as client:
        image: Image = client.create("a harbour", size="64x64").image
        before = holdings(server)
        reading = pb.GetImageBytesRequest(guid=image.guid)
        creating = pb.CreateImageRequest(prompt="another harbour", size="64x64")
        server.images.rename(away)
        if empty_folder:
            server.images.mkdir()

        with server.channel() as channel:
            read = refused(lambda: ask(channel, READ, reading, metadata=server.metadata()))
            made = refused(lambda: ask(channel, CREATE, creating, metadata=server.metadata()))

        assert (read.status, read.reason) == ("UNAVAILABLE", "STORAGE_UNAVAILABLE")
        assert (made.status, made.reason) == ("UNAVAILABLE", "STORAGE_UNAVAILABLE")
        assert client.get(image.guid) == image
        assert not server.images.exists() or not list(server.images.iterdir())
        if empty_folder:
            server.images.rmdir()
        away.rename(server.images)
        assert client.read(image.guid).verified
        assert holdings(server) == before
