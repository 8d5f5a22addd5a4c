"""What bytes are is read from the bytes; what does not decode to its end is no image."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixy_grpc.core.exceptions import ProviderBadResponseError
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.service.inspection import MAX_PIXELS, Picture, inspect

SIZE = (48, 32)


def encoded(kind: str, size: tuple[int, int] = SIZE, mode: str = "RGB") -> bytes:
    """Return an image file with noise in it, so that none of it is spare."""
    buffer = io.BytesIO()
    Image.effect_noise(size, 80).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of few bytes that claims to be that large."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return png(header, b"IDAT" + zlib.compress(b"\0" * 100), b"IEND")


def png(*chunks: bytes) -> bytes:
    """Return a PNG of chunks, each its name and what it holds."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


@pytest.mark.parametrize("image_format", ImageFormat)
def test_inspect_reads_format_and_dimensions(image_format: ImageFormat) -> None:
    """Each format of the contract is known by its bytes."""
    assert inspect(encoded(image_format.upper())) == Picture(image_format, *SIZE)


def without_palette() -> bytes:
    """Return a PNG of colours by their numbers, which says of none what it is."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0)
    return png(header, b"IDAT" + zlib.compress(bytes(72)), b"IEND")


def with_late_profile() -> bytes:
    """Return a PNG with a colour profile behind its pixels that is cut off after its name."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    return png(header, b"IDAT" + zlib.compress(bytes(72)), b"iCCPname\0", b"IEND")


def test_chunk_that_cannot_be_read_behind_the_pixels_is_refused() -> None:
    """Pillow reads on to the end, and trips over it as over nothing before them."""
    with pytest.raises(ProviderBadResponseError):
        inspect(with_late_profile())


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_inspect_takes_every_kind_of_pixel(mode: str) -> None:
    """A provider may answer in grey, in a palette or with transparency."""
    assert inspect(encoded("PNG", mode=mode)).format is ImageFormat.PNG


@pytest.mark.parametrize("image_format", ImageFormat)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_image_is_refused(image_format: ImageFormat, share: float) -> None:
    """An answer that was cut off is no image, though its header is whole."""
    data = encoded(image_format.upper())

    with pytest.raises(ProviderBadResponseError):
        inspect(data[: int(len(data) * share)])


@pytest.mark.parametrize("image_format", ImageFormat)
@pytest.mark.parametrize("missing", [1, 4, 12, 20])
def test_image_without_its_last_bytes_is_refused(image_format: ImageFormat, missing: int) -> None:
    """An end that is missing is noticed, though every pixel may be there."""
    data = encoded(image_format.upper())

    with pytest.raises(ProviderBadResponseError):
        inspect(data[:-missing])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an image",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
        b"<?xml version='1.0'?><svg><script>alert(1)</script></svg>",
        b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
        b'{"error": "moderation"}',
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"RIFF\x04\0\0\0WEBP",
        encoded("GIF", mode="P"),
        encoded("BMP"),
        encoded("TIFF"),
        encoded("PPM"),
    ],
    ids=lambda data: ascii(data[:12]),
)
def test_what_is_no_image_of_ours_is_refused(data: bytes) -> None:
    """Neither documents nor formats that the contract does not name are stored."""
    with pytest.raises(ProviderBadResponseError):
        inspect(data)


@pytest.mark.parametrize(
    ("width", "height"), [(4097, 4096), (10_000, 10_000), (30_000, 30_000), (2**31 - 1, 2**31 - 1)]
)
def test_decompression_bomb_is_refused_unread(width: int, height: int) -> None:
    """What claims more pixels than any image has is not decoded, however few its bytes."""
    assert width * height > MAX_PIXELS

    with pytest.raises(ProviderBadResponseError):
        inspect(bomb(width, height))


def test_largest_image_is_taken() -> None:
    """The limit is the largest image that can be asked for."""
    buffer = io.BytesIO()
    Image.new("1", (4096, 4096)).save(buffer, "PNG")

    assert inspect(buffer.getvalue()) == Picture(ImageFormat.PNG, 4096, 4096)


@settings(deadline=None)
@given(st.sampled_from(ImageFormat), st.integers(min_value=0), st.integers(1, 255))
def test_changed_byte_is_an_image_or_refused(
    image_format: ImageFormat, position: int, change: int
) -> None:
    """Whatever an answer holds, it ends in a picture or in the one error for it."""
    data = bytearray(SAMPLES[image_format])
    data[position % len(data)] ^= change

    try:
        picture = inspect(bytes(data))
    except ProviderBadResponseError:
        return

    assert picture.width * picture.height <= MAX_PIXELS


SAMPLES = {image_format: encoded(image_format.upper()) for image_format in ImageFormat}


def test_message_says_nothing_of_the_answer() -> None:
    """What a provider sent is not for callers."""
    with pytest.raises(ProviderBadResponseError) as caught:
        inspect(b"secret text of a provider")

    assert "secret" not in caught.value.message


def test_jpeg_with_further_pictures_is_a_jpeg() -> None:
    """Cameras, and some models, put several into one file: the first is the image."""
    buffer = io.BytesIO()
    first, second = Image.new("RGB", SIZE), Image.new("RGB", (16, 16))
    first.save(buffer, "MPO", save_all=True, append_images=[second])

    assert inspect(buffer.getvalue()) == Picture(ImageFormat.JPEG, *SIZE)


def of_scans(size: tuple[int, int], scans: int) -> bytes:
    """Return a progressive JPEG whose last scan comes that many times more."""
    buffer = io.BytesIO()
    Image.effect_noise(size, 80).save(buffer, "JPEG", progressive=True)
    whole = buffer.getvalue()
    last, end = whole.rindex(b"\xff\xda"), whole.rindex(b"\xff\xd9")
    return whole[:end] + whole[last:end] * scans + whole[end:]


@pytest.mark.parametrize(("scans", "is_taken"), [(100, True), (1000, False)])
def test_jpeg_of_endless_scans_is_refused(scans: int, *, is_taken: bool) -> None:
    """Each scan is a walk over every pixel: few bytes could keep a processor for hours."""
    padded = of_scans(SIZE, scans)

    if is_taken:
        assert inspect(padded).format is ImageFormat.JPEG
    else:
        with pytest.raises(ProviderBadResponseError):
            inspect(padded)
