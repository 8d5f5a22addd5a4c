"""What `pixy create` has asked for, and whether it is worth asking again."""

from dataclasses import dataclass

from pixy_client.errors import status_of
from pixy_grpc.core.exceptions import ImageException, ServiceUnavailableError

_OPEN = frozenset(
    {"ABORTED", "CANCELLED", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "UNKNOWN"}
)
"""Statuses after which the image may be there, or on its way; any other one rules it out."""


@dataclass
class Attempt:
    """One creation by the id made or checked here: what a server calls it is never shown.

    `is_made` is set once the image is there. Without a request id nothing is created.
    """

    request_id: str = ""
    is_made: bool = False

    def may_have_made(self, error: BaseException) -> bool:
        """Tell whether an image may be there although this ended the run."""
        if self.is_made or not self.request_id or not isinstance(error, ImageException):
            return bool(self.request_id)
        spared = isinstance(error, ServiceUnavailableError)  # by contract nothing was spent
        return status_of(error) in _OPEN and not spared
