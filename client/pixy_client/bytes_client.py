"""The part of the client that fetches bytes: as a stream, in memory, into a file, as a file."""

import os
from collections.abc import Callable
from typing import TypeVar

from pixy_client.allowance import Allowance
from pixy_client.calls import Reading
from pixy_client.files import Destination, Progress, save
from pixy_client.image_file import ImageFile
from pixy_client.results import Download, ImageBytes
from pixy_client.resuming import ResumingRead
from pixy_client.settings import ClientSettings, check_timeout
from pixy_client.streams import ImageStream
from pixy_client.transport import Transport
from pixy_grpc.core.exceptions import ImageChangedError
from pixy_grpc.core.models import ImageFormat

Result = TypeVar("Result")


def _ignore(_done: int, _total: int) -> None:
    """Tell nobody about progress."""


class BytesClient:
    """Reads images, and renditions of them, over cuts of the connection.

    A read that is cut goes on with the next byte while its timeout lasts, until several
    resumes in a row have brought nothing. With `max_side` (128, 256, 512 or 1024) or a
    `format` the bytes are those of a rendition, and `image` describes them.
    """

    def __init__(self, settings: ClientSettings, transport: Transport) -> None:
        self.settings = settings
        self._transport = transport

    def stream(
        self,
        guid: str,
        offset: int = 0,
        limit: int = 0,
        *,
        max_side: int = 0,
        format: ImageFormat | str | None = None,  # noqa: A002 - the contract's name
        timeout: float | None = None,
    ) -> ImageStream:
        """Return an image whose bytes are to be iterated; a limit of 0 means all of them.

        The timeout is that of the whole stream. No more is taken than is expected, 256 MiB
        of an unknown size (see `limit_bytes`). Raises ImageChangedError where a resume
        finds other bytes than it began with.
        """
        reading = Reading(guid, offset, limit, max_side, format)
        return self._begin(reading, self._allowance(timeout))

    def read(  # noqa: PLR0913 - the fields of the request
        self,
        guid: str,
        offset: int = 0,
        limit: int = 0,
        *,
        max_side: int = 0,
        format: ImageFormat | str | None = None,  # noqa: A002 - the contract's name
        max_bytes: int | None = None,
        timeout: float | None = None,
    ) -> ImageBytes:
        """Return the bytes of an image, or a range of them; a limit of 0 means all.

        Raises AnswerTooLargeError past `max_bytes`, by default 256 MiB of an unknown size.
        """

        def take(stream: ImageStream) -> ImageBytes:
            stream.limit_bytes(max_bytes)
            data = b"".join(stream)
            return ImageBytes(stream.image, data, offset, stream.verified)

        return self._take(Reading(guid, offset, limit, max_side, format), timeout, take)

    def download(  # noqa: PLR0913 - the fields of the request, and where to
        self,
        guid: str,
        path: str | os.PathLike[str],
        *,
        max_side: int = 0,
        format: ImageFormat | str | None = None,  # noqa: A002 - the contract's name
        progress: Progress = _ignore,
        max_bytes: int | None = None,
        timeout: float | None = None,
    ) -> Download:
        """Write an image to a file, or to a new file in a folder, once it is verified.

        In a folder the image's filename is a label: only a plain name is made of it, with
        the side of a rendition (`fox-256.png`), and no file is replaced. On any failure
        nothing is left and nothing has changed. `max_bytes` is as in `read`. Raises OSError
        for what the file system refuses.
        """
        destination = Destination.at(path, max_side if max_side or format else None)

        def take(stream: ImageStream) -> Download:
            stream.limit_bytes(max_bytes)
            return save(stream, destination, progress)

        return self._take(Reading(guid, 0, 0, max_side, format), timeout, take)

    def open(
        self,
        guid: str,
        *,
        max_side: int = 0,
        format: ImageFormat | str | None = None,  # noqa: A002 - the contract's name
        timeout: float | None = None,
    ) -> ImageFile:
        """Return an image as a binary file to read and to seek in, to be closed.

        The timeout is how long it waits for its next bytes, by default that of any call;
        the file may stay open for longer. One without a sum (see ImageFile) has no more
        time than that from its beginning to its end.
        """
        seconds = self.settings.timeout_seconds if timeout is None else check_timeout(timeout)

        def open_at(offset: int, sha256: str) -> ImageStream:
            reading = Reading(guid, offset, 0, max_side, format, sha256)
            return self._begin(reading, Allowance(seconds))

        return ImageFile(open_at)

    def _take(
        self, reading: Reading, timeout: float | None, take: Callable[[ImageStream], Result]
    ) -> Result:
        """Take a stream whole; once, where its bytes change meanwhile, begin anew."""
        allowance = self._allowance(timeout)
        try:
            with self._begin(reading, allowance) as stream:
                return take(stream)
        except ImageChangedError:
            with self._begin(reading, allowance) as stream:
                return take(stream)

    def _begin(self, reading: Reading, allowance: Allowance) -> ImageStream:
        parts = ResumingRead(self._transport, reading, allowance).parts()
        return ImageStream(parts, reading.guid, reading.offset, reading.limit)

    def _allowance(self, timeout: float | None) -> Allowance:
        usual = self.settings.download_timeout_seconds
        return Allowance(usual if timeout is None else check_timeout(timeout))
