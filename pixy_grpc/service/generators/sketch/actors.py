"""Where the figures of a scene stand, and the light that falls on them."""

import random

from pixy_grpc.service.generators.sketch.creatures import CREATURES
from pixy_grpc.service.generators.sketch.mammals import MAMMALS
from pixy_grpc.service.generators.sketch.palette import Palette, mix
from pixy_grpc.service.generators.sketch.plants import PLANTS
from pixy_grpc.service.generators.sketch.scene import Actor
from pixy_grpc.service.generators.sketch.shapes import Drawing, Frame, Place, Tone
from pixy_grpc.service.generators.sketch.stage import Stage
from pixy_grpc.service.generators.sketch.things import THINGS
from pixy_grpc.service.generators.sketch.vocabulary import Figure, Ground, Rgb, Time

DRAWINGS: dict[Figure, Drawing] = {**MAMMALS, **CREATURES, **PLANTS, **THINGS}

_INK: Rgb = (34, 28, 34)
_LEAF: Rgb = (70, 138, 66)
_WHITE: Rgb = (255, 252, 246)
_PANE: Rgb = (176, 206, 226)
_LAMP: Rgb = (255, 214, 110)
_FILL_LIGHT = 0.45
_CROWD_SIZES = (1.0, 0.95, 0.85, 0.76)
_COMPANIONS = ((-0.42, 0.45), (0.4, 0.5), (-0.24, 0.6), (0.26, 0.66))
_WET = frozenset({Ground.SEA, Ground.DEEP})


def paint_actors(stage: Stage) -> None:
    """Draw the figures side by side, the taller ones first and further back."""
    actors = sorted(stage.scene.actors, key=lambda actor: -DRAWINGS[actor.figure].height)
    order = stage.dice("places").sample(range(len(actors)), len(actors))
    for actor, slot in zip(actors, order, strict=True):
        dice = stage.dice(actor.figure)
        share = 1 / len(actors)
        across = (slot + 0.5 + dice.uniform(-0.16, 0.16)) * share
        for step, size in _COMPANIONS[: 4 // len(actors)] if actor.is_plural else ():
            _paint(stage, actor, dice, across=across + step * share, size=size)
        _paint(stage, actor, dice, across=across, size=_CROWD_SIZES[len(actors) - 1])


def _paint(stage: Stage, actor: Actor, dice: random.Random, *, across: float, size: float) -> None:
    canvas, drawing = stage.canvas, DRAWINGS[actor.figure]
    side = canvas.unit * drawing.height * dice.uniform(0.92, 1.12) * size
    left = max(0.0, min(canvas.width - side, canvas.width * across - side / 2))
    frame = Frame(
        left=left,
        top=_foot(stage, drawing, dice.random()) - side - canvas.unit * 0.09 * (1 - size),
        side=side,
        is_flipped=dice.random() < 0.5,  # noqa: PLR2004 - an even chance
        tones=_tones(drawing, actor.colour, stage),
    )
    margin = side * 0.16
    box = (left - margin, frame.top - margin, left + side + margin, frame.top + side + margin)
    with canvas.pen(box) as pen:
        if drawing.place is Place.GROUND:
            shadow = (left + side / 2, frame.top + side * 0.985)
            pen.oval(shadow, (side * 0.46, side * 0.035), (10, 14, 30, 70))
        for part in drawing.parts:
            part.draw(pen, frame)


def _foot(stage: Stage, drawing: Drawing, chance: float) -> float:
    canvas, scene = stage.canvas, stage.scene
    depth = canvas.height - stage.horizon
    if Ground.DEEP in scene.grounds and drawing.place is not Place.GROUND:
        return canvas.height * (0.62 + 0.12 * chance)
    if drawing.place is Place.AIR:
        return max(canvas.unit * drawing.height * 1.15, stage.horizon * (0.62 + 0.3 * chance))
    if drawing.place is Place.WATER and _WET.isdisjoint(scene.grounds):
        return stage.horizon + depth * 0.3
    if drawing.place is Place.WATER:
        return stage.horizon + depth * (0.24 if Ground.BEACH in scene.grounds else 0.5)
    return stage.horizon + depth * 0.58


def _tones(drawing: Drawing, colour: Rgb | None, stage: Stage) -> dict[Tone, Rgb]:
    main = colour or drawing.main
    is_dark = stage.scene.time in (Time.NIGHT, Time.DUSK, Time.SUNSET)
    tones = {
        Tone.MAIN: main,
        Tone.DARK: mix(main, _INK, 0.3),
        Tone.PALE: mix(main, _WHITE, 0.78),
        Tone.ACCENT: drawing.accent,
        Tone.INK: _INK,
        Tone.LEAF: _LEAF,
    }
    shown = {tone: _shown(stage.palette, colour) for tone, colour in tones.items()}
    return {**shown, Tone.GLOW: _LAMP if is_dark else _PANE}


def _shown(palette: Palette, colour: Rgb) -> Rgb:
    # A figure keeps some of its own colour in the dark, or it could not be told apart.
    return mix(palette.lit(colour), colour, _FILL_LIGHT)
