"""Every error condition of PixyProxy, shared by the server and the client.

Author: djjay
Date: 2026-11-22

    ImageException
    ├── InvalidArgumentError            INVALID_ARGUMENT
    │   ├── MalformedRequestError       ├── InvalidPageSizeError
    │   ├── InvalidPromptError          ├── InvalidPageTokenError
    │   ├── InvalidFilenameError        ├── InvalidTimeRangeError
    │   ├── InvalidGuidError            ├── InvalidRequestIdError
    │   ├── InvalidSizeError            ├── RequestIdReusedError
    │   ├── InvalidQualityError         └── ContentPolicyError
    │   └── InvalidFormatError
    ├── InvalidOffsetError              OUT_OF_RANGE
    ├── RecordNotFoundError             NOT_FOUND
    ├── ConstraintViolationError        ALREADY_EXISTS
    ├── InvalidTokenError               UNAUTHENTICATED
    ├── ResourceExhaustedError          RESOURCE_EXHAUSTED
    │   ├── TooManyReadsError           ├── ProviderRateLimitedError
    │   ├── TooManyCreatesError         ├── ProviderQuotaError
    │   └── TooManyDownloadsError       └── StorageFullError
    ├── ServiceUnavailableError         UNAVAILABLE: nothing was spent
    │   ├── DBConnectionError           └── ProviderUnavailableError
    │   └── StorageUnavailableError
    ├── DeadlineTooShortError           DEADLINE_EXCEEDED
    ├── ConcurrencyError                ABORTED
    │   ├── CreationInProgressError     ├── TransactionConflictError
    │   └── ImageChangedError
    ├── ProviderMisconfiguredError      FAILED_PRECONDITION
    ├── ProviderOutcomeUnknownError     UNKNOWN
    ├── ImageCorruptError               DATA_LOSS
    ├── ProviderBadResponseError        INTERNAL
    └── InternalError                   INTERNAL

A class with a `reason` is a condition; one without is a family to catch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldViolation:
    """One field of a request and what is wrong with it (google.rpc.BadRequest)."""

    field: str
    description: str


class ImageException(Exception):  # noqa: N818 - the name is the user's
    """Base of every error raised by PixyProxy.

    `reason` and `status` (the NAME of a gRPC status) are the row of the contract's
    table that a class stands for. `retry_delay_seconds` says when to come back, where
    that is known. `call_id` and `request_id` are filled in on the client's side.
    """

    reason: ClassVar[str] = ""
    status: ClassVar[str] = "UNKNOWN"

    def __init__(
        self,
        message: str,
        *,
        violations: Sequence[FieldViolation] = (),
        retry_delay_seconds: float | None = None,
        call_id: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.violations = tuple(violations)
        self.retry_delay_seconds = retry_delay_seconds
        self.call_id = call_id
        self.request_id = request_id


class InvalidArgumentError(ImageException):
    """The request cannot be met as it is, whoever asks and whenever."""

    status = "INVALID_ARGUMENT"


class MalformedRequestError(InvalidArgumentError):
    """The message or its metadata does not parse."""

    reason = "MALFORMED_REQUEST"


class InvalidPromptError(InvalidArgumentError):
    """The prompt is empty, too long or holds a NUL character."""

    reason = "INVALID_PROMPT"


class InvalidFilenameError(InvalidArgumentError):
    """The filename is too long or holds a separator or control character."""

    reason = "INVALID_FILENAME"


class InvalidGuidError(InvalidArgumentError):
    """The guid is not a UUID."""

    reason = "INVALID_GUID"


class InvalidSizeError(InvalidArgumentError):
    """The size is no size, or none that the generator makes."""

    reason = "INVALID_SIZE"


class InvalidQualityError(InvalidArgumentError):
    """The quality is none that the generator knows."""

    reason = "INVALID_QUALITY"


class InvalidFormatError(InvalidArgumentError):
    """The format is none that the generator makes."""

    reason = "INVALID_FORMAT"


class InvalidPageSizeError(InvalidArgumentError):
    """The page size is negative."""

    reason = "INVALID_PAGE_SIZE"


class InvalidPageTokenError(InvalidArgumentError):
    """The page token does not parse, or belongs to other filters."""

    reason = "INVALID_PAGE_TOKEN"


class InvalidTimeRangeError(InvalidArgumentError):
    """A time filter is no time, or the range ends before it begins."""

    reason = "INVALID_TIME_RANGE"


class InvalidRequestIdError(InvalidArgumentError):
    """The request id is not a UUID."""

    reason = "INVALID_REQUEST_ID"


class RequestIdReusedError(InvalidArgumentError):
    """The request id already names a creation of other content."""

    reason = "REQUEST_ID_REUSED"


class ContentPolicyError(InvalidArgumentError):
    """The provider refused to make this image."""

    reason = "CONTENT_POLICY"


class InvalidOffsetError(ImageException):
    """The range of bytes begins below zero or past the end, or is negative."""

    reason = "INVALID_OFFSET"
    status = "OUT_OF_RANGE"


class RecordNotFoundError(ImageException):
    """There is no such image."""

    reason = "IMAGE_NOT_FOUND"
    status = "NOT_FOUND"


class ConstraintViolationError(ImageException):
    """The database holds a row that rules this one out."""

    reason = "CONSTRAINT_VIOLATION"
    status = "ALREADY_EXISTS"


class InvalidTokenError(ImageException):
    """The token is missing, malformed or unknown; the text tells them not apart."""

    reason = "INVALID_TOKEN"
    status = "UNAUTHENTICATED"


class ResourceExhaustedError(ImageException):
    """A limit is reached: of the service, of the provider, or of a disk."""

    status = "RESOURCE_EXHAUSTED"


class TooManyReadsError(ResourceExhaustedError):
    """The room for reads is full, or this caller's half of it."""

    reason = "TOO_MANY_READS"


class TooManyCreatesError(ResourceExhaustedError):
    """The room for creations is full, or this caller's half of it."""

    reason = "TOO_MANY_CREATES"


class TooManyDownloadsError(ResourceExhaustedError):
    """The room for downloads is full, or this caller's half of it."""

    reason = "TOO_MANY_DOWNLOADS"


class ProviderRateLimitedError(ResourceExhaustedError):
    """The provider asks to be called less often."""

    reason = "PROVIDER_RATE_LIMITED"


class ProviderQuotaError(ResourceExhaustedError):
    """The provider's account has no credit left."""

    reason = "PROVIDER_QUOTA"


class StorageFullError(ResourceExhaustedError):
    """There is no room left to store an image or its row."""

    reason = "STORAGE_FULL"


class ServiceUnavailableError(ImageException):
    """Something the service needs is out of reach. Nothing was spent."""

    status = "UNAVAILABLE"


class DBConnectionError(ServiceUnavailableError):
    """The database is out of reach, or did not answer in time."""

    reason = "DATABASE_UNAVAILABLE"


class StorageUnavailableError(ServiceUnavailableError):
    """The store of bytes is out of reach, or did not answer in time."""

    reason = "STORAGE_UNAVAILABLE"


class ProviderUnavailableError(ServiceUnavailableError):
    """The provider was not reached, so it made nothing."""

    reason = "PROVIDER_UNAVAILABLE"


class DeadlineTooShortError(ImageException):
    """The caller's deadline leaves no time for the answer."""

    reason = "DEADLINE_TOO_SHORT"
    status = "DEADLINE_EXCEEDED"


class ConcurrencyError(ImageException):
    """Another call is in the way; the same call later may succeed."""

    status = "ABORTED"


class CreationInProgressError(ConcurrencyError):
    """The creation that the request id names is still under way."""

    reason = "CREATION_IN_PROGRESS"


class TransactionConflictError(ConcurrencyError):
    """The database gave way to another transaction; nothing was changed."""

    reason = "TRANSACTION_CONFLICT"


class ImageChangedError(ConcurrencyError):
    """The bytes are not those that an earlier read began with: begin anew."""

    reason = "IMAGE_CHANGED"


class ProviderMisconfiguredError(ImageException):
    """The provider does not accept how this service is set up."""

    reason = "PROVIDER_MISCONFIGURED"
    status = "FAILED_PRECONDITION"


class ProviderOutcomeUnknownError(ImageException):
    """The provider was asked and may have billed; its answer is not known."""

    reason = "PROVIDER_OUTCOME_UNKNOWN"
    status = "UNKNOWN"


class ImageCorruptError(ImageException):
    """The stored bytes are missing, short, long or changed."""

    reason = "IMAGE_CORRUPT"
    status = "DATA_LOSS"


class ProviderBadResponseError(ImageException):
    """The provider's answer holds no usable image."""

    reason = "PROVIDER_BAD_RESPONSE"
    status = "INTERNAL"


class InternalError(ImageException):
    """A fault of the service; the log has it under the call id."""

    reason = "INTERNAL"
    status = "INTERNAL"


def conditions() -> dict[str, type[ImageException]]:
    """Return every condition of the contract's table by its reason."""
    return {kind.reason: kind for kind in _walk(ImageException) if kind.reason}


def _walk(kind: type[ImageException]) -> Iterator[type[ImageException]]:
    for child in kind.__subclasses__():
        yield child
        yield from _walk(child)
