"""The arguments and options of `pixy`, each described once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.starting import version_line

STDOUT = "-"
"""The output that means standard output."""


def parse_moment(text: str) -> datetime:
    """Return the moment that an ISO 8601 date or date-time names; UTC where none is named."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no ISO 8601 date or date-time, such as 2026-11-22 or 2026-11-22T08:30Z."
        ) from None


def check_one_prompt(rest: Sequence[str]) -> None:
    """Raise a usage error where a prompt came as several arguments."""
    if rest:
        raise typer.BadParameter(
            'A prompt is one argument: put it in quotes, such as pixy create "a red fox".'
        )


def show_version(*, is_wanted: bool) -> None:
    """Print the version and exit, if that is wanted."""
    if is_wanted:
        typer.echo(version_line("pixy"))
        raise typer.Exit


Guid = Annotated[str, typer.Argument(help="The image's guid.")]
Prompt = Annotated[str, typer.Argument(help="What to make an image of, in quotes.")]
Filename = Annotated[str | None, typer.Option(help="A label for the image.")]
NewPrompt = Annotated[str | None, typer.Option("--prompt", help="The prompt to keep with it.")]
Size = Annotated[
    str, typer.Option(help="WIDTHxHEIGHT in pixels, or auto; sketch: 64 to 4096 a side.")
]
Quality = Annotated[str, typer.Option(help="low, medium, high or auto.")]
Format = Annotated[ImageFormat | None, typer.Option("--format", help="How to encode it.")]
MaxSide = Annotated[
    int,
    typer.Option(
        help="128, 256, 512 or 1024: a rendition of at most so many pixels a side.",
        show_default=False,
    ),
]
RequestId = Annotated[
    UUID | None,
    typer.Option(help="The id of an earlier try: asks for that image, not for another one."),
]
Output = Annotated[
    str,
    typer.Option("--output", "-o", help="A file (is replaced), a folder, or - (standard output)."),
]
OptionalOutput = Annotated[
    str | None,
    typer.Option("--output", "-o", help="Also save it: a file (is replaced), a folder, or -."),
]
Partials = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        help="Also save up to 3 unfinished images there, if any are made; they may cost extra.",
    ),
]
PromptFilter = Annotated[str, typer.Option("--prompt", help="Words that start words of it.")]
FilenameFilter = Annotated[str, typer.Option("--filename", help="How the filename starts.")]
After = Annotated[
    datetime | None,
    typer.Option(
        parser=parse_moment, metavar="MOMENT", help="Created then or later; UTC unless it says."
    ),
]
Before = Annotated[
    datetime | None,
    typer.Option(
        parser=parse_moment, metavar="MOMENT", help="Created before then; UTC unless it says."
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Stop after so many images.")]
PageSize = Annotated[int, typer.Option(min=0, help="Images asked for at once; 0: as served.")]
AllowMissing = Annotated[bool, typer.Option("--allow-missing", help="No image is no error.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, errors too.")]
Target = Annotated[
    str | None, typer.Option(help="HOST:PORT of the server. [env: PIXY_TARGET]", show_default=False)
]
Timeout = Annotated[float | None, typer.Option(metavar="SECONDS", help="How long to wait.")]
Version = Annotated[
    bool,
    typer.Option("--version", callback=show_version, is_eager=True, help="Print the version."),
]
