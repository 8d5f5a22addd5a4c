"""One image, and the renditions that are made of it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.contents import ImageContents, digest_blocks
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import EVERY_BYTE, NewImage, RenditionKey
from pixy_grpc.service.originals import Originals, verified
from pixy_grpc.service.renditions import RenditionLimits, Renditions
from tests.fakes import (
    FixedClock,
    InMemoryBytes,
    InMemoryImageRepository,
    InMemoryImageStore,
    InMemoryRenditionCache,
)
from tests.support.contents import contents_of
from tests.unit.service.test_inspection import encoded

GUID = "00000000-0000-4000-8000-000000000000"
CALL = Call("alice", "1", Deadline.after(86_400))
DATA = encoded("PNG", (300, 200))
PNG, JPEG, WEBP = ImageFormat.PNG, ImageFormat.JPEG, ImageFormat.WEBP

CONTENTS = replace(contents_of(DATA, f"{GUID}.1.png"), width=300, height=200)
OLDER = replace(CONTENTS, sha256="", block_digests=b"", width=0, height=0)
WAIT_SECONDS = 20.0
"""Bound on what comes at once."""

KEY = RenditionKey(GUID, CONTENTS.sha256, 128, JPEG)


class World:
    """Renditions of one image, and what they are made of and kept in."""

    def __init__(
        self,
        contents: ImageContents = CONTENTS,
        data: bytes = DATA,
        limits: RenditionLimits | None = None,
        *,
        keeps: bool = True,
        store: InMemoryImageStore | None = None,
    ) -> None:
        self.repository, self.store = InMemoryImageRepository(), store or InMemoryImageStore()
        self.cache = InMemoryRenditionCache(keeps=keeps)
        new = NewImage(GUID, "f.png", "p", FixedClock().now(), contents)
        self.stored = self.repository.add(new, CALL.deadline)
        self.store.objects[contents.key] = data
        originals = Originals(self.repository, self.store)
        self.renditions = Renditions(originals, self.cache, limits or RenditionLimits())

    def read(self, key: RenditionKey = KEY, call: Call = CALL) -> bytes:
        """Return all of a rendition."""
        with self.renditions.open(self.stored, key, EVERY_BYTE, call) as opened:
            return b"".join(verified(opened, range(opened.contents.size_bytes)))


def summed(contents: ImageContents, data: bytes) -> ImageContents:
    """Return the contents with the sums of these bytes."""
    sha256 = hashlib.sha256(data).hexdigest()
    return replace(contents, sha256=sha256, block_digests=digest_blocks(data))


class CountingStore(InMemoryImageStore):
    """A store that counts how often bytes are opened."""

    opened = 0

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Count, then open."""
        self.opened += 1
        with super().open(key, deadline) as opened:
            yield opened
