"""What a caller asks for, held to the rules, and what names it."""

import hashlib
import json
import uuid
from dataclasses import dataclass

from pixy_grpc.core.creations import CreationKey
from pixy_grpc.core.models import GenerationOptions, ImageCreate
from pixy_grpc.service.validation import valid_request_id, validated


@dataclass(frozen=True)
class CreationRequest:
    """What the caller asks for, as it came."""

    image: dict[str, object]
    options: dict[str, object]
    request_id: str


@dataclass(frozen=True)
class Order:
    """A request that may be met.

    `fingerprint` is a digest of its normalised fields, before any default: the same
    content has the same.
    """

    key: CreationKey
    fingerprint: str
    image: ImageCreate
    options: GenerationOptions


def placed(request: CreationRequest, caller: str) -> Order:
    """Return the order that a request makes; raise what is wrong with it.

    One without a request id gets an id of its own, which nobody learns.
    """
    image = validated(ImageCreate, **request.image)
    options = validated(GenerationOptions, **request.options)
    request_id = valid_request_id(request.request_id) or str(uuid.uuid4())
    fields = [image.model_dump(mode="json"), options.model_dump(mode="json")]
    fingerprint = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    return Order(CreationKey(caller, request_id), fingerprint, image, options)
