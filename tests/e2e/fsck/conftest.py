"""What a server has left, to be damaged, and `pixy-grpc fsck` to find it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.fsck.depot import Depot


@pytest.fixture
def depot(tmp_path: Path) -> Iterator[Depot]:
    """Lend the data of a service that the command finds in its working folder."""
    with closing(Depot(tmp_path)) as opened:
        yield opened
