"""Reads the next block of a download while the one before it is sent."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context


class ReadAhead:
    """Takes from an iterator in another thread, one step ahead of whoever reads.

    It begins at once, and at most one block waits. Errors come in their place. `close`
    returns once nothing is at work on the iterator any more.
    """

    def __init__(self, blocks: Iterator[bytes], threads: ThreadPoolExecutor) -> None:
        self._blocks = blocks
        self._threads = threads
        self._context = copy_context()
        self._pending = self._begin()

    def __iter__(self) -> Iterator[bytes]:
        while (block := self._pending.result()) is not None:
            self._pending = self._begin()
            yield block

    def close(self) -> None:
        """Read no further."""
        if not self._pending.cancel():
            wait([self._pending])

    def _begin(self) -> "Future[bytes | None]":
        return self._threads.submit(self._context.run, self._next)

    def _next(self) -> bytes | None:
        return next(self._blocks, None)
