"""The port's side of the sketch: what can be asked of it, and how the parts come together."""

from dataclasses import dataclass

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import FieldViolation, InvalidQualityError, InvalidSizeError
from pixy_grpc.core.models import GenerationOptions, ImageFormat
from pixy_grpc.core.ports import Audience, GeneratedImage
from pixy_grpc.service.generators.sketch.canvas import Canvas
from pixy_grpc.service.generators.sketch.caption import write_caption
from pixy_grpc.service.generators.sketch.encoding import encode
from pixy_grpc.service.generators.sketch.painter import paint
from pixy_grpc.service.generators.sketch.scene import read_scene

MIN_SIDE_PIXELS = 64
MAX_SIDE_PIXELS = 4096

_DEFAULT_SIZE = (1024, 1024)
_DETAILED_PIXELS = 2048 * 2048


@dataclass(frozen=True)
class _Quality:
    detail: int
    lossy: int


_QUALITIES = {
    "": _Quality(detail=2, lossy=85),
    "low": _Quality(detail=1, lossy=60),
    "medium": _Quality(detail=2, lossy=85),
    "high": _Quality(detail=3, lossy=95),
}


class SketchGenerator:
    """Draws a landscape with what the prompt names; needs no network and no key.

    The same prompt and options make the same bytes. Any number of threads may share one.
    """

    name = "sketch"

    def check(self, options: GenerationOptions) -> None:
        """Raise what `generate` would: InvalidSizeError, InvalidQualityError."""
        _size(options)
        _quality(options)

    def generate(
        self,
        prompt: str,
        options: GenerationOptions,
        deadline: Deadline,
        audience: Audience,
    ) -> GeneratedImage:
        """Draw one image, PNG unless asked otherwise; its model is empty: there is none.

        Raises InvalidSizeError, InvalidQualityError, DeadlineTooShortError.
        """
        size, quality = _size(options), _quality(options)
        audience.arriving(deadline)
        detail = quality.detail if size[0] * size[1] <= _DETAILED_PIXELS else 1
        picture = paint(read_scene(prompt), size, detail, deadline)
        write_caption(Canvas(picture, 1), prompt)
        deadline.check()
        return GeneratedImage(
            encode(picture, options.format or ImageFormat.PNG, quality.lossy, prompt)
        )

    def close(self) -> None:
        """Do nothing: nobody is asked."""


def _size(options: GenerationOptions) -> tuple[int, int]:
    size = options.dimensions or _DEFAULT_SIZE
    if all(MIN_SIDE_PIXELS <= side <= MAX_SIDE_PIXELS for side in size):
        return size
    allowed = f"The sketch makes sizes from {MIN_SIDE_PIXELS} to {MAX_SIDE_PIXELS} pixels a side."
    raise InvalidSizeError(allowed, violations=[FieldViolation("size", allowed)])


def _quality(options: GenerationOptions) -> _Quality:
    if quality := _QUALITIES.get(options.quality):
        return quality
    allowed = 'The sketch knows the qualities "low", "medium", "high" and "auto".'
    raise InvalidQualityError(allowed, violations=[FieldViolation("quality", allowed)])
