"""The use case of creating, over stores and a generator that fail as they are told."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TypedDict, Unpack

from PIL import Image as Picture

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.creations import Creation, CreationKey
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.core.ports import GeneratedImage, NewImage, StoredImage
from pixy_grpc.core.progress import Progress
from pixy_grpc.service.creation import (
    CreatedImage,
    CreationLimits,
    CreationParts,
    CreationRequest,
    ImageCreation,
)
from tests.fakes import (
    FixedClock,
    GeneratorRequest,
    InMemoryCreationRepository,
    InMemoryImageRepository,
    InMemoryImageStore,
    InMemorySpool,
    Outcome,
    ScriptedGenerator,
)

REQUEST_ID = "0b9d1f9e-6b0f-4c2d-9a54-3d0c2a7f1e55"
WAIT_SECONDS = 20.0
"""Nothing in these tests is expected to take so long."""

LIMITS = CreationLimits(first_pause=0.01, longest_pause=0.02, round=0.02)
"""Pauses that a test can sit through; leases are by the clock of the test."""

OpenCreations = Callable[[InMemoryImageRepository], InMemoryCreationRepository]


def png(color: str = "red") -> GeneratedImage:
    """Return a small image, and the model that is said to have made it."""
    buffer = io.BytesIO()
    Picture.new("RGB", (8, 6), color).save(buffer, "PNG")
    return GeneratedImage(buffer.getvalue(), model="painter-1")


class FailingRepository(InMemoryImageRepository):
    """A repository that fails to add, before it has added or after."""

    def __init__(self, error: Exception, *, after: bool = False) -> None:
        super().__init__()
        self.error: Exception | None = error
        self._after = after

    def add(self, new: NewImage, deadline: Deadline) -> StoredImage:
        """Fail while there is an error to fail with."""
        if self.error and self._after:
            super().add(new, deadline)
        if self.error:
            raise self.error
        return super().add(new, deadline)


class RunningClock(FixedClock):
    """A clock that goes, for leases that a test sits through."""

    def milliseconds(self) -> int:
        """Return the time."""
        return time.time_ns() // 1_000_000


class Pausing:
    """An outcome that waits to be told: `asked` is set once somebody asks."""

    def __init__(self, outcome: GeneratedImage | Exception) -> None:
        self.asked = threading.Event()
        self.go_on = threading.Event()
        self._outcome = outcome

    def __call__(self, _: GeneratorRequest) -> GeneratedImage:
        """Wait, then answer."""
        self.asked.set()
        assert self.go_on.wait(WAIT_SECONDS)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


class CallFields(TypedDict, total=False):
    """The fields of a call, for who gives some of them by name."""

    caller: str
    call_id: str
    deadline: Deadline
    is_active: Callable[[], bool]
    waiting: Callable[[], AbstractContextManager[None]]
    working: Callable[[], None]
    progress: Progress


GONE: CallFields = {"is_active": lambda: False}
"""A caller who does not wait any more."""


class CreateFields(CallFields, total=False):
    """What `World.create` takes."""

    prompt: str
    request_id: str


class World:
    """One process's use case, and what it works on; `beside` shares the stores of another."""

    def __init__(  # noqa: PLR0913 - what a test of it picks
        self,
        *outcomes: Outcome,
        repository: InMemoryImageRepository | None = None,
        store: InMemoryImageStore | None = None,
        refusal: ImageException | None = None,
        beside: "World | None" = None,
        limits: CreationLimits = LIMITS,
        clock: FixedClock | None = None,
        creations: OpenCreations = InMemoryCreationRepository,
    ) -> None:
        self.repository: InMemoryImageRepository = (
            beside.repository if beside else repository or InMemoryImageRepository()
        )
        self.store: InMemoryImageStore = beside.store if beside else store or InMemoryImageStore()
        self.clock: FixedClock = beside.clock if beside else clock or FixedClock()
        self.spool = InMemorySpool()
        self.creations = creations(self.repository)
        self.generator = ScriptedGenerator(*(outcomes or (png(),)), refusal=refusal)
        self.limits = limits
        self.creation = self.rebuilt()
        self._threads = ThreadPoolExecutor(64)

    def rebuilt(self) -> ImageCreation:
        """Return another use case over the same, as the next process has it."""
        parts = CreationParts(
            images=self.repository,
            creations=self.creations,
            store=self.store,
            spool=self.spool,
            generator=self.generator,
            clock=self.clock,
        )
        return ImageCreation(parts, self.limits)

    def restart(self) -> None:
        """Go on with the next process, which has seen no outage."""
        self.creation.stop(1)
        self.creation = self.rebuilt()

    def create(
        self, prompt: str = "a fox", request_id: str = REQUEST_ID, **call: Unpack[CallFields]
    ) -> CreatedImage:
        """Create an image as the caller alice."""
        request = CreationRequest({"prompt": prompt}, {}, request_id)
        usual = Call("alice", "1", Deadline.after(30))
        return self.creation.create(request, replace(usual, **call))

    def begin(self, **fields: Unpack[CreateFields]) -> "Future[CreatedImage]":
        """Create in a thread of its own."""
        return self._threads.submit(self.create, **fields)

    @property
    def found(self) -> Creation | None:
        """The creation of REQUEST_ID."""
        return self.creations.find(CreationKey("alice", REQUEST_ID), Deadline.after(1))

    @property
    def state(self) -> str:
        """Its state, `none` without one."""
        found = self.found
        return found.state.value if found else "none"

    @property
    def asked(self) -> int:
        """How often the generator was asked."""
        return len(self.generator.requests)

    def end_leases(self) -> None:
        """Go on to when every lease that is not renewed has ended."""
        self.clock.advance(self.limits.lease + self.limits.skew + 1)


def waiting_duplicate(world: World) -> "Future[CreatedImage]":
    """Return a call that waits for the creation that runs."""
    waiting = threading.Event()

    @contextmanager
    def room() -> Iterator[None]:
        waiting.set()
        yield

    duplicate = world.begin(waiting=room)
    assert waiting.wait(WAIT_SECONDS)
    return duplicate
