"""Holds every RenditionCache to the contract in core/ports.py, and the folder to its caps."""

import errno
import hashlib
import logging
import multiprocessing
import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pixy_grpc.core.contents import BLOCK_BYTES, ImageContents, digest_blocks
from pixy_grpc.core.exceptions import StorageUnavailableError
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import EVERY_BYTE, RenditionCache, RenditionKey
from pixy_grpc.data.rendition_cache import (
    LOOK_SECONDS,
    STALE_SECONDS,
    TOUCH_SECONDS,
    FolderRenditionCache,
)
from pixy_grpc.data.rendition_folder import UNFINISHED, free_bytes
from tests.fakes import InMemoryRenditionCache
from tests.integration.data.examples import new_guid

KIBIBYTE = 1024
CAP = 400 * KIBIBYTE
SIZE = 9 * KIBIBYTE
"""Of one rendition: twelve KiB with its head, in whole pages."""

ON_DISK = 12 * KIBIBYTE

CACHES: dict[str, Callable[[Path], RenditionCache]] = {
    "fake": lambda _: InMemoryRenditionCache(),
    "folder": lambda folder: folder_cache(folder),  # noqa: PLW0108 - defined below
}


def folder_cache(
    folder: Path, cap_bytes: int = CAP, *, sharers: int = 1, spare_bytes: int = 0
) -> FolderRenditionCache:
    """Return a cache that leaves nothing to others, unless it is told to."""
    root = folder / "renditions"
    return FolderRenditionCache(root, cap_bytes, sharers=sharers, spare_bytes=spare_bytes)


@pytest.fixture(params=CACHES)
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> RenditionCache:
    """Return an empty cache."""
    return CACHES[request.param](tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> FolderRenditionCache:
    """Return an empty folder."""
    return folder_cache(tmp_path)


def key_of(guid: str, max_side: int = 128, source: str = "s") -> RenditionKey:
    """Return what is asked for."""
    return RenditionKey(guid, source, max_side, ImageFormat.WEBP)


def described(data: bytes) -> ImageContents:
    """Return what is known of a rendition of these bytes."""
    sha256 = hashlib.sha256(data).hexdigest()
    return ImageContents("", "image/webp", len(data), sha256, digest_blocks(data), 128, 64, "", "")


def put(cache: RenditionCache, key: RenditionKey, data: bytes = b"w" * SIZE) -> bytes:
    """Keep a rendition of these bytes."""
    cache.put(key, described(data), data)
    return data


def kept(cache: RenditionCache, key: RenditionKey) -> bytes | None:
    """Return the bytes that are kept, None where there are none."""
    with cache.open(key) as opened:
        if opened is None:
            return None
        data = opened.source.read(0, opened.source.size_bytes)
        assert opened.contents == described(data)
        return data


def files(folder: Path) -> list[Path]:
    """Return every file of a cache."""
    return [path for path in (folder / "renditions").rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [0, 1, SIZE, 2 * BLOCK_BYTES + 5])
def test_put_rendition_is_lent_as_it_was(tmp_path: Path, size: int) -> None:
    """Bytes and what is known of them, any part of them."""
    data = os.urandom(size)
    for make in (lambda _: InMemoryRenditionCache(), lambda f: folder_cache(f, 2**30)):
        cache = make(tmp_path)
        key = key_of(new_guid())

        put(cache, key, data)

        assert kept(cache, key) == data
        with cache.open(key) as opened:
            assert opened
            assert opened.source.size_bytes == size
            assert opened.source.read(1, 5) == data[1:6]
            assert opened.source.read(size, 5) == b""


def test_rendition_is_that_of_its_whole_key(cache: RenditionCache) -> None:
    """Another image, size, format, or other bytes of the image: another rendition."""
    key = key_of(new_guid())
    put(cache, key)

    for other in (
        replace(key, guid=new_guid()),
        replace(key, max_side=256),
        replace(key, format=ImageFormat.PNG),
        replace(key, source="t"),
    ):
        assert kept(cache, other) is None
    assert kept(cache, key) is not None


def test_put_again_replaces_what_is_there(cache: RenditionCache) -> None:
    """Two processes may make the same."""
    key = key_of(new_guid())

    for data in (b"one", b"another"):
        put(cache, key, data)

    assert kept(cache, key) == b"another"


def test_delete_removes_every_rendition_of_one_image(cache: RenditionCache) -> None:
    """Of all sizes, formats and originals; none of another image."""
    guid, other = new_guid(), new_guid()
    for each in (guid, other):
        put(cache, key_of(each))
        put(cache, key_of(each, 256))
        put(cache, key_of(each, source="t"))

    cache.delete(guid)
    cache.delete(new_guid())

    assert list(cache.guids()) == [other]
    assert kept(cache, key_of(guid)) is None
    assert kept(cache, key_of(other)) is not None


def test_guids_name_each_image_once(cache: RenditionCache) -> None:
    """So that fsck can ask for them."""
    guids = sorted(new_guid() for _ in range(3))
    assert list(cache.guids()) == []

    for guid in guids:
        put(cache, key_of(guid))
        put(cache, key_of(guid, 256))

    assert list(cache.guids()) == guids


def test_open_rendition_outlives_its_removal(cache: RenditionCache) -> None:
    """Who reads it reads it to the end."""
    key = key_of(new_guid())
    data = put(cache, key)

    with cache.open(key) as opened:
        cache.delete(key.guid)

        assert opened
        assert opened.source.read(0, SIZE) == data


def test_other_cache_of_the_folder_sees_what_is_put(tmp_path: Path) -> None:
    """The workers of a machine share it."""
    key = key_of(new_guid())
    data = put(folder_cache(tmp_path), key)

    assert kept(folder_cache(tmp_path), key) == data


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


def used_at(path: Path, seconds_ago: float) -> None:
    """Set when a file was last used."""
    moment = time.time() - seconds_ago
    os.utime(path, (moment, moment))


def total(folder: Path) -> int:
    """Return what a cache takes on disk."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in files(folder))


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
