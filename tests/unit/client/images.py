"""Images for tests."""

import hashlib
from datetime import UTC, datetime

from pixy_grpc.core.models import Image

GUID = "0b5c1fd0-7a39-4e6b-9f4e-3f1f6c8f2a11"
DATA = b"the bytes of a fox"


def image_of(data: bytes = DATA, /, **changes: object) -> Image:
    """Return an image that those bytes belong to, with changes."""
    return Image.model_validate(
        {
            "guid": GUID,
            "filename": "a-red-fox.png",
            "prompt": "A red fox",
            "created_at": datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
            "updated_at": datetime(2026, 11, 22, 8, 31, tzinfo=UTC),
            "content_type": "image/png",
            "size_bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "width": 64,
            "height": 32,
            "generator": "sketch",
            **changes,
        }
    )
