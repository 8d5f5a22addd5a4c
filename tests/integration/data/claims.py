"""Creations in a repository, and what may come of them."""

from collections.abc import Callable
from typing import Unpack

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, CreationKey, PaidImage, Refusal
from pixy_grpc.core.exceptions import FieldViolation
from pixy_grpc.core.ports import CreationRepository
from tests.integration.data.examples import CreationFields, new_creation, new_image, soon
from tests.integration.data.implementations import Repositories

FOREVER = 2**62
REFUSAL = Refusal("INVALID_SIZE", "No such size, 狐.", (FieldViolation("size", "Too big."),))


def claimed(
    creations: CreationRepository,
    key: CreationKey | None = None,
    **fields: Unpack[CreationFields],
) -> Creation:
    return creations.claim(new_creation(key, **fields), soon())


def found(creations: CreationRepository, creation: Creation) -> Creation:
    again = creations.find(creation.key, soon())
    assert again
    return again


def finish(repositories: Repositories, creation: Creation) -> None:
    """Add the image that a creation is of."""
    repositories.images.add(new_image(guid=creation.guid, fence=creation.fence), soon())


def taken_over(creations: CreationRepository, creation: Creation) -> Creation:
    taken = creations.take_over(creation, 5_000, FOREVER, soon())
    assert taken
    return taken


NOTES: dict[str, Callable[[CreationRepository, Creation, Deadline], object]] = {
    "note_asked": lambda creations, mine, deadline: creations.note_asked(mine.fence, deadline),
    "note_kept": lambda creations, mine, deadline: creations.note_kept(
        PaidImage(mine.fence, mine.guid, "other"), deadline
    ),
    "note_refused": lambda creations, mine, deadline: creations.note_refused(
        mine.fence, REFUSAL, deadline
    ),
    "note_unknown": lambda creations, mine, deadline: creations.note_unknown(mine.fence, deadline),
}
