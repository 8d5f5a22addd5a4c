"""Pictures made of pictures: how large, how they look, and what is left out of them."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from pixy_grpc.core.exceptions import InvalidFormatError
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.service.rendering import UnreadablePictureError, render
from tests.unit.service.test_inspection import (
    bomb,
    encoded,
    of_scans,
    with_late_profile,
    without_palette,
)

RED, BLUE, CLEAR = (255, 0, 0), (0, 0, 255), (0, 255, 0, 0)
NEAR = 12
"""By how much a colour may differ after a lossy encoding."""

Save = Callable[..., bytes]


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Return a picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def shown(data: bytes, max_side: int = 0, target: ImageFormat = ImageFormat.PNG) -> Image.Image:
    """Return a rendition, decoded again."""
    rendered = render(io.BytesIO(data), max_side, target)
    picture = Image.open(io.BytesIO(rendered.data))
    picture.load()
    assert picture.format == target.upper()
    assert picture.size == (rendered.width, rendered.height)
    return picture


def is_near(colour: object, expected: tuple[int, ...]) -> bool:
    """Tell whether a colour is what it should be, but for what an encoder makes of it."""
    assert isinstance(colour, tuple)
    pairs = zip(colour, expected, strict=True)
    return all(abs(one - other) <= NEAR for one, other in pairs)


@pytest.mark.parametrize("target", ImageFormat)
@pytest.mark.parametrize("source", ImageFormat)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_any_format_is_made_of_any(source: ImageFormat, target: ImageFormat, mode: str) -> None:
    """The longer side is what was asked for, the other in proportion."""
    data = encoded(source.upper(), (600, 301), mode)

    assert shown(data, 256, target).size == (256, 128)


@pytest.mark.parametrize(
    ("size", "max_side", "expected"),
    [
        ((100, 50), 128, (100, 50)),
        ((128, 128), 128, (128, 128)),
        ((129, 10), 128, (128, 10)),
        ((50, 1000), 128, (6, 128)),
        ((2000, 1), 128, (128, 1)),
        ((333, 777), 0, (333, 777)),
    ],
)
def test_longer_side_is_bounded_and_never_grows(
    size: tuple[int, int], max_side: int, expected: tuple[int, int]
) -> None:
    """What is small enough stays as large as it is; nothing becomes thinner than a pixel."""
    assert shown(encoded("PNG", size), max_side).size == expected


def half_clear() -> Image.Image:
    """Return a picture that is red on the left and nothing on the right."""
    picture = Image.new("RGBA", (200, 100), CLEAR)
    picture.paste((*RED, 255), (0, 0, 100, 100))
    return picture


def palette() -> Image.Image:
    """Return the same in a palette, one of whose colours is clear."""
    picture = Image.new("P", (200, 100), 1)
    picture.putpalette([*RED, 0, 255, 0])
    picture.paste(0, (0, 0, 100, 100))
    picture.info["transparency"] = 1
    return picture


def keyed() -> Image.Image:
    """Return the same with a colour that counts as clear."""
    picture = Image.new("RGB", (200, 100), (0, 255, 0))
    picture.paste(RED, (0, 0, 100, 100))
    picture.info["transparency"] = (0, 255, 0)
    return picture


@pytest.mark.parametrize("picture", [half_clear, palette, keyed])
@pytest.mark.parametrize("target", [ImageFormat.PNG, ImageFormat.WEBP])
@pytest.mark.parametrize("max_side", [0, 128])
def test_transparency_is_kept_where_the_target_has_it(
    picture: Callable[[], Image.Image], target: ImageFormat, max_side: int
) -> None:
    """However it was written, and whatever colour was under it."""
    result = shown(saved(picture()), max_side, target)

    assert result.mode == "RGBA"
    left = result.getpixel((result.width // 4, result.height // 2))
    right = result.getpixel((result.width * 3 // 4, result.height // 2))
    assert is_near(left, (*RED, 255))
    assert isinstance(right, tuple)
    assert right[3] == 0


@pytest.mark.parametrize("picture", [half_clear, palette, keyed])
@pytest.mark.parametrize("max_side", [0, 128])
def test_transparency_is_white_in_a_jpeg(picture: Callable[[], Image.Image], max_side: int) -> None:
    """Not black, and not the colour that was hidden under it."""
    result = shown(saved(picture()), max_side, ImageFormat.JPEG)

    assert is_near(result.getpixel((result.width // 4, result.height // 2)), RED)
    assert is_near(result.getpixel((result.width * 3 // 4, result.height // 2)), (255, 255, 255))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_picture_stands_upright(orientation: int, kind: str) -> None:
    """It looks as a viewer would have shown it: nothing is left that says how to turn it."""
    upright = Image.new("RGB", (400, 200), BLUE)
    upright.paste(RED, (0, 0, 100, 100))
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # of Transpose, each its own undoing
    turned = upright
    if orientation in turns:
        turned = upright.transpose(Image.Transpose(turns[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation

    result = shown(saved(turned, kind, exif=exif), 128)

    assert result.size == (128, 64)
    assert is_near(result.getpixel((8, 8)), RED)
    assert is_near(result.getpixel((120, 56)), BLUE)
    assert not result.getexif()


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_unreadable_exif_is_as_none(kind: str, exif: bytes) -> None:
    """The pixels are there; what cannot be read turns nothing."""
    data = saved(Image.new("RGB", (300, 100), RED), kind, exif=exif)

    assert shown(data, 128).size == (128, 43)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("target", ImageFormat)
def test_metadata_is_left_out(kind: str, target: ImageFormat) -> None:
    """Who made it, where and with what is nobody's business who wants a thumbnail."""
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a secret place")
    comments: dict[str, dict[str, object]] = {
        "PNG": {"pnginfo": text},
        "JPEG": {"comment": b"a secret place"},
    }
    more = comments.get(kind, {})
    picture = Image.effect_noise((64, 64), 50).convert("RGB")

    data = saved(picture, kind, exif=exif, icc_profile=profile, xmp=b"a secret place", **more)
    result = render(io.BytesIO(data), 0, target).data

    assert b"secret" in data
    assert b"secret" not in result
    assert Image.open(io.BytesIO(result)).info.keys() <= {"jfif", "jfif_version", "jfif_unit"} | {
        "jfif_density", "dpi", "loop", "background", "timestamp", "duration",
    }  # fmt: skip


def swapping() -> bytes:
    """Return a profile whose red is the blue of sRGB, and its blue the red."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red], profile[blue] = profile[blue], profile[red]
    return bytes(profile)


@pytest.mark.parametrize("target", ImageFormat)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_colours_of_a_profile_become_those_of_srgb(kind: str, target: ImageFormat) -> None:
    """The profile is metadata and left out; how the picture looks is not."""
    data = saved(Image.new("RGB", (64, 64), RED), kind, icc_profile=swapping())

    assert is_near(shown(data, 0, target).getpixel((1, 1)), BLUE)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_colours_of_a_profile_leave_transparency_as_it_is(kind: str) -> None:
    """What is clear has no colour to change."""
    data = saved(half_clear(), kind, icc_profile=swapping(), lossless=True)

    result = shown(data)

    assert is_near(result.getpixel((50, 50)), (*BLUE, 255))
    assert result.getchannel("A").getpixel((150, 50)) == 0


@settings(deadline=None)
@given(st.integers(min_value=0), st.binary(min_size=1, max_size=8))
def test_changed_profile_gives_a_rendition(position: int, change: bytes) -> None:
    """It comes from the file, and changes colours at most."""
    profile = bytearray(swapping())
    position %= len(profile)
    profile[position : position + len(change)] = change
    data = saved(Image.new("RGB", (64, 64), RED), icc_profile=bytes(profile))

    assert shown(data, 32).size == (32, 32)


@pytest.mark.parametrize("profile", [b"nonsense", swapping()[:200], swapping()[:-400]])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_unusable_profile_is_as_none(kind: str, profile: bytes) -> None:
    """The pixels are there."""
    data = saved(Image.new("RGB", (64, 64), RED), kind, icc_profile=profile)

    assert is_near(shown(data).getpixel((1, 1)), RED)


def test_deep_greys_stay_what_they_are() -> None:
    """Sixteen bits become eight by their value: they are not cut off at white."""
    data = saved(Image.new("I;16", (64, 64), 0x7F00))

    assert shown(data, 0).getpixel((1, 1)) == 0x7F


def test_printing_colours_become_those_of_a_screen() -> None:
    """CMYK is a JPEG's alone."""
    data = saved(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG")

    for target in ImageFormat:
        assert is_near(shown(data, 0, target).getpixel((1, 1)), RED)


@pytest.mark.parametrize("target", ImageFormat)
def test_same_picture_gives_the_same_bytes(target: ImageFormat) -> None:
    """A rendition that is made anew is the one that a resume began with."""
    data = encoded("PNG", (300, 200))

    first, second = (render(io.BytesIO(data), 128, target) for _ in range(2))

    assert first == second


def test_picture_of_too_many_pixels_is_refused_unread() -> None:
    """What would take the memory of many is not decoded."""
    with pytest.raises(InvalidFormatError) as refused:
        render(io.BytesIO(bomb(4097, 4096)), 128, ImageFormat.PNG)

    assert [violation.field for violation in refused.value.violations] == ["format"]


def test_picture_of_endless_scans_is_refused_unread() -> None:
    """Few bytes of an older file could keep a processor for hours, and nobody can stop it."""
    with pytest.raises(InvalidFormatError) as refused:
        render(io.BytesIO(of_scans((64, 64), 1000)), 128, ImageFormat.PNG)

    assert [violation.field for violation in refused.value.violations] == ["format"]
    assert shown(of_scans((64, 64), 100), 32).size == (32, 32)


def test_picture_that_the_target_cannot_hold_is_refused() -> None:
    """That is no fault of the picture: smaller, or in another format, it can be had."""
    data = saved(Image.new("L", (16_384, 2)))

    with pytest.raises(InvalidFormatError):
        render(io.BytesIO(data), 0, ImageFormat.WEBP)

    assert shown(data, 128, ImageFormat.WEBP).size == (128, 1)


@pytest.mark.parametrize("data", [b"", b"text", b"<svg/>", saved(Image.new("L", (9, 9)), "GIF")])
def test_what_is_no_picture_of_ours_is_unreadable(data: bytes) -> None:
    """Other formats are not tried."""
    with pytest.raises(UnreadablePictureError):
        render(io.BytesIO(data), 128, ImageFormat.PNG)


@pytest.mark.parametrize("make", [without_palette, with_late_profile])
@pytest.mark.parametrize("max_side", [0, 128])
def test_png_that_lacks_what_it_needs_is_unreadable(
    make: Callable[[], bytes], max_side: int
) -> None:
    """Its pixels are there: what they mean, or what stands behind them, is not."""
    with pytest.raises(UnreadablePictureError):
        render(io.BytesIO(make()), max_side, ImageFormat.WEBP)


SAMPLES = {each: encoded(each.upper()) for each in ImageFormat}


@settings(deadline=None)
@given(st.sampled_from(ImageFormat), st.integers(min_value=0), st.integers(1, 255))
def test_changed_byte_gives_a_rendition_or_its_one_error(
    image_format: ImageFormat, position: int, change: int
) -> None:
    """Whatever an older file holds, nothing unforeseen comes of it."""
    data = bytearray(SAMPLES[image_format])
    data[position % len(data)] ^= change

    try:
        rendered = render(io.BytesIO(bytes(data)), 128, ImageFormat.WEBP)
    except (UnreadablePictureError, InvalidFormatError):
        return

    assert max(rendered.width, rendered.height) <= 128
