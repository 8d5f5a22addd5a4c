"""Renditions over the wire: every size in every format, and what is said of them."""

import hashlib
import io
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from pixy_client import Client
from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rpc.fields import RenditionFields
from tests.e2e.rpc.logbook import LogBook
from tests.e2e.rpc.reading import Read, read
from tests.e2e.rpc.stocking import Add, stock
from tests.e2e.rpc.wire import parts, refused
from tests.support.process import wait_until
from tests.support.server import RunningServer, StartServer

WIDTH, HEIGHT = 640, 400
SIDES = (0, 128, 256, 512, 1024)
FORMATS = {
    pb.IMAGE_FORMAT_PNG: "PNG",
    pb.IMAGE_FORMAT_JPEG: "JPEG",
    pb.IMAGE_FORMAT_WEBP: "WEBP",
}
OF_THE_BYTES = ("content_type", "size_bytes", "sha256", "width", "height")


@pytest.fixture(scope="module")
def images(lone_server: RunningServer) -> dict[pb.ImageFormat.ValueType, pb.ImageDetails]:
    """Make an image in each format."""
    made = {}
    for number in FORMATS:
        request = pb.CreateImageRequest(
            prompt="a fox", filename="fox.png", size=f"{WIDTH}x{HEIGHT}", format=number
        )
        with lone_server.stub() as stub:
            made[number] = stub.CreateImage(request, metadata=lone_server.metadata()).details
    return made


@pytest.fixture(scope="module")
def add(lone_server: RunningServer) -> Iterator[Add]:
    """Store images in the module's server."""
    with stock(lone_server) as adding:
        yield adding


def kept(server: RunningServer, guid: str = "") -> list[Path]:
    """Return the files of the cache, those of an image if one is named."""
    return list((server.folder / "renditions").glob(f"*/{guid}*.*"))


def clear(server: RunningServer) -> None:
    """Forget every rendition, as whoever runs the server may."""
    shutil.rmtree(server.folder / "renditions", ignore_errors=True)


def is_described(got: Read) -> bool:
    """Tell whether what is said of the bytes is true of them."""
    about = got.details
    return (
        about.sha256 == hashlib.sha256(got.data).hexdigest()
        and about.size_bytes == len(got.data)
        and (about.width, about.height) == got.picture.size
        and about.content_type == f"image/{(got.picture.format or '').lower()}"
    )


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("target", [pb.IMAGE_FORMAT_UNSPECIFIED, *FORMATS])
@pytest.mark.parametrize("source", FORMATS)
def test_every_size_and_format_is_what_its_details_say(
    lone_server: RunningServer,
    images: dict[pb.ImageFormat.ValueType, pb.ImageDetails],
    source: pb.ImageFormat.ValueType,
    target: pb.ImageFormat.ValueType,
    side: int,
) -> None:
    """Never larger than the image; and the image itself where that is what is wanted."""
    image = images[source]

    got = read(lone_server, image.guid, max_side=side, format=target)

    assert is_described(got)
    assert got.picture.format == FORMATS[target or source]
    assert got.picture.size == ((side, side * HEIGHT // WIDTH) if 0 < side < WIDTH else image_size)
    is_original = target in (0, source) and not 0 < side < WIDTH
    assert (got.details.sha256 == image.sha256) is is_original
    for name in set(pb.ImageDetails.DESCRIPTOR.fields_by_name) - set(OF_THE_BYTES):
        assert getattr(got.details, name) == getattr(image, name)


image_size = (WIDTH, HEIGHT)


def test_ranges_are_of_the_renditions_bytes(
    lone_server: RunningServer, images: dict[pb.ImageFormat.ValueType, pb.ImageDetails]
) -> None:
    """Offset and limit, whole renditions in pieces, and past their end."""
    guid = images[pb.IMAGE_FORMAT_PNG].guid
    wanted: RenditionFields = {"max_side": 128, "format": pb.IMAGE_FORMAT_JPEG}
    whole = read(lone_server, guid, **wanted)
    size = len(whole.data)

    middle = read(lone_server, guid, read_offset=100, read_limit=50, **wanted)
    end = read(lone_server, guid, read_offset=size, **wanted)
    refusal = refused(lambda: read(lone_server, guid, read_offset=size + 1, **wanted))

    assert middle == Read(whole.details, whole.data[100:150])
    assert end == Read(whole.details, b"")
    assert refusal.reason == "INVALID_OFFSET"


def test_large_rendition_comes_in_blocks(lone_server: RunningServer, add: Add) -> None:
    """No message holds more than a mebibyte, and blocks do not show."""
    noise = Image.effect_noise((1100, 1100), 90)
    encoded = io.BytesIO()
    noise.save(encoded, "JPEG", quality=90)
    guid = add(encoded.getvalue(), content_type="image/jpeg", width=1100, height=1100)
    request = pb.GetImageBytesRequest(guid=guid, max_side=1024, format=pb.IMAGE_FORMAT_PNG)
    with lone_server.stub() as stub:
        _, *rest = stub.GetImageBytes(request, metadata=lone_server.metadata())

    got = read(lone_server, guid, max_side=1024, format=pb.IMAGE_FORMAT_PNG)

    assert len(rest) > 1
    assert [len(part.data) for part in rest[:-1]] == [BLOCK_BYTES] * (len(rest) - 1)
    assert is_described(got)


@pytest.mark.parametrize(("position", "is_made_anew"), [(-1, True), (-BLOCK_BYTES, False)])
def test_range_of_a_damaged_rendition_is_right(
    lone_server: RunningServer, add: Add, log: LogBook, position: int, *, is_made_anew: bool
) -> None:
    """Made anew where the damage is in a block that is asked for; the details stay its own."""
    encoded = io.BytesIO()
    Image.effect_noise((1100, 1100), 90).save(encoded, "JPEG", quality=90)
    guid = add(encoded.getvalue(), content_type="image/jpeg", width=1100, height=1100)
    wanted: RenditionFields = {"max_side": 1024, "format": pb.IMAGE_FORMAT_PNG}
    whole = read(lone_server, guid, **wanted)
    (path,) = kept(lone_server, guid)
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)

    end = read(lone_server, guid, read_offset=len(whole.data) - 9, **wanted)

    assert end == Read(whole.details, whole.data[-9:])
    assert log.text.count(f"unreadable rendition name={path.name}") == int(is_made_anew)
    assert read(lone_server, guid, **wanted) == whole


@pytest.mark.parametrize("is_kept", [True, False])
def test_resume_goes_on_with_the_expected_bytes(
    lone_server: RunningServer,
    images: dict[pb.ImageFormat.ValueType, pb.ImageDetails],
    *,
    is_kept: bool,
) -> None:
    """Also when the rendition had to be made anew: it has the bytes it had."""
    guid = images[pb.IMAGE_FORMAT_JPEG].guid
    wanted: RenditionFields = {"max_side": 256, "format": pb.IMAGE_FORMAT_WEBP}
    whole = read(lone_server, guid, **wanted)
    if not is_kept:
        clear(lone_server)

    expected = whole.details.sha256.upper()
    rest = read(lone_server, guid, read_offset=77, expected_sha256=expected, **wanted)

    assert rest == Read(whole.details, whole.data[77:])


@pytest.mark.parametrize("side", [0, 128])
@pytest.mark.parametrize("offset", [0, 10, 10**9])
def test_resume_of_other_bytes_is_told_to_begin_anew(
    lone_server: RunningServer,
    images: dict[pb.ImageFormat.ValueType, pb.ImageDetails],
    side: int,
    offset: int,
) -> None:
    """The sum of an image is not that of its rendition, and none of either is this one."""
    image = images[pb.IMAGE_FORMAT_PNG]
    other = image.sha256 if side else "0" * 64

    refusal = refused(
        lambda: read(
            lone_server, image.guid, max_side=side, read_offset=offset, expected_sha256=other
        )
    )

    assert (refusal.status, refusal.reason) == ("ABORTED", "IMAGE_CHANGED")


def test_older_image_has_renditions_but_no_sum_to_expect(
    lone_server: RunningServer, images: dict[pb.ImageFormat.ValueType, pb.ImageDetails], add: Add
) -> None:
    """What is not known of it is known of what is made of it."""
    data = read(lone_server, images[pb.IMAGE_FORMAT_PNG].guid).data
    guid = add(data, sha256="", block_digests=b"", width=0, height=0)

    got = read(lone_server, guid, max_side=256)
    again = read(lone_server, guid, max_side=256, expected_sha256=got.details.sha256)
    refusal = refused(lambda: read(lone_server, guid, expected_sha256=got.details.sha256))

    assert is_described(got)
    assert again == got
    assert refusal.reason == "IMAGE_CHANGED"
    assert read(lone_server, guid).details.sha256 == ""


def test_transparent_png_is_white_in_a_jpeg(lone_server: RunningServer, add: Add) -> None:
    """Nothing shines through that was hidden."""
    picture = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    encoded = io.BytesIO()
    picture.save(encoded, "PNG")
    guid = add(encoded.getvalue(), width=300, height=300)

    for side in (0, 128):
        got = read(lone_server, guid, max_side=side, format=pb.IMAGE_FORMAT_JPEG)
        assert got.picture.getpixel((64, 64)) == (255, 255, 255)
    clear_one = read(lone_server, guid, max_side=128, format=pb.IMAGE_FORMAT_WEBP)
    assert clear_one.picture.getpixel((64, 64)) == (0, 0, 0, 0)


def test_largest_image_has_renditions(lone_server: RunningServer) -> None:
    """4096x4096 is made small, and made another format."""
    with lone_server.client() as client:
        guid = client.create("a field of poppies", size="4096x4096").image.guid

    small = read(lone_server, guid, max_side=1024)
    other = read(lone_server, guid, format=pb.IMAGE_FORMAT_JPEG)

    assert is_described(small)
    assert small.picture.size == (1024, 1024)
    assert is_described(other)
    assert other.picture.size == (4096, 4096)


def test_many_callers_at_once_get_the_same_renditions(
    lone_server: RunningServer, images: dict[pb.ImageFormat.ValueType, pb.ImageDetails]
) -> None:
    """Whoever asks for what, at once and again: each is right, and kept once."""
    clear(lone_server)
    guid = images[pb.IMAGE_FORMAT_PNG].guid
    asked = [(caller, side) for side in (128, 256) for caller in ("alice", "bob")] * 6

    with ThreadPoolExecutor(len(asked)) as pool:
        got = list(pool.map(lambda each: read(lone_server, guid, each[0], max_side=each[1]), asked))

    assert all(is_described(each) for each in got)
    assert {(side, each.details.sha256) for (_, side), each in zip(asked, got, strict=True)} == {
        (128, read(lone_server, guid, max_side=128).details.sha256),
        (256, read(lone_server, guid, max_side=256).details.sha256),
    }
    assert len(kept(lone_server, guid)) == 2


def test_delete_removes_what_was_made_of_the_image(
    lone_server: RunningServer, images: dict[pb.ImageFormat.ValueType, pb.ImageDetails]
) -> None:
    """Its renditions are not found, and not there; those of others are."""
    other = images[pb.IMAGE_FORMAT_PNG].guid
    read(lone_server, other, max_side=128)
    with lone_server.client() as client:
        guid = client.create("a fox", size="300x300").image.guid
        for side in (128, 256):
            read(lone_server, guid, max_side=side)
        before = len(kept(lone_server, guid))

        client.delete(guid)

    refusal = refused(lambda: read(lone_server, guid, max_side=128))
    assert before == 2
    assert refusal.reason == "IMAGE_NOT_FOUND"
    assert kept(lone_server, guid) == []
    assert kept(lone_server, other)


def test_damaged_rendition_is_made_anew(
    lone_server: RunningServer,
    images: dict[pb.ImageFormat.ValueType, pb.ImageDetails],
    log: LogBook,
) -> None:
    """The caller sees nothing of it; the log does."""
    clear(lone_server)
    guid = images[pb.IMAGE_FORMAT_WEBP].guid
    first = read(lone_server, guid, max_side=128)
    (path,) = kept(lone_server, guid)
    whole = path.read_bytes()
    for damage in (b"", whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), whole + b"\0"):
        path.write_bytes(damage)

        assert read(lone_server, guid, max_side=128) == first
        assert path.read_bytes() == whole
    assert log.text.count(f"unreadable rendition name={path.name}") == 4


@pytest.mark.parametrize("why", ["keeps none", "a file in its place"])
def test_rendition_that_cannot_be_kept_is_served(start_server: StartServer, why: str) -> None:
    """No read fails for the cache."""
    server = start_server(renditions_mb=0 if why == "keeps none" else 1)
    if why != "keeps none":
        (server.folder / "renditions").write_bytes(b"")
    with server.client() as client:
        guid = client.create("a fox", size="300x300").image.guid

        first, second = (read(server, guid, max_side=128) for _ in range(2))
        client.delete(guid, allow_missing=False)

    assert is_described(first)
    assert first == second
    assert kept(server) == []


def test_start_with_less_room_gives_it_back(start_server: StartServer) -> None:
    """What an earlier start kept beyond the setting goes, whether anybody reads or not."""
    server = start_server()
    with server.client() as client:
        guid = client.create("a fox", size="300x300").image.guid
    read(server, guid, max_side=128)
    before = kept(server)

    start_server(renditions_mb=0)

    wait_until(lambda: not kept(server), "the cache is empty")
    assert before


def test_client_reads_an_image_beside_its_renditions(
    lone_server: RunningServer, images: dict[pb.ImageFormat.ValueType, pb.ImageDetails]
) -> None:
    """Who asks for the image gets the image."""
    image = images[pb.IMAGE_FORMAT_PNG]
    read(lone_server, image.guid, max_side=128)

    with lone_server.client() as client:
        assert isinstance(client, Client)
        assert client.read(image.guid).verified
    assert next(iter(parts(lone_server, image.guid))).details == image
