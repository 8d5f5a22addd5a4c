"""Which names are none of a key, and whose mark a folder carries."""

from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    ImageException,
    StorageUnavailableError,
)
from pixy_grpc.data.folder import INCOMING, MARK, FolderStore
from tests.integration.data.examples import new_guid, soon
from tests.integration.data.folder.looking import DATA, KEY, names_in, read_all


@pytest.mark.parametrize(
    "key",
    [
        "",
        "../x",
        "../../etc/passwd",
        "/etc/passwd",
        MARK,
        f"{INCOMING}/{KEY}",
        f"../{KEY}",
        KEY[:36],
        f"{KEY}/..",
        f"{KEY[:36]}.1./../../x",
        f"{KEY}\0",
        f"{KEY}\n",
        KEY.upper(),
        f"{KEY[:36]}.1.pｎg",
        "." * 36 + ".1.png",
    ],
)
def test_key_that_is_none_is_refused(root: Path, store: FolderStore, key: str) -> None:
    """No path is ever built from it."""
    outside = root.with_name("x")
    outside.write_bytes(b"not ours")

    for act in (
        lambda: store.put(key, DATA, soon()),
        lambda: read_all(store, key),
        lambda: store.delete(key, soon()),
    ):
        with pytest.raises(ImageException):
            act()

    assert outside.read_bytes() == b"not ours"
    assert names_in(root) == {MARK}


def test_prepare_returns_the_mark(root: Path) -> None:
    """None where the store is new; the folder is made."""
    store_id = new_guid()
    store = FolderStore(root)

    assert store.prepare() is None
    store.mark(store_id)

    assert FolderStore(root).prepare() == store_id


def test_mark_again_is_fine(root: Path, store: FolderStore) -> None:
    """Another server may have written the same one just now."""
    store_id = store.prepare()
    assert store_id

    FolderStore(root).mark(store_id)

    assert FolderStore(root).prepare() == store_id


def test_mark_of_another_service_is_refused(root: Path, store: FolderStore) -> None:
    store_id = store.prepare()

    with pytest.raises(ConstraintViolationError):
        FolderStore(root).mark(new_guid())

    assert FolderStore(root).prepare() == store_id


@pytest.mark.parametrize("mark", [b"", b"  \n"])
def test_empty_mark_is_none(root: Path, mark: bytes) -> None:
    root.mkdir()
    (root / MARK).write_bytes(mark)

    assert FolderStore(root).prepare() is None


def test_prepare_on_a_file_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(b"")

    with pytest.raises(StorageUnavailableError):
        FolderStore(path).prepare()
