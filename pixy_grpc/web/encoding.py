"""Messages of bytes, encoded by hand: the generated code would copy each block three times.

A GetImageBytesResponse that holds data alone is the tag of that field, the length, and the
data (https://protobuf.dev/programming-guides/encoding). A test holds it to the generated code.
"""

import functools
from collections.abc import Callable
from typing import Any

from pixy_grpc.v1 import image_service_pb2 as pb

_LENGTH_DELIMITED = 2
_TAG_BITS = 3
_MORE = 0x80
_SEVEN_BITS = 0x7F

Serializer = Callable[[Any], bytes]


@functools.lru_cache
def data_head(length: int) -> bytes:
    """Return what makes so many bytes a GetImageBytesResponse that holds them as its data."""
    field = pb.GetImageBytesResponse.DATA_FIELD_NUMBER
    return _varint(field << _TAG_BITS | _LENGTH_DELIMITED) + _varint(length)


def serializer(generated: Serializer | None) -> Serializer | None:
    """Return a serializer that takes messages which are encoded already, too."""
    if generated is None:
        return None

    def serialize(message: Any) -> bytes:
        return message if isinstance(message, bytes) else generated(message)

    return serialize


def _varint(number: int) -> bytes:
    """Return a number in base 128, the lowest digits first."""
    digits = bytearray()
    while number > _SEVEN_BITS:
        digits.append(number & _SEVEN_BITS | _MORE)
        number >>= 7
    digits.append(number)
    return bytes(digits)
