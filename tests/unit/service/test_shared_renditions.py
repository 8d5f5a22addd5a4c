"""Many who want renditions at once: what is made once, who waits, and who is refused."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    DeadlineTooShortError,
    InvalidFormatError,
    TooManyDownloadsError,
)
from pixy_grpc.service.renditions import RenditionLimits
from tests.fakes import InMemoryBytes, InMemoryImageStore
from tests.unit.service.rendition_world import (
    CALL,
    CONTENTS,
    KEY,
    WAIT_SECONDS,
    CountingStore,
    World,
    summed,
)


def test_many_who_want_the_same_have_it_made_once() -> None:
    """Whenever they come: before, while or after it is made."""
    store = CountingStore()
    world = World(store=store)

    with ThreadPoolExecutor(12) as pool:
        results = set(pool.map(lambda _: world.read(), range(48)))

    assert len(results) == 1
    assert store.opened == 1


class HeldStore(CountingStore):
    """A store whose objects are opened once they may be."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_open = threading.Semaphore(0), threading.Event()

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Say that it is asked, and wait."""
        self.asked.release()
        assert self.may_open.wait(WAIT_SECONDS)
        with super().open(key, deadline) as opened:
            yield opened


class Waiting:
    """Whether a caller is there still: asked for the first time when they begin to wait."""

    def __init__(self) -> None:
        self.begun = threading.Event()

    def __call__(self) -> bool:
        """Say so, and that they are."""
        self.begun.set()
        return True


def test_image_of_which_none_can_be_made_is_decoded_once_for_all_who_wait() -> None:
    """To try again would come to the same, and hold up the next in turn."""
    data = b"no picture" * 9
    store, callers = HeldStore(), [Waiting() for _ in range(4)]
    sized = replace(CONTENTS, size_bytes=len(data))
    world = World(summed(sized, data), data, store=store)

    with ThreadPoolExecutor(5) as pool:
        reads = [pool.submit(world.read)]
        assert store.asked.acquire(timeout=WAIT_SECONDS)
        reads += [pool.submit(world.read, call=replace(CALL, is_active=each)) for each in callers]
        for each in callers:
            assert each.begun.wait(WAIT_SECONDS)
        store.may_open.set()
        errors = [read.exception(WAIT_SECONDS) for read in reads]

    assert {type(error) for error in errors} == {InvalidFormatError}
    assert store.opened == 1


def test_callers_do_not_wait_for_the_turns_of_others() -> None:
    """Alice's other work holds up what Bob wants, too, for her alone."""
    store = HeldStore()
    world = World(store=store, limits=RenditionLimits(at_once=2, wait_seconds=WAIT_SECONDS))
    other, bob = replace(KEY, max_side=256), replace(CALL, caller="bob")
    with ThreadPoolExecutor(3) as pool:
        held = pool.submit(world.read, other)
        assert store.asked.acquire(timeout=WAIT_SECONDS)
        queued = pool.submit(world.read)  # behind the other, which has Alice's one turn
        bobs = pool.submit(world.read, KEY, bob)

        began = store.asked.acquire(timeout=WAIT_SECONDS)
        store.may_open.set()

        assert began
        assert bobs.result() == queued.result() != held.result()


class WaitingStore(InMemoryImageStore):
    """A store in which reading goes on with what is done while something is opened."""

    def __init__(self, meanwhile: object = None) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Do it, then open."""
        if callable(self.meanwhile):
            act, self.meanwhile = self.meanwhile, None
            act()
        with super().open(key, deadline) as opened:
            yield opened


@pytest.mark.parametrize(
    "limits",
    [
        RenditionLimits(crowd=1, at_once=9),
        RenditionLimits(crowd=2, at_once=9),
        RenditionLimits(at_once=1, wait_seconds=0.05),
        RenditionLimits(at_once=2, wait_seconds=0.05),
    ],
    ids=["a full crowd", "its caller's half", "no turn", "its caller's turn"],
)
def test_rendition_too_many_is_refused_with_a_delay(limits: RenditionLimits) -> None:
    """One is being made: another of the same caller is told when to come back."""
    store = WaitingStore()
    world = World(limits=limits, store=store)
    refused: list[TooManyDownloadsError] = []

    def another() -> None:
        with pytest.raises(TooManyDownloadsError) as caught:
            world.read(replace(KEY, max_side=256))
        refused.append(caught.value)

    store.meanwhile = another
    world.read()

    assert [error.retry_delay_seconds for error in refused] == [1.0]
    assert world.read(replace(KEY, max_side=256))


def test_caller_who_has_gone_is_given_no_work() -> None:
    """Nothing is decoded for nobody."""
    world = World()

    with pytest.raises(DeadlineTooShortError):
        world.read(call=replace(CALL, is_active=lambda: False))
    assert not world.cache.renditions
