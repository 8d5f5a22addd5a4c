"""Turns the options of a request into what is sent: only what is set, only what is understood."""

from dataclasses import dataclass

from pixy_grpc.core.exceptions import (
    FieldViolation,
    InvalidArgumentError,
    InvalidFormatError,
    InvalidQualityError,
    InvalidSizeError,
)
from pixy_grpc.core.models import GenerationOptions, ImageFormat
from pixy_grpc.service.generators.openai.profile import Profile
from pixy_grpc.service.generators.openai.settings import Defaults
from pixy_grpc.service.inspection import MAX_PIXELS

BACKGROUNDS = ("transparent", "opaque", "auto")
MAX_COMPRESSION = 100


@dataclass(frozen=True)
class Parameters:
    """Knows what an endpoint takes and what is set for it.

    Raises ValueError for defaults that the profile rules out.
    """

    profile: Profile
    defaults: Defaults

    def __post_init__(self) -> None:
        _check_defaults(self.profile, self.defaults)
        try:
            self.check(GenerationOptions(size=self.defaults.size, quality=self.defaults.quality))
        except InvalidArgumentError as error:
            raise ValueError(f"A default cannot be used: {error.message}") from error

    def check(self, options: GenerationOptions) -> None:
        """Raise InvalidSizeError, InvalidQualityError or InvalidFormatError."""
        self._check_size(options)
        self._check_quality(options.quality)
        self._check_format(options.format)

    def body(self, options: GenerationOptions) -> dict[str, object]:
        """Return what is sent besides model, prompt and n. Raises what `check` does."""
        self.check(options)
        image_format = options.format or self.defaults.format
        candidates = {
            "response_format": self.profile.response_format,
            "size": options.size or self.defaults.size,
            "quality": options.quality or self.defaults.quality,
            "output_format": image_format.value if image_format else "",
            "background": self.defaults.background,
        }
        body: dict[str, object] = {name: value for name, value in candidates.items() if value}
        if self.defaults.compression is not None and image_format in _LOSSY:
            body["output_compression"] = self.defaults.compression
        return body

    def _check_size(self, options: GenerationOptions) -> None:
        width, height = options.dimensions or (0, 0)
        if width * height > MAX_PIXELS:
            raise _invalid_size(f"A picture has at most {MAX_PIXELS:,} pixels.")
        if _unknown(options.size, self.profile.sizes):
            raise _invalid_size(_choice("sizes", self.profile.sizes))

    def _check_quality(self, quality: str) -> None:
        if _unknown(quality, self.profile.qualities):
            text = _choice("qualities", self.profile.qualities)
            raise InvalidQualityError(text, violations=[FieldViolation("quality", text)])

    def _check_format(self, image_format: ImageFormat | None) -> None:
        if image_format and image_format not in self.profile.formats:
            raise _invalid_format(_choice("formats", self.profile.formats))
        if image_format is ImageFormat.JPEG and self.defaults.background == "transparent":
            raise _invalid_format("Images are made transparent here, which JPEG cannot be.")


_LOSSY = (ImageFormat.JPEG, ImageFormat.WEBP)


def _check_defaults(profile: Profile, defaults: Defaults) -> None:
    """Raise ValueError for what only settings can ask for, or only they can get wrong."""
    if defaults.format and defaults.format not in profile.formats:
        raise ValueError(f"The profile {profile.name} takes no such format.")
    if defaults.background and not (profile.background and defaults.background in BACKGROUNDS):
        raise ValueError(f"The profile {profile.name} takes no such background.")
    if defaults.background == "transparent" and defaults.format is ImageFormat.JPEG:
        raise ValueError("JPEG cannot be transparent.")
    if defaults.compression is None:
        return
    if not profile.compression or not 0 <= defaults.compression <= MAX_COMPRESSION:
        raise ValueError(f"The profile {profile.name} takes no such compression.")


def _unknown(value: str, known: frozenset[str] | None) -> bool:
    return bool(value) and known is not None and value not in known


def _choice(what: str, known: frozenset[str] | frozenset[ImageFormat] | None) -> str:
    if not known:
        return f"This provider cannot be asked for {what}: leave the choice to it."
    return f"This provider makes the {what} {', '.join(sorted(known))}."


def _invalid_size(text: str) -> InvalidSizeError:
    return InvalidSizeError(text, violations=[FieldViolation("size", text)])


def _invalid_format(text: str) -> InvalidFormatError:
    return InvalidFormatError(text, violations=[FieldViolation("format", text)])
