"""The commands of `pixy`: each asks the client once and shows what it answers."""

import itertools
from uuid import uuid4

import typer

from pixy_client.cli import options as opt
from pixy_client.cli.attempts import Attempt
from pixy_client.cli.exits import describe_exit_codes
from pixy_client.cli.reports import (
    report_creation,
    report_download,
    report_image,
    report_images,
    report_removal,
)
from pixy_client.cli.saving import Rendition, check_output, check_writable, save_image
from pixy_client.cli.session import GlobalOptions, connected
from pixy_client.cli.standard import prepare_streams
from pixy_client.cli.usage import PixyGroup
from pixy_client.cli.watching import PartialFolder, watch

MAX_PAGE_SIZE = 1_000
"""The largest page that is served; a limit below it is asked for as one page."""

app = typer.Typer(
    name="pixy",
    cls=PixyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=f"\b\nExit codes:\n{describe_exit_codes()}",
)


def run() -> None:
    """Run the command line of the process, and exit."""
    prepare_streams()
    app()


@app.callback()
def describe_call(
    context: typer.Context,
    *,
    target: opt.Target = None,
    timeout: opt.Timeout = None,
    _version: opt.Version = False,
) -> None:
    """Make images from prompts, find them and fetch them.

    The token is taken from PIXY_TOKEN or, for a server on this machine, from the file
    .pixy/token in the working folder.
    """
    context.obj = GlobalOptions(target, timeout)


@app.command(context_settings={"allow_extra_args": True})
def create(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    prompt: opt.Prompt,
    *,
    filename: opt.Filename = None,
    size: opt.Size = "",
    quality: opt.Quality = "",
    image_format: opt.Format = None,
    request_id: opt.RequestId = None,
    output: opt.OptionalOutput = None,
    partials: opt.Partials = None,
    as_json: opt.AsJson = False,
) -> None:
    """Make an image; with the --request-id of an earlier try, get what that one made."""
    opt.check_one_prompt(context.args)
    check_output(output or "", as_json=as_json)
    attempt = Attempt(str(request_id or uuid4()))
    with connected(context.obj, as_json=as_json, attempt=attempt) as client:
        if output:
            check_writable(output)
        unfinished = PartialFolder(partials, attempt.request_id)
        events = client.create_stream(
            prompt,
            filename=filename,
            size=size,
            quality=quality,
            format=image_format,
            partial_images=unfinished.wanted,
            request_id=attempt.request_id,
        )
        creation = watch(events, unfinished, as_json=as_json)
        attempt.is_made = True
        guid = creation.image.guid
        saved = save_image(client, guid, output, as_json=as_json) if output else None
        if output != opt.STDOUT:
            report_creation(creation, saved, as_json=as_json)


@app.command()
def show(context: typer.Context, guid: opt.Guid, as_json: opt.AsJson = False) -> None:
    """Show what is known about an image."""
    with connected(context.obj, as_json=as_json, guid=guid) as client:
        report_image(client.get(guid), as_json=as_json)


@app.command("list")
def list_images(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    *,
    prompt: opt.PromptFilter = "",
    filename: opt.FilenameFilter = "",
    after: opt.After = None,
    before: opt.Before = None,
    limit: opt.Limit = None,
    page_size: opt.PageSize = 0,
    as_json: opt.AsJson = False,
) -> None:
    """List images, newest first; with --json a line of JSON for each."""
    with connected(context.obj, as_json=as_json) as client:
        found = client.list(
            prompt=prompt,
            filename=filename,
            created_after=after,
            created_before=before,
            page_size=page_size or min(limit or 0, MAX_PAGE_SIZE),
        )
        report_images(itertools.islice(found, limit), as_json=as_json)


@app.command()
def get(
    context: typer.Context,
    guid: opt.Guid,
    *,
    output: opt.Output = ".",
    max_side: opt.MaxSide = 0,
    image_format: opt.Format = None,
    as_json: opt.AsJson = False,
) -> None:
    """Fetch an image's bytes: into a file once all of them are there and right.

    In a folder, by default this one, the file is named after the image and replaces none;
    a file that is named is replaced.
    """
    check_output(output, as_json=as_json)
    with connected(context.obj, as_json=as_json, guid=guid) as client:
        check_writable(output)
        rendition = Rendition(max_side, image_format)
        saved = save_image(client, guid, output, as_json=as_json, rendition=rendition)
        if saved:
            report_download(saved, as_json=as_json)


@app.command()
def update(
    context: typer.Context,
    guid: opt.Guid,
    filename: opt.Filename = None,
    prompt: opt.NewPrompt = None,
    as_json: opt.AsJson = False,
) -> None:
    """Change the filename or the prompt kept with an image."""
    if filename is None and prompt is None:
        raise typer.BadParameter("Say what to change: --filename, --prompt or both.")
    with connected(context.obj, as_json=as_json, guid=guid) as client:
        report_image(client.update(guid, filename=filename, prompt=prompt), as_json=as_json)


@app.command()
def delete(
    context: typer.Context,
    guid: opt.Guid,
    allow_missing: opt.AllowMissing = False,
    as_json: opt.AsJson = False,
) -> None:
    """Remove an image, its details and its bytes."""
    with connected(context.obj, as_json=as_json, guid=guid) as client:
        client.delete(guid, allow_missing=allow_missing)
        report_removal(guid, allow_missing=allow_missing, as_json=as_json)
