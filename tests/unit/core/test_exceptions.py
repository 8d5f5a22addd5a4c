"""The tree of errors is the contract's table."""

import inspect

import pytest

from pixy_grpc.core import exceptions
from pixy_grpc.core.exceptions import (
    ConcurrencyError,
    ConstraintViolationError,
    DBConnectionError,
    FieldViolation,
    ImageException,
    InternalError,
    InvalidArgumentError,
    InvalidPromptError,
    RecordNotFoundError,
    ResourceExhaustedError,
    ServiceUnavailableError,
    conditions,
)

CONTRACT = {
    "INVALID_ARGUMENT": {
        *("MALFORMED_REQUEST", "INVALID_PROMPT", "INVALID_FILENAME", "INVALID_GUID"),
        *("INVALID_SIZE", "INVALID_QUALITY", "INVALID_FORMAT", "INVALID_PAGE_SIZE"),
        *("INVALID_PAGE_TOKEN", "INVALID_TIME_RANGE", "INVALID_REQUEST_ID"),
        *("REQUEST_ID_REUSED", "CONTENT_POLICY"),
    },
    "OUT_OF_RANGE": {"INVALID_OFFSET"},
    "NOT_FOUND": {"IMAGE_NOT_FOUND"},
    "ALREADY_EXISTS": {"CONSTRAINT_VIOLATION"},
    "UNAUTHENTICATED": {"INVALID_TOKEN"},
    "RESOURCE_EXHAUSTED": {
        *("TOO_MANY_READS", "TOO_MANY_CREATES", "TOO_MANY_DOWNLOADS"),
        *("PROVIDER_RATE_LIMITED", "PROVIDER_QUOTA", "STORAGE_FULL"),
    },
    "UNAVAILABLE": {"DATABASE_UNAVAILABLE", "STORAGE_UNAVAILABLE", "PROVIDER_UNAVAILABLE"},
    "DEADLINE_EXCEEDED": {"DEADLINE_TOO_SHORT"},
    "ABORTED": {"CREATION_IN_PROGRESS", "TRANSACTION_CONFLICT", "IMAGE_CHANGED"},
    "FAILED_PRECONDITION": {"PROVIDER_MISCONFIGURED"},
    "UNKNOWN": {"PROVIDER_OUTCOME_UNKNOWN"},
    "DATA_LOSS": {"IMAGE_CORRUPT"},
    "INTERNAL": {"PROVIDER_BAD_RESPONSE", "INTERNAL"},
}
"""The reasons of each status, without those that come later."""

FAMILIES = [
    ImageException,
    InvalidArgumentError,
    ResourceExhaustedError,
    ServiceUnavailableError,
    ConcurrencyError,
]


def _all_exceptions() -> list[type[ImageException]]:
    classes = (each for _, each in inspect.getmembers(exceptions, inspect.isclass))
    return [each for each in classes if issubclass(each, ImageException)]


def test_conditions_are_the_table_of_the_contract() -> None:
    """Each reason under its status, no more and no fewer."""
    table: dict[str, set[str]] = {}
    for reason, kind in conditions().items():
        table.setdefault(kind.status, set()).add(reason)

    assert table == CONTRACT


def test_every_class_is_a_condition_or_a_family() -> None:
    """No condition is lost by sharing its reason with another."""
    assert set(conditions().values()) == set(_all_exceptions()) - set(FAMILIES)


@pytest.mark.parametrize("kind", _all_exceptions(), ids=lambda kind: kind.__name__)
def test_exception_is_documented_in_the_tree(kind: type[ImageException]) -> None:
    """The drawing at the top of the module shows each class."""
    drawing = exceptions.__doc__ or ""

    assert kind.__name__ in drawing
    assert kind.__doc__


@pytest.mark.parametrize("kind", FAMILIES[1:], ids=lambda kind: kind.__name__)
def test_family_has_one_status(kind: type[ImageException]) -> None:
    """Who catches a family knows the status of what it caught."""
    members = [each for each in conditions().values() if issubclass(each, kind)]

    assert len(members) > 1
    assert {each.status for each in members} == {kind.status}
    assert kind.reason == ""


@pytest.mark.parametrize(
    "kind", [DBConnectionError, RecordNotFoundError, ConstraintViolationError, InternalError]
)
def test_exception_keeps_its_message(kind: type[ImageException]) -> None:
    """It is what `str` shows too; nothing else is assumed."""
    error = kind("what went wrong")

    assert error.message == str(error) == "what went wrong"
    assert error.violations == ()
    assert error.retry_delay_seconds is None
    assert error.call_id == error.request_id == ""


def test_exception_keeps_what_it_is_given() -> None:
    violation = FieldViolation("prompt", "is empty")

    error = InvalidPromptError(
        "No.", violations=[violation], retry_delay_seconds=2.5, call_id="c", request_id="r"
    )

    assert error.violations == (violation,)
    assert (error.retry_delay_seconds, error.call_id, error.request_id) == (2.5, "c", "r")
