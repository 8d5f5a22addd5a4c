"""An argument of another type is named, whichever call it is for."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from pixy_client import calls
from pixy_client.arguments import check_moment, check_number, check_text
from tests.unit.client.images import GUID

WRONG: dict[str, Callable[[], object]] = {
    "size takes a str, not tuple": lambda: calls.create("x", size=(512, 512)),  # type: ignore[arg-type]  # refused
    "prompt takes a str, not int": lambda: calls.create(7),  # type: ignore[arg-type]  # refused
    "guid takes a str, not bytes": lambda: calls.get(b"x"),  # type: ignore[arg-type]  # refused
    "offset takes an int, not str": lambda: calls.read(calls.Reading(GUID, "0")),  # type: ignore[arg-type]  # refused
    "filename takes a str, not list": lambda: calls.update(GUID, [], None),  # type: ignore[arg-type]  # refused
    "page_size takes an int, not NoneType": lambda: calls.list_page(
        calls.Listing(page_size=None),  # type: ignore[arg-type]  # refused
        "",
    ),
    "created_after takes a datetime, not str": lambda: calls.list_page(
        calls.Listing(created_after="2026-11-22"),  # type: ignore[arg-type]  # refused
        "",
    ),
    "created_before takes a datetime, not date": lambda: calls.list_page(
        calls.Listing(created_before=date(2026, 11, 22)),  # type: ignore[arg-type]  # refused
        "",
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_description_with_an_argument_of_another_type_names_it(message: str) -> None:
    """Protobuf would say "bad argument type for built-in operation"."""
    with pytest.raises(TypeError, match=message):
        WRONG[message]()


def test_check_of_arguments_of_the_right_type_passes() -> None:
    """Text that may be left out may be None."""
    check_text(prompt="x", filename=None)
    check_number(offset=0)
    check_moment(created_after=datetime(2026, 11, 22, tzinfo=UTC), created_before=None)
