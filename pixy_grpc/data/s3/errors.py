"""What obstore raises, turned into what it means here: the one table of this driver."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    InvalidPathError,
    PreconditionError,
)

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException, StorageFullError, StorageUnavailableError

FULL = frozenset({"507 Insufficient Storage", "QuotaExceeded", "StorageFull", "XMinioStorageFull"})
"""How stores say that there is no room; Amazon's has no end. (MinIO, Ceph, SeaweedFS)"""

NO_RANGE = "416"
"""Begins the status of a range that begins past the end."""

_STATUS = re.compile(r"status code: (\d{3}[ A-Za-z]*)")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_KIND = re.compile(r"HttpError \{\s+kind: (\w+)")
_DETAIL = re.compile(r"(?:message|error): \"([^\"]*)\"")

_ODD_NAME = re.compile(r'^ +path: "((?:[^"\\]|\\.)*)"', re.MULTILINE)
"""What an InvalidPathError is about, as Rust escapes it."""


class MissingObjectError(Exception):
    """There is no object under that name, or no bucket."""


class TakenNameError(Exception):
    """There is an object under that name, or another request for it was under way."""


class ChangedObjectError(Exception):
    """The object is not the one that was asked for."""


class EmptyRangeError(Exception):
    """The object has no byte in that range."""


class UnreadableListingError(Exception):
    """A listing has a name in it that obstore takes for no path, and so refuses as a whole.

    `name` is that of the object, escaped, for the log alone.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class StoreAnswerError(Exception):
    """What went wrong, in one line for the log: no address, no key, no page of XML."""


def late(deadline: Deadline) -> ImageException:
    """Return the error for a cap of ours that has passed.

    Raises DeadlineTooShortError where it was the caller's own deadline.
    """
    if deadline.from_caller:
        deadline.check()
    return StorageUnavailableError("The store of bytes did not answer in time. Try again later.")


def require_time(deadline: Deadline) -> None:
    """Raise what `late` returns, or raises, where the deadline has passed."""
    if not deadline.remaining():
        raise late(deadline)


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors of obstore into ours."""
    try:
        yield
    except (BaseError, FileNotFoundError) as error:
        raise _translate(error) from _summary(error)


def _translate(error: Exception) -> Exception:
    for kind, meaning in _MEANINGS.items():
        if isinstance(error, kind):
            return meaning()
    if isinstance(error, InvalidPathError):
        odd = _ODD_NAME.search(str(error))
        return UnreadableListingError(odd[1] if odd else "")
    found = set(_said(str(error)))
    if any(status.startswith(NO_RANGE) for status in found):
        return EmptyRangeError()
    if found & FULL:
        return StorageFullError("The store of bytes is full; nothing was stored.")
    return StorageUnavailableError("The store of bytes is out of reach. Try again later.")


_MEANINGS: dict[type[Exception], Callable[[], Exception]] = {
    FileNotFoundError: MissingObjectError,
    AlreadyExistsError: TakenNameError,
    PreconditionError: ChangedObjectError,
}


def _summary(error: Exception) -> StoreAnswerError:
    """Return the status and code of an answer, or why there was none."""
    said = _said(str(error)) or [type(error).__name__]
    summary = StoreAnswerError(" ".join(said))
    summary.__cause__ = error
    return summary


def _said(text: str) -> list[str]:
    """Pick what tells errors apart from obstore's pages of text."""
    patterns = (_STATUS, _CODE, _KIND, _DETAIL)
    return [match[1].strip() for match in (each.search(text) for each in patterns) if match]
