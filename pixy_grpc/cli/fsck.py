"""What `pixy-grpc fsck` runs: a check from its first event to its exit code."""

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from types import FrameType

import typer

from pixy_grpc.cli.fsck_report import (
    JsonReport,
    Outcome,
    OutputError,
    Report,
    Tally,
    TextReport,
)
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.data.init import StoreMismatchError
from pixy_grpc.preparation import OutOfReachError, cause_of, checking
from pixy_grpc.service.fsck import Counts, Fsck, FsckLimits, Tasks, TooManyOrphansError
from pixy_grpc.settings import Settings, SettingsError

CLEAN = 0
FINDINGS = 1
REFUSED = 3
UNREACHABLE = 4
STOPPED = 130
"""Exit codes: the help of the command says what each means. 2 is a bad setting."""

EXIT_CODES = """\b
Exit codes:
  0    nothing is wrong, or nothing any more
  1    findings are left
  2    a setting or an option cannot be used
  3    refused: the store ids of database and store differ, or something was to
       be changed though over 1% of all objects belong to no image, and more
       than --allow-orphans; nothing was changed, unless those objects came to
       light only during the repair: then what was done is told
  4    the database, the store or whoever reads the output went away; run it
       again
  130  stopped by SIGINT or SIGTERM; what was done is whole
"""

LONGEST_AGE = timedelta(days=36_500)
"""A hundred years: nothing in quarantine is older, and no calendar ends before that."""

_DURATION = re.compile(r"(?P<count>\d{1,6})(?P<unit>[smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def purge_age(older_than: str, *, purge: bool) -> timedelta | None:
    """Return what age is purged, None where nothing is. Raises SettingsError."""
    if purge != bool(older_than):
        raise SettingsError("--purge-quarantine and --older-than go together: nothing else deletes")
    return _duration(older_than) if older_than else None


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if not match:
        raise SettingsError("--older-than takes a number and s, m, h, d or w, such as 30d")
    age = timedelta(**{_UNITS[match["unit"]]: int(match["count"])})
    if age > LONGEST_AGE:
        raise SettingsError(f"--older-than takes {LONGEST_AGE.days}d at most")
    return age


def run_fsck(
    settings: Settings, tasks: Tasks, *, as_json: bool, limits: FsckLimits | None = None
) -> int:
    """Check what the settings name, and tell it; return the exit code.

    The limits are those of the service unless given. Raises SettingsError.
    """
    try:
        with (
            _stoppable() as is_stopped,
            checking(settings, limits) as fsck,
            JsonReport() if as_json else TextReport() as report,
        ):
            return _told(fsck, tasks, report, is_stopped)
    except StoreMismatchError as error:
        return _never_began(REFUSED, str(error), as_json=as_json)
    except OutOfReachError as error:
        return _never_began(UNREACHABLE, str(error), as_json=as_json)
    except ImageException as error:
        return _never_began(UNREACHABLE, _said(error), as_json=as_json)
    except OutputError as error:
        return _ended(UNREACHABLE, str(error))


@contextmanager
def concluding(*, as_json: bool) -> Iterator[None]:
    """Have the last line of JSON say so where settings or options cannot be used."""
    try:
        yield
    except SettingsError as error:
        _conclude_unbegun(str(error), as_json=as_json)
        raise


def _told(fsck: Fsck, tasks: Tasks, report: Report, is_stopped: Callable[[], bool]) -> int:
    tally = Tally()
    stopped, code = "", CLEAN
    try:
        with closing(fsck.run(tasks)) as events:
            for event in events:
                tally.add(event)
                report.show(event)
                if is_stopped():
                    stopped, code = "stopped by a signal", STOPPED
                    break
    except TooManyOrphansError as error:
        stopped, code = str(error), REFUSED
    except ImageException as error:
        stopped, code = _said(error), UNREACHABLE
    report.conclude(Outcome(tally, fsck.counts, stopped))
    if stopped:
        return _ended(code, stopped)
    return FINDINGS if tally.left else CLEAN


def _said(error: ImageException) -> str:
    """Return what went wrong, and why: a caller is not told that, who mends it has to be."""
    return error.message + cause_of(error)


def _never_began(code: int, why: str, *, as_json: bool) -> int:
    _conclude_unbegun(why, as_json=as_json)
    return _ended(code, why)


def _conclude_unbegun(why: str, *, as_json: bool) -> None:
    """Tell a program why nothing was looked at; a person reads it in the line of the error."""
    if as_json:
        with suppress(OutputError):  # the code says enough
            JsonReport().conclude(Outcome(Tally(), Counts(), why))


def _ended(code: int, why: str) -> int:
    typer.echo(f"pixy-grpc: {why}", err=True)
    return code


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Yield what tells whether a signal came; a second one ends the process at once."""
    stopped = threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        stopped.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield stopped.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
