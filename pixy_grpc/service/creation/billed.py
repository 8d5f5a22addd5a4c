"""What is said of a creation whose earlier ask may have been billed."""

from collections.abc import Iterator
from contextlib import contextmanager

from pixy_grpc.core.creations import Creation
from pixy_grpc.core.exceptions import (
    ProviderOutcomeUnknownError,
    ProviderQuotaError,
    ProviderRateLimitedError,
    ServiceUnavailableError,
    StorageFullError,
)

_SPENT_NOTHING = (
    ServiceUnavailableError,
    ProviderRateLimitedError,
    ProviderQuotaError,
    StorageFullError,
)
"""Errors whose status or text tells the caller that nothing was spent."""


@contextmanager
def after_asks(mine: Creation) -> Iterator[None]:
    """Say of what was asked before that it may have been billed, whatever is in the way now.

    UNAVAILABLE would promise that nothing was spent.
    """
    try:
        yield
    except _SPENT_NOTHING as error:
        if not mine.asks:
            raise
        raise ProviderOutcomeUnknownError(
            "An earlier answer is lost, and now the provider was not asked again: it may have"
            " billed the first. Ask again with the same request_id.",
            retry_delay_seconds=error.retry_delay_seconds,
        ) from error
