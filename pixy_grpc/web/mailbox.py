"""What a creation has told, until its caller is sent it: bounded, and nobody's to wait for."""

import threading
from collections.abc import Iterator

from pixy_grpc.core.progress import MAX_PARTIAL_IMAGES
from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.web import conversion as to

Response = pb.CreateImageStreamResponse


class Mailbox:
    """A Progress that keeps what it hears for one reader, in the order it was told.

    What is small is all kept, there being one of each; of unfinished images the newest.
    """

    def __init__(self, partial_images: int) -> None:
        """Take how many unfinished images the caller wants, any number."""
        self.partial_images = min(max(partial_images, 0), MAX_PARTIAL_IMAGES)
        self._unsent: list[Response] = []
        self._is_accepted = False
        self._partials = 0
        self._is_over = False
        self._changed = threading.Condition()

    def accepted(self, *, waiting: bool) -> None:
        """Keep the first."""
        with self._changed:
            if not self._is_accepted:
                self._is_accepted = True
                self._post(to.accepted(waiting=waiting))

    def generating(self, generator: str) -> None:
        """Keep it."""
        with self._changed:
            self._post(to.generating(generator))

    def partial(self, data: bytes, content_type: str) -> None:
        """Keep it in place of an older one that is not sent yet."""
        with self._changed:
            self._unsent = [each for each in self._unsent if not each.HasField("partial_image")]
            self._post(to.partial_image(self._partials, data, content_type))
            self._partials += 1

    def stored(self, size_bytes: int) -> None:
        """Keep it."""
        with self._changed:
            self._post(to.stored(size_bytes))

    def end(self) -> None:
        """Let the reader go once it has taken what is left."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Keep nothing more, nor what is left: there is no reader. Does not block."""
        with self._changed:
            self._unsent.clear()
            self._is_over = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Response]:
        while response := self._next():
            yield response

    def _post(self, response: Response) -> None:
        if not self._is_over:
            self._unsent.append(response)
            self._changed.notify_all()

    def _next(self) -> Response | None:
        with self._changed:
            self._changed.wait_for(lambda: self._unsent or self._is_over)
            return self._unsent.pop(0) if self._unsent else None
