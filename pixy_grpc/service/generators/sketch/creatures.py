"""Figures that fly or swim, and people."""

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

_OWL: list[Part] = [
    Stroke(Tone.INK, path("10,95 90,93"), 0.04),
    Blob(Tone.MAIN, path("26,40 30,14 50,10 70,14 74,40 70,80 50,97 30,80")),
    *both(
        Shape(Tone.MAIN, path("29,22 24,0 46,13")),
        Blob(Tone.DARK, path("27,40 20,60 27,86 38,70 36,48")),
    ),
    Blob(Tone.PALE, path("50,48 62,58 60,80 50,90 40,80 38,58")),
    *both(
        Oval(Tone.PALE, (0.39, 0.3), (0.125, 0.125)),
        Oval(Tone.GLOW, (0.4, 0.3), (0.08, 0.08)),
        Oval(Tone.INK, (0.405, 0.3), (0.045, 0.045)),
        Stroke(Tone.ACCENT, path("43,90 43,96"), 0.035),
    ),
    Shape(Tone.ACCENT, path("46,36 54,36 50,46")),
]
_BIRD: list[Part] = [
    Blob(Tone.DARK, path("50,50 52,26 66,6 74,2 72,30 66,50")),
    Shape(Tone.DARK, path("34,56 2,66 8,72 2,80 36,68")),
    Blob(Tone.MAIN, path("20,62 42,50 66,48 80,42 90,48 86,60 70,72 46,74")),
    Blob(Tone.PALE, path("44,72 66,64 84,58 70,72 56,75.5")),
    Blob(Tone.MAIN, path("40,56 36,34 24,10 30,6 50,24 64,54 54,62")),
    Blob(Tone.DARK, path("37,36 25,10 30,6 40,15 43,28")),
    Shape(Tone.ACCENT, path("88.5,47 100,53 88,55")),
    Oval(Tone.INK, (0.825, 0.49), (0.018, 0.018)),
]
_FISH: list[Part] = [
    Blob(Tone.DARK, path("40,34 52,16 68,20 66,40")),
    Blob(Tone.DARK, path("24,50 12,34 0,26 6,50 0,76 12,68")),
    Blob(Tone.MAIN, path("16,50 40,32 68,29 90,42 97,53 88,63 66,73 40,68")),
    Blob(Tone.PALE, path("36,64 66,64 92,58 86,65 66,73 46,71")),
    Blob(Tone.PALE, path("60,30 66,29 70,50 65,73 59,72 63,50")),
    Blob(Tone.PALE, path("37,34 42,32 45,50 42,69 37,66 40,50")),
    Blob(Tone.DARK, path("56,54 44,52 40,62 50,64")),
    Oval(Tone.ACCENT, (0.82, 0.46), (0.042, 0.042)),
    Oval(Tone.INK, (0.828, 0.46), (0.023, 0.023)),
]
_WHALE: list[Part] = [
    *[
        Stroke(Tone.PALE, [(0.7, 0.3), (0.7 + lean, 0.1), (0.7 + 2.6 * lean, 0.08)], 0.024)
        for lean in (-0.05, 0.05)
    ],
    Blob(Tone.MAIN, path("16,50 12,32 0,20 14,20 20,28 30,18 26,36 24,50")),
    Blob(Tone.MAIN, path("14,44 26,50 44,36 70,30 92,40 98,60 86,78 50,82 24,68")),
    Blob(Tone.PALE, path("46,72 74,68 97,63 86,78 60,82 44,80")),
    Blob(Tone.DARK, path("58,66 64,72 54,90 46,92 50,76")),
    Oval(Tone.INK, (0.83, 0.56), (0.018, 0.02)),
]
_BUTTERFLY: list[Part] = [
    *both(
        Blob(Tone.MAIN, path("50,50 40,20 14,6 4,26 20,50")),
        Blob(Tone.DARK, path("50,50 24,52 14,70 28,92 44,74")),
        Oval(Tone.PALE, (0.2, 0.26), (0.08, 0.08)),
        Oval(Tone.ACCENT, (0.28, 0.7), (0.06, 0.06)),
        Stroke(Tone.INK, path("50,30 44,14 38,10"), 0.012),
    ),
    Blob(Tone.INK, path("50,24 54,40 52,84 48,84 46,40")),
]
_PERSON: list[Part] = [
    *both(Stroke(Tone.INK, path("47,66 45,98"), 0.07)),
    *both(Stroke(Tone.DARK, path("42,34 35,50 36,62"), 0.055)),
    Blob(Tone.MAIN, path("41,30 50,27 59,30 62,52 63,72 50,74 37,72 38,52")),
    Oval(Tone.ACCENT, (0.5, 0.17), (0.085, 0.1)),
    Blob(Tone.INK, path("41,17 42,8 50,4.5 58,8 59,17 54,11 46,11")),
    Shape(Tone.PALE, path("42,27 58,27 59,32 41,32")),
]

CREATURES = {
    Figure.OWL: Drawing(_OWL, main=(140, 100, 66), accent=(240, 168, 60), height=0.36),
    Figure.BIRD: Drawing(
        _BIRD, main=(58, 96, 158), accent=(244, 170, 50), height=0.32, place=Place.AIR
    ),
    Figure.FISH: Drawing(_FISH, main=(244, 122, 44), height=0.44, place=Place.WATER),
    Figure.WHALE: Drawing(_WHALE, main=(58, 92, 132), height=0.5, place=Place.WATER),
    Figure.BUTTERFLY: Drawing(_BUTTERFLY, main=(232, 110, 52), height=0.26, place=Place.AIR),
    Figure.PERSON: Drawing(_PERSON, main=(196, 62, 58), accent=(222, 170, 134), height=0.4),
}
