"""The synchronous client: one method per use of the service."""

from collections.abc import Generator, Iterator
from datetime import datetime
from typing import Self
from uuid import UUID

from pixy_client import calls
from pixy_client.bytes_client import BytesClient
from pixy_client.creating import FollowedCreation
from pixy_client.paging import follow
from pixy_client.results import Creation, CreationEvent, ImagePage
from pixy_client.settings import (
    DEFAULT_CREATE_TIMEOUT_SECONDS,
    DEFAULT_DOWNLOAD_TIMEOUT_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    ClientSettings,
)
from pixy_client.transport import Transport
from pixy_grpc.core.models import Image, ImageFormat


class Client(BytesClient):
    """A client of one server; threads may share it, `with` closes it.

    What is not given comes from the environment (see ClientSettings.from_environment),
    which is read here and never again; nothing connects before the first call. Every
    method takes a `timeout` in seconds in place of the client's own, and may raise any
    ImageException: those of the contract, and those of pixy_client.errors.
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        token: str | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        create_timeout: float = DEFAULT_CREATE_TIMEOUT_SECONDS,
        download_timeout: float = DEFAULT_DOWNLOAD_TIMEOUT_SECONDS,
        insecure: bool = False,
    ) -> None:
        settings = ClientSettings.from_environment(
            target=target,
            token=token,
            timeout_seconds=timeout,
            create_timeout_seconds=create_timeout,
            download_timeout_seconds=download_timeout,
            insecure=insecure,
        )
        super().__init__(settings, Transport(settings))

    @classmethod
    def from_settings(cls, settings: ClientSettings) -> Self:
        """Return a client with settings made elsewhere."""
        client = cls.__new__(cls)
        BytesClient.__init__(client, settings, Transport(settings))
        return client

    def create(  # noqa: PLR0913 - the fields of the request
        self,
        prompt: str,
        *,
        filename: str | None = None,
        size: str = "",
        quality: str = "",
        format: ImageFormat | str | None = None,  # noqa: A002 - the contract's name
        request_id: str | UUID | None = None,
        timeout: float | None = None,
    ) -> Creation:
        """Make an image, once, however often it is asked for with one request id.

        Without a request id the client makes one. It is in the result, and in every
        exception as `request_id`: call again with it to get the image, not a second one.
        """
        call = calls.create(
            prompt,
            filename=filename,
            size=size,
            quality=quality,
            format=format,
            request_id=request_id,
        )
        return self._transport.call(call, timeout)

    def create_stream(  # noqa: PLR0913 - the fields of the request
        self,
        prompt: str,
        *,
        filename: str | None = None,
        size: str = "",
        quality: str = "",
        format: ImageFormat | str | None = None,  # noqa: A002 - the contract's name
        partial_images: int = 0,
        request_id: str | UUID | None = None,
        timeout: float | None = None,
    ) -> Generator[CreationEvent, None, None]:
        """Make an image as `create` does; yield how far it has come, and last the Creation.

        Up to 3 unfinished images are shown where they are wanted, the generator makes
        them and the service allows what they cost. A connection that is cut is made anew
        within the timeout, with the same request id. Nothing is sent before the first
        event is asked for. Whoever closes the generator later on hears no more; what was
        asked for is made all the same.
        """
        creation = calls.create(
            prompt,
            filename=filename,
            size=size,
            quality=quality,
            format=format,
            request_id=request_id,
        )
        calls.create_stream(creation, partial_images)
        seconds = self.settings.create_timeout_seconds if timeout is None else timeout
        return FollowedCreation(self._transport, creation, partial_images, seconds).events()

    def get(self, guid: str, *, timeout: float | None = None) -> Image:
        """Return what is known about one image."""
        return self._transport.call(calls.get(guid), timeout)

    def list(
        self,
        *,
        prompt: str = "",
        filename: str = "",
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[Image]:
        """Yield every image that meets the filters, newest first, asking page by page.

        `prompt` holds words that start words of it, `filename` is how it starts;
        `created_after` is the first moment that counts, `created_before` the first that
        does not, in UTC where they name no zone. The timeout is that of each page. An
        endless list is an UnreadableAnswerError.
        """
        listing = calls.Listing(prompt, filename, created_after, created_before, page_size)
        return follow(lambda token: self._transport.call(calls.list_page(listing, token), timeout))

    def list_page(  # noqa: PLR0913 - the fields of the request
        self,
        *,
        prompt: str = "",
        filename: str = "",
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        page_size: int = 0,
        page_token: str = "",
        timeout: float | None = None,
    ) -> ImagePage:
        """Return one page, by the filters of `list`; it may be short or empty and still
        have a next one, which `next_page_token` asks for with the same filters.
        """
        listing = calls.Listing(prompt, filename, created_after, created_before, page_size)
        return self._transport.call(calls.list_page(listing, page_token), timeout)

    def update(
        self,
        guid: str,
        *,
        filename: str | None = None,
        prompt: str | None = None,
        timeout: float | None = None,
    ) -> Image:
        """Change the filename or the prompt of an image; None leaves it as it is."""
        return self._transport.call(calls.update(guid, filename, prompt), timeout)

    def delete(
        self, guid: str, *, allow_missing: bool = False, timeout: float | None = None
    ) -> None:
        """Remove an image, its details and its bytes."""
        self._transport.call(calls.delete(guid, allow_missing=allow_missing), timeout)

    def close(self) -> None:
        """Close the connection; calls that run or come end with CallCancelledError."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
