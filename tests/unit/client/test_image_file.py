"""An image is a file to whoever reads files."""

import gzip
import io
import shutil
import zipfile
from typing import BinaryIO

import pytest

from pixy_client import ImageFile
from tests.unit.client.images import DATA, image_of
from tests.unit.client.sources import CHUNK_BYTES, SIZE, Source


@pytest.mark.parametrize("size", [1, 4, CHUNK_BYTES, 7, SIZE, SIZE + 1, -1, None])
def test_file_read_in_order_is_one_stream(size: int | None) -> None:
    """As many bytes as are asked for, fewer only at the end; verified there."""
    source = Source()
    with ImageFile(source.open) as file:
        pieces = list(iter(lambda: file.read(size), b""))

        assert b"".join(pieces) == DATA
        assert all(len(piece) == size for piece in pieces[:-1])
        assert file.verified
        assert source.offsets == [0]


def test_file_says_what_it_is() -> None:
    """Readable, seekable, and of what image."""
    with ImageFile(Source().open) as file:
        assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
        assert (file.size, file.image) == (SIZE, image_of())
        assert not file.verified


def test_file_has_the_name_of_its_image() -> None:
    """What is sent on as an upload is named by it, and gzip and others ask for its mode."""
    packed = gzip.compress(DATA)
    with ImageFile(Source(data=packed).open) as file:
        assert (file.name, file.mode) == ("a-red-fox.png", "rb")
        assert gzip.GzipFile(fileobj=file).read() == DATA


def test_file_is_a_binary_file_to_who_checks_types() -> None:
    """As what `open` returns is: Pillow and zipfile ask for one of these."""

    def first_byte(file: BinaryIO) -> bytes:
        return file.read(1)

    with ImageFile(Source().open) as file:
        assert first_byte(file) == DATA[:1]


def test_file_is_not_written_to() -> None:
    """Refused as any file that was opened for reading refuses it."""
    with ImageFile(Source().open) as file:
        with pytest.raises(io.UnsupportedOperation):
            file.write(b"x")
        with pytest.raises(io.UnsupportedOperation):
            file.truncate(0)


def test_file_reads_into_buffers_and_messages() -> None:
    """What other readers of files call."""
    with ImageFile(Source().open) as file:
        buffer = bytearray(7)

        assert file.read1() == DATA[:5]
        assert file.read1(2) == DATA[5:7]
        assert file.readinto(buffer) == 7
        assert bytes(buffer) == DATA[7:14]
        assert file.tell() == 14
        assert file.readline() == DATA[14:]
        assert file.read1() == b""


def test_file_is_copied() -> None:
    """By the standard library's own way."""
    copy = io.BytesIO()
    with ImageFile(Source().open) as file:
        shutil.copyfileobj(file, copy, 4)

    assert copy.getvalue() == DATA


def test_file_is_an_archive_to_zipfile() -> None:
    """Whose directory is at the end, and is read first."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("fox.txt", DATA * 9)

    with ImageFile(Source(data=packed.getvalue()).open) as file, zipfile.ZipFile(file) as opened:
        assert opened.read("fox.txt") == DATA * 9


def test_seek_asks_for_nothing_until_bytes_are_wanted() -> None:
    """Those at hand are not asked for again; a new stream is of the same bytes."""
    source = Source()
    with ImageFile(source.open) as file:
        file.read(7)
        assert file.seek(5) == 5
        assert file.read(4) == DATA[5:9]
        assert file.seek(-2, io.SEEK_END) == SIZE - 2
        assert file.seek(-1, io.SEEK_CUR) == SIZE - 3
        assert source.offsets == [0]

        rest = file.read()

        assert rest == DATA[-3:]
        assert source.opened == [(0, ""), (SIZE - 3, image_of().sha256)]
        assert not file.verified


def test_seek_ends_the_stream_it_leaves() -> None:
    """One call at a time."""
    source = Source()
    with ImageFile(source.open) as file:
        file.read(1)
        file.seek(12)
        file.read(1)

        assert source.running == 1


def test_seek_past_the_end_finds_nothing_there() -> None:
    """As in any file, and without asking."""
    source = Source()
    with ImageFile(source.open) as file:
        file.seek(SIZE + 10)

        assert file.read() == b""
        assert file.tell() == SIZE + 10
        assert source.offsets == [0]


@pytest.mark.parametrize(("offset", "whence"), [(-1, 0), (-1, 1), (-SIZE - 1, 2), (0, 7)])
def test_seek_to_no_position_fails(offset: int, whence: int) -> None:
    """Before the beginning, or from nowhere."""
    with ImageFile(Source().open) as file, pytest.raises(ValueError, match="position"):
        file.seek(offset, whence)


def test_file_without_a_sum_is_read_in_order() -> None:
    """Nothing tells whether what another stream brought were bytes of the same image."""
    with ImageFile(Source(image_of(sha256="")).open) as file:
        assert (file.size, file.seekable()) == (SIZE, False)
        with pytest.raises(io.UnsupportedOperation):
            file.seek(0)

        assert file.read() == DATA


def test_file_of_unknown_size_is_read_in_order() -> None:
    """There is no end to seek from until it was met."""
    with ImageFile(Source(image_of(sha256="", size_bytes=0)).open) as file:
        assert (file.size, file.seekable()) == (None, False)
        with pytest.raises(io.UnsupportedOperation):
            file.seek(0)

        assert file.read() == DATA
        assert (file.size, file.verified) == (SIZE, False)
