"""What a caller catches is found where the client is."""

import pixy_client
from pixy_client import ImageException, errors
from pixy_grpc.core import exceptions


def test_client_exports_every_exception() -> None:
    """Families, conditions and the client's own: none needs a second import."""
    kinds = {
        name
        for module in (exceptions, errors)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, ImageException)
    }

    assert kinds <= set(pixy_client.__all__)
    assert all(hasattr(pixy_client, name) for name in pixy_client.__all__)
