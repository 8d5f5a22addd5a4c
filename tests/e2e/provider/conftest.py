"""A server that asks a stand-in provider, shared by the tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.provider.asking import SHORT_CAP_SECONDS, Asked, settings_of
from tests.support.provider import Provider, providing
from tests.support.server import running_server


@pytest.fixture(scope="module")
def stand_in() -> Iterator[Provider]:
    """Run the provider of a module's tests; each test gives it its script."""
    with providing() as running:
        yield running


@pytest.fixture(scope="module")
def shared(stand_in: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Serve a module's tests."""
    folder: Path = tmp_path_factory.mktemp("asking")
    with running_server(folder, **settings_of(stand_in)) as server:
        yield Asked(server, stand_in)


@pytest.fixture
def asked(shared: Asked) -> Iterator[Asked]:
    """Lend the server to a test, its provider without a past."""
    shared.provider.forget()
    yield shared
    shared.provider.release.set()


@pytest.fixture
def impatient(asked: Asked, tmp_path: Path) -> Iterator[Asked]:
    """Lend a server that does not wait long for the same provider."""
    changes = settings_of(asked.provider, openai_seconds=SHORT_CAP_SECONDS)
    with running_server(tmp_path, **changes) as server:
        yield Asked(server, asked.provider)
