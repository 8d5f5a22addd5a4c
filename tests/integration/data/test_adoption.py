"""Images of an earlier PixyProxy, which knew one table and a folder of files."""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import DBConnectionError, StorageUnavailableError
from pixy_grpc.core.models import ImageUpdate
from pixy_grpc.core.ports import PageQuery
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.data.adoption import ROWS_A_BATCH, AdoptionReport, adopt
from pixy_grpc.data.database import Database, Session
from pixy_grpc.data.folder import MARK, FolderStore
from pixy_grpc.data.init import lease, migrate, migrations
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.older_files import older_files
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import add, new_guid, soon
from tests.integration.data.interrupted import InterruptedDatabase
from tests.support.mariadb import fresh_database, shared_server_url

PNG = b"\x89PNG\r\n\x1a\n" + b"older" * 10
LEASE_WRITES = 2
"""Taking the lease and giving it back."""

BATCH_WRITES = 2
"""Renewing the lease, and what is adopted."""

JPEG = b"\xff\xd8\xff" + b"older" * 20


@dataclass
class Older:
    """A database with rows of an earlier PixyProxy, and the folder of its files."""

    database: Database
    folder: Path

    def add(self, guid: str, filename: str, prompt: str = "an old fox") -> str:
        """Add a row as the earlier PixyProxy did."""
        with self.database.write(soon()) as session:
            session.insert(
                "INSERT INTO images (guid, filename, prompt) VALUES (:guid, :filename, :prompt)",
                {"guid": guid, "filename": filename, "prompt": prompt},
            )
        return guid

    def run(self, statement: str) -> None:
        """Change the database in some other way."""
        with self.database.write(soon()) as session:
            session.execute(statement, {})

    def put(self, name: str, data: bytes) -> None:
        """Write a file as the earlier PixyProxy did."""
        (self.folder / name).write_bytes(data)

    def adopt(self) -> AdoptionReport:
        """Start this version on it."""
        migrate(self.database, soon())
        return adopt(self.database, self.store, soon())

    @property
    def store(self) -> FolderStore:
        """The folder as a store."""
        return FolderStore(self.folder)

    @property
    def repository(self) -> SqlImageRepository:
        """The rows as images."""
        return SqlImageRepository(self.database)

    def bytes_of(self, guid: str) -> bytes | None:
        """Return what is served for an image."""
        contents = self.repository.get(guid, soon()).contents
        if contents is None:
            return None
        with self.store.open(contents.key, soon()) as source:
            return source.read(0, contents.size_bytes)

    def found(self, sought: ImageFilter) -> set[str]:
        """Return the guids that a list shows."""
        page = self.repository.list_page(PageQuery(sought, None, 1000, 1 << 20), soon())
        return {stored.image.guid for stored in page.images}


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    (folder / "pixy.db").touch()
    with closing(SqliteDatabase(folder / "pixy.db")) as database:
        with database.write(soon()) as session:
            session.execute(migrations("sqlite")[0].statement, {})
        yield database


@contextmanager
def mysql(_folder: Path) -> Iterator[Database]:
    with (
        fresh_database(shared_server_url()) as url,
        closing(MySQLDatabase(parse_url(url))) as database,
    ):
        with database.write(soon()) as session:
            session.execute(migrations("mysql")[0].statement, {})
        yield database


@pytest.fixture(params=[sqlite, mysql], ids=["sqlite", "mysql"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Older]:
    """Lend an earlier PixyProxy's data, on each database."""
    folder = tmp_path / "images"
    folder.mkdir()
    with request.param(tmp_path) as database:
        yield Older(database, folder)


def test_adopt_without_a_folder_finds_the_rows(older: Older) -> None:
    """Where bytes are kept in a bucket no file is pinned, and none is lost."""
    guid = older.add(new_guid(), "fox.png", "an old fox")
    older.put("fox.png", PNG)
    migrate(older.database, soon())

    report = adopt(older.database, None, soon())

    assert (report.images, report.files) == (1, 0)
    assert older.found(ImageFilter(prompt="fox")) == {guid}
    assert older.bytes_of(guid) is None


def test_adopt_serves_files_by_filename_and_by_guid(older: Older) -> None:
    """A file is found under its row's filename, or under its guid with any extension."""
    named = older.add(new_guid(), "fox.png")
    other = older.add(new_guid().upper(), "no such file.png")
    older.put("fox.png", PNG)
    older.put(f"{other.lower()}.jpg", JPEG)

    report = older.adopt()

    assert (report.images, report.files, report.not_uuid) == (2, 2, [])
    assert older.bytes_of(named) == PNG
    assert older.bytes_of(other.lower()) == JPEG
    image = older.repository.get(named, soon()).image
    assert (image.content_type, image.size_bytes, image.sha256) == ("image/png", len(PNG), "")


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (b"RIFF\x40\0\0\0WEBPVP8 older", "image/webp"),
        (b"RIFF\x40\0\0\0WAVEfmt older", ""),
        (b"<svg>", ""),
        (b"", ""),
    ],
)
def test_adopt_tells_the_type_by_the_bytes(older: Older, data: bytes, content_type: str) -> None:
    """Whatever a file is called."""
    guid = older.add(new_guid(), "fox.png")
    older.put("fox.png", data)

    older.adopt()

    image = older.repository.get(guid, soon()).image
    assert (image.content_type, image.size_bytes) == (content_type, len(data))


def test_adopt_lists_and_finds_rows_without_files(older: Older) -> None:
    """A row whose file is gone is listed and found; its bytes are not known."""
    guid = older.add(new_guid(), "gone.png", "a quiet lake")

    older.adopt()

    assert older.found(ImageFilter()) == {guid}
    assert older.found(ImageFilter(prompt="LAKE", filename="gone")) == {guid}
    assert older.bytes_of(guid) is None


def test_rename_neither_loses_nor_borrows_a_file(older: Older) -> None:
    """Once adopted, a row keeps its file whatever it is called, and no other gets it."""
    first = older.add(new_guid(), "first.png")
    second = older.add(new_guid(), "second.png")
    older.put("first.png", PNG)
    older.put("second.png", JPEG)
    older.adopt()

    now = older.repository.get(first, soon()).image.created_at
    older.repository.update(first, ImageUpdate(filename="second.png"), now, soon())
    older.repository.update(second, ImageUpdate(filename="first.png"), now, soon())

    assert older.bytes_of(first) == PNG
    assert older.bytes_of(second) == JPEG


def test_delete_leaves_a_file_that_another_row_names(older: Older) -> None:
    """Bytes are given up only with the last row that names them."""
    first = older.add(new_guid(), "shared.png")
    second = older.add(new_guid(), "shared.png")
    older.put("shared.png", PNG)
    older.adopt()

    after_first = older.repository.delete(first, soon())
    served = older.bytes_of(second)
    after_second = older.repository.delete(second, soon())

    assert after_first is None
    assert served == PNG
    assert after_second
    older.store.delete(after_second.key, soon())
    assert not (older.folder / "shared.png").exists()


class MeetingDatabase(InterruptedDatabase):
    """A database in which something happens behind the last statement of a write."""

    @contextmanager
    def write(self, deadline: Deadline) -> Iterator[Session]:
        """Lend a session; commit once it has happened."""
        with self._database.write(deadline) as session:
            yield session
            self._happens()


def test_deletions_that_meet_leave_no_file_behind(tmp_path: Path) -> None:
    """Each sees the row of the other until both are gone; the bytes are given up by one."""
    with mysql(tmp_path) as database:
        older = Older(database, tmp_path)
        first, second = (older.add(new_guid(), "shared.png") for _ in range(2))
        older.put("shared.png", PNG)
        for number in range(ROWS_A_BATCH):  # in a short table they would lock each other's rows
            older.add(new_guid(), f"{number}.png")
        older.adopt()
        older.run("ANALYZE TABLE images, image_contents, image_terms")
        given_up: list[ImageContents | None] = []
        meeting = MeetingDatabase(
            database, happens=lambda: given_up.append(older.repository.delete(second, soon()))
        )

        given_up.append(SqlImageRepository(meeting).delete(first, soon()))

    assert [each.key if each else None for each in given_up] == [None, "older/shared.png"]


class DeafDatabase(InterruptedDatabase):
    """A database that writes, and answers nothing."""

    def read(self, deadline: Deadline) -> AbstractContextManager[Session]:  # noqa: ARG002
        """Fail."""
        raise DBConnectionError("No.")


def test_deletion_is_done_whatever_comes_of_the_look_behind_it(older: Older) -> None:
    """Bytes that another image may name stay."""
    first, second = (older.add(new_guid(), "shared.png") for _ in range(2))
    older.put("shared.png", PNG)
    older.adopt()

    deaf = SqlImageRepository(DeafDatabase(older.database))

    assert deaf.delete(first, soon()) is None
    assert older.found(ImageFilter()) == {second}


@pytest.mark.parametrize(
    "filename", ["../secret.png", "sub/inside.png", ".pixy-store", ".hidden.png", "link.png", ".."]
)
def test_adopt_takes_plain_names_inside_the_folder_only(older: Older, filename: str) -> None:
    """A filename that leads anywhere else, or to the store's own files, gives nothing."""
    (older.folder.parent / "secret.png").write_bytes(PNG)
    (older.folder / "sub").mkdir()
    older.put("sub/inside.png", PNG)
    older.put(MARK, b"mark")
    older.put(".hidden.png", PNG)
    (older.folder / "link.png").symlink_to(older.folder.parent / "secret.png")
    guid = older.add(new_guid(), filename)

    older.adopt()

    assert older.bytes_of(guid) is None


def test_adopt_reports_guids_that_are_no_uuids(
    older: Older, caplog: pytest.LogCaptureFixture
) -> None:
    """A row that no call can name is counted and logged, and listed all the same."""
    older.add("not-a-uuid", "odd.png")

    with caplog.at_level(logging.WARNING, "pixy_grpc.data.adoption"):
        report = older.adopt()

    assert len(report.not_uuid) == 1
    assert "guid is no UUID" in caplog.text
    assert older.found(ImageFilter()) == {"not-a-uuid"}


def test_adopt_goes_on_where_a_crash_left_off(older: Older) -> None:
    """A batch that was recorded is not repeated, and the others follow."""
    guids = [older.add(new_guid(), f"{number}.png") for number in range(ROWS_A_BATCH + 5)]
    migrate(older.database, soon())
    with older.database.write(soon()) as session:
        session.execute("UPDATE adoption SET next_image = next_image + :done", {"done": 5})

    report = older.adopt()

    assert report.images == ROWS_A_BATCH
    assert older.found(ImageFilter(filename=f"{ROWS_A_BATCH + 4}.png")) == {guids[-1]}


def test_adopt_writes_large_rows_a_few_at_a_time(older: Older) -> None:
    """Each transaction is short, however long the prompts are, or it would never end."""
    prompt = "".join(chr(0x4E00 + number) for number in range(20_000))
    for number in range(9):
        older.add(new_guid(), f"{number}.png", prompt)
    migrate(older.database, soon())
    counting = InterruptedDatabase(older.database)

    report = adopt(counting, older.store, soon())

    assert report.images == 9
    assert counting.writes == LEASE_WRITES + 3 * BATCH_WRITES  # 60,000 bytes each


def test_adopt_of_a_row_beyond_a_batch_writes_it_alone(tmp_path: Path) -> None:
    """Whatever a row takes, it is taken over."""
    (tmp_path / "images").mkdir()
    with sqlite(tmp_path) as database:
        older = Older(database, tmp_path / "images")
        guids = [older.add(new_guid(), "fox.png", "fox " * 100_000) for _ in range(3)]
        migrate(database, soon())
        counting = InterruptedDatabase(database)

        report = adopt(counting, older.store, soon())

        assert report.images == 3
        assert counting.writes == LEASE_WRITES + 3 * BATCH_WRITES
        assert len(guids) == 3


def test_adopt_that_lost_its_lease_stops(older: Older) -> None:
    """What it has recorded stays, and the one that took over goes on behind it."""
    for number in range(ROWS_A_BATCH + 5):
        older.add(new_guid(), f"{number}.png")
    migrate(older.database, soon())
    database = InterruptedDatabase(
        older.database, 1 + BATCH_WRITES, lambda: older.run("DELETE FROM schema_lease")
    )

    with pytest.raises(DBConnectionError, match="took the migration over"):
        adopt(database, older.store, soon())

    assert older.adopt().images == 5


def test_adopt_outlives_the_deadline_for_the_lease(older: Older) -> None:
    """However many rows there are: the deadline is for getting it."""
    older.add(new_guid(), "fox.png")
    migrate(older.database, soon())
    deadline = Deadline.after(1)
    wait = threading.Event().wait
    database = InterruptedDatabase(older.database, 1, lambda: wait(deadline.remaining() + 0.01))

    report = adopt(database, older.store, deadline)

    assert report.images == 1


def test_adopt_takes_the_image_among_files_of_a_guid(older: Older) -> None:
    """The first of several images, else the first file: at each start the same."""
    guids = [older.add(new_guid(), "no such file.png") for _ in range(12)]
    for guid in guids:
        for extension in ("aaa", "bak", "json", "txt"):
            older.put(f"{guid}.{extension}", b"no image")
        older.put(f"{guid}.jpg", JPEG)
        older.put(f"{guid}.png", PNG)
    other = older.add(new_guid(), "no such file.png")
    for extension in ("md", "log", "txt"):
        older.put(f"{other}.{extension}", extension.encode())

    older.adopt()

    assert {older.bytes_of(guid) for guid in guids} == {JPEG}
    assert older.bytes_of(other) == b"log"


def test_adopt_takes_a_file_of_the_guid_before_one_of_the_name(older: Older) -> None:
    """A guid is nobody else's, where two rows may have one filename."""
    own = older.add(new_guid(), "fox.png")
    other = older.add(new_guid(), "fox.png")
    older.put(f"{own}.png", PNG)
    older.put("fox.png", JPEG)

    older.adopt()

    assert (older.bytes_of(own), older.bytes_of(other)) == (PNG, JPEG)


def test_adopt_reports_files_that_have_gone(older: Older, caplog: pytest.LogCaptureFixture) -> None:
    """A file that vanished since it was seen costs its row the bytes, and no more."""
    gone = older.add(new_guid(), "gone.png")
    there = older.add(new_guid(), "there.png")
    older.put("gone.png", PNG)
    older.put("there.png", PNG)
    migrate(older.database, soon())
    database = InterruptedDatabase(older.database, 1, (older.folder / "gone.png").unlink)

    report = adopt(database, older.store, soon())

    assert (report.images, report.files, report.unreadable) == (2, 1, ["gone.png"])
    assert "cannot read files=1" in caplog.text
    assert older.bytes_of(gone) is None
    assert older.bytes_of(there) == PNG


def test_folder_that_cannot_be_listed_is_out_of_reach(tmp_path: Path) -> None:
    """Nobody takes it for one without files."""
    with pytest.raises(StorageUnavailableError):
        older_files(FolderStore(tmp_path / "unmounted"))


def test_adopt_again_does_nothing(older: Older) -> None:
    """Rows are taken over once, and those of this version never: later starts go on."""
    older.add(new_guid(), "fox.png")
    older.adopt()
    older.put("fox.png", PNG)
    added = add(older.repository, filename="fox.png")

    report = older.adopt()

    assert report.images == 0
    assert older.repository.get(added.image.guid, soon()) == added


def test_adopt_waits_for_another_server(older: Older) -> None:
    """While another server holds the lease of the migration, nothing is taken over twice."""
    older.add(str(uuid.uuid4()), "fox.png")
    migrate(older.database, soon())

    with lease(older.database, soon()), pytest.raises(Exception, match="still migrating"):
        adopt(older.database, older.store, soon().within(0.5))

    assert adopt(older.database, older.store, soon()).images == 1
