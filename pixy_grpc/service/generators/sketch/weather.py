"""What the air is full of: rain, snow, fog."""

from pixy_grpc.service.generators.sketch.stage import Stage
from pixy_grpc.service.generators.sketch.vocabulary import Sky


def paint_weather(stage: Stage) -> None:
    """Draw the weather that the scene has before everything else."""
    if Sky.FOG in stage.scene.sky:
        _fog(stage)
    if Sky.RAIN in stage.scene.sky:
        _rain(stage)
    if Sky.SNOW in stage.scene.sky:
        _snow(stage)


def _fog(stage: Stage) -> None:
    canvas, colour = stage.canvas, stage.palette.horizon
    top, depth = stage.horizon * 0.45, canvas.height - stage.horizon
    canvas.veil((0, top, canvas.width, stage.horizon + depth), colour, (0.0, 0.75, 0.6, 0.2))


def _rain(stage: Stage) -> None:
    dice, canvas = stage.dice("rain"), stage.canvas
    thickness = canvas.unit / 700
    with canvas.pen((0, 0, canvas.width, canvas.height), smooth=False) as pen:
        for _ in range(stage.specks(170)):
            x, y = dice.uniform(-0.02, 1.05) * canvas.width, dice.random() * canvas.height
            length = canvas.unit * dice.uniform(0.03, 0.075)
            pen.line([(x, y), (x - length * 0.25, y + length)], thickness, (225, 234, 246, 120))


def _snow(stage: Stage) -> None:
    dice, canvas = stage.dice("snow"), stage.canvas
    for _ in range(stage.specks(150)):
        x, y = dice.random() * canvas.width, dice.random() * canvas.height
        radius = max(0.7, canvas.unit * (0.0016 + 0.006 * dice.random() ** 3))
        with canvas.pen((x - radius, y - radius, x + radius + 1, y + radius + 1)) as pen:
            pen.oval((x, y), (radius, radius), (252, 253, 255, round(dice.uniform(120, 240))))
