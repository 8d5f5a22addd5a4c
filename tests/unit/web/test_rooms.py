"""Places in rooms, and changing one for another to wait there."""

import pytest

from pixy_grpc.core.exceptions import TooManyCreatesError
from pixy_grpc.web.rooms import Place, Room


def room(places: int) -> Room:
    return Room("creations", places, TooManyCreatesError)


def is_full(of: Room, caller: str = "alice") -> bool:
    """Tell whether a room has no place for a caller."""
    try:
        of.enter(caller)
    except TooManyCreatesError:
        return True
    of.leave(caller)
    return False


def test_place_is_free_for_others_once_its_owner_waits() -> None:
    """Who only waits takes none from those who work, and its own in the other room."""
    work, waits = room(2), room(2)
    place = Place(work, waits, "alice")
    assert is_full(work)

    with place.waiting():
        assert not is_full(work)
        assert is_full(waits)


def test_call_that_has_waited_stays_where_it_waited() -> None:
    """Its answer may wait for its reader, and those who come back are more than fit."""
    work, waits = room(2), room(2)
    place = Place(work, waits, "alice")
    with place.waiting():
        pass

    assert not is_full(work)
    assert is_full(waits)

    place.leave()
    assert not is_full(waits)
    assert work.wait_empty(0)
    assert waits.wait_empty(0)


def test_wait_in_a_full_room_is_refused_and_keeps_the_place() -> None:
    work, waits = room(4), room(2)
    waits.enter("alice")
    place = Place(work, waits, "alice")

    with pytest.raises(TooManyCreatesError) as caught, place.waiting():
        pass

    assert caught.value.retry_delay_seconds
    waits.leave("alice")
    place.leave()
    assert work.wait_empty(0)


def test_wait_that_fails_keeps_one_place() -> None:
    work, waits = room(2), room(2)
    place = Place(work, waits, "alice")

    with pytest.raises(ZeroDivisionError), place.waiting():
        raise ZeroDivisionError

    place.leave()
    assert work.wait_empty(0)
    assert waits.wait_empty(0)


def test_call_that_waits_again_has_one_place() -> None:
    """However often it has to."""
    work, waits = room(2), room(4)
    place = Place(work, waits, "alice")
    for _ in range(3):
        with place.waiting():
            assert not is_full(waits)

    place.leave()
    assert waits.wait_empty(0)


def test_work_behind_a_wait_takes_a_place() -> None:
    work, waits = room(2), room(2)
    place = Place(work, waits, "alice")
    with place.waiting():
        pass

    place.working()

    assert is_full(work)
    assert waits.wait_empty(0)
    place.leave()
    assert work.wait_empty(0)


def test_work_behind_a_wait_is_refused_by_a_full_room() -> None:
    """Whoever waited may leave with what the other made, not make more than fits."""
    work, waits = Room("creations", 2, TooManyCreatesError, shared=True), room(2)
    place = Place(work, waits, "alice")
    with place.waiting():
        work.enter("bob")
        work.enter("carol")

    with pytest.raises(TooManyCreatesError) as caught:
        place.working()

    assert caught.value.retry_delay_seconds
    work.leave("bob")
    place.working()


def test_work_behind_a_wait_needs_a_place_of_the_caller() -> None:
    work, waits = room(4), room(2)
    place = Place(work, waits, "alice")
    with place.waiting():
        work.enter("alice")
        work.enter("alice")

    with pytest.raises(TooManyCreatesError):
        place.working()


def test_work_that_did_not_wait_has_its_place() -> None:
    """Nobody is pushed out who is there."""
    work, waits = room(2), room(2)
    place = Place(work, waits, "alice")

    place.working()

    assert is_full(work)
