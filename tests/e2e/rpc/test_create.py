"""CreateImage and GetImageDetails: what an image is made of, and what is said about it."""

import hashlib
import io
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image as Picture

from pixy_client import Client, ImageFormat
from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1.image_service_pb2_grpc import ImageServiceStub
from tests.support.server import RunningServer

SMALL = "64x64"


def test_create_describes_the_bytes_it_stored(client: Client) -> None:
    """Digest, length, type and dimensions are those of the bytes that are served."""
    before = datetime.now(UTC).replace(microsecond=0)

    image = client.create("A red fox in the snow", size="96x64").image

    data = client.read(image.guid).data
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert image.size_bytes == len(data)
    assert image.content_type == "image/png"
    assert (image.width, image.height) == (96, 64)
    assert (image.generator, image.model) == ("sketch", "")
    assert (image.prompt, image.filename) == ("A red fox in the snow", "a-red-fox-in-the-snow.png")
    assert str(uuid.UUID(image.guid)) == image.guid
    assert before <= image.created_at <= before + timedelta(minutes=1)
    assert image.updated_at == image.created_at


@pytest.mark.parametrize(
    ("chosen", "extension"),
    [(ImageFormat.PNG, "png"), (ImageFormat.JPEG, "jpg"), (ImageFormat.WEBP, "webp")],
)
def test_create_in_each_format_stores_that_format(
    client: Client, server: RunningServer, chosen: ImageFormat, extension: str
) -> None:
    """The bytes are what the details call them, and the filename and the file say so."""
    image = client.create("a lighthouse", size=SMALL, format=chosen).image

    with Picture.open(io.BytesIO(client.read(image.guid).data)) as picture:
        assert picture.format == chosen.upper()
        assert picture.size == (64, 64)
    assert image.content_type == f"image/{chosen}"
    assert image.filename == f"a-lighthouse.{extension}"
    assert server.file_of(image.guid).suffix == f".{extension}"


def test_create_without_options_is_a_png_of_1024(client: Client) -> None:
    """What the caller leaves open is the generator's to choose, `auto` as much as nothing."""
    bare = client.create("a mill").image
    auto = client.create("a mill", size="auto", quality="auto").image

    assert (bare.width, bare.height, bare.content_type) == (1024, 1024, "image/png")
    assert auto.sha256 == bare.sha256
    assert auto.guid != bare.guid


@pytest.mark.parametrize("quality", ["low", "medium", "high"])
def test_create_in_each_quality_makes_an_image(client: Client, quality: str) -> None:
    """Every quality the sketch names is one it makes."""
    image = client.create("a bridge", size=SMALL, quality=quality).image

    assert client.read(image.guid).verified


@pytest.mark.parametrize(
    ("prompt", "filename"),
    [
        ("  Trimmed  ", "trimmed.png"),
        ("../../etc/passwd", "etc-passwd.png"),
        ("!?.", "image.png"),
        ("Ärger in Łódź", "ärger-in-łódź.png"),
        ("word " * 40, "-".join(["word"] * 12) + ".png"),
        ("x" * 300, "x" * 60 + ".png"),
        ("狐と雪", "狐と雪.png"),
    ],
)
def test_create_without_filename_gives_a_slug(client: Client, prompt: str, filename: str) -> None:
    """The default label is made of the prompt's words, short, and safe in any folder."""
    image = client.create(prompt, size=SMALL).image

    assert image.filename == filename
    assert image.prompt == prompt.strip()


@pytest.mark.parametrize(
    "filename",
    ["fox.png", "no extension", "n" * 255, "..hidden", "café 狐 🦊.jpg", "100%_*?'\";--"],
)
def test_create_with_filename_keeps_it_as_it_is(client: Client, filename: str) -> None:
    """A label is any text without separators and controls, whatever the format."""
    image = client.create("a named image", filename=filename, size=SMALL).image

    assert client.get(image.guid).filename == filename


@pytest.mark.parametrize(
    "prompt",
    [
        "x" * 32_000,
        "狐" * 21_845,
        "🦊" * 16_383 + "abc",
        "line\none\ttab \x01 and \u202e all",
        "' OR 1=1; --",
    ],
    ids=["most characters", "most bytes", "most bytes of four", "controls", "sql"],
)
def test_create_with_a_prompt_at_the_limit_keeps_every_character(
    client: Client, prompt: str
) -> None:
    """32,000 characters and 65,535 bytes are allowed, and come back as they were."""
    image = client.create(prompt, size=SMALL).image

    assert client.get(image.guid).prompt == prompt


def test_get_returns_what_create_returned(client: Client) -> None:
    """One truth: details do not depend on which RPC tells them."""
    image = client.create("a heron", size=SMALL).image

    assert client.get(image.guid) == image
    assert client.get(image.guid.upper()) == image


def test_another_caller_sees_the_image(client: Client, server: RunningServer) -> None:
    """Images belong to the service: callers are told apart by their request ids only."""
    image = client.create("a shared heron", size=SMALL).image

    with server.client("bob") as bob:
        assert bob.get(image.guid) == image


def test_details_on_the_wire_are_in_whole_seconds_and_lower_case(
    stub: ImageServiceStub, server: RunningServer
) -> None:
    """What the contract says of each field is said of the message, not of the client."""
    request = pb.CreateImageRequest(prompt="a stork", size=SMALL)

    answer = stub.CreateImage(request, metadata=server.metadata())

    details = answer.details
    assert not answer.replayed
    assert re.fullmatch(r"[0-9a-f]{64}", details.sha256)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", details.guid)
    assert details.created_at.seconds
    assert details.created_at.nanos == details.updated_at.nanos == 0
