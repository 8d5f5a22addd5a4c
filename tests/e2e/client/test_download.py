"""A file is written whole and right, or not at all."""

import errno
import os
from pathlib import Path

import grpc
import pytest

from pixy_client import AnswerTooLargeError, Client, ImageCorruptError
from pixy_grpc.core.exceptions import RecordNotFoundError
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import DATA, GUID, details_of, sends_image
from tests.e2e.client.stand_in import StandIn, refuses


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_download_writes_the_file(stand_in: StandIn, client: Client, tmp_path: Path) -> None:
    """Whole, verified, under the name it was given, with the usual permissions."""
    stand_in.script("GetImageBytes", sends_image())
    usual = tmp_path / "usual"
    usual.touch()

    download = client.download(GUID, tmp_path / "fox.png")

    assert download.path == tmp_path / "fox.png"
    assert download.path.read_bytes() == DATA
    assert (download.size_bytes, download.verified) == (len(DATA), True)
    assert download.path.stat().st_mode == usual.stat().st_mode
    assert _names(tmp_path) == ["fox.png", "usual"]


def test_download_tells_its_progress(stand_in: StandIn, client: Client, tmp_path: Path) -> None:
    """Bytes done, and bytes in all."""
    stand_in.script("GetImageBytes", sends_image())
    told: list[tuple[int, int]] = []

    client.download(GUID, tmp_path, progress=lambda *now: told.append(now))

    assert told == [(4096, 10_240), (8192, 10_240), (10_240, 10_240)]


def test_download_of_an_unknown_size_tells_so(
    stand_in: StandIn, client: Client, tmp_path: Path
) -> None:
    """0 in all where nobody knows."""
    older = pb.ImageDetails(guid=GUID, filename="old.png", prompt="Old")
    stand_in.script("GetImageBytes", sends_image(b"old", older))
    told: list[tuple[int, int]] = []

    download = client.download(GUID, tmp_path, progress=lambda *now: told.append(now))

    assert told == [(3, 0)]
    assert not download.verified


def test_download_of_more_than_is_taken_leaves_nothing(
    stand_in: StandIn, client: Client, tmp_path: Path
) -> None:
    """A stream without an end does not fill a disk."""
    older = pb.ImageDetails(guid=GUID, filename="old.png", prompt="Old")
    stand_in.script("GetImageBytes", sends_image(DATA, older))

    with pytest.raises(AnswerTooLargeError):
        client.download(GUID, tmp_path, max_bytes=5000)

    assert _names(tmp_path) == []


FAILURES = {
    "changed": (sends_image(DATA[::-1], details_of()), ImageCorruptError),
    "short": (sends_image(DATA[:-1], details_of()), ImageCorruptError),
    "long": (sends_image(DATA + b"!", details_of()), ImageCorruptError),
    "lost": (
        sends_image(then=refuses(grpc.StatusCode.DATA_LOSS, "IMAGE_CORRUPT")),
        ImageCorruptError,
    ),
    "missing": (refuses(grpc.StatusCode.NOT_FOUND, "IMAGE_NOT_FOUND"), RecordNotFoundError),
}


@pytest.mark.parametrize("how", FAILURES)
def test_download_that_fails_changes_nothing(
    stand_in: StandIn, client: Client, tmp_path: Path, how: str
) -> None:
    """No temporary file is left, and what was there is what is there."""
    script, error = FAILURES[how]
    stand_in.script("GetImageBytes", script)
    target = tmp_path / "fox.png"
    target.write_bytes(b"before")

    with pytest.raises(error):
        client.download(GUID, target)

    assert target.read_bytes() == b"before"
    assert _names(tmp_path) == ["fox.png"]


def test_download_that_is_interrupted_leaves_nothing(
    stand_in: StandIn, client: Client, tmp_path: Path
) -> None:
    """Whatever ends it: here Ctrl-C, while a chunk is counted."""
    stand_in.script("GetImageBytes", sends_image())

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.download(GUID, tmp_path, progress=interrupt)

    assert _names(tmp_path) == []


def test_download_replaces_a_named_file(stand_in: StandIn, client: Client, tmp_path: Path) -> None:
    """The caller chose it; a link stays a link."""
    stand_in.script("GetImageBytes", sends_image())
    (tmp_path / "real.png").write_bytes(b"before")
    link = tmp_path / "link.png"
    link.symlink_to("real.png")

    download = client.download(GUID, link)

    assert link.is_symlink()
    assert download.path == tmp_path / "real.png"
    assert download.path.read_bytes() == DATA


@pytest.mark.parametrize("label", ["../../fox.png", "/etc/fox.png", "..\\fox.png", "fox.png"])
def test_download_into_a_folder_stays_in_it(
    stand_in: StandIn, client: Client, tmp_path: Path, label: str
) -> None:
    """The label of an image is a name, never a path."""
    stand_in.script("GetImageBytes", sends_image(DATA, details_of(filename=label)))
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)

    download = client.download(GUID, folder)

    assert download.path == folder / "fox.png"


def test_download_into_a_folder_replaces_nothing(
    stand_in: StandIn, client: Client, tmp_path: Path
) -> None:
    """Labels are unique to nothing, and a server does not choose what to replace."""
    stand_in.script("GetImageBytes", sends_image())
    (tmp_path / "a-red-fox.png").symlink_to("nowhere")

    paths = [client.download(GUID, tmp_path).path.name for _ in range(2)]

    assert paths == [f"a-red-fox-{GUID}.png", f"a-red-fox-{GUID}-2.png"]
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("path", ["missing/fox.png", "missing/", "/dev/null"])
def test_download_to_no_file_asks_for_nothing(
    stand_in: StandIn, client: Client, tmp_path: Path, path: str
) -> None:
    """A folder that is not there, or a device: said before a byte is sent."""
    with pytest.raises(OSError, match=r"no such folder|Not a file"):
        client.download(GUID, f"{tmp_path}/{path}" if path[0] != "/" else path)

    assert stand_in.received == []


def test_download_into_a_folder_has_its_name_at_once(
    stand_in: StandIn, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody sees an empty file under it: the whole one is linked there, or refused."""
    stand_in.script("GetImageBytes", sends_image())
    monkeypatch.setattr(os, "replace", None)  # would need an empty file in its place

    assert client.download(GUID, tmp_path).path.read_bytes() == DATA
    assert _names(tmp_path) == ["a-red-fox.png"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_download_where_files_have_one_name_replaces_nothing(
    stand_in: StandIn,
    client: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    """A file system without links takes a new name all the same, and no name that is taken."""
    stand_in.script("GetImageBytes", sends_image())

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a-red-fox.png").write_bytes(b"before")

    download = client.download(GUID, tmp_path)

    assert download.path.name == f"a-red-fox-{GUID}.png"
    assert download.path.read_bytes() == DATA
    assert (tmp_path / "a-red-fox.png").read_bytes() == b"before"
    assert len(_names(tmp_path)) == 2


def test_download_into_a_folder_that_cannot_be_synced_is_no_failure(
    stand_in: StandIn, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that may be written and not be read (a drop box): the file is there, so say so."""
    stand_in.script("GetImageBytes", sends_image())
    usual = os.open

    def refuse(path: str, flags: int, *more: int) -> int:
        if flags & os.O_DIRECTORY:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return usual(path, flags, *more)

    monkeypatch.setattr(os, "open", refuse)

    assert client.download(GUID, tmp_path / "fox.png").path.read_bytes() == DATA
