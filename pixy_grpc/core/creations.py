"""What is known of a creation: who may go on with it, and what it has come to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pixy_grpc.core.exceptions import FieldViolation, ImageException, conditions


class FenceLostError(Exception):
    """Somebody else has taken the creation over since, or has ended it.

    Never leaves the service: whoever meets it looks at what the winner has made.
    """


class CreationState(StrEnum):
    """How far a creation has come; see the contract's "Request ids"."""

    CLAIMED = "claimed"
    ASKED = "asked"
    KEPT = "kept"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class CreationKey:
    """What names one creation: a request id of a caller."""

    caller: str
    request_id: str


@dataclass(frozen=True)
class Fence:
    """The right to go on with a creation. Each takeover makes the next number, and ends
    the right of the one before.

    Numbers begin anew where a name is free again: the guid tells one creation from
    another that had its name.
    """

    key: CreationKey
    number: int
    guid: str


@dataclass(frozen=True)
class Refusal:
    """Why the provider made nothing, to be told again to whoever asks again."""

    reason: str
    message: str
    violations: tuple[FieldViolation, ...] = ()

    @classmethod
    def of(cls, error: ImageException) -> "Refusal":
        """Return what there is to remember of an error."""
        return cls(error.reason, error.message, error.violations)

    def error(self) -> ImageException:
        """Return the same error once more."""
        return conditions()[self.reason](self.message, violations=self.violations)


@dataclass(frozen=True)
class NewCreation:
    """A creation that is about to begin.

    `fingerprint` is a digest of the request's normalised fields. `prompt` and `filename`
    (empty for a default) are kept so that anybody can complete it. `lease_until_ms` is
    in milliseconds since 1970.
    """

    key: CreationKey
    fingerprint: str
    guid: str
    prompt: str
    filename: str
    generator: str
    created_at: datetime
    lease_until_ms: int


@dataclass(frozen=True)
class Creation:
    """A creation as it is stored.

    Its owner is whoever holds the `fence`, until `lease_until_ms`. `asks` counts how
    often the provider may have billed it. `prompt` and `filename` are empty once it is
    done; `store_key` is empty before it is kept.
    """

    fence: Fence
    fingerprint: str
    guid: str
    state: CreationState
    asks: int
    lease_until_ms: int
    created_at: datetime
    generator: str
    prompt: str = ""
    filename: str = ""
    store_key: str = ""
    model: str = ""
    refusal: Refusal | None = None

    @property
    def key(self) -> CreationKey:
        """What names it."""
        return self.fence.key


@dataclass(frozen=True)
class Usage:
    """What making an image took; empty or None where the provider does not say."""

    provider_request_id: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_seconds: float | None = None


@dataclass(frozen=True)
class PaidImage:
    """An image that was made, and what it takes to bind it to its creation.

    `store_key` is where its bytes are, or where they belong.
    """

    fence: Fence
    guid: str
    store_key: str
    model: str = ""
    usage: Usage | None = None
