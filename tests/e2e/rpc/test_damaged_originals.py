"""Renditions of damaged images: DATA_LOSS, never a picture of something else."""

import io
import os
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rpc.fields import ReadFields
from tests.e2e.rpc.reading import read
from tests.e2e.rpc.stocking import Add, stock
from tests.e2e.rpc.wire import refused
from tests.support.server import RunningServer

SIDE = 700


def noise(seed: int) -> bytes:
    """Return a PNG of more than a block, the same size for every seed."""
    pixels = random.Random(seed).randbytes(3 * SIDE * SIDE)  # noqa: S311 - no secret
    encoded = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), pixels).save(encoded, "PNG", compress_level=0)
    return encoded.getvalue()


DATA, OTHER = noise(1), noise(2)

Damage = Callable[[Path, Path], object]


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def replaced_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replaced_by_link(path: Path, other: Path) -> None:
    path.unlink()
    path.symlink_to(other)


DAMAGES: dict[str, Damage] = {
    "truncated": lambda path, _: os.truncate(path, len(DATA) - 1),
    "flipped in its first block": lambda path, _: flip(path, 1000),
    "flipped in its last block": lambda path, _: flip(path, BLOCK_BYTES + 1000),
    "flipped in its last bytes": lambda path, _: flip(path, -1),
    "deleted": lambda path, _: path.unlink(),
    "emptied": lambda path, _: path.write_bytes(b""),
    "a folder": lambda path, _: replaced_by_folder(path),
    "a link to another image": replaced_by_link,
    "another image": lambda path, other: other.rename(path),
}


@pytest.fixture(scope="module")
def add(lone_server: RunningServer) -> Iterator[Add]:
    """Store images in the module's server."""
    with stock(lone_server) as adding:
        yield adding


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_rendition_of_a_damaged_image_is_data_loss(
    lone_server: RunningServer, add: Add, damage: Damage
) -> None:
    """Not one that was made before the damage: that is right, and is still served."""
    guid, other = (add(data, width=SIDE, height=SIDE) for data in (DATA, OTHER))
    before = read(lone_server, guid, max_side=128)
    damage(lone_server.file_of(guid), lone_server.file_of(other))

    unmade: tuple[ReadFields, ...] = ({"max_side": 256}, {"format": pb.IMAGE_FORMAT_WEBP})
    for wanted in unmade:
        refusal = refused(partial(read, lone_server, guid, **wanted))
        assert (refusal.status, refusal.reason) == ("DATA_LOSS", "IMAGE_CORRUPT")
    assert read(lone_server, guid, max_side=128) == before


@pytest.mark.parametrize("name", ["truncated", "flipped in its first block", "emptied"])
def test_rendition_of_a_damaged_older_image_is_data_loss(
    lone_server: RunningServer, add: Add, name: str
) -> None:
    """Without sums it is found out by its size, or by what it decodes to."""
    guid = add(DATA, sha256="", block_digests=b"", width=0, height=0)
    DAMAGES[name](lone_server.file_of(guid), Path())

    refusal = refused(lambda: read(lone_server, guid, max_side=256))

    assert (refusal.status, refusal.reason) == ("DATA_LOSS", "IMAGE_CORRUPT")
