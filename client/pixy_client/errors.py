"""The errors only a client can meet: no answer, none that it understands, no way to ask.

    ImageException                      (pixy_grpc.core.exceptions, with every condition
    ├── UnreachableError                 of the contract)
    ├── DeadlineExceededError
    ├── CallCancelledError
    ├── UnexpectedStatusError
    ├── UnreadableAnswerError
    │   └── AnswerTooLargeError
    ├── MissingTokenError
    └── SettingsError

None has a reason: reasons belong to the contract, and these never were in an answer.
"""

from pixy_grpc.core.exceptions import ImageException


class UnreachableError(ImageException):
    """No answer came; whether the call was carried out is not known."""

    status = "UNAVAILABLE"


class DeadlineExceededError(ImageException):
    """No answer came in time; whether the call was carried out is not known."""

    status = "DEADLINE_EXCEEDED"


class CallCancelledError(ImageException):
    """The call was given up, here or by a server that waited too long for its reader.

    A client that was closed before the call gives it up too.
    """

    status = "CANCELLED"


class UnexpectedStatusError(ImageException):
    """What answered gave a status that the contract does not explain.

    `status_name` is that status.
    """

    def __init__(
        self,
        message: str,
        *,
        status_name: str = ImageException.status,  # pickle hands over the message alone
        call_id: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, call_id=call_id, request_id=request_id)
        self.status_name = status_name


class UnreadableAnswerError(ImageException):
    """What answered said OK, but not as the contract has it."""

    status = "INTERNAL"


class AnswerTooLargeError(UnreadableAnswerError):
    """What answered sends more bytes than are taken from it (`max_bytes`)."""


class MissingTokenError(ImageException):
    """There is no token to call with; nothing was sent."""

    status = "UNAUTHENTICATED"


class SettingsError(ImageException):
    """A setting of the client cannot be used; nothing was sent."""

    status = "FAILED_PRECONDITION"


RESET_STATUSES = frozenset({"INTERNAL", "UNKNOWN"})
"""What gRPC makes of a stream that was reset or has no end, where no service said anything."""


def is_reset(error: ImageException) -> bool:
    """Tell whether an error is one of those that gRPC has for a stream that was reset."""
    if not isinstance(error, UnexpectedStatusError):
        return False
    return not error.call_id and error.status_name in RESET_STATUSES


def status_of(error: ImageException) -> str:
    """Return the NAME of the gRPC status that an error stands for."""
    return error.status_name if isinstance(error, UnexpectedStatusError) else error.status
