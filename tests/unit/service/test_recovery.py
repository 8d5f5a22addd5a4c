"""Creations whose owner is gone, or sleeps: who goes on, and with which bytes."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import (
    Creation,
    CreationKey,
    CreationState,
    Fence,
    NewCreation,
    PaidImage,
)
from pixy_grpc.core.exceptions import (
    ContentPolicyError,
    CreationInProgressError,
    DBConnectionError,
    ImageException,
    ProviderOutcomeUnknownError,
    ProviderUnavailableError,
    StorageFullError,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import GeneratedImage, SpooledImage
from pixy_grpc.service.creation import CreatedImage, CreationLimits
from pixy_grpc.service.creation.order import CreationRequest, placed
from tests.fakes import (
    FixedClock,
    GeneratorRequest,
    InMemoryCreationRepository,
    InMemoryImageStore,
    Outcome,
)
from tests.integration.data.examples import new_image
from tests.unit.service.creating import (
    LIMITS,
    REQUEST_ID,
    WAIT_SECONDS,
    Pausing,
    RunningClock,
    World,
    png,
)

GUID = "6f1c2d3e-0000-4000-8000-000000000001"
OTHER_GUID = "6f1c2d3e-0000-4000-8000-000000000002"
KEY = CreationKey("alice", REQUEST_ID)
STEPS = ["claimed", "asked", "kept"]


def soon() -> Deadline:
    return Deadline.after(WAIT_SECONDS)


def crash(world: World, step: str, *, asks: int = 1, data: bytes | None = None) -> None:
    """Leave what a process leaves that was killed at a step."""
    order = placed(CreationRequest({"prompt": "a fox"}, {}, REQUEST_ID), "alice")
    until = world.clock.milliseconds() + world.limits.lease_ms
    mine = world.creations.claim(
        NewCreation(
            KEY, order.fingerprint, GUID, "a fox", "", "scripted", world.clock.now(), until
        ),
        soon(),
    )
    for _ in range(asks if step != "claimed" else 0):
        world.creations.note_asked(mine.fence, soon())
    if step == "kept":
        world.creations.note_kept(PaidImage(mine.fence, GUID, f"{GUID}.1.png", "painter-0"), soon())
    if data is not None:
        world.store.put(f"{GUID}.1.png", data, soon())


# retries after a crash


@pytest.mark.parametrize("step", STEPS)
def test_retry_within_the_lease_waits(step: str) -> None:
    """The owner may be alive, and is not asked twice."""
    world = World()
    crash(world, step, data=png().data)

    with pytest.raises(CreationInProgressError):
        world.create(deadline=Deadline.after(0.1, from_caller=True))

    assert (world.asked, world.state) == (0, step)


@pytest.mark.parametrize("step", ["asked", "kept"])
def test_retry_after_the_lease_adopts_durable_bytes(step: str) -> None:
    """What was paid for is used, under the guid that was chosen then."""
    world = World()
    crash(world, step, data=png().data)
    world.end_leases()

    created = world.create()

    assert (world.asked, world.state) == (0, "done")
    assert (created.image.guid, created.replayed) == (GUID, True)
    assert created.image.model == ("painter-0" if step == "kept" else "")
    assert list(world.store.objects) == [f"{GUID}.1.png"]


@pytest.mark.parametrize("step", STEPS)
def test_retry_without_bytes_asks(step: str) -> None:
    """Once for a claim; once more, counted, where the answer is lost."""
    world = World()
    crash(world, step)
    world.end_leases()

    created = world.create()

    assert (world.asked, world.state) == (1, "done")
    assert (created.image.guid, created.replayed) == (GUID, False)
    assert world.found
    assert world.found.asks == (1 if step == "claimed" else 2)


def test_retry_after_two_lost_answers_is_not_asked_again() -> None:
    world = World()
    crash(world, "asked", asks=2)
    world.end_leases()

    for _ in range(2):
        with pytest.raises(ProviderOutcomeUnknownError):
            world.create()

    assert (world.asked, world.state) == (0, "unknown")


def test_bytes_that_come_to_light_later_are_adopted_after_all() -> None:
    world = World()
    crash(world, "asked", asks=2)
    world.end_leases()
    with pytest.raises(ProviderOutcomeUnknownError):
        world.create()
    world.store.put(f"{GUID}.9.png", png().data, soon())

    assert world.create().image.guid == GUID
    assert world.asked == 0


@pytest.mark.parametrize("data", [b"", b"<svg/>", png().data[:-40]])
def test_unusable_bytes_are_not_adopted(data: bytes) -> None:
    world = World()
    crash(world, "kept", data=data)
    world.end_leases()

    created = world.create()

    assert (world.asked, world.state) == (1, "done")
    assert created.image.size_bytes == len(png().data)


@pytest.mark.parametrize("error", [StorageUnavailableError("No."), StorageFullError("No.")])
def test_retry_while_the_store_is_away_asks_nobody(error: ImageException) -> None:
    """Whether there are bytes is not known: the caller is to come back."""
    world = World()
    crash(world, "asked", data=png().data)
    world.end_leases()
    world.store.failure = error

    with pytest.raises(CreationInProgressError):
        world.create()

    world.store.failure = None
    world.end_leases()
    world.restart()
    assert world.create().image.guid == GUID
    assert world.asked == 0


def test_many_retries_at_once_ask_once() -> None:
    """One of them takes it over, the others wait for it."""
    world = World()
    crash(world, "asked")
    world.end_leases()
    others = [World(beside=world) for _ in range(3)]

    running = [each.begin() for each in [world, *others] for _ in range(5)]

    assert len({each.result(WAIT_SECONDS).image.guid for each in running}) == 1
    assert sum(each.asked for each in [world, *others]) == 1


# owners that sleep past their lease


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


def test_living_owner_keeps_its_lease() -> None:
    """Renewals come while the provider works, so that nobody takes over."""
    slow = Pausing(png())
    world = World(slow, limits=CreationLimits(lease=0.03))
    running = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    world.clock.advance(100)

    assert comes(lambda: lease_of(world) == world.clock.milliseconds() + 30)

    slow.go_on.set()
    assert running.result(WAIT_SECONDS)


# the sweep


@pytest.mark.parametrize("step", ["asked", "kept"])
def test_sweep_completes_what_has_durable_bytes(step: str) -> None:
    """Nobody has to ask again for what was paid for."""
    world = World()
    crash(world, step, data=png().data)
    world.end_leases()
    world.creation.start()

    assert ends(world, "done")

    world.creation.stop(1)
    assert world.repository.get(GUID, soon())
    assert world.asked == 0


@pytest.mark.parametrize(("step", "state"), [("claimed", "none"), ("asked", "unknown")])
def test_sweep_leaves_what_has_no_bytes_to_who_asks_again(step: str, state: str) -> None:
    world = World()
    crash(world, step)
    world.end_leases()
    world.creation.start()

    assert ends(world, state)

    world.creation.stop(1)
    assert world.asked == 0


@pytest.mark.parametrize("step", STEPS)
def test_sweep_leaves_what_has_an_owner(step: str) -> None:
    world = World()
    crash(world, step, data=png().data)
    world.creation.start()

    assert not ends(world, "done", seconds=0.1)

    world.creation.stop(1)
    assert world.state == step


def test_sweep_goes_on_once_the_database_is_back() -> None:
    """For as long as a lease it leaves owners the time to come back as well."""
    sweeps: list[int] = []

    class SweptCreations(InMemoryCreationRepository):
        """A repository that notes each sweep."""

        def list_unfinished(
            self, ended_before_ms: int, limit: int, deadline: Deadline
        ) -> Sequence[Creation]:
            """Note it, and list."""
            sweeps.append(1)
            return super().list_unfinished(ended_before_ms, limit, deadline)

    limits = replace(LIMITS, lease=0.3, skew=0.05)
    world = World(limits=limits, clock=RunningClock(), creations=SweptCreations)
    crash(world, "kept", data=png().data)
    sweeps.clear()
    world.repository.failure = DBConnectionError("Away.")
    world.creation.start()
    assert comes(lambda: len(sweeps) > 2)
    world.repository.failure = None

    assert ends(world, "done")

    world.creation.stop(1)


def test_sweep_goes_on_behind_one_that_cannot_be_completed() -> None:
    """Two creations of one guid cannot be; one that ends later is completed all the same."""
    world = World()
    taken = NewCreation(
        CreationKey("bob", REQUEST_ID), "f", GUID, "a hen", "", "scripted", world.clock.now(), 0
    )
    odd = world.creations.claim(taken, soon())
    world.creations.note_asked(odd.fence, soon())
    crash(world, "asked", data=png().data)
    world.repository.add(new_image(guid=GUID), soon())
    other = replace(taken, key=CreationKey("carol", REQUEST_ID), guid=OTHER_GUID)
    later = world.creations.claim(replace(other, lease_until_ms=1), soon())
    world.creations.note_asked(later.fence, soon())
    world.store.put(f"{OTHER_GUID}.1.png", png().data, soon())
    world.end_leases()
    world.creation.start()

    assert comes(lambda: is_done(world, other.key))

    world.creation.stop(1)
    assert not is_done(world, odd.key)


def is_done(world: World, key: CreationKey) -> bool:
    found = world.creations.find(key, soon())
    return found is not None and found.state is CreationState.DONE


def test_renewal_that_fails_is_tried_again() -> None:
    """A database that is away for a moment does not cost the lease."""
    tried = threading.Event()

    class RenewedCreations(InMemoryCreationRepository):
        """A repository that tells of each renewal, however it ends."""

        def renew(
            self, fences: Sequence[Fence], lease_until_ms: int, deadline: Deadline
        ) -> list[Fence]:
            """Renew, and tell."""
            try:
                return super().renew(fences, lease_until_ms, deadline)
            finally:
                tried.set()

    slow = Pausing(png())
    world = World(slow, limits=CreationLimits(lease=0.03), creations=RenewedCreations)
    running = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    world.repository.failure = DBConnectionError("Away.")
    tried.clear()
    assert tried.wait(WAIT_SECONDS)
    world.repository.failure = None
    world.clock.advance(100)

    assert comes(lambda: lease_of(world) == world.clock.milliseconds() + 30)

    slow.go_on.set()
    assert running.result(WAIT_SECONDS)


def lease_of(world: World) -> int:
    assert world.found
    return world.found.lease_until_ms


def ends(world: World, state: str, seconds: float = WAIT_SECONDS) -> bool:
    """Tell whether the creation comes to a state."""
    return comes(lambda: world.state == state, seconds)


def comes(condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> bool:
    """Tell whether something comes to be in the background, which tells nobody of it."""
    deadline = Deadline.after(seconds)
    while not condition() and deadline.remaining():
        threading.Event().wait(0.005)
    return condition()


# the backlog


class LosingStore:
    """Makes a world's store, or its database, go away while the provider works."""

    def __init__(self, world: World, error: ImageException, what: str) -> None:
        self._world, self._error, self._what = world, error, what

    def __call__(self, _: GeneratorRequest) -> GeneratedImage:
        """Answer, when nothing can be stored any more."""
        target = self._world.store if self._what == "store" else self._world.repository
        target.failure = self._error
        return png()


def paid_but_not_stored(
    what: str,
    error: ImageException,
    *,
    spool_fails: bool = False,
    limits: CreationLimits = LIMITS,
    clock: FixedClock | None = None,
) -> World:
    world = World(limits=limits, clock=clock)
    world.generator.script(LosingStore(world, error, what))
    if spool_fails:
        world.spool.failure = StorageFullError("No.")
    with pytest.raises(CreationInProgressError) as caught:
        world.create()
    assert caught.value.retry_delay_seconds
    return world


@pytest.mark.parametrize("spool_fails", [False, True], ids=["spooled", "in memory"])
@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("store", StorageUnavailableError("No.")),
        ("store", StorageFullError("No.")),
        ("database", StorageFullError("No.")),
        ("database", DBConnectionError("No.")),
    ],
)
def test_paid_image_is_stored_once_that_can_be(
    what: str, error: ImageException, *, spool_fails: bool
) -> None:
    """The caller is told to come back, and the bytes are not lost meanwhile."""
    world = paid_but_not_stored(what, error, spool_fails=spool_fails)
    assert bool(world.spool.images) is not spool_fails
    world.store.failure = world.repository.failure = None

    created = world.create()

    assert created.replayed
    assert (world.asked, world.state) == (1, "done")
    assert len(world.store.objects) == 1
    assert world.creation.stop(1)
    assert world.spool.images == {}


def test_next_process_stores_what_is_in_the_spool() -> None:
    world = paid_but_not_stored("store", StorageUnavailableError("No."))
    world.creation.stop(1)
    world.store.failure = None
    world.end_leases()
    after = World(beside=world)
    after.spool = world.spool
    restarted = after.rebuilt()
    restarted.start()

    assert ends(after, "done")

    restarted.stop(1)
    assert (after.asked, world.spool.images) == (0, {})


def test_retry_does_not_pay_for_what_another_process_spools() -> None:
    """On one machine the spool is seen by all its workers, after the lease too."""
    world = paid_but_not_stored("store", StorageUnavailableError("No."))
    world.creation.stop(1)
    world.store.failure = None
    world.end_leases()
    other = World(beside=world)
    other.spool = world.spool
    other.creation = other.rebuilt()

    with pytest.raises(CreationInProgressError):
        other.create()

    assert other.asked == 0


def test_spooled_image_whose_creation_is_gone_is_put_aside() -> None:
    """Never deleted, never in the way of those behind it."""
    world = World()
    crash(world, "asked")
    assert world.found
    paid = PaidImage(world.found.fence, GUID, f"{GUID}.7.png")
    world.creations.release(world.found.fence, 0, soon())
    world.spool.put(SpooledImage(paid, png().data))
    world.creation.start()

    assert comes(lambda: not world.spool.images)

    world.creation.stop(1)
    assert world.store.quarantined == {f"{GUID}.7.png": png().data}


def test_spooled_image_that_nobody_needs_is_not_in_the_way() -> None:
    """The creation is done and its image deleted: the bytes are put aside, others stored."""
    world = World()
    first = world.create()
    assert world.found
    done = world.found
    world.repository.delete(first.image.guid, soon())
    late = PaidImage(done.fence, done.guid, f"{done.guid}.7.png")
    world.spool.put(SpooledImage(late, png().data))
    world.creation.start()

    assert comes(lambda: not world.spool.images)

    world.creation.stop(1)
    assert list(world.store.quarantined) == [f"{done.guid}.7.png"]


def test_spooled_image_that_was_stored_and_deleted_meanwhile_leaves_no_bytes() -> None:
    """The answer to its commit was lost; what the deletion removed does not come back."""
    world = World()
    first = world.create()
    assert world.found
    done = world.found
    contents = world.repository.delete(first.image.guid, soon())
    assert contents
    world.store.delete(contents.key, soon())
    late = PaidImage(done.fence, done.guid, contents.key)
    world.spool.put(SpooledImage(late, png().data))
    world.creation.start()

    assert comes(lambda: not world.spool.images)

    world.creation.stop(1)
    assert world.store.objects == {}
    assert list(world.store.quarantined) == [contents.key]


def test_lease_ends_once_another_process_has_stored_the_image() -> None:
    world = paid_but_not_stored(
        "store",
        StorageUnavailableError("No."),
        limits=replace(LIMITS, lease=0.3, skew=0.05),
        clock=RunningClock(),
    )
    (name,) = world.spool.images
    held = world.spool.images[name]
    world.spool.remove(name)
    world.store.failure = None
    world.store.put(name, held.data, soon())

    assert world.create().replayed

    assert world.creation.stop(1)


# stopping


def test_stop_waits_for_what_was_asked() -> None:
    slow = Pausing(png())
    world = World(slow)
    running = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    assert not world.creation.stop(0.05)
    slow.go_on.set()

    assert running.result(WAIT_SECONDS)
    assert world.creation.stop(WAIT_SECONDS)
