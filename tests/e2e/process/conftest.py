"""Servers in processes of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.process import ServeProcess, serving

Serve = Callable[..., ServeProcess]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers in the test's folder, with settings of its own, ended at its end."""
    with ExitStack() as servers:

        def start(folder: Path = tmp_path, **settings: str) -> ServeProcess:
            return servers.enter_context(serving(folder, **settings))

        yield start
