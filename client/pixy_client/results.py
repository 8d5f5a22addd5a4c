"""What calls return beyond an image."""

from dataclasses import dataclass, field
from pathlib import Path

from pixy_grpc.core.models import Image


@dataclass(frozen=True)
class Creation:
    """An image that was asked for.

    `replayed` tells that an earlier call with this `request_id` made it.
    """

    image: Image
    replayed: bool
    request_id: str


@dataclass(frozen=True)
class CreationAccepted:
    """A creation has begun.

    `waiting` tells that another call with this `request_id` makes the image.
    """

    request_id: str
    waiting: bool


@dataclass(frozen=True)
class CreationGenerating:
    """The generator of that name is asked."""

    generator: str


@dataclass(frozen=True)
class PartialImage:
    """The image as it looks before it is finished, as a file of that type; `index` from 0.

    A slow reader is shown the newest and misses others.
    """

    index: int
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class CreationStored:
    """The image is made, and cannot be lost any more."""

    size_bytes: int


CreationEvent = CreationAccepted | CreationGenerating | PartialImage | CreationStored | Creation
"""What `Client.create_stream` yields; a Creation is the last."""


@dataclass(frozen=True)
class ImagePage:
    """A page of a list, newest first; only an empty `next_page_token` ends the list."""

    images: tuple[Image, ...]
    next_page_token: str


@dataclass(frozen=True)
class ImageBytes:
    """Bytes of an image, from `offset` on.

    `verified` tells that they are the whole image and match its SHA-256. It is False for
    a part of an image, which the service alone can check, and for an older image that
    has no SHA-256.
    """

    image: Image
    data: bytes = field(repr=False)
    offset: int
    verified: bool


@dataclass(frozen=True)
class Download:
    """An image that was written to a file; `verified` as in ImageBytes."""

    path: Path
    image: Image
    size_bytes: int
    verified: bool
