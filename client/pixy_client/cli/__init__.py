"""The `pixy` command. Typer and rich are an extra, so that the client does without them."""

from pixy_grpc.core.starting import answers_version, starting


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    if answers_version("pixy"):
        return
    with starting("pixy", extra="cli", packages=("rich", "typer")):
        from pixy_client.cli.app import run  # noqa: PLC0415 - needs the extra, and its time
    run()
