"""Images are read as files, from a real server, by those who read files."""

import io

import pytest
from PIL import Image as Picture

from pixy_client import ImageCorruptError, RecordNotFoundError
from tests.e2e.rooms.large import MEBIBYTE, add_image
from tests.support.server import RunningServer

NO_GUID = "00000000-0000-4000-8000-000000000000"


def test_opened_image_is_a_picture(server: RunningServer) -> None:
    """Pillow reads it as it comes, going back and forth as it likes."""
    with server.client() as client:
        image = client.create("a fox in a file", size="96x64").image
        with (
            client.open(image.guid) as file,
            Picture.open(file) as picture,
        ):
            picture.load()

            assert picture.size == (96, 64)
            assert picture.format == "PNG"


def test_opened_image_gives_any_part(server: RunningServer) -> None:
    """From the end, over the border of two blocks, from the beginning."""
    guid, data = add_image(server.folder, 3)
    with server.client() as client, client.open(guid) as file:
        file.seek(-10, io.SEEK_END)
        end = file.read()
        file.seek(MEBIBYTE - 5)
        border = file.read(10)
        file.seek(0)

        assert end == data[-10:]
        assert border == data[MEBIBYTE - 5 : MEBIBYTE + 5]
        assert file.read() == data


def test_opened_image_gives_no_byte_of_a_damaged_block(server: RunningServer) -> None:
    """Each part is held to the digests of its blocks; the others are still read."""
    guid, data = add_image(server.folder, 3)
    path = server.file_of(guid)
    path.chmod(0o600)
    with path.open("r+b") as stored:
        stored.seek(MEBIBYTE + 9)
        stored.write(bytes([data[MEBIBYTE + 9] ^ 1]))
    with server.client() as client, client.open(guid) as file:
        file.seek(2 * MEBIBYTE - 1)
        with pytest.raises(ImageCorruptError):
            file.read(1)
        file.seek(2 * MEBIBYTE)

        assert file.read() == data[2 * MEBIBYTE :]


def test_opening_of_no_image_fails(server: RunningServer) -> None:
    """Said at once, not when bytes are read."""
    with server.client() as client, pytest.raises(RecordNotFoundError):
        client.open(NO_GUID)
