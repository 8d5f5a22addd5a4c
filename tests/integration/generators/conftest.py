"""Stand-in providers, and generators that ask them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.generators.asking import Make, make_generator
from tests.integration.generators.certificates import Authority
from tests.support.provider import Provider, providing


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Run the provider that is asked."""
    with providing() as running:
        yield running


@pytest.fixture
def elsewhere() -> Iterator[Provider]:
    """Run a server that nobody may talk to, or not with the key."""
    with providing() as running:
        yield running


@pytest.fixture
def make(provider: Provider) -> Iterator[Make]:
    """Make generators that ask the provider, closed at the test's end."""
    with ExitStack() as opened:
        yield make_generator(provider, opened)


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Make an authority of the tests' own."""
    folder: Path = tmp_path_factory.mktemp("authority")
    return Authority(folder)
