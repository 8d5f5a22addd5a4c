"""Messages that are encoded by hand are those of the contract."""

import pytest

from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.web.encoding import data_head, serializer


@pytest.mark.parametrize("size", [1, 127, 128, 16_383, 16_384, BLOCK_BYTES - 1, BLOCK_BYTES])
def test_data_is_encoded_as_the_generated_code_does(size: int) -> None:
    """Each length of a length has its own bytes."""
    data = (bytes(range(256)) * (size // 256 + 1))[:size]

    encoded = data_head(size) + data

    assert encoded == pb.GetImageBytesResponse(data=data).SerializeToString()


def test_serializer_takes_both_kinds() -> None:
    """What is encoded goes as it is, a message through the generated code."""
    message = pb.GetImageBytesResponse(details=pb.ImageDetails(guid="g"))
    serialize = serializer(pb.GetImageBytesResponse.SerializeToString)

    assert serialize
    assert serialize(message) == message.SerializeToString()
    assert serialize(data_head(1) + b"x") == b"\x12\x01x"
    assert serializer(None) is None
