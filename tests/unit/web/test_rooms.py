"""Rooms, and changing one for another while waiting."""

import pytest

from pixy_grpc.core.exceptions import TooManyCreatesError
from pixy_grpc.web.rooms import Place, Room


def room(places: int) -> Room:
    return Room("creations", places, TooManyCreatesError)


def test_place_is_free_for_others_while_its_owner_waits() -> None:
    work, waits = room(2), room(2)
    work.enter("alice")
    with pytest.raises(TooManyCreatesError):
        work.enter("alice")

    with work.waiting_in(waits, "alice"):
        work.enter("alice")
        with pytest.raises(TooManyCreatesError):
            waits.enter("alice")

    waits.enter("alice")


def test_way_back_is_never_refused() -> None:
    """Those who come meanwhile find the room so much fuller."""
    work, waits = room(2), room(2)
    work.enter("alice")

    with work.waiting_in(waits, "alice"):
        work.enter("alice")

    work.leave("alice")
    with pytest.raises(TooManyCreatesError):
        work.enter("alice")
    work.leave("alice")
    work.enter("alice")


def test_wait_in_a_full_room_is_refused_and_keeps_the_place() -> None:
    work, waits = room(4), room(2)
    waits.enter("alice")
    work.enter("alice")

    with pytest.raises(TooManyCreatesError) as caught, work.waiting_in(waits, "alice"):
        pass

    assert caught.value.retry_delay_seconds
    work.enter("alice")
    with pytest.raises(TooManyCreatesError):
        work.enter("alice")


def test_place_comes_back_where_the_wait_fails() -> None:
    work, waits = room(2), room(2)
    work.enter("alice")

    with pytest.raises(ZeroDivisionError), work.waiting_in(waits, "alice"):
        raise ZeroDivisionError

    assert not work.wait_empty(0)
    work.leave("alice")
    assert work.wait_empty(0)
    assert waits.wait_empty(0)


def came_back(work: Room, waits: Room) -> Place:
    """Return the place of a call that has waited."""
    place = Place(work, waits, "alice")
    with place.waiting():
        work.enter("bob")
        work.enter("carol")
    return place


def test_work_behind_a_wait_needs_a_place() -> None:
    """Whoever waited may leave with what the other made, not make more than fits."""
    work, waits = Room("creations", 2, TooManyCreatesError, shared=True), room(2)
    work.enter("alice")
    place = came_back(work, waits)

    with pytest.raises(TooManyCreatesError) as caught:
        place.working()

    assert caught.value.retry_delay_seconds
    work.leave("bob")
    place.working()


def test_work_behind_a_wait_needs_a_place_of_the_caller() -> None:
    work, waits = room(4), room(2)
    place = Place(work, waits, "alice")
    work.enter("alice")
    with place.waiting():
        work.enter("alice")
        work.enter("alice")

    with pytest.raises(TooManyCreatesError):
        place.working()


def test_work_that_did_not_wait_has_its_place() -> None:
    """Those who come back do not push out who is there."""
    work, waits = Room("creations", 2, TooManyCreatesError, shared=True), room(2)
    work.enter("alice")
    came_back(work, waits)

    Place(work, waits, "bob").working()
