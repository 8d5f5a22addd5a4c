"""grpc.health.v1: the truth about the database and the store."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pixy_grpc.core.call import Deadline
from pixy_grpc.web.interceptors.base import Handler
from pixy_grpc.web.watchdog import Watchdog

CHECK_SECONDS = 1.0
"""How often database and store are asked."""

ANSWER_SECONDS = 2.0
"""How long they may take over it; with CHECK_SECONDS, a loss shows within 5 s."""

FRESH_SECONDS = 4.0
"""How long an answer counts: what hangs (a folder of a dead file server) gives none, not
even an error."""

LOOK_SECONDS = 0.5
"""How often a Watch looks by itself; changes wake it at once."""

WATCH_GRACE_SECONDS = 10.0
"""What a Watch may take to end beyond its time, before it is cut."""

WATCH_SECONDS = 600.0
"""How long one Watch may last; the client then watches anew."""

SERVICES = frozenset({"", "pixy.v1.ImageService"})
"""What may be asked for: the server as a whole, or its service."""

Ping = Callable[[Deadline], None]

_NEVER = -math.inf
_log = logging.getLogger(__name__)


class Health:
    """The state that is answered, and a thread that keeps it true."""

    def __init__(self, pings: Mapping[str, Ping]) -> None:
        """Take what to ask, by what it is called in the log."""
        self._pings = pings
        self._draining = False
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._watch, args=[name], name=f"pixy-health-{name}", daemon=True
            )
            for name in pings
        ]
        self._answered = dict.fromkeys(pings, _NEVER)
        self._asked: set[str] = set()

    def start(self) -> None:
        """Ask, again and again, in threads of its own: one that hangs holds no other.

        Returns once all have answered, or have had the time to.
        """
        for thread in self._threads:
            thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._asked >= set(self._pings), ANSWER_SECONDS)

    def drain(self) -> None:
        """Say NOT_SERVING from now on, and end every Watch with it."""
        with self._changed:
            self._draining = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Stop asking."""
        self.drain()
        self._stopped.set()
        for thread in self._threads:
            thread.join(ANSWER_SECONDS)

    @property
    def serving(self) -> bool:
        """Whether everything answers, and the server is not about to stop."""
        oldest = time.monotonic() - FRESH_SECONDS
        return not self._draining and min(self._answered.values()) > oldest

    def changes(self, context: grpc.ServicerContext, seconds: float) -> Iterator[bool]:
        """Yield whether it is serving, and each change of that, for so long at most.

        Ends with the NOT_SERVING of a stop: a Watch that went on would hold up the stop
        for the whole grace.
        """
        context.add_callback(self._wake)
        until = time.monotonic() + seconds
        shown = not self.serving
        while context.is_active() and time.monotonic() < until:
            last = self._draining  # looked at first, so that what is said last is the stop
            serving = self.serving
            if serving != shown:
                shown = serving
                yield serving
            if last:
                return
            with self._changed:
                if self.serving == shown and not self._draining and context.is_active():
                    self._changed.wait(LOOK_SECONDS)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _watch(self, name: str) -> None:
        while not self._stopped.is_set():
            self._note(name, self._answer(name))
            self._stopped.wait(CHECK_SECONDS)

    def _answer(self, name: str) -> bool:
        """Tell whether a ping answers; whatever it raises, it does not, and is asked again."""
        try:
            self._pings[name](Deadline.after(ANSWER_SECONDS))
        except BaseException as error:  # noqa: BLE001 - the thread's outermost loop
            if self._answered[name] > _NEVER:
                _log.warning("no answer from=%s error=%s cause=%s", name, error, error.__cause__)
            return False
        return True

    def _note(self, name: str, answered: bool) -> None:
        with self._changed:
            changed = (self._answered[name] > _NEVER) != answered
            self._answered[name] = time.monotonic() if answered else _NEVER
            self._asked.add(name)
            self._changed.notify_all()
        if changed:
            level = logging.INFO if answered else logging.WARNING
            _log.log(level, "health of=%s answers=%s", name, answered)


class HealthServicer(health_pb2_grpc.HealthServicer):
    """Check, List and Watch."""

    def __init__(
        self, health: Health, watchdog: Watchdog, watch_seconds: float = WATCH_SECONDS
    ) -> None:
        self._health = health
        self._watchdog = watchdog
        self._watch_seconds = watch_seconds

    def Check(  # noqa: N802 - the protocol's name
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """Return the status; NOT_FOUND for a service that is not here, as the protocol says."""
        if request.service not in SERVICES:
            context.set_code(grpc.StatusCode.NOT_FOUND)
            context.set_details("There is no such service.")
            return health_pb2.HealthCheckResponse()
        return _response(serving=self._health.serving)

    def List(self, request: object, context: grpc.ServicerContext) -> object:  # noqa: N802
        """Return the status of every service."""
        del request, context
        statuses = dict.fromkeys(SERVICES, _response(serving=self._health.serving))
        make = getattr(health_pb2, "HealthListResponse")  # noqa: B009 - missing in the stubs
        return make(statuses=statuses)

    def Watch(  # noqa: N802 - the protocol's name
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> Iterator[health_pb2.HealthCheckResponse]:
        """Stream the status whenever it changes; SERVICE_UNKNOWN as the protocol says.

        A client that reads nothing, so that not even an end is taken, is cut.
        """
        limit = self._watch_seconds + WATCH_GRACE_SECONDS
        with self._watchdog.limit(limit, context.cancel):
            for serving in self._health.changes(context, self._watch_seconds):
                yield _response(serving=serving) if request.service in SERVICES else _unknown()


def unread_check(health: Health, watchdog: Watchdog, seconds: float) -> Handler:
    """Return a Check that answers for the server as a whole, whatever it is asked.

    It waits for no message, and holds no thread until its answer is taken: nobody who has
    no token can keep a probe from its answer. What is not taken within that time is cut: it
    holds memory, and no place that would keep it to a number.
    """

    def check(
        _requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        limit = watchdog.begin(seconds, context.cancel)
        if not context.add_callback(lambda: watchdog.end(limit)):
            watchdog.end(limit)
        return _response(serving=health.serving)

    encode = health_pb2.HealthCheckResponse.SerializeToString
    return grpc.stream_unary_rpc_method_handler(check, None, encode)


def _response(*, serving: bool) -> health_pb2.HealthCheckResponse:
    statuses = health_pb2.HealthCheckResponse
    return statuses(status=statuses.SERVING if serving else statuses.NOT_SERVING)


def _unknown() -> health_pb2.HealthCheckResponse:
    statuses = health_pb2.HealthCheckResponse
    return statuses(status=statuses.SERVICE_UNKNOWN)
