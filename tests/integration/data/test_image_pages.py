"""Holds every ImageRepository to its contract: the list, a page at a time."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from pixy_grpc.core.ports import ImageRepository, PageQuery, StoredImage
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.listing import ListingLimits
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.integration.data.examples import EVERYTHING, NOON, PAGE_BYTES, add, listed, pages, soon
from tests.integration.data.implementations import OpenRepository

SECOND = timedelta(seconds=1)


def test_list_of_nothing_ends_at_once(repository: ImageRepository) -> None:
    page = repository.list_page(PageQuery(EVERYTHING, None, 10, PAGE_BYTES), soon())

    assert list(page.images) == []
    assert page.next is None


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 1_000])
def test_list_is_newest_first(repository: ImageRepository, limit: int) -> None:
    """By time, then by the order of adding; times may be added in any order."""
    minutes = [3, 1, 3, 2, 1, 3, 0]
    times = [NOON + timedelta(minutes=minute) for minute in minutes]
    guids = [add(repository, created_at=at).image.guid for at in times]

    found = listed(repository, limit=limit)

    order = sorted(range(7), key=lambda number: (minutes[number], number), reverse=True)
    assert found == [guids[number] for number in order]


def test_list_shows_what_get_returns(repository: ImageRepository) -> None:
    added = add(repository)

    (page,) = pages(repository)

    assert list(page.images) == [added]


@pytest.mark.parametrize("sought", [EVERYTHING, ImageFilter("fox"), ImageFilter("", "a-red")])
def test_page_holds_at_most_its_limit(repository: ImageRepository, sought: ImageFilter) -> None:
    for _ in range(7):
        add(repository)

    sizes = [len(page.images) for page in pages(repository, sought, limit=3)]

    assert max(sizes) == 3
    assert sum(sizes) == 7


def test_page_of_large_details_ends_at_its_bytes(repository: ImageRepository) -> None:
    """The encoded response stays within them, and is not much smaller than it may be."""
    guids = [add(repository, prompt="🦊" * 16_383 + "abc").image.guid for _ in range(20)]

    found = list(pages(repository, limit=1_000))

    sizes = [_encoded_bytes(page.images) for page in found]
    assert all(size <= PAGE_BYTES for size in sizes)
    assert sizes[0] > PAGE_BYTES - 2 * 65_535
    assert [each.image.guid for page in found for each in page.images] == guids[::-1]


def test_page_of_small_details_ends_at_its_bytes(repository: ImageRepository) -> None:
    """What the fields beside the texts take counts, too."""
    for _ in range(30):
        add(repository, prompt="x", filename="y")

    found = list(pages(repository, limit=1_000, max_bytes=4_096))

    assert all(_encoded_bytes(page.images) <= 4_096 for page in found)
    assert sum(len(page.images) for page in found) == 30


@pytest.mark.parametrize("sought", [EVERYTHING, ImageFilter("word"), ImageFilter("wor" + "d" * 40)])
def test_page_holds_one_image_however_large(
    repository: ImageRepository, sought: ImageFilter
) -> None:
    prompt = "word wor" + "d" * 40 + " x" * 1_000
    guids = [add(repository, prompt=prompt).image.guid for _ in range(3)]

    found = list(pages(repository, sought, max_bytes=1))

    assert [each.image.guid for page in found for each in page.images] == guids[::-1]
    assert max(len(page.images) for page in found) == 1


def _encoded_bytes(images: Sequence[StoredImage]) -> int:
    response = pb.ListImageDetailsResponse(next_page_token="t" * 200)
    for stored in images:
        fields = stored.image.model_dump(exclude={"created_at", "updated_at"})
        details = pb.ImageDetails(**fields)
        details.created_at.FromDatetime(stored.image.created_at)
        details.updated_at.FromDatetime(stored.image.updated_at)
        response.details.append(details)
    return response.ByteSize() - 203


TINY = ListingLimits(first_look_factor=1, rare_images=3, rows_a_call=4, rows_a_query=2)
"""Limits under which a few rows come to every way of filling a page."""


PAGING_FILTERS = {
    "everything": EVERYTHING,
    "a common word": ImageFilter("fox"),
    "a filename": ImageFilter("", "a-"),
    "a long word": ImageFilter("wor" + "d" * 40),
    "a long sign": ImageFilter("- -"),
}


@pytest.mark.parametrize("limits", [ListingLimits(), TINY], ids=["usual", "tiny"])
@pytest.mark.parametrize("name", PAGING_FILTERS)
def test_changes_while_paging_lose_and_repeat_nothing(
    open_repository: OpenRepository, name: str, limits: ListingLimits
) -> None:
    """What was there throughout is shown exactly once, in order.

    Between two pages one image is added at the top, one among those to come, one with
    the time of the last one shown; the last one shown and one to come are deleted.
    """
    repository = open_repository(limits)
    text = "A fox - - wor" + "d" * 40
    times = [NOON + SECOND * (number // 3) for number in range(30)]
    stay = [add(repository, prompt=text, created_at=at).image.guid for at in times]
    shown: list[str] = []

    for page in pages(repository, PAGING_FILTERS[name], limit=3):
        shown += [each.image.guid for each in page.images]
        add(repository, prompt=text, created_at=NOON + 60 * SECOND)
        add(repository, prompt=text, created_at=NOON)
        if not page.images:
            continue
        last = page.images[-1].image
        add(repository, prompt=text, created_at=last.created_at)
        to_come = [guid for guid in stay if guid not in shown]
        for guid in [last.guid, *to_come[-2:-1]]:
            if guid in stay:
                repository.delete(guid, soon())
        stay = [guid for guid in stay if guid not in (last.guid, *to_come[-2:-1])]
        if len(shown) > 60:
            break

    assert len(shown) == len(set(shown))
    assert [guid for guid in shown if guid in stay] == stay[::-1]


@pytest.mark.parametrize(
    ("sought", "count"),
    [
        (ImageFilter("common"), 40),
        (ImageFilter("rare"), 2),
        (ImageFilter("common rare"), 2),
        (ImageFilter("common other"), 20),
        (ImageFilter("common never"), 0),
        (ImageFilter("common", created_after=NOON + 30 * SECOND), 10),
        (ImageFilter("rare", created_before=NOON + 30 * SECOND), 1),
        (ImageFilter("wor" + "d" * 40), 1),
        (ImageFilter("wor" + "d" * 39), 40),
        (ImageFilter("> -"), 0),
    ],
    ids=str,
)
@pytest.mark.parametrize("limit", [1, 3, 40, 41])
def test_search_within_tiny_limits_finds_the_same(
    open_repository: OpenRepository, sought: ImageFilter, count: int, limit: int
) -> None:
    """Bounded work makes pages short, or empty with a `next`; the list is the same."""
    repository = open_repository(TINY)
    for number in range(40):
        words = ["common", "wor" + "d" * (40 if number == 17 else 39), "-", ">>"]
        words += ["rare"] * (number in (5, 35)) + ["other"] * (number % 2)
        add(repository, prompt=" ".join(words), created_at=NOON + number * SECOND)

    found = listed(repository, sought, limit=limit)

    assert len(found) == len(set(found)) == count
