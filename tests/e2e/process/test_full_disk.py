"""images/ on a file system of 2 MB, filled until nothing fits, and used again after that."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixy_client import Client, StorageFullError
from tests.support.process import ServeProcess, serving

# A mount that only the server's own processes see, and that ends with them.
ON_TWO_MEGABYTES = (
    *("unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"),
    'mount -t tmpfs -o size=2m tmpfs images; exec "$@"',
    "sh",
)
MOST_IMAGES = 200


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ServeProcess]:
    """Serve from such a file system; the database is elsewhere."""
    (tmp_path / "images").mkdir()
    with serving(tmp_path, within=ON_TWO_MEGABYTES) as running:
        yield running


def fill(client: Client) -> list[str]:
    """Create until the store is full; return the guids."""
    made: list[str] = []
    request_id = ""
    try:
        for _ in range(MOST_IMAGES):
            request_id = str(uuid.uuid4())
            creation = client.create("a fox", size="256x256", request_id=request_id)
            made.append(creation.image.guid)
    except StorageFullError as error:
        assert error.request_id == request_id  # noqa: PT017 - one of two things looked at
    assert len(made) < MOST_IMAGES
    return made


def files(process: ServeProcess) -> set[str]:
    """Return the names of what is stored, as the worker sees it."""
    root = Path(f"/proc/{process.workers()[0]}/root{process.folder}/images")
    return {path.name.partition(".")[0] for path in root.glob("*/*/*")}


def test_full_store_says_so_and_takes_more_once_there_is_room(process: ServeProcess) -> None:
    """STORAGE_FULL, nothing half stored; reads go on; what is deleted makes room."""
    with process.server.client() as client:
        made = fill(client)

        assert {image.guid for image in client.list()} == set(made) == files(process)
        assert all(client.read(guid).verified for guid in made)

        for guid in made[:5]:
            client.delete(guid)
        again = client.create("a fox", size="256x256").image.guid

        assert client.read(again).verified
        assert files(process) == {*made[5:], again}
