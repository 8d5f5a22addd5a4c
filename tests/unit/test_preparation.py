"""What is said of a start, or a check, that comes to nothing."""

import pytest

from pixy_grpc.core.exceptions import (
    DBConnectionError,
    ImageException,
    StorageUnavailableError,
)
from pixy_grpc.preparation import OutOfReachError, blamed_on, cause_of


@pytest.mark.parametrize(
    ("cause", "said"),
    [(None, ""), (TimeoutError(), ""), (OSError(13, "Refused"), " ([Errno 13] Refused)")],
)
def test_cause_is_said_where_it_says_anything(cause: Exception | None, said: str) -> None:
    error = StorageUnavailableError("Away.")
    error.__cause__ = cause

    assert cause_of(error) == said


@pytest.mark.parametrize(
    ("error", "setting"),
    [(DBConnectionError, "PIXY_DATABASE_URL"), (StorageUnavailableError, "PIXY_IMAGES")],
)
def test_what_the_store_says_is_not_blamed_on_the_database(
    error: type[ImageException], setting: str
) -> None:
    """A folder that cannot be listed is met while the database takes older images over."""
    with pytest.raises(OutOfReachError, match=f"^{setting}: Away"), blamed_on("PIXY_DATABASE_URL"):
        raise error("Away.")
