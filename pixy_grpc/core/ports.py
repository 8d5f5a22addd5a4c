"""Where the layers meet: each docstring is the contract every implementation is held to.

Unless a method says otherwise it ends by its deadline, give or take a second: past the
caller's own with DeadlineTooShortError, past a cap of the service with the
unavailability error of what it waited for.
"""

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pixy_grpc.core.call import Deadline, always
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.creations import (
    Creation,
    CreationKey,
    Fence,
    NewCreation,
    PaidImage,
    Refusal,
)
from pixy_grpc.core.creations import Usage as Usage  # noqa: PLC0414 - generators take it from here
from pixy_grpc.core.models import GenerationOptions, Image, ImageFormat, ImageUpdate
from pixy_grpc.core.search import ImageFilter


@dataclass(frozen=True)
class NewImage:
    """An image whose bytes are durable and whose row is to be added.

    `fence` is that of the creation it ends, None for one that nobody asked for here.
    """

    guid: str
    filename: str
    prompt: str
    created_at: datetime
    contents: ImageContents
    fence: Fence | None = None


@dataclass(frozen=True)
class StoredImage:
    """An image and what is known of its bytes: None for an older one, not adopted."""

    image: Image
    contents: ImageContents | None


@dataclass(frozen=True)
class Position:
    """A place in the list, newest first by (created_at, row). Opaque but to the data layer."""

    created_at: datetime
    row: int


@dataclass(frozen=True)
class PageQuery:
    """One page of the list: what meets the filter, behind a position.

    The page ends at `limit` images or `max_bytes` of encoded details, but holds one
    image at least, however large, before `max_bytes` ends it.
    """

    filter: ImageFilter
    after: Position | None
    limit: int
    max_bytes: int


@dataclass(frozen=True)
class Page:
    """Images newest first; may be short, or empty, with a `next` where work was bounded.

    Only `next` being None says that the list has ended.
    """

    images: Sequence[StoredImage]
    next: Position | None


class ImageRepository(Protocol):
    """Keeps what is known of images. Every method may raise DBConnectionError.

    What a method did is seen by every later call, on whatever connection or server.
    A write is whole or has not happened; StorageFullError and TransactionConflictError
    say that it has not.
    """

    def add(self, new: NewImage, deadline: Deadline) -> StoredImage:
        """Add an image, durably, and end the creation that made it: both or neither.

        The creation is then done, its lease at its end, its prompt and filename
        forgotten. Adds nothing where it raises: ConstraintViolationError where the guid
        is taken, FenceLostError where the creation is done or another fence holds.
        """

    def get(self, guid: str, deadline: Deadline) -> StoredImage:
        """Return the image with that guid, in lower case, or raise RecordNotFoundError."""

    def list_page(self, query: PageQuery, deadline: Deadline) -> Page:
        """Return one page. Its work is bounded, so that it may be short (see Page).

        Following `next` to the end shows every image that meets the filter and was
        there throughout exactly once.
        """

    def update(self, guid: str, update: ImageUpdate, now: datetime, deadline: Deadline) -> Image:
        """Change the fields that are not None and set `updated_at`, if any is given.

        Raises RecordNotFoundError, TransactionConflictError.
        """

    def delete(self, guid: str, deadline: Deadline) -> ImageContents | None:
        """Remove the image; return what was known of its bytes, which are still stored.

        None where nothing is known, and where another image names the same bytes.
        Its creation stays, so that the request id cannot make it again. Raises
        RecordNotFoundError, TransactionConflictError.
        """

    def ping(self, deadline: Deadline) -> None:
        """Return once the database has answered a query."""


class CreationRepository(Protocol):
    """Keeps what creations have come to. Every method may raise DBConnectionError.

    What a method did is seen by every later call, on whatever connection or server; two
    that go for one creation at once do so one behind the other. Names of callers and
    request ids are compared byte for byte. A write is whole or has not happened;
    StorageFullError and TransactionConflictError say that it has not.

    Leases end by the clock of the service, in milliseconds since 1970: the database
    only compares them. A method that takes a fence and raises FenceLostError does so,
    and changes nothing, where the creation is done, is gone, or another fence holds.
    """

    def find(self, key: CreationKey, deadline: Deadline) -> Creation | None:
        """Return the creation of that name, None where there is none."""

    def list_by_guid(self, guids: Collection[str], deadline: Deadline) -> Sequence[Creation]:
        """Return the creations of these guids, a few hundred in lower case, whatever they
        have come to and whatever they are named by now.
        """

    def claim(self, new: NewCreation, deadline: Deadline) -> Creation:
        """Begin a creation: claimed, with the first fence, nothing asked.

        Raises ConstraintViolationError where the name has a creation.
        """

    def take_over(
        self, seen: Creation, lease_until_ms: int, ended_before_ms: int, deadline: Deadline
    ) -> Creation | None:
        """Return the creation under the next fence, with a lease of its own.

        None, and nothing is changed, where its fence is no longer the one seen, its
        lease does not end before that moment, or it is done.
        """

    def renew(
        self, fences: Sequence[Fence], lease_until_ms: int, deadline: Deadline
    ) -> Sequence[Fence]:
        """Give these a longer lease; return those that have it now.

        Passes over those whose fence is lost, and leases that were ended, not outrun: a
        renewal that comes late must not keep others from going on.
        """

    def note_asked(self, fence: Fence, deadline: Deadline) -> None:
        """Count one more ask, durably, before it is made: asked. Raises FenceLostError."""

    def note_kept(self, paid: PaidImage, deadline: Deadline) -> None:
        """Note where the bytes are: kept. Raises FenceLostError.

        Also what they took; where that is None, what was noted before still stands.
        """

    def note_refused(self, fence: Fence, refusal: Refusal, deadline: Deadline) -> None:
        """Keep the provider's refusal, end the lease: refused. Raises FenceLostError."""

    def note_unknown(self, fence: Fence, deadline: Deadline) -> None:
        """Note that nobody knows what the asks came to, end the lease: unknown.

        Raises FenceLostError.
        """

    def release(self, fence: Fence, asks: int, deadline: Deadline) -> None:
        """Give up with that many asks that may have been billed, fewer than are noted
        where one surely was not.

        With none the creation is forgotten, so that its name is free; else it is
        unknown and its lease at its end. Nothing happens where the fence is lost.
        """

    def retire(self, seen: Fence, request_id: str, deadline: Deadline) -> None:
        """Give the creation another request id, so that its name is free.

        Nothing happens where another creation has the name by now, or another fence holds.
        """

    def list_unfinished(
        self, ended_before_ms: int, limit: int, deadline: Deadline
    ) -> Sequence[Creation]:
        """Return creations that are claimed, asked or kept and whose lease ended before
        that moment, the longest ended first.
        """


@dataclass(frozen=True)
class ImageRow:
    """An image as a walk over all of them meets it; `number` is its place in that walk.

    `unchanged` tells that it has never been updated, so that `filename` is its first.
    """

    number: int
    guid: str
    filename: str
    unchanged: bool
    contents: ImageContents | None


class Inventory(Protocol):
    """Answers, for many images at a time, what a check of the whole store asks.

    Every method may raise DBConnectionError, and sees what was committed before it was
    called, on whatever connection or server. A caller gives a few hundred keys or guids
    at a time, and guids in lower case.
    """

    def last_number(self, deadline: Deadline) -> int:
        """Return the place of the last image, 0 where there is none."""

    def list_rows(self, after: int, limit: int, deadline: Deadline) -> Sequence[ImageRow]:
        """Return images in the order of their places, those behind `after`; 0 begins.

        Going on behind the last one until none comes meets every image that was there
        throughout exactly once.
        """

    def present(self, guids: Collection[str], deadline: Deadline) -> set[str]:
        """Return those of the guids whose image is there."""

    def named(self, keys: Collection[str], deadline: Deadline) -> set[str]:
        """Return those of the keys under which an image has its bytes."""

    def shared(self, keys: Collection[str], deadline: Deadline) -> set[str]:
        """Return those of the keys under which several images have their bytes."""

    def without_contents(self, guids: Collection[str], deadline: Deadline) -> set[str]:
        """Return those of the guids whose image is there, but nothing of its bytes is known."""

    def sharing(self, filename: str, deadline: Deadline) -> set[str]:
        """Return the guids of images with that very filename of whose bytes nothing is known."""

    def list_not_done(self, guids: Collection[str], deadline: Deadline) -> Sequence[Creation]:
        """Return the creations of these guids that are not done: no others will ever be."""

    def set_contents(self, row: ImageRow, contents: ImageContents, deadline: Deadline) -> bool:
        """Note what is known of an image's bytes, where no sums of them are known yet.

        Returns False, and changes nothing, where there are sums, the image names
        another key, or it is gone. `updated_at` stays. An image without any contents is
        found by search from then on. Raises TransactionConflictError, StorageFullError.
        """


class StoredBytes(Protocol):
    """Bytes opened for reading; they stay what they were, whatever becomes of their key.

    A store of another machine may lend but the beginning of large ones, and raise
    ImageCorruptError for the rest, once their key is deleted.
    """

    @property
    def size_bytes(self) -> int:
        """How many bytes are stored now."""

    def read(self, offset: int, length: int, head: bytes = b"") -> bytes:
        """Return `head`, and behind it that many bytes from there, fewer only where the store
        holds fewer: who needs something before them is spared a copy.

        Raises StorageUnavailableError.
        """


@dataclass(frozen=True)
class StoredObject:
    """What lies in a store under a key; `modified_at` is aware, by the store's clock."""

    key: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True)
class Space:
    """How many bytes a store can take more, and how many it can hold in all."""

    free_bytes: int
    total_bytes: int


class ImageStore(Protocol):
    """Keeps bytes under keys. Every method may raise StorageUnavailableError.

    A key is a guid, a dot, and letters, digits and dots; two attempts at one image have
    two keys.
    """

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Store bytes under a new key; on return they outlive a crash of the machine.

        They appear whole or not at all. Raises StorageFullError, and
        ConstraintViolationError where the key is taken: what is there stays, and may be
        of a `put` that failed before it was durable, which `keys` makes up for. The same
        bytes once more are no error where a store cannot tell that from a put of its own
        whose answer was lost.
        """

    def open(self, key: str, deadline: Deadline) -> AbstractContextManager[StoredBytes]:
        """Open bytes for reading. Raises ImageCorruptError where there are none, or
        what is there is no plain object.
        """

    def modified_at(self, key: str, deadline: Deadline) -> datetime:
        """Return when the bytes were stored or last written to, aware, by the store's clock.

        Raises ImageCorruptError as `open` does.
        """

    def delete(self, key: str, deadline: Deadline) -> None:
        """Remove the bytes; a key that is not there is no error."""

    def keys(self, guid: str, deadline: Deadline) -> Sequence[str]:
        """Return the keys of every attempt at an image whose bytes are stored, sorted.

        As after `put`, they outlive a crash of the machine.
        """

    def quarantine(self, key: str, deadline: Deadline) -> None:
        """Put bytes that no row names aside, out of `open` and `keys`, for somebody to
        look at; a key that is not there is no error. Takes keys of `list_leftovers` too.

        What lies there is never overwritten: other bytes of the key get one of their own,
        which begins with it; the same bytes are there once, since now.
        """

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield what `put` has stored, in any order, a few at a time.

        What is put or removed meanwhile may be met or not; the files of an earlier
        PixyProxy are not met. It may take long, and each step of it a second or so.
        """

    def list_leftovers(self) -> Iterator[StoredObject]:
        """Yield what a `put` that was cut has left, and those that run now, likewise."""

    def list_quarantine(self) -> Iterator[StoredObject]:
        """Yield what lies in quarantine, likewise; `modified_at` is when it came there."""

    def open_quarantined(self, key: str, deadline: Deadline) -> AbstractContextManager[StoredBytes]:
        """Open what lies in quarantine under that key, as `open` does."""

    def purge(self, key: str, deadline: Deadline) -> None:
        """Delete what lies in quarantine under that key; one not there is no error."""

    def space(self, deadline: Deadline) -> Space | None:
        """Return how much can be stored, None where that has no known bound."""

    def ping(self, deadline: Deadline) -> None:
        """Return once the store has shown that it is the one this service began with."""


@dataclass(frozen=True)
class SpooledImage:
    """A paid image that waits to be stored, and its bytes."""

    paid: PaidImage
    data: bytes


class Spool(Protocol):
    """Keeps paid images on this machine while the store cannot take them.

    Every method may raise StorageUnavailableError, and `put` StorageFullError.
    """

    def put(self, spooled: SpooledImage) -> None:
        """Keep an image; on return it outlives a crash of the machine."""

    def names(self) -> Sequence[str]:
        """Return what names each image that is kept here, the oldest first."""

    def holds(self, guid: str) -> bool:
        """Tell whether an attempt at this image is kept here."""

    def take(self, name: str) -> AbstractContextManager[SpooledImage | None]:
        """Lend an image to one at a time, of however many processes.

        None where another has it, it is no longer there, or it is damaged: then it is
        put aside for somebody to look at, and `names` and `holds` pass it over.
        """

    def remove(self, name: str) -> None:
        """Forget an image that is lent, once it is stored elsewhere."""


@dataclass(frozen=True)
class OpenedBytes:
    """Bytes that are open for reading, and what is known of them."""

    contents: ImageContents
    source: StoredBytes


@dataclass(frozen=True)
class RenditionKey:
    """What is made, and of which bytes: `source` tells them from others of the image.

    `max_side` is in pixels, 0 for as many as the image has.
    """

    guid: str
    source: str
    max_side: int
    format: ImageFormat


EVERY_BYTE = range(sys.maxsize)
"""The span of all that there is, however much."""


class RenditionCache(Protocol):
    """Keeps renditions on this machine while there is room; any may be gone at any time.

    What it lends is what was put. Unless a method says so it does not raise: what fails is
    logged, and the rendition made anew.
    """

    def open(
        self, key: RenditionKey, span: range = EVERY_BYTE
    ) -> AbstractContextManager[OpenedBytes | None]:
        """Open a rendition to read a span of it; it stays readable when it is removed.

        None where there is none, or it has changed since it was put: what is known of it,
        how long it is, or a block that the span touches. Others may have changed.
        """

    def put(self, key: RenditionKey, contents: ImageContents, data: bytes) -> None:
        """Keep a rendition if there is room, in the place of others if need be."""

    def delete(self, guid: str) -> None:
        """Remove the renditions of an image. Raises StorageUnavailableError."""

    def guids(self) -> Sequence[str]:
        """Return the images that have renditions here. Raises StorageUnavailableError."""

    def tidy(self) -> None:
        """Remove what a crash left, and of the renditions what there is no room for."""


@dataclass(frozen=True)
class GeneratedImage:
    """What a generator made: encoded bytes, and the model that made them, if any.

    `usage` is None where nobody was asked.
    """

    data: bytes
    model: str = ""
    usage: Usage | None = None


def _ignore(_: object = None) -> None:
    """Hear it, and do nothing."""


@dataclass(frozen=True)
class Audience:
    """Whoever waits for an image while it is made.

    What was surely not accepted is not asked for anew past their `deadline`, nor once
    `is_waiting` says that they are gone. `show` takes an unfinished image, of which
    `partial_images` are wanted; it neither blocks nor raises, and whether the bytes can
    be shown is its business. By default nobody watches, but somebody waits.

    `asking` is called right before each request leaves that may be billed; where it
    raises an ImageException, nothing is sent and nothing spent. `arriving` is called when
    an answer has begun, before its bytes are read, and perhaps again: the place to wait for
    room, until the deadline by which the image is lost at most.
    """

    deadline: Deadline
    is_waiting: Callable[[], bool] = always
    partial_images: int = 0
    show: Callable[[bytes], None] = _ignore
    asking: Callable[[], None] = _ignore
    arriving: Callable[[Deadline], None] = _ignore


class ImageGenerator(Protocol):
    """Makes images from prompts."""

    @property
    def name(self) -> str:
        """What the details call it, for example `sketch`."""

    def check(self, options: GenerationOptions) -> None:
        """Raise what `generate` would about these options, before anything is spent.

        InvalidSizeError, InvalidQualityError or InvalidFormatError.
        """

    def generate(
        self, prompt: str, options: GenerationOptions, deadline: Deadline, audience: Audience
    ) -> GeneratedImage:
        """Make one image, in the format asked for.

        What may have been accepted is waited for up to the deadline, whoever is left of
        the audience. Raises what `check` does, and the provider errors of the contract's
        table.
        """

    def close(self) -> None:
        """Let go of whoever is asked; creations that still wait for an answer lose it."""


class OlderImages(Protocol):
    """The files that an earlier PixyProxy left."""

    def find(self, guid: str, filename: str) -> ImageContents | None:
        """Return what a look at an image's file tells: a key, a size, perhaps a type.

        A file named by its guid goes before one of that filename; an empty filename is
        none. None where there is neither.
        """


class Clock(Protocol):
    """Tells the time of this machine."""

    def now(self) -> datetime:
        """Return the time in UTC, aware, cut to whole seconds."""

    def milliseconds(self) -> int:
        """Return the milliseconds since 1970, by which leases end."""


class Authenticator(Protocol):
    """Knows callers by their tokens."""

    def authenticate(self, token: str) -> str | None:
        """Return the name of the caller with that token, None where there is none.

        Takes the same time whatever the token is, does not block: it runs on the
        server's event thread.
        """
