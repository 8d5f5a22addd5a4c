"""How much a folder of renditions takes, and which of them make room."""

import multiprocessing
import shutil
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from pixy_grpc.core.ports import RenditionKey
from pixy_grpc.data.rendition_cache import TOUCH_SECONDS, FolderRenditionCache
from pixy_grpc.data.rendition_folder import UNFINISHED, free_bytes
from tests.integration.data.examples import new_guid
from tests.integration.data.renditions.keeping import (
    CAP,
    KIBIBYTE,
    ON_DISK,
    files,
    folder_cache,
    kept,
    key_of,
    put,
    total,
    used_at,
)


@pytest.mark.parametrize("sharers", [1, 2, 4])
def test_cache_never_holds_more_than_its_cap(tmp_path: Path, sharers: int) -> None:
    """However many processes write to it, and it is not emptied to keep to that."""
    caches = [folder_cache(tmp_path, sharers=sharers) for _ in range(sharers)]
    largest = 0

    for number in range(100):
        put(caches[number % sharers], key_of(new_guid()))
        largest = max(largest, total(tmp_path))

    assert CAP // 2 < largest <= CAP


@pytest.mark.parametrize("sharers", [1, 2])
def test_cache_keeps_to_its_cap_while_several_write(tmp_path: Path, sharers: int) -> None:
    """What is granted and cannot be seen in the folder yet counts, too."""
    caches = [folder_cache(tmp_path, sharers=sharers) for _ in range(sharers)]
    size = CAP // 4 // sharers - 4 * KIBIBYTE
    largest = 0
    with ThreadPoolExecutor(4) as pool:
        for _ in range(40):
            at_once = [
                pool.submit(put, caches[number % sharers], key_of(new_guid()), b"w" * size)
                for number in range(4)
            ]
            wait(at_once)
            largest = max(largest, total(tmp_path))

    assert CAP // 2 < largest <= CAP


def test_longest_unused_goes_first(folder: FolderRenditionCache, tmp_path: Path) -> None:
    """What was used lately stays, whenever it was made."""
    keys = [key_of(new_guid()) for _ in range(20)]
    for number, key in enumerate(keys):
        put(folder, key)
        (path,) = (tmp_path / "renditions").glob(f"*/{key.guid}.*")
        used_at(path, 10_000 - number)
    assert kept(folder, keys[0])

    for _ in range(20):
        put(folder, key_of(new_guid()))

    assert kept(folder, keys[0])
    assert kept(folder, keys[1]) is None


def test_use_is_noted_now_and_then(folder: FolderRenditionCache, tmp_path: Path) -> None:
    """Not at every read: that would be a write for each."""
    key = key_of(new_guid())
    put(folder, key)
    (path,) = files(tmp_path)
    for seconds_ago, is_noted in ((TOUCH_SECONDS / 2, False), (TOUCH_SECONDS * 2, True)):
        used_at(path, seconds_ago)
        before = path.stat().st_mtime

        assert kept(folder, key)

        assert (path.stat().st_mtime > before) is is_noted


def test_rendition_larger_than_a_share_is_not_kept(
    folder: FolderRenditionCache, tmp_path: Path
) -> None:
    """One would push out all the others."""
    put(folder, key_of(new_guid()))

    put(folder, key_of(new_guid()), b"w" * (CAP // 4))

    assert total(tmp_path) == ON_DISK


def test_cap_of_zero_keeps_none(tmp_path: Path) -> None:
    """And what an earlier start kept goes."""
    put(folder_cache(tmp_path), key_of(new_guid()))
    cache = folder_cache(tmp_path, 0)

    put(cache, key_of(new_guid()))
    cache.tidy()

    assert files(tmp_path) == []


class SmallDisk:
    """A file system of its own for a cache, and for others who fill it."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self._folder = folder
        self._size_bytes = size_bytes
        self.others_bytes = 0

    def free_bytes(self, _folder: Path) -> int:
        """Return what is left."""
        return self._size_bytes - self.others_bytes - total(self._folder)


@pytest.mark.parametrize("act", ["put", "tidy"])
def test_cache_gives_way_when_space_runs_short(tmp_path: Path, act: str) -> None:
    """So much as others are short of, the longest unused first; then all of it."""
    disk = SmallDisk(tmp_path, 40 * ON_DISK)
    cache = FolderRenditionCache(
        tmp_path / "renditions", CAP, spare_bytes=10 * ON_DISK, free_bytes=disk.free_bytes
    )
    acts = {"put": lambda: put(cache, key_of(new_guid())), "tidy": cache.tidy}
    keys = [key_of(new_guid()) for _ in range(20)]
    for key in keys:
        put(cache, key)
    used_at(next((tmp_path / "renditions").glob(f"*/{keys[7].guid}.*")), 100)

    acts[act]()
    before = len(files(tmp_path))
    disk.others_bytes = 15 * ON_DISK
    acts[act]()
    when_short = len(files(tmp_path))
    unused = kept(cache, keys[7])
    disk.others_bytes = 35 * ON_DISK
    acts[act]()

    assert before >= len(keys)
    assert when_short == 15
    assert unused is None
    assert files(tmp_path) == []


def test_free_space_is_that_of_the_file_system(tmp_path: Path) -> None:
    """What this user may still write there."""
    assert abs(free_bytes(tmp_path) - shutil.disk_usage(tmp_path).free) < 2**30


def test_processes_share_the_folder(tmp_path: Path) -> None:
    """They write, evict and read at once: what is read is right, and the cap holds."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    keys = [key_of(new_guid()) for _ in range(60)]
    workers = [context.Process(target=_work, args=(tmp_path, keys, answers)) for _ in range(2)]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert [answers.get() for _ in workers] == [True] * 2
    assert total(tmp_path) <= CAP
    assert not list((tmp_path / "renditions" / UNFINISHED).iterdir())


def _work(
    folder: Path, keys: list[RenditionKey], answers: "multiprocessing.SimpleQueue[bool]"
) -> None:
    cache = folder_cache(folder, sharers=2)
    right = True
    for _ in range(3):
        for key in keys:
            data = key.guid.encode() * 256
            right &= kept(cache, key) in (None, data)
            put(cache, key, data)
    answers.put(right)
