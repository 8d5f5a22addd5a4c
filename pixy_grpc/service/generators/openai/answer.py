"""Reads what the provider answered: anything may stand there, so nothing is taken on trust."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixy_grpc.core.exceptions import ProviderBadResponseError
from pixy_grpc.core.ports import Usage
from pixy_grpc.service.generators.openai.errors import Failure

MAX_STRUCTURE = 10_000
"""Commas, or brackets of one kind, in an answer: an image and its usage take some thirty, a
prompt that is repeated more. Three megabytes of nothing else took 442 MB to parse."""

MAX_COUNT = 2**63 - 1
"""The largest number of tokens that is noted: a database holds no larger one."""


@dataclass(frozen=True)
class Answer:
    """An image as bytes, or the url where it is, and what it took."""

    image: bytes
    url: str
    usage: Usage


class Slot(BaseModel):
    """One image of an answer, in base64 or by its url; an error shows nothing of it."""

    model_config = ConfigDict(hide_input_in_errors=True, val_json_bytes="base64")

    b64_json: bytes | None = None
    url: str | None = None

    def answer(self, usage: object, provider_request_id: str) -> Answer:
        """Return it with what it took; raise Failure where there is none."""
        if not self.b64_json and not self.url:
            raise unusable()
        return Answer(
            image=self.b64_json or b"",
            url=self.url or "",
            usage=Usage(
                provider_request_id=provider_request_id,
                input_tokens=_count(usage, "input_tokens"),
                output_tokens=_count(usage, "output_tokens"),
            ),
        )


class _Body(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    data: list[Slot] = Field(min_length=1)
    usage: object = None


def read_answer(body: bytes, provider_request_id: str) -> Answer:
    """Return the first image of an Images API answer; raise Failure where it holds none."""
    if is_all_structure(body):
        raise unusable()
    try:
        parsed = _Body.model_validate_json(body)
    except ValidationError as error:
        raise unusable() from error
    return parsed.data[0].answer(parsed.usage, provider_request_id)


def is_all_structure(body: bytes) -> bool:
    """Tell whether there is far more to parse than an image; a string holds few of these."""
    for mark in (b",", b"{", b"["):
        at = -1
        for _ in range(MAX_STRUCTURE):
            if (at := body.find(mark, at + 1)) < 0:
                break
        else:
            return True
    return False


def unusable() -> Failure:
    """Return the failure of an answer that was paid for and is of no use."""
    return Failure(ProviderBadResponseError("The provider's answer holds no usable image."))


def _count(usage: object, name: str) -> int | None:
    """Return a number of tokens; an image is not lost because they are told wrongly."""
    number = usage.get(name) if isinstance(usage, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return number if 0 <= number <= MAX_COUNT else None
