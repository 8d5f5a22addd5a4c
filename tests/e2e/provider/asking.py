"""A server beside the provider that it asks, and what can be seen of both."""

from contextlib import closing
from dataclasses import dataclass

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, CreationKey
from pixy_grpc.data.creations import SqlCreationRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.support.provider import Provider
from tests.support.server import RunningServer

KEY = "sk-test-key-that-nobody-else-sees"

CAP_SECONDS = 60.0
"""What an exchange may take here: none that is answered takes so long."""

SHORT_CAP_SECONDS = 1.5
"""A cap that a test can sit through."""


def settings_of(provider: Provider, **changes: object) -> dict[str, object]:
    """Return the settings of a server that asks this provider."""
    return {
        "generator": "openai",
        "openai_model": "a-model",
        "openai_api_key": KEY,
        "openai_base_url": f"{provider.origin}/v1",
        "openai_seconds": CAP_SECONDS,
        **changes,
    }


@dataclass(frozen=True)
class Asked:
    """A server of ours, and its provider."""

    server: RunningServer
    provider: Provider

    def claim(self, request_id: str) -> Creation | None:
        """Return what the database holds of a creation of alice's."""
        with closing(SqliteDatabase(self.server.folder / "pixy.db")) as database:
            key = CreationKey("alice", request_id)
            return SqlCreationRepository(database).find(key, Deadline.after(10))

    def files(self) -> int:
        """Return how many images' bytes are stored."""
        return len(list(self.server.images.glob("*/*/*")))
