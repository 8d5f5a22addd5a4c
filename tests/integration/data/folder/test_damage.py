"""Bytes that are missing, or not what was stored: they are lost, and no outage."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import ImageCorruptError
from pixy_grpc.data.folder import FolderStore
from tests.integration.data.examples import soon
from tests.integration.data.folder.looking import DATA, KEY, file_of, read_all
from tests.support.descriptors import open_below


def _damages() -> dict[str, Callable[[Path], None]]:
    def to_folder(path: Path) -> None:
        path.unlink()
        path.mkdir()

    def to_link(path: Path) -> None:
        path.rename(path.with_name("elsewhere"))
        path.symlink_to("elsewhere")

    def to_broken_link(path: Path) -> None:
        path.unlink()
        path.symlink_to("nowhere")

    def to_pipe(path: Path) -> None:
        path.unlink()
        os.mkfifo(path)

    def to_socket(path: Path) -> None:
        path.unlink()
        short = Path("/proc/self/fd") / str(folder := os.open(path.parent, os.O_RDONLY)) / path.name
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(short))
        os.close(folder)

    def to_file_above(path: Path) -> None:
        path.unlink()
        path.parent.rmdir()
        path.parent.write_bytes(b"")

    return {
        "missing": Path.unlink,
        "folder": to_folder,
        "link": to_link,
        "broken link": to_broken_link,
        "pipe": to_pipe,
        "socket": to_socket,
        "file above": to_file_above,
    }


@pytest.mark.parametrize("damage", _damages().values(), ids=_damages())
def test_open_of_no_plain_file_is_corrupt(
    root: Path, store: FolderStore, damage: Callable[[Path], None]
) -> None:
    """It does not wait, follow or fail as an outage: these bytes are lost."""
    store.put(KEY, DATA, soon())
    damage(file_of(root))

    with pytest.raises(ImageCorruptError):
        read_all(store)


@pytest.mark.parametrize("size", [0, 1, len(DATA) - 1, len(DATA) + 1])
def test_open_of_another_size_tells_the_size(root: Path, store: FolderStore, size: int) -> None:
    """Emptied, cut and grown files are read as they are: the caller knows the size."""
    store.put(KEY, DATA, soon())
    os.truncate(file_of(root), size)

    with store.open(KEY, soon()) as opened:
        assert opened.size_bytes == size
        assert opened.read(0, 100) == DATA.ljust(size, b"\0")[:size]


def test_read_of_a_file_cut_meanwhile_is_short(root: Path, store: FolderStore) -> None:
    store.put(KEY, DATA, soon())

    with store.open(KEY, soon()) as opened:
        os.truncate(file_of(root), 5)

        assert opened.size_bytes == len(DATA)
        assert opened.read(0, len(DATA)) == DATA[:5]


def test_failed_opens_leave_nothing_open(root: Path, store: FolderStore) -> None:
    file_of(root).mkdir(parents=True)

    for _ in range(5):
        with pytest.raises(ImageCorruptError):
            read_all(store)

    assert open_below(root) == []
