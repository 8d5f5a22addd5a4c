"""The commands of `pixy-grpc`: arguments and signals, nothing else."""

import sys
from typing import Annotated

import typer

from pixy_grpc.cli.fsck import EXIT_CODES, concluding, purge_age, run_fsck
from pixy_grpc.core.starting import version_line
from pixy_grpc.logs import configure_logs
from pixy_grpc.preparation import prepare
from pixy_grpc.service.fsck import Tasks
from pixy_grpc.settings import SettingsError, load_settings
from pixy_grpc.token_file import TOKEN_FILE, ensure_tokens
from pixy_grpc.workers import serve as serve_until_stopped

BAD_SETTING = 2
"""Exit code where a setting, or what it names, cannot be used."""

app = typer.Typer(
    help="The server of PixyProxy. Settings come from the environment and .env; see the README.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # locals may be secrets
)


def _show_version(*, is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(version_line("pixy-grpc"))
        raise typer.Exit


@app.callback()
def _start(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


@app.command()
def serve() -> None:
    """Serve pixy.v1.ImageService until SIGTERM."""
    settings = load_settings()
    configure_logs(settings.log_level)
    store_id = prepare(settings)
    tokens = ensure_tokens(settings)
    if not settings.tokens:
        typer.echo(
            f"No PIXY_TOKENS: the token is in {TOKEN_FILE}, where `pixy` finds it.", err=True
        )
    sys.exit(serve_until_stopped(settings, tokens, store_id))


@app.command()
def migrate() -> None:
    """Bring the database and the store of bytes up to this version."""
    settings = load_settings()
    configure_logs(settings.log_level)
    prepare(settings)
    typer.echo("The database is up to date.")


@app.command(epilog=EXIT_CODES)
def fsck(  # noqa: PLR0913 - each is an option
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Read no bytes: sizes only.")] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Finish creations whose bytes are there; move to quarantine what is nobody's;"
            " remove renditions of deleted images.",
        ),
    ] = False,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Give older images their sizes, types, dimensions, sums."),
    ] = False,
    purge_quarantine: Annotated[
        bool,
        typer.Option("--purge-quarantine", help="Delete from quarantine; needs --older-than."),
    ] = False,
    older_than: Annotated[
        str, typer.Option(metavar="DURATION", help="What has lain there for: 12h, 30d, 8w.")
    ] = "",
    allow_orphans: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Go on though over 1% of all objects are nobody's, if they are not more.",
        ),
    ] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line, a summary last.")
    ] = False,
) -> None:
    """Check that every image has its bytes and all bytes an image; servers may run."""
    with concluding(as_json=as_json):
        age = purge_age(older_than, purge=purge_quarantine)
        tasks = Tasks(not quick, repair, adopt, age, allow_orphans)
        settings = load_settings()
        configure_logs("WARNING")
        sys.exit(run_fsck(settings, tasks, as_json=as_json))


def run() -> None:
    """Run the command line of the process; a bad setting ends it with one line and exit code 2."""
    try:
        app()
    except SettingsError as error:
        typer.echo(f"pixy-grpc: {error}", err=True)
        sys.exit(BAD_SETTING)
