"""A stop says so, lets what runs come to its end, and is bounded."""

import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.e2e.process.conftest import Serve
from tests.e2e.process.watching import NOT_SERVING, SERVING, watching
from tests.e2e.rooms.large import add_image
from tests.support.process import ServeProcess, unmeasured, wait_until

START = re.compile("REQUEST START")


@pytest.fixture
def process(serve: Serve) -> ServeProcess:
    """Serve with one worker."""
    return serve(PIXY_GRACE_SECONDS="60")


@pytest.fixture
def channel(process: ServeProcess) -> Iterator[grpc.Channel]:
    """Connect to it."""
    with process.server.channel() as channel:
        yield channel


def download(process: ServeProcess, channel: grpc.Channel, guid: str) -> Iterator[bytes]:
    """Begin to read an image; the rest comes as it is asked for."""
    request = pb.GetImageBytesRequest(guid=guid)
    call = ImageServiceStub(channel).GetImageBytes(request, metadata=process.server.metadata())
    next(call)
    return (response.data for response in call)


def test_sigterm_lets_download_finish(
    process: ServeProcess, channel: grpc.Channel, tmp_path: Path
) -> None:
    """Health says NOT_SERVING while the download goes on; then the server exits with 0."""
    guid, data = add_image(tmp_path, 8)
    chunks = download(process, channel, guid)
    with watching(process.server.target) as watch:
        assert watch.await_said(SERVING)

        process.signal(signal.SIGTERM)
        said = watch.await_said(NOT_SERVING)
        received = b"".join(chunks)

        assert said
        assert watch.await_end() is grpc.StatusCode.OK
    assert received == data
    assert process.wait() == 0


def test_sigint_lets_creation_finish(process: ServeProcess, channel: grpc.Channel) -> None:
    """A creation that has begun is answered, stored, and there after the restart."""
    request = pb.CreateImageRequest(prompt="a wide sea", size="2048x2048")
    with ThreadPoolExecutor(1) as caller:
        create = ImageServiceStub(channel).CreateImage
        running = caller.submit(create, request, metadata=process.server.metadata())
        process.await_line(START)

        process.signal(signal.SIGINT)
        created = running.result().details

    assert process.wait() == 0
    assert list(process.server.images.glob(f"*/*/{created.guid}.*"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_every_process_stops_at_once(
    serve: Serve, tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C and service managers signal parent and workers together: none is left hanging."""
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        process = serve(folder, PIXY_WORKERS="2", PIXY_GRACE_SECONDS="3600", **unmeasured())

        os.killpg(process.pid, number)

        assert process.wait() == 0
        assert not any("killed" in line for line in process.lines)


def test_worker_that_ends_takes_more_signals_quietly(process: ServeProcess) -> None:
    """Ctrl-C comes to it, and so does what the parent then has for every worker."""
    (worker,) = process.workers()
    os.kill(worker, signal.SIGINT)

    while worker in process.workers():
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGTERM)

    assert process.stop() == 0
    assert "Traceback" not in "\n".join(process.lines)


def test_stop_with_watcher_does_not_wait_for_it(process: ServeProcess) -> None:
    """A Watch ends with its NOT_SERVING: nobody's probe holds up a stop for the grace."""
    with watching(process.server.target) as watch:
        assert watch.await_said(SERVING)

        code = process.stop()

        assert code == 0
        assert watch.said == [SERVING, NOT_SERVING]


def test_grace_that_runs_out_ends_stop(serve: Serve, tmp_path: Path) -> None:
    """A download that nobody reads is cut at the end of the grace, and logged."""
    process = serve(PIXY_GRACE_SECONDS="1")
    guid, _ = add_image(tmp_path, 64)  # more than any window takes
    with process.server.channel() as channel:
        chunks = download(process, channel, guid)

        code = process.stop()

        assert code == 0
        with pytest.raises(grpc.RpcError):
            list(chunks)
    assert not process.processes()


def test_sigterm_while_starting_ends_at_once(tmp_path: Path) -> None:
    """A server that is told to stop before it serves neither serves nor hangs."""
    process = ServeProcess(tmp_path, PIXY_WORKERS="8", PIXY_GRACE_SECONDS="1")
    try:
        process.await_worker()

        code = process.stop()

        assert code == 0
        assert "Traceback" not in "\n".join(process.lines)
    finally:
        process.close()


def test_worker_is_imported_undisturbed_by_ctrl_c(tmp_path: Path) -> None:
    """It comes to every process at once: in the middle of an import it would be a traceback."""
    process = ServeProcess(tmp_path)
    try:
        process.await_worker()
        (worker,) = process.workers()
        maps = Path(f"/proc/{worker}/maps")
        wait_until(lambda: "cygrpc" in maps.read_text(), "it imports gRPC, and more behind it")

        os.kill(worker, signal.SIGINT)
        process.await_serving()

        assert process.stop() == 0
        assert "Traceback" not in "\n".join(process.lines)
    finally:
        process.close()
