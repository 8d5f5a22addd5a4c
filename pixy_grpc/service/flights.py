"""Work that several calls want at once, done by the first of them (single flight)."""

import threading
from collections.abc import Callable, Hashable
from copy import copy
from typing import Generic, TypeVar

from pixy_grpc.service.allotment import Patience

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class _Flight(Generic[Result]):
    """One run of the work; what it has come to is None until then, or where it failed."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.result: Result | None = None
        self.refusal: Exception | None = None


class Flights(Generic[Key, Result]):
    """Lets whoever comes first do the work, in their own thread, and the others wait."""

    def __init__(self, *refusals: type[Exception]) -> None:
        """Take the errors that lie in the work, whoever does it."""
        self._refusals = refusals
        self._lock = threading.Lock()
        self._flights: dict[Key, _Flight[Result]] = {}

    def joined(self, key: Key, work: Callable[[], Result], patience: Patience) -> Result:
        """Return what the work comes to, done here or by a call that was earlier.

        A refusal of that one is raised here, too. Where it fails otherwise, which may be for
        its deadline, another goes on in its place. Raises what the work and the patience do.
        """
        while True:
            flight, is_first = self._join(key)
            if is_first:
                return self._fly(key, flight, work)
            while not flight.ended.wait(patience.pause_seconds()):
                pass
            if flight.refusal is not None:
                raise copy(flight.refusal)
            if flight.result is not None:
                return flight.result

    def _join(self, key: Key) -> tuple[_Flight[Result], bool]:
        with self._lock:
            if key in self._flights:
                return self._flights[key], False
            self._flights[key] = _Flight()
            return self._flights[key], True

    def _fly(self, key: Key, flight: _Flight[Result], work: Callable[[], Result]) -> Result:
        try:
            flight.result = result = work()
        except self._refusals as error:
            flight.refusal = copy(error)  # without its frames, which hold the flight
            raise
        else:
            return result
        finally:
            with self._lock:
                del self._flights[key]
            flight.ended.set()
