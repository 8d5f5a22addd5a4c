"""The sketch: what it draws, what it refuses, and what its files say of themselves."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from itertools import combinations

import pytest
from PIL import Image, ImageChops, ImageFont, ImageStat

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    DeadlineTooShortError,
    InvalidQualityError,
    InvalidSizeError,
)
from pixy_grpc.core.models import MAX_PROMPT_CHARACTERS, GenerationOptions, ImageFormat
from pixy_grpc.core.ports import Audience, GeneratedImage, ImageGenerator
from pixy_grpc.service.generators.sketch import SketchGenerator
from pixy_grpc.service.generators.sketch.caption import DRAWABLE, legible
from pixy_grpc.service.generators.sketch.painter import paint
from pixy_grpc.service.generators.sketch.scene import Actor, read_scene
from pixy_grpc.service.generators.sketch.vocabulary import (
    COLOURS,
    Figure,
    Ground,
    Sky,
    Time,
    meaning,
)

AUDIENCE = Audience(Deadline.after(3600))
PROMPTS = (
    "a red fox in the snow",
    "sunset over the sea with a boat",
    "night city under the moon",
    "a forest in the fog",
    "mountains at sunrise with a house",
    "a cat on the beach at noon",
    "desert with a cactus",
    "a goldfish",
    "starry night, lighthouse by the sea",
    "purple mountains and a rainbow",
    "rain in the city",
    "blue butterfly and flowers in a meadow",
    "a rocket and planets in space",
    "quarterly results",
    "lorem ipsum dolor",
    "宇宙船",
)
STRANGE_PROMPTS = (
    "🦊" * 500,
    "👩‍👩‍👧 family ☀️",
    "日本語のテキスト",
    "مرحبا بالعالم",
    "e\u0301" * 900,
    "\u0301\u0302\u0303",
    "a\n\n\tb\r\nc\u2028d",
    "W" * MAX_PROMPT_CHARACTERS,
    "word " * (MAX_PROMPT_CHARACTERS // 5),
    "\x01\x7f\u200b\ufeff\U0010ffff",
    "<&>\"'{}%s \\",
    "½ ﬁne Straße",
    ".",
)


def make(prompt: str, size: str = "128x128", **options: object) -> GeneratedImage:
    asked = GenerationOptions.model_validate({"size": size, **options})
    return SketchGenerator().generate(prompt, asked, Deadline.after(60), AUDIENCE)


def picture(prompt: str, size: str = "128x128", **options: object) -> Image.Image:
    image = Image.open(io.BytesIO(make(prompt, size, **options).data))
    image.load()
    return image


def label(prompt: str) -> str:
    return ascii(prompt[:12])


def difference(first: Image.Image, second: Image.Image) -> float:
    """Return how far apart two pictures are at a glance, from 0 to 255."""
    small = [image.convert("RGB").resize((16, 16)) for image in (first, second)]
    return sum(ImageStat.Stat(ImageChops.difference(*small)).mean) / 3


def brightness(image: Image.Image) -> float:
    return ImageStat.Stat(image.convert("L")).mean[0]


def foot(image: Image.Image) -> Image.Image:
    return image.crop((0, image.height * 3 // 4, image.width, image.height))


def test_generator_is_an_image_generator() -> None:
    """The sketch meets the port, and has no model to name."""
    generator: ImageGenerator = SketchGenerator()

    image = generator.generate(
        "a fox", GenerationOptions(size="64x64"), Deadline.after(60), AUDIENCE
    )

    assert generator.name == "sketch"
    assert image.model == ""


@pytest.mark.parametrize("kind", list(ImageFormat))
def test_generate_twice_makes_the_same_bytes(kind: ImageFormat) -> None:
    """A prompt and options always make the same file."""
    first, second = (make("two foxes and a rainbow", format=kind) for _ in range(2))

    assert first == second


def test_generate_in_other_processes_makes_the_same_bytes() -> None:
    """Nothing in a picture depends on Python's own hash of text."""
    prompt = "three owls, a castle and stars over snowy mountains"
    script = (
        "import hashlib, sys\n"
        "from pixy_grpc.core.call import Deadline\n"
        "from pixy_grpc.core.models import GenerationOptions\n"
        "from pixy_grpc.core.ports import Audience\n"
        "from pixy_grpc.service.generators.sketch import SketchGenerator\n"
        "options = GenerationOptions(size='128x128')\n"
        "soon = Deadline.after(60)\n"
        "image = SketchGenerator().generate(sys.argv[1], options, soon, Audience(soon))\n"
        "print(hashlib.sha256(image.data).hexdigest())\n"
    )

    digests = {
        subprocess.run(
            [sys.executable, "-c", script, prompt],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert digests == {sha256(make(prompt).data).hexdigest()}


def test_generate_in_many_threads_makes_the_same_bytes() -> None:
    """Threads that share a generator do not disturb each other."""
    expected = [make(prompt).data for prompt in PROMPTS]

    with ThreadPoolExecutor(8) as threads:
        made = [image.data for image in threads.map(make, PROMPTS * 4)]

    assert made == expected * 4


def test_generate_other_prompts_makes_pictures_apart_at_a_glance() -> None:
    """Any two prompts differ in their thumbnails, not in details alone."""
    pictures = {prompt: picture(prompt, "64x64") for prompt in PROMPTS}

    differences = {
        pair: difference(pictures[pair[0]], pictures[pair[1]]) for pair in combinations(PROMPTS, 2)
    }

    assert min(differences.values()) > 12, min(differences, key=lambda pair: differences[pair])


def test_generate_nearly_the_same_prompts_makes_other_pictures() -> None:
    """Where the known words are the same the prompt's hash still tells pictures apart."""
    pictures = [picture(f"a fox in the snow, take {take}", "64x64") for take in range(6)]

    differences = [difference(*pair) for pair in combinations(pictures, 2)]

    assert min(differences) > 2


def _formats() -> Iterator[tuple[ImageFormat | None, str]]:
    yield None, "PNG"
    yield from ((kind, kind.value.upper()) for kind in ImageFormat)


@pytest.mark.parametrize(("kind", "expected"), list(_formats()))
def test_generate_with_a_format_makes_a_whole_file_of_it(
    kind: ImageFormat | None, expected: str
) -> None:
    """Every format is made, PNG unless one is asked for."""
    image = picture("a bird", "200x120", format=kind)

    assert (image.format, image.size, image.mode) == (expected, (200, 120), "RGB")


@pytest.mark.parametrize("size", ["", "auto"])
def test_generate_without_a_size_makes_1024_pixels_a_side(size: str) -> None:
    """The generator's own choice of size is 1024x1024."""
    image = picture("a tree", size)

    assert image.size == (1024, 1024)


@pytest.mark.parametrize("prompt", ["a fox", "mountains, city, forest", "fish", "stars, rain"])
@pytest.mark.parametrize("size", [(64, 64), (4096, 64), (64, 4096), (65, 127), (300, 96)])
def test_generate_at_an_edge_of_the_sizes_makes_that_size(
    size: tuple[int, int], prompt: str
) -> None:
    """The smallest and the most stretched sizes are made, to the pixel."""
    image = picture(prompt, f"{size[0]}x{size[1]}", format=ImageFormat.JPEG)

    assert image.size == size


def test_generate_the_largest_size_makes_that_size() -> None:
    """4096x4096 is made, to the pixel."""
    image = picture("a whale", "4096x4096", format=ImageFormat.JPEG)

    assert image.size == (4096, 4096)


@pytest.mark.parametrize("size", ["63x64", "64x63", "4097x64", "64x4097", "1x1", "99999x99999"])
def test_check_a_size_outside_the_limits_raises(size: str) -> None:
    """A size that is not made is refused before anything is drawn, with what is allowed."""
    options = GenerationOptions(size=size)

    with pytest.raises(InvalidSizeError) as refused:
        SketchGenerator().check(options)

    assert [violation.field for violation in refused.value.violations] == ["size"]
    assert "64" in refused.value.message
    assert "4096" in refused.value.message


@pytest.mark.parametrize("options", [{"size": "32x32"}, {"quality": "hd"}])
def test_generate_what_check_refuses_raises_the_same(options: dict[str, str]) -> None:
    """Generate refuses what check does."""
    asked = GenerationOptions.model_validate(options)

    with pytest.raises((InvalidSizeError, InvalidQualityError)) as refused:
        SketchGenerator().check(asked)
    with pytest.raises(type(refused.value)):
        SketchGenerator().generate("a fox", asked, Deadline.after(60), AUDIENCE)


@pytest.mark.parametrize("quality", ["", "auto", "low", "medium", "high"])
@pytest.mark.parametrize("kind", list(ImageFormat))
def test_check_what_it_makes_raises_nothing(quality: str, kind: ImageFormat) -> None:
    """All formats go with all qualities."""
    options = GenerationOptions(size="64x4096", quality=quality, format=kind)

    SketchGenerator().check(options)


def test_check_an_unknown_quality_raises() -> None:
    """A quality that is not known is refused with those that are."""
    options = GenerationOptions(quality="hd")

    with pytest.raises(InvalidQualityError, match='"low", "medium", "high"') as refused:
        SketchGenerator().check(options)

    assert [violation.field for violation in refused.value.violations] == ["quality"]


@pytest.mark.parametrize("kind", [ImageFormat.JPEG, ImageFormat.WEBP])
def test_generate_at_a_higher_quality_makes_a_larger_file(kind: ImageFormat) -> None:
    """Quality is what is kept of the picture where the format loses some."""
    low, medium, high = (
        len(make("a castle", quality=quality, format=kind).data)
        for quality in ("low", "medium", "high")
    )

    assert low < medium < high


def test_generate_at_a_higher_quality_draws_smoother_edges() -> None:
    """Quality is more than compression: an edge has more shades."""
    low, high = (picture("a castle", "256x256", quality=quality) for quality in ("low", "high"))

    assert difference(low, high) < 6
    assert low.tobytes() != high.tobytes()


@pytest.mark.parametrize("kind", list(ImageFormat))
def test_generate_says_in_the_file_that_it_is_a_sketch(kind: ImageFormat) -> None:
    """The file names a drawing program as its maker, by no means a model."""
    image = picture("a fox & a <cat>", format=kind)

    xmp = image.info["xmp"].decode()
    assert image.getexif()[0x0131] == "PixyProxy sketch"
    assert 'CreatorTool="PixyProxy sketch"' in xmp
    assert "digitalsourcetype/algorithmicMedia" in xmp
    assert "a fox &amp; a &lt;cat&gt;" in xmp
    assert "trainedAlgorithmicMedia" not in xmp


def test_generate_a_png_names_its_software_as_text() -> None:
    """A PNG says it in the text chunk that every tool shows."""
    image = picture("a fox")

    assert image.info["Software"] == "PixyProxy sketch"


@pytest.mark.parametrize("kind", list(ImageFormat))
def test_generate_from_a_long_prompt_does_not_carry_it(kind: ImageFormat) -> None:
    """A file has the beginning of a prompt in it, not 32,000 characters."""
    prompt = "beginning " + "x" * 20_000 + " secret"

    data = make(prompt, format=kind).data

    assert b"beginning" in data
    assert b"secret" not in data
    assert b"x" * 400 not in data


@pytest.mark.parametrize("prompt", STRANGE_PROMPTS, ids=label)
def test_generate_from_strange_text_makes_a_picture(prompt: str) -> None:
    """No text is too long or too strange to be drawn and captioned."""
    image = picture(prompt, "256x256")

    assert image.size == (256, 256)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a fox", "a fox"),
        ("two\n\nlines\tand a tab", "two lines and a tab"),
        ("naïve café – łódź, Straße", "naive cafe - lodz, Strasse"),
        ("e\u0301", "e"),
        ("🦊 by the sea", "[fox face] by the sea"),
        ("宇宙 cat مرحبا بالعالم", "… cat …"),
        ("½ ﬁne", "1⁄2 fine"),
        ("日本語", "…"),
        ("\u200b\x01", ""),
    ],
)
def test_legible_text_is_what_the_font_can_draw(prompt: str, expected: str) -> None:
    """What the font lacks is folded, named or left out: never an empty box."""
    text = legible(prompt)

    assert text == expected


@pytest.mark.parametrize("word", ["word ", "🦊"])
def test_legible_long_text_ends_in_an_ellipsis(word: str) -> None:
    """Text is cut before it is measured, and shows that it was."""
    text = legible(word * 6_000)

    assert len(text) < 1_000
    assert text.endswith("…")


@pytest.mark.parametrize("prompt", STRANGE_PROMPTS, ids=label)
def test_legible_text_has_no_other_characters(prompt: str) -> None:
    """Whatever goes in, only characters that the font has come out."""
    text = legible(prompt)

    assert set(text) <= DRAWABLE


def test_drawable_characters_have_glyphs_of_their_own() -> None:
    """Pillow's font really has every character that captions are written with."""
    font = ImageFont.load_default(24)
    missing = bytes(font.getmask("\uffff")), font.getlength("\uffff")

    boxes = [c for c in DRAWABLE if (bytes(font.getmask(c)), font.getlength(c)) == missing]

    assert boxes == []


def test_generate_writes_the_prompt_below() -> None:
    """There is a caption, in white on a darkened foot."""
    image = foot(picture("noon, a meadow and some more words", "512x512"))

    shades = image.convert("L").histogram()

    assert sum(shades[250:]) > 200
    assert sum(shades[:110]) > image.width * 20


@pytest.mark.parametrize("size", ["64x64", "4096x64"])
def test_generate_a_tiny_picture_leaves_the_caption_out(size: str) -> None:
    """Where text could not be read nothing is darkened for it."""
    image = picture("noon, snow", size)

    assert brightness(image.crop((0, 60, image.width, 64))) > 150


@pytest.mark.parametrize(
    ("darker", "lighter"),
    [
        ("a meadow at night", "a meadow at noon"),
        ("midnight in the forest", "a forest, midday"),
        ("the sea at dusk", "the sea at noon"),
    ],
)
def test_generate_by_night_is_darker_than_by_day(darker: str, lighter: str) -> None:
    """The hour that the words name sets the light."""
    pictures = [picture(prompt) for prompt in (darker, lighter)]

    assert brightness(pictures[0]) < brightness(pictures[1]) - 40


@pytest.mark.parametrize("colour", ["red", "green", "blue"])
def test_generate_from_a_colour_shows_it(colour: str) -> None:
    """A prompt that is a colour makes a picture of that colour."""
    image = picture(colour)

    red, green, blue = ImageStat.Stat(image).mean
    assert max({"red": red, "green": green, "blue": blue}.items(), key=lambda c: c[1])[0] == colour


@pytest.mark.parametrize("figure", list(Figure))
def test_paint_a_figure_changes_the_scene_visibly(figure: Figure) -> None:
    """Each figure is drawn, in the colour that the prompt gives it."""
    empty = replace(read_scene("a meadow at noon"), actors=())
    casts = [(), (Actor(figure),), (Actor(figure, COLOURS["pink"]),)]

    nobody, natural, pink = (
        paint(replace(empty, actors=cast), (128, 128), 2, Deadline.after(60)) for cast in casts
    )

    assert difference(nobody, natural) > 1
    assert difference(natural, pink) > 0.2


@pytest.mark.parametrize(
    "sky", ["sun", "moon", "crescent", "stars", "rainbow", "clouds", "rain", "snow", "fog"]
)
@pytest.mark.parametrize("time", list(Time))
def test_generate_any_sky_at_any_hour_makes_a_picture(sky: str, time: Time) -> None:
    """Every sky goes with every hour."""
    image = picture(f"{sky} over a meadow, {time}", "64x64")

    assert image.getcolors(64 * 64) != [(64 * 64, image.getpixel((0, 0)))]


@pytest.mark.parametrize("ground", list(Ground))
def test_generate_each_ground_shows_it(ground: Ground) -> None:
    """Each kind of land looks like no other."""
    word = {Ground.DEEP: "reef", Ground.SNOWFIELD: "ice"}.get(ground, ground.value)
    others = [other for other in ("meadow", "desert", "sea") if other != word]

    image = picture(f"{word}, noon", "64x64")

    assert ground in read_scene(word).grounds
    assert all(difference(image, picture(f"{other}, noon", "64x64")) > 4 for other in others)


@pytest.mark.parametrize(
    ("word", "term"),
    [
        ("fox", Figure.FOX),
        ("foxes", Figure.FOX),
        ("wolves", Figure.FOX),
        ("puppies", Figure.DOG),
        ("cactus", Figure.CACTUS),
        ("stars", Sky.STARS),
        ("beaches", Ground.BEACH),
    ],
)
def test_meaning_of_singular_and_plural_is_the_same(word: str, term: Figure) -> None:
    """Plurals are understood."""
    assert term in meaning(word)


def test_meaning_of_an_unknown_word_is_nothing() -> None:
    """A word outside the vocabulary stands for nothing."""
    assert meaning("quarterly") == ()


def test_read_scene_takes_what_the_words_name() -> None:
    """Figures with their colours, their number, the land, the sky and the hour are read."""
    scene = read_scene("Two RED Foxes and a boat, on the Beach at Midnight under stars")

    assert [(a.figure, a.colour, a.is_plural) for a in scene.actors] == [
        (Figure.FOX, COLOURS["red"], True),
        (Figure.BOAT, None, False),
    ]
    assert scene.grounds == {Ground.BEACH}
    assert scene.time is Time.NIGHT
    assert Sky.STARS in scene.sky
    assert scene.tint is None


def test_read_scene_takes_an_emoji_by_its_name() -> None:
    """Emoji are words."""
    scene = read_scene("🦊🌈")

    assert [actor.figure for actor in scene.actors] == [Figure.FOX]
    assert Sky.RAINBOW in scene.sky


@pytest.mark.parametrize(
    ("prompt", "ground"),
    [
        ("a boat", Ground.SEA),
        ("a boat and a dog", Ground.BEACH),
        ("a cat by the sea", Ground.BEACH),
        ("a fish", Ground.DEEP),
    ],
)
def test_read_scene_finds_ground_for_its_figures(prompt: str, ground: Ground) -> None:
    """Boats float, cats do not."""
    scene = read_scene(prompt)

    assert ground in scene.grounds


def test_read_scene_of_a_pine_tree_has_one_tree() -> None:
    """A pine tree is one tree, not two."""
    scene = read_scene("a pine tree")

    assert [actor.figure for actor in scene.actors] == [Figure.PINE]


def test_read_scene_of_a_crowd_keeps_the_first_four() -> None:
    """A picture stays a picture, however many figures a prompt names."""
    scene = read_scene(" ".join(Figure))

    assert [actor.figure for actor in scene.actors] == list(Figure)[:4]


def test_read_scene_of_unknown_words_differs_by_their_hash() -> None:
    """Prompts without a known word do not all look alike."""
    scenes = [read_scene(f"zyx{number}") for number in range(40)]

    assert len({scene.time for scene in scenes}) == len(Time)
    assert len({scene.grounds for scene in scenes}) > 4
    assert len({scene.actors for scene in scenes}) > 5


def test_generate_past_the_deadline_raises() -> None:
    """Nothing is drawn for a caller who has stopped waiting."""
    expired = Deadline.after(-1)

    with pytest.raises(DeadlineTooShortError):
        SketchGenerator().generate("a fox", GenerationOptions(), expired, AUDIENCE)
