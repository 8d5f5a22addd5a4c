"""Turns messages of the contract into what the service takes, and models into messages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from pixy_grpc.core.exceptions import FieldViolation, InvalidFormatError, InvalidTimeRangeError
from pixy_grpc.core.models import Image, ImageFormat
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.service.catalogue import ImagePage
from pixy_grpc.service.creation import CreatedImage, CreationRequest
from pixy_grpc.service.delivery import ByteRange, Delivery, WantedBytes
from pixy_grpc.v1 import image_service_pb2 as pb

_FORMATS: dict[int, ImageFormat | None] = {
    pb.IMAGE_FORMAT_UNSPECIFIED: None,
    pb.IMAGE_FORMAT_PNG: ImageFormat.PNG,
    pb.IMAGE_FORMAT_JPEG: ImageFormat.JPEG,
    pb.IMAGE_FORMAT_WEBP: ImageFormat.WEBP,
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOS = 1_000_000_000


def creation_request(request: pb.CreateImageRequest) -> CreationRequest:
    """Return what a CreateImageRequest asks for; empty fields are fields not given."""
    return CreationRequest(
        image={"prompt": request.prompt, "filename": request.filename or None},
        options={
            "size": request.size,
            "quality": request.quality,
            "format": _format(request.format),
        },
        request_id=request.request_id,
    )


def image_filter(request: pb.ListImageDetailsRequest) -> ImageFilter:
    """Return the filters of a ListImageDetailsRequest."""
    return ImageFilter(
        prompt=request.prompt,
        filename=request.filename,
        created_after=_time(request, "created_after"),
        created_before=_time(request, "created_before"),
    )


def wanted_bytes(request: pb.GetImageBytesRequest) -> WantedBytes:
    """Return what a GetImageBytesRequest asks for."""
    return WantedBytes(
        range=ByteRange(request.read_offset, request.read_limit),
        max_side=request.max_side,
        format=_format(request.format),
        expected_sha256=request.expected_sha256,
    )


def changes(request: pb.UpdateImageRequest) -> dict[str, str]:
    """Return the fields that an UpdateImageRequest gives."""
    given = {}
    if request.HasField("filename"):
        given["filename"] = request.filename
    if request.HasField("prompt"):
        given["prompt"] = request.prompt
    return given


def create_response(created: CreatedImage) -> pb.CreateImageResponse:
    """Return the message for a created image."""
    return pb.CreateImageResponse(details=details(created.image), replayed=created.replayed)


def accepted(*, waiting: bool) -> pb.CreateImageStreamResponse:
    """Return the message for a creation that has begun."""
    return pb.CreateImageStreamResponse(accepted=pb.CreationAccepted(waiting=waiting))


def generating(generator: str) -> pb.CreateImageStreamResponse:
    """Return the message for a generator that is asked."""
    return pb.CreateImageStreamResponse(generating=pb.CreationGenerating(generator=generator))


def partial_image(index: int, data: bytes, content_type: str) -> pb.CreateImageStreamResponse:
    """Return the message for an unfinished image."""
    return pb.CreateImageStreamResponse(
        partial_image=pb.PartialImage(index=index, content_type=content_type, data=data)
    )


def stored(size_bytes: int) -> pb.CreateImageStreamResponse:
    """Return the message for bytes that are durable."""
    return pb.CreateImageStreamResponse(stored=pb.CreationStored(size_bytes=size_bytes))


def created(created: CreatedImage) -> pb.CreateImageStreamResponse:
    """Return the message that ends a stream."""
    return pb.CreateImageStreamResponse(created=create_response(created))


def list_response(page: ImagePage) -> pb.ListImageDetailsResponse:
    """Return the message for a page."""
    return pb.ListImageDetailsResponse(
        details=map(details, page.images), next_page_token=page.next_page_token
    )


def bytes_responses(delivery: Delivery) -> Iterator[pb.GetImageBytesResponse | bytes]:
    """Return the messages of a delivery behind `data_head`: the details, then the bytes."""
    yield pb.GetImageBytesResponse(details=details(delivery.image))
    yield from delivery.chunks


def details(image: Image) -> pb.ImageDetails:
    """Return the message for an image."""
    return pb.ImageDetails(
        guid=image.guid,
        filename=image.filename,
        prompt=image.prompt,
        created_at=_timestamp(image.created_at),
        updated_at=_timestamp(image.updated_at),
        content_type=image.content_type,
        size_bytes=image.size_bytes,
        sha256=image.sha256,
        width=image.width,
        height=image.height,
        generator=image.generator,
        model=image.model,
    )


def _format(number: int) -> ImageFormat | None:
    """Return a format; the enum is open, so that a number may be none of ours."""
    if number not in _FORMATS:
        description = "A format is IMAGE_FORMAT_PNG, _JPEG, _WEBP or _UNSPECIFIED."
        raise InvalidFormatError(description, violations=[FieldViolation("format", description)])
    return _FORMATS[number]


def _timestamp(moment: datetime) -> Timestamp:
    return Timestamp(seconds=int(moment.timestamp()))


def _time(request: pb.ListImageDetailsRequest, field: str) -> datetime | None:
    """Return a time filter, None where it is not given.

    Times are stored in whole seconds, so a fraction of a second rounds up in both:
    at or after 1.5 is at or after 2, and before 1.5 is before 2.
    """
    if not request.HasField(field):  # type: ignore[arg-type]  # the names of the message
        return None
    given: Timestamp = getattr(request, field)
    if not 0 <= given.nanos < _NANOS:
        raise _bad_time(field)
    try:
        return _EPOCH + timedelta(seconds=given.seconds + (given.nanos > 0))
    except OverflowError as error:
        raise _bad_time(field) from error


def _bad_time(field: str) -> InvalidTimeRangeError:
    description = f"{field} is a time between the years 1 and 9999 (google.protobuf.Timestamp)."
    return InvalidTimeRangeError(description, violations=[FieldViolation(field, description)])
