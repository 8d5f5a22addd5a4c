"""Paid images that wait to be stored: leased throughout, and none in the way of another."""

import threading
from collections.abc import Callable

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    CreationInProgressError,
    ImageException,
    InvalidPromptError,
    StorageFullError,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import NewImage, SpooledImage, StoredImage
from pixy_grpc.service.creation import CreationLimits
from pixy_grpc.service.creation.rounds import Rounds
from tests.fakes import InMemoryImageRepository, InMemoryImageStore, InMemorySpool
from tests.unit.service.creating import WAIT_SECONDS, World, png
from tests.unit.service.recovering import LosingStore, comes, crash, lease_of

LIMITS = CreationLimits(lease=0.03, first_pause=0.005, longest_pause=0.005, round=0.005)
OTHER_ID = "0b9d1f9e-6b0f-4c2d-9a54-3d0c2a7f1e57"
AWAY = StorageUnavailableError("Away.")


class WatchedSpool(InMemorySpool):
    """A spool that tells of each look at its names, and acts before an image is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = threading.Semaphore(0)
        self.on_names: Callable[[], object] | None = None
        self.on_put: Callable[[], object] | None = None

    def names(self) -> list[str]:
        """Return the names as they were when it was called."""
        found = super().names()
        act, self.on_names = self.on_names, None
        if act:
            act()
        self.looked.release()
        return found

    def put(self, spooled: SpooledImage) -> None:
        """Keep an image, in the end."""
        if self.on_put:
            self.on_put()
        super().put(spooled)

    def await_looks(self, count: int) -> None:
        """Return after so many looks from now."""
        while self.looked.acquire(blocking=False):
            pass
        for _ in range(count):
            assert self.looked.acquire(timeout=WAIT_SECONDS)


def watched_world() -> tuple[World, WatchedSpool]:
    """Return a world whose store goes away once something is paid for."""
    world, spool = World(limits=LIMITS), WatchedSpool()
    world.spool = spool
    world.creation = world.rebuilt()
    world.generator.script(LosingStore(world, AWAY, "store"))
    return world, spool


def is_renewed(world: World) -> bool:
    """Tell whether the lease of its image goes on."""
    world.clock.advance(100)
    return comes(lambda: lease_of(world) == world.clock.milliseconds() + LIMITS.lease_ms)


def test_lease_of_an_image_that_is_being_spooled_goes_on() -> None:
    """Rounds of the backlog meanwhile find nothing of it: it is not stored for all that."""
    world, spool = watched_world()
    spool.on_put = lambda: spool.await_looks(4)
    world.creation.start()

    with pytest.raises(CreationInProgressError):
        world.create()

    assert is_renewed(world)
    world.creation.stop(1)


@pytest.mark.parametrize("look", [1, 2])
def test_lease_of_an_image_spooled_behind_a_look_goes_on(look: int) -> None:
    """A round that looked before it was there takes none for stored that came later."""
    world, spool = watched_world()
    ended = threading.Event()

    def create() -> None:
        with pytest.raises(CreationInProgressError):
            world.create()
        ended.set()

    def count() -> None:
        spool.on_names = create

    spool.on_names = create if look == 1 else count
    world.creation.start()

    assert ended.wait(WAIT_SECONDS)
    spool.await_looks(4)
    assert is_renewed(world)
    world.creation.stop(1)


def test_lease_of_an_image_that_an_earlier_process_spooled_goes_on() -> None:
    """While the store is away, whatever restarts: another machine would pay again."""
    world, _ = watched_world()
    with pytest.raises(CreationInProgressError):
        world.create()
    world.creation.stop(1)
    world.restart()

    world.creation.start()

    assert is_renewed(world)
    world.store.failure = None
    assert comes(lambda: world.state == "done")
    world.creation.stop(1)


def test_lease_of_a_spooled_image_is_taken_back_from_who_does_not_know_of_it() -> None:
    """Another machine gave the creation up while this one was away: it would pay again."""
    world, _ = watched_world()
    with pytest.raises(CreationInProgressError):
        world.create()
    world.creation.stop(1)
    assert world.found
    soon = Deadline.after(WAIT_SECONDS)
    taken = world.creations.take_over(world.found, 1, 2**62, soon)
    assert taken
    world.creations.note_unknown(taken.fence, soon)
    world.restart()

    world.creation.start()

    assert comes(lambda: lease_of(world) > 0)
    assert is_renewed(world)
    world.store.failure = None
    assert comes(lambda: world.state == "done")
    assert world.asked == 1
    world.creation.stop(1)


# what is in memory only


class UnreachableBucket(InMemoryImageStore):
    """A store that takes nothing now, and has no bound that it would tell."""

    is_away = True

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Store bytes, or fail."""
        if self.is_away:
            raise AWAY
        super().put(key, data, deadline)


def paid_in_memory() -> tuple[World, UnreachableBucket]:
    """Return a world that can neither store nor spool what it has paid for."""
    bucket = UnreachableBucket()
    world = World(store=bucket, limits=LIMITS)
    world.spool.failure = StorageFullError("No.")
    with pytest.raises(CreationInProgressError):
        world.create()
    return world, bucket


def test_nothing_more_is_paid_for_while_an_image_is_in_memory_only() -> None:
    """Memory has an end, and what is in there is lost with the process."""
    world, bucket = paid_in_memory()

    with pytest.raises(StorageUnavailableError):
        world.create(request_id=OTHER_ID)

    assert world.asked == 1
    bucket.is_away = False
    assert world.create().replayed
    assert world.create(request_id=OTHER_ID)
    assert world.creation.stop(1)


def test_image_in_memory_is_spooled_once_that_can_be() -> None:
    """Though the store is still away: there it outlives the process."""
    world, bucket = paid_in_memory()

    world.spool.failure = None

    assert comes(lambda: len(world.spool.images) == 1)
    with pytest.raises(CreationInProgressError):
        world.create(request_id=OTHER_ID)
    assert len(world.spool.images) == world.asked == 2
    bucket.is_away = False
    assert comes(lambda: not world.spool.images)
    assert world.creation.stop(1)


# what is wrong with one of them


class PoisonedRepository(InMemoryImageRepository):
    """A repository that cannot add one image, for a reason that nobody foresaw."""

    poison = ""
    error: Exception = ValueError("Out of range.")

    def add(self, new: NewImage, deadline: Deadline) -> StoredImage:
        """Add any other."""
        if new.prompt == self.poison:
            raise self.error
        return super().add(new, deadline)


POISONS = [ValueError("Out of range."), StorageUnavailableError("EIO"), InvalidPromptError("No.")]


@pytest.mark.parametrize("error", POISONS, ids=lambda error: type(error).__name__)
def test_image_that_cannot_be_stored_is_not_in_the_way_of_others(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """It is paid for: it stays in the spool, its reason in the log, and is tried again."""
    repository = PoisonedRepository()
    repository.poison, repository.error = "a hen", error
    world = World(repository=repository, limits=LIMITS)
    world.creation.start()

    with pytest.raises(CreationInProgressError):
        world.create("a hen")

    assert len(world.spool.images) == 1
    again = len(caplog.records)
    assert comes(lambda: len(caplog.records) > again + 5)
    world.generator.script(LosingStore(world, AWAY, "store"))
    with pytest.raises(CreationInProgressError):
        world.create("a fox", request_id=OTHER_ID)
    world.store.failure = None
    assert comes(lambda: len(world.spool.images) == 1)
    repository.poison = ""
    assert comes(lambda: not world.spool.images)
    assert world.create("a hen").replayed
    assert world.asked == 2
    name = type(error).__name__
    reason = error.reason if isinstance(error, ImageException) else name
    assert name in caplog.text or reason in caplog.text
    assert world.creation.stop(WAIT_SECONDS)


@pytest.mark.parametrize("error", POISONS, ids=lambda error: type(error).__name__)
def test_sweep_goes_on_though_an_image_cannot_be_stored(error: Exception) -> None:
    """And behind what cannot be completed, or read."""
    repository = PoisonedRepository()
    repository.poison, repository.error = "a hen", error
    world = World(repository=repository, limits=LIMITS)
    with pytest.raises(CreationInProgressError):
        world.create("a hen", request_id=OTHER_ID)
    crash(world, "asked", data=png().data)
    world.end_leases()
    world.restart()

    world.creation.start()

    assert comes(lambda: world.state == "done")
    world.creation.stop(1)


def test_thread_of_rounds_outlives_an_error_that_nobody_foresaw(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, and the next round comes after a pause."""
    rounds, ended = list[int](), threading.Event()

    def act() -> float:
        rounds.append(1)
        if len(rounds) == 1:
            raise ZeroDivisionError
        ended.set()
        return WAIT_SECONDS

    running = Rounds("pixy-test", act)
    running.ensure()
    running.call()

    assert ended.wait(WAIT_SECONDS)
    running.stop(1)
    assert "ZeroDivisionError" in caplog.text


def test_rounds_that_no_thread_can_begin_for_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What else there is to do when a process stops is done."""

    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    rounds = Rounds("pixy-test", lambda: WAIT_SECONDS)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with pytest.raises(RuntimeError):
        rounds.ensure()

    rounds.stop(1)


# what an earlier attempt left


class HalfwayStore(InMemoryImageStore):
    """A store whose put fails once bytes are under their name, and are not durable yet."""

    def __init__(self, end: bytes = b"") -> None:
        """Take what follows the bytes, by mistake."""
        super().__init__()
        self.fails = True
        self._end = end
        self.flushed: list[str] = []

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Keep bytes, then fail."""
        super().put(key, data, deadline)
        if self.fails:
            self.fails = False
            self.objects[key] += self._end
            raise AWAY

    def keys(self, guid: str, deadline: Deadline) -> list[str]:
        """Note what is made durable."""
        found = super().keys(guid, deadline)
        self.flushed += found
        return found


def test_bytes_of_a_put_that_failed_halfway_are_made_durable_before_the_row() -> None:
    """The second attempt finds them under their key, and takes nothing for granted."""
    store = HalfwayStore()
    world = World(store=store, limits=LIMITS)

    world.create()

    assert world.state == "done"
    assert store.flushed == list(store.objects)


def test_other_bytes_under_the_key_are_not_committed() -> None:
    """What was paid for stays in the spool until somebody has looked."""
    store = HalfwayStore(end=b"?")
    world = World(store=store, limits=LIMITS)
    with pytest.raises(CreationInProgressError):
        world.create()
    (key,) = store.objects

    assert comes(lambda: store.flushed.count(key) > 2)
    world.creation.stop(1)
    assert world.state == "asked"
    assert list(world.spool.images) == [key]
