"""Owners that sleep past their lease: whose bytes become the image, and who asks."""

import logging
import threading
from concurrent.futures import Future

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ContentPolicyError,
    ImageException,
    ProviderOutcomeUnknownError,
    ProviderUnavailableError,
    StorageUnavailableError,
)
from pixy_grpc.service.creation import CreatedImage
from tests.fakes import InMemoryImageStore, Outcome
from tests.unit.service.creating import WAIT_SECONDS, Pausing, World, png
from tests.unit.service.recovering import soon


def woken(first: Pausing, winner_outcome: Outcome) -> tuple[World, World, "Future[CreatedImage]"]:
    """Let an owner sleep while another takes over and ends; then wake it."""
    sleeper = World(first)
    running = sleeper.begin()
    assert first.asked.wait(WAIT_SECONDS)
    sleeper.clock.advance(1)
    other = World(winner_outcome, beside=sleeper)
    sleeper.end_leases()
    return sleeper, other, running


def test_sleeper_that_wakes_behind_the_winner_returns_its_image() -> None:
    """Its own file is put aside, its caller gets the image that there is."""
    slow = Pausing(png("blue"))
    sleeper, winner, running = woken(slow, png())
    won = winner.create()
    slow.go_on.set()

    late = running.result(WAIT_SECONDS)

    assert late.image == won.image
    assert (late.replayed, won.replayed) == (True, False)
    assert len(sleeper.store.objects) == 1
    assert list(sleeper.store.quarantined.values()) == [png("blue").data]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (ProviderOutcomeUnknownError("?"), "unknown"),
        (ContentPolicyError("No."), "refused"),
        (ProviderUnavailableError("No."), "unknown"),
    ],
)
def test_sleeper_that_wakes_where_no_result_is_adopts_its_own(
    outcome: ImageException, state: str
) -> None:
    """It takes the fence back: an image there is goes before one there is not."""
    slow = Pausing(png("blue"))
    sleeper, other, running = woken(slow, outcome)
    refused = isinstance(outcome, ContentPolicyError)
    with pytest.raises(ContentPolicyError if refused else ProviderOutcomeUnknownError):
        other.create()
    assert sleeper.state == state
    slow.go_on.set()

    late = running.result(WAIT_SECONDS)

    assert not late.replayed
    assert list(sleeper.store.objects.values()) == [png("blue").data]
    assert other.create().image == late.image


def test_sleeper_that_wakes_first_wins_over_who_took_over() -> None:
    """Whoever is done first is the winner, the other's file is put aside."""
    slow, slower = Pausing(png("blue")), Pausing(png())
    sleeper, other, running = woken(slow, slower)
    taking_over = other.begin()
    assert slower.asked.wait(WAIT_SECONDS)
    slow.go_on.set()
    first = running.result(WAIT_SECONDS)
    slower.go_on.set()

    second = taking_over.result(WAIT_SECONDS)

    assert second.image == first.image
    assert (first.replayed, second.replayed) == (False, True)
    assert list(sleeper.store.objects.values()) == [png("blue").data]
    assert list(sleeper.store.quarantined.values()) == [png().data]


def test_sleeper_that_wakes_behind_a_deletion_leaves_no_bytes() -> None:
    slow = Pausing(png("blue"))
    sleeper, winner, running = woken(slow, png())
    won = winner.create()
    contents = sleeper.repository.delete(won.image.guid, soon())
    assert contents
    sleeper.store.delete(contents.key, soon())
    slow.go_on.set()

    assert running.exception(WAIT_SECONDS)
    assert sleeper.store.objects == {}


@pytest.mark.parametrize(
    "outcome", [ContentPolicyError("No."), ProviderOutcomeUnknownError("?"), RuntimeError("?")]
)
def test_sleeper_that_wakes_to_a_failure_changes_nothing(outcome: Exception) -> None:
    """Its caller learns what its own ask came to; the image stays."""
    slow = Pausing(outcome)
    sleeper, winner, running = woken(slow, png())
    won = winner.create()
    slow.go_on.set()

    assert isinstance(running.exception(WAIT_SECONDS), type(outcome))
    assert sleeper.state == "done"
    assert winner.create().image == won.image


def test_file_that_cannot_be_put_aside_does_not_hide_the_image(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The caller gets the winner's; what is left behind is in the log, for fsck."""

    class StuckStore(InMemoryImageStore):
        def quarantine(self, key: str, deadline: Deadline) -> None:
            raise StorageUnavailableError(f"cannot move {key} in {deadline}")

    slow = Pausing(png("blue"))
    sleeper = World(slow, store=StuckStore())
    running = sleeper.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    sleeper.end_leases()
    won = World(beside=sleeper).create()

    with caplog.at_level(logging.WARNING, "pixy_grpc"):
        slow.go_on.set()
        assert running.result(WAIT_SECONDS).image == won.image

    assert "orphaned bytes" in caplog.text


def test_owner_that_sleeps_before_it_asks_does_not_ask() -> None:
    """The count comes before the ask, and needs the fence."""
    asleep, wake = threading.Event(), threading.Event()
    answers = iter([True])

    def is_active() -> bool:
        if next(answers, None) is None:
            asleep.set()
            assert wake.wait(WAIT_SECONDS)
        return True

    sleeper = World()
    running = sleeper.begin(is_active=is_active)
    assert asleep.wait(WAIT_SECONDS)
    winner = World(beside=sleeper)
    sleeper.end_leases()
    won = winner.create()
    wake.set()

    assert running.result(WAIT_SECONDS).image == won.image
    assert (sleeper.asked, winner.asked) == (0, 1)
