"""Reads Retry-After: seconds or an HTTP date (RFC 9110, 10.2.3), or whatever stands there."""

import math
import time
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_SECONDS = 24 * 3600.0
"""Nobody waits longer; a larger number is a slip, or an attempt to overflow ours."""


def retry_after_seconds(header: str, *, now: float | None = None) -> float | None:
    """Return the seconds to wait, None where the header does not say."""
    seconds = _seconds(header)
    if seconds is None:
        seconds = _until(header, time.time() if now is None else now)
    if seconds is None or math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _seconds(header: str) -> float | None:
    try:
        seconds = float(header)
    except ValueError:
        return None
    return seconds if seconds >= 0 else math.nan


def _until(header: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() - now
    except (ValueError, OverflowError):
        return None
