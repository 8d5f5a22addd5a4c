"""Every exception of the tree, raised in the server and caught from the client."""

import uuid
from collections.abc import Callable, Iterator

import pytest

from pixy_client import Client
from pixy_grpc.core.exceptions import FieldViolation, ImageException, conditions
from tests.e2e.rpc.failing import FailingServer, failing_server
from tests.e2e.rpc.logbook import LogBook
from tests.e2e.rpc.wire import GET, LIST, ask, refused

GUID = "00000000-0000-4000-8000-000000000000"

TABLE = {
    "INVALID_ARGUMENT": [
        "MALFORMED_REQUEST",
        "INVALID_PROMPT",
        "INVALID_FILENAME",
        "INVALID_GUID",
        "INVALID_SIZE",
        "INVALID_QUALITY",
        "INVALID_FORMAT",
        "INVALID_PAGE_SIZE",
        "INVALID_PAGE_TOKEN",
        "INVALID_TIME_RANGE",
        "INVALID_REQUEST_ID",
        "REQUEST_ID_REUSED",
        "CONTENT_POLICY",
    ],
    "OUT_OF_RANGE": ["INVALID_OFFSET"],
    "NOT_FOUND": ["IMAGE_NOT_FOUND"],
    "ALREADY_EXISTS": ["CONSTRAINT_VIOLATION"],
    "UNAUTHENTICATED": ["INVALID_TOKEN"],
    "RESOURCE_EXHAUSTED": [
        "TOO_MANY_READS",
        "TOO_MANY_CREATES",
        "TOO_MANY_DOWNLOADS",
        "PROVIDER_RATE_LIMITED",
        "PROVIDER_QUOTA",
        "STORAGE_FULL",
    ],
    "UNAVAILABLE": ["DATABASE_UNAVAILABLE", "STORAGE_UNAVAILABLE", "PROVIDER_UNAVAILABLE"],
    "DEADLINE_EXCEEDED": ["DEADLINE_TOO_SHORT"],
    "ABORTED": ["CREATION_IN_PROGRESS", "TRANSACTION_CONFLICT", "IMAGE_CHANGED"],
    "FAILED_PRECONDITION": ["PROVIDER_MISCONFIGURED"],
    "UNKNOWN": ["PROVIDER_OUTCOME_UNKNOWN"],
    "DATA_LOSS": ["IMAGE_CORRUPT"],
    "INTERNAL": ["PROVIDER_BAD_RESPONSE", "INTERNAL"],
}
"""DESIGN.md, section 3, without what is marked (later)."""

REASONS = [(reason, status) for status, reasons in TABLE.items() for reason in reasons]

VIOLATIONS = (FieldViolation("prompt", "Too grey."), FieldViolation("size", "Größe ≠ 雪."))


@pytest.fixture(scope="module")
def failing() -> Iterator[FailingServer]:
    """Serve from a repository that raises what it is told to."""
    with failing_server() as running:
        yield running


def test_the_table_is_every_condition_there_is() -> None:
    """No reason is missing from the contract, none is there that nobody raises."""
    assert set(conditions()) == {reason for reason, _ in REASONS}
    assert {kind.__name__ for kind in conditions().values()} >= {
        "DBConnectionError",
        "RecordNotFoundError",
        "ConstraintViolationError",
    }


@pytest.mark.parametrize(("reason", "status"), REASONS)
def test_condition_leaves_with_its_status_and_details(
    failing: FailingServer, log: LogBook, reason: str, status: str
) -> None:
    """On the wire each reason has its status, the domain, and all that was known."""
    error = conditions()[reason]("What happened.", violations=VIOLATIONS, retry_delay_seconds=1.25)
    failing.repository.failure = error

    with failing.running.channel() as channel:
        refusal = refused(lambda: ask(channel, LIST, b"", metadata=failing.running.metadata()))

    assert (refusal.status, refusal.reason) == (status, reason)
    assert (refusal.domain, refusal.text) == ("pixy.v1", "What happened.")
    assert refusal.violations == tuple((each.field, each.description) for each in VIOLATIONS)
    assert refusal.retry_seconds == 1.25
    assert set(refusal.metadata) == {"call_id"}
    end = log.of(refusal.metadata["call_id"])[-1]
    assert end.pairs["code"] == status


@pytest.mark.parametrize(("reason", "status"), REASONS)
def test_condition_of_a_creation_comes_back_as_the_same_exception(
    failing: FailingServer, log: LogBook, reason: str, status: str
) -> None:
    """The client's user catches what the server raised, with both ids to ask about it."""
    kind = conditions()[reason]
    error = kind("Non-ASCII: 雪 ß\nline", violations=VIOLATIONS, retry_delay_seconds=0.5)
    failing.repository.failure = error
    request_id = str(uuid.uuid4())

    with failing.running.client() as client, pytest.raises(ImageException) as caught:
        client.create("a fox", size="64x64", request_id=request_id)

    raised = caught.value
    assert type(raised) is kind
    assert (raised.reason, raised.status) == (reason, status)
    assert raised.message == error.message
    assert raised.violations == VIOLATIONS
    assert raised.retry_delay_seconds == 0.5
    assert raised.request_id == request_id
    assert log.of(raised.call_id)[-1].pairs["code"] == status


@pytest.mark.parametrize("reason", ["IMAGE_NOT_FOUND", "INTERNAL"])
def test_condition_of_any_call_comes_back_as_the_same_exception(
    failing: FailingServer, reason: str
) -> None:
    """Unary calls, pages and streams fail alike; without a request id where they have none."""
    failing.repository.failure = conditions()[reason]("No.")

    with failing.running.client() as client:
        for act in (client.get, client.read, client.update, client.delete, listed(client)):
            with pytest.raises(conditions()[reason]) as caught:
                act(GUID)
            assert (caught.value.message, caught.value.request_id) == ("No.", "")
            assert caught.value.violations == ()
            assert caught.value.retry_delay_seconds is None


def listed(client: Client) -> Callable[[str], object]:
    """Return an act that lists, whatever guid it is given."""
    return lambda _guid: list(client.list())


def test_error_carries_the_request_id_as_the_caller_wrote_it(failing: FailingServer) -> None:
    """What the caller looks for in their own log is what they sent."""
    request_id = "ABCDEF00-0000-4000-8000-00000000ABCD"
    failing.repository.failure = conditions()["INTERNAL"]("No.")

    with failing.running.client() as client, pytest.raises(ImageException) as caught:
        client.create("a fox", size="64x64", request_id=request_id)

    assert caught.value.request_id == request_id


@pytest.mark.parametrize("letter", ["x", "ß", "雪", "🦊", "%", "\n", "\x00"], ids=ascii)
def test_long_texts_are_cut_and_keep_their_status(failing: FailingServer, letter: str) -> None:
    """Text is under 1 KB of UTF-8: with more, the transport may drop the status itself."""
    long = letter * 5_000
    violations = [FieldViolation("prompt", long), FieldViolation("filename", long)]
    failing.repository.failure = conditions()["INVALID_PROMPT"](long, violations=violations)

    with failing.running.channel() as channel:
        refusal = refused(
            lambda: ask(channel, GET, guid_message(), metadata=failing.running.metadata())
        )

    assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_PROMPT")
    texts = [refusal.text, *(description for _, description in refusal.violations)]
    assert all(200 < len(text.encode()) < 1024 and set(text) == {letter} for text in texts)


def guid_message() -> bytes:
    """Return an encoded request for GUID."""
    return b"\x0a\x24" + GUID.encode()
