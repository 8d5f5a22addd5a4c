"""Duplicates of a creation that runs: they wait for its end, and go on where there is none."""

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, NewCreation
from pixy_grpc.core.exceptions import (
    CreationInProgressError,
    DBConnectionError,
    ProviderUnavailableError,
    TooManyCreatesError,
)
from tests.fakes import InMemoryCreationRepository
from tests.support.stopwatch import Stopwatch
from tests.unit.service.creating import GONE, WAIT_SECONDS, Pausing, World, png, waiting_duplicate


def test_duplicates_wait_and_get_the_same_image() -> None:
    slow = Pausing(png())
    world = World(slow)
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    others = [world.begin() for _ in range(10)]

    slow.go_on.set()

    images = {each.result(WAIT_SECONDS).image.guid for each in (first, *others)}
    assert len(images) == 1
    assert all(each.result().replayed for each in others)
    assert not first.result().replayed
    assert world.asked == 1


def test_duplicate_in_another_process_finds_the_end_by_itself() -> None:
    slow = Pausing(png())
    world = World(slow)
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    other = World(beside=world)

    duplicate = other.begin()
    slow.go_on.set()

    assert duplicate.result(WAIT_SECONDS).image == first.result(WAIT_SECONDS).image
    assert other.asked == 0


def test_duplicate_is_told_at_its_deadline() -> None:
    """In time, and when to come back."""
    slow = Pausing(png())
    world = World(slow)
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    watch = Stopwatch()

    with pytest.raises(CreationInProgressError) as caught:
        world.create(deadline=Deadline.after(0.2, from_caller=True))

    assert watch.seconds < 1
    assert caught.value.retry_delay_seconds
    slow.go_on.set()
    assert first.result(WAIT_SECONDS)


def test_duplicate_whose_caller_has_gone_does_not_wait_on() -> None:
    slow = Pausing(png())
    world = World(slow)
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)

    with pytest.raises(CreationInProgressError):
        world.create(**GONE)

    slow.go_on.set()
    assert first.result(WAIT_SECONDS)


def test_duplicate_goes_on_where_the_first_failed() -> None:
    """Whoever waited begins anew once the id is free."""
    slow = Pausing(ProviderUnavailableError("No."))
    world = World(slow, png())
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    duplicate = world.begin()

    slow.go_on.set()

    assert isinstance(first.exception(WAIT_SECONDS), ProviderUnavailableError)
    assert not duplicate.result(WAIT_SECONDS).replayed


def test_living_owner_of_this_process_is_waited_for_past_its_lease() -> None:
    """Renewals may fail; who is at work here is surely not gone."""
    slow = Pausing(png())
    world = World(slow)
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    world.end_leases()

    duplicate = world.begin()
    slow.go_on.set()

    assert duplicate.result(WAIT_SECONDS).image == first.result(WAIT_SECONDS).image
    assert world.asked == 1


def test_duplicate_learns_that_it_is_under_way_though_the_database_is_away() -> None:
    """UNAVAILABLE would say that nothing was spent."""
    slow = Pausing(png())
    world = World(slow)
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    duplicate = waiting_duplicate(world)
    world.repository.failure = DBConnectionError("No.")

    assert isinstance(duplicate.exception(WAIT_SECONDS), CreationInProgressError)

    world.repository.failure = None
    slow.go_on.set()
    assert first.result(WAIT_SECONDS)


def test_loser_of_the_claim_waits_for_the_winner() -> None:
    """Both found nothing; the row lets one of them begin."""

    class LateCreations(InMemoryCreationRepository):
        """A repository that somebody else comes to first."""

        def claim(self, new: NewCreation, deadline: Deadline) -> Creation:
            """Let the rival create, then claim."""
            rival.create()
            return super().claim(new, deadline)

    world = World(creations=LateCreations)
    rival = World(beside=world)

    assert world.create().replayed
    assert (world.asked, rival.asked) == (0, 1)


def test_duplicate_that_would_work_in_a_full_room_gives_the_creation_back() -> None:
    """It waited for its end, and now there are as many at work as may be."""
    slow = Pausing(ProviderUnavailableError("No."))
    world = World(slow, png())
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)

    def full() -> None:
        raise TooManyCreatesError("Full.", retry_delay_seconds=1)

    duplicate = world.begin(working=full)
    slow.go_on.set()

    assert isinstance(first.exception(WAIT_SECONDS), ProviderUnavailableError)
    assert isinstance(duplicate.exception(WAIT_SECONDS), TooManyCreatesError)
    assert (world.asked, world.state) == (1, "none")
