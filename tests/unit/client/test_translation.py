"""Every error of gRPC becomes one of ours."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from pixy_client import (
    CallCancelledError,
    DeadlineExceededError,
    ImageException,
    UnexpectedStatusError,
    UnreachableError,
)
from pixy_client.details import DETAILS_KEY
from pixy_client.errors import status_of
from pixy_client.translation import MAX_TRANSPORT_TEXT, CallContext, from_rpc
from pixy_grpc.core.exceptions import (
    ConcurrencyError,
    FieldViolation,
    InvalidArgumentError,
    ResourceExhaustedError,
    ServiceUnavailableError,
    TooManyReadsError,
    conditions,
)
from tests.unit.client.refusal import Refusal, encoded_details

READ = CallContext("127.0.0.1:1", 30.0)
CREATION = CallContext("127.0.0.1:1", 30.0, request_id="mine")


@pytest.mark.parametrize(("reason", "kind"), conditions().items())
def test_translation_of_a_reason_gives_its_exception(
    reason: str, kind: type[ImageException]
) -> None:
    """Every condition of the contract's table arrives as its own class."""
    refusal = Refusal(grpc.StatusCode[kind.status], "What happened.", encoded_details(reason))

    error = from_rpc(refusal, READ)

    assert type(error) is kind
    assert error.message == "What happened."


def test_translation_keeps_what_the_details_say() -> None:
    """Violations, the delay and both ids are on the exception."""
    trailing = encoded_details(
        "TOO_MANY_READS",
        metadata={"call_id": "c-1", "request_id": "theirs"},
        violations={"prompt": "Too long."},
        delay=Duration(seconds=1, nanos=500_000_000),
    )

    error = from_rpc(Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "Full.", trailing), READ)

    assert isinstance(error, TooManyReadsError)
    assert error.violations == (FieldViolation("prompt", "Too long."),)
    assert error.retry_delay_seconds == 1.5
    assert (error.call_id, error.request_id) == ("c-1", "theirs")


def test_translation_for_a_creation_names_the_clients_own_request_id() -> None:
    """What was sent counts, whatever the answer says."""
    trailing = encoded_details("CONTENT_POLICY", metadata={"request_id": "theirs"})

    error = from_rpc(Refusal(grpc.StatusCode.INVALID_ARGUMENT, "No.", trailing), CREATION)

    assert error.request_id == "mine"


def test_translation_of_a_delay_below_zero_gives_none_to_wait() -> None:
    """Nobody is told to come back in the past."""
    trailing = encoded_details("TOO_MANY_READS", delay=Duration(seconds=-3))

    error = from_rpc(Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "Full.", trailing), READ)

    assert error.retry_delay_seconds == 0.0


@pytest.mark.parametrize(
    "family",
    [ConcurrencyError, InvalidArgumentError, ResourceExhaustedError, ServiceUnavailableError],
)
def test_translation_of_a_new_reason_gives_its_family(family: type[ImageException]) -> None:
    """A reason younger than this client is caught where its family is, and named."""
    refusal = Refusal(grpc.StatusCode[family.status], "Later.", encoded_details("NEW_ONE"))

    error = from_rpc(refusal, READ)

    assert type(error) is family
    assert error.message == "NEW_ONE: Later."


def test_translation_of_a_new_reason_without_family_keeps_the_status() -> None:
    """SCOPE_MISSING is to come; until then it is a refusal by its status."""
    trailing = encoded_details("SCOPE_MISSING", metadata={"call_id": "c-1"})

    error = from_rpc(Refusal(grpc.StatusCode.PERMISSION_DENIED, "No.", trailing), READ)

    assert isinstance(error, UnexpectedStatusError)
    assert (status_of(error), error.call_id) == ("PERMISSION_DENIED", "c-1")


TRANSPORT = {
    grpc.StatusCode.UNAVAILABLE: UnreachableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.CANCELLED: CallCancelledError,
}


@pytest.mark.parametrize("code", grpc.StatusCode)
def test_translation_of_a_bare_status_gives_a_client_error(code: grpc.StatusCode) -> None:
    """Without our details it is the transport that speaks: no condition is claimed."""
    error = from_rpc(Refusal(code, "as grpc says it"), READ)

    assert type(error) is TRANSPORT.get(code, UnexpectedStatusError)
    assert (error.reason, status_of(error)) == ("", code.name)


@pytest.mark.parametrize("code", [*TRANSPORT, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN])
def test_translation_of_a_lost_creation_says_to_ask_again(code: grpc.StatusCode) -> None:
    """A bare status promises nothing: the image may be there, and paid for."""
    error = from_rpc(Refusal(code, "lost"), CREATION)

    assert "same request id" in error.message
    assert error.request_id == "mine"


@pytest.mark.parametrize(
    "trailing",
    [
        None,
        (("other", "text"),),
        ((DETAILS_KEY, "text"),),
        ((DETAILS_KEY, b"\xff\xff"),),
        encoded_details("INTERNAL", domain="elsewhere.example"),
    ],
)
def test_translation_of_details_not_ours_ignores_them(
    trailing: tuple[tuple[str, str | bytes], ...] | None,
) -> None:
    """What does not parse, or comes from another service, decides nothing."""
    error = from_rpc(Refusal(grpc.StatusCode.INTERNAL, None, trailing), READ)

    assert type(error) is UnexpectedStatusError
    assert "no details" in error.message


def test_translation_of_an_error_without_a_call_says_what_it_can() -> None:
    """Some errors of gRPC carry no status."""
    error = from_rpc(grpc.RpcError("strange"), CREATION)

    assert isinstance(error, UnexpectedStatusError)
    assert "strange" in error.message
    assert error.request_id == "mine"


def test_translation_of_a_long_text_cuts_it() -> None:
    """The transport repeats itself for every address it tried."""
    error = from_rpc(Refusal(grpc.StatusCode.UNAVAILABLE, "x" * 5000), READ)

    assert len(error.message) < MAX_TRANSPORT_TEXT + 200
