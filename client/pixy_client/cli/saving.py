"""Where the bytes of an image go: a file, a folder, or standard output."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from pixy_client import files
from pixy_client.cli.failures import file_message
from pixy_client.cli.options import STDOUT
from pixy_client.cli.standard import is_closed
from pixy_client.cli.text import plain
from pixy_client.client import Client
from pixy_client.errors import SettingsError
from pixy_client.names import is_misnamed
from pixy_client.results import Download
from pixy_grpc.core.models import ImageFormat

_PATHS_OF_STDOUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
"""Links to the file that standard output goes to, which would be replaced."""


@dataclass(frozen=True)
class Rendition:
    """What is wanted in place of an image as it was stored."""

    max_side: int = 0
    format: ImageFormat | None = None


ORIGINAL = Rendition()
"""Nothing in its place."""


def check_output(output: str, *, as_json: bool) -> None:
    """Raise a usage error where bytes on standard output would do harm, or be lost."""
    if output in _PATHS_OF_STDOUT:
        raise typer.BadParameter("Standard output is a dash: --output -")
    if output == STDOUT and as_json:
        raise typer.BadParameter("--json and the bytes cannot share standard output.")
    if output == STDOUT and is_closed(sys.stdout):
        raise typer.BadParameter("Standard output is closed: name a file.")
    if output == STDOUT and sys.stdout.isatty():
        raise typer.BadParameter("Bytes are not for a terminal: name a file, or use a pipe.")


def check_writable(output: str) -> None:
    """Raise SettingsError where nothing could be written: before an image is paid for."""
    if output == STDOUT:
        return
    try:
        files.Destination.at(output).check()
    except OSError as exc:
        raise SettingsError(file_message(exc)) from exc


def save_image(
    client: Client, guid: str, output: str, *, as_json: bool, rendition: Rendition = ORIGINAL
) -> Download | None:
    """Write an image to its output; return the file, None for standard output.

    Standard output gets the bytes once all of them are there and right. A file whose
    extension belies the image is warned of, and written all the same.
    """
    if output == STDOUT:
        read = client.read(guid, max_side=rendition.max_side, format=rendition.format)
        sys.stdout.buffer.write(read.data)
        sys.stdout.buffer.flush()
        return None
    with _progress(is_shown=sys.stderr.isatty() and not as_json) as progress:
        saved = client.download(
            guid,
            output,
            max_side=rendition.max_side,
            format=rendition.format,
            progress=progress,
        )
    _warn_of_misnomer(saved)
    return saved


def _warn_of_misnomer(saved: Download) -> None:
    """Say where a name that was chosen says other than its image is: what opens it may fail."""
    content_type = saved.image.content_type
    if is_misnamed(saved.path.name, content_type):
        warning = f"pixy: {saved.path} holds {content_type}, whatever its extension says."
        typer.echo(plain(warning), err=True)


@contextmanager
def _progress(*, is_shown: bool) -> Iterator[files.Progress]:
    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
