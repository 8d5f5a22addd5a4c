"""UpdateImage and DeleteImage: what changes, what stays, what is gone."""

import secrets
import uuid

import pytest

from pixy_client import Client
from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.core.exceptions import InvalidGuidError, RecordNotFoundError
from pixy_grpc.core.models import Image
from tests.e2e.rpc.stocking import stock
from tests.support.server import RunningServer


@pytest.fixture
def image(client: Client) -> Image:
    """Create an image of the test's own."""
    return client.create("a wolf on a hill", size="64x64").image


def test_update_filename_changes_nothing_else(client: Client, image: Image) -> None:
    """A field that is absent stays as it is."""
    updated = client.update(image.guid, filename="wolf.png")

    expected = {"filename": "wolf.png", "updated_at": updated.updated_at}
    assert updated == image.model_copy(update=expected)
    assert updated.updated_at >= image.updated_at
    assert client.get(image.guid) == updated


def test_update_prompt_moves_it_in_the_search(client: Client, image: Image) -> None:
    """The image is found by its new words, and no longer by the old ones."""
    word = f"w{uuid.uuid4().hex}"

    updated = client.update(image.guid, prompt=f" a {word} on a hill ")

    assert updated.prompt == f"a {word} on a hill"
    assert [found.guid for found in client.list(prompt=word)] == [image.guid]
    assert image.guid not in {found.guid for found in client.list(prompt="wolf")}


def test_update_of_both_fields_changes_both(client: Client, image: Image) -> None:
    """Both may change in one call."""
    updated = client.update(image.guid, filename="b.png", prompt="both")

    assert (updated.filename, updated.prompt) == ("b.png", "both")


def test_update_without_fields_changes_nothing(client: Client, image: Image) -> None:
    """Nothing to change is no change: not even the time of the last one moves."""
    assert client.update(image.guid) == image
    assert client.get(image.guid) == image


def test_update_leaves_the_bytes(client: Client, image: Image) -> None:
    """Details change, bytes never do."""
    before = client.read(image.guid)

    client.update(image.guid, filename="renamed.png", prompt="renamed")

    after = client.read(image.guid)
    assert after.verified
    assert after.data == before.data
    assert after.image.filename == "renamed.png"


def test_update_by_a_guid_in_upper_case_finds_the_image(client: Client, image: Image) -> None:
    """A guid is looked up without regard to case, and shown in lower case."""
    assert client.update(image.guid.upper(), filename="up.png").guid == image.guid


def test_delete_removes_details_bytes_and_file(
    client: Client, image: Image, server: RunningServer
) -> None:
    """Nothing of it is left to be read, listed or found on disk."""
    path = server.file_of(image.guid)

    client.delete(image.guid.upper())

    assert not path.exists()
    assert image.guid not in {found.guid for found in client.list(prompt="wolf")}
    for act in (client.get, client.read, client.update, client.delete):
        with pytest.raises(RecordNotFoundError):
            act(image.guid)


def test_delete_allow_missing_is_ok_where_there_is_nothing(client: Client, image: Image) -> None:
    """With allow_missing a repeated delete is no error; without, it is."""
    client.delete(image.guid, allow_missing=True)

    client.delete(image.guid, allow_missing=True)
    client.delete(str(uuid.uuid4()), allow_missing=True)

    with pytest.raises(RecordNotFoundError):
        client.delete(image.guid)


def test_delete_allow_missing_still_refuses_what_is_no_guid(client: Client) -> None:
    """Missing is not the same as meaningless."""
    with pytest.raises(InvalidGuidError):
        client.delete("nothing", allow_missing=True)


def test_delete_of_an_image_whose_file_is_gone_is_ok(
    client: Client, image: Image, server: RunningServer
) -> None:
    """What is to be removed need not be whole."""
    server.file_of(image.guid).unlink()

    client.delete(image.guid)

    with pytest.raises(RecordNotFoundError):
        client.get(image.guid)


def test_delete_during_a_download_lets_it_end_whole(client: Client, server: RunningServer) -> None:
    """What was open when the image went stays readable to its end.

    The bytes are more than the connection buffers: most are still to be read.
    """
    data = secrets.token_bytes(24 * BLOCK_BYTES)
    with stock(server) as add:
        guid = add(data)

    with client.stream(guid) as stream:
        client.delete(guid)
        files = list(server.images.rglob(f"{guid}.*"))
        received = b"".join(stream)

    assert not files
    assert stream.verified
    assert received == data
    with pytest.raises(RecordNotFoundError):
        client.read(guid)
