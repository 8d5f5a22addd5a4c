"""What crashes, full disks and damage leave in the spool: in nobody's way."""

import fcntl
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import StorageFullError
from pixy_grpc.core.ports import SpooledImage
from pixy_grpc.data.spool import FolderSpool
from tests.integration.data.test_spool import spooled


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return where the spool is."""
    return tmp_path / "spool"


@pytest.fixture
def spool(root: Path) -> FolderSpool:
    """Return an empty spool."""
    return FolderSpool(root)


def files(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.name != ".lock")


def kept(spool: FolderSpool) -> SpooledImage:
    image = spooled()
    spool.put(image)
    return image


@contextmanager
def full_above(size_bytes: int) -> Iterator[None]:
    """Have each file that grows above a size fail, as on a disk that is full (EFBIG)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("limit", [1, 50], ids=["bytes", "sidecar"])
def test_image_that_does_not_fit_leaves_nothing(spool: FolderSpool, root: Path, limit: int) -> None:
    """Each attempt would take more of what little is left."""
    with full_above(limit), pytest.raises(StorageFullError):
        spool.put(spooled(b"0123456789"))

    assert files(root) == []


def test_repeated_put_that_does_not_fit_leaves_what_is_there(
    spool: FolderSpool, root: Path
) -> None:
    image = kept(spool)

    with full_above(50), pytest.raises(StorageFullError):
        spool.put(image)

    with FolderSpool(root).take(image.paid.store_key) as lent:
        assert lent == image


def test_next_process_clears_up_what_is_not_whole(spool: FolderSpool, root: Path) -> None:
    image = kept(spool)
    (root / "6f1c.1.png.bytes.new").write_bytes(b"half of")

    FolderSpool(root).names()

    name = image.paid.store_key
    assert files(root) == [f"{name}.bytes", f"{name}.json"]


def test_next_process_leaves_what_is_being_written(spool: FolderSpool, root: Path) -> None:
    """Another worker of this machine is at it, and has the lock that writers share."""
    image = kept(spool)
    half = root / "6f1c.1.png.bytes.new"
    half.write_bytes(b"half of")
    writer = os.open(root / ".lock", os.O_RDWR)
    fcntl.flock(writer, fcntl.LOCK_SH)

    try:
        assert FolderSpool(root).names() == [image.paid.store_key]
    finally:
        os.close(writer)

    assert half.exists()


def test_damaged_image_is_put_aside_once(
    spool: FolderSpool, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its creation may be gone on with; one line says which it was."""
    image, sound = kept(spool), kept(spool)
    name = image.paid.store_key
    (root / f"{name}.bytes").write_bytes(b"byte")

    for _ in range(3):
        with spool.take(name) as lent:
            assert lent is None

    assert spool.names() == [sound.paid.store_key]
    assert not spool.holds(image.paid.guid)
    assert (root / f"{name}.bytes.damaged").read_bytes() == b"byte"
    assert (root / f"{name}.json.damaged").exists()
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert f"guid={image.paid.guid}" in record.message
