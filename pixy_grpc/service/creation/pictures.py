"""What was made, decoded and described: a few at a time, as pixels take memory."""

import hashlib
import logging
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from pixy_grpc.core.contents import ImageContents, digest_blocks
from pixy_grpc.core.creations import Creation, PaidImage, Usage
from pixy_grpc.core.exceptions import ProviderBadResponseError
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import GeneratedImage
from pixy_grpc.service.creation.arrivals import Arrival, Arrivals
from pixy_grpc.service.creation.headstart import HeadStart
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.inspection import Picture, inspect, sniff

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """Bytes that are an image, and what is to be known of them.

    `is_stored` where they are durable already.
    """

    data: bytes
    format: ImageFormat
    contents: ImageContents
    usage: Usage | None = None
    is_stored: bool = False

    def paid(self, mine: Creation) -> PaidImage:
        """Return what it takes to bind them to a creation."""
        return PaidImage(mine.fence, mine.guid, self.contents.key, self.contents.model, self.usage)


class Pictures:
    """Lets images arrive, and decodes them by `look`, so many at once."""

    def __init__(self, limits: CreationLimits, look: Callable[[bytes], Picture] = inspect) -> None:
        self._arrivals = Arrivals(limits.arrivals)
        self._decoders = ThreadPoolExecutor(limits.decodes, thread_name_prefix="pixy-decoder")
        self._look = look

    def arrival(self, mine: Creation) -> AbstractContextManager[Arrival]:
        """Return the way in of a creation's image, which ends with the block."""
        return self._arrivals.arrival(mine.fence.key.caller)

    def close(self) -> None:
        """Keep no threads; whatever is still to be decoded is, all the same."""
        self._decoders.shutdown(wait=False)

    def made(self, mine: Creation, generated: GeneratedImage, start: HeadStart) -> Made:
        """Describe what the generator made, under the key of a new attempt.

        It is stored meanwhile, if that can be. Raises ProviderBadResponseError; what was
        stored then is for the caller to set aside.
        """
        announced = sniff(generated.data)
        if announced is None:
            raise ProviderBadResponseError("What was made is not a usable image.")
        key = f"{mine.guid}.{uuid.uuid4().hex[:8]}{announced.extension}"
        paid = PaidImage(mine.fence, mine.guid, key, generated.model)
        picture, sums = self._looked(generated.data, lambda: start.put(key, generated.data))
        contents = _contents(mine, picture, sums, paid)
        return Made(
            generated.data, picture.format, contents, generated.usage, is_stored=start.is_stored
        )

    def found(self, mine: Creation, paid: PaidImage, data: bytes) -> Made:
        """Describe bytes that are kept already. Raises ProviderBadResponseError."""
        picture, sums = self._looked(data)
        return Made(data, picture.format, _contents(mine, picture, sums, paid), paid.usage)

    def _looked(
        self, data: bytes, meanwhile: Callable[[], None] = lambda: None
    ) -> tuple[Picture, "_Sums"]:
        """Decode in one of the threads for it; take the sums, and act, meanwhile."""
        decoding = self._decoding(data)
        sums = _Sums(len(data), hashlib.sha256(data).hexdigest(), digest_blocks(data))
        meanwhile()
        return decoding(), sums

    def _decoding(self, data: bytes) -> Callable[[], Picture]:
        """Begin to decode; return what waits for the end. Without a thread it is done there."""
        try:
            return self._decoders.submit(self._look, data).result
        except RuntimeError as error:  # no thread can begin, or the interpreter is ending
            _log.warning("decoded in the thread of the creation: %s", error)
            return partial(self._look, data)


@dataclass(frozen=True)
class _Sums:
    size_bytes: int
    sha256: str
    block_digests: bytes


def _contents(mine: Creation, picture: Picture, sums: _Sums, paid: PaidImage) -> ImageContents:
    return ImageContents(
        key=paid.store_key,
        content_type=picture.format.content_type,
        size_bytes=sums.size_bytes,
        sha256=sums.sha256,
        block_digests=sums.block_digests,
        width=picture.width,
        height=picture.height,
        generator=mine.generator,
        model=paid.model,
    )
