"""Whether this process has seen the database long enough to take others for gone."""

import threading

from pixy_grpc.service.creation.limits import CreationLimits

RENEWALS_A_LEASE = 3
"""So that one that fails, or is late, does not cost the lease."""

_LOOKS_MISSED = 2
"""So many looks late, this process slept, or could not look: others may have done so too."""


class Sight:
    """How long the looks of this process at the database have followed each other.

    A lease ends where its owner is gone, but also where nobody could renew it: in an
    outage of the database, on a machine that was suspended. Whoever lived through that
    leaves the owner a lease, and the skew, to come back in. Times are milliseconds since
    1970, as leases end by them. A process begins with what it has heard of nobody.
    """

    def __init__(self, limits: CreationLimits) -> None:
        self._patience = limits.lease_ms + limits.skew_ms
        self._gap = limits.lease_ms * _LOOKS_MISSED // RENEWALS_A_LEASE
        self._lock = threading.Lock()
        self._since: int | None = 0
        self._last: int | None = None

    def saw(self, now_ms: int) -> None:
        """Note that the database has answered."""
        with self._lock:
            if self._since is None or not self._follows(now_ms):
                self._since = now_ms
            self._last = now_ms

    def missed(self) -> None:
        """Note that it has not."""
        with self._lock:
            self._since = None

    def is_clear(self, now_ms: int) -> bool:
        """Tell whether owners whose leases have ended could have renewed them."""
        with self._lock:
            if self._since is None or not self._follows(now_ms):
                return False
            return now_ms - self._since >= self._patience

    def _follows(self, now_ms: int) -> bool:
        return self._last is None or 0 <= now_ms - self._last <= self._gap
