"""What `pixy` says to a command line that makes no sense: as JSON, too, where that is asked for."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from pixy_client.cli.exits import ExitCode
from pixy_client.cli.failures import Failure

AS_JSON = "--json"


_GLOBAL_OPTIONS = {"--target": "HOST:PORT", "--timeout": "SECONDS"}
"""What is said once, before the command, by what it takes."""


class PixyGroup(TyperGroup):
    """The commands, by what is said of a line that none of them takes."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; say of an option that belongs before it where it belongs."""
        try:
            return super().invoke(ctx)
        except typer.TyperException as exc:
            option = str(getattr(exc, "option_name", ""))
            if takes := _GLOBAL_OPTIONS.get(option):
                example = f"pixy {option} {takes} {ctx.invoked_subcommand} ..."
                exc.message = f"{exc.message}. It belongs before the command: {example}"
                vars(exc)["possibilities"] = ()  # what is spelt alike was not meant
            raise

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line, and exit; print a usage error as `--json` promises."""
        given = sys.argv[1:] if args is None else list(args)
        is_json = _asks_for_json(given)
        try:
            code = super().main(
                args,
                prog_name,
                complete_var,
                standalone_mode and not is_json,
                windows_expand_args,
                **extra,
            )
        except typer.TyperException as exc:
            if not standalone_mode:
                raise
            failure = Failure(ExitCode.USAGE, "USAGE_ERROR", exc.format_message())
            typer.echo(json.dumps(failure.document()), err=True)
            sys.exit(failure.code)
        if standalone_mode:
            sys.exit(code)
        return code


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Tell whether an option asks for JSON; what follows `--` is none."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return AS_JSON in options
