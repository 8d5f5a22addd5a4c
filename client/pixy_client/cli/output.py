"""How `pixy` shows images to people: tables on a terminal, plain lines elsewhere."""

import itertools
import sys
from collections.abc import Iterable, Iterator

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pixy_client.cli.text import plain
from pixy_grpc.core.models import Image

ROWS_AT_ONCE = 50
"""Rows of a table before the next one is begun: a long list shows as it arrives."""


def image_document(image: Image) -> dict[str, object]:
    """Return an image as JSON has it, its guid first."""
    return {"guid": image.guid} | image.model_dump(mode="json")


def show_image(image: Image, **notes: str) -> None:
    """Print what is known about one image, and what else there is to say."""
    rows = [(name, plain(value)) for name, value in _fields(image, notes) if value]
    if not sys.stdout.isatty():
        for name, value in rows:
            typer.echo(f"{name}: {value}")
        return
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(Text(name, style="bold"), Text(value))
    Console().print(table)


def show_images(images: Iterable[Image]) -> None:
    """Print a list as it arrives: a row, or a line of tab-separated values, for each image."""
    rows = (_row(image) for image in images)
    if sys.stdout.isatty():
        _show_table(rows)
        return
    for row in rows:
        typer.echo("\t".join(row))


def _show_table(rows: Iterator[tuple[str, ...]]) -> None:
    console = Console()
    show_header = True
    while batch := tuple(itertools.islice(rows, ROWS_AT_ONCE)):
        table = Table(box=None, expand=True, show_header=show_header)
        table.add_column("guid", width=36, no_wrap=True)
        table.add_column("created", width=20, no_wrap=True)
        table.add_column("bytes", width=9, justify="right", no_wrap=True)
        table.add_column("filename", ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column("prompt", ratio=2, no_wrap=True, overflow="ellipsis")
        for row in batch:
            table.add_row(*(Text(cell) for cell in row))
        console.print(table)
        show_header = False


def _row(image: Image) -> tuple[str, ...]:
    size = str(image.size_bytes or "")
    cells = (image.guid, _moment(image), size, image.filename, image.prompt)
    return tuple(plain(cell) for cell in cells)


def _moment(image: Image) -> str:
    return image.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _fields(image: Image, notes: dict[str, str]) -> Iterator[tuple[str, str]]:
    yield from ((name, str(value or "")) for name, value in image_document(image).items())
    yield from notes.items()
