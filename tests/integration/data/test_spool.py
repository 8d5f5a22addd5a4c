"""Holds every Spool to the contract in core/ports.py, and the folder to its promises."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pixy_grpc.core.creations import CreationKey, Fence, PaidImage, Usage
from pixy_grpc.core.exceptions import StorageUnavailableError
from pixy_grpc.core.ports import Spool, SpooledImage
from pixy_grpc.data.spool import FolderSpool
from tests.fakes import InMemorySpool
from tests.integration.data.examples import new_guid

SPOOLS: dict[str, Callable[[Path], Spool]] = {
    "fake": lambda _: InMemorySpool(),
    "folder": lambda folder: FolderSpool(folder / "spool"),
}


@pytest.fixture(params=SPOOLS)
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Spool:
    """Return an empty spool."""
    return SPOOLS[request.param](tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> FolderSpool:
    """Return an empty folder."""
    return FolderSpool(tmp_path / "spool")


def spooled(data: bytes = b"bytes", usage: Usage | None = None) -> SpooledImage:
    guid = new_guid()
    fence = Fence(CreationKey("alice-é", new_guid()), 3, guid)
    return SpooledImage(PaidImage(fence, guid, f"{guid}.1.png", "painter-1", usage), data)


@pytest.mark.parametrize("usage", [None, Usage("req", 1, 2, 0.5), Usage()])
def test_put_image_is_lent_as_it_was(spool: Spool, usage: Usage | None) -> None:
    kept = spooled(b"\0\xff" * 5_000, usage)

    spool.put(kept)

    (name,) = spool.names()
    with spool.take(name) as lent:
        assert lent == kept


def test_removed_image_is_gone(spool: Spool) -> None:
    first, second = spooled(), spooled()
    for each in (first, second):
        spool.put(each)

    for name in spool.names():
        with spool.take(name) as lent:
            if lent == first:
                spool.remove(name)

    (left,) = spool.names()
    with spool.take(left) as lent:
        assert lent == second
    assert not spool.holds(first.paid.guid)
    assert spool.holds(second.paid.guid)


def test_empty_spool_has_nothing(spool: Spool) -> None:
    assert spool.names() == []
    assert not spool.holds(new_guid())
    with spool.take("nothing") as lent:
        assert lent is None


def test_put_again_replaces_what_is_there(spool: Spool) -> None:
    """A put whose answer was lost may be repeated."""
    kept = spooled()

    spool.put(kept)
    spool.put(kept)

    assert len(spool.names()) == 1


def test_other_process_is_not_lent_what_is_lent(folder: FolderSpool, tmp_path: Path) -> None:
    """One process stores it, the others pass it by."""
    folder.put(spooled())
    (name,) = folder.names()
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()

    with folder.take(name) as lent:
        assert lent
        process = context.Process(target=_take, args=(tmp_path / "spool", name, answers))
        process.start()
        process.join(30)
        assert answers.get() is False
        with folder.take(name) as again:
            assert again is None
    with folder.take(name) as lent:
        assert lent


def _take(root: Path, name: str, answers: "multiprocessing.SimpleQueue[bool]") -> None:
    with FolderSpool(root).take(name) as lent:
        answers.put(lent is not None)


def test_older_images_come_first(folder: FolderSpool, tmp_path: Path) -> None:
    first, second = spooled(), spooled()
    for age, each in ((10, second), (20, first)):
        folder.put(each)
        os.utime(tmp_path / "spool" / f"{each.paid.store_key}.json", (1_000 - age, 1_000 - age))

    assert folder.names() == [first.paid.store_key, second.paid.store_key]


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"\xff", b'{"sha256": "0"}'])
def test_damaged_sidecar_is_not_lent(folder: FolderSpool, tmp_path: Path, damage: bytes) -> None:
    """It stays, for somebody to look at, and hinders no other."""
    folder.put(spooled())
    (name,) = folder.names()
    (tmp_path / "spool" / f"{name}.json").write_bytes(damage)

    with folder.take(name) as lent:
        assert lent is None
    assert folder.names() == []
    assert (tmp_path / "spool" / f"{name}.json.damaged").read_bytes() == damage


@pytest.mark.parametrize("damage", [None, b"", b"bytez"])
def test_damaged_bytes_are_not_lent(
    folder: FolderSpool, tmp_path: Path, damage: bytes | None
) -> None:
    folder.put(spooled())
    (name,) = folder.names()
    path = tmp_path / "spool" / f"{name}.bytes"
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)

    with folder.take(name) as lent:
        assert lent is None


def test_crash_before_the_sidecar_leaves_nothing_to_do(folder: FolderSpool, tmp_path: Path) -> None:
    folder.put(spooled())
    (name,) = folder.names()
    (tmp_path / "spool" / f"{name}.json").unlink()

    assert folder.names() == []


def test_spool_is_for_its_user_alone(folder: FolderSpool, tmp_path: Path) -> None:
    folder.put(spooled())

    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700


def test_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageUnavailableError):
        FolderSpool(tmp_path / "file" / "spool").put(spooled())
