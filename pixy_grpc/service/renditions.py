"""Renditions: other sizes and formats of stored images, made once and lent to many."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pixy_grpc.core.call import Call
from pixy_grpc.core.exceptions import ImageCorruptError, InvalidFormatError
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import OpenedBytes, RenditionCache, RenditionKey, StoredImage
from pixy_grpc.service.allotment import Allotment, Patience
from pixy_grpc.service.creation.rounds import Rounds
from pixy_grpc.service.flights import Flights
from pixy_grpc.service.inspection import MAX_PIXELS
from pixy_grpc.service.originals import Originals, known
from pixy_grpc.service.rendering import unrenderable
from pixy_grpc.service.rendition_making import Made, RenditionMaking

MAX_ORIGINAL_BYTES = 8 * MAX_PIXELS
"""What no picture has more of that can be decoded here: 8 bytes a pixel, uncompressed."""

TIDY_SECONDS = 10.0
"""How soon the cache gives way to whatever else fills its file system."""

_REFUSALS = (ImageCorruptError, InvalidFormatError)
"""What would come of the image again, whoever asked for it at the same time."""

_FORMAT_OF = {each.content_type: each for each in ImageFormat}


@dataclass(frozen=True)
class RenditionLimits:
    """How much one process does at once, of each at most half for one caller.

    `crowd` calls make renditions or wait for one: they hold places that other downloads
    could have. `at_once` are made: each takes a core, and the largest pictures up to
    400 MiB. `wait_seconds` caps the wait for a turn, or for a call that makes the same: the
    largest picture takes one to four. `loose_bytes` are renditions that the cache could
    not take, in memory while they are read.
    """

    crowd: int = 32
    at_once: int = 2
    wait_seconds: float = 20.0
    loose_bytes: int = 128 * 1024 * 1024


@dataclass(frozen=True)
class _InMemory:
    """StoredBytes of a rendition that is not kept."""

    data: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int, head: bytes = b"") -> bytes:
        return b"".join((head, memoryview(self.data)[offset : offset + length]))


def rendition_key(
    stored: StoredImage, max_side: int, image_format: ImageFormat | None
) -> RenditionKey | None:
    """Return what rendition is asked for, None where it is the image as it is.

    Raises InvalidFormatError where the image is none that can be decoded.
    """
    contents = known(stored)
    own = _FORMAT_OF.get(contents.content_type)
    longer_side = max(contents.width, contents.height)
    is_small_enough = not max_side or 0 < longer_side <= max_side
    if is_small_enough and image_format in (None, own):
        return None
    if own is None or contents.size_bytes > MAX_ORIGINAL_BYTES:
        raise unrenderable()
    source = contents.sha256 or contents.key
    return RenditionKey(stored.image.guid, source, max_side, image_format or own)


class Renditions:
    """Lends renditions, from the cache or made for the call."""

    def __init__(
        self, originals: Originals, cache: RenditionCache, limits: RenditionLimits
    ) -> None:
        self._making = RenditionMaking(originals, cache)
        self._cache = cache
        self._crowd = Allotment(limits.crowd)
        self._turns = Allotment(limits.at_once)
        self._loose = Allotment(limits.loose_bytes)
        self._wait_seconds = limits.wait_seconds
        self._flights: Flights[tuple[str, RenditionKey], Made] = Flights(*_REFUSALS)
        self._rounds = Rounds("pixy-renditions", self._tidy)

    def start(self) -> None:
        """Begin to look after the cache."""
        self._rounds.ensure()

    def stop(self, seconds: float) -> None:
        """Look after it no more; wait that long at most for a round that runs."""
        self._rounds.stop(seconds)

    @contextmanager
    def open(
        self, stored: StoredImage, key: RenditionKey, span: range, call: Call
    ) -> Iterator[OpenedBytes]:
        """Open a rendition to read a span of it.

        Raises TooManyDownloadsError where too many are being made, InvalidFormatError where
        the image is no picture, and what opening and reading the image itself does.
        """
        with ExitStack() as resources:
            yield (
                self._kept(key, span, resources) or self._fresh(stored, key, span, resources, call)
            )

    def _kept(self, key: RenditionKey, span: range, resources: ExitStack) -> OpenedBytes | None:
        return resources.enter_context(self._cache.open(key, span))

    def _fresh(
        self,
        stored: StoredImage,
        key: RenditionKey,
        span: range,
        resources: ExitStack,
        call: Call,
    ) -> OpenedBytes:
        """Return a rendition that is made now, from the cache if that has taken it: a slow
        reader then holds a file, not memory.
        """
        with self._crowd.taken(call.caller):
            made = self._joined(stored, key, call)
        kept = self._kept(key, span, resources)
        if kept:
            return kept
        resources.enter_context(self._loose.taken(call.caller, len(made.data)))
        return OpenedBytes(made.contents, _InMemory(made.data))

    def _joined(self, stored: StoredImage, key: RenditionKey, call: Call) -> Made:
        """Make it, or wait for a call of the same caller that does: who waits for another
        caller's waits for that one's turn, too, while their own may be free.
        """
        patience = Patience(call, self._wait_seconds)

        def make() -> Made:
            with self._turns.taken(call.caller, patience=patience):
                return self._making.found(key) or self._making.make(stored, key, call)

        return self._flights.joined((call.caller, key), make, patience)

    def _tidy(self) -> float:
        self._cache.tidy()
        return TIDY_SECONDS
