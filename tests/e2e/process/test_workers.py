"""Workers are replaced when they die, and die with their parent."""

import os
import re
import signal
import socket
from pathlib import Path

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.process.conftest import Serve
from tests.support.process import wait_until

DIED = re.compile(r"worker died pid=(\d+) exitcode=-9")


def test_killed_worker_is_replaced(serve: Serve) -> None:
    """Another worker takes its place, and calls work again."""
    process = serve()
    (killed,) = process.workers()

    os.kill(killed, signal.SIGKILL)
    logged = process.await_line(DIED)

    assert logged[1] == str(killed)
    with process.server.stub() as stub:
        request = pb.CreateImageRequest(prompt="made by the next", size="64x64")
        metadata = process.server.metadata()
        created = stub.CreateImage(request, metadata=metadata, timeout=60, wait_for_ready=True)
    with process.server.client() as client:
        assert client.read(created.details.guid).verified
    assert process.workers() not in ([], [killed])
    assert process.stop() == 0


def test_killed_worker_leaves_others_answering(serve: Serve) -> None:
    """While one of two is replaced, the other serves: a call that is lost is tried again."""
    process = serve(PIXY_WORKERS="2")
    killed, _ = process.workers()
    with process.server.client() as client:
        os.kill(killed, signal.SIGKILL)

        created = [client.create(f"image {number}", size="64x64").image for number in range(5)]

        assert {image.guid for image in client.list()} == {image.guid for image in created}
    wait_until(lambda: len(process.workers()) == 2, "the worker is replaced")


def test_killed_parent_takes_workers_along(serve: Serve) -> None:
    """No worker outlives its parent, and the port is free for the next server."""
    process = serve(PIXY_WORKERS="2")

    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    with socket.create_server(("127.0.0.1", process.port)):
        pass
    assert serve(PIXY_LISTEN=f"127.0.0.1:{process.port}").port == process.port


def test_worker_that_meets_another_store_leaves_it_alone(serve: Serve, tmp_path: Path) -> None:
    """A store mounted in place of ours is not served from, and nothing is written into it."""
    other = tmp_path / "other"
    other.mkdir()
    assert serve(other).stop() == 0
    process = serve()
    (tmp_path / "images").rename(tmp_path / "ours")
    (other / "images").rename(tmp_path / "images")
    held = {path.name for path in (tmp_path / "images").rglob("*")}

    (worker,) = process.workers()
    os.kill(worker, signal.SIGKILL)
    process.await_line(DIED)

    request = pb.CreateImageRequest(prompt="a fox", size="64x64")
    with process.server.stub() as stub, pytest.raises(grpc.RpcError) as refused:
        stub.CreateImage(
            request, metadata=process.server.metadata(), timeout=60, wait_for_ready=True
        )
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert {path.name for path in (tmp_path / "images").rglob("*")} == held
