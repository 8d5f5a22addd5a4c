"""Renditions of images that another machine's server has deleted."""

from pathlib import Path

import pytest

from pixy_client import Client
from pixy_grpc.service.fsck import Tasks
from tests.e2e.fsck.command import run_here
from tests.support.server import RunningServer, running_server, settings_for


def rendered(server: RunningServer, client: Client) -> str:
    """Create an image and read it smaller; return its guid."""
    guid = client.create("a red fox", size="512x512").image.guid
    assert client.read(guid, max_side=128).image.width == 128
    assert files(server.folder, guid)
    return guid


def files(folder: Path, guid: str) -> list[Path]:
    """Return the renditions of an image that the folder keeps."""
    return list(folder.glob(f"renditions/*/{guid}.*"))


def test_renditions_that_a_deletion_elsewhere_left_are_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told by a check, deleted by a repair; those of other images go on being served."""
    settings = settings_for(tmp_path)
    elsewhere = running_server(tmp_path, renditions=str(tmp_path / "elsewhere"))
    with running_server(tmp_path) as server, server.client() as client, elsewhere as other:
        kept, gone = rendered(server, client), rendered(server, client)
        with other.client() as another:
            another.delete(gone)

        looked = run_here(capsys, settings)
        before = files(tmp_path, gone)
        repaired = run_here(capsys, settings, Tasks(repair=True))

        assert (looked.code, looked.findings) == (1, [("renditions_without_row", "")])
        assert looked.events[0]["guid"] == gone
        assert before
        assert (repaired.code, repaired.repairs) == (0, [("removed", "")])
        assert files(tmp_path, gone) == []
        assert files(tmp_path, kept)
        assert client.read(kept, max_side=128).image.width == 128
    assert run_here(capsys, settings).findings == []
