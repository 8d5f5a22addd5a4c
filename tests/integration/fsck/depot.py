"""A database and a folder as servers leave them, to be damaged and checked."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pixy_grpc.app import creation_parts
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.creations import Creation
from pixy_grpc.core.ports import NewImage
from pixy_grpc.databases import open_database
from pixy_grpc.preparation import checking, prepare
from pixy_grpc.service.fsck import Event, Tasks
from pixy_grpc.settings import Settings
from tests.integration.data.examples import contents, new_creation, new_guid, soon
from tests.support.server import settings_for
from tests.unit.service.creating import png
from tests.unit.service.fsck.depot import CHECK, LONG

DATA = png().data


class Depot:
    """What the settings of one service name, behind the code that servers run."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.settings: Settings = settings_for(folder, **settings)
        self.store_id = prepare(self.settings)
        self.database = open_database(self.settings)
        self.parts = creation_parts(self.settings, self.database, self.store_id)

    @property
    def root(self) -> Path:
        """The folder of the bytes."""
        return self.folder / "images"

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def run(self, tasks: Tasks = CHECK) -> list[Event]:
        """Check as the command does; return what came."""
        with checking(self.settings) as fsck:
            return list(fsck.run(tasks))

    def put(self, key: str, data: bytes = DATA, age: timedelta = LONG) -> str:
        """Store bytes, that long ago."""
        self.parts.store.put(key, data, soon())
        make_old(self.path(key), age)
        return key

    def path(self, key: str) -> Path:
        """Return the file of a key."""
        return self.root / key[:2] / key[2:4] / key

    def image(self, data: bytes = DATA) -> ImageContents:
        """Store an image, bytes and row; return what is known of it."""
        guid = new_guid()
        found = contents(data, self.put(f"{guid}.1.png", data))
        moment = datetime.now(UTC).replace(microsecond=0)
        self.parts.images.add(NewImage(guid, "a.png", "a red fox", moment, found), soon())
        return found

    def fill(self, count: int) -> list[ImageContents]:
        """Store images with nothing wrong about them."""
        return [self.image() for _ in range(count)]

    def abandoned(self) -> tuple[Creation, str]:
        """Leave a creation whose bytes are durable and whose owner was killed."""
        mine = self.parts.creations.claim(new_creation(lease_until_ms=1_000), soon())
        self.parts.creations.note_asked(mine.fence, soon())
        return mine, self.put(f"{mine.guid}.1.png")

    def older(self, filename: str, prompt: str = "an old fox") -> str:
        """Add a row as an earlier PixyProxy does; return its guid."""
        guid = new_guid()
        self.sql(
            "INSERT INTO images (guid, filename, prompt) VALUES (:guid, :filename, :prompt)",
            {"guid": guid, "filename": filename, "prompt": prompt},
        )
        return guid

    def file(self, filename: str, data: bytes = DATA, age: timedelta = LONG) -> Path:
        """Leave a file in the root, as an earlier PixyProxy does; return it."""
        path = self.root / filename
        path.write_bytes(data)
        make_old(path, age)
        return path

    def leftover(self) -> str:
        """Leave what a write that was cut does; return the name of the file."""
        path = self.root / ".incoming" / "0123456789abcdef0123456789abcdef"
        path.write_bytes(b"half")
        make_old(path)
        return path.name

    def sql(self, statement: str, parameters: dict[str, object] | None = None) -> None:
        """Change the database behind everybody's back."""
        with self.database.write(soon()) as session:
            session.execute(statement, parameters or {})


def make_old(path: Path, age: timedelta = LONG) -> None:
    """Make a file as old as that."""
    moment = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (moment, moment))


def files(folder: Path, patterns: Iterable[str] = ("??/??/*",)) -> set[str]:
    """Return the names of the files that are there."""
    return {path.name for pattern in patterns for path in folder.glob(pattern)}
