"""What else is in the folder of renditions, and where it cannot be used."""

import errno
import logging
import os
from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import StorageUnavailableError
from pixy_grpc.data.rendition_cache import LOOK_SECONDS, STALE_SECONDS, FolderRenditionCache
from pixy_grpc.data.rendition_folder import UNFINISHED
from tests.integration.data.examples import new_guid
from tests.integration.data.renditions.keeping import (
    files,
    folder_cache,
    kept,
    key_of,
    put,
    used_at,
)


def test_what_a_crash_left_is_removed(folder: FolderRenditionCache, tmp_path: Path) -> None:
    """Not what is being written now, nor what is not ours."""
    put(folder, key_of(new_guid()))
    unfinished = tmp_path / "renditions" / UNFINISHED
    stale, fresh, foreign = (unfinished / name for name in ("a" * 32, "b" * 32, "notes.txt"))
    for path in (stale, fresh, foreign):
        path.write_bytes(b"half")
    for path in (stale, foreign):
        used_at(path, STALE_SECONDS + 60)

    folder_cache(tmp_path).tidy()

    assert not stale.exists()
    assert fresh.exists()
    assert foreign.exists()


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    """A folder named by mistake loses nothing."""
    root = tmp_path / "renditions"
    guid = new_guid()
    ours = key_of(guid)
    names = ["letter.txt", f"{guid[:2]}/letter.txt", f"{guid[:2]}/{guid}.png", f"{guid}.1.png"]
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"mine")
    put(folder_cache(tmp_path), ours)
    like_ours = next((root / guid[:2]).glob(f"{guid}.*.webp")).with_suffix(".png")
    like_ours.mkdir()
    used_at(like_ours, 1000)
    cache = folder_cache(tmp_path, 0)

    cache.delete(guid)
    cache.tidy()

    assert sorted(str(path.relative_to(root)) for path in files(tmp_path)) == sorted(names)
    assert cache.guids() == []


def test_tidy_of_a_folder_that_is_not_there_makes_none(tmp_path: Path) -> None:
    """It is made when it is first needed."""
    folder_cache(tmp_path).tidy()

    assert not (tmp_path / "renditions").exists()


def test_tidy_looks_now_and_then(tmp_path: Path) -> None:
    """Unless space runs short it does not look through the folder each time."""
    cache = folder_cache(tmp_path)
    put(cache, key_of(new_guid()))
    unfinished = tmp_path / "renditions" / UNFINISHED / ("a" * 32)
    unfinished.write_bytes(b"half")
    used_at(unfinished, STALE_SECONDS + 60)

    cache.tidy()

    assert unfinished.exists()
    assert LOOK_SECONDS > STALE_SECONDS / 2


def test_cache_that_cannot_be_written_costs_no_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be kept is logged, and nothing is raised."""
    (tmp_path / "renditions").write_bytes(b"a file")
    cache = folder_cache(tmp_path)
    key = key_of(new_guid())

    with caplog.at_level(logging.WARNING):
        put(cache, key)
        found = kept(cache, key)
        cache.tidy()

    assert found is None
    assert "rendition not kept" in caplog.text
    assert "renditions not tidied" in caplog.text
    assert os.strerror(errno.ENOTDIR) in caplog.text


def test_delete_that_fails_says_so(tmp_path: Path) -> None:
    """Whoever deletes has to know that something is left."""
    cache = folder_cache(tmp_path)
    key = key_of(new_guid())
    put(cache, key)
    shard = tmp_path / "renditions" / key.guid[:2]
    moved = shard.rename(tmp_path / "moved")
    shard.symlink_to(shard)

    with pytest.raises(StorageUnavailableError):
        cache.delete(key.guid)

    assert list(moved.iterdir())


def test_cache_is_for_its_user_alone(folder: FolderRenditionCache, tmp_path: Path) -> None:
    """Images are nobody else's on the machine."""
    put(folder, key_of(new_guid()))

    folders = [tmp_path / "renditions", *(tmp_path / "renditions").iterdir()]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
