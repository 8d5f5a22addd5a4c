"""Servers with small rooms and short limits, so that a test can fill and outwait them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypedDict, Unpack

import pytest

from pixy_grpc.app import build
from pixy_grpc.preparation import prepare
from pixy_grpc.web.server import ServerLimits
from tests.support.server import STOP_SECONDS, RunningServer, settings_for

PLACES = 4
"""Places in each room: two for one caller."""

ROOMS = ServerLimits(reads=PLACES, creates=PLACES, downloads=PLACES, watches=PLACES)


class Limits(TypedDict, total=False):
    """The fields of ServerLimits that tests set."""

    reads: int
    downloads: int
    message_seconds: float
    probe_seconds: float
    stream_seconds: float
    watch_seconds: float
    stall_seconds: float
    least_bytes_per_second: float
    quiet_seconds: float
    silent_seconds: float
    idle_seconds: float
    connection_seconds: float


class StartLimited(Protocol):
    """Starts a server with these limits."""

    def __call__(self, **limits: Unpack[Limits]) -> RunningServer:
        """Return it, listening."""


@contextmanager
def limited_server(folder: Path, limits: ServerLimits) -> Iterator[RunningServer]:
    """Serve from a folder with limits that no setting allows."""
    settings = settings_for(folder)
    store_id = prepare(settings)
    app = build(settings, settings.tokens, store_id, limits=limits)
    port = app.server.start("127.0.0.1:0")
    try:
        yield RunningServer(f"127.0.0.1:{port}", folder)
    finally:
        app.stop(STOP_SECONDS)


@pytest.fixture
def start_limited(tmp_path: Path) -> Iterator[StartLimited]:
    """Start servers whose rooms have PLACES, and the limits given."""
    with ExitStack() as servers:

        def start(**limits: Unpack[Limits]) -> RunningServer:
            made = replace(ROOMS, **limits)
            return servers.enter_context(limited_server(tmp_path, made))

        yield start
