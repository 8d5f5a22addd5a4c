"""Holds every ImageRepository to its contract: what each filter finds."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pixy_grpc.core.ports import ImageRepository
from pixy_grpc.core.search import ImageFilter
from tests.integration.data.examples import NOON, add, listed, new_guid
from tests.integration.data.implementations import OpenRepository
from tests.integration.data.search_cases import SEARCH_CASES, SearchCase

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def searched(
    open_module_repository: OpenRepository,
) -> tuple[ImageRepository, dict[SearchCase, str]]:
    """Return a repository with the image of each search case, and their guids."""
    repository = open_module_repository()
    guids = {case: new_guid() for case in SEARCH_CASES}
    for case, guid in guids.items():
        add(repository, guid=guid, prompt=case.prompt, filename=case.filename)
    return repository, guids


@pytest.mark.parametrize("case", SEARCH_CASES, ids=str)
def test_search_finds_what_the_rule_says(
    searched: tuple[ImageRepository, dict[SearchCase, str]], case: SearchCase
) -> None:
    """Among the images of all cases, too, where `matches` says which are meant."""
    repository, guids = searched

    found = listed(repository, case.sought, limit=1_000)

    meant = [each for each in SEARCH_CASES if case.sought.matches(each.prompt, each.filename)]
    assert (guids[case] in found) is case.found
    assert sorted(found) == sorted(guids[each] for each in meant)


FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("after", "before", "expected"),
    [
        (None, None, [0, 1, 2]),
        (NOON, None, [0, 1, 2]),
        (NOON + SECOND, None, [1, 2]),
        (NOON + 2 * SECOND, None, [2]),
        (NOON + 3 * SECOND, None, []),
        (None, NOON, []),
        (None, NOON + SECOND, [0]),
        (None, NOON + 2 * SECOND, [0, 1]),
        (None, NOON + 3 * SECOND, [0, 1, 2]),
        (NOON + SECOND, NOON + 2 * SECOND, [1]),
        (NOON + SECOND, NOON + SECOND, []),
        (NOON + 2 * SECOND, NOON, []),
        (FIRST, LAST, [0, 1, 2]),
        (LAST, None, []),
        (None, FIRST, []),
        (FIRST, FIRST + SECOND, []),
        (LAST - SECOND, LAST, []),
        (
            FIRST.replace(tzinfo=TOKYO),
            LAST.replace(tzinfo=timezone(-timedelta(hours=9))),
            [0, 1, 2],
        ),
        (datetime(1970, 1, 1, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), [0, 1, 2]),
        (datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC), None, []),
        (datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), None, []),
        ((NOON + SECOND).astimezone(TOKYO), (NOON + 2 * SECOND).astimezone(TOKYO), [1]),
    ],
)
@pytest.mark.parametrize("prompt", ["", "fox"])
def test_time_filter_begins_with_its_start_and_ends_before_its_end(
    repository: ImageRepository,
    prompt: str,
    after: datetime | None,
    before: datetime | None,
    expected: list[int],
) -> None:
    """From year 1 to 9999, in any zone, with and without words."""
    guids = [add(repository, created_at=NOON + number * SECOND).image.guid for number in range(3)]

    found = listed(repository, ImageFilter(prompt, "", after, before), limit=2)

    assert found == [guids[number] for number in reversed(expected)]


def test_created_at_the_ends_of_time_is_listed(repository: ImageRepository) -> None:
    """The first and last second that every database keeps."""
    first = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    last = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
    guids = [add(repository, created_at=at).image.guid for at in (first, last)]

    assert listed(repository, limit=1) == guids[::-1]
    assert listed(repository, ImageFilter(created_after=last)) == guids[1:]
    assert listed(repository, ImageFilter(created_before=last)) == guids[:1]
    assert listed(repository, ImageFilter(created_after=first)) == guids[::-1]
    assert listed(repository, ImageFilter(created_before=first)) == []
