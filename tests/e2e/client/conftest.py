"""What tests over the wire share."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from typer.testing import CliRunner, Result

from pixy_client import Client
from pixy_client.cli.app import app
from tests.e2e.client.pixy import Pixy
from tests.e2e.client.stand_in import StandIn, serving


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """Serve a scripted server."""
    with serving() as server:
        yield server


@pytest.fixture
def client(stand_in: StandIn) -> Iterator[Client]:
    """Connect a client to it."""
    with Client(stand_in.target, token="secret", timeout=15.0) as connected:
        yield connected


@pytest.fixture
def pixy(stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pixy:
    """Run commands against the stand-in, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    usual = {"PIXY_TARGET": stand_in.target, "PIXY_TOKEN": "secret"}

    def run(*arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> Result:
        return CliRunner().invoke(app, arguments, env={**usual, **environment})

    return run
