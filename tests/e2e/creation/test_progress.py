"""CreateImageStream: what is told, in what order, and that nothing depends on who listens."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.web.server import ServerLimits
from tests.e2e.creation.callers import (
    CALL_SECONDS,
    create,
    follow,
    kinds,
    refusal,
    request,
    streamed,
)
from tests.e2e.creation.scripted import Gate, calls, nowhere, scripted_app, scripted_server
from tests.e2e.rooms.deaf import DeafClient
from tests.e2e.rpc.logbook import LogBook, keeping_logs
from tests.e2e.rpc.wire import Refusal, refused
from tests.support.process import wait_until
from tests.support.server import TOKENS, RunningServer

STREAM = "/pixy.v1.ImageService/CreateImageStream"


@pytest.fixture
def log() -> Iterator[LogBook]:
    """Keep what the service logs while the test runs."""
    with keeping_logs() as book:
        yield book


class Stream:
    """A stream that is read message by message."""

    def __init__(self, call: grpc.Call) -> None:
        self._call = call

    def next(self) -> pb.CreateImageStreamResponse:
        """Read one message."""
        response: pb.CreateImageStreamResponse = next(self._call)  # type: ignore[call-overload]
        return response

    def rest(self) -> list[pb.CreateImageStreamResponse]:
        """Read to the end."""
        return list(self._call)  # type: ignore[call-overload]

    def cancel(self) -> None:
        """Give up."""
        self._call.cancel()


@contextmanager
def reading(
    server: RunningServer,
    message: pb.CreateImageRequest,
    partial_images: int = 0,
    seconds: float = CALL_SECONDS,
    caller: str = "alice",
) -> Iterator[Stream]:
    """Begin a stream, to be read in the block."""
    with server.stub() as stub:
        call = stub.CreateImageStream(
            streamed(message, partial_images), metadata=server.metadata(caller), timeout=seconds
        )
        yield Stream(call)
        call.cancel()


def refused_stream(server: RunningServer, message: pb.CreateImageRequest) -> Refusal:
    return refused(lambda: follow(server, message))


def test_new_creation_is_told_from_accepted_to_created(tmp_path: Path) -> None:
    """Each step once, in order; the last is what CreateImage returns."""
    message = request()
    with scripted_server(tmp_path) as server:
        told = follow(server, message)
        again = create(server, message)

    assert kinds(told) == ["accepted", "generating", "stored", "created"]
    assert not told[0].accepted.waiting
    assert told[1].generating.generator == "counting"
    assert told[2].stored.size_bytes == told[3].created.details.size_bytes > 0
    assert not told[3].created.replayed
    assert again == pb.CreateImageResponse(details=told[3].created.details, replayed=True)


def test_replay_is_accepted_and_created(tmp_path: Path) -> None:
    """Nothing between: nothing happened again. Either call repeats the other."""
    message = request()
    with scripted_server(tmp_path) as server:
        first = create(server, message)
        told = follow(server, message)

    assert kinds(told) == ["accepted", "created"]
    assert told[1].created.replayed
    assert told[1].created.details == first.details
    assert calls(tmp_path) == 1


@pytest.mark.parametrize(("wanted", "shown"), [(-1, 0), (0, 0), (1, 1), (3, 3), (9, 3)])
def test_unfinished_images_are_shown_as_many_as_are_wanted(
    tmp_path: Path, wanted: int, shown: int
) -> None:
    """Below zero means none, more than three mean three."""
    with scripted_server(tmp_path) as server, reading(server, request(), wanted) as stream:
        told = stream.rest()

    partials = [each.partial_image for each in told if each.HasField("partial_image")]
    assert len(partials) <= shown
    assert bool(partials) is bool(shown)
    assert all(each.content_type == "image/png" for each in partials)
    assert all(each.data.startswith(b"\x89PNG") for each in partials)
    if partials:
        assert kinds(told)[-3:] == ["partial_image", "stored", "created"]
        assert partials[-1].index == shown - 1


def test_duplicate_is_told_that_it_waits_then_what_was_made(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    """One image, whether the first call streams or not, by one call of the provider."""
    gate = Gate("asked")
    message = request()
    with scripted_server(tmp_path, reach=gate) as server:
        first = threads.submit(create, server, message)
        assert gate.reached.wait(CALL_SECONDS)
        with reading(server, message) as stream:
            accepted = stream.next()
            gate.open.set()
            rest = stream.rest()

    assert accepted.accepted.waiting
    assert kinds(rest) == ["created"]
    assert rest[0].created.replayed
    assert rest[0].created.details == first.result(CALL_SECONDS).details
    assert calls(tmp_path) == 1


def test_streams_and_calls_with_one_request_id_make_one_image(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    """Twenty at once, half of them streams."""
    message = request()
    with scripted_server(tmp_path) as server:
        streams = [threads.submit(follow, server, message) for _ in range(10)]
        unary = [threads.submit(create, server, message) for _ in range(10)]
        ends = [each.result(CALL_SECONDS)[-1].created for each in streams]
        ends += [each.result(CALL_SECONDS) for each in unary]
        with server.client() as client:
            assert len(client.list_page().images) == 1

    assert len({end.details.guid for end in ends}) == 1
    assert [end.replayed for end in ends].count(False) == 1
    assert calls(tmp_path) == 1


def test_invalid_request_is_refused_before_it_is_accepted(tmp_path: Path) -> None:
    """The first thing told is the error, with its details and the request id."""
    message = request()
    message.prompt = " "
    with scripted_server(tmp_path) as server, reading(server, message) as stream:
        told = refused(stream.next)

    assert (told.status, told.reason) == ("INVALID_ARGUMENT", "INVALID_PROMPT")
    assert told.metadata["request_id"] == message.request_id
    assert told.metadata["call_id"]


def test_request_without_a_creation_is_invalid(tmp_path: Path) -> None:
    """It has no prompt."""
    with scripted_server(tmp_path) as server, server.stub() as stub:
        told = refused(
            lambda: list(
                stub.CreateImageStream(
                    pb.CreateImageStreamRequest(), metadata=server.metadata(), timeout=CALL_SECONDS
                )
            )
        )

    assert told.reason == "INVALID_PROMPT"


def test_creation_that_fails_ends_the_stream_with_its_error(tmp_path: Path, log: LogBook) -> None:
    """The steps that were, then the status that CreateImage has; logged once, under its id."""
    message = request()
    message.prompt = "lose the answer"
    with scripted_server(tmp_path) as server, reading(server, message) as stream:
        steps = kinds([stream.next(), stream.next()])
        told = refused(stream.next)

    assert steps == ["accepted", "generating"]
    assert (told.status, told.reason) == ("UNKNOWN", "PROVIDER_OUTCOME_UNKNOWN")
    assert told.metadata["request_id"] == message.request_id
    refusals = [each for each in log.entries if "PROVIDER_OUTCOME_UNKNOWN" in each["message"]]
    assert [each["call_id"] for each in refusals] == [told.metadata["call_id"]]
    (end,) = log.ended()
    assert (end.pairs["method"], end.pairs["code"]) == (STREAM, "UNKNOWN")


def test_unforeseen_error_of_a_stream_is_internal(tmp_path: Path, log: LogBook) -> None:
    """Its text stays here, its traceback is in the log."""

    def fail(step: str) -> None:
        if step == "asked":
            raise ZeroDivisionError("SECRET")

    with scripted_server(tmp_path, reach=fail) as server:
        told = refused_stream(server, request())

    assert (told.status, told.reason) == ("INTERNAL", "INTERNAL")
    assert "SECRET" not in told.text
    assert "ZeroDivisionError" in log.text


def test_caller_who_cancels_loses_nothing(tmp_path: Path, log: LogBook) -> None:
    """The image is stored, the retry gets it, and the call ends once its work has."""
    gate = Gate("asked")
    message = request()
    with scripted_server(tmp_path, reach=gate) as server:
        with reading(server, message) as stream:
            assert kinds([stream.next(), stream.next()]) == ["accepted", "generating"]
            assert gate.reached.wait(CALL_SECONDS)
            stream.cancel()
        assert not log.ended()
        gate.open.set()
        again = create(server, message)
        wait_until(lambda: len(log.ended()) == 2, "the cancelled call has ended")

    assert again.replayed
    assert calls(tmp_path) == 1
    assert [each["code"] for each in _ends(log, STREAM)] == ["CANCELLED"]


def test_error_nobody_is_told_is_in_the_log(tmp_path: Path, log: LogBook) -> None:
    """A creation that fails without its caller is not silent."""
    gate = Gate("asked")
    message = request()
    message.prompt = "lose the answer"
    with scripted_server(tmp_path, reach=gate) as server:
        with reading(server, message) as stream:
            assert gate.reached.wait(CALL_SECONDS)
            stream.cancel()
        gate.open.set()
        wait_until(log.ended, "the cancelled call has ended")

    assert "reason=PROVIDER_OUTCOME_UNKNOWN" in log.text


def test_creation_whose_reader_was_cut_keeps_its_place_and_its_error(
    tmp_path: Path, log: LogBook
) -> None:
    """It had taken nothing, so that the call was stuck; what runs on is counted and logged."""
    gate = Gate("asked")
    message = request()
    message.prompt = "lose the answer"
    limits = ServerLimits(creates=2, waits=2)
    with scripted_server(tmp_path, reach=gate, server_limits=limits) as server:
        with DeafClient(server.target, TOKENS["alice"]) as deaf:
            deaf.ask(STREAM, streamed(message).SerializeToString())
            assert gate.reached.wait(CALL_SECONDS)
        told = refused_stream(server, request())
        gate.open.set()
        wait_until(lambda: _ends(log, STREAM)[1:], "the cut call has ended")
        wait_until(lambda: not _is_refused(server), "its place is back")

    assert told.reason == "TOO_MANY_CREATES"
    assert "reason=PROVIDER_OUTCOME_UNKNOWN" in log.text


def test_deadline_of_a_stream_ends_the_telling_alone(tmp_path: Path) -> None:
    """The caller is told in time; what was asked for goes on."""
    gate = Gate("asked")
    message = request()
    with scripted_server(tmp_path, reach=gate) as server:
        with reading(server, message, seconds=0.7) as stream:
            told = refused(stream.rest)
        gate.open.set()
        again = create(server, message)

    assert told.status == "DEADLINE_EXCEEDED"
    assert again.replayed
    assert calls(tmp_path) == 1


def test_stalled_reader_is_cut_and_slows_nothing(tmp_path: Path, log: LogBook) -> None:
    """The creation ends while nobody reads; the place comes back after the stall limit."""
    limits = ServerLimits(creates=2, waits=2, stall_seconds=2.0)
    message = streamed(request(), 3)
    with scripted_server(tmp_path, server_limits=limits) as server:
        with DeafClient(server.target, TOKENS["alice"]) as deaf:
            deaf.ask(STREAM, message.SerializeToString())
            with server.client() as client:
                wait_until(lambda: client.list_page().images, "the image is stored")
            busy = refusal(server, request())
            wait_until(lambda: _ends(log, STREAM), "the reader is cut")
        wait_until(lambda: not _is_refused(server), "its place is back")

    assert busy.reason == "TOO_MANY_CREATES"
    (end,) = _ends(log, STREAM)
    assert end["code"] == "CANCELLED"
    assert float(end["ms"]) >= 2_000


def _ends(log: LogBook, method: str) -> list[dict[str, str]]:
    return [each.pairs for each in log.ended() if each.pairs["method"] == method]


def _is_refused(server: RunningServer) -> bool:
    try:
        create(server, request())
    except grpc.RpcError:
        return True
    return False


def test_streams_hold_the_places_of_creations_until_their_work_has_ended(tmp_path: Path) -> None:
    """Who begins streams and gives them up is no way past the limit."""
    gate = Gate("asked")
    limits = ServerLimits(creates=4, waits=4)
    with scripted_server(tmp_path, reach=gate, server_limits=limits) as server:
        for _ in range(2):
            with reading(server, request()) as stream:
                assert kinds([stream.next(), stream.next()]) == ["accepted", "generating"]

        told = refused_stream(server, request())
        other = refused(lambda: _one_message(server, "bob"))

        gate.open.set()
        with server.client() as client:
            wait_until(lambda: len(client.list_page().images) >= 2, "both are stored")
        wait_until(lambda: not _is_refused(server), "the places are back")
    assert (told.status, told.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_CREATES")
    assert told.retry_seconds
    assert other.reason != "TOO_MANY_CREATES"


def _one_message(server: RunningServer, caller: str) -> None:
    """Begin a stream, read what tells that it has a place, and give it up."""
    with reading(server, request(), caller=caller) as stream:
        stream.next()
        stream.cancel()
        stream.next()


def test_waiting_streams_hold_no_place_of_those_who_create(tmp_path: Path) -> None:
    """Two callers fill the room of waits; each of their streams has its threads."""
    gate = Gate("asked")
    limits = ServerLimits(creates=4, waits=6)
    with (
        scripted_server(tmp_path, reach=gate, server_limits=limits) as server,
        ExitStack() as opened,
    ):
        slow = {"alice": request(), "bob": request()}
        streams, waits = [], []
        for caller in ["alice", "bob"] * 4:
            stream = opened.enter_context(reading(server, slow[caller], caller=caller))
            waits.append(stream.next().accepted.waiting)
            streams.append(stream)
        refused_one = refused_stream(server, slow["alice"])

        gate.open.set()
        ends = [stream.rest()[-1].created for stream in streams]
    assert refused_one.reason == "TOO_MANY_CREATES"
    assert waits == [False, False, *[True] * 6]
    assert len({end.details.guid for end in ends}) == 2


def test_stop_lets_what_a_stream_asked_for_be_stored(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    """The stream is cut after the grace of calls; the creation has its own."""
    gate = Gate("asked")
    message = request()
    app = scripted_app(tmp_path, reach=gate)
    server = RunningServer(f"127.0.0.1:{app.start('127.0.0.1:0')}", tmp_path)
    told = threads.submit(refused_stream, server, message)
    assert gate.reached.wait(CALL_SECONDS)

    stopping = threads.submit(app.stop, 0.2)
    status = told.result(CALL_SECONDS).status
    gate.open.set()

    assert not stopping.result(CALL_SECONDS)
    assert status in ("CANCELLED", "UNAVAILABLE")
    with scripted_server(tmp_path, reach=nowhere) as restarted:
        assert create(restarted, message).replayed
    assert calls(tmp_path) == 1


def test_threads_of_streams_are_bounded(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    """Two for each place, however many come one after the other."""
    limits = ServerLimits(creates=4, waits=4)
    with scripted_server(tmp_path, server_limits=limits) as server:
        for _ in range(3):
            list(threads.map(lambda _: _is_refused(server) or follow(server, request()), range(2)))
        narrated = [each for each in threading.enumerate() if "pixy-narrated" in each.name]

    assert 0 < len(narrated) <= 8
