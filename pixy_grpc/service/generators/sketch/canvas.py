"""The picture while it is drawn: smooth edges, gradients and glows at the cost of few pixels.

Places are pixels of the finished picture, as floats, from its top left corner.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil, floor

from PIL import Image, ImageDraw

from pixy_grpc.service.generators.sketch.palette import gradient
from pixy_grpc.service.generators.sketch.vocabulary import Rgb

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Colour = Rgb | tuple[int, int, int, int]

_GRADIENT_STEPS = 64
_CREST_POINTS = 128


class Pen:
    """Draws on a part of a canvas, enlarged so that edges come out smooth."""

    def __init__(self, image: Image.Image, corner: tuple[int, int], detail: int) -> None:
        self._draw = ImageDraw.Draw(image, "RGBA")
        self._left, self._top = corner
        self._detail = detail

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill the area inside these corners."""
        self._draw.polygon([self._place(point) for point in points], fill=colour)

    def oval(self, centre: Point, radii: Point, colour: Colour) -> None:
        """Fill an ellipse with its axes upright."""
        (x, y), (across, down) = centre, radii
        corners = [self._place((x - across, y - down)), self._place((x + across, y + down))]
        self._draw.ellipse(corners, fill=colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw along these points."""
        thickness = max(1, round(width * self._detail))
        self._draw.line(
            [self._place(point) for point in points], fill=colour, width=thickness, joint="curve"
        )

    def _place(self, point: Point) -> Point:
        return (point[0] - self._left) * self._detail, (point[1] - self._top) * self._detail


class Canvas:
    """A picture in the making. `unit` is its shorter side, the measure of things in it."""

    def __init__(self, image: Image.Image, detail: int) -> None:
        self.image = image
        self.width, self.height = image.size
        self.unit = min(image.size)
        self._detail = detail

    @contextmanager
    def pen(self, box: Box, *, smooth: bool = True) -> Iterator[Pen]:
        """Lend a pen for the part of the canvas inside the box; what it draws is cut there."""
        left, top, right, bottom = self._clip(box)
        detail = self._detail if smooth else 1
        size = ((right - left) * detail, (bottom - top) * detail)
        part = self.image.crop((left, top, right, bottom))
        enlarged = part.resize(size, Image.Resampling.NEAREST)
        yield Pen(enlarged, (left, top), detail)
        self.image.paste(enlarged.reduce(detail), (left, top))

    def ridge(self, crest: Sequence[Point], stops: Sequence[Rgb]) -> None:
        """Fill everything below a line from the left edge to the right one."""
        heights = [y for _, y in crest]
        _, top, _, foot = self._clip((0, min(heights), self.width, max(heights) + 1))
        fill = self._gradient(stops, (self.width, self.height - top))
        mask = Image.new("L", (self.width * self._detail, (foot - top) * self._detail))
        draw = ImageDraw.Draw(mask)
        scaled = [(x * self._detail, (y - top) * self._detail) for x, y in crest]
        # A polygon of many corners costs more than several of few.
        for start in range(0, len(scaled) - 1, _CREST_POINTS):
            line = scaled[start : start + _CREST_POINTS + 1]
            draw.polygon([(line[0][0], mask.height), *line, (line[-1][0], mask.height)], fill=255)
        band = fill.crop((0, 0, self.width, foot - top))
        self.image.paste(band, (0, top), mask.reduce(self._detail))
        self.image.paste(fill.crop((0, foot - top, *fill.size)), (0, foot))

    def fill(self, box: Box, stops: Sequence[Rgb]) -> None:
        """Fill a rectangle with a gradient from top to bottom."""
        left, top, right, bottom = self._clip(box)
        self.image.paste(self._gradient(stops, (right - left, bottom - top)), (left, top))

    def veil(self, box: Box, colour: Rgb, strengths: Sequence[float]) -> None:
        """Lay a colour over a rectangle; strengths from 0 to 1 lead from top to bottom."""
        left, top, right, bottom = self._clip(box)
        size = (right - left, bottom - top)
        greys = [(round(255 * strength),) * 3 for strength in strengths]
        mask = self._gradient([(r, g, b) for r, g, b in greys], size).getchannel(0)
        self.image.paste(Image.new("RGB", size, colour), (left, top), mask)

    def glow(self, centre: Point, radius: float, colour: Rgb, strength: float) -> None:
        """Lay light around a point, fading out at the radius."""
        side = max(2, round(2 * radius))
        fading = Image.radial_gradient("L").point(
            [round((1 - min(1.0, value / 180)) ** 2 * 255 * strength) for value in range(256)]
        )
        mask = fading.resize((side, side), Image.Resampling.BILINEAR)
        corner = (round(centre[0] - side / 2), round(centre[1] - side / 2))
        self.image.paste(Image.new("RGB", mask.size, colour), corner, mask)

    def _clip(self, box: Box) -> tuple[int, int, int, int]:
        left = max(0, min(floor(box[0]), self.width - 1))
        top = max(0, min(floor(box[1]), self.height - 1))
        right = max(left + 1, min(ceil(box[2]), self.width))
        bottom = max(top + 1, min(ceil(box[3]), self.height))
        return left, top, right, bottom

    @staticmethod
    def _gradient(stops: Sequence[Rgb], size: tuple[int, int]) -> Image.Image:
        column = Image.new("RGB", (1, _GRADIENT_STEPS))
        column.putdata(gradient(stops, _GRADIENT_STEPS))
        tall = column.resize((1, max(1, size[1])), Image.Resampling.BILINEAR)
        return tall.resize((size[0], max(1, size[1])), Image.Resampling.NEAREST)
