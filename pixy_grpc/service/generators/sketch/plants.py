"""Trees, flowers and other things that grow."""

from math import cos, pi, sin

from pixy_grpc.service.generators.sketch.shapes import (
    Blob,
    Drawing,
    Oval,
    Part,
    Shape,
    Stroke,
    Tone,
    both,
    path,
)
from pixy_grpc.service.generators.sketch.vocabulary import Figure

_TREE: list[Part] = [
    Blob(Tone.ACCENT, path("45,50 55,50 55,80 62,100 38,100 45,80")),
    *[
        Oval(Tone.DARK, centre, (radius, radius * 0.92))
        for centre, radius in (
            ((0.26, 0.48), 0.2),
            ((0.74, 0.48), 0.2),
            ((0.5, 0.54), 0.22),
            ((0.5, 0.3), 0.27),
        )
    ],
    *[
        Oval(Tone.MAIN, centre, (radius, radius * 0.9))
        for centre, radius in (
            ((0.27, 0.42), 0.18),
            ((0.7, 0.42), 0.18),
            ((0.48, 0.46), 0.19),
            ((0.47, 0.26), 0.24),
        )
    ],
    *[
        Oval(Tone.PALE, centre, (radius, radius * 0.8))
        for centre, radius in (((0.36, 0.2), 0.06), ((0.21, 0.36), 0.045), ((0.6, 0.34), 0.05))
    ],
]
_PINE: list[Part] = [
    Shape(Tone.ACCENT, path("45,80 55,80 56,100 44,100")),
    *[
        part
        for top, foot, wide in ((0.46, 0.88, 0.34), (0.24, 0.64, 0.27), (0.0, 0.4, 0.2))
        for part in (
            Shape(Tone.MAIN, [(0.5, top), (0.5 + wide, foot), (0.5 - wide, foot)]),
            Shape(Tone.DARK, [(0.5, top), (0.5 + wide, foot), (0.52, foot)]),
        )
    ],
]
_PALM: list[Part] = [
    Blob(Tone.ACCENT, path("40,100 44,70 52,30 57,30 52,70 50,100")),
    *[
        Blob(
            Tone.MAIN if index % 2 else Tone.DARK,
            [
                (0.55, 0.3),
                (0.55 + 0.22 * cos(angle), 0.2 - 0.2 * sin(angle)),
                (0.55 + 0.44 * cos(angle), 0.34 - 0.2 * sin(angle)),
                (0.55 + 0.24 * cos(angle), 0.28 - 0.2 * sin(angle)),
            ],
        )
        for index, angle in enumerate((-0.35, 0.35, 1.1, 2.0, 2.8, 3.5))
    ],
    *[Oval(Tone.INK, centre, (0.03, 0.03)) for centre in ((0.53, 0.34), (0.58, 0.33))],
]
_CACTUS: list[Part] = [
    Stroke(Tone.DARK, path("50,66 26,66 26,42"), 0.11),
    Stroke(Tone.DARK, path("50,56 74,56 74,30"), 0.11),
    *[Oval(Tone.DARK, centre, (0.055, 0.055)) for centre in ((0.26, 0.42), (0.74, 0.3))],
    Blob(Tone.MAIN, path("41,100 41,60 42,20 50,10 58,20 59,60 59,100")),
    *[Stroke(Tone.PALE, [(x, 0.24), (x, 0.96)], 0.008) for x in (0.46, 0.5, 0.54)],
    Oval(Tone.ACCENT, (0.5, 0.1), (0.05, 0.04)),
]
_FLOWER: list[Part] = [
    Stroke(Tone.LEAF, path("50,40 51,70 49,100"), 0.035),
    Blob(Tone.LEAF, path("50,86 36,70 20,68 30,82")),
    Blob(Tone.LEAF, path("50,76 64,60 80,60 70,72")),
    *[
        Oval(
            Tone.MAIN, (0.5 + 0.2 * cos(step * pi / 4), 0.28 + 0.2 * sin(step * pi / 4)), (0.1, 0.1)
        )
        for step in range(8)
    ],
    Oval(Tone.MAIN, (0.5, 0.28), (0.17, 0.17)),
    Oval(Tone.ACCENT, (0.5, 0.28), (0.105, 0.105)),
]
_MUSHROOM: list[Part] = [
    Blob(Tone.PALE, path("40,50 60,50 60,80 66,100 34,100 40,80")),
    Blob(Tone.DARK, path("12,54 50,46 88,54 50,64")),
    Blob(Tone.MAIN, path("10,54 20,26 50,10 80,26 90,54 50,52")),
    *both(
        Oval(Tone.ACCENT, (0.3, 0.36), (0.06, 0.05)), Oval(Tone.ACCENT, (0.19, 0.48), (0.03, 0.03))
    ),
    Oval(Tone.ACCENT, (0.5, 0.24), (0.075, 0.06)),
    Oval(Tone.ACCENT, (0.52, 0.43), (0.05, 0.04)),
]

PLANTS = {
    Figure.TREE: Drawing(_TREE, main=(86, 158, 72), accent=(112, 78, 52), height=0.5),
    Figure.PINE: Drawing(_PINE, main=(44, 112, 76), accent=(98, 70, 50), height=0.5),
    Figure.PALM: Drawing(_PALM, main=(66, 150, 74), accent=(146, 106, 70), height=0.52),
    Figure.CACTUS: Drawing(_CACTUS, main=(80, 148, 84), accent=(240, 110, 150), height=0.42),
    Figure.FLOWER: Drawing(_FLOWER, main=(232, 92, 132), accent=(250, 204, 70), height=0.36),
    Figure.MUSHROOM: Drawing(_MUSHROOM, main=(206, 52, 46), height=0.3),
}
