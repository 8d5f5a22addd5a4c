"""Things that people made."""

from pixy_grpc.service.generators.sketch.shapes import (
    Blob,
    Drawing,
    Oval,
    Part,
    Place,
    Shape,
    Stroke,
    Tone,
    both,
    path,
)
from pixy_grpc.service.generators.sketch.vocabulary import Figure


def _block(tone: Tone, left: float, top: float, right: float, foot: float) -> Part:
    return Shape(tone, [(left, top), (right, top), (right, foot), (left, foot)])


_BOAT: list[Part] = [
    Stroke(Tone.INK, path("50,2 50,78"), 0.018),
    Blob(Tone.PALE, path("53,6 74,36 86,68 53,68")),
    Blob(Tone.ACCENT, path("47,14 34,42 20,66 47,67")),
    Shape(Tone.MAIN, path("6,76 94,74 80,94 22,94")),
    Shape(Tone.DARK, path("14,86 86,85 80,94 22,94")),
    Shape(Tone.MAIN, path("50,2 64,5 50,9")),
]
_HOUSE: list[Part] = [
    _block(Tone.DARK, 0.68, 0.12, 0.78, 0.4),
    _block(Tone.PALE, 0.14, 0.46, 0.86, 1.0),
    Shape(Tone.MAIN, path("4,50 50,10 96,50")),
    Shape(Tone.DARK, path("4,50 96,50 90,54 10,54")),
    _block(Tone.INK, 0.43, 0.68, 0.57, 1.0),
    *both(
        _block(Tone.DARK, 0.19, 0.6, 0.37, 0.8),
        _block(Tone.GLOW, 0.21, 0.62, 0.27, 0.69),
        _block(Tone.GLOW, 0.29, 0.62, 0.35, 0.69),
        _block(Tone.GLOW, 0.21, 0.71, 0.27, 0.78),
        _block(Tone.GLOW, 0.29, 0.71, 0.35, 0.78),
    ),
    Oval(Tone.GLOW, (0.5, 0.34), (0.06, 0.06)),
    Oval(Tone.GLOW, (0.545, 0.84), (0.012, 0.012)),
]
_CASTLE: list[Part] = [
    *both(
        _block(Tone.MAIN, 0.06, 0.36, 0.26, 1.0),
        Shape(Tone.ACCENT, path("2,36 16,10 30,36")),
        _block(Tone.GLOW, 0.14, 0.46, 0.18, 0.56),
        _block(Tone.DARK, 0.2, 0.36, 0.26, 1.0),
    ),
    _block(Tone.MAIN, 0.26, 0.6, 0.74, 1.0),
    *[_block(Tone.MAIN, 0.26 + 0.1 * step, 0.55, 0.32 + 0.1 * step, 0.61) for step in range(5)],
    _block(Tone.PALE, 0.38, 0.28, 0.62, 0.62),
    _block(Tone.MAIN, 0.52, 0.28, 0.62, 0.62),
    Shape(Tone.ACCENT, path("34,29 50,0 66,29")),
    _block(Tone.GLOW, 0.45, 0.38, 0.51, 0.5),
    Blob(Tone.INK, path("42,100 42,78 50,70 58,78 58,100")),
]
_LIGHTHOUSE: list[Part] = [
    Shape(Tone.PALE, path("39,26 61,26 68,100 32,100")),
    Shape(Tone.MAIN, path("37.8,38 62.2,38 63.6,54 36.4,54")),
    Shape(Tone.MAIN, path("35,70 65,70 66.4,86 33.6,86")),
    Shape(Tone.DARK, path("56,26 61,26 68,100 61,100")),
    _block(Tone.INK, 0.35, 0.235, 0.65, 0.265),
    _block(Tone.GLOW, 0.41, 0.12, 0.59, 0.235),
    Stroke(Tone.INK, path("50,12 50,24"), 0.014),
    Shape(Tone.MAIN, path("37,12 50,0 63,12")),
]
_BALLOON: list[Part] = [
    *both(Stroke(Tone.INK, path("36,62 44,84"), 0.008)),
    Blob(Tone.MAIN, path("50,0 74,8 84,32 72,54 60,70 40,70 28,54 16,32 26,8")),
    *both(Blob(Tone.PALE, path("50,0 36,10 29,32 36,55 44,70 40,54 38,30"))),
    Blob(Tone.ACCENT, path("50,0 57,16 59,36 55,70 45,70 41,36 43,16")),
    _block(Tone.DARK, 0.42, 0.84, 0.58, 0.98),
    _block(Tone.INK, 0.41, 0.83, 0.59, 0.86),
]
_ROCKET: list[Part] = [
    Blob(Tone.GLOW, path("42,80 58,80 55,92 50,106 45,92")),
    *both(Blob(Tone.MAIN, path("38,56 22,74 22,90 40,80"))),
    Blob(Tone.PALE, path("50,0 60,16 65,42 60,80 40,80 35,42 40,16")),
    Blob(Tone.MAIN, path("50,0 58.5,13 61,22 50,24.5 39,22 41.5,13")),
    Oval(Tone.DARK, (0.5, 0.4), (0.085, 0.085)),
    Oval(Tone.ACCENT, (0.5, 0.4), (0.06, 0.06)),
    Shape(Tone.MAIN, path("48,60 52,60 52,88 48,88")),
]

THINGS = {
    Figure.BOAT: Drawing(
        _BOAT, main=(150, 70, 50), accent=(236, 150, 90), height=0.42, place=Place.WATER
    ),
    Figure.HOUSE: Drawing(_HOUSE, main=(176, 68, 56), height=0.42),
    Figure.CASTLE: Drawing(_CASTLE, main=(150, 146, 156), accent=(84, 92, 150), height=0.58),
    Figure.LIGHTHOUSE: Drawing(_LIGHTHOUSE, main=(204, 56, 52), height=0.6),
    Figure.BALLOON: Drawing(
        _BALLOON, main=(214, 66, 62), accent=(246, 196, 78), height=0.4, place=Place.AIR
    ),
    Figure.ROCKET: Drawing(
        _ROCKET, main=(212, 64, 58), accent=(130, 206, 236), height=0.5, place=Place.AIR
    ),
}
