"""Keeps what is known of images in a SQL database, whichever it is."""

from collections.abc import Iterable
from datetime import datetime

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import RecordNotFoundError
from pixy_grpc.core.models import Image, ImageUpdate
from pixy_grpc.core.ports import NewImage, Page, PageQuery, StoredImage
from pixy_grpc.core.search import index_terms
from pixy_grpc.data.creations import end_creation
from pixy_grpc.data.database import Database, Row, Session, time_text
from pixy_grpc.data.listing import Listing, ListingLimits
from pixy_grpc.data.rows import (
    STORED_COLUMNS,
    contents_parameters,
    image_parameters,
    stored_image,
)

_SELECT = f"""
    SELECT {STORED_COLUMNS} FROM images i LEFT JOIN image_contents c ON c.image_id = i.id
    WHERE i.guid = :guid
"""  # noqa: S608 - a constant

_INSERT_IMAGE = """
    INSERT INTO images (guid, filename, prompt, created_at, updated_at)
    VALUES (:guid, :filename, :prompt, :created_at, :updated_at)
"""

_INSERT_CONTENTS = """
    INSERT INTO image_contents (image_id, store_key, content_type, size_bytes, sha256,
        block_digests, width, height, generator, model)
    VALUES (:image_id, :store_key, :content_type, :size_bytes, :sha256,
        :block_digests, :width, :height, :generator, :model)
"""

_INSERT_TERM = "INSERT INTO image_terms (term, image_id) VALUES (:term, :image_id)"

_LIMITS = ListingLimits()


class SqlImageRepository:
    """An ImageRepository over a Database."""

    def __init__(self, database: Database, limits: ListingLimits = _LIMITS) -> None:
        self._database = database
        self._limits = limits

    def add(self, new: NewImage, deadline: Deadline) -> StoredImage:
        """Add an image with its contents and terms, and end its creation, in one transaction."""
        with self._database.write(deadline) as session:
            if new.fence:
                end_creation(session, new.fence, new.contents.key)
            image_id = session.insert(_INSERT_IMAGE, image_parameters(new))
            insert_contents(session, image_id, new.contents)
            _insert_terms(session, index_terms(new.prompt, new.filename), image_id)
            return stored_image(self._row(session, new.guid))

    def get(self, guid: str, deadline: Deadline) -> StoredImage:
        """Return one image."""
        with self._database.read(deadline) as session:
            return stored_image(self._row(session, guid))

    def list_page(self, query: PageQuery, deadline: Deadline) -> Page:
        """Return one page."""
        with self._database.read(deadline) as session:
            return Listing(session, self._database.dialect, query, self._limits).page()

    def update(self, guid: str, update: ImageUpdate, now: datetime, deadline: Deadline) -> Image:
        """Change an image and the terms that find it."""
        with self._database.write(deadline) as session:
            row = self._locked_row(session, guid)
            changes = update.model_dump(exclude_none=True)
            if changes:
                _change(session, row, changes, now)
            return stored_image(self._row(session, guid)).image

    def delete(self, guid: str, deadline: Deadline) -> ImageContents | None:
        """Remove an image from every table but `creations`."""
        with self._database.write(deadline) as session:
            row = self._locked_row(session, guid)
            parameters = {"image_id": row["id"]}
            session.execute("DELETE FROM image_terms WHERE image_id = :image_id", parameters)
            session.execute("DELETE FROM image_contents WHERE image_id = :image_id", parameters)
            session.execute("DELETE FROM images WHERE id = :image_id", parameters)
            contents = stored_image(row).contents
            return contents if contents and not _is_named(session, contents.key) else None

    def ping(self, deadline: Deadline) -> None:
        """Read a row, so that a database that is there but empty is not taken for ours."""
        with self._database.read(deadline) as session:
            session.query("SELECT id FROM images LIMIT 1", {})

    def _locked_row(self, session: Session, guid: str) -> Row:
        return self._row(session, guid, self._database.dialect.for_update)

    @staticmethod
    def _row(session: Session, guid: str, suffix: str = "") -> Row:
        rows = session.query(_SELECT + suffix, {"guid": guid})
        if not rows:
            raise RecordNotFoundError(f"There is no image {guid}.")
        return rows[0]


def insert_contents(session: Session, image_id: int, contents: ImageContents) -> None:
    """Note what is known of an image's bytes."""
    session.execute(_INSERT_CONTENTS, contents_parameters(image_id, contents))


def replace_terms(session: Session, image_id: int, terms: Iterable[bytes]) -> None:
    """Make these the terms that find an image."""
    session.execute("DELETE FROM image_terms WHERE image_id = :id", {"id": image_id})
    _insert_terms(session, terms, image_id)


def _is_named(session: Session, key: str) -> bool:
    """Tell whether an image names these bytes: two older ones may share a file."""
    statement = "SELECT image_id FROM image_contents WHERE store_key = :store_key LIMIT 1"
    return bool(session.query(statement, {"store_key": key}))


def _insert_terms(session: Session, terms: Iterable[bytes], image_id: int) -> None:
    rows = [{"term": term, "image_id": image_id} for term in sorted(terms)]
    session.execute_many(_INSERT_TERM, rows)


def _change(session: Session, row: Row, changes: dict[str, str], now: datetime) -> None:
    after = {"filename": row["filename"], "prompt": row["prompt"], **changes}
    session.execute(
        "UPDATE images SET filename = :filename, prompt = :prompt, updated_at = :updated_at"
        " WHERE id = :id",
        {**after, "updated_at": time_text(now), "id": row["id"]},
    )
    replace_terms(session, row["id"], index_terms(**after))
