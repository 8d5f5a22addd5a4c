"""Animals that sit and look at you: one body, and heads that tell them apart."""

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

_BODY: list[Part] = [
    Blob(Tone.MAIN, path("30,99 29,76 38,50 50,42 62,50 71,76 70,99")),
    *both(Blob(Tone.DARK, path("27,99 25,86 33,77 40,86 40,99"))),
    *both(Blob(Tone.MAIN, path("42,62 49,64 49,99 40,100 40,80"))),
]
_CHEST: Part = Blob(Tone.PALE, path("40,50 50,46 60,50 57,66 50,78 43,66"))
_EYES: list[Part] = both(
    Oval(Tone.INK, (0.4, 0.29), (0.027, 0.034)), Oval(Tone.ACCENT, (0.409, 0.279), (0.009, 0.011))
)
_ROUND_HEAD: Part = Blob(Tone.MAIN, path("27,30 33,15 50,10 67,15 73,30 65,44 50,49 35,44"))
_WHISKERS: list[Part] = both(
    Stroke(Tone.ACCENT, path("43,39 20,35"), 0.006),
    Stroke(Tone.ACCENT, path("43,40.5 19,41.5"), 0.006),
)

_FOX: list[Part] = [
    Blob(Tone.MAIN, path("60,97 82,99 98,84 97,62 86,46 80,66 72,80")),
    Blob(Tone.PALE, path("86,46 80,64 87,68 97,64")),
    *_BODY,
    *both(Blob(Tone.INK, path("41,86 49,86 49,100 39.5,100"))),
    _CHEST,
    *both(
        Shape(Tone.MAIN, path("22,26 21,0 46,16")),
        Shape(Tone.INK, path("25,19 23.5,6 36,14")),
    ),
    Blob(Tone.MAIN, path("30,16 50,12 70,16 80,33 63,42 50,51 37,42 20,33")),
    *both(Blob(Tone.PALE, path("20,33.5 33,33 46,37 50,50.5 37,42"))),
    *_EYES,
    Oval(Tone.INK, (0.5, 0.485), (0.034, 0.026)),
]
_CAT: list[Part] = [
    Stroke(Tone.MAIN, path("66,95 82,94 90,84 88,70 80,60 82,50"), 0.07),
    Oval(Tone.MAIN, (0.82, 0.5), (0.035, 0.035)),
    *_BODY,
    *both(
        Shape(Tone.MAIN, path("28,30 27,3 48,14")),
        Shape(Tone.ACCENT, path("31,18 30.5,9 39,13.5")),
    ),
    _ROUND_HEAD,
    *both(
        Stroke(Tone.DARK, path("46,12 46.5,19"), 0.018),
        Oval(Tone.PALE, (0.45, 0.42), (0.06, 0.045)),
    ),
    Stroke(Tone.DARK, path("50,11 50,21"), 0.018),
    *both(
        Oval(Tone.GLOW, (0.39, 0.29), (0.05, 0.045)), Oval(Tone.INK, (0.39, 0.29), (0.016, 0.042))
    ),
    Shape(Tone.ACCENT, path("47,37.5 53,37.5 50,41")),
    *_WHISKERS,
]
_DOG: list[Part] = [
    Stroke(Tone.MAIN, path("66,92 80,86 86,72"), 0.06),
    *_BODY,
    _CHEST,
    _ROUND_HEAD,
    *both(Blob(Tone.DARK, path("32,13 22,16 17,34 22,48 29,40 33,24"))),
    Blob(Tone.PALE, path("50,14 55,30 62,40 50,49 38,40 45,30")),
    *_EYES,
    Blob(Tone.ACCENT, path("47,45 53,45 53,53 50,55 47,53")),
    Oval(Tone.INK, (0.5, 0.385), (0.045, 0.034)),
]
_RABBIT: list[Part] = [
    Oval(Tone.PALE, (0.74, 0.88), (0.08, 0.08)),
    *_BODY,
    _CHEST,
    *both(
        Blob(Tone.MAIN, path("36,26 30,8 33,-12 41,-10 46,8 46,22")),
        Blob(Tone.ACCENT, path("38.5,20 34.5,5 36,-6 40,-3 42.5,10")),
    ),
    Blob(Tone.MAIN, path("31,31 36,20 50,16 64,20 69,31 63,43 50,48 37,43")),
    *both(Oval(Tone.PALE, (0.455, 0.405), (0.055, 0.045))),
    *_EYES,
    Shape(Tone.ACCENT, path("47,36.5 53,36.5 50,40")),
]
_BEAR: list[Part] = [
    Blob(Tone.MAIN, path("18,98 16,72 30,48 50,42 70,48 84,72 82,98")),
    Blob(Tone.PALE, path("50,52 66,66 64,90 50,96 36,90 34,66")),
    *both(
        Oval(Tone.DARK, (0.25, 0.93), (0.12, 0.075)),
        Blob(Tone.DARK, path("24,52 34,58 30,76 20,80 13,72")),
        Oval(Tone.MAIN, (0.3, 0.13), (0.09, 0.09)),
        Oval(Tone.PALE, (0.3, 0.135), (0.05, 0.05)),
    ),
    Blob(Tone.MAIN, path("24,31 31,13 50,7 69,13 76,31 66,47 50,52 34,47")),
    Oval(Tone.PALE, (0.5, 0.4), (0.115, 0.09)),
    *_EYES,
    Oval(Tone.INK, (0.5, 0.36), (0.045, 0.032)),
]

MAMMALS = {
    Figure.FOX: Drawing(_FOX, main=(226, 110, 40), height=0.44),
    Figure.CAT: Drawing(_CAT, main=(92, 92, 104), accent=(244, 178, 178), height=0.4),
    Figure.DOG: Drawing(_DOG, main=(186, 128, 74), accent=(232, 120, 124), height=0.42),
    Figure.RABBIT: Drawing(_RABBIT, main=(176, 160, 146), accent=(240, 178, 178), height=0.34),
    Figure.BEAR: Drawing(_BEAR, main=(122, 84, 58), height=0.5),
}
