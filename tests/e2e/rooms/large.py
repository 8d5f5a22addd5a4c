"""Images larger than what flow control lets through to a reader that does not read."""

import random
import uuid
from datetime import UTC, datetime
from pathlib import Path

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.ports import NewImage
from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.support.contents import contents_of

MEBIBYTE = 1024 * 1024


def add_image(folder: Path, mebibytes: float) -> tuple[str, bytes]:
    """Put bytes beside a running server, as if it had made them; return guid and bytes."""
    data = random.Random(mebibytes).randbytes(int(mebibytes * MEBIBYTE))  # noqa: S311 - no secret
    guid = str(uuid.uuid4())
    deadline = Deadline.after(30.0)
    contents = contents_of(data, f"{guid}.0.png")
    FolderStore(folder / "images").put(contents.key, data, deadline)
    database = SqliteDatabase(folder / "pixy.db")
    new = NewImage(guid, "large.png", "a large image", datetime.now(UTC), contents)
    SqlImageRepository(database).add(new, deadline)
    database.close()
    return guid, data
