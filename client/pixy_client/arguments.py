"""Tells a caller of an argument of another type: protobuf says no more than "bad argument"."""

from datetime import datetime


def check_text(**arguments: object) -> None:
    """Raise TypeError for an argument that is neither text nor None, and name it."""
    for name, value in arguments.items():
        if not isinstance(value, str | None):
            raise TypeError(f"{name} takes a str, not {type(value).__name__}.")


def check_number(**arguments: object) -> None:
    """Raise TypeError for an argument that is not a whole number, and name it."""
    for name, value in arguments.items():
        if not isinstance(value, int):
            raise TypeError(f"{name} takes an int, not {type(value).__name__}.")


def check_moment(**arguments: object) -> None:
    """Raise TypeError for an argument that is neither a datetime nor None, and name it."""
    for name, value in arguments.items():
        if not isinstance(value, datetime | None):
            raise TypeError(f"{name} takes a datetime, not {type(value).__name__}.")
