"""Holds what comes from outside to the models' rules, in the contract's terms."""

import re
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pixy_grpc.core.exceptions import (
    FieldViolation,
    InvalidArgumentError,
    InvalidFilenameError,
    InvalidFormatError,
    InvalidGuidError,
    InvalidPageSizeError,
    InvalidPromptError,
    InvalidQualityError,
    InvalidRequestIdError,
    InvalidSizeError,
    InvalidTimeRangeError,
    MalformedRequestError,
)
from pixy_grpc.core.models import MAX_FILENAME_CHARACTERS, MAX_PROMPT_CHARACTERS
from pixy_grpc.core.search import MAX_SEARCH_WORDS, ImageFilter

DEFAULT_PAGE_SIZE = 50
"""What the contract says page_size 0 means."""

MAX_PAGE_SIZE = 1_000
"""What the contract says larger page sizes mean."""

MAX_SIDES = (0, 128, 256, 512, 1024)
"""What the contract takes as max_side, in pixels; 0 means as many as the image has."""

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)

_REFUSALS: dict[str, type[InvalidArgumentError]] = {
    "prompt": InvalidPromptError,
    "filename": InvalidFilenameError,
    "size": InvalidSizeError,
    "quality": InvalidQualityError,
    "format": InvalidFormatError,
}

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], **fields: object) -> Model:
    """Return the model made of these fields.

    Raises the error of the first field that breaks a rule, with a violation for each.
    """
    try:
        return model(**fields)
    except ValidationError as error:
        found = [_violation(details) for details in error.errors()]
        kind = _REFUSALS[found[0].field]
        raise kind(found[0].description, violations=found) from error


def _violation(details: ErrorDetails) -> FieldViolation:
    cause = details.get("ctx", {}).get("error")
    return FieldViolation(str(details["loc"][0]), str(cause or details["msg"]))


def valid_guid(text: str) -> str:
    """Return a guid in lower case; raise InvalidGuidError for what is not a UUID."""
    guid = text.lower()
    if not _UUID.fullmatch(guid):
        raise _refused(InvalidGuidError, "guid", "A guid is a UUID of 36 characters.")
    return guid


def valid_request_id(text: str) -> str:
    """Return a request id in lower case; empty stays empty. Raise InvalidRequestIdError."""
    request_id = text.lower()
    if request_id and not _UUID.fullmatch(request_id):
        description = "A request_id is a UUID of 36 characters, or empty."
        raise _refused(InvalidRequestIdError, "request_id", description)
    return request_id


def valid_page_size(size: int) -> int:
    """Return how many images a page holds at most; raise InvalidPageSizeError below 0."""
    if size < 0:
        raise _refused(InvalidPageSizeError, "page_size", "A page_size is 0 or more.")
    return min(size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def valid_max_side(side: int) -> int:
    """Return the longer side of a rendition; raise InvalidSizeError for none of MAX_SIDES."""
    if side not in MAX_SIDES:
        raise _refused(InvalidSizeError, "max_side", "A max_side is 0, 128, 256, 512 or 1024.")
    return side


def valid_sha256(text: str) -> str:
    """Return a sum in lower case; empty stays empty. Raise MalformedRequestError."""
    sha256 = text.lower()
    if sha256 and not _SHA256.fullmatch(sha256):
        description = "An expected_sha256 is 64 hexadecimal digits, or empty."
        raise _refused(MalformedRequestError, "expected_sha256", description)
    return sha256


def valid_filter(sought: ImageFilter) -> ImageFilter:
    """Return the filter; raise the error of the field whose filter cannot be met."""
    if len(sought.filename) > MAX_FILENAME_CHARACTERS:
        description = f"No filename has more than {MAX_FILENAME_CHARACTERS} characters."
        raise _refused(InvalidFilenameError, "filename", description)
    if len(sought.prompt) > MAX_PROMPT_CHARACTERS:
        description = f"No prompt has more than {MAX_PROMPT_CHARACTERS:,} characters."
        raise _refused(InvalidPromptError, "prompt", description)
    if len(sought.words) > MAX_SEARCH_WORDS:
        description = f"A search takes at most {MAX_SEARCH_WORDS} words."
        raise _refused(InvalidPromptError, "prompt", description)
    since, until = sought.created_after, sought.created_before
    if since and until and since > until:
        description = "created_before cannot be earlier than created_after."
        raise _refused(InvalidTimeRangeError, "created_before", description)
    return sought


def _refused(
    kind: type[InvalidArgumentError], field: str, description: str
) -> InvalidArgumentError:
    return kind(description, violations=[FieldViolation(field, description)])
