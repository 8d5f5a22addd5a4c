"""The `pixy` command. Typer and rich are an extra, so that the client does without them."""

import os

from pixy_grpc.core.starting import answers_version, starting

GRPC_CORE_LOG = ("GRPC_VERBOSITY", "NONE")
"""What gRPC's core reads as it is loaded. Its lines are in a format of its own, beside what the
command has to say: a server that ends is enough for them."""


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    if answers_version("pixy"):
        return
    os.environ.setdefault(*GRPC_CORE_LOG)
    with starting("pixy", extra="cli", packages=("rich", "typer")):
        from pixy_client.cli.app import run  # noqa: PLC0415 - needs the extra, and its time
    run()
