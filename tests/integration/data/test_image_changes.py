"""Holds every ImageRepository to its contract: images that are changed, or deleted."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from pixy_grpc.core.exceptions import RecordNotFoundError
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.ports import ImageRepository, StoredImage
from pixy_grpc.core.search import ImageFilter
from tests.integration.data.examples import NOON, add, listed, new_guid, soon
from tests.integration.data.implementations import OpenRepository

SECOND = timedelta(seconds=1)


ROUNDS = 100
"""How often two changes meet in a test: one in a few rounds, they do so in the worst place."""


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
