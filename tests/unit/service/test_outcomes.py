"""What the provider refuses, and what nobody knows the outcome of: asked once more at most."""

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Fence, Refusal
from pixy_grpc.core.exceptions import (
    ContentPolicyError,
    DBConnectionError,
    FieldViolation,
    ImageException,
    InvalidPromptError,
    ProviderBadResponseError,
    ProviderOutcomeUnknownError,
    ProviderUnavailableError,
    TransactionConflictError,
)
from pixy_grpc.core.ports import GeneratedImage
from tests.fakes import (
    GeneratorRequest,
    InMemoryCreationRepository,
    InMemoryImageRepository,
    Outcome,
)
from tests.unit.service.creating import World, png


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


def test_refusal_of_the_second_ask_is_the_answer() -> None:
    world = World(ProviderOutcomeUnknownError("?"), ContentPolicyError("No."))
    with pytest.raises(ProviderOutcomeUnknownError):
        world.create()

    for _ in range(2):
        with pytest.raises(ContentPolicyError):
            world.create()

    assert (world.asked, world.state) == (2, "refused")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ContentPolicyError("No."), "refused"),
        (ProviderOutcomeUnknownError("?"), "unknown"),
        (ProviderUnavailableError("No."), "none"),
    ],
)
def test_failure_is_noted_though_another_transaction_is_in_the_way(
    error: ImageException, state: str
) -> None:
    """A renewal of its own lease may be: what is not noted is asked for once more."""
    world = World(error, creations=HinderedCreations)

    with pytest.raises(type(error)):
        world.create()

    assert world.state == state


class HinderedCreations(InMemoryCreationRepository):
    """A repository where another transaction is in the way of the first end of a creation."""

    def __init__(self, images: InMemoryImageRepository) -> None:
        super().__init__(images)
        self._hindered = iter([True])

    def _conflict(self) -> None:
        if next(self._hindered, False):
            raise TransactionConflictError("No.")

    def note_refused(self, fence: Fence, refusal: Refusal, deadline: Deadline) -> None:
        """Note it, unless hindered."""
        self._conflict()
        super().note_refused(fence, refusal, deadline)

    def note_unknown(self, fence: Fence, deadline: Deadline) -> None:
        """Note it, unless hindered."""
        self._conflict()
        super().note_unknown(fence, deadline)

    def release(self, fence: Fence, asks: int, deadline: Deadline) -> None:
        """Give it up, unless hindered."""
        self._conflict()
        super().release(fence, asks, deadline)


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
