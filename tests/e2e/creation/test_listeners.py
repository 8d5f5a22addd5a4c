"""CreateImageStream: nothing depends on who listens, and how well."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import grpc

from pixy_grpc.web.server import ServerLimits
from pixy_grpc.web.watchdog import PRECISION_SECONDS
from tests.e2e.creation.callers import (
    CALL_SECONDS,
    create,
    follow,
    kinds,
    refusal,
    request,
    streamed,
)
from tests.e2e.creation.scripted import (
    STEADY_LEASE_SECONDS,
    Gate,
    calls,
    nowhere,
    scripted_app,
    scripted_server,
)
from tests.e2e.creation.streams import STREAM, reading, refused_stream
from tests.e2e.rooms.deaf import DeafClient
from tests.e2e.rpc.logbook import LogBook
from tests.e2e.rpc.wire import refused
from tests.support.process import wait_until
from tests.support.server import TOKENS, RunningServer


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


def test_stream_of_a_creation_that_takes_longer_than_a_reader_may_is_not_cut(
    tmp_path: Path,
) -> None:
    """The limit is for taking what was told, not for waiting for more of it."""
    gate = Gate("asked")
    limits = ServerLimits(stall_seconds=1.0)
    with (
        scripted_server(tmp_path, reach=gate, server_limits=limits) as server,
        reading(server, request()) as stream,
    ):
        begun = [stream.next(), stream.next()]
        threading.Event().wait(limits.stall_seconds + 2 * PRECISION_SECONDS)
        gate.open.set()
        rest = stream.rest()

    assert kinds(begun + rest) == ["accepted", "generating", "stored", "created"]


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
        with reading(server, message, seconds=2.0) as stream:
            assert gate.reached.wait(CALL_SECONDS)
            told = refused(stream.rest)
        gate.open.set()
        again = create(server, message)

    assert told.status == "DEADLINE_EXCEEDED"
    assert again.replayed
    assert calls(tmp_path) == 1


def test_stalled_reader_is_cut_and_slows_nothing(tmp_path: Path, log: LogBook) -> None:
    """The creation ends while nobody reads; the place comes back after the stall limit."""
    limits = ServerLimits(creates=2, waits=2, stall_seconds=4.0)
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
    assert float(end["ms"]) >= 4_000


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
        scripted_server(
            tmp_path, reach=gate, server_limits=limits, lease=STEADY_LEASE_SECONDS
        ) as server,
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
    before = set(threading.enumerate())
    with scripted_server(tmp_path, server_limits=limits) as server:
        for _ in range(3):
            list(threads.map(lambda _: _is_refused(server) or follow(server, request()), range(2)))
        more = set(threading.enumerate()) - before
        narrated = [each for each in more if "pixy-narrated" in each.name]

    assert 0 < len(narrated) <= 8
