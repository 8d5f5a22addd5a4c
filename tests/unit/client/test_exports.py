"""What a caller catches is found where the client is."""

import pickle

import pytest

import pixy_client
from pixy_client import ImageException, UnexpectedStatusError, errors, exports
from pixy_grpc.core import exceptions


def test_client_exports_every_exception() -> None:
    """Families, conditions and the client's own: none needs a second import."""
    kinds = {
        name
        for module in (exceptions, errors)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, ImageException)
    }

    assert kinds <= set(exports.__all__)
    assert all(hasattr(pixy_client, name) for name in exports.__all__)


def test_client_shows_what_it_exports() -> None:
    """Where names are completed they are seen before their first use; no other one is there."""
    assert set(exports.__all__) <= set(dir(pixy_client))
    with pytest.raises(AttributeError, match="no attribute 'paint'"):
        getattr(pixy_client, "paint")  # noqa: B009 - its type has none


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in map(vars(exports).get, exports.__all__)
        if isinstance(kind, type) and issubclass(kind, ImageException)
    ],
)
def test_exception_passes_from_process_to_process(kind: type[ImageException]) -> None:
    """A pool of processes breaks down over an exception that cannot be unpickled."""
    error = kind("What happened.", call_id="c-1", request_id="r-1")

    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - of our own

    assert type(arrived) is kind
    assert (str(arrived), vars(arrived)) == (str(error), vars(error))


def test_unexpected_status_passes_from_process_to_process() -> None:
    """With the status, which is no part of its message."""
    error = UnexpectedStatusError("What happened.", status_name="PERMISSION_DENIED")

    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - of our own

    assert errors.status_of(arrived) == "PERMISSION_DENIED"
