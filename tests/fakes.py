"""Small real implementations of the ports, in memory: they pass the ports' own suites."""

import hashlib
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.creations import (
    Creation,
    CreationKey,
    CreationState,
    Fence,
    FenceLostError,
    NewCreation,
    PaidImage,
    Refusal,
    Usage,
)
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    ImageCorruptError,
    ImageException,
    RecordNotFoundError,
    StorageUnavailableError,
)
from pixy_grpc.core.models import GenerationOptions, Image, ImageUpdate
from pixy_grpc.core.ports import (
    Audience,
    GeneratedImage,
    ImageRow,
    NewImage,
    OpenedBytes,
    Page,
    PageQuery,
    Position,
    RenditionKey,
    Space,
    SpooledImage,
    StoredImage,
    StoredObject,
)
from pixy_grpc.core.search import ImageFilter

DETAILS_BYTES = 256
"""What the details of one image are taken to have beside their texts."""


@dataclass
class _Tables:
    """What every repository over the same data shares; `rows` hold (number, image) by guid."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    rows: dict[str, tuple[int, StoredImage]] = field(default_factory=dict)
    creations: dict[CreationKey, Creation] = field(default_factory=dict)
    last_row: int = 0


class InMemoryImageRepository:
    """An ImageRepository whose search is `ImageFilter.matches` on every image there is.

    `beside` shares the data of another one. While `failure` is set, every method raises
    it and does nothing.
    """

    def __init__(self, beside: "InMemoryImageRepository | None" = None) -> None:
        self._tables = beside._tables if beside else _Tables()  # noqa: SLF001 - of its own class
        self.failure: ImageException | None = None

    def add(self, new: NewImage, deadline: Deadline) -> StoredImage:
        """Add an image and its creation."""
        with self.lent(deadline) as tables:
            creation = _held(tables, new.fence) if new.fence else None
            if new.guid in tables.rows:
                raise ConstraintViolationError("The guid is taken.")
            if creation:
                tables.creations[creation.key] = replace(
                    creation,
                    state=CreationState.DONE,
                    lease_until_ms=0,
                    prompt="",
                    filename="",
                    store_key=new.contents.key,
                    refusal=None,
                )
            tables.last_row += 1
            stored = _stored(new)
            tables.rows[new.guid] = (tables.last_row, stored)
            return stored

    def get(self, guid: str, deadline: Deadline) -> StoredImage:
        """Return one image."""
        with self.lent(deadline) as tables:
            return _row(tables, guid)[1]

    def list_page(self, query: PageQuery, deadline: Deadline) -> Page:
        """Return one page; never a short one."""
        with self.lent(deadline) as tables:
            rows = [
                (Position(each.image.created_at, row), each) for row, each in tables.rows.values()
            ]
        rows.sort(key=lambda pair: (pair[0].created_at, pair[0].row), reverse=True)
        behind = (pair for pair in rows if _is_behind(pair[0], query.after))
        return _page((pair for pair in behind if meets(pair[1], query.filter)), query)

    def update(self, guid: str, update: ImageUpdate, now: datetime, deadline: Deadline) -> Image:
        """Change an image."""
        with self.lent(deadline) as tables:
            row, stored = _row(tables, guid)
            changes = update.model_dump(exclude_none=True)
            if changes:
                image = stored.image.model_copy(update={**changes, "updated_at": now})
                stored = replace(stored, image=image)
                tables.rows[guid] = (row, stored)
            return stored.image

    def delete(self, guid: str, deadline: Deadline) -> ImageContents | None:
        """Remove an image."""
        with self.lent(deadline) as tables:
            _row(tables, guid)
            return tables.rows.pop(guid)[1].contents

    def ping(self, deadline: Deadline) -> None:
        """Return at once."""
        with self.lent(deadline):
            return

    @contextmanager
    def lent(self, deadline: Deadline) -> Iterator[_Tables]:
        """Lend what is stored to one at a time."""
        if self.failure:
            raise self.failure
        _require_time(deadline, DBConnectionError)
        with self._tables.lock:
            yield self._tables


class InMemoryCreationRepository:
    """A CreationRepository over the data of images; it fails as they do.

    `usages` holds what each creation took.
    """

    def __init__(self, images: InMemoryImageRepository) -> None:
        self._images = images
        self.usages: dict[str, Usage | None] = {}

    def find(self, key: CreationKey, deadline: Deadline) -> Creation | None:
        """Return one creation."""
        with self._images.lent(deadline) as tables:
            return tables.creations.get(key)

    def claim(self, new: NewCreation, deadline: Deadline) -> Creation:
        """Begin a creation."""
        with self._images.lent(deadline) as tables:
            if new.key in tables.creations:
                raise ConstraintViolationError("The request id is taken.")
            tables.creations[new.key] = _claimed(new)
            return tables.creations[new.key]

    def take_over(
        self, seen: Creation, lease_until_ms: int, ended_before_ms: int, deadline: Deadline
    ) -> Creation | None:
        """Go on under the next fence."""
        with self._images.lent(deadline) as tables:
            try:
                found = _held(tables, seen.fence)
            except FenceLostError:
                return None
            if found.lease_until_ms >= ended_before_ms:
                return None
            fence = replace(found.fence, number=found.fence.number + 1)
            taken = replace(found, fence=fence, lease_until_ms=lease_until_ms)
            tables.creations[taken.key] = taken
            return taken

    def renew(
        self, fences: Sequence[Fence], lease_until_ms: int, deadline: Deadline
    ) -> list[Fence]:
        """Give longer leases."""
        renewed = []
        with self._images.lent(deadline) as tables:
            for fence in fences:
                with suppress(FenceLostError):
                    if _held(tables, fence).lease_until_ms:
                        _change(tables, fence, lease_until_ms=lease_until_ms)
                        renewed.append(fence)
        return renewed

    def note_asked(self, fence: Fence, deadline: Deadline) -> None:
        """Count an ask."""
        with self._images.lent(deadline) as tables:
            asks = _held(tables, fence).asks + 1
            _change(tables, fence, state=CreationState.ASKED, asks=asks)

    def note_kept(self, paid: PaidImage, deadline: Deadline) -> None:
        """Note the bytes."""
        with self._images.lent(deadline) as tables:
            changes = {"store_key": paid.store_key, "model": paid.model}
            _change(tables, paid.fence, state=CreationState.KEPT, **changes)
            self.usages[paid.guid] = paid.usage or self.usages.get(paid.guid)

    def note_refused(self, fence: Fence, refusal: Refusal, deadline: Deadline) -> None:
        """Keep a refusal."""
        with self._images.lent(deadline) as tables:
            _change(tables, fence, state=CreationState.REFUSED, refusal=refusal, lease_until_ms=0)

    def note_unknown(self, fence: Fence, deadline: Deadline) -> None:
        """End the lease."""
        with self._images.lent(deadline) as tables:
            _change(tables, fence, state=CreationState.UNKNOWN, lease_until_ms=0)

    def release(self, fence: Fence, asks: int, deadline: Deadline) -> None:
        """Forget the creation, or leave it."""
        with self._images.lent(deadline) as tables, suppress(FenceLostError):
            _change(tables, fence, state=CreationState.UNKNOWN, asks=asks, lease_until_ms=0)
            if not asks:
                del tables.creations[fence.key]

    def retire(self, key: CreationKey, request_id: str, deadline: Deadline) -> None:
        """Give the creation another name."""
        with self._images.lent(deadline) as tables:
            found = tables.creations.pop(key, None)
            if found:
                other = CreationKey(key.caller, request_id)
                tables.creations[other] = replace(found, fence=replace(found.fence, key=other))

    def list_unfinished(
        self, ended_before_ms: int, limit: int, deadline: Deadline
    ) -> Sequence[Creation]:
        """Look at every creation."""
        with self._images.lent(deadline) as tables:
            found = [
                each
                for each in tables.creations.values()
                if each.state in _UNFINISHED and each.lease_until_ms < ended_before_ms
            ]
        return sorted(found, key=lambda each: each.lease_until_ms)[:limit]


class InMemoryInventory:
    """An Inventory over the data of images; it fails as they do."""

    def __init__(self, images: InMemoryImageRepository) -> None:
        self._images = images

    def last_number(self, deadline: Deadline) -> int:
        """Return the last number given."""
        with self._images.lent(deadline) as tables:
            return max((number for number, _ in tables.rows.values()), default=0)

    def list_rows(self, after: int, limit: int, deadline: Deadline) -> Sequence[ImageRow]:
        """Sort every image."""
        with self._images.lent(deadline) as tables:
            rows = sorted(tables.rows.values(), key=lambda row: row[0])
        return [_image_row(*row) for row in rows if row[0] > after][:limit]

    def present(self, guids: Collection[str], deadline: Deadline) -> set[str]:
        """Look at every image."""
        with self._images.lent(deadline) as tables:
            return tables.rows.keys() & set(guids)

    def named(self, keys: Collection[str], deadline: Deadline) -> set[str]:
        """Look at every image."""
        with self._images.lent(deadline) as tables:
            known = {each.contents.key for _, each in tables.rows.values() if each.contents}
        return known & set(keys)

    def without_contents(self, guids: Collection[str], deadline: Deadline) -> set[str]:
        """Look at every image."""
        with self._images.lent(deadline) as tables:
            bare = {guid for guid, (_, each) in tables.rows.items() if each.contents is None}
        return bare & set(guids)

    def list_not_done(self, guids: Collection[str], deadline: Deadline) -> Sequence[Creation]:
        """Look at every creation."""
        with self._images.lent(deadline) as tables:
            return [
                each
                for each in tables.creations.values()
                if each.guid in guids and each.state is not CreationState.DONE
            ]

    def set_contents(self, row: ImageRow, contents: ImageContents, deadline: Deadline) -> bool:
        """Replace what is known."""
        with self._images.lent(deadline) as tables:
            number, stored = tables.rows.get(row.guid, (0, None))
            known = stored.contents if stored else None
            if stored is None or (known and (known.sha256 or known.key != contents.key)):
                return False
            tables.rows[row.guid] = (number, _with_contents(stored, contents))
            return True


def _image_row(number: int, stored: StoredImage) -> ImageRow:
    image = stored.image
    unchanged = image.updated_at == image.created_at
    return ImageRow(number, image.guid, image.filename, unchanged, stored.contents)


def _with_contents(stored: StoredImage, contents: ImageContents) -> StoredImage:
    shown = {
        name: getattr(contents, name)
        for name in ("content_type", "size_bytes", "sha256", "width", "height")
    }
    return StoredImage(stored.image.model_copy(update=shown), contents)


_UNFINISHED = (CreationState.CLAIMED, CreationState.ASKED, CreationState.KEPT)


def _held(tables: _Tables, fence: Fence) -> Creation:
    found = tables.creations.get(fence.key)
    if found is None or found.fence != fence or found.state is CreationState.DONE:
        raise FenceLostError
    return found


def _change(tables: _Tables, fence: Fence, **changes: object) -> None:
    found = _held(tables, fence)
    tables.creations[fence.key] = replace(found, **changes)  # type: ignore[arg-type]


def _claimed(new: NewCreation) -> Creation:
    return Creation(
        fence=Fence(new.key, 1, new.guid),
        fingerprint=new.fingerprint,
        guid=new.guid,
        state=CreationState.CLAIMED,
        asks=0,
        lease_until_ms=new.lease_until_ms,
        created_at=new.created_at,
        generator=new.generator,
        prompt=new.prompt,
        filename=new.filename,
    )


def meets(stored: StoredImage, sought: ImageFilter) -> bool:
    """Tell whether an image meets a filter, its times included."""
    created_at = stored.image.created_at
    if sought.created_after and created_at < sought.created_after:
        return False
    if sought.created_before and created_at >= sought.created_before:
        return False
    return sought.matches(stored.image.prompt, stored.image.filename)


def _stored(new: NewImage) -> StoredImage:
    contents = new.contents
    image = Image(
        guid=new.guid,
        filename=new.filename,
        prompt=new.prompt,
        created_at=new.created_at,
        updated_at=new.created_at,
        content_type=contents.content_type,
        size_bytes=contents.size_bytes,
        sha256=contents.sha256,
        width=contents.width,
        height=contents.height,
        generator=contents.generator,
        model=contents.model,
    )
    return StoredImage(image, contents)


def _row(tables: _Tables, guid: str) -> tuple[int, StoredImage]:
    try:
        return tables.rows[guid]
    except KeyError:
        raise RecordNotFoundError(f"There is no image {guid}.") from None


def _is_behind(at: Position, after: Position | None) -> bool:
    return after is None or (at.created_at, at.row) < (after.created_at, after.row)


def _page(found: Iterable[tuple[Position, StoredImage]], query: PageQuery) -> Page:
    taken: list[StoredImage] = []
    reached = query.after
    room = query.max_bytes
    for position, stored in found:
        room -= _details_bytes(stored.image)
        if taken and (room < 0 or len(taken) == query.limit):
            return Page(taken, reached)
        taken.append(stored)
        reached = position
    return Page(taken, None)


def _details_bytes(image: Image) -> int:
    texts = (image.prompt, image.filename, image.generator, image.model)
    return DETAILS_BYTES + sum(len(text.encode()) for text in texts)


@dataclass(frozen=True)
class InMemoryBytes:
    """StoredBytes of an object in memory."""

    data: bytes

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return len(self.data)

    def read(self, offset: int, length: int, head: bytes = b"") -> bytes:
        """Return a part of them."""
        return head + self.data[offset : offset + length]


class InMemoryImageStore:
    """An ImageStore; `objects` may be changed to damage what is stored, `modified` to age it.

    While `failure` is set, every method raises it and does nothing.
    """

    def __init__(self, beside: "InMemoryImageStore | None" = None) -> None:
        self.objects: dict[str, bytes] = beside.objects if beside else {}
        self.quarantined: dict[str, bytes] = beside.quarantined if beside else {}
        self.leftovers: dict[str, bytes] = beside.leftovers if beside else {}
        self.modified: dict[str, datetime] = beside.modified if beside else {}
        self.free: Space | None = None
        self._lock = beside._lock if beside else threading.Lock()  # noqa: SLF001 - likewise
        self.failure: ImageException | None = None

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Keep bytes under a new key."""
        self._require(deadline)
        with self._lock:
            if key in self.objects:
                raise ConstraintViolationError("The store holds bytes under this key.")
            self.objects[key] = data
            self.modified[key] = datetime.now(UTC)

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[InMemoryBytes]:
        """Open what is kept under a key."""
        self._require(deadline)
        if key not in self.objects:
            raise ImageCorruptError("The image's bytes are missing.")
        yield InMemoryBytes(self.objects[key])

    def delete(self, key: str, deadline: Deadline) -> None:
        """Forget a key."""
        self._require(deadline)
        self.objects.pop(key, None)

    def keys(self, guid: str, deadline: Deadline) -> list[str]:
        """Return the keys of a guid."""
        self._require(deadline)
        with self._lock:
            return sorted(key for key in self.objects if key.startswith(f"{guid}."))

    def quarantine(self, key: str, deadline: Deadline) -> None:
        """Put an object aside."""
        self._require(deadline)
        with self._lock:
            for found in (self.objects, self.leftovers):
                if key in found:
                    self.quarantined[key] = found.pop(key)
                    self.modified[key] = datetime.now(UTC)

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield a copy; a key with a folder is that of an older file."""
        return self._listed({key: data for key, data in self.objects.items() if "/" not in key})

    def list_leftovers(self) -> Iterator[StoredObject]:
        """Yield a copy."""
        return self._listed(self.leftovers)

    def list_quarantine(self) -> Iterator[StoredObject]:
        """Yield a copy."""
        return self._listed(self.quarantined)

    def purge(self, key: str, deadline: Deadline) -> None:
        """Forget a key in quarantine."""
        self._require(deadline)
        self.quarantined.pop(key, None)

    def _listed(self, found: dict[str, bytes]) -> Iterator[StoredObject]:
        if self.failure:
            raise self.failure
        for key, data in list(found.items()):
            yield StoredObject(key, len(data), self.modified[key])

    def space(self, deadline: Deadline) -> Space | None:
        """Return what was told."""
        self._require(deadline)
        return self.free

    def ping(self, deadline: Deadline) -> None:
        """Return at once."""
        self._require(deadline)

    def _require(self, deadline: Deadline) -> None:
        if self.failure:
            raise self.failure
        _require_time(deadline, StorageUnavailableError)


def _require_time(deadline: Deadline, unavailable: type[ImageException]) -> None:
    if deadline.from_caller:
        deadline.check()
    if not deadline.remaining():
        raise unavailable("There was no answer in time.")


class InMemorySpool:
    """A Spool; while `failure` is set, `put` raises it."""

    def __init__(self) -> None:
        self.images: dict[str, SpooledImage] = {}
        self.failure: ImageException | None = None

    def put(self, spooled: SpooledImage) -> None:
        """Keep an image."""
        if self.failure:
            raise self.failure
        self.images[spooled.paid.store_key] = spooled

    def names(self) -> list[str]:
        """Return the names."""
        return list(self.images)

    def holds(self, guid: str) -> bool:
        """Look for the guid."""
        return any(name.startswith(f"{guid}.") for name in list(self.images))

    @contextmanager
    def take(self, name: str) -> Iterator[SpooledImage | None]:
        """Lend an image, to any number."""
        yield self.images.get(name)

    def remove(self, name: str) -> None:
        """Forget an image."""
        self.images.pop(name, None)


class InMemoryRenditionCache:
    """A RenditionCache; `renditions` may be changed to damage what is kept.

    It keeps nothing unless it `keeps`. While `failure` is set, `delete` and `guids` raise it.
    """

    def __init__(self, *, keeps: bool = True) -> None:
        self.renditions: dict[RenditionKey, tuple[ImageContents, bytes]] = {}
        self.failure: ImageException | None = None
        self._keeps = keeps

    @contextmanager
    def open(self, key: RenditionKey) -> Iterator[OpenedBytes | None]:
        """Open what is kept, if it is what was put."""
        contents, data = self.renditions.get(key, (None, b""))
        if contents is None or hashlib.sha256(data).hexdigest() != contents.sha256:
            yield None
        else:
            yield OpenedBytes(contents, InMemoryBytes(data))

    def put(self, key: RenditionKey, contents: ImageContents, data: bytes) -> None:
        """Keep a rendition."""
        if self._keeps:
            self.renditions[key] = (contents, data)

    def delete(self, guid: str) -> None:
        """Forget the renditions of an image."""
        if self.failure:
            raise self.failure
        for key in [key for key in self.renditions if key.guid == guid]:
            del self.renditions[key]

    def guids(self) -> list[str]:
        """Return whose renditions are kept."""
        if self.failure:
            raise self.failure
        return sorted({key.guid for key in self.renditions})

    def tidy(self) -> None:
        """Leave all as it is: there is room."""


class FixedClock:
    """A Clock that stands still until it is told the time."""

    def __init__(self, moment: datetime = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Return the time it was told."""
        return self.moment

    def milliseconds(self) -> int:
        """Return the same time, as leases have it."""
        return int(self.moment.timestamp() * 1000)

    def advance(self, seconds: float) -> None:
        """Go on by that many seconds."""
        self.moment += timedelta(seconds=seconds)


@dataclass(frozen=True)
class GeneratorRequest:
    """What a ScriptedGenerator was asked for."""

    prompt: str
    options: GenerationOptions
    deadline: Deadline
    audience: Audience


Outcome = GeneratedImage | Exception | Callable[[GeneratorRequest], GeneratedImage]


class ScriptedGenerator:
    """An ImageGenerator that meets each request with the next outcome of its script.

    An outcome is an image, an exception to raise, or a function of the request; the
    last one is used over and over. `refusal` is what `check` raises.
    """

    name = "scripted"

    def __init__(self, *outcomes: Outcome, refusal: ImageException | None = None) -> None:
        self.requests: list[GeneratorRequest] = []
        self.refusal = refusal
        self._outcomes = list(outcomes)
        self._lock = threading.Lock()

    def script(self, *outcomes: Outcome) -> None:
        """Go on with another script."""
        self._outcomes = list(outcomes)

    def close(self) -> None:
        """Hold nothing."""

    def check(self, options: GenerationOptions) -> None:  # noqa: ARG002 - the port's
        """Raise the refusal, if there is one."""
        if self.refusal:
            raise self.refusal

    def generate(
        self, prompt: str, options: GenerationOptions, deadline: Deadline, audience: Audience
    ) -> GeneratedImage:
        """Return, raise or call the next outcome."""
        self.check(options)
        request = GeneratorRequest(prompt, options, deadline, audience)
        with self._lock:
            self.requests.append(request)
            outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome(request) if callable(outcome) else outcome
