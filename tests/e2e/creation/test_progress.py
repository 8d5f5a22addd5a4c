"""CreateImageStream: what is told, and in what order."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.creation.callers import CALL_SECONDS, create, follow, kinds, request
from tests.e2e.creation.scripted import STEADY_LEASE_SECONDS, Gate, calls, scripted_server
from tests.e2e.creation.streams import STREAM, reading, refused_stream
from tests.e2e.rpc.logbook import LogBook
from tests.e2e.rpc.wire import refused


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
    with scripted_server(tmp_path, reach=gate, lease=STEADY_LEASE_SECONDS) as server:
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
    with scripted_server(tmp_path, lease=STEADY_LEASE_SECONDS) as server:
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
