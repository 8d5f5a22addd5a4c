"""What `pixy` says when it fails, without a terminal or a server."""

import grpc
import pytest

from pixy_client import (
    CallCancelledError,
    ContentPolicyError,
    CreationInProgressError,
    DeadlineExceededError,
    FieldViolation,
    ImageException,
    InternalError,
    InvalidPromptError,
    InvalidTokenError,
    MissingTokenError,
    ProviderMisconfiguredError,
    ProviderOutcomeUnknownError,
    ProviderUnavailableError,
    RecordNotFoundError,
    RequestIdReusedError,
    SettingsError,
    TooManyCreatesError,
    UnreachableError,
    UnreadableAnswerError,
)
from pixy_client.cli.attempts import Attempt
from pixy_client.cli.exits import ExitCode
from pixy_client.cli.failures import Failure
from pixy_client.translation import CallContext, from_rpc
from tests.unit.client.refusal import Refusal


def test_failure_line_says_how_to_go_on() -> None:
    """Reason, message, what is wrong with a field, when to come back, and both ids."""
    error = InvalidPromptError(
        "No good.",
        violations=(FieldViolation("prompt", "Too long."), FieldViolation("x", "No good.")),
        retry_delay_seconds=2.0,
        call_id="c-1",
    )

    line = Failure.of(error, Attempt("r-1", is_made=True)).line()

    assert line == (
        "pixy: INVALID_PROMPT: No good. (prompt: Too long.; try again in 2 s; call id c-1; "
        "ask for the same image again with --request-id r-1)"
    )


@pytest.mark.parametrize(
    "error",
    [
        DeadlineExceededError("x"),
        UnreachableError("x"),
        CallCancelledError("x"),
        UnreadableAnswerError("x"),
        ProviderOutcomeUnknownError("x"),
        CreationInProgressError("x"),
        InternalError("x"),
        OSError("full"),
        KeyboardInterrupt(),
    ],
)
def test_failure_after_which_an_image_may_exist_says_how_to_get_it(error: BaseException) -> None:
    """It may have been paid for."""
    line = Failure.of(error, Attempt("r-1")).line()

    assert line.count("--request-id r-1") == 1


@pytest.mark.parametrize(
    "error",
    [
        InvalidPromptError("x"),
        RequestIdReusedError("x"),
        ContentPolicyError("x"),
        InvalidTokenError("x"),
        MissingTokenError("x"),
        SettingsError("x"),
        TooManyCreatesError("x"),
        ProviderUnavailableError("x"),
        ProviderMisconfiguredError("x"),
    ],
)
def test_failure_that_made_nothing_names_no_request_id(error: ImageException) -> None:
    """To ask again would be told the same, or bring another image."""
    line = Failure.of(error, Attempt("r-1")).line()

    assert "--request-id" not in line


def test_failure_that_lost_a_creation_says_once_to_ask_again() -> None:
    """The message says it to programs, the hint to people."""
    lost = from_rpc(Refusal(grpc.StatusCode.UNAVAILABLE, "x"), CallContext("a:1", 1.0, "r-1"))

    failure = Failure.of(lost, Attempt("r-1"))

    assert failure.line().count("again") == 1
    assert "same request id" in failure.message


def test_failure_never_shows_an_id_of_the_server() -> None:
    """What is shown for pasting was made here."""
    error = InternalError("x", request_id="evil; rm -rf ~")

    failures = [Failure.of(error, attempt) for attempt in (Attempt(), Attempt("r-1"))]

    assert not any("evil" in failure.line() for failure in failures)
    assert [failure.request_id for failure in failures] == ["", "r-1"]


def test_failure_of_a_setting_is_plain_words() -> None:
    """A status of gRPC explains nothing to who mistyped an option."""
    failure = Failure.of(SettingsError("PIXY_TOKEN holds a character."), Attempt())

    assert failure.line() == "pixy: PIXY_TOKEN holds a character."
    assert (failure.code, failure.reason) == (2, "UNUSABLE_SETTING")


def test_failure_line_of_server_text_is_harmless() -> None:
    """A server's text gives no orders to a terminal, and stays on its line."""
    line = Failure.of(RecordNotFoundError("gone\x1b]0;title\x07\nnow\x1b[2J"), Attempt()).line()

    assert line == "pixy: IMAGE_NOT_FOUND: gone now"


def test_failure_of_a_file_names_it() -> None:
    """What the file system refuses is said in its words."""
    failure = Failure.of(PermissionError(13, "Permission denied", "/there"), Attempt())

    assert failure.line() == "pixy: FILE_ERROR: Permission denied: /there"
    assert failure.code == ExitCode.FAILED


def test_failure_of_a_file_without_a_name_says_what_it_can() -> None:
    """Not every OSError has a number and a name."""
    failure = Failure.of(OSError("odd"), Attempt())

    assert failure.line() == "pixy: FILE_ERROR: odd"


def test_failure_of_an_interrupted_creation_names_its_request_id() -> None:
    """Who gives up waiting can still get the image that may have been paid for."""
    failure = Failure.of(KeyboardInterrupt(), Attempt("r-1"))

    assert failure.code == 130
    assert "--request-id r-1" in failure.line()
