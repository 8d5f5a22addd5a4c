"""Inventory: what a check of the whole store asks."""

from collections import Counter
from collections.abc import Collection, Sequence

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.creations import Creation, CreationState
from pixy_grpc.core.ports import ImageRow, StoredImage
from tests.fakes.repository import InMemoryImageRepository


class InMemoryInventory:
    """An Inventory over the data of images; it fails as they do."""

    def __init__(self, images: InMemoryImageRepository) -> None:
        self._images = images

    def last_number(self, deadline: Deadline) -> int:
        """Return the last number given."""
        with self._images.lent(deadline) as tables:
            return max((number for number, _ in tables.rows.values()), default=0)

    def list_rows(self, after: int, limit: int, deadline: Deadline) -> Sequence[ImageRow]:
        """Sort every image."""
        with self._images.lent(deadline) as tables:
            rows = sorted(tables.rows.values(), key=lambda row: row[0])
        return [_image_row(*row) for row in rows if row[0] > after][:limit]

    def present(self, guids: Collection[str], deadline: Deadline) -> set[str]:
        """Look at every image."""
        with self._images.lent(deadline) as tables:
            return tables.rows.keys() & set(guids)

    def named(self, keys: Collection[str], deadline: Deadline) -> set[str]:
        """Look at every image."""
        with self._images.lent(deadline) as tables:
            known = {each.contents.key for _, each in tables.rows.values() if each.contents}
        return known & set(keys)

    def shared(self, keys: Collection[str], deadline: Deadline) -> set[str]:
        """Look at every image."""
        with self._images.lent(deadline) as tables:
            known = Counter(each.contents.key for _, each in tables.rows.values() if each.contents)
        return {key for key in keys if known[key] > 1}

    def without_contents(self, guids: Collection[str], deadline: Deadline) -> set[str]:
        """Look at every image."""
        with self._images.lent(deadline) as tables:
            bare = {guid for guid, (_, each) in tables.rows.items() if each.contents is None}
        return bare & set(guids)

    def sharing(self, filename: str, deadline: Deadline) -> set[str]:
        """Look at every image."""
        with self._images.lent(deadline) as tables:
            bare = {guid: each for guid, (_, each) in tables.rows.items() if each.contents is None}
        return {guid for guid, each in bare.items() if each.image.filename == filename}

    def list_not_done(self, guids: Collection[str], deadline: Deadline) -> Sequence[Creation]:
        """Look at every creation."""
        with self._images.lent(deadline) as tables:
            return [
                each
                for each in tables.creations.values()
                if each.guid in guids and each.state is not CreationState.DONE
            ]

    def set_contents(self, row: ImageRow, contents: ImageContents, deadline: Deadline) -> bool:
        """Replace what is known."""
        with self._images.lent(deadline) as tables:
            number, stored = tables.rows.get(row.guid, (0, None))
            known = stored.contents if stored else None
            if stored is None or (known and (known.sha256 or known.key != contents.key)):
                return False
            tables.rows[row.guid] = (number, _with_contents(stored, contents))
            return True


def _image_row(number: int, stored: StoredImage) -> ImageRow:
    image = stored.image
    unchanged = image.updated_at == image.created_at
    return ImageRow(number, image.guid, image.filename, unchanged, stored.contents)


def _with_contents(stored: StoredImage, contents: ImageContents) -> StoredImage:
    shown = {
        name: getattr(contents, name)
        for name in ("content_type", "size_bytes", "sha256", "width", "height")
    }
    return StoredImage(stored.image.model_copy(update=shown), contents)
