"""A folder that is away, or fails: nothing is lost, and nothing written elsewhere."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import StorageUnavailableError
from pixy_grpc.data.folder import MARK, FolderStore
from tests.integration.data.examples import new_guid, new_key, soon
from tests.integration.data.folder.looking import DATA, KEY, file_of, names_in, read_all

OPERATIONS: dict[str, Callable[[FolderStore], object]] = {
    "put": lambda store: store.put(new_key(), DATA, soon()),
    "open": read_all,
    "delete": lambda store: store.delete(KEY, soon()),
    "ping": lambda store: store.ping(soon()),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_call_on_a_vanished_folder_is_unavailable(
    root: Path, store: FolderStore, name: str
) -> None:
    """An unmounted disk has lost nothing; once it is back all is as before."""
    store.put(KEY, DATA, soon())
    away = root.rename(root.with_name("away"))

    with pytest.raises(StorageUnavailableError):
        OPERATIONS[name](store)

    assert not root.exists()
    away.rename(root)
    assert read_all(store) == DATA


@pytest.mark.parametrize("name", OPERATIONS)
def test_call_on_another_store_is_unavailable(root: Path, store: FolderStore, name: str) -> None:
    """What is mounted in its place is not written to, nor taken for a loss of bytes."""
    store.put(KEY, DATA, soon())
    root.rename(root.with_name("away"))
    other = FolderStore(root)
    other.prepare()
    other.mark(new_guid())

    with pytest.raises(StorageUnavailableError):
        OPERATIONS[name](store)

    assert names_in(root) == {MARK}


def test_call_on_an_unpaired_folder_is_unavailable(root: Path) -> None:
    """An empty mount point carries no mark."""
    store = FolderStore(root)
    store.prepare()

    for operation in OPERATIONS.values():
        with pytest.raises(StorageUnavailableError):
            operation(store)


def test_put_where_no_folder_can_be_made_is_unavailable(root: Path, store: FolderStore) -> None:
    file_of(root).parent.parent.write_bytes(b"in the way")

    with pytest.raises(StorageUnavailableError):
        store.put(KEY, DATA, soon())

    assert names_in(root) == {MARK, KEY[:2]}


def test_read_that_fails_is_unavailable(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that errs is no proof of damage."""

    def fail(*_: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    store.put(KEY, DATA, soon())
    monkeypatch.setattr(os, "pread", fail)

    with store.open(KEY, soon()) as opened, pytest.raises(StorageUnavailableError):
        opened.read(0, 1)


def test_open_that_fails_is_unavailable(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a process with too many files open."""

    def fail(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    store.put(KEY, DATA, soon())
    monkeypatch.setattr(os, "open", fail)

    with pytest.raises(StorageUnavailableError):
        read_all(store)
