"""The `pixy` command. Typer and rich are an extra, so that the client does without them."""

import sys

from pixy_grpc.core.starting import interruptible


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    try:
        with interruptible():
            from pixy_client.cli.app import run  # noqa: PLC0415 - needs the extra, and its time
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in ("rich", "typer"):
            raise
        sys.exit("pixy: the command needs an extra: pip install 'pixy-grpc[cli]'")
    run()
