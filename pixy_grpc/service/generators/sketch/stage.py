"""A canvas with a scene on it: where the horizon is, where the light comes from."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from pixy_grpc.service.generators.sketch.canvas import Canvas, Point
from pixy_grpc.service.generators.sketch.palette import Palette
from pixy_grpc.service.generators.sketch.scene import Scene
from pixy_grpc.service.generators.sketch.vocabulary import Ground, Sky, Time

_LIGHT_HEIGHTS = {
    Time.NOON: (0.14, 0.3),
    Time.SUNRISE: (0.66, 0.86),
    Time.SUNSET: (0.74, 0.94),
    Time.DUSK: (0.8, 0.98),
    Time.NIGHT: (0.16, 0.34),
}
_MAX_REPEATS = 400


@dataclass(frozen=True)
class Stage:
    """What every part of a painting shares; the same places at every size."""

    scene: Scene
    palette: Palette
    canvas: Canvas
    horizon: float
    light: Point

    def dice(self, purpose: str) -> random.Random:
        """Return chance that is the same for every painting of this scene."""
        return self.scene.dice(purpose)

    def repeats(self, per_square: float) -> int:
        """Return how many of a thing fill the picture as densely as they fill a square."""
        longer = max(self.canvas.width, self.canvas.height)
        return min(_MAX_REPEATS, round(per_square * longer / self.canvas.unit))

    def columns(self, per_square: float) -> int:
        """Return how many of a thing stand side by side as densely as in a square."""
        return min(_MAX_REPEATS, round(per_square * self.canvas.width / self.canvas.unit))

    def specks(self, per_square: float) -> int:
        """Return how many of what is about a pixel large: fewer in a small picture."""
        return self.repeats(per_square * min(1.0, 0.2 + self.canvas.unit / 640))

    def across(self, step: float) -> Iterator[float]:
        """Yield places from left of the left edge to right of the right one."""
        at = -step
        while at < self.canvas.width + 2 * step:
            yield at
            at += step


def stage_of(scene: Scene, palette: Palette, canvas: Canvas) -> Stage:
    """Decide the places that the whole picture goes by."""
    dice = scene.dice("stage")
    horizon = canvas.height * dice.uniform(0.56, 0.68)
    low, high = _LIGHT_HEIGHTS[scene.time]
    if scene.time is not Time.NOON and Ground.SEA not in scene.grounds:
        low, high = low * 0.75, high * 0.75
    across = dice.choice((dice.uniform(0.14, 0.36), dice.uniform(0.64, 0.86)))
    light = (canvas.width * across, horizon * dice.uniform(low, high))
    return Stage(scene, palette, canvas, horizon, light)


def shows_sun(scene: Scene) -> bool:
    """Tell whether the sun is out: by day, where it is named or nothing hides it."""
    hidden = (
        scene.sky & {Sky.RAIN, Sky.SNOW, Sky.FOG, Sky.MOON, Sky.RAINBOW} or scene.time is Time.NIGHT
    )
    return Sky.SUN in scene.sky or not (hidden or scene.time is Time.DUSK)


def shows_moon(scene: Scene) -> bool:
    """Tell whether the moon is out: where it is named, and in a clear night."""
    hidden = scene.sky & {Sky.RAIN, Sky.SNOW, Sky.STARS}
    return Sky.MOON in scene.sky or (scene.time is Time.NIGHT and not hidden)
