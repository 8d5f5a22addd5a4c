"""Creating an image: what is stored, and whose it is, whoever waits and whatever is in the way."""

import time
import uuid

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Usage
from pixy_grpc.core.exceptions import CreationInProgressError, TransactionConflictError
from pixy_grpc.core.ports import GeneratedImage, NewImage, StoredImage
from tests.fakes import FixedClock, GeneratorRequest, InMemoryImageRepository
from tests.unit.service.creating import REQUEST_ID, World, png


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


def test_request_id_names_the_creation_of_one_caller() -> None:
    world = World()

    first, second = world.create(), world.create(caller="bob")

    assert first.image.guid != second.image.guid
    assert world.found
    assert world.found.key.request_id == REQUEST_ID


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
