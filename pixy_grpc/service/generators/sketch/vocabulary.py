"""The words the sketch knows, so that a prompt's picture has in it what the prompt names."""

from collections.abc import Iterator
from enum import StrEnum

Rgb = tuple[int, int, int]


class Time(StrEnum):
    """The hour, which sets the sky's colours and how much light there is."""

    NOON = "noon"
    SUNRISE = "sunrise"
    SUNSET = "sunset"
    DUSK = "dusk"
    NIGHT = "night"


class Sky(StrEnum):
    """What is seen in the sky, weather included."""

    SUN = "sun"
    MOON = "moon"
    STARS = "stars"
    RAINBOW = "rainbow"
    CLOUDS = "clouds"
    RAIN = "rain"
    SNOW = "snow"
    FOG = "fog"


class Ground(StrEnum):
    """What the land is; several may be in one picture."""

    MOUNTAINS = "mountains"
    CITY = "city"
    FOREST = "forest"
    MEADOW = "meadow"
    DESERT = "desert"
    SNOWFIELD = "snowfield"
    SEA = "sea"
    BEACH = "beach"
    DEEP = "deep"
    SPACE = "space"


class Figure(StrEnum):
    """What stands, swims or flies in the landscape."""

    FOX = "fox"
    CAT = "cat"
    DOG = "dog"
    RABBIT = "rabbit"
    BEAR = "bear"
    OWL = "owl"
    BIRD = "bird"
    FISH = "fish"
    WHALE = "whale"
    BUTTERFLY = "butterfly"
    PERSON = "person"
    TREE = "tree"
    PINE = "pine"
    PALM = "palm"
    CACTUS = "cactus"
    FLOWER = "flower"
    MUSHROOM = "mushroom"
    BOAT = "boat"
    HOUSE = "house"
    CASTLE = "castle"
    LIGHTHOUSE = "lighthouse"
    BALLOON = "balloon"
    ROCKET = "rocket"


Term = Time | Sky | Ground | Figure

COLOURS: dict[str, Rgb] = {
    "red": (206, 44, 44),
    "crimson": (170, 24, 52),
    "orange": (240, 134, 40),
    "yellow": (248, 206, 64),
    "golden": (228, 176, 58),
    "gold": (228, 176, 58),
    "green": (64, 152, 76),
    "emerald": (22, 146, 104),
    "teal": (24, 142, 146),
    "turquoise": (64, 200, 196),
    "cyan": (60, 196, 224),
    "blue": (44, 98, 204),
    "indigo": (70, 58, 160),
    "purple": (132, 66, 172),
    "violet": (146, 86, 200),
    "lavender": (182, 160, 224),
    "pink": (240, 136, 176),
    "magenta": (212, 48, 148),
    "brown": (128, 84, 52),
    "beige": (222, 202, 170),
    "white": (244, 244, 242),
    "silver": (192, 200, 208),
    "gray": (136, 140, 146),
    "grey": (136, 140, 146),
    "black": (38, 38, 44),
}

_WORDS: dict[tuple[Term, ...], str] = {
    (Time.NOON,): "noon midday day daylight daytime afternoon summer",
    (Time.SUNRISE,): "sunrise dawn morning daybreak spring",
    (Time.SUNSET, Sky.SUN): "sunset",
    (Time.SUNSET,): "evening autumn fall",
    (Time.DUSK,): "dusk twilight nightfall",
    (Time.NIGHT,): "night midnight dark darkness nocturnal",
    (Sky.SUN,): "sun sunny sunshine sunlight",
    (Sky.MOON,): "moon moonlight moonlit crescent",
    (Sky.STARS,): "star starry starlight constellation comet aurora",
    (Sky.RAINBOW,): "rainbow",
    (Sky.CLOUDS,): "cloud cloudy overcast sky",
    (Sky.RAIN, Sky.CLOUDS): "rain rainy raining drizzle storm stormy thunderstorm monsoon",
    (Sky.FOG,): "fog foggy mist misty haze hazy smoke",
    (Sky.SNOW, Ground.SNOWFIELD): "snow snowy snowing blizzard snowfall snowflake winter",
    (Ground.SNOWFIELD,): "ice icy arctic antarctic glacier polar frozen tundra",
    (Ground.MOUNTAINS,): "mountain peak summit alps volcano cliff himalaya mountainous",
    (Ground.CITY,): "city town skyline skyscraper street downtown urban metropolis building",
    (Ground.FOREST,): "forest wood jungle rainforest grove woodland taiga",
    (Ground.MEADOW,): "meadow field grass hill valley garden farm prairie countryside park lawn",
    (Ground.DESERT,): "desert dune sahara canyon mesa savanna",
    (Ground.SEA,): "sea ocean wave lake river water harbor harbour bay pond",
    (Ground.BEACH,): "beach coast shore seaside sand lagoon coastline",
    (Ground.BEACH, Figure.PALM): "island tropical",
    (Ground.DEEP,): "underwater reef coral seabed aquarium",
    (Ground.SPACE,): "space galaxy planet astronaut cosmos nebula universe mars cosmic",
    (Figure.FOX,): "fox vixen wolf coyote",
    (Figure.CAT,): "cat kitten kitty tiger lion leopard",
    (Figure.DOG,): "dog puppy hound",
    (Figure.RABBIT,): "rabbit bunny hare",
    (Figure.BEAR,): "bear panda cub",
    (Figure.OWL,): "owl owlet penguin",
    (Figure.BIRD,): "bird gull seagull eagle sparrow raven crow hawk falcon dove robin parrot swan",
    (Figure.FISH,): "fish goldfish salmon trout koi shark",
    (Figure.WHALE,): "whale orca dolphin",
    (Figure.BUTTERFLY,): "butterfly moth",
    (Figure.PERSON,): "person man woman girl boy child children people human wizard knight hiker",
    (Figure.TREE,): "tree oak maple birch orchard willow",
    (Figure.PINE,): "pine fir spruce conifer evergreen",
    (Figure.PALM,): "palm coconut",
    (Figure.CACTUS, Ground.DESERT): "cactus cacti",
    (Figure.FLOWER,): "flower rose tulip daisy sunflower blossom poppy lily bouquet bloom",
    (Figure.MUSHROOM,): "mushroom toadstool fungus",
    (Figure.BOAT,): "boat ship sailboat yacht sail sailing vessel canoe",
    (Figure.HOUSE,): "house cottage cabin hut home barn village",
    (Figure.CASTLE,): "castle fortress palace tower",
    (Figure.LIGHTHOUSE,): "lighthouse beacon",
    (Figure.BALLOON,): "balloon",
    (Figure.ROCKET,): "rocket spaceship spacecraft",
}

_TERMS: dict[str, tuple[Term, ...]] = {
    word: terms for terms, words in _WORDS.items() for word in words.split()
}


def meaning(word: str) -> tuple[Term, ...]:
    """Return what a word in lower case stands for, singular or plural; nothing if unknown."""
    return next((_TERMS[form] for form in _forms(word) if form in _TERMS), ())


def is_plural(word: str) -> bool:
    """Tell whether a word in lower case is known, but only by its singular."""
    return word not in _TERMS and bool(meaning(word))


def _forms(word: str) -> Iterator[str]:
    yield word
    yield word.removesuffix("s")
    yield word.removesuffix("es")
    yield word.removesuffix("ies") + "y"
    yield word.removesuffix("ves") + "f"
