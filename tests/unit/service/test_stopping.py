"""Processes that stop: what is paid for is kept, and nothing more is spent."""

import logging
from collections.abc import Callable

import pytest

from pixy_grpc.app import App
from pixy_grpc.core.exceptions import (
    ProviderOutcomeUnknownError,
    ProviderUnavailableError,
    StorageFullError,
    StorageUnavailableError,
)
from pixy_grpc.service.creation import CreationLimits
from tests.unit.service.creating import WAIT_SECONDS, Pausing, World, png, waiting_duplicate
from tests.unit.service.recovering import paid_but_not_stored

AWAY = StorageUnavailableError("Away.")


def in_memory() -> World:
    """Return a world with an image in memory only, and rounds that are far apart."""
    rare = CreationLimits(first_pause=60.0, longest_pause=60.0, round=60.0)
    return paid_but_not_stored("store", AWAY, spool_fails=True, limits=rare)


def test_stop_waits_for_what_was_asked() -> None:
    slow = Pausing(png())
    world = World(slow)
    running = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    assert not world.creation.stop(0.05)
    slow.go_on.set()

    assert running.result(WAIT_SECONDS)
    assert world.creation.stop(WAIT_SECONDS)


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


# what begins no more


def test_duplicate_does_not_ask_again_while_the_server_stops() -> None:
    """The grace is that of what was asked before; the outcome of that stays unknown."""
    slow = Pausing(ProviderOutcomeUnknownError("?"))
    world = World(slow, png())
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    duplicate = waiting_duplicate(world)

    assert not world.creation.stop(0)
    slow.go_on.set()

    assert isinstance(first.exception(WAIT_SECONDS), ProviderOutcomeUnknownError)
    assert isinstance(duplicate.exception(WAIT_SECONDS), ProviderOutcomeUnknownError)
    assert (world.asked, world.state) == (1, "unknown")


class StoppingServer:
    """A server whose calls come to their end while it stops."""

    def __init__(self, end: Callable[[], object]) -> None:
        self._end = end

    def stop(self, _: float) -> bool:
        """Let them end."""
        self._end()
        return True


class NoRenditions:
    """Renditions of which none is being made."""

    def stop(self, _: float) -> None:
        """Be stopped."""


def test_duplicate_does_not_ask_again_within_the_grace_of_its_call() -> None:
    """Its answer would come when the grace for what the provider was asked is over."""
    slow = Pausing(ProviderUnavailableError("No."))
    world = World(slow, png())
    running = [world.begin()]
    assert slow.asked.wait(WAIT_SECONDS)
    running.append(waiting_duplicate(world))

    def end() -> None:
        slow.go_on.set()
        assert all(each.exception(WAIT_SECONDS) for each in running)

    app = App(
        StoppingServer(end),  # type: ignore[arg-type]  # all that its stop looks at
        world.creation,
        NoRenditions(),  # type: ignore[arg-type]  # likewise
        closables=(),
        create_grace_seconds=WAIT_SECONDS,
    )

    assert app.stop(WAIT_SECONDS)
    assert (world.asked, world.state) == (1, "none")


def test_call_that_has_begun_goes_on_while_the_server_stops() -> None:
    """What it asks for is waited for, and answered."""
    world = World()

    world.creation.drain()

    assert world.create().image
    assert world.create().replayed
