"""How health asks what it answers for."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from pixy_grpc.core.call import Deadline
from pixy_grpc.web.health import ANSWER_SECONDS, CHECK_SECONDS, Health

BOUND_SECONDS = 5.0
"""Within which a loss and a return show."""


@contextmanager
def _started(pings: Mapping[str, Callable[[Deadline], None]]) -> Iterator[Health]:
    health = Health(pings)
    health.start()
    try:
        yield health
    finally:
        health.stop()


def test_ping_has_a_deadline_that_shows_its_loss_in_time() -> None:
    """With the time until it is asked again: one that hangs is asked anew within the bound."""
    deadlines: list[Deadline] = []

    with _started({"database": deadlines.append}):
        assert CHECK_SECONDS + deadlines[0].remaining() < BOUND_SECONDS - 1


def test_start_returns_once_all_have_answered() -> None:
    """As soon as the last one does."""
    began = time.monotonic()

    def take_a_while(_: Deadline) -> None:
        threading.Event().wait(0.1)

    with _started({"database": lambda _: None, "store": take_a_while}) as health:
        assert time.monotonic() - began < ANSWER_SECONDS
        assert health.serving


def test_ping_that_raised_anything_is_asked_again() -> None:
    """Nothing ends the asking: it would be NOT_SERVING for good."""
    pings = {error: _Raising(error) for error in (RuntimeError, SystemExit, KeyboardInterrupt)}

    with _started({error.__name__: ping for error, ping in pings.items()}) as health:
        assert not health.serving

        assert all(ping.asked_again.wait(BOUND_SECONDS) for ping in pings.values())


class _Raising:
    """Raises an error the first time."""

    def __init__(self, error: type[BaseException]) -> None:
        self._errors = [error()]
        self.asked_again = threading.Event()

    def __call__(self, _: Deadline) -> None:
        if self._errors:
            raise self._errors.pop()
        self.asked_again.set()


def test_ping_that_hangs_holds_up_no_other() -> None:
    """Each is asked in a thread of its own."""
    asked, waited = threading.Event(), list[bool]()

    def hang(_: Deadline) -> None:
        waited.append(asked.wait(BOUND_SECONDS))

    with _started({"store": hang, "database": lambda _: asked.set()}) as health:
        assert waited[0]
        assert health.serving
