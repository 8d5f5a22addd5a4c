"""What is told of a creation while it runs, and what its generator knows of its caller."""

from dataclasses import dataclass, field

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    CreationInProgressError,
    ImageException,
    InvalidPromptError,
    InvalidSizeError,
    ProviderUnavailableError,
    RequestIdReusedError,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import GeneratedImage
from pixy_grpc.core.progress import MAX_PARTIAL_BYTES
from tests.fakes import GeneratorRequest
from tests.unit.service.creating import WAIT_SECONDS, Pausing, World, png

PNG = png().data
GENERATED = [("accepted", False), ("generating", "scripted"), ("stored", len(PNG))]


@dataclass
class Recorder:
    """A Progress that keeps all it hears."""

    partial_images: int = 0
    told: list[tuple[str, object]] = field(default_factory=list)

    def accepted(self, *, waiting: bool) -> None:
        """Keep it."""
        self.told.append(("accepted", waiting))

    def generating(self, generator: str) -> None:
        """Keep it."""
        self.told.append(("generating", generator))

    def partial(self, data: bytes, content_type: str) -> None:
        """Keep its type and size."""
        self.told.append((content_type, len(data)))

    def stored(self, size_bytes: int) -> None:
        """Keep it."""
        self.told.append(("stored", size_bytes))


def test_new_creation_tells_each_step_in_order() -> None:
    recorder = Recorder()

    World(png()).create(progress=recorder)

    assert recorder.told == GENERATED


def test_replay_tells_that_it_is_accepted() -> None:
    """Nothing else happens."""
    world, recorder = World(), Recorder()
    world.create()

    world.create(progress=recorder)

    assert recorder.told == [("accepted", False)]


def test_duplicate_tells_first_that_it_waits() -> None:
    slow, recorder = Pausing(png()), Recorder()
    world = World(slow)
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    second = world.begin(progress=recorder)
    while not recorder.told:
        slow.go_on.wait(0.01)
    slow.go_on.set()

    assert second.result(WAIT_SECONDS).replayed
    assert first.result(WAIT_SECONDS)
    assert recorder.told[0] == ("accepted", True)
    assert {kind for kind, _ in recorder.told} == {"accepted"}


def test_duplicate_of_one_that_fails_goes_on_itself() -> None:
    """It waited, then asked: what is told first is that it waits."""
    slow, recorder = Pausing(ProviderUnavailableError("Away.")), Recorder()
    world = World(slow, png())
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    second = world.begin(progress=recorder)
    while not recorder.told:
        slow.go_on.wait(0.01)
    slow.go_on.set()

    assert not second.result(WAIT_SECONDS).replayed
    assert isinstance(first.exception(WAIT_SECONDS), ProviderUnavailableError)
    assert recorder.told == [("accepted", True), *GENERATED]


def test_retry_after_a_lost_owner_tells_that_it_is_accepted() -> None:
    """It takes the creation over, and asks."""
    recorder = Recorder()
    world = World(ZeroDivisionError(), png())
    with pytest.raises(ZeroDivisionError):
        world.create()
    world.end_leases()

    world.create(progress=recorder)

    assert recorder.told == GENERATED


@pytest.mark.parametrize(
    ("prompt", "refusal", "error"),
    [
        (" ", None, InvalidPromptError),
        ("a fox", InvalidSizeError("No."), InvalidSizeError),
        ("a hen", None, RequestIdReusedError),
    ],
)
def test_what_is_not_valid_tells_nothing(
    prompt: str, refusal: ImageException | None, error: type[Exception]
) -> None:
    """A prompt, a size or a request id of another creation."""
    recorder = Recorder()
    world = World()
    if error is RequestIdReusedError:
        world.create()
    world.generator.refusal = refusal

    with pytest.raises(error):
        world.create(prompt, progress=recorder)

    assert recorder.told == []


def test_image_that_is_not_stored_yet_is_not_told_to_be() -> None:
    world, recorder = World(), Recorder()

    def go(_: GeneratorRequest) -> GeneratedImage:
        world.store.failure = StorageUnavailableError("Away.")
        return png()

    world.generator.script(go)
    with pytest.raises(CreationInProgressError):
        world.create(progress=recorder)

    assert recorder.told == GENERATED[:2]
    world.store.failure = None
    world.creation.stop(WAIT_SECONDS)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0 and so on", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"GIF89a", None),
        (b"<svg/>", None),
        (b"", None),
        (PNG.ljust(MAX_PARTIAL_BYTES, b"\0"), "image/png"),
        (PNG.ljust(MAX_PARTIAL_BYTES + 1, b"\0"), None),
    ],
)
def test_unfinished_image_is_told_by_what_its_bytes_are(data: bytes, told: str | None) -> None:
    """What is none of ours, or does not fit into a message, is not shown."""
    recorder = Recorder(3)

    def go(request: GeneratorRequest) -> GeneratedImage:
        assert request.audience.partial_images == 3
        request.audience.show(data)
        return png()

    World(go).create(progress=recorder)

    assert recorder.told[2:-1] == ([(told, len(data))] if told else [])


def test_generator_knows_how_long_its_caller_waits_and_whether() -> None:
    """Its own deadline is the service's: what is paid for is waited for."""
    world = World()
    hurried = Deadline.after(3, from_caller=True)
    is_active = [True]

    world.create(deadline=hurried, is_active=lambda: is_active[0])

    (request,) = world.generator.requests
    assert request.audience.deadline is hurried
    assert request.deadline.at > hurried.at
    assert request.audience.is_waiting()
    is_active.clear()
    is_active.append(False)
    assert not request.audience.is_waiting()
    assert request.audience.partial_images == 0
    request.audience.show(PNG)
