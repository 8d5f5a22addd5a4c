"""Tells which bytes are an image's of which none are known, from those that only may be."""

from collections.abc import Generator
from functools import cached_property

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.creations import Creation, CreationState
from pixy_grpc.core.exceptions import ImageCorruptError
from pixy_grpc.core.ports import ImageRow, OlderImages
from pixy_grpc.service.fsck.description import Description, Reader
from pixy_grpc.service.fsck.findings import Fault, Finding
from pixy_grpc.service.fsck.parts import FsckParts, soon

Found = Generator[Finding, None, Description | None]
"""Tells what is in doubt, and returns the bytes where there is no doubt."""


class Candidates:
    """Looks for the bytes of images, where their creations, guids and filenames say."""

    def __init__(self, parts: FsckParts, reader: Reader) -> None:
        self._parts = parts
        self._reader = reader
        self._is_shared: dict[str, bool] = {}

    def of(self, row: ImageRow, creation: Creation | None) -> Found:
        """Look for the bytes of an image, and read them.

        A creation that is done says which they are: no others under the guid will do. Else
        they are the one attempt that is an image. Only an image that no creation made, of an
        earlier PixyProxy then, may have a file in the root.
        """
        if creation and creation.state is CreationState.DONE:
            return self._reader.read(_made(creation))
        keys = self._keys(row.guid)
        if keys:
            return (yield from self._only_image(row.guid, keys))
        return None if creation else (yield from self._older_file(row))

    def _only_image(self, guid: str, keys: list[str]) -> Found:
        """Return the one attempt that decodes; tell of all where that is none or several."""
        attempts = [each for each in map(self._reader.read, map(_unknown, keys)) if each]
        images = [each for each in attempts if each.is_image]
        if len(images) == 1:
            return images[0]
        if images:
            detail = f"{len(images)} attempts at it are images: which is meant nobody can tell"
            yield Finding(Fault.UNKNOWN_BYTES, guid, detail=detail)
        for each in attempts if not images else ():
            detail = "its bytes do not decode; left alone"
            yield Finding(Fault.NOT_AN_IMAGE, guid, each.contents.key, detail)
        return None

    def _older_file(self, row: ImageRow) -> Found:
        """Look for the file of an earlier PixyProxy: that of its guid is nobody else's.

        One of its filename counts only where the image was never changed, as it may have
        been renamed to another's, and where no other image names that file or might.
        """
        found = self._older.find(row.guid, "")
        if found is None and row.unchanged:
            found = self._older.find(row.guid, row.filename)
            if found and self._is_label_of_several(row.filename):
                detail = "its file would be that of others too, by its filename"
                yield Finding(Fault.UNKNOWN_BYTES, row.guid, detail=detail)
                return None
        if found is None or self._parts.inventory.named([found.key], soon()):
            return None
        return self._reader.read(found)

    def _is_label_of_several(self, filename: str) -> bool:
        """Tell whether several images without bytes had that filename when it was first asked."""
        if filename not in self._is_shared:
            sharing = self._parts.inventory.sharing(filename, soon())
            self._is_shared[filename] = len(sharing) > 1
        return self._is_shared[filename]

    def _keys(self, guid: str) -> list[str]:
        try:
            return list(self._parts.creation.store.keys(guid, soon()))
        except ImageCorruptError:  # an older guid that is none, and begins no key
            return []

    @cached_property
    def _older(self) -> OlderImages:
        return self._parts.older()


def _made(done: Creation) -> ImageContents:
    return _unknown(done.store_key, done.generator, done.model)


def _unknown(key: str, generator: str = "", model: str = "") -> ImageContents:
    return ImageContents(
        key=key,
        content_type="",
        size_bytes=0,
        sha256="",
        block_digests=b"",
        width=0,
        height=0,
        generator=generator,
        model=model,
    )
