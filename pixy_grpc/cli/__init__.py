"""The `pixy-grpc` command. What it takes is an extra, so that clients do without it."""

from pixy_grpc.core.starting import answers_version, starting

_PACKAGES = (
    "dbutils",
    "grpc_health",
    "grpc_reflection",
    "PIL",
    "pydantic_settings",
    "pymysql",
    "rich",
    "typer",
)
"""What the extra `server` installs, by the names that are imported."""


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    if answers_version("pixy-grpc"):
        return
    with starting("pixy-grpc", extra="server", packages=_PACKAGES):
        from pixy_grpc.cli.commands import run  # noqa: PLC0415 - needs the extra, and its time
    run()
