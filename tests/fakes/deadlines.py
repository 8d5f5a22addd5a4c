"""What core/ports.py says of every port: a method ends by its deadline."""

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ImageException


def require_time(deadline: Deadline, unavailable: type[ImageException]) -> None:
    """Raise what a port does whose deadline is over: `unavailable`, where a cap has passed."""
    if deadline.from_caller:
        deadline.check()
    if not deadline.remaining():
        raise unavailable("There was no answer in time.")
