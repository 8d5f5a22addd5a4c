"""What a folder has to be made to do: keep bytes through a crash, and tell damage from outage."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    ImageCorruptError,
    ImageException,
    StorageFullError,
    StorageUnavailableError,
)
from pixy_grpc.data.folder import INCOMING, MARK, FolderStore
from tests.integration.data.examples import new_guid, new_key, soon

KEY = "0a1b2c3d-0000-4000-8000-000000000000.1.png"
DATA = b"bytes of an image"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "images"


@pytest.fixture
def store(root: Path) -> FolderStore:
    """Return a store that has been paired."""
    store = FolderStore(root)
    store.prepare()
    store.mark(new_guid())
    return store


def _file(root: Path) -> Path:
    return root / KEY[:2] / KEY[2:4] / KEY


def _read(store: FolderStore, key: str = KEY) -> bytes:
    with store.open(key, soon()) as opened:
        return opened.read(0, opened.size_bytes)


# durability


class Recorder:
    """Notes the system calls that store bytes, in their order, and makes them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, str]] = []
        self._names: dict[int, str] = {}
        self._real = {name: getattr(os, name) for name in ("open", "fsync", "write", "link")}
        for name in self._real:
            monkeypatch.setattr(os, name, getattr(self, name))

    def open(self, path: Path, *arguments: int) -> int:
        """Open, and note whose descriptor it is."""
        descriptor = int(self._real["open"](path, *arguments))
        self._names[descriptor] = str(path)
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        """Note and write."""
        self.calls.append(("write", self._names[descriptor]))
        return int(self._real["write"](descriptor, data))

    def fsync(self, descriptor: int) -> None:
        """Note and flush."""
        self.calls.append(("fsync", self._names[descriptor]))
        self._real["fsync"](descriptor)

    def link(self, source: Path, target: Path) -> None:
        """Note and link."""
        self.calls.append(("link", str(target)))
        self._real["link"](source, target)


def test_put_flushes_the_file_before_its_name_and_the_name_before_it_returns(
    root: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At no moment does a name stand for bytes that a crash could take."""
    recorder = Recorder(monkeypatch)

    store.put(KEY, DATA, soon())

    folder = _file(root).parent
    acts = [act for act, _ in recorder.calls]
    names = [name for _, name in recorder.calls]
    assert acts == ["fsync", "fsync", "write", "fsync", "link", "fsync"]
    assert names[:2] == [str(root), str(folder.parent)]
    assert names[2] == names[3]
    assert Path(names[2]).parent == root / INCOMING
    assert names[4:] == [str(_file(root)), str(folder)]


def test_put_beside_another_flushes_folders_once(
    root: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known to be durable is not flushed again; the new name is."""
    store.put(KEY, DATA, soon())
    recorder = Recorder(monkeypatch)

    store.put(KEY.replace(".1.", ".2."), DATA, soon())

    assert [act for act, _ in recorder.calls] == ["write", "fsync", "link", "fsync"]
    assert recorder.calls[-1] == ("fsync", str(_file(root).parent))


def test_put_into_folders_of_another_process_flushes_them(
    root: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever made them may not have come to it."""
    _file(root).parent.mkdir(parents=True)
    recorder = Recorder(monkeypatch)

    store.put(KEY, DATA, soon())

    flushed = [name for act, name in recorder.calls if act == "fsync"]
    assert flushed[:2] == [str(root), str(_file(root).parent.parent)]


def test_put_writes_on_after_a_short_write(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may take fewer bytes than it is given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))

    store.put(KEY, DATA, soon())

    assert _read(store) == DATA


def test_read_goes_on_after_a_short_read(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And may give fewer than it has."""
    store.put(KEY, DATA, soon())
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda file, length, at: pread(file, min(length, 3), at))

    with store.open(KEY, soon()) as opened:
        assert opened.read(0, len(DATA)) == DATA
        assert opened.read(2, len(DATA)) == DATA[2:]


def test_prepare_flushes_the_folders_it_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An acknowledged image is not lost with the folder it is in."""
    recorder = Recorder(monkeypatch)

    FolderStore(tmp_path / "new" / "images").prepare()

    assert {("fsync", str(tmp_path)), ("fsync", str(tmp_path / "new"))} <= set(recorder.calls)


# what does not become an image


def _names(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()}


def test_refused_put_leaves_no_file(root: Path, store: FolderStore) -> None:
    store.put(KEY, DATA, soon())

    with pytest.raises(ConstraintViolationError):
        store.put(KEY, b"other", soon())

    assert _names(root) == {MARK, KEY}


def test_leftover_of_a_crash_is_no_image(root: Path, store: FolderStore) -> None:
    """Bytes that never became whole cannot be opened, and are in nobody's way."""
    leftover = root / INCOMING / KEY
    leftover.write_bytes(b"half an im")

    with pytest.raises(ImageCorruptError):
        _read(store)
    store.put(KEY, DATA, soon())

    assert _read(store) == DATA
    assert leftover.exists()


_PUT_WITH_LITTLE_ROOM = """
import resource, signal, sys
from pathlib import Path
from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.data.folder import FolderStore

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
room, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
store = FolderStore(Path(sys.argv[1]))
for data in (b"x" * 2000, b"y" * 1000):
    try:
        store.put(sys.argv[2], data, Deadline.after(10))
        print("stored", len(data))
    except ImageException as error:
        print(error.reason)
resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
"""


def test_put_without_room_stores_nothing(root: Path, store: FolderStore) -> None:
    """The temporary file is gone, too, and the key still free."""
    command: list[str | Path] = [sys.executable, "-c", _PUT_WITH_LITTLE_ROOM, root, KEY]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert ended.stdout.splitlines() == [StorageFullError.reason, "stored 1000"]
    assert _names(root) == {MARK, KEY}
    assert _read(store) == b"y" * 1000


_PUT = """
import sys
from pathlib import Path
from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ConstraintViolationError
from pixy_grpc.data.folder import FolderStore

store = FolderStore(Path(sys.argv[1]))
for key in sys.argv[3:]:
    sys.stdin.readline()
    try:
        store.put(key, sys.argv[2].encode() * 100_000, Deadline.after(30))
        print(key, flush=True)
    except ConstraintViolationError:
        print("taken", flush=True)
"""


def test_processes_that_put_one_key_have_one_winner(root: Path, store: FolderStore) -> None:
    """Each of twenty keys holds the whole bytes of the one process that was told so."""
    keys = [new_key() for _ in range(20)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PUT, root, letter, *keys],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for letter in "ab"
    ]

    try:
        for _ in keys:
            for process in processes:
                assert process.stdin
                process.stdin.write("\n")
                process.stdin.flush()
        first, second = (process.communicate(timeout=60)[0].split() for process in processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()

    for key, *told in zip(keys, first, second, strict=True):
        assert sorted(told) == sorted([key, "taken"])
        assert _read(store, key) == (b"a" if told[0] == key else b"b") * 100_000
    assert _names(root) == {MARK, *keys}


# damage


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
    damage(_file(root))

    with pytest.raises(ImageCorruptError):
        _read(store)


@pytest.mark.parametrize("size", [0, 1, len(DATA) - 1, len(DATA) + 1])
def test_open_of_another_size_tells_the_size(root: Path, store: FolderStore, size: int) -> None:
    """Emptied, cut and grown files are read as they are: the caller knows the size."""
    store.put(KEY, DATA, soon())
    os.truncate(_file(root), size)

    with store.open(KEY, soon()) as opened:
        assert opened.size_bytes == size
        assert opened.read(0, 100) == DATA.ljust(size, b"\0")[:size]


def test_read_of_a_file_cut_meanwhile_is_short(root: Path, store: FolderStore) -> None:
    store.put(KEY, DATA, soon())

    with store.open(KEY, soon()) as opened:
        os.truncate(_file(root), 5)

        assert opened.size_bytes == len(DATA)
        assert opened.read(0, len(DATA)) == DATA[:5]


def test_failed_opens_leave_nothing_open(root: Path, store: FolderStore) -> None:
    _file(root).mkdir(parents=True)
    before = _open_files()

    for _ in range(5):
        with pytest.raises(ImageCorruptError):
            _read(store)

    assert _open_files() == before


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# outage

OPERATIONS: dict[str, Callable[[FolderStore], object]] = {
    "put": lambda store: store.put(new_key(), DATA, soon()),
    "open": _read,
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
    assert _read(store) == DATA


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

    assert _names(root) == {MARK}


def test_call_on_an_unpaired_folder_is_unavailable(root: Path) -> None:
    """An empty mount point carries no mark."""
    store = FolderStore(root)
    store.prepare()

    for operation in OPERATIONS.values():
        with pytest.raises(StorageUnavailableError):
            operation(store)


def test_put_where_no_folder_can_be_made_is_unavailable(root: Path, store: FolderStore) -> None:
    _file(root).parent.parent.write_bytes(b"in the way")

    with pytest.raises(StorageUnavailableError):
        store.put(KEY, DATA, soon())

    assert _names(root) == {MARK, KEY[:2]}


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
        _read(store)


# keys


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
        lambda: _read(store, key),
        lambda: store.delete(key, soon()),
    ):
        with pytest.raises(ImageException):
            act()

    assert outside.read_bytes() == b"not ours"
    assert _names(root) == {MARK}


# pairing


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
