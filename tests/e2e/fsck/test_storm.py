"""Checks that mend, one after the other, beside servers that create and delete all the time."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pixy_client import Client
from pixy_grpc.app import creation_parts, rendition_cache
from pixy_grpc.core.exceptions import RecordNotFoundError
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.inventory import SqlInventory
from pixy_grpc.data.older_files import OlderFiles
from pixy_grpc.databases import open_database
from pixy_grpc.preparation import prepare
from pixy_grpc.service.fsck import Fault, Finding, Fsck, FsckParts, Repair, Tasks
from tests.e2e.fsck.command import NOTHING_IS_YOUNG, run_here
from tests.support.process import serving
from tests.support.server import RunningServer, settings_for
from tests.unit.service.fsck.depot import FEW

STORM_SECONDS = 4.0
"""How long it lasts, or until there were ROUNDS, and something was deleted."""

ROUNDS = 2
CALLERS = 4
FIRST = 24
"""Images there are before the storm, so that a few deletions under way are within the limit."""


class Storm:
    """Callers that create, and delete every third image, until they are told to stop."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._stop = threading.Event()
        self.kept: dict[str, str] = {}
        self.deleted: set[str] = set()

    @contextmanager
    def blowing(self) -> Iterator[None]:
        """Let the callers be at it until the block ends; then hear what went wrong."""
        with ThreadPoolExecutor(CALLERS) as callers, self._server.client() as client:
            running = [callers.submit(self._call, client, number) for number in range(CALLERS)]
            try:
                yield
            finally:
                self._stop.set()
            for each in running:
                each.result()

    def fill(self, count: int) -> None:
        """Create images that stay."""
        with self._server.client() as client:
            for number in range(count):
                image = client.create(f"calm {number}", size="64x64").image
                self.kept[image.guid] = image.sha256

    def _call(self, client: Client, caller: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            image = client.create(f"storm {caller} {number}", size="64x64").image
            if number % 3:
                self.kept[image.guid] = image.sha256
            else:
                client.delete(image.guid)
                self.deleted.add(image.guid)


@contextmanager
def checks(folder: Path) -> Iterator[Callable[[], Fsck]]:
    """Yield what makes checks of a folder to which nothing is too young.

    What protects a creation then is the order of the lookups alone.
    """
    settings = settings_for(folder)
    store_id = prepare(settings)
    with closing(open_database(settings)) as database:
        parts = FsckParts(
            creation_parts(settings, database, store_id),
            SqlInventory(database),
            rendition_cache(settings),
            lambda: OlderFiles(FolderStore(Path(settings.images))),
        )
        yield lambda: Fsck(parts, NOTHING_IS_YOUNG)


@pytest.mark.timeout(600)
def test_repair_beside_a_storm_touches_nothing_acknowledged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every image that was acknowledged is there and right, and is never told to be wrong."""
    told: list[Finding | Repair] = []
    rounds = 0
    with serving(tmp_path, PIXY_WORKERS="2", PIXY_SPOOL="spool") as process:
        storm = Storm(process.server)
        storm.fill(FIRST)
        with checks(tmp_path) as new_check, storm.blowing():
            until = time.monotonic() + STORM_SECONDS
            while time.monotonic() < until or rounds < ROUNDS or not storm.deleted:
                rounds += 1
                events = new_check().run(Tasks(repair=True, adopt=True, allow_orphans=FEW))
                told += [each for each in events if isinstance(each, Finding | Repair)]

        assert {each.fault for each in told} <= {Fault.ORPHAN}
        assert not storm.kept.keys() & {each.guid for each in told}
        with process.server.client() as client:
            read = {guid: client.read(guid) for guid in storm.kept}
            for guid in storm.deleted:
                with pytest.raises(RecordNotFoundError):
                    client.read(guid)
    assert all(each.verified for each in read.values())
    assert {guid: each.image.sha256 for guid, each in read.items()} == storm.kept
    assert run_here(capsys, settings_for(tmp_path)).findings == []
