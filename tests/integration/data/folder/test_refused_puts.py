"""What does not become an image, and leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import ConstraintViolationError, ImageCorruptError, StorageFullError
from pixy_grpc.data.folder import INCOMING, MARK, FolderStore
from tests.integration.data.examples import new_key, soon
from tests.integration.data.folder.looking import DATA, KEY, names_in, read_all


def test_refused_put_leaves_no_file(root: Path, store: FolderStore) -> None:
    store.put(KEY, DATA, soon())

    with pytest.raises(ConstraintViolationError):
        store.put(KEY, b"other", soon())

    assert names_in(root) == {MARK, KEY}


def test_leftover_of_a_crash_is_no_image(root: Path, store: FolderStore) -> None:
    """Bytes that never became whole cannot be opened, and are in nobody's way."""
    leftover = root / INCOMING / KEY
    leftover.write_bytes(b"half an im")

    with pytest.raises(ImageCorruptError):
        read_all(store)
    store.put(KEY, DATA, soon())

    assert read_all(store) == DATA
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
    assert names_in(root) == {MARK, KEY}
    assert read_all(store) == b"y" * 1000


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
        assert read_all(store, key) == (b"a" if told[0] == key else b"b") * 100_000
    assert names_in(root) == {MARK, *keys}
