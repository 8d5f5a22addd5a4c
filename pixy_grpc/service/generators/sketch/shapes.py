"""What drawings of figures are made of, in a unit square with its feet at the bottom."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pixy_grpc.service.generators.sketch.canvas import Pen, Point
from pixy_grpc.service.generators.sketch.vocabulary import Rgb

_CURVE_STEPS = 7


class Tone(StrEnum):
    """A colour by its part in a drawing, so that a red house can be a blue one."""

    MAIN = "main"
    DARK = "dark"
    PALE = "pale"
    ACCENT = "accent"
    INK = "ink"
    GLOW = "glow"
    LEAF = "leaf"


class Place(StrEnum):
    """Where a figure is at home."""

    GROUND = "ground"
    WATER = "water"
    AIR = "air"


@dataclass(frozen=True)
class Frame:
    """Where the unit square is on the canvas, and what its tones are."""

    left: float
    top: float
    side: float
    is_flipped: bool
    tones: dict[Tone, Rgb]

    def place(self, point: Point) -> Point:
        """Return where a point of the unit square is on the canvas."""
        x = 1.0 - point[0] if self.is_flipped else point[0]
        return self.left + x * self.side, self.top + point[1] * self.side


class Part(Protocol):
    """A piece of a drawing."""

    def draw(self, pen: Pen, frame: Frame) -> None:
        """Draw it."""

    def mirrored(self) -> "Part":
        """Return it with left and right exchanged."""


@dataclass(frozen=True)
class Shape:
    """An area with straight sides."""

    tone: Tone
    points: Sequence[Point]

    def draw(self, pen: Pen, frame: Frame) -> None:
        """Fill it."""
        pen.polygon([frame.place(point) for point in self.points], frame.tones[self.tone])

    def mirrored(self) -> "Shape":
        """Return it with left and right exchanged."""
        return type(self)(self.tone, [(1.0 - x, y) for x, y in self.points])


@dataclass(frozen=True)
class Blob(Shape):
    """An area with a smooth outline through its points."""

    def draw(self, pen: Pen, frame: Frame) -> None:
        """Fill it."""
        outline = [frame.place(point) for point in _smooth(self.points)]
        pen.polygon(outline, frame.tones[self.tone])


@dataclass(frozen=True)
class Oval:
    """An ellipse with its axes upright."""

    tone: Tone
    centre: Point
    radii: Point

    def draw(self, pen: Pen, frame: Frame) -> None:
        """Fill it."""
        radii = (self.radii[0] * frame.side, self.radii[1] * frame.side)
        pen.oval(frame.place(self.centre), radii, frame.tones[self.tone])

    def mirrored(self) -> "Oval":
        """Return it with left and right exchanged."""
        return Oval(self.tone, (1.0 - self.centre[0], self.centre[1]), self.radii)


@dataclass(frozen=True)
class Stroke:
    """A line with a width."""

    tone: Tone
    points: Sequence[Point]
    width: float

    def draw(self, pen: Pen, frame: Frame) -> None:
        """Draw it."""
        points = [frame.place(point) for point in self.points]
        pen.line(points, self.width * frame.side, frame.tones[self.tone])

    def mirrored(self) -> "Stroke":
        """Return it with left and right exchanged."""
        return Stroke(self.tone, [(1.0 - x, y) for x, y in self.points], self.width)


@dataclass(frozen=True)
class Drawing:
    """A figure: its own colours, its height as a share of the picture's shorter side."""

    parts: Sequence[Part]
    main: Rgb
    accent: Rgb = (244, 240, 230)
    height: float = 0.4
    place: Place = Place.GROUND


def path(text: str) -> list[Point]:
    """Return the points of a text such as "50,0 100,100 0,100", in hundredths of the square."""
    pairs = [pair.split(",") for pair in text.split()]
    return [(float(x) / 100, float(y) / 100) for x, y in pairs]


def both(*parts: Part) -> list[Part]:
    """Return each part and its mirror image."""
    return [side for part in parts for side in (part, part.mirrored())]


def _smooth(points: Sequence[Point]) -> list[Point]:
    # A closed Catmull-Rom spline: it passes through every point.
    count = len(points)
    return [
        _between(
            [points[(index + offset) % count] for offset in (-1, 0, 1, 2)], step / _CURVE_STEPS
        )
        for index in range(count)
        for step in range(_CURVE_STEPS)
    ]


def _between(corners: Sequence[Point], at: float) -> Point:
    before, start, end, after = corners
    weights = (
        (-at + 2 * at**2 - at**3) / 2,
        (2 - 5 * at**2 + 3 * at**3) / 2,
        (at + 4 * at**2 - 3 * at**3) / 2,
        (at**3 - at**2) / 2,
    )
    points = (before, start, end, after)
    return (
        sum(w * p[0] for w, p in zip(weights, points, strict=True)),
        sum(w * p[1] for w, p in zip(weights, points, strict=True)),
    )
