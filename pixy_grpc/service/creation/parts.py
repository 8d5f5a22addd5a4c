"""What creating an image works with, and what it returns."""

from dataclasses import dataclass

from pixy_grpc.core.models import Image
from pixy_grpc.core.ports import (
    Clock,
    CreationRepository,
    ImageGenerator,
    ImageRepository,
    ImageStore,
    Spool,
)


@dataclass(frozen=True)
class CreationParts:
    """The ports that creations meet."""

    images: ImageRepository
    creations: CreationRepository
    store: ImageStore
    spool: Spool
    generator: ImageGenerator
    clock: Clock


@dataclass(frozen=True)
class CreatedImage:
    """The stored image; `replayed` where an earlier call with the request id made it."""

    image: Image
    replayed: bool
