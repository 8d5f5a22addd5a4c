"""How `pixy-grpc fsck` tells what it finds: lines and a bar to people, JSON to programs."""

import json
import os
import sys
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Protocol, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from pixy_grpc.service.fsck import Action, Counts, Event, Fault, Finding, Progress, Repair, Step

_Named = tuple[Fault, str, str]
"""A fault, and the guid and the key of what has it."""


@dataclass
class Tally:
    """What was found, each thing once however often it was told, and what of it is left."""

    found: Counter[Fault] = field(default_factory=Counter)
    done: Counter[Action] = field(default_factory=Counter)
    _left: set[_Named] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, Finding):
            named = _named(event.fault, event.guid, event.key)
            self.found[event.fault] += named not in self._left
            self._left.add(named)
        elif isinstance(event, Repair):
            self.done[event.action] += 1
            if event.fault:
                self._left.discard(_named(event.fault, event.guid, event.key))

    @property
    def left(self) -> int:
        """How many findings nothing was done about."""
        return len(self._left)


def _named(fault: Fault, guid: str, key: str) -> _Named:
    """Tell one finding from others: of unknown bytes the key is known once they are found."""
    return (fault, guid, "" if fault is Fault.UNKNOWN_BYTES else key)


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `stopped` says why it did not come to its end, if it did not."""

    tally: Tally
    counts: Counts
    stopped: str = ""


class Report(AbstractContextManager["Report"], Protocol):
    """Tells events as they come, and the outcome at the end."""

    def show(self, event: Event) -> None:
        """Tell one event."""

    def conclude(self, outcome: Outcome) -> None:
        """Tell how it ended."""


class JsonReport:
    """One JSON object a line: findings, repairs, and a summary as the last."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, event: Event) -> None:
        """Print what is no progress."""
        if isinstance(event, Finding):
            _print_json({"event": "finding", **asdict(event)})
        elif isinstance(event, Repair):
            _print_json({"event": "repair", **asdict(event)})

    def conclude(self, outcome: Outcome) -> None:
        """Print the summary."""
        tally = outcome.tally
        _print_json(
            {
                "event": "summary",
                **asdict(outcome.counts),
                "found": dict(tally.found),
                "done": dict(tally.done),
                "left": tally.left,
                "stopped": outcome.stopped,
            }
        )


class TextReport:
    """A line for each thing, and a bar on a terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            redirect_stdout=bool(sys.stdout and sys.stdout.isatty()),
        )
        self._tasks: dict[Step, TaskID] = {}

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, event: Event) -> None:
        """Print a line, or move the bar."""
        if isinstance(event, Progress):
            self._move(event)
        elif isinstance(event, Finding):
            _print(_line(event.fault, event.guid, event.key, event.detail))
        else:
            _print(_line(event.action, event.guid, event.key, ""))

    def conclude(self, outcome: Outcome) -> None:
        """Print the summary, and what is not wrong but worth knowing."""
        self._bar.stop()
        counts, tally = outcome.counts, outcome.tally
        found = sum(tally.found.values())
        so_far = " so far" if outcome.stopped else ""
        said = f"{found} wrong, {tally.left} left" if found else "nothing is wrong"
        _print(f"{counts.images} images and {counts.objects} objects looked at{so_far}: {said}.")
        for text, count in (
            ("images without sums to hold them to, until --adopt", counts.unverified),
            ("objects that are too young to be judged", counts.young),
            ("objects of creations that run, or that wait for --adopt", counts.in_progress),
            ("objects that stay in quarantine", counts.kept_in_quarantine),
        ):
            if count:
                _print(f"{text}: {count}")

    def _move(self, progress: Progress) -> None:
        if progress.step not in self._tasks:
            self._tasks[progress.step] = self._bar.add_task(progress.step)
        task = self._tasks[progress.step]
        self._bar.update(task, completed=progress.at, total=progress.total)


class OutputError(Exception):
    """What was found cannot be written: the disk is full, or whoever reads it has gone."""


def _print(line: str) -> None:
    """Print a line, whole, now. Raises OutputError; from then on nobody hears anything."""
    if sys.stdout is None:  # whoever began this process closed it
        raise OutputError("What is found cannot be written: there is no standard output.")
    try:
        typer.echo(_encodable(line))
    except OSError as error:
        _be_silent()
        raise OutputError(f"What is found cannot be written: {error.strerror}.") from error


def _encodable(line: str) -> str:
    """Return a line as the output can hold it, which is told by the locale."""
    encoding = sys.stdout.encoding
    return line.encode(encoding, "backslashreplace").decode(encoding)


def _be_silent() -> None:
    """Let the end of the process write what waits in a buffer to where there is room."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _print_json(document: object) -> None:
    """Print on one line, in ASCII, which no terminal or locale can spoil."""
    _print(json.dumps(document))


def _line(what: str, guid: str, key: str, detail: str) -> str:
    named = [f"guid={guid}" if guid else "", f"key={key}" if key else "", detail]
    return "".join(map(_escaped, " ".join([what, *filter(None, named)])))


def _escaped(character: str) -> str:
    """Return a character as no terminal takes it for a command: names may hold anything."""
    return character if character.isprintable() else repr(character)[1:-1]
