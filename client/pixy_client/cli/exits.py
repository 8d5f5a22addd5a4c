"""The exit codes of `pixy`: what a script can tell without reading a message."""

from enum import IntEnum

from pixy_client.errors import SettingsError, status_of
from pixy_grpc.core.exceptions import ImageException

SIGNALLED = 128
"""What shells add to the number of the signal that ended a command."""


class ExitCode(IntEnum):
    """How a run ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    NOT_ALLOWED = 5
    BUSY = 6
    UNAVAILABLE = 7
    CORRUPT = 8
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS = {
    ExitCode.OK: "it worked",
    ExitCode.FAILED: "anything not listed here",
    ExitCode.USAGE: "an argument, option or setting that cannot be used",
    ExitCode.NOT_FOUND: "there is no such image",
    ExitCode.REFUSED: "refused: an invalid value, content policy, precondition",
    ExitCode.NOT_ALLOWED: "the token is missing, unknown or not enough",
    ExitCode.BUSY: "busy or limited: the same again later may work",
    ExitCode.UNAVAILABLE: "unreachable, unavailable, or no answer in time",
    ExitCode.CORRUPT: "the bytes of the image are damaged",
    ExitCode.HUNG_UP: "its terminal was closed (SIGHUP)",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.TERMINATED: "asked to end (SIGTERM)",
}

_BY_STATUS = {
    "NOT_FOUND": ExitCode.NOT_FOUND,
    "INVALID_ARGUMENT": ExitCode.REFUSED,
    "OUT_OF_RANGE": ExitCode.REFUSED,
    "FAILED_PRECONDITION": ExitCode.REFUSED,
    "UNAUTHENTICATED": ExitCode.NOT_ALLOWED,
    "PERMISSION_DENIED": ExitCode.NOT_ALLOWED,
    "RESOURCE_EXHAUSTED": ExitCode.BUSY,
    "ABORTED": ExitCode.BUSY,
    "UNAVAILABLE": ExitCode.UNAVAILABLE,
    "DEADLINE_EXCEEDED": ExitCode.UNAVAILABLE,
    "DATA_LOSS": ExitCode.CORRUPT,
}


def exit_code(error: ImageException) -> ExitCode:
    """Return the code for an error that ended a run."""
    if isinstance(error, SettingsError):
        return ExitCode.USAGE
    return _BY_STATUS.get(status_of(error), ExitCode.FAILED)


def describe_exit_codes() -> str:
    """Return the codes and their meanings, a line each, for the help."""
    return "\n".join(f"{code.value:>5}  {meaning}" for code, meaning in MEANINGS.items())
