"""Requests that end by a deadline: obstore's own calls would hold their thread for as long
as they like, so all of them run on one event loop, where they can be cancelled.
"""

import asyncio
import atexit
import math
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import cache
from typing import Any, Generic, TypeVar

from pixy_grpc.core.call import Deadline
from pixy_grpc.data.s3.errors import late, translated

SETTLE_SECONDS = 0.5
"""How long the process outlives the last request that was cut off. obstore's threads come to
Python once more for each, within milliseconds where there is a processor: who meets an
interpreter that has ended then ends the process, by a signal, whatever its exit code was."""

_Result = TypeVar("_Result")


class Request(Generic[_Result]):
    """A request that is under way."""

    def __init__(self, work: Coroutine[Any, Any, _Result]) -> None:
        """Begin; it goes on, whoever waits for it, until it ends or is cancelled."""
        self._future: Future[_Result] = asyncio.run_coroutine_threadsafe(work, _loop().events)

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
        if self._future.cancel():
            _loop().cut_at = time.monotonic()


class _Loop:
    """An event loop with a thread of its own.

    It is never closed: obstore's threads may still hand it the end of what was cancelled.
    """

    def __init__(self) -> None:
        self.events = asyncio.new_event_loop()
        self.cut_at = -math.inf
        threading.Thread(target=self.events.run_forever, name="s3", daemon=True).start()
        atexit.register(self._settle)

    def _settle(self) -> None:
        time.sleep(max(0.0, self.cut_at + SETTLE_SECONDS - time.monotonic()))


@cache
def _loop() -> _Loop:
    """Return that of this process, begun with its first request."""
    return _Loop()
