"""Kill -9 at random moments: what was acknowledged is there and right, nothing is half there."""

import hashlib
import random
import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from pixy_grpc.core.models import Image
from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.support.children import free_ports
from tests.support.process import ServeProcess, serving, unmeasured
from tests.support.server import RunningServer

CREATIONS = 500
CALLERS = 4
KILLS = 6
SEED = 20261122
CALL_SECONDS = 30.0

OPTIONS = [
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 100),
]


class Workload:
    """Creations by several callers, each tried again with its request id until it is answered.

    One in five is given up once it has failed: whether it was carried out is not known.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._metadata = RunningServer(target, Path()).metadata()
        self._changed = threading.Condition()
        self.acknowledged: dict[str, pb.ImageDetails] = {}
        self.failures: set[grpc.StatusCode] = set()
        self.given_up: set[str] = set()

    def run(self) -> None:
        """Make every creation."""
        with grpc.insecure_channel(self._target, OPTIONS) as channel:
            stub = ImageServiceStub(channel)
            with ThreadPoolExecutor(CALLERS) as callers:
                list(callers.map(lambda number: self._create(stub, number), range(CREATIONS)))

    def await_answered(self, count: int) -> None:
        """Wait until so many are acknowledged or given up."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._answered >= count, timeout=60)

    @property
    def _answered(self) -> int:
        return len(self.acknowledged) + len(self.given_up)

    def _create(self, stub: ImageServiceStub, number: int) -> None:
        prompt = f"image {number} of a crash"
        request = pb.CreateImageRequest(prompt=prompt, size="64x64", request_id=str(uuid.uuid4()))
        while not (response := self._attempt(stub, request)):
            if number % 5 == 0:
                self._note(given_up=prompt)
                return
        self._note(response)

    def _attempt(
        self, stub: ImageServiceStub, request: pb.CreateImageRequest
    ) -> pb.CreateImageResponse | None:
        try:
            return stub.CreateImage(
                request, metadata=self._metadata, timeout=CALL_SECONDS, wait_for_ready=True
            )
        except grpc.RpcError as error:
            self.failures.add(error.code())
            return None

    def _note(self, response: pb.CreateImageResponse | None = None, given_up: str = "") -> None:
        with self._changed:
            if response:
                self.acknowledged[response.details.guid] = response.details
            else:
                self.given_up.add(given_up)
            self._changed.notify_all()


def crash_during(workload: Workload, folder: Path, settings: dict[str, str]) -> None:
    """Kill the whole tree at moments of a seeded choice while the callers go on."""
    moments = sorted(random.Random(SEED).sample(range(10, CREATIONS - 10), KILLS))  # noqa: S311
    with ThreadPoolExecutor(1) as runner:
        running: Future[None] | None = None
        for moment in moments:
            with serving(folder, **settings) as process:
                running = running or runner.submit(workload.run)
                workload.await_answered(moment)
                process.kill_tree()
        with serving(folder, **settings):
            assert running
            running.result()


def right(server: RunningServer, shown: dict[str, Image]) -> list[str]:
    """Return the guids whose bytes are whole, right, and as their details say."""
    with server.client() as client:
        read = {guid: client.read(guid) for guid in shown}
    return [
        guid
        for guid, image in shown.items()
        if read[guid].verified
        and read[guid].image == image
        and hashlib.sha256(read[guid].data).hexdigest() == image.sha256
        and read[guid].data.startswith(b"\x89PNG")
        and (image.width, image.height, len(read[guid].data)) == (64, 64, image.size_bytes)
    ]


@pytest.fixture
def settings() -> dict[str, str]:
    """Where every server of the test listens, one after the other."""
    (port,) = free_ports(1)
    return {"PIXY_LISTEN": f"127.0.0.1:{port}", **unmeasured()}


@pytest.mark.timeout(600)
def test_crashes_lose_no_acknowledged_image(tmp_path: Path, settings: dict[str, str]) -> None:
    """Of 500 creations cut by kill -9: every acknowledged image is there and right, each
    request id made one image at most, and every row has its whole bytes.
    """
    workload = Workload(settings["PIXY_LISTEN"])

    crash_during(workload, tmp_path, settings)

    with serving(tmp_path, **settings) as process, process.server.client() as client:
        shown = {image.guid: image for image in client.list(page_size=1000)}
        prompts = [image.prompt for image in shown.values()]
        assert workload.failures <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED}
        assert len(workload.acknowledged) + len(workload.given_up) == CREATIONS
        assert len(set(prompts)) == len(prompts)
        assert workload.acknowledged.keys() <= shown.keys()
        assert {shown[guid].sha256 for guid in workload.acknowledged} == {
            details.sha256 for details in workload.acknowledged.values()
        }
        unasked = {shown[guid].prompt for guid in shown.keys() - workload.acknowledged.keys()}
        assert unasked <= workload.given_up
        assert right(process.server, shown) == list(shown)


def test_start_after_crash_while_starting_completes(tmp_path: Path) -> None:
    """A kill -9 while database and store are paired leaves nothing to trip over.

    One within the migration is taken over too, once its lease has run out.
    """
    for made in ("images", "images/.pixy-store"):
        process = ServeProcess(tmp_path, **unmeasured())
        try:
            process.await_file(tmp_path / made)
            process.kill_tree()
        finally:
            process.close()

    with serving(tmp_path) as process, process.server.client() as client:
        assert client.read(client.create("after all", size="64x64").image.guid).verified
