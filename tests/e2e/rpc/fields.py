"""The fields of requests, for who gives some of them by name."""

from typing import TypedDict

from google.protobuf.timestamp_pb2 import Timestamp

from pixy_grpc.v1 import image_service_pb2 as pb


class CreateFields(TypedDict, total=False):
    """Those of CreateImageRequest."""

    prompt: str
    filename: str
    size: str
    quality: str
    format: pb.ImageFormat.ValueType
    request_id: str


class ListFields(TypedDict, total=False):
    """Those of ListImageDetailsRequest."""

    page_size: int
    page_token: str
    prompt: str
    filename: str
    created_after: Timestamp
    created_before: Timestamp


class UpdateFields(TypedDict, total=False):
    """Those of UpdateImageRequest, but for the guid."""

    filename: str
    prompt: str


class RenditionFields(TypedDict, total=False):
    """Those of GetImageBytesRequest that name a rendition."""

    max_side: int
    format: pb.ImageFormat.ValueType


class ReadFields(RenditionFields, total=False):
    """Those of GetImageBytesRequest, but for the guid."""

    read_offset: int
    read_limit: int
    expected_sha256: str
