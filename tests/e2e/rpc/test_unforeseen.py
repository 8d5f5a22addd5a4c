"""What nobody foresaw: INTERNAL without its text, and its traceback in the log."""

import secrets
import uuid
from collections.abc import Iterator

import pytest

from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.core.exceptions import (
    ImageCorruptError,
    ImageException,
    InternalError,
    StorageUnavailableError,
)
from tests.e2e.rpc.failing import FailingServer, failing_server
from tests.e2e.rpc.logbook import LogBook
from tests.e2e.rpc.stocking import NOON, new_image, soon

SECRET = "SELECT token FROM /etc/secret"

UNFORESEEN = [
    RuntimeError(SECRET),
    KeyError(SECRET),
    MemoryError(SECRET),
    RecursionError(SECRET),
    OSError(5, SECRET),
    UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET),
    StopIteration(SECRET),
    SystemExit(SECRET),
]


@pytest.fixture
def failing() -> Iterator[FailingServer]:
    """Serve from stores that raise what they are told to."""
    with failing_server() as running:
        yield running


@pytest.fixture
def guid(failing: FailingServer) -> str:
    """Store an image of three blocks."""
    data = secrets.token_bytes(3 * BLOCK_BYTES)
    new = new_image(data, "three blocks", NOON)
    failing.store.put(new.contents.key, data, soon())
    return failing.repository.add(new, soon()).image.guid


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda error: type(error).__name__)
def test_unforeseen_error_leaves_as_internal_without_its_text(
    failing: FailingServer, log: LogBook, error: BaseException
) -> None:
    """The caller learns the call id and nothing else; the log has all of it."""
    failing.repository.failure = error

    with failing.running.client() as client, pytest.raises(InternalError) as caught:
        client.get(str(uuid.uuid4()), timeout=10)

    assert "call_id" in caught.value.message
    assert SECRET not in str(caught.value.__cause__)
    assert type(error).__name__ not in caught.value.message
    start, unforeseen, end = log.of(caught.value.call_id)
    assert (unforeseen["level"], unforeseen["message"]) == ("ERROR", "unforeseen error")
    assert type(error).__name__ in unforeseen.traceback
    assert "Traceback (most recent call last):" in unforeseen.traceback
    assert start["message"] == "REQUEST START"
    assert end.pairs["code"] == "INTERNAL"


def test_unforeseen_error_of_a_creation_names_the_request_id(failing: FailingServer) -> None:
    """The way to ask again is in every error of a creation, this one too."""
    failing.repository.failure = ZeroDivisionError()
    request_id = str(uuid.uuid4())

    with failing.running.client() as client, pytest.raises(InternalError) as caught:
        client.create("a fox", size="64x64", request_id=request_id)

    assert caught.value.request_id == request_id
    assert caught.value.call_id


@pytest.mark.parametrize(
    ("tear", "kind"),
    [
        (ImageCorruptError("Torn."), ImageCorruptError),
        (StorageUnavailableError("Away."), StorageUnavailableError),
        (RuntimeError(SECRET), InternalError),
        (StopIteration(SECRET), InternalError),
        (SystemExit(SECRET), InternalError),
    ],
    ids=lambda each: getattr(each, "__name__", "") or type(each).__name__,
)
def test_error_in_the_middle_of_a_stream_ends_it_with_its_details(
    failing: FailingServer, log: LogBook, guid: str, tear: BaseException, kind: type[ImageException]
) -> None:
    """A stream that has begun still ends in the error that stopped it, never in OK."""
    failing.store.tear = tear
    received: list[bytes] = []

    with failing.running.client() as client, client.stream(guid, timeout=10) as stream:
        with pytest.raises(kind) as caught:
            received.extend(stream)
        verified = stream.verified

    assert sum(map(len, received)) == BLOCK_BYTES
    assert not verified
    assert SECRET not in str(caught.value.__cause__)
    assert log.of(caught.value.call_id)[-1].pairs["code"] == kind.status


def test_server_goes_on_after_any_error(failing: FailingServer, guid: str) -> None:
    """No error takes a thread or a place in a room with it."""
    for _ in range(10):  # a connection each: pytest keeps what is logged, and so every call
        with failing.running.client() as client:
            for error in UNFORESEEN:
                failing.repository.failure = error
                for act in (client.get, client.read):
                    with pytest.raises(InternalError):
                        act(guid, timeout=10)
    failing.repository.failure = None

    with failing.running.client() as client:
        assert client.read(guid).verified
