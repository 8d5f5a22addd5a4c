"""What processes that were killed leave behind, and how to wait for what becomes of it."""

import threading
from collections.abc import Callable

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import CreationKey, NewCreation, PaidImage
from pixy_grpc.core.exceptions import CreationInProgressError, ImageException, StorageFullError
from pixy_grpc.core.ports import GeneratedImage
from pixy_grpc.service.creation import CreationLimits
from pixy_grpc.service.creation.order import CreationRequest, placed
from tests.fakes import FixedClock, GeneratorRequest
from tests.unit.service.creating import LIMITS, REQUEST_ID, WAIT_SECONDS, World, png

GUID = "6f1c2d3e-0000-4000-8000-000000000001"
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
