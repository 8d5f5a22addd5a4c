"""Shows how far a creation has come: live on a terminal, not at all elsewhere."""

import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pixy_client.cli.saving import check_writable
from pixy_client.cli.text import plain
from pixy_client.errors import SettingsError, UnreadableAnswerError
from pixy_client.results import (
    Creation,
    CreationAccepted,
    CreationEvent,
    CreationGenerating,
    CreationStored,
    PartialImage,
)
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.progress import MAX_PARTIAL_IMAGES

_EXTENSIONS = {each.content_type: each.extension for each in ImageFormat}


class PartialFolder:
    """Where unfinished images are saved: nowhere, unless a folder is named.

    Raises SettingsError for a folder that is not there, or where nothing can be written:
    before an image is paid for.
    """

    def __init__(self, path: str | None, request_id: str) -> None:
        self._folder = Path(path) if path else None
        self._request_id = request_id
        if self._folder and not self._folder.is_dir():
            raise SettingsError(f"There is no such folder: {self._folder}")
        if path:
            check_writable(path)

    @property
    def wanted(self) -> int:
        """How many unfinished images to ask for: they may cost extra."""
        return MAX_PARTIAL_IMAGES if self._folder else 0

    def save(self, partial: PartialImage) -> None:
        """Write one to a file of its own. Raises OSError."""
        if self._folder:
            extension = _EXTENSIONS.get(partial.content_type, ".bin")
            name = f"{self._request_id}-{partial.index}{extension}"
            (self._folder / name).write_bytes(partial.data)


def watch(events: Iterable[CreationEvent], partials: PartialFolder, *, as_json: bool) -> Creation:
    """Return what a creation has come to; show each step, and save what is unfinished."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=as_json or not sys.stderr.isatty(),
    ) as shown:
        step = shown.add_task("asking", total=None)
        for event in events:
            if isinstance(event, Creation):
                return event
            if isinstance(event, PartialImage):
                partials.save(event)
            shown.update(step, description=describe(event), refresh=True)
    raise UnreadableAnswerError("Nothing tells of an image.")


def describe(event: CreationEvent) -> str:
    """Return what has happened as a few words that are safe on a terminal."""
    match event:
        case CreationAccepted(waiting=True):
            return "waiting for the call that makes it"
        case CreationAccepted():
            return "accepted"
        case CreationGenerating(generator):
            return plain(f"generating by {generator}")
        case PartialImage(index):
            return f"generating, partial image {index + 1}"
        case CreationStored(size_bytes):
            return f"stored, {size_bytes:,} bytes"
        case Creation():
            return "done"
