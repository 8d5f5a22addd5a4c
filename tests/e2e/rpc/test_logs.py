"""The log: two lines a call in one format, and nothing in them that is not theirs."""

import re
import secrets
import socket
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import grpc
import pytest

from pixy_client import Client, ImageException
from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rpc.failing import failing_server
from tests.e2e.rpc.logbook import CALL_ID, LINE, LogBook
from tests.e2e.rpc.stocking import stock
from tests.e2e.rpc.wire import CREATE, GET, LIST, METHODS, READ, ask, refused
from tests.support.server import TOKENS, RunningServer

SMALL = "64x64"
PROMPT = "zanzibarquagga"
FILENAME = "xylophonewombat.png"


@pytest.fixture
def caller(lone_server: RunningServer) -> Iterator[Client]:
    """Connect to the module's server, which nobody else calls."""
    with lone_server.client() as connected:
        yield connected


def test_call_logs_start_and_end_under_one_call_id(log: LogBook, caller: Client) -> None:
    """Two lines for a call: who called what, how it ended, how long it took."""
    caller.create(PROMPT, size=SMALL)

    start, end = log.entries
    assert start["message"] == "REQUEST START"
    assert start["call_id"] == end["call_id"]
    assert re.fullmatch(
        rf"REQUEST END method={CREATE} caller=alice code=OK ms=\d+\.\d", end["message"]
    )
    assert {start["level"], end["level"]} == {"INFO"}


def test_call_id_is_of_host_time_and_thread(log: LogBook, caller: Client) -> None:
    """An id tells where and when it was given; the line carries its own thread."""
    caller.create(PROMPT, size=SMALL)

    match = CALL_ID.fullmatch(log.entries[0]["call_id"])
    assert match
    assert match["host"] == socket.gethostname().split(".")[0]
    assert all(entry["thread"].isdigit() for entry in log.entries)


def test_every_rpc_and_every_failure_logs_its_end(
    log: LogBook, lone_server: RunningServer, channel: grpc.Channel
) -> None:
    """What the caller gets is what the log says they got, whatever the method."""
    with lone_server.client() as client:
        guid = client.create(PROMPT, size=SMALL).image.guid
    log.entries.clear()
    bare = pb.GetImageDetailsRequest(guid=guid)
    metadata = lone_server.metadata("bob")

    for method in METHODS[1:]:
        ask(channel, method, b"" if method == LIST else bare, metadata=metadata)
    missing = [refused(partial(ask, channel, m, bare, metadata=metadata)) for m in METHODS[1:2]]
    garbage = [refused(partial(ask, channel, m, b"\xff", metadata=metadata)) for m in METHODS]
    strangers = [refused(partial(ask, channel, m, metadata=())) for m in METHODS]

    ends = [entry.pairs for entry in log.ended()]
    assert [(end["method"], end["caller"], end["code"]) for end in ends] == [
        *((method, "bob", "OK") for method in METHODS[1:]),
        *((method, "bob", refusal.status) for method, refusal in zip((GET,), missing, strict=True)),
        *((method, "bob", "INVALID_ARGUMENT") for method in METHODS),
        *((method, "-", "UNAUTHENTICATED") for method in METHODS),
    ]
    reasons = [refusal.reason for refusal in (*missing, *garbage, *strangers)]
    assert [e.pairs["reason"] for e in log.entries if "reason=" in e.line] == reasons
    assert all(float(end["ms"]) >= 0 for end in ends)


def test_calls_at_the_same_time_do_not_mix(log: LogBook, lone_server: RunningServer) -> None:
    """Every call id has one start, then one end, of one caller."""
    with (
        lone_server.client() as alice,
        lone_server.client("bob") as bob,
        ThreadPoolExecutor(16) as threads,
    ):
        for client in (alice, bob) * 8:
            threads.submit(client.create, PROMPT, size=SMALL)

    by_id = {entry["call_id"] for entry in log.entries}
    assert len(by_id) == 16
    for call_id in by_id:
        start, end = log.of(call_id)
        assert (start["message"], end["message"][:11]) == ("REQUEST START", "REQUEST END")
    callers = sorted(entry.pairs["caller"] for entry in log.ended())
    assert callers == ["alice"] * 8 + ["bob"] * 8


def test_reader_who_goes_away_is_logged_as_cancelled(
    log: LogBook, lone_server: RunningServer, caller: Client
) -> None:
    """A download that is given up has its end in the log as well."""
    with stock(lone_server) as add:
        guid = add(secrets.token_bytes(24 * BLOCK_BYTES))

    with caller.stream(guid) as stream:
        next(iter(stream))

    assert log.await_end(READ).pairs["code"] == "CANCELLED"


def test_log_holds_no_token_prompt_filename_or_bytes(log: LogBook, caller: Client) -> None:
    """Whatever succeeds or fails: what belongs to callers stays out of the log."""
    request_id = str(uuid.uuid4())
    other = f"{PROMPT} and more"
    image = caller.create(PROMPT, filename=FILENAME, size=SMALL, request_id=request_id).image
    data = caller.read(image.guid).data
    caller.update(image.guid, prompt=other, filename=f"2{FILENAME}")
    found = list(caller.list(prompt=PROMPT, filename="2xylophone"))
    failures: list[Callable[[], object]] = [
        lambda: caller.create(f"{PROMPT}\0", size=SMALL),
        lambda: caller.create(PROMPT, filename=f"{FILENAME}/", size=SMALL),
        lambda: caller.create(PROMPT, size=PROMPT),
        lambda: caller.create(PROMPT, quality=PROMPT),
        lambda: caller.create(other, size=SMALL, request_id=request_id),
        lambda: caller.update(image.guid, prompt=PROMPT * 5_000),
        lambda: list(caller.list(prompt=f"{PROMPT} " * 4_000)),
        lambda: caller.list_page(page_token=PROMPT),
        lambda: caller.get(PROMPT),
    ]
    for failure in failures:
        with pytest.raises(ImageException):
            failure()
    caller.delete(image.guid)

    assert [each.guid for each in found] == [image.guid]
    assert len(log.ended()) == 5 + len(failures)
    assert all(LINE.fullmatch(entry.line) for entry in log.entries)
    for secret in (*TOKENS.values(), PROMPT, "xylophone", data[:8].decode("latin-1"), "IHDR"):
        assert secret not in log.text


def test_refused_tokens_are_not_logged(log: LogBook, channel: grpc.Channel) -> None:
    """A token with a typing error is a token nearly given away."""
    for value in ("Bearer hunter2hunter2", "hunter2hunter2", "Basic hunter2hunter2"):
        refused(partial(ask, channel, LIST, b"", metadata=(("authorization", value),)))

    assert len(log.ended()) == 3
    assert "hunter2" not in log.text


FORGED = "2026-11-22 12:00:00,000 INFO host-1 [1] [x:1] REQUEST END caller=root code=OK ms=1"


@pytest.mark.parametrize(
    "method",
    [f"/a\n{FORGED}", f"/a\r{FORGED}", f"/a\x85{FORGED}", "/a\x1b[2J", "/a caller=root code=OK"],
    ids=ascii,
)
def test_method_name_cannot_forge_a_line_or_a_pair(
    log: LogBook, lone_server: RunningServer, channel: grpc.Channel, method: str
) -> None:
    """A method's name is the client's text: one word on one line, whatever is in it."""
    refusal = refused(lambda: ask(channel, method, b"", metadata=lone_server.metadata()))

    assert refusal.status == "UNIMPLEMENTED"
    assert len(log.text.splitlines()) == 2
    assert log.text.isprintable() or log.text.replace("\n", "").isprintable()
    assert set(log.entries[-1].pairs) == {"method", "caller", "code", "ms"}
    assert log.entries[-1].pairs["caller"] == "alice"


def test_client_text_cannot_forge_a_line(log: LogBook, caller: Client) -> None:
    """Ids, tokens of pages and everything else that is refused adds no line of its own."""
    text = f"x\n{FORGED}"
    for act in (
        lambda: caller.get(text),
        lambda: caller.read(text),
        lambda: caller.create(text, size=SMALL, request_id=text),
        lambda: caller.create(text, size=text),
        lambda: caller.list_page(page_token=text),
    ):
        with pytest.raises(ImageException):
            act()

    lines = log.text.splitlines()
    assert len(lines) == 3 * 5
    assert all(LINE.fullmatch(line) for line in lines)
    assert "root" not in log.text


def test_unforeseen_errors_text_cannot_forge_a_line(log: LogBook) -> None:
    """What follows a traceback's line is told apart from the lines of calls."""
    with failing_server() as failing, failing.running.client() as client:
        failing.repository.failure = RuntimeError(f"x\n{FORGED}\r{FORGED}\u2028{FORGED}")
        with pytest.raises(ImageException):
            client.get(str(uuid.uuid4()))

    forged = [line for line in log.text.splitlines() if LINE.fullmatch(line) and "root" in line]
    assert forged == []
