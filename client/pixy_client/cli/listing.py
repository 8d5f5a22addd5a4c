"""How `pixy list` shows images: a table as wide as the terminal, plain lines elsewhere."""

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

WIDE_COLUMNS = 110
"""From here on a table has room for every column."""

TABLE_COLUMNS = 80
"""From here on a table has room for a prompt beside the guid; below, it takes a line."""

_SECONDS = "%Y-%m-%dT%H:%M:%SZ"
_MINUTES = "%Y-%m-%dT%H:%MZ"


def show_images(images: Iterable[Image]) -> None:
    """Print a list as it arrives: a row, or a line of tab-separated values, for each image.

    Where there is none a person is told so, on standard error.
    """
    arriving = iter(images)
    first = tuple(itertools.islice(arriving, 1))
    if not first and sys.stderr.isatty():
        typer.echo("No images.", err=True)
    found = itertools.chain(first, arriving)
    if sys.stdout.isatty():
        _show_on_terminal(found, Console())
        return
    for image in found:
        typer.echo("\t".join(_full_row(image)))


def _show_on_terminal(images: Iterator[Image], console: Console) -> None:
    if console.width < TABLE_COLUMNS:
        for image in images:
            _show_pair(image, console)
        return
    show_header = True
    while batch := tuple(itertools.islice(images, ROWS_AT_ONCE)):
        console.print(_table(batch, is_wide=console.width >= WIDE_COLUMNS, header=show_header))
        show_header = False


def _show_pair(image: Image, console: Console) -> None:
    """Print two lines: what is copied, never cut, and below it the prompt as far as it fits."""
    guid, created, prompt = _short_row(image)
    console.print(Text(f"{guid}  {created}"), soft_wrap=True)
    console.print(Text(f"  {prompt}"), no_wrap=True, overflow="ellipsis")


def _table(images: Iterable[Image], *, is_wide: bool, header: bool) -> Table:
    table = Table(box=None, expand=True, pad_edge=False, show_header=header)
    table.add_column("guid", min_width=36, no_wrap=True)
    table.add_column("created", min_width=20 if is_wide else 17, no_wrap=True)
    if is_wide:
        table.add_column("bytes", width=9, justify="right", no_wrap=True)
        table.add_column("filename", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("prompt", ratio=2, no_wrap=True, overflow="ellipsis")
    for image in images:
        cells = _full_row(image) if is_wide else _short_row(image)
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _full_row(image: Image) -> tuple[str, ...]:
    size = str(image.size_bytes or "")
    created = image.created_at.strftime(_SECONDS)
    cells = (image.guid, created, size, image.filename, image.prompt)
    return tuple(plain(cell) for cell in cells)


def _short_row(image: Image) -> tuple[str, ...]:
    cells = (image.guid, image.created_at.strftime(_MINUTES), image.prompt)
    return tuple(plain(cell) for cell in cells)
