"""Creations that are told of while they run: made in one thread, told by another."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextvars import copy_context

import grpc

from pixy_grpc.core.progress import Progress
from pixy_grpc.service.creation import CreatedImage
from pixy_grpc.web import conversion as to
from pixy_grpc.web.interceptors.errors import log_error
from pixy_grpc.web.mailbox import Mailbox, Response
from pixy_grpc.web.pace import Pace
from pixy_grpc.web.threads import Threads

Create = Callable[[Progress], CreatedImage]


class Narration:
    """Runs creations in threads of its own, one for each place that they may hold.

    The thread of the RPC tells, and stays until the creation has ended, whoever still
    reads: by then the place is free, the call is logged and its error is known.
    """

    def __init__(self, threads: int, pace: Pace) -> None:
        self._pool = Threads(threads, "narrated")
        self._pace = pace

    def open(self) -> None:
        """Have a first thread. Raises RuntimeError."""
        self._pool.begin()

    def told(
        self, create: Create, partial_images: int, context: grpc.ServicerContext
    ) -> Iterator[Response]:
        """Yield what a creation tells, then what it has made; raise what it raises.

        The creation waits for no reader: one who stalls is cut, and it goes on.
        """
        mailbox = Mailbox(partial_images)
        running = self._pool.submit(copy_context().run, create, mailbox)
        running.add_done_callback(lambda _: mailbox.end())
        if not context.add_callback(mailbox.abandon):
            mailbox.abandon()
        try:
            yield from self._pace.followed(_responses(mailbox, running), context)
        except GeneratorExit:  # nobody reads on
            if error := running.exception():
                log_error(error)
            raise
        finally:
            del running  # see _responses

    def close(self) -> None:
        """Let the threads end once they are done."""
        self._pool.shutdown(wait=False)


def _responses(mailbox: Mailbox, running: "Future[CreatedImage]") -> Iterator[Response]:
    yield from mailbox
    try:
        yield to.created(running.result())
    finally:
        # Its error holds this frame. Held by the frame in turn, it would keep the call, and
        # the stream of its connection, until the garbage is collected.
        del running
