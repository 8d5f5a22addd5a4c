"""Changes that meet: whichever wins, what is left is one of them, whole."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pixy_client import Client, ImageBytes, ImageException, RecordNotFoundError
from tests.support.mariadb import MariaDBServer, fresh_database
from tests.support.process import serving
from tests.support.server import RunningServer

ROUNDS = 20
SMALL = "64x64"


def at_once(*acts: Callable[[], object]) -> list[ImageException]:
    """Run acts in threads that start together; return what they raised."""
    raised: list[ImageException] = []
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
        except ImageException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def found(client: Client, guid: str, word: str) -> bool:
    """Tell whether a word finds an image."""
    return any(image.guid == guid for image in client.list(prompt=word))


def test_two_updates_at_once_leave_one_of_them(service: RunningServer) -> None:
    """The prompt is one of the two, and search finds it by that and not by the other."""
    with service.client() as client:
        for _ in range(ROUNDS):
            guid = client.create("before", size=SMALL).image.guid

            raised = at_once(
                partial(client.update, guid, prompt="walrus"),
                partial(client.update, guid, prompt="zebra"),
            )

            prompt = client.get(guid).prompt
            assert {error.reason for error in raised} <= {"TRANSACTION_CONFLICT"}
            assert prompt in ("walrus", "zebra")
            assert found(client, guid, prompt)
            assert not found(client, guid, "before")
            assert not found(client, guid, "zebra" if prompt == "walrus" else "walrus")


def test_update_against_delete_leaves_no_trace(service: RunningServer) -> None:
    """Once both have ended the image is gone, and no search finds it."""
    with service.client() as client:
        for _ in range(ROUNDS):
            guid = client.create("before", size=SMALL).image.guid

            raised = at_once(
                partial(client.update, guid, prompt="walrus"),
                partial(client.delete, guid),
            )

            assert {error.reason for error in raised} <= {"IMAGE_NOT_FOUND", "TRANSACTION_CONFLICT"}
            client.delete(guid, allow_missing=True)
            with pytest.raises(RecordNotFoundError):
                client.get(guid)
            assert not found(client, guid, "walrus")
            assert not found(client, guid, "before")


def _read_into(read: list[ImageBytes], client: Client, guid: str) -> None:
    read.append(client.read(guid))


def test_delete_against_a_download_ends_whole_or_with_an_error(service: RunningServer) -> None:
    """A reader gets all of the image, or is told that there is none."""
    with service.client() as client:
        for _ in range(ROUNDS):
            guid = client.create("before", size="256x256").image.guid
            read: list[ImageBytes] = []

            raised = at_once(
                partial(_read_into, read, client, guid),
                partial(client.delete, guid),
            )

            assert {error.reason for error in raised} <= {"IMAGE_NOT_FOUND"}
            assert all(image.verified for image in read)


def test_read_after_write_holds_across_workers(mariadb: MariaDBServer, tmp_path: Path) -> None:
    """What one worker has acknowledged, every other sees at once."""
    with (
        fresh_database(mariadb.url) as url,
        serving(tmp_path, PIXY_DATABASE_URL=url, PIXY_WORKERS="2") as process,
    ):
        clients = [process.server.client() for _ in range(6)]

        for writer in clients:
            guid = writer.create("a fox", size=SMALL).image.guid
            for reader in clients:
                assert reader.get(guid).prompt == "a fox"
                reader.update(guid, filename=f"{id(reader)}.png")
                assert writer.get(guid).filename == f"{id(reader)}.png"

        for client in clients:
            client.close()
