"""The generator that the settings name, made of what they say about it."""

import importlib.util
import ssl
from urllib.parse import urlsplit

from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import ImageGenerator
from pixy_grpc.service.generators.openai import (
    COMPATIBLE,
    OPENAI,
    OPENAI_BASE_URL,
    PROFILES,
    Defaults,
    Endpoint,
    Limits,
    OpenAIGenerator,
    Profile,
)
from pixy_grpc.service.generators.sketch import SketchGenerator
from pixy_grpc.settings import Settings, SettingsError, is_loopback


def check_generator(settings: Settings) -> None:
    """Raise SettingsError, with one line, where `open_generator` would."""
    _made(settings)


def open_generator(settings: Settings) -> ImageGenerator:
    """Return the generator, ready at once; it connects to nobody until it is used.

    Raises SettingsError with one line on what is wrong.
    """
    generator = _made(settings)
    if isinstance(generator, OpenAIGenerator):
        generator.load()
    return generator


def _made(settings: Settings) -> SketchGenerator | OpenAIGenerator:
    if settings.generator == "sketch":
        return SketchGenerator()
    _require(settings)
    try:
        return OpenAIGenerator(_endpoint(settings), _defaults(settings), _limits(settings))
    except ValueError as error:
        raise SettingsError(f"PIXY_GENERATOR=openai: {error}") from error


def _require(settings: Settings) -> None:
    """Raise what keeps a key from being used, or from being kept secret."""
    if importlib.util.find_spec("openai") is None:
        raise SettingsError(
            "PIXY_GENERATOR=openai needs the package openai: run 'make setup', or install"
            " the extra openai beside the server"
        )
    needed = {"PIXY_OPENAI_MODEL": settings.openai_model, "OPENAI_API_KEY": settings.openai_api_key}
    for name, value in needed.items():
        if not value:
            raise SettingsError(f"PIXY_GENERATOR=openai needs {name}")
    url = urlsplit(settings.openai_base_url)
    if url.scheme == "http" and not settings.insecure and not is_loopback(url.hostname or ""):
        raise SettingsError(
            "OPENAI_BASE_URL is http, where the key would travel in the clear: set"
            " PIXY_INSECURE=1 if something else protects it"
        )
    _require_authorities(settings.openai_ca_file)


def _require_authorities(ca_file: str) -> None:
    try:
        ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise SettingsError(
            f"PIXY_OPENAI_CA_FILE: {ca_file} cannot be used: {error.strerror or error}"
        ) from error


def _endpoint(settings: Settings) -> Endpoint:
    return Endpoint(
        model=settings.openai_model,
        api_key=settings.openai_api_key,
        base_url=settings.openai_base_url or OPENAI_BASE_URL,
        profile=_profile(settings),
        organization=settings.openai_organization,
        project=settings.openai_project,
        ca_file=settings.openai_ca_file,
        image_hosts=settings.openai_image_hosts,
    )


def _profile(settings: Settings) -> Profile:
    """Return the profile that is named, or what most endpoints at such a place understand."""
    if settings.openai_profile:
        return PROFILES[settings.openai_profile]
    is_other = settings.openai_base_url.rstrip("/") not in ("", OPENAI_BASE_URL)
    return COMPATIBLE if is_other else OPENAI


def _defaults(settings: Settings) -> Defaults:
    return Defaults(
        size=settings.openai_size,
        quality=settings.openai_quality,
        format=ImageFormat(settings.openai_format) if settings.openai_format else None,
        background=settings.openai_background,
        compression=settings.openai_compression,
    )


def _limits(settings: Settings) -> Limits:
    """Let as many connections stand as creations may run: none waits for another's."""
    return Limits(
        cap_seconds=settings.openai_seconds,
        least_seconds=min(Limits.least_seconds, settings.openai_seconds / 10),
        connections=settings.max_creates,
        max_partial_images=settings.openai_partial_images,
    )
