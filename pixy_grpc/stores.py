"""The store of bytes that the settings name."""

import importlib.util
from pathlib import Path
from typing import Protocol

from pixy_grpc.core.ports import ImageStore
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.s3.address import (
    SCHEME,
    BucketAccess,
    Credentials,
    endpoint_host,
    parse_address,
)
from pixy_grpc.settings import Settings, SettingsError, is_loopback

DEFAULT_REGION = "us-east-1"
"""What Amazon's tools take where none is named; other stores do not care."""


class PairedStore(ImageStore, Protocol):
    """A store that carries the id of the database it belongs to."""

    def prepare(self) -> str | None:
        """Return the id it carries, if any."""

    def found_id(self) -> str | None:
        """Return the same, and make nothing that is not there."""

    def mark(self, store_id: str) -> None:
        """Give it that id."""


def open_store(settings: Settings, store_id: str = "") -> PairedStore:
    """Return the store, which has to carry that id; it is not connected until it is used.

    Raises SettingsError with one line on what is wrong.
    """
    if not settings.images.startswith(SCHEME):
        return FolderStore(Path(settings.images), store_id)
    access = _access(settings)
    if importlib.util.find_spec("obstore") is None:
        raise SettingsError(
            "PIXY_IMAGES=s3://... needs the package obstore: run 'make setup', or install"
            " the extra s3 beside the server"
        )
    from pixy_grpc.data.s3.store import S3Store  # noqa: PLC0415 - obstore is an extra

    return S3Store(access, store_id)


def _access(settings: Settings) -> BucketAccess:
    _require(settings)
    return BucketAccess(
        address=parse_address(settings.images),
        credentials=Credentials(
            settings.aws_access_key_id,
            settings.aws_secret_access_key,
            settings.aws_session_token,
        ),
        region=settings.aws_region or settings.aws_default_region or DEFAULT_REGION,
        endpoint=settings.aws_endpoint_url,
    )


def _require(settings: Settings) -> None:
    """Raise what keeps keys from being used, or from being kept secret."""
    needed = {
        "AWS_ACCESS_KEY_ID": settings.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": settings.aws_secret_access_key,
    }
    for name, value in needed.items():
        if not value:
            raise SettingsError(f"PIXY_IMAGES=s3://... needs {name}")
    if settings.aws_endpoint_url:
        _require_safe(settings)


def _require_safe(settings: Settings) -> None:
    try:
        host = endpoint_host(settings.aws_endpoint_url)
    except ValueError as error:
        raise SettingsError(f"AWS_ENDPOINT_URL {error}") from error
    is_clear = settings.aws_endpoint_url.startswith("http://")
    if is_clear and not settings.insecure and not is_loopback(host):
        raise SettingsError(
            "AWS_ENDPOINT_URL is http, where images would travel in the clear: set"
            " PIXY_INSECURE=1 if something else protects them"
        )
