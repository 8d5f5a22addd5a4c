"""Follows an image while it is made: the unfinished ones are shown, the last one counts.

The events are those of openai 3.54.0, types/image_gen_stream_event.py. What ends them
without an image is said as in a refusal, in an event of its own.
"""

from collections.abc import Callable, Iterable

from pydantic import BaseModel, ValidationError

from pixy_grpc.core.progress import MAX_PARTIAL_BYTES
from pixy_grpc.service.generators.openai.answer import Slot, is_all_structure, unusable
from pixy_grpc.service.generators.openai.errors import outcome_unknown

_PARTIAL = "image_generation.partial_image"
_COMPLETED = "image_generation.completed"
_ERROR = "error"


class RefusedError(Exception):
    """The provider says, after it has begun, that there will be no image."""

    def __init__(self, fault: "_Fault") -> None:
        super().__init__("an error among the events")
        self.codes = frozenset(code for code in (fault.code, fault.type) if isinstance(code, str))
        self.parameter = fault.param if isinstance(fault.param, str) else ""


class _Fault(BaseModel):
    code: object = None
    type: object = None
    param: object = None


class Event(Slot, _Fault):
    """One event; the last holds the finished image, and what it took."""

    error: _Fault | None = None
    usage: object = None


def finished(events: Iterable[bytes], show: Callable[[bytes], None]) -> Event:
    """Return the event with the finished image; pass over what is none of the known ones.

    Raises RefusedError, Failure where they end without one, and what reading them does.
    """
    for data in events:
        if is_all_structure(data):
            raise unusable()
        try:
            event = Event.model_validate_json(data)
        except ValidationError as error:
            if _is_bad_base64(error) and _COMPLETED.encode() in data:
                raise unusable() from error
            continue
        if event.error or event.type == _ERROR:
            raise RefusedError(event.error or event)
        if event.type == _COMPLETED:
            return event
        if event.type == _PARTIAL and event.b64_json and len(event.b64_json) <= MAX_PARTIAL_BYTES:
            show(event.b64_json)
    raise outcome_unknown()


def _is_bad_base64(error: ValidationError) -> bool:
    """Tell whether an event is whole, but for its image."""
    return any(each["type"] == "bytes_invalid_encoding" for each in error.errors())
