"""How `pixy` shows one image to people: a table on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pixy_client.cli.text import plain
from pixy_grpc.core.models import Image


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


def _fields(image: Image, notes: dict[str, str]) -> Iterator[tuple[str, str]]:
    yield from ((name, str(value or "")) for name, value in image_document(image).items())
    yield from notes.items()
