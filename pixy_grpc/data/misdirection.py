"""Tells what answers, and is not what a setting names, from what does not answer."""

from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.data.mysql.errors import is_misdirected as mysql_is_misdirected
from pixy_grpc.data.sqlite import is_misdirected as sqlite_is_misdirected

_REFUSALS = ("301", "400", "401", "403", "404")
"""Begin what a store answers that has no such bucket, or does not know the key."""


def is_misdirected(error: ImageException) -> bool:
    """Tell whether a database or a store is there, and waiting for it is no help.

    By the cause: of a store it is one line that begins with the status, if it answered.
    """
    cause = error.__cause__
    if mysql_is_misdirected(cause) or sqlite_is_misdirected(cause):
        return True
    return str(cause).startswith(_REFUSALS) if cause else False
