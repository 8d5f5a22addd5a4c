"""The use case of creating an image: bytes first, row second, once for each request id."""

import hashlib
import json
import logging
import uuid
from dataclasses import dataclass

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.contents import ImageContents, digest_blocks
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DeadlineTooShortError,
    FieldViolation,
    ImageException,
    RequestIdReusedError,
    StorageFullError,
    TransactionConflictError,
)
from pixy_grpc.core.models import GenerationOptions, Image, ImageCreate
from pixy_grpc.core.ports import (
    Clock,
    CreationKey,
    GeneratedImage,
    ImageGenerator,
    ImageRepository,
    ImageStore,
    NewImage,
)
from pixy_grpc.service.inspection import Picture, inspect
from pixy_grpc.service.naming import slug_filename
from pixy_grpc.service.validation import valid_request_id, validated

STORE_SECONDS = 30.0
"""How long storing may take once an image is made. The caller's deadline does not count
here: what was made is kept, and a retry with the request id finds it."""

_NOTHING_ADDED = (ConstraintViolationError, StorageFullError, TransactionConflictError)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CreationRequest:
    """What the caller asks for, as it came."""

    image: dict[str, object]
    options: dict[str, object]
    request_id: str


@dataclass(frozen=True)
class CreatedImage:
    """The stored image; `replayed` where an earlier call with the request id made it."""

    image: Image
    replayed: bool


class ImageCreation:
    """Makes images."""

    def __init__(
        self,
        repository: ImageRepository,
        store: ImageStore,
        generator: ImageGenerator,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._store = store
        self._generator = generator
        self._clock = clock

    def create(self, request: CreationRequest, call: Call) -> CreatedImage:
        """Make the image, or return the one that the request id has made.

        Returns once the image is durable. Raises what the contract's CreateImage names.
        """
        asked = validated(ImageCreate, **request.image)
        options = validated(GenerationOptions, **request.options)
        key = _creation_key(call.caller, valid_request_id(request.request_id), asked, options)
        replayed = self._replay(key, call.deadline) if key else None
        return replayed or self._make(asked, options, key, call)

    def _replay(self, key: CreationKey, deadline: Deadline) -> CreatedImage | None:
        done = self._repository.find_creation(key.caller, key.request_id, deadline)
        if done is None:
            return None
        if done.fingerprint != key.fingerprint:
            raise _reused()
        return CreatedImage(self._repository.get(done.guid, deadline).image, replayed=True)

    def _make(
        self, asked: ImageCreate, options: GenerationOptions, key: CreationKey | None, call: Call
    ) -> CreatedImage:
        self._generator.check(options)
        call.deadline.check()
        if not call.is_active():
            raise DeadlineTooShortError("The caller has gone; nothing was made.")
        generated = self._generator.generate(asked.prompt, options, call.deadline)
        new = self._new_image(asked, generated, key)
        return self._keep(new, generated.data, Deadline.after(STORE_SECONDS))

    def _new_image(
        self, asked: ImageCreate, generated: GeneratedImage, key: CreationKey | None
    ) -> NewImage:
        picture = inspect(generated.data)
        guid = str(uuid.uuid4())
        return NewImage(
            guid=guid,
            filename=asked.filename or slug_filename(asked.prompt, picture.format),
            prompt=asked.prompt,
            created_at=self._clock.now(),
            contents=_contents(guid, generated, picture, self._generator.name),
            creation=key,
        )

    def _keep(self, new: NewImage, data: bytes, deadline: Deadline) -> CreatedImage:
        """Store the bytes, then the row. Bytes are removed only where no row names them:
        after an answer that was lost, the row may be there.
        """
        self._store.put(new.contents.key, data, deadline)
        try:
            return CreatedImage(self._repository.add(new, deadline).image, replayed=False)
        except _NOTHING_ADDED as error:
            self._discard(new.contents.key, deadline)
            won = isinstance(error, ConstraintViolationError) and new.creation
            replayed = self._replay(new.creation, deadline) if won and new.creation else None
            if replayed is None:
                raise
            return replayed

    def _discard(self, key: str, deadline: Deadline) -> None:
        try:
            self._store.delete(key, deadline)
        except ImageException as error:
            _log.warning("orphaned bytes key=%s reason=%s", key, error.reason)


def _creation_key(
    caller: str, request_id: str, asked: ImageCreate, options: GenerationOptions
) -> CreationKey | None:
    """Return what names the creation; the same content is the same normalised fields."""
    if not request_id:
        return None
    fields = [asked.model_dump(mode="json"), options.model_dump(mode="json")]
    fingerprint = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    return CreationKey(caller, request_id, fingerprint)


def _contents(
    guid: str, generated: GeneratedImage, picture: Picture, generator: str
) -> ImageContents:
    attempt = uuid.uuid4().hex[:8]
    return ImageContents(
        key=f"{guid}.{attempt}{picture.format.extension}",
        content_type=picture.format.content_type,
        size_bytes=len(generated.data),
        sha256=hashlib.sha256(generated.data).hexdigest(),
        block_digests=digest_blocks(generated.data),
        width=picture.width,
        height=picture.height,
        generator=generator,
        model=generated.model,
    )


def _reused() -> RequestIdReusedError:
    description = "This request_id has made another image: a new creation takes a new one."
    return RequestIdReusedError(description, violations=[FieldViolation("request_id", description)])
