"""What a prompt's picture is of: from its words where they are known, else from its hash."""

import hashlib
import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pixy_grpc.service.generators.sketch.vocabulary import (
    COLOURS,
    Figure,
    Ground,
    Rgb,
    Sky,
    Term,
    Time,
    is_plural,
    meaning,
)

_READ_CHARACTERS = 2_000
_MAX_FIGURES = 4
_COLOUR_REACH_WORDS = 3

_WORD = re.compile(r"[^\W\d_]+")
_DRY_GROUNDS = (Ground.MEADOW, Ground.MOUNTAINS, Ground.FOREST)
_UNASKED_GROUNDS = (*_DRY_GROUNDS, Ground.SEA, Ground.DESERT, Ground.SNOWFIELD, Ground.CITY)
_UNASKED_FIGURES = (
    *(Figure.BALLOON, Figure.BIRD, Figure.BUTTERFLY, Figure.BOAT, Figure.WHALE),
    *(Figure.TREE, Figure.PINE, Figure.HOUSE, Figure.CASTLE, Figure.FLOWER, Figure.MUSHROOM),
)
_KINDS_OF_TREE = frozenset({Figure.PINE, Figure.PALM})
_AFLOAT = frozenset({Figure.BOAT, Figure.WHALE})
_ALOFT = frozenset({Figure.BIRD, Figure.BUTTERFLY, Figure.BALLOON, Figure.ROCKET, Figure.FISH})
_AT_NIGHT = frozenset({Sky.MOON, Sky.STARS})


@dataclass(frozen=True)
class Actor:
    """A figure, the colour the prompt gives it, if any, and whether there are several."""

    figure: Figure
    colour: Rgb | None = None
    is_plural: bool = False


@dataclass(frozen=True)
class Scene:
    """Everything a painter has to know. Two prompts differ in `seed` at the least."""

    seed: str
    time: Time
    sky: frozenset[Sky]
    grounds: frozenset[Ground]
    actors: tuple[Actor, ...]
    tint: Rgb | None
    tint_strength: float
    is_guess: bool

    def dice(self, purpose: str) -> random.Random:
        """Return chance that is the same for every painting of this scene."""
        return random.Random(f"{self.seed}/{purpose}")  # noqa: S311 - a picture, no secret


def read_scene(prompt: str) -> Scene:
    """Read what the prompt's first words name, and let its hash decide the rest."""
    seed = hashlib.sha256(prompt.encode(errors="replace")).hexdigest()
    words = _words(prompt[:_READ_CHARACTERS])
    terms = [term for word in words for term in meaning(word)]
    actors, tint = _cast(words)
    dice = random.Random(seed)  # noqa: S311 - a picture, no secret
    actors = actors if terms else (Actor(dice.choice(_UNASKED_FIGURES)),)
    grounds = _grounds(terms, {actor.figure for actor in actors}, dice)
    return Scene(
        seed=seed,
        time=_time(terms, dice),
        sky=_sky(terms, dice),
        grounds=grounds,
        actors=actors,
        tint=tint,
        tint_strength=0.3 if terms else 0.6,
        is_guess=not terms and tint is None,
    )


def _words(text: str) -> list[str]:
    # An emoji is read by its name: U+1F98A is a "fox face".
    spelled = "".join(
        f" {unicodedata.name(character, '')} "
        if unicodedata.category(character) == "So"
        else character
        for character in text
    )
    return _WORD.findall(spelled.casefold())


def _cast(words: Sequence[str]) -> tuple[tuple[Actor, ...], Rgb | None]:
    actors: dict[Figure, Actor] = {}
    tint: Rgb | None = None
    colour, age = None, 0
    for word in words:
        colour, age = (COLOURS[word], 0) if word in COLOURS else (colour, age + 1)
        tint = tint or colour
        for figure in _figures(word):
            near = colour if age < _COLOUR_REACH_WORDS else None
            actors.setdefault(figure, Actor(figure, near, is_plural(word)))
            tint, colour = (None if near else tint), None
    if _KINDS_OF_TREE.intersection(actors):
        actors.pop(Figure.TREE, None)
    return tuple(actors.values())[:_MAX_FIGURES], tint


def _figures(word: str) -> Iterator[Figure]:
    return (term for term in meaning(word) if isinstance(term, Figure))


def _time(terms: Sequence[Term], dice: random.Random) -> Time:
    guess = dice.choice(tuple(Time))
    asked = [term for term in terms if isinstance(term, Time)]
    if asked:
        return asked[0]
    if _AT_NIGHT.intersection(terms) or Ground.SPACE in terms:
        return Time.NIGHT
    if Sky.SUN in terms:
        return Time.NOON
    return guess if not terms else dice.choice((Time.NOON, Time.NOON, Time.SUNRISE, Time.SUNSET))


def _sky(terms: Sequence[Term], dice: random.Random) -> frozenset[Sky]:
    extra: set[Sky] = dice.choice((set(), {Sky.CLOUDS}))
    return frozenset(term for term in terms if isinstance(term, Sky)) | extra


def _grounds(
    terms: Sequence[Term], figures: AbstractSet[Figure], dice: random.Random
) -> frozenset[Ground]:
    ashore = figures - _AFLOAT - _ALOFT
    guess = dice.choice(_DRY_GROUNDS if ashore else _UNASKED_GROUNDS)
    asked = frozenset(term for term in terms if isinstance(term, Ground))
    if asked:
        return asked | {Ground.BEACH} if ashore and Ground.SEA in asked else asked
    if figures & _AFLOAT:
        return frozenset({Ground.BEACH if ashore else Ground.SEA})
    if Figure.FISH in figures:
        return frozenset({Ground.DEEP})
    return frozenset({guess})
