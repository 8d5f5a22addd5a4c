"""Page tokens: a position in the list, bound to the filters it was reached with.

A token grants nothing, so it is not signed; clients cannot rely on what is in it.
"""

import base64
import binascii
import hashlib
import json
import struct
from datetime import UTC, datetime

from pixy_grpc.core.exceptions import FieldViolation, InvalidPageTokenError
from pixy_grpc.core.ports import Position
from pixy_grpc.core.search import ImageFilter

_VERSION = 1
_LAYOUT = struct.Struct(">B8sqq")
"""Version, digest of the filters, seconds since 1970, row."""


def encode_page_token(position: Position | None, sought: ImageFilter) -> str:
    """Return the token of a position; empty for the end of the list."""
    if position is None:
        return ""
    seconds = int(position.created_at.timestamp())
    packed = _LAYOUT.pack(_VERSION, _digest(sought), seconds, position.row)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode_page_token(token: str, sought: ImageFilter) -> Position | None:
    """Return the position of a token; None for the empty one.

    Raises InvalidPageTokenError for a token that is not ours or has other filters.
    """
    if not token:
        return None
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        version, digest, seconds, row = _LAYOUT.unpack(packed)
        position = Position(datetime.fromtimestamp(seconds, UTC), row)
    except (binascii.Error, struct.error, ValueError, OverflowError, OSError) as error:
        raise _refused("The page_token is not one of this service.") from error
    if seconds < 0:  # before any image; not every database compares with such a time
        raise _refused("The page_token is not one of this service.")
    if version != _VERSION:
        raise _refused("The page_token is of another version: start the list again.")
    if digest != _digest(sought):
        raise _refused("The page_token belongs to other filters: start the list again.")
    return position


def _digest(sought: ImageFilter) -> bytes:
    fields = (sought.prompt, sought.filename, sought.created_after, sought.created_before)
    return hashlib.sha256(json.dumps([str(field) for field in fields]).encode()).digest()[:8]


def _refused(description: str) -> InvalidPageTokenError:
    return InvalidPageTokenError(
        description, violations=[FieldViolation("page_token", description)]
    )
