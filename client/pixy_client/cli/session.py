"""One run of `pixy`: a client for a command, and the one handler of all that can end it."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import typer

from pixy_client.cli.advice import Asked
from pixy_client.cli.attempts import Attempt
from pixy_client.cli.exits import ExitCode
from pixy_client.cli.failures import Failure
from pixy_client.cli.signals import interruption, terminable
from pixy_client.client import Client
from pixy_client.settings import (
    DEFAULT_CREATE_TIMEOUT_SECONDS,
    DEFAULT_DOWNLOAD_TIMEOUT_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    check_target,
)
from pixy_grpc.core.exceptions import ImageException


@dataclass(frozen=True)
class GlobalOptions:
    """What is said before the command; None leaves it to the client."""

    target: str | None
    timeout_seconds: float | None


@contextmanager
def connected(
    options: GlobalOptions, *, as_json: bool, guid: str = "", attempt: Attempt | None = None
) -> Iterator[Client]:
    """Give a client for a guid or an attempt; end the run with its exit code where it fails.

    A reader of the output that has seen enough is no failure (`pixy list | head`).
    """
    asked = Asked(guid)
    try:
        with terminable():
            with _client(options) as client:
                asked = Asked(guid, client.settings.token_source)
                yield client
            sys.stdout.flush()
    except BrokenPipeError:
        _release_streams()
        raise typer.Exit(ExitCode.OK) from None
    except (ImageException, OSError, KeyboardInterrupt) as exc:
        failure = Failure.of(interruption(exc) or exc, attempt or Attempt(), asked)
        with suppress(OSError):  # its terminal may be closed, its reader gone
            typer.echo(json.dumps(failure.document()) if as_json else failure.line(), err=True)
        _release_streams()
        raise typer.Exit(failure.code) from exc


def _client(options: GlobalOptions) -> Client:
    seconds = options.timeout_seconds
    if options.target:
        check_target(options.target, "--target")
    return Client(
        options.target,
        timeout=DEFAULT_TIMEOUT_SECONDS if seconds is None else seconds,
        create_timeout=DEFAULT_CREATE_TIMEOUT_SECONDS if seconds is None else seconds,
        download_timeout=DEFAULT_DOWNLOAD_TIMEOUT_SECONDS if seconds is None else seconds,
    )


def _release_streams() -> None:
    """Write what is left in the buffers, or let it go nowhere: the interpreter flushes them on
    exit, and ends with a code of its own where that fails.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
