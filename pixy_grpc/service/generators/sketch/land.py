"""The land: silhouettes one before the other, paler the further away they are."""

import random
from collections.abc import Iterator
from itertools import pairwise
from math import sin, tau

from pixy_grpc.service.generators.sketch.canvas import Point
from pixy_grpc.service.generators.sketch.palette import mix
from pixy_grpc.service.generators.sketch.stage import Stage
from pixy_grpc.service.generators.sketch.vocabulary import Ground, Rgb, Time

_GREENS: tuple[Rgb, Rgb, Rgb] = ((150, 186, 130), (108, 164, 84), (66, 122, 58))
_SANDS: tuple[Rgb, Rgb, Rgb] = ((240, 206, 150), (230, 178, 112), (206, 140, 80))
_SNOWS: tuple[Rgb, Rgb, Rgb] = ((206, 220, 238), (228, 236, 246), (246, 249, 253))
_ROCKS: tuple[Rgb, Rgb, Rgb] = ((132, 132, 140), (104, 102, 112), (76, 74, 86))
_HILLS = {
    Ground.MEADOW: _GREENS,
    Ground.DESERT: _SANDS,
    Ground.SNOWFIELD: _SNOWS,
    Ground.SPACE: _ROCKS,
}
_DARK: Rgb = (16, 22, 38)


def paint_mountains(stage: Stage) -> None:
    """Draw two ranges that rise above the horizon, lit from one side, with snow on top."""
    for layer, (rise, distance) in enumerate(((0.34, 0.58), (0.24, 0.26))):
        base = stage.horizon + stage.canvas.unit * 0.02 * layer
        slopes = [
            [(x, base - stage.canvas.unit * rise * height) for x, height in slope]
            for slope in _slopes(stage, f"mountains {layer}")
        ]
        crest = [point for slope in slopes for point in slope]
        colour = stage.palette.land((84, 98, 134), distance)
        stage.canvas.ridge(crest, (colour, mix(colour, stage.palette.horizon, 0.55), colour))
        _relief(stage, slopes, base + stage.canvas.unit * 0.1, distance)


def paint_hills(stage: Stage, ground: Ground) -> None:
    """Draw three rows of hills from the horizon to the foot of the picture."""
    unit, depth = stage.canvas.unit, stage.canvas.height - stage.horizon
    for layer, colour in enumerate(_HILLS[ground]):
        dice = stage.dice(f"hills {layer}")
        base = stage.horizon + depth * (0.04 + 0.24 * layer)
        swing = unit * (0.05, 0.045, 0.035)[layer]
        crest = [(x, base - swing * height) for x, height in _waves(stage, dice.random() * 9)]
        near = stage.palette.land(colour, (0.42, 0.2, 0.0)[layer])
        stage.canvas.ridge(
            crest, (mix(near, stage.palette.light, 0.12), near, mix(near, _DARK, 0.3))
        )


def paint_forest(stage: Stage) -> None:
    """Draw three rows of firs, with mist between them."""
    unit, depth = stage.canvas.unit, stage.canvas.height - stage.horizon
    for layer, distance in enumerate((0.62, 0.34, 0.06)):
        dice = stage.dice(f"forest {layer}")
        base = stage.horizon + depth * (0.06 + 0.2 * layer)
        phase = dice.random() * 9
        crest: list[Point] = []
        at = -unit * 0.1 * dice.random()
        while at < stage.canvas.width:
            tall = unit * (0.1 + 0.035 * layer) * dice.uniform(0.7, 1.35)
            foot = base - unit * 0.03 * sin(at / unit * 3 + phase)
            crest += _fir((at + tall * 0.145, foot), tall)
            at += tall * 0.29
        colour = stage.palette.land((30, 84, 60), distance)
        mist = mix(colour, stage.palette.horizon, 0.5 if layer < 2 else 0.0)  # noqa: PLR2004 - the last row
        stage.canvas.ridge(crest, (colour, mist, mix(mist, _DARK, 0.35 if layer else 0.0)))


def paint_city(stage: Stage) -> None:
    """Draw two rows of towers on the horizon, with windows in the nearer one."""
    unit = stage.canvas.unit
    for layer, (rise, distance) in enumerate(((0.36, 0.6), (0.26, 0.24))):
        dice = stage.dice(f"city {layer}")
        base = stage.horizon + unit * 0.03
        towers: list[tuple[float, float, float]] = []
        at = -unit * 0.05 * dice.random()
        while at < stage.canvas.width:
            width = unit * dice.uniform(0.045, 0.1)
            towers.append((at, width, base - unit * rise * dice.uniform(0.3, 1.0)))
            at += width
        crest = [p for x, width, top in towers for p in ((x, top), (x + width, top))]
        colour = stage.palette.land((70, 78, 104), distance)
        stage.canvas.ridge(crest, (colour, mix(colour, stage.palette.horizon, 0.25)))
    _windows(stage, towers)


def _waves(stage: Stage, phase: float) -> Iterator[Point]:
    unit = stage.canvas.unit
    for x in stage.across(max(1.0, unit / 96)):
        turn = x / unit * tau
        yield x, sin(turn * 0.55 + phase) + 0.45 * sin(turn * 1.3 + 2.1 * phase)


def _slopes(stage: Stage, purpose: str) -> Iterator[list[Point]]:
    """Yield, from left to right, the sides of mountains: up to a peak, down from it, up."""
    dice, unit = stage.dice(purpose), stage.canvas.unit
    start = (-unit * 0.3 * dice.random(), 0.2)
    is_rising = True
    while start[0] < stage.canvas.width:
        height = dice.uniform(0.6, 1.0) if is_rising else dice.uniform(0.15, 0.45)
        end = (start[0] + unit * dice.uniform(0.12, 0.24), height)
        yield _rough(start, end, dice)
        start, is_rising = end, not is_rising


def _rough(start: Point, end: Point, dice: random.Random) -> list[Point]:
    points, swing = [start, end], 0.09
    for _ in range(4):
        middles = [
            ((x + right) / 2, (y + high) / 2 + swing * dice.uniform(-1, 1))
            for (x, y), (right, high) in pairwise(points)
        ]
        points = [p for pair in zip(points, middles, strict=False) for p in pair] + [end]
        swing *= 0.5
    return points


def _relief(stage: Stage, slopes: list[list[Point]], base: float, distance: float) -> None:
    crest = [point for slope in slopes for point in slope]
    top = min(y for _, y in crest)
    line = top + (base - top) * 0.4
    snow = stage.palette.land((246, 249, 255), distance * 0.5)
    with stage.canvas.pen((0, top, stage.canvas.width, base)) as pen:
        for slope in slopes:
            pen.polygon([*slope, *_snow_line(slope, line)[::-1]], snow)
        for slope in slopes[1::2]:
            pen.polygon([*slope, *_ridge_line(slope, base)], (*_DARK, 46))


def _snow_line(slope: list[Point], line: float) -> list[Point]:
    return [
        (x, y + max(0.0, line - y) * (0.45 + 0.4 * sin(index * 0.9)))
        for index, (x, y) in enumerate(slope)
    ]


def _ridge_line(slope: list[Point], base: float) -> list[Point]:
    # From the foot of the shaded side back up to its peak.
    (peak, top), (foot, _) = slope[0], slope[-1]
    width = foot - peak
    return [(foot, base), (peak + width * 0.25, base), (peak - width * 0.1, (top + base) / 2)]


def _fir(foot: Point, tall: float) -> list[Point]:
    left = [
        (foot[0] - tall * wide, foot[1] - tall * high)
        for wide, high in ((0.145, 0.1), (0.09, 0.34), (0.13, 0.34), (0.055, 0.64), (0.09, 0.64))
    ]
    right = [(2 * foot[0] - x, y) for x, y in left[::-1]]
    return [*left, (foot[0], foot[1] - tall), *right]


def _windows(stage: Stage, towers: list[tuple[float, float, float]]) -> None:
    dice, unit = stage.dice("windows"), stage.canvas.unit
    is_dark = stage.scene.time in (Time.NIGHT, Time.DUSK, Time.SUNSET)
    colour = (255, 214, 120, 235) if is_dark else (*stage.palette.horizon, 120)
    step = unit * 0.017
    top = min(top for _, _, top in towers)
    with stage.canvas.pen((0, top, stage.canvas.width, stage.horizon)) as pen:
        for left, width, roof in towers:
            columns = int((width - step * 0.5) / step)
            margin = (width - columns * step) / 2
            for row in range(int((stage.horizon - roof) / (step * 1.4))):
                for column in range(columns):
                    if dice.random() < (0.5 if is_dark else 0.8):
                        x = left + margin + (column + 0.22) * step
                        y = roof + (row + 0.5) * step * 1.4
                        wide, high = step * 0.55, step * 0.75
                        pen.polygon(
                            [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)], colour
                        )
