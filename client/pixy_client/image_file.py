"""An image as a file: its bytes are fetched as they are read, and again only after a seek."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import BinaryIO

from pixy_client.errors import DeadlineExceededError
from pixy_client.resuming import may_resume
from pixy_client.streams import ImageStream
from pixy_client.verification import check_unchanged
from pixy_grpc.core.exceptions import ImageChangedError, ImageException

OpenStream = Callable[[int, str], ImageStream]
"""Begins a stream at an offset, of the bytes with that SHA-256; empty means any."""


class ImageFile(io.BufferedIOBase, BinaryIO):
    """A binary file to read, as PIL.Image.open, zipfile and shutil.copyfileobj take it.

    Read in order it is one stream, gone on with where it was cut; a seek to bytes that are
    not at hand begins another one with the next read. At most one message (1 MiB) is
    kept. The service has held every byte to its block's digest before it sends it, and
    the last ones of a file that was read in order are handed out once the whole has its
    SHA-256: `verified` tells. All streams are of the same bytes: an image without a sum (an
    older one) is one stream, read in order.

    Reading raises ImageException as any call does, ImageChangedError where the bytes have
    become others, and leaves the position where it was. One thread at a time.
    """

    def __init__(self, open_stream: OpenStream) -> None:
        self._open_stream = open_stream
        self._stream: ImageStream | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._chunk = b""
        self._chunk_at = 0
        self._position = 0
        self.verified = False
        stream = self._use(open_stream(0, ""))
        self.image = stream.image
        self.size = stream.expected_bytes
        """How many bytes there are, None where the service does not know."""

    @property
    def name(self) -> str:
        """The filename of the image: a label, under which nothing need be found here."""
        return self.image.filename

    @property
    def mode(self) -> str:
        """How it was opened."""
        return "rb"

    def readable(self) -> bool:
        """Tell that it is there to be read."""
        return True

    def seekable(self) -> bool:
        """Tell whether its size and its sum are known."""
        return self.size is not None and bool(self.image.sha256)

    def tell(self) -> int:
        """Return the offset of the next byte."""
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go elsewhere, past the end too; nothing is fetched before the next read."""
        self._check_open()
        if self.size is None or not self.image.sha256:
            raise io.UnsupportedOperation("The image has no sum by which to find it again.")
        origins = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}
        if whence not in origins or origins[whence] + offset < 0:
            raise ValueError("There is no such position in a file.")
        self._position = origins[whence] + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Return so many bytes, fewer only at the end; all that are left by default."""
        self._check_open()
        left = size if size is not None and size >= 0 else None
        at, pieces = self._position, []
        while left is None or left > 0:
            piece = self._piece(at)[:left]
            if not piece:
                break
            pieces.append(bytes(piece))
            at += len(piece)
            left = None if left is None else left - len(piece)
        self._position = at
        return b"".join(pieces)

    def read1(self, size: int = -1, /) -> bytes:
        """Return what one message has brought, at most so many bytes."""
        self._check_open()
        piece = bytes(self._piece(self._position)[: size if size >= 0 else None])
        self._position += len(piece)
        return piece

    def close(self) -> None:
        """End the call that is running, if one is. Closing twice is no error."""
        self._drop()
        super().close()

    def _piece(self, at: int) -> memoryview:
        """Return bytes from an offset on, one at least; none at the end."""
        while not 0 <= at - self._chunk_at < len(self._chunk):
            if self.size is not None and at >= self.size:
                return memoryview(b"")
            self._chunk, self._chunk_at = self._fetch(at), at
            if not self._chunk:  # the end of what nobody knew the size of
                self.size = at
        return memoryview(self._chunk)[at - self._chunk_at :]

    def _fetch(self, at: int) -> bytes:
        """Return the message at an offset; a stream that fails is read no further."""
        with ExitStack() as undo:
            undo.callback(self._drop)
            chunk = self._go_on(at)
            undo.pop_all()
        return chunk

    def _go_on(self, at: int) -> bytes:
        """Return the next message of the stream that is there, or the first of another one.

        A stream that was left alone until its time was up is no failure.
        """
        if self._stream and at == self._chunk_at + len(self._chunk):
            try:
                return self._next(self._stream)
            except ImageException as exc:
                if not (may_resume(exc) or isinstance(exc, DeadlineExceededError)):
                    raise
        return self._next(self._reopen(at))

    def _next(self, stream: ImageStream) -> bytes:
        """Return the next message; the last one after its end has been checked."""
        chunk = next(filter(None, self._chunks), b"")
        if stream.received_bytes == stream.expected_bytes:
            for _ in self._chunks:  # none comes: what is too much is an error
                pass
            self.verified |= stream.verified
        return chunk

    def _reopen(self, at: int) -> ImageStream:
        self._drop()
        if at and not self.image.sha256:
            raise ImageChangedError("The image has no sum to go on by: begin anew.")
        stream = self._use(self._open_stream(at, self.image.sha256))
        check_unchanged(stream.image, self.image)
        return stream

    def _use(self, stream: ImageStream) -> ImageStream:
        self._stream, self._chunks = stream, iter(stream)
        return stream

    def _drop(self) -> None:
        if self._stream:
            self._stream.close()
        self._stream = None

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on a closed file.")
