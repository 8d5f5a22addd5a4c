"""Creating an image, over whatever happens: who is asked, what is kept, what is said."""

import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, NewCreation, Usage
from pixy_grpc.core.exceptions import (
    ContentPolicyError,
    CreationInProgressError,
    DBConnectionError,
    DeadlineTooShortError,
    FieldViolation,
    ImageException,
    InvalidPromptError,
    InvalidSizeError,
    ProviderBadResponseError,
    ProviderMisconfiguredError,
    ProviderOutcomeUnknownError,
    ProviderQuotaError,
    ProviderRateLimitedError,
    ProviderUnavailableError,
    RecordNotFoundError,
    RequestIdReusedError,
    StorageFullError,
    TooManyCreatesError,
    TransactionConflictError,
)
from pixy_grpc.core.ports import GeneratedImage, NewImage, Space, StoredImage
from pixy_grpc.service.creation.headstart import HeadStart
from pixy_grpc.service.creation.limits import LAPSE, CreationLimits
from pixy_grpc.service.creation.pictures import Pictures
from pixy_grpc.service.inspection import Picture, inspect
from tests.fakes import (
    FixedClock,
    GeneratorRequest,
    InMemoryCreationRepository,
    InMemoryImageRepository,
    InMemoryImageStore,
    Outcome,
)
from tests.unit.service.creating import REQUEST_ID, WAIT_SECONDS, CallFields, Pausing, World, png

GONE: CallFields = {"is_active": lambda: False}


def test_create_stores_bytes_and_row_of_what_was_made() -> None:
    """The row describes the bytes under its key, and names who made them."""
    world = World()

    image = world.create().image

    (key,) = world.store.objects
    contents = world.repository.get(image.guid, Deadline.after(1)).contents
    assert contents
    assert contents.key == key
    assert key.startswith(f"{image.guid}.")
    assert (image.width, image.height, image.content_type) == (8, 6, "image/png")
    assert (image.generator, image.model) == ("scripted", "painter-1")
    assert image.created_at == image.updated_at == FixedClock().now()
    assert image.filename == "a-fox.png"
    assert world.state == "done"


def test_usage_is_kept_with_the_creation() -> None:
    usage = Usage("req-1", 10, 20, 1.5)
    world = World(GeneratedImage(png().data, "painter-1", usage))

    image = world.create().image

    assert world.creations.usages == {image.guid: usage}


def test_keys_of_two_attempts_differ() -> None:
    """A store never sees one key twice, whatever is created again."""
    world = World()

    for _ in range(20):
        world.create(request_id=str(uuid.uuid4()))

    assert len(world.store.objects) == 20


def test_create_without_request_id_makes_an_image_each_time() -> None:
    world = World()

    guids = {world.create(request_id="").image.guid for _ in range(2)}

    assert len(guids) == 2


# replays


def test_replay_asks_nobody() -> None:
    """What was made is returned though the generator would now refuse to make it."""
    world = World()
    first = world.create()
    world.generator.refusal = InvalidSizeError("No longer.")

    again = world.create()

    assert again.replayed
    assert again.image == first.image
    assert world.asked == 1


def test_replay_after_delete_is_not_found_until_the_id_lapses() -> None:
    world = World()
    first = world.create()
    world.repository.delete(first.image.guid, Deadline.after(1))

    with pytest.raises(RecordNotFoundError):
        world.create()

    world.clock.advance((LAPSE + timedelta(seconds=1)).total_seconds())
    later = world.create()
    assert not later.replayed
    assert later.image.guid != first.image.guid


def test_create_of_other_content_is_refused() -> None:
    world = World()
    world.create()

    with pytest.raises(RequestIdReusedError):
        world.create("a hen")

    assert world.asked == 1


def test_create_of_other_content_while_the_first_runs_is_refused_at_once() -> None:
    slow = Pausing(png())
    world = World(slow)
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)

    with pytest.raises(RequestIdReusedError):
        world.create("a hen")

    slow.go_on.set()
    assert first.result(WAIT_SECONDS)


# what costs nothing


@pytest.mark.parametrize(
    ("refusal", "call", "kind"),
    [
        (InvalidSizeError("No."), {}, InvalidSizeError),
        (None, {"deadline": Deadline(0.0)}, DBConnectionError),
        (None, {"deadline": Deadline(0.0, from_caller=True)}, DeadlineTooShortError),
        (None, GONE, DeadlineTooShortError),
    ],
    ids=["refused", "too late for us", "too late", "caller gone"],
)
def test_generator_is_not_asked_for_what_nobody_can_have(
    refusal: ImageException | None, call: CallFields, kind: type[ImageException]
) -> None:
    """Nothing is spent on options that are refused, or on a caller who has gone."""
    world = World(refusal=refusal)

    with pytest.raises(kind):
        world.create(**call)

    assert world.asked == 0
    assert world.state == "none"


def test_caller_who_goes_after_the_claim_is_not_generated_for() -> None:
    """The claim is given back."""
    world = World()
    answers = iter([True, False])

    with pytest.raises(DeadlineTooShortError):
        world.create(is_active=lambda: next(answers))

    assert (world.asked, world.state) == (0, "none")


@pytest.mark.parametrize(
    ("total", "needed"), [(10**12, 64 * 1024 * 1024), (2 * 1024 * 1024, 256 * 1024)]
)
def test_full_store_is_found_out_before_money_is_spent(total: int, needed: int) -> None:
    """A share is kept of a small store, and so much of any other."""
    world = World()
    world.store.free = Space(needed - 1, total)

    with pytest.raises(StorageFullError):
        world.create()

    assert (world.asked, world.state) == (0, "none")
    world.store.free = Space(needed, total)
    assert world.create()


FREE = [
    ProviderUnavailableError("No."),
    ProviderRateLimitedError("No.", retry_delay_seconds=3),
    ProviderQuotaError("No."),
    ProviderMisconfiguredError("No."),
    DeadlineTooShortError("No."),
]


TOLD_BEHIND_AN_ASK: dict[type[ImageException], type[ImageException]] = {
    each: each for each in (ProviderMisconfiguredError, DeadlineTooShortError)
}
"""These say nothing of what an earlier ask may have cost."""


@pytest.mark.parametrize("error", FREE, ids=lambda error: error.reason)
def test_failure_that_cost_nothing_frees_the_id(error: ImageException) -> None:
    """A retry begins anew, with other content if it likes."""
    world = World(error, png())

    with pytest.raises(type(error)) as caught:
        world.create()

    assert caught.value is error
    assert world.state == "none"
    assert not world.create("another fox").replayed


# what the provider refuses


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (ContentPolicyError("Not that."), ContentPolicyError),
        (InvalidPromptError("No.", violations=[FieldViolation("prompt", "x")]), InvalidPromptError),
        (ProviderBadResponseError("No."), ProviderBadResponseError),
        (GeneratedImage(b"<svg/>"), ProviderBadResponseError),
        (GeneratedImage(b""), ProviderBadResponseError),
        (GeneratedImage(png().data[:-40]), ProviderBadResponseError),
    ],
    ids=["moderation", "argument", "unusable", "svg", "empty", "cut"],
)
def test_refusal_is_replayed(outcome: Outcome, kind: type[ImageException]) -> None:
    """The answer is the same without asking again, and nothing is stored."""
    world = World(outcome, png())
    with pytest.raises(kind) as first:
        world.create()

    with pytest.raises(kind) as again:
        world.create()

    assert (world.asked, world.state) == (1, "refused")
    assert world.store.objects == {}
    assert again.value.message == first.value.message
    assert again.value.violations == first.value.violations


# what nobody knows the outcome of

UNKNOWN = [ProviderOutcomeUnknownError("?"), RuntimeError("?"), MemoryError(), KeyError("?")]


@pytest.mark.parametrize("error", UNKNOWN, ids=lambda error: type(error).__name__)
def test_unknown_outcome_is_asked_once_more_at_once(error: Exception) -> None:
    """The caller learns it, and a retry goes on without waiting for a lease."""
    world = World(error, png())
    with pytest.raises(type(error)):
        world.create()
    assert world.state == "unknown"

    again = world.create()

    assert (world.asked, world.state) == (2, "done")
    assert not again.replayed


def test_provider_is_never_asked_a_third_time() -> None:
    world = World(ProviderOutcomeUnknownError("?"))
    for _ in range(4):
        with pytest.raises(ProviderOutcomeUnknownError):
            world.create()

    assert (world.asked, world.state) == (2, "unknown")


@pytest.mark.parametrize("error", FREE, ids=lambda error: error.reason)
def test_failure_that_cost_nothing_does_not_undo_an_earlier_ask(error: ImageException) -> None:
    """The first may have been billed: the id stays, one more ask is left, and no answer
    says that nothing was spent.
    """
    world = World(ProviderOutcomeUnknownError("?"), error, png())
    with pytest.raises(ProviderOutcomeUnknownError):
        world.create()

    with pytest.raises(TOLD_BEHIND_AN_ASK.get(type(error), ProviderOutcomeUnknownError)) as caught:
        world.create()

    assert caught.value.retry_delay_seconds == error.retry_delay_seconds
    assert world.found
    assert (world.state, world.found.asks) == ("unknown", 1)
    assert world.create()
    assert (world.asked, world.state) == (3, "done")


def test_refusal_of_the_second_ask_is_the_answer() -> None:
    world = World(ProviderOutcomeUnknownError("?"), ContentPolicyError("No."))
    with pytest.raises(ProviderOutcomeUnknownError):
        world.create()

    for _ in range(2):
        with pytest.raises(ContentPolicyError):
            world.create()

    assert (world.asked, world.state) == (2, "refused")


# callers who go


def test_image_that_was_asked_for_is_stored_though_the_caller_is_out_of_time() -> None:
    """Past the caller's deadline what was paid for is kept, and a retry finds it."""

    def slow(request: GeneratorRequest) -> GeneratedImage:
        assert not request.deadline.from_caller
        time.sleep(0.3)
        assert request.deadline.remaining()
        return png()

    world = World(slow)

    created = world.create(deadline=Deadline.after(0.2, from_caller=True))

    assert world.create().image == created.image
    assert world.asked == 1


# duplicates


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
    began = time.monotonic()

    with pytest.raises(CreationInProgressError) as caught:
        world.create(deadline=Deadline.after(0.2, from_caller=True))

    assert time.monotonic() - began < 1
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


def test_request_id_names_the_creation_of_one_caller() -> None:
    world = World()

    first, second = world.create(), world.create(caller="bob")

    assert first.image.guid != second.image.guid
    assert world.found
    assert world.found.key.request_id == REQUEST_ID


def test_duplicate_learns_that_it_is_under_way_though_the_database_is_away() -> None:
    """UNAVAILABLE would say that nothing was spent."""
    slow = Pausing(png())
    world = World(slow)
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    waiting = threading.Event()

    @contextmanager
    def room() -> Iterator[None]:
        waiting.set()
        yield

    duplicate = world.begin(waiting=room)
    assert waiting.wait(WAIT_SECONDS)
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


# what is in the way


class HinderedRepository(InMemoryImageRepository):
    """A repository where other transactions are in the way of so many adds."""

    conflicts = 0

    def add(self, new: NewImage, deadline: Deadline) -> StoredImage:
        """Add, unless hindered."""
        if self.conflicts:
            self.conflicts -= 1
            raise TransactionConflictError("No.")
        return super().add(new, deadline)


@pytest.mark.parametrize("conflicts", [1, 2])
def test_conflict_is_tried_again(conflicts: int) -> None:
    repository = HinderedRepository()
    repository.conflicts = conflicts
    world = World(repository=repository)

    assert not world.create().replayed


def test_conflict_that_stays_is_for_later() -> None:
    repository = HinderedRepository()
    repository.conflicts = 3
    world = World(repository=repository)

    with pytest.raises(CreationInProgressError):
        world.create()

    assert world.create().replayed
    assert world.asked == 1


@pytest.mark.parametrize(
    "error", [ProviderUnavailableError("No."), ContentPolicyError("No."), RuntimeError("?")]
)
def test_failure_that_cannot_be_noted_is_still_told(error: Exception) -> None:
    """The lease ends by itself; a retry then asks once more, as what was asked counts."""
    world = World()

    def fail(_: GeneratorRequest) -> GeneratedImage:
        world.repository.failure = DBConnectionError("Away.")
        raise error

    world.generator.script(fail)
    with pytest.raises(type(error)):
        world.create()
    world.repository.failure = None
    assert world.state == "asked"

    world.generator.script(png())
    world.end_leases()
    world.restart()
    assert world.create()
    assert world.found
    assert world.found.asks == 2


# decoding


def test_pictures_are_decoded_a_few_at_a_time() -> None:
    """However many answers come at once."""
    world = World()
    world.create()
    assert world.found
    mine = world.found
    lock, now, most = threading.Lock(), [0], [0]

    def look(data: bytes) -> Picture:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        return inspect(data)

    pictures = Pictures(CreationLimits(decodes=2), look)
    with ThreadPoolExecutor(8) as threads:
        made = list(
            threads.map(
                lambda _: pictures.made(mine, png(), HeadStart(InMemoryImageStore(), 30.0)),
                range(16),
            )
        )

    assert len({each.contents.key for each in made}) == 16
    assert most == [2]


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
