"""What a walk over a folder takes for ours, and what it leaves alone."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import ImageCorruptError, StorageUnavailableError
from pixy_grpc.core.ports import StoredObject
from pixy_grpc.data.folder import INCOMING, LEFTOVER, MARK, FolderStore
from pixy_grpc.data.folder_quarantine import QUARANTINE
from pixy_grpc.data.folder_walk import moment
from tests.integration.data.examples import new_guid, new_key, soon

KEY = "0a1b2c3d-0000-4000-8000-000000000000.1.png"
LONG_AGO = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
HEX = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "images"


@pytest.fixture
def store(root: Path) -> FolderStore:
    """Return a store that holds one object."""
    store = FolderStore(root)
    store.prepare()
    store.mark(new_guid())
    store.put(KEY, b"bytes", soon())
    return store


def age(path: Path) -> None:
    """Make a file as old as it will be."""
    os.utime(path, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))


FOREIGN = {
    "older": "fox.png",
    "a key in the root": "0a1b2c3d-0000-4000-8000-00000000000f.1.png",
    "a key in a wrong folder": "ff/ff/0a1b2c3d-0000-4000-8000-00000000000f.1.png",
    "no key": "0a/1b/notes.txt",
    "hidden": "0a/1b/.0a1b2c3d-0000-4000-8000-00000000000f.1.png",
    "a key without an end": "0a/1b/0a1b2c3d-0000-4000-8000-00000000000f",
    "too deep": "0a/1b/2c/0a1b2c3d-0000-4000-8000-00000000000f.1.png",
    "no level": "0g/1b/0a1b2c3d-0000-4000-8000-00000000000f.1.png",
}


@pytest.mark.parametrize("name", FOREIGN.values(), ids=FOREIGN)
def test_files_that_are_not_ours_are_not_met(store: FolderStore, root: Path, name: str) -> None:
    """Whoever put them there: nobody counts or moves them."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(b"theirs")

    assert [each.key for each in store.list_objects()] == [KEY]
    assert list(store.list_quarantine()) == []
    assert list(store.list_leftovers()) == []


REPLACED: dict[str, Callable[[Path], object]] = {
    "a folder": lambda path: path.mkdir(),
    "a link to a file": lambda path: path.symlink_to(path.parents[2] / MARK),
    "a link to nothing": lambda path: path.symlink_to("elsewhere"),
    "a pipe": os.mkfifo,
}


@pytest.mark.parametrize("what", REPLACED)
def test_what_is_no_plain_file_is_not_met(store: FolderStore, root: Path, what: str) -> None:
    """Whatever stands in the place of an object is not one."""
    path = root / "0a" / "1b" / KEY
    path.unlink()

    REPLACED[what](path)

    assert list(store.list_objects()) == []


def test_walk_tells_the_time_of_the_file(store: FolderStore, root: Path) -> None:
    age(root / "0a" / "1b" / KEY)

    assert list(store.list_objects()) == [StoredObject(KEY, 5, LONG_AGO)]


@pytest.mark.parametrize(
    ("seconds", "year"), [(1e12, 9999), (float(2**63), 9999), (-1e12, 1), (-0.5, 1969)]
)
def test_time_beyond_the_calendar_is_its_end(seconds: float, year: int) -> None:
    """Some file systems keep any: a damaged one is no reason to look at nothing else."""
    assert moment(seconds).year == year


def test_quarantine_again_tells_when_the_file_came_there_last(
    store: FolderStore, root: Path
) -> None:
    """The same bytes, put aside long ago and once more now, are not taken for old ones."""
    aside = root / QUARANTINE / KEY
    store.quarantine(KEY, soon())
    age(aside)
    store.put(KEY, b"bytes", soon())

    store.quarantine(KEY, soon())

    (found,) = store.list_quarantine()
    assert datetime.now(UTC) - found.modified_at < timedelta(minutes=1)


def test_quarantine_goes_on_after_a_crash(store: FolderStore, root: Path) -> None:
    """Between the link and the removal."""
    (root / QUARANTINE).mkdir()
    os.link(root / KEY[:2] / KEY[2:4] / KEY, root / QUARANTINE / KEY)

    store.quarantine(KEY, soon())

    assert [each.key for each in store.list_quarantine()] == [KEY]
    assert list(store.list_objects()) == []


def test_folder_in_the_place_of_a_quarantined_file_is_passed_by(
    store: FolderStore, root: Path
) -> None:
    """Somebody made it: the file lies beside it."""
    (root / QUARANTINE / KEY).mkdir(parents=True)

    store.quarantine(KEY, soon())

    (found,) = store.list_quarantine()
    assert found.key.startswith(f"{KEY}.")
    assert list(store.list_objects()) == []


def test_quarantine_tells_when_a_file_came_there(store: FolderStore, root: Path) -> None:
    """Not how old it is: what was moved today is not purged for having lain long before."""
    age(root / "0a" / "1b" / KEY)

    store.quarantine(KEY, soon())

    (found,) = store.list_quarantine()
    assert datetime.now(UTC) - found.modified_at < timedelta(minutes=1)


def test_leftover_is_met_and_can_be_put_aside(store: FolderStore, root: Path) -> None:
    """A write that was cut leaves a file; moved, it is in quarantine, and no object."""
    (root / INCOMING / HEX).write_bytes(b"half an im")
    age(root / INCOMING / HEX)
    (found,) = store.list_leftovers()

    store.quarantine(found.key, soon())

    assert found == StoredObject(LEFTOVER + HEX, 10, LONG_AGO)
    assert list(store.list_leftovers()) == []
    assert (root / QUARANTINE / HEX).read_bytes() == b"half an im"
    assert [each.key for each in store.list_objects()] == [KEY]


@pytest.mark.parametrize("key", ["../0a/1b/" + KEY, "/etc/passwd", "..", "", ".hidden", "a\0b"])
def test_purge_takes_no_path(store: FolderStore, root: Path, key: str) -> None:
    with pytest.raises(ImageCorruptError):
        store.purge(key, soon())

    assert (root / "0a" / "1b" / KEY).exists()


def test_walk_of_another_store_is_refused(store: FolderStore, root: Path) -> None:
    """A folder that was mounted over ours has other objects, or none."""
    (root / MARK).write_text(new_guid())

    for walk in (store.list_objects, store.list_leftovers, store.list_quarantine):
        with pytest.raises(StorageUnavailableError):
            list(walk())
    with pytest.raises(StorageUnavailableError):
        store.purge(new_key(), soon())


def test_found_id_makes_nothing(store: FolderStore, root: Path, tmp_path: Path) -> None:
    """It reads the id of a store, and leaves a folder that is none as it is."""
    empty, missing = tmp_path / "empty", tmp_path / "missing"
    empty.mkdir()

    assert FolderStore(root).found_id() == (root / MARK).read_text()
    assert FolderStore(empty).found_id() is None
    assert FolderStore(missing).found_id() is None
    assert sorted(tmp_path.iterdir()) == [empty, root]
    assert list(empty.iterdir()) == []
    assert list(store.list_objects())
