"""Processes that stop: what is paid for is kept, and nothing more is spent."""

import logging

import pytest

from pixy_grpc.core.exceptions import StorageFullError, StorageUnavailableError
from pixy_grpc.service.creation import CreationLimits
from tests.unit.service.creating import WAIT_SECONDS, World
from tests.unit.service.test_recovery import paid_but_not_stored

AWAY = StorageUnavailableError("Away.")


def in_memory() -> World:
    """Return a world with an image in memory only, and rounds that are far apart."""
    rare = CreationLimits(first_pause=60.0, longest_pause=60.0, round=60.0)
    return paid_but_not_stored("store", AWAY, spool_fails=True, limits=rare)


def test_stop_stores_what_is_in_memory_only() -> None:
    """Though no round comes that would."""
    world = in_memory()
    world.store.failure = None

    assert world.creation.stop(WAIT_SECONDS)

    assert world.state == "done"


def test_stop_spools_what_still_cannot_be_stored() -> None:
    world = in_memory()
    world.spool.failure = None

    assert world.creation.stop(WAIT_SECONDS)

    assert len(world.spool.images) == 1


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_stop_tells_what_is_lost(seconds: float, caplog: pytest.LogCaptureFixture) -> None:
    """By its guid, so that somebody can make up for it."""
    world = in_memory()
    assert isinstance(world.spool.failure, StorageFullError)
    assert world.found

    with caplog.at_level(logging.ERROR, "pixy_grpc"):
        assert not world.creation.stop(seconds)

    assert f"paid image lost guid={world.found.guid}" in caplog.text
