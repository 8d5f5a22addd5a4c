"""Answers what a check of the whole store asks a SQL database, for many images at a time."""

from collections.abc import Collection, Sequence

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.creations import Creation
from pixy_grpc.core.ports import ImageRow
from pixy_grpc.core.search import index_terms
from pixy_grpc.data.creations import CREATION_COLUMNS, creation_of
from pixy_grpc.data.database import Database, Row, Session, among
from pixy_grpc.data.repository import insert_contents, replace_terms
from pixy_grpc.data.rows import CONTENTS_COLUMNS, contents_of, contents_parameters

_LAST = "SELECT COALESCE(MAX(id), 0) AS last_number FROM images"

_ROWS = f"""
    SELECT i.id, i.guid, i.filename, i.created_at, i.updated_at, {CONTENTS_COLUMNS}
    FROM images i LEFT JOIN image_contents c ON c.image_id = i.id
    WHERE i.id > :after ORDER BY i.id LIMIT :rows
"""  # noqa: S608 - a constant

_PRESENT = "SELECT guid FROM images WHERE guid IN ({})"

_NAMED = "SELECT store_key FROM image_contents WHERE store_key IN ({})"

_SHARED = f"{_NAMED} GROUP BY store_key HAVING COUNT(*) > 1"

_WITHOUT_CONTENTS = """
    SELECT i.guid FROM images i LEFT JOIN image_contents c ON c.image_id = i.id
    WHERE i.guid IN ({}) AND c.image_id IS NULL
"""

_SHARING = """
    SELECT i.guid, i.filename FROM images i LEFT JOIN image_contents c ON c.image_id = i.id
    WHERE i.filename = :filename AND c.image_id IS NULL
"""

_NOT_DONE = f"""
    SELECT {CREATION_COLUMNS} FROM creations
    WHERE state IN ('claimed', 'asked', 'kept', 'refused', 'unknown') AND guid IN ({{}})
"""  # noqa: S608 - constants; by whichever index is the shorter way

_SEEN = """
    SELECT i.prompt, i.filename, c.store_key, c.sha256
    FROM images i LEFT JOIN image_contents c ON c.image_id = i.id
    WHERE i.id = :image_id
"""

_UPDATE = """
    UPDATE image_contents SET content_type = :content_type, size_bytes = :size_bytes,
        sha256 = :sha256, block_digests = :block_digests, width = :width, height = :height,
        generator = :generator, model = :model
    WHERE image_id = :image_id AND store_key = :store_key
"""


class SqlInventory:
    """An Inventory over a Database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last_number(self, deadline: Deadline) -> int:
        """Return the greatest id."""
        with self._database.read(deadline) as session:
            return int(session.query(_LAST, {})[0]["last_number"])

    def list_rows(self, after: int, limit: int, deadline: Deadline) -> Sequence[ImageRow]:
        """Read on from an id."""
        with self._database.read(deadline) as session:
            rows = session.query(_ROWS, {"after": after, "rows": limit})
        return [_image_row(row) for row in rows]

    def present(self, guids: Collection[str], deadline: Deadline) -> set[str]:
        """Look the guids up in their index."""
        return {row["guid"].lower() for row in among(self._database, _PRESENT, guids, deadline)}

    def named(self, keys: Collection[str], deadline: Deadline) -> set[str]:
        """Look the keys up in their index."""
        return {row["store_key"] for row in among(self._database, _NAMED, keys, deadline)}

    def shared(self, keys: Collection[str], deadline: Deadline) -> set[str]:
        """Count the keys in their index."""
        return {row["store_key"] for row in among(self._database, _SHARED, keys, deadline)}

    def without_contents(self, guids: Collection[str], deadline: Deadline) -> set[str]:
        """Look for rows of `images` alone."""
        return {
            row["guid"].lower() for row in among(self._database, _WITHOUT_CONTENTS, guids, deadline)
        }

    def sharing(self, filename: str, deadline: Deadline) -> set[str]:
        """Look in the index of filenames; a collation may take others for the same."""
        with self._database.read(deadline) as session:
            rows = session.query(_SHARING, {"filename": filename})
        return {row["guid"].lower() for row in rows if row["filename"] == filename}

    def list_not_done(self, guids: Collection[str], deadline: Deadline) -> Sequence[Creation]:
        """Look through the creations that are not done."""
        return [creation_of(row) for row in among(self._database, _NOT_DONE, guids, deadline)]

    def set_contents(self, row: ImageRow, contents: ImageContents, deadline: Deadline) -> bool:
        """Insert or update the row of `image_contents`."""
        with self._database.write(deadline) as session:
            locked = _SEEN + self._database.dialect.for_update
            found = session.query(locked, {"image_id": row.number})
            return bool(found) and _set(session, row.number, found[0], contents)


def _set(session: Session, image_id: int, found: Row, contents: ImageContents) -> bool:
    if found["store_key"] is None:
        insert_contents(session, image_id, contents)
        replace_terms(session, image_id, index_terms(found["prompt"], found["filename"]))
        return True
    if found["sha256"] or found["store_key"] != contents.key:
        return False
    session.execute(_UPDATE, contents_parameters(image_id, contents))
    return True


def _image_row(row: Row) -> ImageRow:
    return ImageRow(
        number=row["id"],
        guid=row["guid"].lower(),
        filename=row["filename"],
        unchanged=row["updated_at"] == row["created_at"],
        contents=contents_of(row),
    )
