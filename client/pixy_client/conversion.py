"""Turns messages of the contract into models and back; nothing else knows both."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from pixy_client.errors import UnreadableAnswerError
from pixy_client.results import (
    Creation,
    CreationAccepted,
    CreationEvent,
    CreationGenerating,
    CreationStored,
    ImagePage,
    PartialImage,
)
from pixy_grpc.core.exceptions import InvalidFormatError
from pixy_grpc.core.models import Image, ImageFormat
from pixy_grpc.v1 import image_service_pb2 as pb

_FORMATS = {
    None: pb.IMAGE_FORMAT_UNSPECIFIED,
    ImageFormat.PNG: pb.IMAGE_FORMAT_PNG,
    ImageFormat.JPEG: pb.IMAGE_FORMAT_JPEG,
    ImageFormat.WEBP: pb.IMAGE_FORMAT_WEBP,
}


def from_format(chosen: ImageFormat | str | None) -> pb.ImageFormat.ValueType:
    """Return the format as it is sent. Raises InvalidFormatError for an unknown one."""
    try:
        return _FORMATS[None if chosen is None else ImageFormat(chosen)]
    except ValueError as exc:
        names = ", ".join(ImageFormat)
        raise InvalidFormatError(f"A format is one of {names}.") from exc


def from_datetime(moment: datetime | None) -> Timestamp | None:
    """Return a moment as it is sent, None where there is none; a naive one counts as UTC."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    stamp = Timestamp()
    stamp.FromDatetime(aware)
    return stamp


def to_image(details: pb.ImageDetails) -> Image:
    """Return the image that details describe. Raises UnreadableAnswerError without any."""
    if not details.guid:
        raise UnreadableAnswerError("The answer describes no image.")
    return Image(
        guid=details.guid,
        filename=details.filename,
        prompt=details.prompt,
        created_at=details.created_at.ToDatetime(tzinfo=UTC),
        updated_at=details.updated_at.ToDatetime(tzinfo=UTC),
        content_type=details.content_type,
        size_bytes=details.size_bytes,
        sha256=details.sha256,
        width=details.width,
        height=details.height,
        generator=details.generator,
        model=details.model,
    )


def to_creation(answer: pb.CreateImageResponse, request_id: str) -> Creation:
    """Return the creation that an answer describes."""
    return Creation(to_image(answer.details), answer.replayed, request_id)


def to_event(answer: pb.CreateImageStreamResponse, request_id: str) -> CreationEvent | None:
    """Return what has happened; None for what only a later version could name."""
    match answer.WhichOneof("event"):
        case "accepted":
            return CreationAccepted(request_id, answer.accepted.waiting)
        case "generating":
            return CreationGenerating(answer.generating.generator)
        case "partial_image":
            shown = answer.partial_image
            return PartialImage(shown.index, shown.content_type, shown.data)
        case "stored":
            return CreationStored(answer.stored.size_bytes)
        case "created":
            return to_creation(answer.created, request_id)
        case _:
            return None


def to_page(answer: pb.ListImageDetailsResponse) -> ImagePage:
    """Return the page that an answer holds."""
    images = tuple(to_image(details) for details in answer.details)
    return ImagePage(images, answer.next_page_token)


def to_part(answer: pb.GetImageBytesResponse) -> Image | bytes:
    """Return what one message of a stream holds: the image, or its next bytes.

    Raises UnreadableAnswerError for both at once.
    """
    if answer.HasField("details") and answer.data:
        raise UnreadableAnswerError("The stream describes its image and sends data at once.")
    return to_image(answer.details) if answer.HasField("details") else answer.data
