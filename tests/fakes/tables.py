"""What the fakes of ImageRepository, CreationRepository and Inventory keep, and share."""

import threading
from dataclasses import dataclass, field

from pixy_grpc.core.creations import Creation, CreationKey, CreationState, Fence, FenceLostError
from pixy_grpc.core.exceptions import RecordNotFoundError
from pixy_grpc.core.ports import StoredImage


@dataclass
class Tables:
    """What every repository over the same data shares; `rows` hold (number, image) by guid."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    rows: dict[str, tuple[int, StoredImage]] = field(default_factory=dict)
    creations: dict[CreationKey, Creation] = field(default_factory=dict)
    last_row: int = 0

    def row(self, guid: str) -> tuple[int, StoredImage]:
        """Return an image and its number, or raise RecordNotFoundError."""
        try:
            return self.rows[guid]
        except KeyError:
            raise RecordNotFoundError(f"There is no image {guid}.") from None

    def held(self, fence: Fence) -> Creation:
        """Return the creation that a fence holds, or raise FenceLostError."""
        found = self.creations.get(fence.key)
        if found is None or found.fence != fence or found.state is CreationState.DONE:
            raise FenceLostError
        return found

    def keep(self, creation: Creation) -> Creation:
        """Keep a creation as it is now, and return it."""
        self.creations[creation.key] = creation
        return creation
