"""Holds every list_page to its definition, over random images, filters and limits."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.ports import ImageRepository, StoredImage
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.listing import ListingLimits
from tests.fakes import InMemoryImageRepository, meets
from tests.integration.data.examples import NOON, listed, new_image, soon
from tests.integration.data.implementations import OpenRepository

IMAGES = 120

WORDS = (
    *(
        "fox",
        "forest",
        "red",
        "a",
        "été",
        "e\u0301te",
        "ﬁsh",
        "x" * 45,
        "x" * 44 + "y",
        "富士山の夕焼け",
    ),
    *("iPhoneケース", "->", "- >", "=========", "🦊", "हिन्दी", "%", "12", "rare1", "rare2", "İ"),
)
"""The prompts are made of these, the first ones often, the last ones seldom."""

NAMES = ("fox", "Fox ", "forest", "富士", "f" * 50, "f" * 49 + "g", "100%")

LIMITS = {
    "usual": ListingLimits(),
    "index": ListingLimits(first_look_factor=1, rare_images=1_000, rows_a_query=1),
    "walk": ListingLimits(first_look_factor=1, rare_images=0, rows_a_call=50, rows_a_query=7),
    "mixed": ListingLimits(first_look_factor=2, rare_images=20, rows_a_call=9, rows_a_query=3),
}
"""Each way of filling a page: rows in order, the images of a rare term, rows to a budget."""


@dataclass(frozen=True)
class Filled:
    """A repository opened under each of the LIMITS, and all its images, newest first."""

    repositories: dict[str, ImageRepository]
    images: list[StoredImage]


@pytest.fixture(scope="module")
def filled(open_module_repository: OpenRepository) -> Filled:
    """Return a repository with as many images as it takes to have common and rare terms."""
    chance = random.Random(20261122)  # noqa: S311 - the same images each time
    repository = open_module_repository()
    images = []
    for _ in range(IMAGES):
        at = NOON + timedelta(seconds=chance.randrange(40))
        new = new_image(_text(chance, WORDS), _text(chance, NAMES)[:255], at)
        images.append(repository.add(new, soon()))
    order = sorted(enumerate(images), key=lambda pair: (pair[1].image.created_at, pair[0]))
    return Filled(
        {name: open_module_repository(limits) for name, limits in LIMITS.items()},
        [stored for _, stored in reversed(order)],
    )


def _text(chance: random.Random, pieces: tuple[str, ...]) -> str:
    weights = [1 / (number + 1) for number in range(len(pieces))]
    return " ".join(chance.choices(pieces, weights, k=chance.randint(1, 5)))


def _some(pieces: tuple[str, ...], most: int) -> st.SearchStrategy[str]:
    """Draw texts of a few pieces, or of their beginnings."""
    whole = st.sampled_from(pieces)
    part = st.tuples(whole, st.integers(1, 12)).map(lambda drawn: drawn[0][: drawn[1]])
    return st.lists(whole | part, max_size=most).map(" ".join)


TIMES = st.none() | st.integers(-1, 41).map(lambda seconds: NOON + timedelta(seconds=seconds))
FILTERS = st.builds(ImageFilter, _some(WORDS, 3), st.just("") | _some(NAMES, 1), TIMES, TIMES)


@pytest.mark.parametrize("limits", LIMITS)
@settings(
    derandomize=True,
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    sought=FILTERS,
    limit=st.sampled_from([1, 2, 3, 5, 10, 30, 119, 120, 1_000]),
    max_bytes=st.sampled_from([1, 2_000, 1_048_576]),
)
def test_list_is_what_meets_the_filter_in_order(
    filled: Filled, limits: str, sought: ImageFilter, limit: int, max_bytes: int
) -> None:
    """However little one page may do, the whole list is all that matches, newest first."""
    repository = filled.repositories[limits]

    found = listed(repository, sought, limit=limit, max_bytes=max_bytes)

    assert found == [each.image.guid for each in filled.images if meets(each, sought)]


Operation = Callable[[ImageRepository], object]


@pytest.mark.parametrize("seed", range(4))
def test_random_changes_leave_what_the_definition_has(
    open_repository: OpenRepository, seed: int
) -> None:
    """The same calls return, raise and leave the same as the one in memory."""
    held, model = open_repository(LIMITS["mixed"]), InMemoryImageRepository()

    for operation in _operations(random.Random(seed)):  # noqa: S311 - the same each time
        assert _outcome(operation, held) == _outcome(operation, model)

    assert listed(held) == listed(model)


def _operations(chance: random.Random) -> Iterator[Operation]:
    guids = [new_image().guid for _ in range(12)]
    for number in range(80):
        yield _operation(chance, chance.choice(guids), number % 4 + 1)


def _operation(chance: random.Random, guid: str, limit: int) -> Operation:
    at = NOON + timedelta(seconds=chance.randrange(5))
    text, name = _text(chance, WORDS), _text(chance, NAMES)[:255]
    new = new_image(text, name, at, guid=guid)
    change = ImageUpdate(prompt=chance.choice([None, text]), filename=None)
    sought = ImageFilter(_text(chance, WORDS)[:9])
    operations: list[Operation] = [
        lambda held: held.add(new, soon()),
        lambda held: held.get(guid, soon()),
        lambda held: held.update(guid, change, at, soon()),
        lambda held: held.delete(guid, soon()),
        lambda held: listed(held, sought, limit=limit),
    ]
    return chance.choice(operations)


def _outcome(operation: Operation, held: ImageRepository) -> object:
    try:
        return operation(held)
    except ImageException as error:
        return type(error)
