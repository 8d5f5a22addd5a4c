"""Holds every ImageRepository to the contract in core/ports.py."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    DeadlineTooShortError,
    ImageException,
    RecordNotFoundError,
)
from pixy_grpc.core.models import Image, ImageUpdate
from pixy_grpc.core.ports import ImageRepository, PageQuery, StoredImage
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.listing import ListingLimits
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.integration.data.examples import (
    EVERYTHING,
    NOON,
    PAGE_BYTES,
    add,
    listed,
    new_guid,
    new_image,
    pages,
    soon,
)
from tests.integration.data.implementations import OpenRepository
from tests.integration.data.search_cases import SEARCH_CASES, SearchCase

SECOND = timedelta(seconds=1)

ROUNDS = 100
"""How often two changes meet in a test: one in a few rounds, they do so in the worst place."""


# add and get


def test_add_returns_the_image_as_it_is_stored(repository: ImageRepository) -> None:
    """What was given is what is shown, with what its contents tell."""
    new = new_image("A red fox", "fox.png")

    added = repository.add(new, soon())

    assert added == StoredImage(
        Image(
            guid=new.guid,
            filename="fox.png",
            prompt="A red fox",
            created_at=NOON,
            updated_at=NOON,
            content_type=new.contents.content_type,
            size_bytes=new.contents.size_bytes,
            sha256=new.contents.sha256,
            width=new.contents.width,
            height=new.contents.height,
            generator="sketch",
            model="",
        ),
        new.contents,
    )


def test_get_returns_what_add_returned(open_repository: OpenRepository) -> None:
    """What one instance did is seen by every other."""
    added = add(open_repository())

    found = open_repository().get(added.image.guid, soon())

    assert found == added


@pytest.mark.parametrize(
    "text",
    [
        "fox",
        "🦊 ﬁ \u0301 İ",
        "a\nb\tc",
        "'; DROP TABLE images; --",
        "%_\\!",
        "x" * 32_000,
        "🦊" * 16_383,
    ],
    ids=["plain", "unicode", "space", "quotes", "wildcards", "longest", "most bytes"],
)
def test_get_returns_the_prompt_to_the_letter(repository: ImageRepository, text: str) -> None:
    """Nothing is normalised, cut or escaped on the way."""
    added = add(repository, prompt=text)

    found = repository.get(added.image.guid, soon())

    assert found.image.prompt == text


@pytest.mark.parametrize("name", ["名" * 255, "🦊 fox.png", "50%_off'.png"])
def test_get_returns_the_filename_to_the_letter(repository: ImageRepository, name: str) -> None:
    added = add(repository, filename=name)

    found = repository.get(added.image.guid, soon())

    assert found.image.filename == name


def test_get_returns_times_in_utc(repository: ImageRepository) -> None:
    """Times are instants, whatever zone they were given in."""
    summer = timezone(timedelta(hours=5, minutes=30))
    added = add(repository, created_at=NOON.astimezone(summer))

    found = repository.get(added.image.guid, soon())

    assert found.image.created_at == NOON
    assert found.image.created_at.tzinfo in (UTC, summer)


def test_get_of_an_unknown_guid_is_not_found(repository: ImageRepository) -> None:
    add(repository)

    with pytest.raises(RecordNotFoundError):
        repository.get(new_guid(), soon())


def test_add_of_a_taken_guid_is_refused(repository: ImageRepository) -> None:
    """The image that has the guid stays as it is."""
    added = add(repository)

    with pytest.raises(ConstraintViolationError):
        add(repository, guid=added.image.guid, prompt="Another")

    assert repository.get(added.image.guid, soon()) == added
    assert listed(repository) == [added.image.guid]


def test_add_after_a_refused_add_works(repository: ImageRepository) -> None:
    """A refusal leaves nothing in the way of the next call."""
    added = add(repository)
    with pytest.raises(ConstraintViolationError):
        add(repository, guid=added.image.guid)

    second = add(repository)

    assert listed(repository) == [second.image.guid, added.image.guid]


def test_add_at_once_of_one_guid_adds_one(open_repository: OpenRepository) -> None:
    """However many add under one guid at once, one of them wins."""
    guid = new_guid()
    barrier = threading.Barrier(8)

    def attempt(_: int) -> str | None:
        repository = open_repository()
        barrier.wait(10)
        try:
            return add(repository, guid=guid).image.guid
        except ConstraintViolationError:
            return None

    with ThreadPoolExecutor(8) as threads:
        won = [guid for guid in threads.map(attempt, range(8)) if guid]

    assert len(won) == 1
    assert listed(open_repository()) == won


# update


@pytest.mark.parametrize(
    ("update", "prompt", "filename"),
    [
        (ImageUpdate(prompt="A cat"), "A cat", "a-red-fox.png"),
        (ImageUpdate(filename="cat.png"), "A red fox", "cat.png"),
        (ImageUpdate(prompt="A cat", filename="cat.png"), "A cat", "cat.png"),
    ],
    ids=["prompt", "filename", "both"],
)
def test_update_changes_the_given_fields(
    open_repository: OpenRepository, update: ImageUpdate, prompt: str, filename: str
) -> None:
    """A field that is None stays; everything else of the image does, too."""
    added = add(open_repository())
    later = NOON + 7 * SECOND

    updated = open_repository().update(added.image.guid, update, later, soon())

    changes = {"prompt": prompt, "filename": filename, "updated_at": later}
    expected = StoredImage(added.image.model_copy(update=changes), added.contents)
    assert updated == expected.image
    assert open_repository().get(added.image.guid, soon()) == expected


def test_update_of_nothing_changes_nothing(repository: ImageRepository) -> None:
    """`updated_at` too is left as it is."""
    added = add(repository)

    updated = repository.update(added.image.guid, ImageUpdate(), NOON + SECOND, soon())

    assert updated == added.image
    assert repository.get(added.image.guid, soon()) == added


def test_update_to_the_same_text_sets_the_time(repository: ImageRepository) -> None:
    """A field was given: the image counts as updated."""
    added = add(repository)

    updated = repository.update(
        added.image.guid, ImageUpdate(prompt=added.image.prompt), NOON + SECOND, soon()
    )

    assert updated.updated_at == NOON + SECOND


def test_update_moves_the_image_in_searches(repository: ImageRepository) -> None:
    """It is found by its new texts and no longer by the old."""
    added = add(repository, prompt="A red fox", filename="fox.png")

    repository.update(
        added.image.guid, ImageUpdate(prompt="A cat", filename="cat.png"), NOON, soon()
    )

    assert listed(repository, ImageFilter("cat", "cat")) == [added.image.guid]
    assert listed(repository, ImageFilter("a")) == [added.image.guid]
    assert listed(repository, ImageFilter("fox")) == []
    assert listed(repository, ImageFilter("", "fox")) == []


def test_update_keeps_the_place_in_the_list(repository: ImageRepository) -> None:
    """The list is ordered by creation."""
    old, new = add(repository), add(repository, created_at=NOON + SECOND)

    repository.update(old.image.guid, ImageUpdate(prompt="A cat"), NOON + 9 * SECOND, soon())

    assert listed(repository) == [new.image.guid, old.image.guid]


@pytest.mark.parametrize("update", [ImageUpdate(), ImageUpdate(prompt="A cat")])
def test_update_of_an_unknown_guid_is_not_found(
    repository: ImageRepository, update: ImageUpdate
) -> None:
    with pytest.raises(RecordNotFoundError):
        repository.update(new_guid(), update, NOON, soon())


def test_updates_at_once_are_each_whole(open_repository: OpenRepository) -> None:
    """Both fields are those of one update, and so is what finds them."""
    guid = add(open_repository()).image.guid
    names = [f"name{number}" for number in range(8)]

    def rename(name: str) -> None:
        update = ImageUpdate(prompt=name, filename=name)
        open_repository().update(guid, update, NOON, soon())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(rename, names))

    repository = open_repository()
    image = repository.get(guid, soon()).image
    found = [name for name in names if listed(repository, ImageFilter(name, name))]
    assert found == [image.prompt] == [image.filename]


def test_updates_of_two_fields_at_once_lose_neither(open_repository: OpenRepository) -> None:
    """Whichever is later sees the other: a field that is not given is nobody's to put back."""
    first, second = open_repository(), open_repository()
    guid = add(first).image.guid
    together = threading.Barrier(2, timeout=30)

    def change(repository: ImageRepository, field: str) -> None:
        for number in range(ROUNDS):
            together.wait()
            update = ImageUpdate(**{field: f"{field}{number}"})
            repository.update(guid, update, NOON, soon())
            together.wait()
            image = repository.get(guid, soon()).image
            assert (image.prompt, image.filename) == (f"prompt{number}", f"filename{number}")

    with ThreadPoolExecutor(2) as threads:
        running = [
            threads.submit(change, first, "prompt"),
            threads.submit(change, second, "filename"),
        ]
        for each in running:
            each.result(60)

    last = f"prompt{ROUNDS - 1}", f"filename{ROUNDS - 1}"
    assert listed(first, ImageFilter(*last)) == [guid]
    assert listed(first, ImageFilter("prompt0")) == []


# delete


def test_delete_returns_what_was_known_of_the_bytes(open_repository: OpenRepository) -> None:
    added = add(open_repository())

    known = open_repository().delete(added.image.guid, soon())

    assert known == added.contents
    with pytest.raises(RecordNotFoundError):
        open_repository().get(added.image.guid, soon())


def test_delete_leaves_other_images(repository: ImageRepository) -> None:
    """Nothing finds the deleted one any more, and everything still finds the others."""
    kept, gone = add(repository), add(repository)

    repository.delete(gone.image.guid, soon())

    assert listed(repository) == [kept.image.guid]
    assert listed(repository, ImageFilter("fox", "a-red")) == [kept.image.guid]


def test_delete_of_an_unknown_guid_is_not_found(repository: ImageRepository) -> None:
    with pytest.raises(RecordNotFoundError):
        repository.delete(new_guid(), soon())


def test_delete_twice_is_not_found(repository: ImageRepository) -> None:
    added = add(repository)
    repository.delete(added.image.guid, soon())

    with pytest.raises(RecordNotFoundError):
        repository.delete(added.image.guid, soon())


# deadlines

OPERATIONS: dict[str, Callable[[ImageRepository, Deadline], object]] = {
    "add": lambda repository, deadline: repository.add(new_image(guid=new_guid()), deadline),
    "get": lambda repository, deadline: repository.get(new_guid(), deadline),
    "list_page": lambda repository, deadline: repository.list_page(
        PageQuery(EVERYTHING, None, 1, 1), deadline
    ),
    "update": lambda repository, deadline: repository.update(
        new_guid(), ImageUpdate(prompt="x"), NOON, deadline
    ),
    "delete": lambda repository, deadline: repository.delete(new_guid(), deadline),
    "ping": lambda repository, deadline: repository.ping(deadline),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    ("from_caller", "expected"), [(True, DeadlineTooShortError), (False, DBConnectionError)]
)
def test_call_past_its_deadline_does_nothing(
    repository: ImageRepository, name: str, expected: type[ImageException], *, from_caller: bool
) -> None:
    """It ends in an error: the caller's for their deadline, ours for a cap of ours."""
    passed = Deadline.after(-1, from_caller=from_caller)

    with pytest.raises(expected):
        OPERATIONS[name](repository, passed)

    assert listed(repository) == []


def test_ping_returns(repository: ImageRepository) -> None:
    repository.ping(soon())


# the list


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


# filters


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
