"""`pixy-grpc`: arguments and signals, nothing else."""

import sys

import typer

from pixy_grpc.app import prepare
from pixy_grpc.logs import configure_logs
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


def main() -> None:
    """Run the command line; a bad setting ends it with one line and exit code 2."""
    try:
        app()
    except SettingsError as error:
        typer.echo(f"pixy-grpc: {error}", err=True)
        sys.exit(BAD_SETTING)
