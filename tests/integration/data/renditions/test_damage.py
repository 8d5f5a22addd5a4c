"""Files that are not what was written: nobody is lent a byte of them."""

import hashlib
import logging
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.core.ports import EVERY_BYTE
from pixy_grpc.data.rendition_cache import FolderRenditionCache
from tests.integration.data.examples import new_guid
from tests.integration.data.renditions.keeping import (
    described,
    files,
    folder_cache,
    kept,
    key_of,
    put,
)


def replaced_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replaced_by_link(path: Path) -> None:
    moved = path.with_name("moved")
    path.rename(moved)
    path.symlink_to(moved)


def flipped(position: int) -> Callable[[Path], None]:
    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[position] ^= 1
        path.write_bytes(data)

    return flip


def of_another_version(path: Path) -> None:
    head = b'{"block_digests": ""}'
    rest = len(head).to_bytes(4, "big") + head
    path.write_bytes(hashlib.sha256(rest).digest() + rest)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "emptied": lambda path: path.write_bytes(b""),
    "cut by a byte": lambda path: os.truncate(path, path.stat().st_size - 1),
    "cut in its head": lambda path: os.truncate(path, 40),
    "cut in its sum": lambda path: os.truncate(path, 20),
    "grown": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "flipped in its sum": flipped(3),
    "flipped in its length": flipped(33),
    "flipped at the end of its length": flipped(35),
    "flipped in its head": flipped(60),
    "flipped at its end": flipped(-1),
    "a folder": replaced_by_folder,
    "a link": replaced_by_link,
    "of another version": of_another_version,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_rendition_is_none(
    folder: FolderRenditionCache,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], object],
) -> None:
    """It is not lent, the log says so, and another takes its place if one can."""
    key = key_of(new_guid())
    data = put(folder, key)
    (path,) = files(tmp_path)
    damage(path)

    with caplog.at_level(logging.WARNING):
        found = kept(folder, key)
    is_left = path.exists()
    put(folder, key)

    assert found is None
    assert is_left is path.is_dir()
    assert f"unreadable rendition name={path.name}" in caplog.text
    assert kept(folder, key) == (None if path.is_dir() else data)


def in_block(path: Path, index: int) -> None:
    """Change a byte in the middle of a block of LARGE, which is the end of its file."""
    data = bytearray(path.read_bytes())
    data[len(data) - len(LARGE) + index * BLOCK_BYTES + BLOCK_BYTES // 2] ^= 1
    path.write_bytes(data)


LARGE = os.urandom(4 * BLOCK_BYTES)
CUT = BLOCK_BYTES - 1, 2 * BLOCK_BYTES + 1


@pytest.mark.parametrize(
    ("span", "touched"),
    [
        (range(1), {0}),
        (range(BLOCK_BYTES), {0}),
        (range(BLOCK_BYTES - 1, BLOCK_BYTES + 1), {0, 1}),
        (range(BLOCK_BYTES, 2 * BLOCK_BYTES), {1}),
        (range(*CUT), {0, 1, 2}),
        (range(3 * BLOCK_BYTES + 9, 2**63), {3}),
        (range(len(LARGE), 2**63), set()),
        (EVERY_BYTE, {0, 1, 2, 3}),
    ],
    ids=str,
)
def test_part_is_held_to_the_blocks_it_touches(
    tmp_path: Path, span: range, touched: set[int]
) -> None:
    """Damage in one of them is found before a byte is lent; elsewhere it is in nobody's way."""
    found = set()
    for index in range(4):
        cache, key = folder_cache(tmp_path, 2**30), key_of(new_guid())
        put(cache, key, LARGE)
        (path,) = (tmp_path / "renditions").glob(f"*/{key.guid}.*")
        in_block(path, index)

        with cache.open(key, span) as opened:
            if opened is None:
                found.add(index)
            else:
                assert opened.contents == described(LARGE)
        assert path.exists() is (index not in found)

    assert found == touched


def test_rendition_in_the_place_of_another_is_none(
    folder: FolderRenditionCache, tmp_path: Path
) -> None:
    """Whole as it is, it is not what was asked for."""
    one, other = key_of(new_guid()), key_of(new_guid())
    put(folder, one, b"one")
    data = put(folder, other, b"other")
    paths = [next((tmp_path / "renditions").glob(f"*/{key.guid}.*")) for key in (one, other)]

    shutil.copy(paths[1], paths[0])

    assert kept(folder, one) is None
    assert kept(folder, other) == data


def test_rendition_that_cannot_be_opened_now_is_not_lost(
    folder: FolderRenditionCache, caplog: pytest.LogCaptureFixture
) -> None:
    """A process out of descriptors makes do without; that is no fault of the file."""
    key = key_of(new_guid())
    data = put(folder, key)

    with without_descriptors(), caplog.at_level(logging.WARNING):
        found = kept(folder, key)

    assert found is None
    assert "Too many open files" in caplog.text
    assert kept(folder, key) == data


@contextmanager
def without_descriptors() -> Iterator[None]:
    """Let this process open nothing until the block ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_pipe_in_the_place_of_a_rendition_holds_up_nobody(
    folder: FolderRenditionCache, tmp_path: Path
) -> None:
    """To open one waits for its other end, unless it is told not to."""
    key = key_of(new_guid())
    put(folder, key)
    (path,) = files(tmp_path)
    path.unlink()
    os.mkfifo(path)

    assert kept(folder, key) is None
