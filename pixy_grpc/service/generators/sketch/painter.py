"""The order of a painting: what is further away comes first."""

from PIL import Image

from pixy_grpc.core.call import Deadline
from pixy_grpc.service.generators.sketch.actors import paint_actors
from pixy_grpc.service.generators.sketch.canvas import Canvas
from pixy_grpc.service.generators.sketch.land import (
    paint_city,
    paint_forest,
    paint_hills,
    paint_mountains,
)
from pixy_grpc.service.generators.sketch.palette import palette_of
from pixy_grpc.service.generators.sketch.scene import Scene
from pixy_grpc.service.generators.sketch.sky import paint_backdrop, paint_lights
from pixy_grpc.service.generators.sketch.stage import Stage, stage_of
from pixy_grpc.service.generators.sketch.vocabulary import Ground
from pixy_grpc.service.generators.sketch.water import paint_beach, paint_deep, paint_sea
from pixy_grpc.service.generators.sketch.weather import paint_weather

_HILLS = (Ground.SPACE, Ground.SNOWFIELD, Ground.DESERT)


def paint(scene: Scene, size: tuple[int, int], detail: int, deadline: Deadline) -> Image.Image:
    """Return the picture of a scene; `detail` is how much finer edges are drawn.

    Raises DeadlineTooShortError between its steps.
    """
    palette = palette_of(scene)
    deadline.check()
    canvas = Canvas(paint_backdrop(scene, palette, size), detail)
    stage = stage_of(scene, palette, canvas)
    for step in (paint_lights, _paint_land, paint_actors, paint_weather):
        deadline.check()
        step(stage)
    return canvas.image


def _paint_land(stage: Stage) -> None:
    grounds = stage.scene.grounds
    if Ground.DEEP in grounds:
        paint_deep(stage)
        return
    if Ground.MOUNTAINS in grounds:
        paint_mountains(stage)
    if Ground.CITY in grounds:
        paint_city(stage)
    _paint_base(stage)


def _paint_base(stage: Stage) -> None:
    grounds = stage.scene.grounds
    if Ground.BEACH in grounds:
        paint_beach(stage)
    elif Ground.SEA in grounds or grounds == {Ground.CITY}:
        paint_sea(stage)
    else:
        paint_hills(stage, next((hills for hills in _HILLS if hills in grounds), Ground.MEADOW))
    if Ground.FOREST in grounds:
        paint_forest(stage)
