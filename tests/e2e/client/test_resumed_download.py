"""A file is whole and right although its download was cut."""

from pathlib import Path

import grpc
import pytest

from pixy_client import Client, DeadlineExceededError, UnreachableError
from tests.e2e.client.details import CHUNK_BYTES, DATA, GUID, sends_range
from tests.e2e.client.pixy import Pixy
from tests.e2e.client.stand_in import StandIn, breaks, refuses

CUT = sends_range(messages=1, then=breaks())
CHANGED = refuses(grpc.StatusCode.ABORTED, "IMAGE_CHANGED")
OTHER = DATA[::-1]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_download_that_is_cut_goes_on(stand_in: StandIn, client: Client, tmp_path: Path) -> None:
    """Its progress too."""
    stand_in.script("GetImageBytes", CUT, CUT, sends_range())
    told: list[int] = []

    download = client.download(GUID, tmp_path, progress=lambda done, _: told.append(done))

    assert download.verified
    assert download.path.read_bytes() == DATA
    assert told == [CHUNK_BYTES, 2 * CHUNK_BYTES, len(DATA)]


def test_download_of_what_has_changed_begins_anew(
    stand_in: StandIn, client: Client, tmp_path: Path
) -> None:
    """Nothing of the first bytes is in the file, nor beside it."""
    stand_in.script("GetImageBytes", CUT, CHANGED, sends_range(OTHER[:5000]))
    told: list[int] = []

    download = client.download(
        GUID, tmp_path / "fox.png", progress=lambda done, _: told.append(done)
    )

    assert download.path.read_bytes() == OTHER[:5000]
    assert (download.size_bytes, download.verified) == (5000, True)
    assert told == [CHUNK_BYTES, CHUNK_BYTES, 5000]
    assert _names(tmp_path) == ["fox.png"]


def test_download_that_stays_cut_changes_nothing(
    stand_in: StandIn, client: Client, tmp_path: Path
) -> None:
    """No temporary file is left, and what was there is what is there."""
    stand_in.script("GetImageBytes", CUT, sends_range(messages=0, then=breaks()))
    target = tmp_path / "fox.png"
    target.write_bytes(b"before")

    with pytest.raises((UnreachableError, DeadlineExceededError)):
        client.download(GUID, target, timeout=1.0)

    assert target.read_bytes() == b"before"
    assert _names(tmp_path) == ["fox.png"]


def test_get_that_is_cut_prints_what_it_always_prints(
    stand_in: StandIn, pixy: Pixy, tmp_path: Path
) -> None:
    """A resume is nothing to tell programs of."""
    stand_in.script("GetImageBytes", CUT, sends_range(), CUT, sends_range(), sends_range())

    cut, piped, usual = (
        pixy("get", GUID, "-o", "fox.png"),
        pixy("get", GUID, "-o", "-"),
        pixy("get", GUID, "-o", "fox.png"),
    )

    assert (cut.exit_code, cut.stderr) == (0, "")
    assert cut.stdout == usual.stdout
    assert (piped.stdout_bytes, piped.stderr) == (DATA, "")
    assert (tmp_path / "fox.png").read_bytes() == DATA
