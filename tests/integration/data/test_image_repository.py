"""Holds every ImageRepository to the contract in core/ports.py: what is added, and what is got."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta, timezone

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
from tests.integration.data.examples import EVERYTHING, NOON, add, listed, new_guid, new_image, soon
from tests.integration.data.implementations import OpenRepository


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
