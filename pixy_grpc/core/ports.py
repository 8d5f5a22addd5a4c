"""Where the layers meet: each docstring is the contract every implementation is held to.

Unless a method says otherwise it ends by its deadline, give or take a second: past the
caller's own with DeadlineTooShortError, past a cap of the service with the
unavailability error of what it waited for.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.models import GenerationOptions, Image, ImageUpdate
from pixy_grpc.core.search import ImageFilter


@dataclass(frozen=True)
class CreationKey:
    """What names one creation: a request id of a caller, and what it asked for.

    `fingerprint` is a digest of the request's normalised fields.
    """

    caller: str
    request_id: str
    fingerprint: str


@dataclass(frozen=True)
class NewImage:
    """An image whose bytes are durable and whose row is to be added."""

    guid: str
    filename: str
    prompt: str
    created_at: datetime
    contents: ImageContents
    creation: CreationKey | None = None


@dataclass(frozen=True)
class StoredImage:
    """An image and what is known of its bytes: None for an older one, not adopted."""

    image: Image
    contents: ImageContents | None


@dataclass(frozen=True)
class Creation:
    """A creation that was done: the image it made and what it had been asked for."""

    guid: str
    fingerprint: str


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
        """Add an image, durably, together with the creation that made it.

        Raises ConstraintViolationError, and adds nothing, where the guid is taken or
        the caller's request id names a creation already.
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

    def find_creation(self, caller: str, request_id: str, deadline: Deadline) -> Creation | None:
        """Return what the caller's request id has made, None where it is unused."""

    def ping(self, deadline: Deadline) -> None:
        """Return once the database has answered a query."""


class StoredBytes(Protocol):
    """Bytes opened for reading; they stay readable when their key is deleted."""

    @property
    def size_bytes(self) -> int:
        """How many bytes are stored now."""

    def read(self, offset: int, length: int) -> bytes:
        """Return that many bytes from there, fewer only where the store holds fewer.

        Raises StorageUnavailableError.
        """


class ImageStore(Protocol):
    """Keeps bytes under keys. Every method may raise StorageUnavailableError.

    A key is a guid, a dot, and letters, digits and dots; two attempts at one image have
    two keys.
    """

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Store bytes under a new key; on return they outlive a crash of the machine.

        They appear whole or not at all. Raises StorageFullError, and
        ConstraintViolationError where the key is taken: what is there stays.
        """

    def open(self, key: str, deadline: Deadline) -> AbstractContextManager[StoredBytes]:
        """Open bytes for reading. Raises ImageCorruptError where there are none, or
        what is there is no plain object.
        """

    def delete(self, key: str, deadline: Deadline) -> None:
        """Remove the bytes; a key that is not there is no error."""

    def ping(self, deadline: Deadline) -> None:
        """Return once the store has shown that it is the one this service began with."""


@dataclass(frozen=True)
class Usage:
    """What making an image took; empty or None where the provider does not say."""

    provider_request_id: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_seconds: float | None = None


@dataclass(frozen=True)
class GeneratedImage:
    """What a generator made: encoded bytes, and the model that made them, if any.

    `usage` is None where nobody was asked.
    """

    data: bytes
    model: str = ""
    usage: Usage | None = None


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
        self, prompt: str, options: GenerationOptions, deadline: Deadline
    ) -> GeneratedImage:
        """Make one image, in the format asked for.

        Raises what `check` does, and the provider errors of the contract's table.
        """


class Clock(Protocol):
    """Tells the time that is stored."""

    def now(self) -> datetime:
        """Return the time in UTC, aware, cut to whole seconds."""


class Authenticator(Protocol):
    """Knows callers by their tokens."""

    def authenticate(self, token: str) -> str | None:
        """Return the name of the caller with that token, None where there is none.

        Takes the same time whatever the token is, does not block: it runs on the
        server's event thread.
        """
