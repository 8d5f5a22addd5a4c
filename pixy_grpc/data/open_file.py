"""A file that is open for reading."""

import io
import os

from pixy_grpc.data.folder_errors import translate
from pixy_grpc.data.folder_walk import moment


class OpenFile:
    """StoredBytes of an open file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self.size_bytes = status.st_size
        self.modified_at = moment(status.st_mtime)

    def read(self, offset: int, length: int, head: bytes = b"") -> bytes:
        """Read without moving a position; a short read is continued to the end.

        The head takes the place of the bytes before, which are read along to make room for
        it: to join the two would copy both. BytesIO copies neither on the way in nor out.
        """
        room = len(head)
        if offset < room:
            return head + self._read(offset, length)
        whole = io.BytesIO(self._read(offset - room, room + length))
        with whole.getbuffer() as view:
            if len(view) < room:  # the file has become shorter than the offset
                return head
            view[:room] = head
        return whole.getvalue()

    def _read(self, offset: int, length: int) -> bytes:
        try:
            data = os.pread(self._descriptor, length, offset)
            while 0 < len(data) < length:
                more = os.pread(self._descriptor, length - len(data), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise translate(error) from error
        return data
