"""What a caller catches is found where the client is."""

import pytest

import pixy_client
from pixy_client import ImageException, errors, exports
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
