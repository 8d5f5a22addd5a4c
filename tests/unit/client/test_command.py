"""How `pixy` reads and exits, without a terminal or a server."""

from datetime import UTC, datetime

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from pixy_client import (
    CallCancelledError,
    DeadlineExceededError,
    ImageException,
    MissingTokenError,
    SettingsError,
    UnexpectedStatusError,
    UnreachableError,
    UnreadableAnswerError,
)
from pixy_client.cli.exits import MEANINGS, ExitCode, exit_code
from pixy_client.cli.options import parse_moment
from pixy_client.cli.text import plain
from pixy_grpc.core.exceptions import conditions

BY_STATUS = {
    "INVALID_ARGUMENT": 4,
    "OUT_OF_RANGE": 4,
    "FAILED_PRECONDITION": 4,
    "NOT_FOUND": 3,
    "ALREADY_EXISTS": 1,
    "UNAUTHENTICATED": 5,
    "RESOURCE_EXHAUSTED": 6,
    "ABORTED": 6,
    "UNAVAILABLE": 7,
    "DEADLINE_EXCEEDED": 7,
    "DATA_LOSS": 8,
    "UNKNOWN": 1,
    "INTERNAL": 1,
}


@pytest.mark.parametrize("kind", conditions().values())
def test_exit_code_of_a_condition_is_that_of_its_status(kind: type[ImageException]) -> None:
    """Every condition of the contract has its code."""
    code = exit_code(kind("What happened."))

    assert code == BY_STATUS[kind.status]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnreachableError("x"), 7),
        (DeadlineExceededError("x"), 7),
        (CallCancelledError("x"), 1),
        (UnreadableAnswerError("x"), 1),
        (MissingTokenError("x"), 5),
        (SettingsError("x"), 2),
        (UnexpectedStatusError("x", status_name="PERMISSION_DENIED"), 5),
        (UnexpectedStatusError("x", status_name="UNIMPLEMENTED"), 1),
    ],
)
def test_exit_code_of_a_client_error_is_documented(error: ImageException, code: int) -> None:
    """So has every error that only a client meets."""
    found = exit_code(error)

    assert found == code


def test_exit_codes_all_have_a_meaning() -> None:
    """`pixy --help` leaves none out."""
    assert set(MEANINGS) == set(ExitCode)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22T08:30", datetime(2026, 11, 22, 8, 30, tzinfo=UTC)),
        ("2026-11-22 08:30:05Z", datetime(2026, 11, 22, 8, 30, 5, tzinfo=UTC)),
        ("2026-11-22T08:30+02:00", datetime(2026, 11, 22, 6, 30, tzinfo=UTC)),
    ],
)
def test_parse_of_a_moment_counts_in_utc(text: str, moment: datetime) -> None:
    """A date or date-time of ISO 8601, in UTC unless it says otherwise."""
    parsed = parse_moment(text)

    assert parsed == moment
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00+14:00"])
def test_parse_of_no_moment_is_a_usage_error(text: str) -> None:
    """The text says what would have been one."""
    with pytest.raises(typer.BadParameter, match="ISO 8601"):
        parse_moment(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a red fox", "a red fox"),
        ("[bold]fox[/]", "[bold]fox[/]"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1bPdevice\x1b\\x", "x"),
        ("\x1b(Bx\x1bcy\x1b", "xy"),
        ("a\tb\r\nc\x00\x7f\x85d", "a b  c   d"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("👩\u200d🚀", "👩\u200d🚀"),
    ],
)
def test_plain_text_has_no_orders_for_a_terminal(text: str, shown: str) -> None:
    """Sequences and directions go, other control characters become spaces."""
    assert plain(text) == shown


@given(st.text())
def test_plain_text_of_any_text_has_no_control_character(text: str) -> None:
    """Whatever the text is."""
    shown = plain(text)

    assert all(character.isprintable() or ord(character) > 0x9F for character in shown)
