"""Creating an image where something fails: what is kept, what is removed, who is asked."""

import logging
import uuid

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    DeadlineTooShortError,
    ImageException,
    InvalidSizeError,
    ProviderBadResponseError,
    ProviderUnavailableError,
    RequestIdReusedError,
    StorageFullError,
    StorageUnavailableError,
    TransactionConflictError,
)
from pixy_grpc.core.ports import GeneratedImage
from tests.fakes import (
    FixedClock,
    GeneratorRequest,
    InMemoryImageRepository,
    InMemoryImageStore,
)
from tests.unit.service.creating import REQUEST_ID, FailingRepository, StuckStore, World, png


def test_create_stores_bytes_and_row_of_what_was_made() -> None:
    """The row describes the bytes under its key, and names who made them."""
    world = World()

    image = world.create().image

    (key,) = world.store.objects
    contents = world.repository.get(image.guid, Deadline.after(1)).contents
    assert contents.key == key
    assert key.startswith(f"{image.guid}.")
    assert (image.width, image.height, image.content_type) == (8, 6, "image/png")
    assert (image.generator, image.model) == ("scripted", "painter-1")
    assert image.created_at == image.updated_at == FixedClock().now()


@pytest.mark.parametrize(
    "error",
    [ConstraintViolationError("No."), StorageFullError("No."), TransactionConflictError("No.")],
)
def test_bytes_are_removed_where_no_row_was_added(error: ImageException) -> None:
    """What surely was not added leaves nothing behind."""
    world = World(repository=FailingRepository(error))

    with pytest.raises(type(error)):
        world.create()

    assert world.store.objects == {}


@pytest.mark.parametrize("error", [DBConnectionError("No."), RuntimeError("No."), MemoryError()])
def test_bytes_stay_where_the_row_may_have_been_added(error: Exception) -> None:
    """After a lost answer the row may name them: an image without bytes would be a lie."""
    world = World(repository=FailingRepository(error, after=True))

    with pytest.raises(type(error)):
        world.create()

    assert len(world.store.objects) == 1


def test_retry_after_a_lost_answer_finds_the_image() -> None:
    """The same request id returns what was added, without asking the generator again."""
    repository = FailingRepository(DBConnectionError("No."), after=True)
    world = World(repository=repository)
    with pytest.raises(DBConnectionError):
        world.create()
    repository.error = None

    again = world.create()

    assert again.replayed
    assert len(world.generator.requests) == 1
    assert len(world.store.objects) == 1


@pytest.mark.parametrize("error", [StorageUnavailableError("No."), StorageFullError("No.")])
def test_no_row_is_added_where_bytes_were_not_stored(error: ImageException) -> None:
    """Bytes first, row second: without the one there is no other."""
    world = World()
    world.store.failure = error

    with pytest.raises(type(error)):
        world.create()

    assert world.repository.find_creation("alice", REQUEST_ID, Deadline.after(1)) is None
    assert world.store.objects == {}


def test_bytes_that_cannot_be_removed_do_not_hide_the_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The caller gets what went wrong; what is left behind is in the log, for fsck."""
    world = World(repository=FailingRepository(StorageFullError("No.")), store=StuckStore())

    with caplog.at_level(logging.WARNING, "pixy_grpc"), pytest.raises(StorageFullError):
        world.create()

    (key,) = world.store.objects
    assert f"orphaned bytes key={key} reason=STORAGE_UNAVAILABLE" in caplog.text


def test_loser_of_a_race_returns_the_winners_image() -> None:
    """Where another call with the request id is first, its image is the answer."""
    repository, store = InMemoryImageRepository(), InMemoryImageStore()
    rival = World(repository=repository, store=store)

    def slow(_: GeneratorRequest) -> GeneratedImage:
        rival.create()
        return png()

    loser = World(slow, repository=repository, store=store)

    created = loser.create()

    (key,) = store.objects
    assert created.replayed
    assert key.startswith(f"{created.image.guid}.")


def test_loser_of_a_race_with_other_content_is_refused() -> None:
    """The id was used, for something else: nothing of the loser's is kept."""
    repository, store = InMemoryImageRepository(), InMemoryImageStore()
    rival = World(repository=repository, store=store)

    def slow(_: GeneratorRequest) -> GeneratedImage:
        rival.create("a wolf")
        return png()

    with pytest.raises(RequestIdReusedError):
        World(slow, repository=repository, store=store).create()

    assert len(store.objects) == 1


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (ProviderUnavailableError("No."), ProviderUnavailableError),
        (GeneratedImage(b"<svg/>"), ProviderBadResponseError),
        (GeneratedImage(b""), ProviderBadResponseError),
        (GeneratedImage(png().data[:-40]), ProviderBadResponseError),
    ],
)
def test_nothing_is_stored_where_no_image_was_made(
    outcome: object, kind: type[ImageException]
) -> None:
    """A failed or unusable answer leaves no bytes, no row, and the request id unused."""
    world = World(outcome, png())

    with pytest.raises(kind):
        world.create()

    assert world.store.objects == {}
    assert not world.create().replayed


@pytest.mark.parametrize(
    ("refusal", "call", "kind"),
    [
        (InvalidSizeError("No."), {}, InvalidSizeError),
        (None, {"deadline": Deadline(0.0)}, DeadlineTooShortError),
        (None, {"is_active": lambda: False}, DeadlineTooShortError),
    ],
    ids=["refused", "too late", "caller gone"],
)
def test_generator_is_not_asked_for_what_nobody_can_have(
    refusal: ImageException | None, call: dict[str, object], kind: type[ImageException]
) -> None:
    """Nothing is spent on options that are refused, or on a caller who has gone."""
    world = World(refusal=refusal)

    with pytest.raises(kind):
        world.create(request_id="", **call)

    assert world.generator.requests == []


def test_replay_asks_nobody() -> None:
    """What was made is returned though the generator would now refuse to make it."""
    world = World()
    first = world.create()
    world.generator.refusal = InvalidSizeError("No longer.")

    again = world.create()

    assert again.replayed
    assert again.image == first.image
    assert len(world.generator.requests) == 1


def test_image_that_was_made_is_stored_though_the_caller_is_out_of_time() -> None:
    """Past the caller's deadline what was paid for is kept, and a retry finds it."""

    def slow(request: GeneratorRequest) -> GeneratedImage:
        while request.deadline.remaining():
            pass
        return png()

    world = World(slow)

    created = world.create(deadline=Deadline.after(0.2, from_caller=True))

    assert not created.replayed
    assert world.create().image == created.image


def test_keys_of_two_attempts_differ() -> None:
    """A store never sees one key twice, whatever is created again."""
    world = World()

    for _ in range(20):
        world.create(request_id=str(uuid.uuid4()))

    assert len(world.store.objects) == 20
