"""Requests that end by a deadline: obstore's own calls would hold their thread for as long
as they like, so all of them run on one event loop, where they can be cancelled.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import cache
from typing import Any, Generic, TypeVar

from pixy_grpc.core.call import Deadline
from pixy_grpc.data.s3.errors import late, translated

_Result = TypeVar("_Result")


class Request(Generic[_Result]):
    """A request that is under way."""

    def __init__(self, work: Coroutine[Any, Any, _Result]) -> None:
        """Begin; it goes on, whoever waits for it, until it ends or is cancelled."""
        self._future: Future[_Result] = asyncio.run_coroutine_threadsafe(work, _event_loop())

    def result(self, deadline: Deadline) -> _Result:
        """Wait for its end, by the deadline: then it is cancelled, its connection cut.

        Raises what `translated` makes of obstore's errors, and that of a deadline.
        """
        try:
            with translated():
                return self._future.result(deadline.remaining())
        except TimeoutError as error:
            self.cancel()
            raise late(deadline) from error

    def cancel(self) -> None:
        """Cut it off; nothing happens where it has ended."""
        self._future.cancel()


@cache
def _event_loop() -> asyncio.AbstractEventLoop:
    """Return this process's loop, with a thread of its own from the first request on.

    It is never closed: obstore's threads may still hand it the end of what was cancelled.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="s3", daemon=True).start()
    return loop
