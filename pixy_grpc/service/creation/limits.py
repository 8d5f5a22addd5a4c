"""How long things take that creations wait for, and how many happen at once."""

from dataclasses import dataclass
from datetime import timedelta

MAX_ASKS = 2
"""How often one creation asks the provider: once more where an answer was lost, and never
a third time, as each may be billed."""

LAPSE = timedelta(hours=48)
"""How long a request id names its creation. The contract says 24 hours at least."""


@dataclass(frozen=True)
class CreationLimits:
    """Seconds, unless a name says otherwise.

    `lease` is what a creation stays its owner's for without a renewal; renewals come
    three times as often. `skew` is by how much the clocks of two servers may differ.
    `generate` caps an exchange with the provider, whatever the caller's deadline: what
    was asked for is waited for. `store` caps one attempt at storing.
    `arrivals` images are on their way in at once, from the first byte of an answer until
    it is stored, and `decodes` of them decoded, each 4 bytes a pixel. Below `spare_bytes` of
    free space, or a `spare_share` of a small store, nothing is asked for. `round` is how
    often is looked for what others left unfinished; after a failure the next attempt comes
    between `first_pause` and `longest_pause`.
    """

    lease: float = 15.0
    skew: float = 5.0
    generate: float = 180.0
    store: float = 30.0
    arrivals: int = 3
    decodes: int = 1
    spare_bytes: int = 64 * 1024 * 1024
    spare_share: float = 0.125
    round: float = 15.0
    first_pause: float = 0.25
    longest_pause: float = 15.0

    def spare_of(self, total_bytes: int) -> int:
        """Return what has to be free of a store of that size."""
        return min(self.spare_bytes, int(total_bytes * self.spare_share))

    @property
    def lease_ms(self) -> int:
        """The lease in milliseconds."""
        return round(self.lease * 1000)

    @property
    def skew_ms(self) -> int:
        """The skew in milliseconds."""
        return round(self.skew * 1000)
