"""Turns models into dictionaries for SQL, and rows back into models."""

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.models import Image
from pixy_grpc.core.ports import NewImage, Position, StoredImage
from pixy_grpc.data.database import Row, time_text, time_value

CONTENTS_COLUMNS = """
    c.store_key, c.content_type, c.size_bytes, c.sha256, c.block_digests,
    c.width, c.height, c.generator, c.model
"""
"""What `contents_of` reads, from image_contents as c."""

STORED_COLUMNS = f"""
    i.id, i.guid, i.filename, i.prompt, i.created_at, i.updated_at, {CONTENTS_COLUMNS}
"""
"""What `stored_image` reads, from images as i and image_contents as c."""


def image_parameters(new: NewImage) -> Row:
    """Return the columns of `images` for a new image."""
    return {
        "guid": new.guid,
        "filename": new.filename,
        "prompt": new.prompt,
        "created_at": time_text(new.created_at),
        "updated_at": time_text(new.created_at),
    }


def contents_parameters(image_id: int, contents: ImageContents) -> Row:
    """Return the columns of `image_contents`."""
    return {
        "image_id": image_id,
        "store_key": contents.key,
        "content_type": contents.content_type,
        "size_bytes": contents.size_bytes,
        "sha256": contents.sha256,
        "block_digests": contents.block_digests,
        "width": contents.width,
        "height": contents.height,
        "generator": contents.generator,
        "model": contents.model,
    }


def position(row: Row) -> Position:
    """Return where a row of `images` stands in the list."""
    return Position(time_value(row["created_at"]), row["id"])


def stored_image(row: Row) -> StoredImage:
    """Return the image of a row with STORED_COLUMNS."""
    return StoredImage(_image(row), contents_of(row))


def contents_of(row: Row) -> ImageContents | None:
    """Return the contents of a row with CONTENTS_COLUMNS; None where there are none."""
    return None if row["store_key"] is None else _contents(row)


def _image(row: Row) -> Image:
    return Image(
        guid=row["guid"].lower(),
        filename=row["filename"],
        prompt=row["prompt"],
        created_at=time_value(row["created_at"]),
        updated_at=time_value(row["updated_at"]),
        content_type=row["content_type"] or "",
        size_bytes=row["size_bytes"] or 0,
        sha256=row["sha256"] or "",
        width=row["width"] or 0,
        height=row["height"] or 0,
        generator=row["generator"] or "",
        model=row["model"] or "",
    )


def _contents(row: Row) -> ImageContents:
    return ImageContents(
        key=row["store_key"],
        content_type=row["content_type"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        block_digests=row["block_digests"],
        width=row["width"],
        height=row["height"],
        generator=row["generator"],
        model=row["model"],
    )
