"""Images as the service describes them."""

import hashlib
from typing import Any, TypedDict, Unpack

import grpc

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.stand_in import Behaviour, sends

GUID = "0b5c1fd0-7a39-4e6b-9f4e-3f1f6c8f2a11"
DATA = bytes(range(256)) * 40
CHUNK_BYTES = 4096


class DetailsFields(TypedDict, total=False):
    """The fields of ImageDetails that tests change."""

    guid: str
    filename: str
    content_type: str
    prompt: str
    width: int


def details_of(data: bytes = DATA, **changes: Unpack[DetailsFields]) -> pb.ImageDetails:
    """Describe an image with those bytes."""
    details = pb.ImageDetails(
        guid=GUID,
        filename="a-red-fox.png",
        prompt="A red fox",
        content_type="image/png",
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        width=64,
        height=32,
        generator="sketch",
    )
    details.created_at.FromJsonString("2026-11-22T08:30:00Z")
    details.updated_at.FromJsonString("2026-11-22T08:31:00Z")
    details.MergeFrom(pb.ImageDetails(**changes))
    return details


def chunks(data: bytes) -> tuple[pb.GetImageBytesResponse, ...]:
    """Return bytes as the messages that carry them."""
    return tuple(
        pb.GetImageBytesResponse(data=data[at : at + CHUNK_BYTES])
        for at in range(0, len(data), CHUNK_BYTES)
    )


def sends_image(
    data: bytes = DATA, details: pb.ImageDetails | None = None, then: Behaviour | None = None
) -> Behaviour:
    """Answer with a stream of an image and its bytes."""
    first = pb.GetImageBytesResponse(details=details or details_of(data))
    return sends(first, *chunks(data), then=then)


def sends_range(
    data: bytes = DATA,
    details: pb.ImageDetails | None = None,
    *,
    messages: int | None = None,
    then: Behaviour | None = None,
) -> Behaviour:
    """Answer with what is asked for of those bytes, or so many messages of it."""
    first = pb.GetImageBytesResponse(details=details or details_of(data))

    def behave(request: pb.GetImageBytesRequest, context: grpc.ServicerContext) -> Any:
        end = request.read_offset + request.read_limit if request.read_limit else None
        wanted = chunks(data[request.read_offset : end])[:messages]
        return sends(first, *wanted, then=then)(request, context)

    return behave


PLAIN_IMAGE = f"""\
guid: {GUID}
prompt: A red fox
filename: a-red-fox.png
created_at: 2026-11-22T08:30:00Z
updated_at: 2026-11-22T08:31:00Z
content_type: image/png
size_bytes: 10240
sha256: {details_of().sha256}
width: 64
height: 32
generator: sketch
"""
"""`pixy show` of that image, in a pipe."""
