"""The `pixy-grpc` command."""

from pixy_grpc.core.starting import interruptible


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    with interruptible():
        from pixy_grpc.cli.commands import run  # noqa: PLC0415 - takes a second
    run()
