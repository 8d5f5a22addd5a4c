"""The sky: what is soft is painted small and enlarged, what is sharp is drawn after."""

from math import cos, pi, sin

from PIL import Image, ImageFilter

from pixy_grpc.service.generators.sketch.canvas import Canvas, Pen, Point
from pixy_grpc.service.generators.sketch.palette import Palette, mix
from pixy_grpc.service.generators.sketch.scene import Scene
from pixy_grpc.service.generators.sketch.stage import Stage, shows_moon, shows_sun, stage_of
from pixy_grpc.service.generators.sketch.vocabulary import Ground, Rgb, Sky, Time

_SMALL_SIDE = 192
_WHITE: Rgb = (255, 255, 255)
_RAINBOW: tuple[Rgb, ...] = (
    (236, 84, 84),
    (246, 160, 72),
    (250, 220, 100),
    (110, 200, 120),
    (90, 160, 230),
    (150, 110, 210),
)


def paint_backdrop(scene: Scene, palette: Palette, size: tuple[int, int]) -> Image.Image:
    """Return the sky's gradient, glow, rainbow and clouds, and the horizon's colour below."""
    shrink = max(1, min(size) // _SMALL_SIDE)
    small = Image.new("RGB", (-(-size[0] // shrink), -(-size[1] // shrink)))
    stage = stage_of(scene, palette, Canvas(small, 2))
    stage.canvas.fill((0, 0, small.width, stage.horizon), palette.sky)
    stage.canvas.fill((0, stage.horizon, *small.size), (palette.horizon,) * 2)
    _glow(stage)
    if Sky.RAINBOW in scene.sky:
        _rainbow(stage)
    if Sky.CLOUDS in scene.sky and Ground.SPACE not in scene.grounds:
        _clouds(stage)
    soft = stage.canvas.image.filter(ImageFilter.GaussianBlur(1.0))
    return soft.resize(size, Image.Resampling.BICUBIC)


def paint_lights(stage: Stage) -> None:
    """Draw stars, moon or planet and sun, those that are out."""
    scene = stage.scene
    if Sky.STARS in scene.sky or scene.time is Time.NIGHT:
        _stars(stage)
    if Ground.SPACE in scene.grounds:
        _planet(stage)
    elif shows_moon(scene):
        _moon(stage)
    elif shows_sun(scene):
        _sun(stage)


def _glow(stage: Stage) -> None:
    canvas, light = stage.canvas, stage.palette.light
    if shows_sun(stage.scene):
        canvas.glow(stage.light, canvas.unit * 0.75, light, 0.75)
        canvas.glow(stage.light, canvas.unit * 0.25, _WHITE, 0.5)
    elif shows_moon(stage.scene):
        canvas.glow(stage.light, canvas.unit * 0.42, light, 0.4)


def _clouds(stage: Stage) -> None:
    dice, canvas = stage.dice("clouds"), stage.canvas
    shade = mix(stage.palette.sky[1], stage.palette.horizon, 0.5)
    bright = mix(stage.palette.horizon, stage.palette.lit(_WHITE), 0.7)
    is_heavy = Sky.RAIN in stage.scene.sky
    with canvas.pen((0, 0, canvas.width, stage.horizon)) as pen:
        for _ in range(stage.columns(9 if is_heavy else 5)):
            place = (dice.random() * canvas.width, dice.uniform(0.02, 0.72) * stage.horizon)
            puffs = [(dice.uniform(-1, 1), dice.uniform(0.4, 1.0)) for _ in range(7)]
            width = canvas.unit * dice.uniform(0.08, 0.2) * (1.5 if is_heavy else 1.0)
            for colour, lift in ((shade, 0.0), (bright, 0.12)):
                _cloud(pen, place, width, puffs, (*colour, 235), lift)


def _cloud(
    pen: Pen,
    place: Point,
    width: float,
    puffs: list[tuple[float, float]],
    colour: tuple[int, int, int, int],
    lift: float,
) -> None:
    for offset, size in puffs:
        radius = width * 0.36 * size * (1.1 - abs(offset) * 0.6)
        centre = (place[0] + offset * width, place[1] - radius * 0.6 - lift * width)
        pen.oval(centre, (radius * 1.5, radius), colour)
    pen.oval((place[0], place[1] - lift * width), (width * 1.35, width * 0.16), colour)


def _stars(stage: Stage) -> None:
    dice, canvas = stage.dice("stars"), stage.canvas
    ceiling = canvas.height if Ground.SPACE in stage.scene.grounds else stage.horizon
    for _ in range(stage.specks(170 if Sky.STARS in stage.scene.sky else 80)):
        x, y = dice.random() * canvas.width, dice.random() ** 1.3 * ceiling * 0.96
        radius = max(0.5, canvas.unit * 0.0012 * (1 + 2.4 * dice.random() ** 4))
        colour = (*mix(stage.palette.light, _WHITE, dice.random()), round(dice.uniform(90, 255)))
        with canvas.pen((x - 3 * radius, y - 3 * radius, x + 3 * radius, y + 3 * radius)) as pen:
            pen.oval((x, y), (radius, radius), colour)


def _sun(stage: Stage) -> None:
    (x, y), radius = stage.light, stage.canvas.unit * 0.062
    with stage.canvas.pen((x - radius, y - radius, x + radius + 1, y + radius + 1)) as pen:
        pen.oval((x, y), (radius, radius), mix(stage.palette.light, _WHITE, 0.35))


def _moon(stage: Stage) -> None:
    (x, y), radius = stage.light, stage.canvas.unit * 0.07
    colour = mix(stage.palette.light, (255, 246, 214), 0.6)
    with stage.canvas.pen((x - radius, y - radius, x + radius + 1, y + radius + 1)) as pen:
        if stage.dice("moon").random() < 0.4:  # noqa: PLR2004 - a chance
            pen.polygon(_crescent((x, y), radius), colour)
            return
        pen.oval((x, y), (radius, radius), colour)
        for across, down, size in ((-0.3, -0.25, 0.22), (0.32, 0.1, 0.28), (-0.15, 0.45, 0.16)):
            crater = (x + across * radius, y + down * radius)
            pen.oval(crater, (radius * size,) * 2, (*mix(colour, (120, 124, 150), 0.5), 110))


def _crescent(centre: Point, radius: float) -> list[Point]:
    angles = [-pi / 2 + pi * step / 24 for step in range(25)]
    outer = [(centre[0] + radius * cos(a), centre[1] + radius * sin(a)) for a in angles]
    inner = [
        (centre[0] + radius * 0.42 * cos(a), centre[1] + radius * sin(a)) for a in angles[::-1]
    ]
    return outer + inner


def _planet(stage: Stage) -> None:
    dice, canvas = stage.dice("planet"), stage.canvas
    (x, y), radius = stage.light, canvas.unit * dice.uniform(0.12, 0.2)
    base = dice.choice(((214, 120, 84), (90, 150, 200), (206, 170, 110), (150, 110, 190)))
    reach = radius * 1.8
    with canvas.pen((x - reach, y - reach, x + reach, y + reach)) as pen:
        for step in range(8):
            size = radius * (1 - step * 0.07)
            centre = (x - step * radius * 0.05, y - step * radius * 0.05)
            pen.oval(centre, (size, size), mix(mix(base, (20, 10, 40), 0.5), base, step / 7))
        tilt = [
            (x + reach * cos(a), y + reach * 0.3 * sin(a) - reach * 0.24 * cos(a))
            for a in (pi * step / 40 - 0.25 for step in range(58))
        ]
        pen.line(tilt, radius * 0.09, (*mix(base, _WHITE, 0.6), 220))


def _rainbow(stage: Stage) -> None:
    canvas = stage.canvas
    centre = (canvas.width - stage.light[0], stage.horizon * 1.05)
    reach = min(canvas.unit * 0.62, stage.horizon)
    width = canvas.unit * 0.016
    with canvas.pen((centre[0] - reach, 0, centre[0] + reach, stage.horizon)) as pen:
        for band, colour in enumerate(_RAINBOW):
            radius = reach - band * width
            arc = [
                (centre[0] + radius * cos(a), centre[1] - radius * sin(a))
                for a in (pi * step / 60 for step in range(61))
            ]
            pen.line(arc, width * 1.1, (*colour, 150))
