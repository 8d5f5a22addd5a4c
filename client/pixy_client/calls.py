"""Each call of the service described once, apart from how it is made.

A description says which method is called, how its request is built and how its answer
is read. It does no I/O. Raises TypeError for an argument of another type.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID, uuid4

from pixy_client.arguments import check_moment, check_number, check_text
from pixy_client.conversion import (
    from_datetime,
    from_format,
    to_creation,
    to_event,
    to_image,
    to_page,
    to_part,
)
from pixy_client.results import Creation, CreationEvent, ImagePage
from pixy_grpc.core.models import Image, ImageFormat
from pixy_grpc.v1 import image_service_pb2 as pb

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Call(Generic[Request, Answer, Result]):
    """One call: the name of its method in the stub, its request, how an answer is read.

    `request_id` is set for creations, and only there.
    """

    method: str
    build: Callable[[], Request]
    read: Callable[[Answer], Result]
    request_id: str = ""


class UnaryCall(Call[Request, Answer, Result]):
    """A call that is answered by one message."""


class StreamCall(Call[Request, Answer, Result]):
    """A call that is answered by a stream of messages, each read by itself."""


@dataclass(frozen=True)
class Listing:
    """What a list is limited to; a moment without a zone counts as UTC."""

    prompt: str = ""
    filename: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None
    page_size: int = 0


@dataclass(frozen=True)
class Reading:
    """The bytes wanted of an image or, with a side or a format, of a rendition of it.

    A limit of 0 means all from the offset on. With an `expected_sha256` they are wanted
    only if that is still the SHA-256 of the whole.
    """

    guid: str
    offset: int = 0
    limit: int = 0
    max_side: int = 0
    format: ImageFormat | str | None = None
    expected_sha256: str = ""


def create(
    prompt: str,
    *,
    filename: str | None = None,
    size: str = "",
    quality: str = "",
    format: ImageFormat | str | None = None,  # noqa: A002 - the contract's name
    request_id: str | UUID | None = None,
) -> UnaryCall[pb.CreateImageRequest, pb.CreateImageResponse, Creation]:
    """Describe a creation; it gets a request id of its own where none is given."""
    check_text(prompt=prompt, filename=filename, size=size, quality=quality)
    chosen = str(request_id or uuid4())
    return UnaryCall(
        "CreateImage",
        lambda: pb.CreateImageRequest(
            prompt=prompt,
            filename=filename or "",
            request_id=chosen,
            size=size,
            quality=quality,
            format=from_format(format),
        ),
        lambda answer: to_creation(answer, chosen),
        request_id=chosen,
    )


def create_stream(
    creation: UnaryCall[pb.CreateImageRequest, pb.CreateImageResponse, Creation],
    partial_images: int,
) -> StreamCall[pb.CreateImageStreamRequest, pb.CreateImageStreamResponse, CreationEvent | None]:
    """Describe the same creation, told of while it runs."""
    check_number(partial_images=partial_images)
    return StreamCall(
        "CreateImageStream",
        lambda: pb.CreateImageStreamRequest(
            creation=creation.build(), partial_images=partial_images
        ),
        lambda answer: to_event(answer, creation.request_id),
        request_id=creation.request_id,
    )


def get(guid: str) -> UnaryCall[pb.GetImageDetailsRequest, pb.GetImageDetailsResponse, Image]:
    """Describe the look-up of one image."""
    check_text(guid=guid)
    return UnaryCall(
        "GetImageDetails",
        lambda: pb.GetImageDetailsRequest(guid=guid),
        lambda answer: to_image(answer.details),
    )


def list_page(
    listing: Listing, page_token: str
) -> UnaryCall[pb.ListImageDetailsRequest, pb.ListImageDetailsResponse, ImagePage]:
    """Describe one page of a list."""
    check_text(prompt=listing.prompt, filename=listing.filename, page_token=page_token)
    check_number(page_size=listing.page_size)
    check_moment(created_after=listing.created_after, created_before=listing.created_before)
    return UnaryCall(
        "ListImageDetails",
        lambda: pb.ListImageDetailsRequest(
            page_size=listing.page_size,
            page_token=page_token,
            prompt=listing.prompt,
            filename=listing.filename,
            created_after=from_datetime(listing.created_after),
            created_before=from_datetime(listing.created_before),
        ),
        to_page,
    )


def read(
    reading: Reading,
) -> StreamCall[pb.GetImageBytesRequest, pb.GetImageBytesResponse, Image | bytes]:
    """Describe a read of bytes: the image first, then what there is of them."""
    check_text(guid=reading.guid)
    check_number(offset=reading.offset, limit=reading.limit, max_side=reading.max_side)
    return StreamCall(
        "GetImageBytes",
        lambda: pb.GetImageBytesRequest(
            guid=reading.guid,
            read_offset=reading.offset,
            read_limit=reading.limit,
            max_side=reading.max_side,
            format=from_format(reading.format),
            expected_sha256=reading.expected_sha256,
        ),
        to_part,
    )


def update(
    guid: str, filename: str | None, prompt: str | None
) -> UnaryCall[pb.UpdateImageRequest, pb.UpdateImageResponse, Image]:
    """Describe a change; None leaves a field as it is."""
    check_text(guid=guid, filename=filename, prompt=prompt)
    return UnaryCall(
        "UpdateImage",
        lambda: pb.UpdateImageRequest(guid=guid, filename=filename, prompt=prompt),
        lambda answer: to_image(answer.details),
    )


def _nothing(_: pb.DeleteImageResponse) -> None:
    """Read an answer that says nothing."""


def delete(
    guid: str, *, allow_missing: bool
) -> UnaryCall[pb.DeleteImageRequest, pb.DeleteImageResponse, None]:
    """Describe a removal."""
    check_text(guid=guid)
    return UnaryCall(
        "DeleteImage",
        lambda: pb.DeleteImageRequest(guid=guid, allow_missing=allow_missing),
        _nothing,
    )
