"""A machine that allows no more threads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

STACK_BYTES = 2**47
"""More than a process can address: no thread can be given it."""


@contextmanager
def no_more_threads() -> Iterator[None]:
    """Have no thread begin until the block ends."""
    usual = threading.stack_size(STACK_BYTES)
    try:
        yield
    finally:
        threading.stack_size(usual)
