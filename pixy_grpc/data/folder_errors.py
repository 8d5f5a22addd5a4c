"""What the system says of a folder, turned into what it means here."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException, StorageFullError, StorageUnavailableError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def require_time(deadline: Deadline) -> None:
    """Raise DeadlineTooShortError past the caller's deadline, past a cap of ours
    StorageUnavailableError.
    """
    if deadline.from_caller:
        deadline.check()
    if not deadline.remaining():
        raise StorageUnavailableError("The store of bytes did not answer in time.")


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors of the system into ours."""
    try:
        yield
    except OSError as error:
        raise translate(error) from error


def translate(error: OSError) -> ImageException:
    """Return what an error of the system means here."""
    if error.errno in _FULL:
        return StorageFullError("The store of bytes is full; nothing was stored.")
    return StorageUnavailableError("The store of bytes is out of reach. Try again later.")
