"""What a folder has to be made to do: keep bytes through a crash."""

import os
from pathlib import Path

import pytest

from pixy_grpc.data.folder import INCOMING, FolderStore
from tests.integration.data.examples import soon
from tests.integration.data.folder.looking import DATA, KEY, file_of, read_all


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

    folder = file_of(root).parent
    acts = [act for act, _ in recorder.calls]
    names = [name for _, name in recorder.calls]
    assert acts == ["fsync", "fsync", "write", "fsync", "link", "fsync"]
    assert names[:2] == [str(root), str(folder.parent)]
    assert names[2] == names[3]
    assert Path(names[2]).parent == root / INCOMING
    assert names[4:] == [str(file_of(root)), str(folder)]


def test_put_beside_another_flushes_folders_once(
    root: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known to be durable is not flushed again; the new name is."""
    store.put(KEY, DATA, soon())
    recorder = Recorder(monkeypatch)

    store.put(KEY.replace(".1.", ".2."), DATA, soon())

    assert [act for act, _ in recorder.calls] == ["write", "fsync", "link", "fsync"]
    assert recorder.calls[-1] == ("fsync", str(file_of(root).parent))


def test_put_into_folders_of_another_process_flushes_them(
    root: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever made them may not have come to it."""
    file_of(root).parent.mkdir(parents=True)
    recorder = Recorder(monkeypatch)

    store.put(KEY, DATA, soon())

    flushed = [name for act, name in recorder.calls if act == "fsync"]
    assert flushed[:2] == [str(root), str(file_of(root).parent.parent)]


def test_put_writes_on_after_a_short_write(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may take fewer bytes than it is given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))

    store.put(KEY, DATA, soon())

    assert read_all(store) == DATA


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
