"""The format of a log line, and what no text in it can do."""

import contextvars
import logging
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixy_grpc.logs import CallFormatter
from pixy_grpc.web.scope import RpcScope, name_creation, open_scope
from tests.e2e.rpc.logbook import CALL_ID, LINE

REQUEST_ID = "0B9D1F9E-6b0f-4c2d-9a54-3d0c2a7f1e55"


def record(text: str, *values: object) -> logging.LogRecord:
    """Return an event as a logger would make it."""
    return logging.LogRecord("pixy_grpc.x", logging.INFO, "x.py", 12, text, values, None, "act")


def formatted(text: str, *values: object) -> str:
    """Return the line of an event outside of any call."""
    return CallFormatter().format(record(text, *values))


def test_line_outside_of_a_call_has_no_call_id() -> None:
    """What belongs to no call says so, in the same format."""
    match = LINE.fullmatch(formatted("health of=%s", "store"))

    assert match
    assert (match["call_id"], match["level"], match["message"]) == ("-", "INFO", "health of=store")
    assert (match["method"], match["line"]) == ("act", "12")


def test_line_inside_of_a_call_has_its_id() -> None:
    """The scope that is open names the line, and no other."""

    def call() -> tuple[RpcScope, str]:
        return open_scope("/x"), formatted("in")

    scope, line = contextvars.copy_context().run(call)

    match = LINE.fullmatch(line)
    assert match
    assert match["call_id"] == scope.call_id
    assert CALL_ID.fullmatch(scope.call_id)
    assert " - [" in formatted("out")


def test_ids_of_calls_differ() -> None:
    """However fast they come, calls of one thread are told apart."""
    ids = [RpcScope("/x").call_id for _ in range(200)]

    assert len(set(ids)) == len(ids)


@settings(deadline=None)
@given(st.text())
def test_any_text_stays_on_its_line(text: str) -> None:
    """No character of a client's ends a line, moves a cursor or hides what follows."""
    line = formatted("method=%s code=OK", text)

    assert line.isprintable()
    assert line.splitlines() == [line]
    assert line.endswith(" code=OK")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("a\r\tb", "a\\r\\tb"),
        ("a\x1b[2J", "a\\x1b[2J"),
        ("a\u2028b", "a\\u2028b"),
        ("a\u202eb", "a\\u202eb"),
        ("狐 ß", "狐 ß"),
    ],
)
def test_control_characters_are_shown_escaped(text: str, shown: str) -> None:
    """What cannot be printed is written out; letters of every script are kept."""
    assert formatted("%s", text).endswith(shown)


def test_traceback_follows_the_line() -> None:
    """The line itself stays in the format, whatever an exception adds behind it."""
    event = record("unforeseen")
    try:
        int("no number")
    except ValueError:
        event.exc_info = sys.exc_info()

    line, _, traceback = CallFormatter().format(event).partition("\n")

    assert LINE.fullmatch(line)
    assert traceback.strip().startswith("Traceback (most recent call last):")
    assert traceback.strip().endswith("'no number'")


@pytest.mark.parametrize(
    ("text", "noted"), [(REQUEST_ID, REQUEST_ID), ("x" * 36, ""), ("", ""), (REQUEST_ID + "\n", "")]
)
def test_only_a_request_id_is_noted_as_one(text: str, noted: str) -> None:
    """What goes into every error of a creation is the caller's id, and no other text."""

    def call() -> str:
        scope = open_scope("/x")
        name_creation(text)
        return scope.request_id

    assert contextvars.copy_context().run(call) == noted
