"""Which object in a bucket holds what."""

from dataclasses import dataclass

from pixy_grpc.core.exceptions import ImageCorruptError
from pixy_grpc.core.keys import KEY

MARK = ".pixy-store"
"""The object that holds the store id."""

QUARANTINE = "quarantine"
"""Where bytes lie that no row names, each under its key, for somebody to look at."""


@dataclass(frozen=True)
class ObjectNames:
    """Full names, under a prefix that may be empty.

    Methods that take a key raise ImageCorruptError where it is none of this store.
    """

    prefix: str

    @property
    def mark(self) -> str:
        """The mark's."""
        return self._under(MARK)

    @property
    def quarantine(self) -> str:
        """The folder of what was put aside."""
        return self._under(QUARANTINE)

    def stored(self, key: str) -> str:
        """Return that of a key's bytes: `ab/cd/` by the first digits of the guid, the key."""
        return self._under(key[:2], key[2:4], _valid(key))

    def quarantined(self, key: str) -> str:
        """Return that of a key's bytes once they are put aside."""
        return self._under(QUARANTINE, _valid(key))

    def stored_key(self, name: str) -> str | None:
        """Return whose bytes an object is; None for what is none, or lies below one."""
        key = _last(name)
        return key if key and self.stored(key) == name else None

    def quarantined_key(self, name: str) -> str | None:
        """Return whose bytes an object is that was put aside; None for any other."""
        key = _last(name)
        return key if key and self.quarantined(key) == name else None

    def _under(self, *parts: str) -> str:
        return "/".join([*filter(None, [self.prefix]), *parts])


def _last(name: str) -> str | None:
    """Return the last part of a name if it is a key."""
    key = name.rpartition("/")[2]
    return key if KEY.fullmatch(key) else None


def _valid(key: str) -> str:
    if not KEY.fullmatch(key):
        raise ImageCorruptError("The image's bytes are not under a key of this store.")
    return key
