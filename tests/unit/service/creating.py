"""The use case of creating, over stores and a generator that fail as they are told."""

import io

from PIL import Image as Picture

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.exceptions import ImageException, StorageUnavailableError
from pixy_grpc.core.ports import GeneratedImage, NewImage, StoredImage
from pixy_grpc.service.creation import CreationRequest, ImageCreation
from tests.fakes import FixedClock, InMemoryImageRepository, InMemoryImageStore, ScriptedGenerator

REQUEST_ID = "0b9d1f9e-6b0f-4c2d-9a54-3d0c2a7f1e55"


def png() -> GeneratedImage:
    """Return a small image, and the model that is said to have made it."""
    buffer = io.BytesIO()
    Picture.new("RGB", (8, 6), "red").save(buffer, "PNG")
    return GeneratedImage(buffer.getvalue(), model="painter-1")


class FailingRepository(InMemoryImageRepository):
    """A repository that fails to add, before it has added or after."""

    def __init__(self, error: Exception, *, after: bool = False) -> None:
        super().__init__()
        self.error: Exception | None = error
        self._after = after

    def add(self, new: NewImage, deadline: Deadline) -> StoredImage:
        """Fail while there is an error to fail with."""
        if self.error and self._after:
            super().add(new, deadline)
        if self.error:
            raise self.error
        return super().add(new, deadline)


class StuckStore(InMemoryImageStore):
    """A store that cannot remove anything."""

    def delete(self, key: str, deadline: Deadline) -> None:
        """Fail."""
        raise StorageUnavailableError(f"cannot remove {key} in {deadline}")


class World:
    """Use case, and what it works on."""

    def __init__(
        self,
        *outcomes: object,
        repository: InMemoryImageRepository | None = None,
        store: InMemoryImageStore | None = None,
        refusal: ImageException | None = None,
    ) -> None:
        self.repository = repository or InMemoryImageRepository()
        self.store = store or InMemoryImageStore()
        self.generator = ScriptedGenerator(*(outcomes or (png(),)), refusal=refusal)
        self.creation = ImageCreation(self.repository, self.store, self.generator, FixedClock())

    def create(self, prompt: str = "a fox", request_id: str = REQUEST_ID, **call: object) -> object:
        """Create an image as the caller alice."""
        request = CreationRequest({"prompt": prompt}, {}, request_id)
        fields = {"caller": "alice", "call_id": "1", "deadline": Deadline.after(30), **call}
        return self.creation.create(request, Call(**fields))
