"""Water: the sea with the sky's light on it, the beach, and the world below."""

from math import sin

from pixy_grpc.service.generators.sketch.canvas import Point
from pixy_grpc.service.generators.sketch.palette import mix
from pixy_grpc.service.generators.sketch.stage import Stage, shows_moon, shows_sun
from pixy_grpc.service.generators.sketch.vocabulary import Rgb

_WHITE: Rgb = (255, 255, 255)
_SEA: Rgb = (14, 78, 126)
_SAND: Rgb = (240, 214, 164)


def paint_sea(stage: Stage) -> None:
    """Draw water from the horizon down, with waves, and a path of light under sun or moon."""
    canvas, palette = stage.canvas, stage.palette
    deep = palette.land(_SEA, 0.0)
    middle = mix(deep, palette.sky[1], 0.35)
    canvas.fill(
        (0, stage.horizon, canvas.width, canvas.height),
        (mix(middle, palette.horizon, 0.45), middle, deep),
    )
    _ripples(stage, deep)
    if shows_sun(stage.scene) or shows_moon(stage.scene):
        _light_path(stage)


def paint_beach(stage: Stage) -> None:
    """Draw the sea, and before it sand with a line of foam."""
    paint_sea(stage)
    canvas, palette = stage.canvas, stage.palette
    phase = stage.dice("beach").random() * 9
    shore = stage.horizon + (canvas.height - stage.horizon) * 0.34
    sand = palette.land(_SAND, 0.0)
    foam, wet = palette.lit((250, 252, 252)), mix(sand, palette.lit(_SEA), 0.3)
    layers = (
        (0.024, (foam, foam)),
        (0.01, (wet, wet)),
        (-0.02, (sand, mix(sand, (60, 30, 20), 0.25))),
    )
    for lift, stops in layers:
        line = shore - canvas.unit * lift
        canvas.ridge(_shallow(stage, line, 0.035, phase + lift * 9), stops)


def paint_deep(stage: Stage) -> None:
    """Draw the sea from below: rays of light, a sea floor, weed and bubbles."""
    canvas, palette = stage.canvas, stage.palette
    canvas.fill((0, 0, canvas.width, canvas.height), palette.sky)
    _rays(stage)
    floor = canvas.height * 0.84
    phase = stage.dice("floor").random() * 9
    for lift, share in ((0.07, 0.65), (0.0, 0.35)):
        crest = _shallow(stage, floor - canvas.unit * lift, 0.03, phase + lift * 50)
        sand = mix(palette.land((214, 190, 140), 0.0), palette.horizon, share)
        canvas.ridge(crest, (sand, mix(sand, palette.horizon, 0.6)))
    _weed(stage, floor)
    _bubbles(stage)


def _shallow(stage: Stage, line: float, swing: float, phase: float) -> list[Point]:
    unit = stage.canvas.unit
    return [
        (x, line - unit * swing * sin(x / unit * 2.8 + phase))
        for x in stage.across(max(1.0, unit / 96))
    ]


def _ripples(stage: Stage, deep: Rgb) -> None:
    dice, canvas = stage.dice("ripples"), stage.canvas
    depth = canvas.height - stage.horizon
    bright = (*mix(stage.palette.horizon, _WHITE, 0.2), 70)
    dark = (*mix(deep, (0, 8, 30), 0.4), 70)
    with canvas.pen((0, stage.horizon, canvas.width, canvas.height)) as pen:
        for index in range(stage.repeats(90)):
            near = dice.random()
            centre = (dice.random() * canvas.width, stage.horizon + depth * near**1.5)
            size = canvas.unit * (0.012 + 0.07 * near * dice.random())
            pen.oval(
                centre, (size, canvas.unit * (0.0012 + 0.003 * near)), bright if index % 2 else dark
            )


def _light_path(stage: Stage) -> None:
    dice, canvas = stage.dice("light path"), stage.canvas
    depth, unit = canvas.height - stage.horizon, canvas.unit
    colour = (*mix(stage.palette.light, _WHITE, 0.3), 150)
    x = stage.light[0]
    with canvas.pen((x - unit * 0.3, stage.horizon, x + unit * 0.3, canvas.height)) as pen:
        for _ in range(70):
            near = dice.random()
            sway = unit * (0.03 + 0.11 * near) * dice.uniform(-1, 1)
            size = unit * (0.02 + 0.05 * near * dice.random())
            pen.oval(
                (x + sway, stage.horizon + depth * near),
                (size, unit * (0.0015 + 0.0035 * near)),
                colour,
            )


def _rays(stage: Stage) -> None:
    dice, canvas = stage.dice("rays"), stage.canvas
    unit = canvas.unit
    for _ in range(stage.columns(5)):
        x, width = dice.random() * canvas.width, unit * dice.uniform(0.03, 0.09)
        lean, length = unit * dice.uniform(-0.25, 0.25), canvas.height * dice.uniform(0.5, 0.85)
        left, right = min(x, x + lean) - width, max(x, x + lean) + 2 * width
        with canvas.pen((left, 0, right, length)) as pen:
            for step in range(6):
                end = length * (1 - step * 0.13)
                share = end / length
                pen.polygon(
                    [
                        (x, 0),
                        (x + width * 0.6, 0),
                        (x + lean * share + width, end),
                        (x + lean * share - width * 0.5, end),
                    ],
                    (225, 255, 250, 13),
                )


def _weed(stage: Stage, floor: float) -> None:
    dice, canvas = stage.dice("weed"), stage.canvas
    for _ in range(stage.columns(16)):
        x, foot = dice.random() * canvas.width, floor + canvas.unit * dice.uniform(0.0, 0.1)
        tall, phase = canvas.unit * dice.uniform(0.1, 0.3), dice.random() * 9
        colour = mix(
            stage.palette.land(dice.choice(((40, 140, 90), (90, 150, 60), (190, 80, 110))), 0.0),
            stage.palette.horizon,
            0.3,
        )
        with canvas.pen((x - tall * 0.3, foot - tall, x + tall * 0.3, foot)) as pen:
            pen.polygon(_blade((x, foot), tall, phase), colour)


def _blade(foot: Point, tall: float, phase: float) -> list[Point]:
    spine = [
        (foot[0] + tall * 0.12 * sin(step * 0.6 + phase), foot[1] - tall * step / 12)
        for step in range(13)
    ]
    widths = [tall * 0.06 * (1 - step / 12.5) for step in range(13)]
    left = [(x - w, y) for (x, y), w in zip(spine, widths, strict=True)]
    right = [(x + w, y) for (x, y), w in zip(spine, widths, strict=True)]
    return left + right[::-1]


def _bubbles(stage: Stage) -> None:
    dice, canvas = stage.dice("bubbles"), stage.canvas
    for _ in range(stage.repeats(22)):
        x, y = dice.random() * canvas.width, dice.random() * canvas.height * 0.8
        radius = canvas.unit * dice.uniform(0.004, 0.016)
        with canvas.pen((x - radius, y - radius, x + radius, y + radius)) as pen:
            pen.oval((x, y), (radius, radius), (235, 255, 255, 80))
            pen.oval(
                (x - radius * 0.3, y - radius * 0.3),
                (radius * 0.3, radius * 0.3),
                (255, 255, 255, 200),
            )
