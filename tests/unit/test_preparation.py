"""What is said of a start, or a check, that comes to nothing."""

import pytest

from pixy_grpc.core.exceptions import StorageUnavailableError
from pixy_grpc.preparation import cause_of


@pytest.mark.parametrize(
    ("cause", "said"),
    [(None, ""), (TimeoutError(), ""), (OSError(13, "Refused"), " ([Errno 13] Refused)")],
)
def test_cause_is_said_where_it_says_anything(cause: Exception | None, said: str) -> None:
    error = StorageUnavailableError("Away.")
    error.__cause__ = cause

    assert cause_of(error) == said
