"""The colours of a scene: its sky, its light, and what that light makes of other colours."""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

from pixy_grpc.service.generators.sketch.scene import Scene
from pixy_grpc.service.generators.sketch.vocabulary import Ground, Rgb, Sky, Time

_SKIES: dict[Time, tuple[Rgb, Rgb, Rgb]] = {
    Time.NOON: ((46, 120, 204), (120, 186, 236), (222, 240, 250)),
    Time.SUNRISE: ((104, 134, 204), (244, 178, 176), (255, 226, 178)),
    Time.SUNSET: ((64, 44, 112), (220, 88, 96), (255, 184, 92)),
    Time.DUSK: ((30, 30, 84), (112, 74, 144), (238, 150, 146)),
    Time.NIGHT: ((6, 10, 32), (16, 28, 70), (48, 66, 118)),
}
_LIGHTS: dict[Time, Rgb] = {
    Time.NOON: (255, 250, 224),
    Time.SUNRISE: (255, 236, 196),
    Time.SUNSET: (255, 214, 132),
    Time.DUSK: (255, 196, 170),
    Time.NIGHT: (226, 234, 255),
}
_AMBIENT: dict[Time, tuple[float, float, float]] = {
    Time.NOON: (1.0, 1.0, 1.0),
    Time.SUNRISE: (0.98, 0.88, 0.84),
    Time.SUNSET: (0.84, 0.62, 0.58),
    Time.DUSK: (0.52, 0.46, 0.62),
    Time.NIGHT: (0.27, 0.33, 0.5),
}
_RAIN_SKY: tuple[Rgb, Rgb, Rgb] = ((78, 92, 112), (132, 146, 162), (192, 202, 208))
_SNOW_SKY: tuple[Rgb, Rgb, Rgb] = ((150, 174, 202), (196, 212, 228), (236, 242, 248))
_FOG_SKY: tuple[Rgb, Rgb, Rgb] = ((160, 172, 182), (200, 208, 214), (226, 231, 233))
_DEEP_SKY: tuple[Rgb, Rgb, Rgb] = ((120, 222, 222), (28, 140, 176), (8, 52, 104))
_SPACE_SKY: tuple[Rgb, Rgb, Rgb] = ((5, 4, 22), (34, 16, 74), (112, 46, 122))
_NIGHT_DIM = 0.3


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """Return the colour that share of the way from the first to the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def gradient(stops: Sequence[Rgb], length: int) -> list[Rgb]:
    """Return that many colours that lead evenly through the stops."""
    last = len(stops) - 1
    places = [step * last / max(1, length - 1) for step in range(length)]
    return [
        mix(stops[min(last, int(place))], stops[min(last, int(place) + 1)], place % 1.0)
        for place in places
    ]


def turn(colour: Rgb, hue: float, value: float = 1.0) -> Rgb:
    """Return the colour with its hue turned (1.0 is once around) and its value scaled."""
    h, s, v = colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))
    red, green, blue = colorsys.hsv_to_rgb((h + hue) % 1.0, s, min(1.0, v * value))
    return round(red * 255), round(green * 255), round(blue * 255)


@dataclass(frozen=True)
class Palette:
    """A sky from top to horizon, the colour of its light, and the light on the ground."""

    sky: tuple[Rgb, Rgb, Rgb]
    light: Rgb
    ambient: tuple[float, float, float]
    tint: Rgb | None
    hue: float

    @property
    def horizon(self) -> Rgb:
        """The colour that things far away fade into."""
        return self.sky[-1]

    def lit(self, colour: Rgb) -> Rgb:
        """Return what a colour looks like in this light, near by."""
        red, green, blue = (round(c * a) for c, a in zip(colour, self.ambient, strict=True))
        return red, green, blue

    def land(self, colour: Rgb, distance: float) -> Rgb:
        """Return what a colour of the land looks like, from 0 near by to 1 at the horizon."""
        own = turn(colour, self.hue)
        tinted = mix(own, self.tint, 0.4) if self.tint else own
        return mix(self.lit(tinted), self.horizon, distance)


def palette_of(scene: Scene) -> Palette:
    """Return the scene's colours, each scene's a little off the next one's."""
    dice = scene.dice("palette")
    hue = dice.uniform(-0.5, 0.5) if scene.is_guess else dice.uniform(-0.03, 0.03)
    value = dice.uniform(0.9, 1.08)
    top, middle, horizon = (_tinted(turn(stop, hue, value), scene) for stop in _sky(scene))
    return Palette(
        sky=(top, middle, horizon),
        light=_LIGHTS[scene.time],
        ambient=(1.0, 1.0, 1.0) if Ground.DEEP in scene.grounds else _AMBIENT[scene.time],
        tint=scene.tint,
        hue=hue if scene.is_guess else hue * 0.5,
    )


def _sky(scene: Scene) -> tuple[Rgb, Rgb, Rgb]:
    if Ground.DEEP in scene.grounds:
        return _DEEP_SKY
    if Ground.SPACE in scene.grounds:
        return _SPACE_SKY
    clear = _SKIES[scene.time]
    cover = {Sky.RAIN: _RAIN_SKY, Sky.SNOW: _SNOW_SKY, Sky.FOG: _FOG_SKY}
    covered = next((cover[sky] for sky in cover if sky in scene.sky), None)
    if covered is None:
        return clear
    dim = _NIGHT_DIM if scene.time is Time.NIGHT else 0.9
    share = 0.8 if scene.time is Time.NOON else 0.5
    top, middle, horizon = (
        mix(a, turn(b, 0.0, dim), share) for a, b in zip(clear, covered, strict=True)
    )
    return top, middle, horizon


def _tinted(colour: Rgb, scene: Scene) -> Rgb:
    if scene.tint is None:
        return colour
    brightness = (sum(colour) / 3 + 60) / (sum(scene.tint) / 3 + 60)
    return mix(colour, turn(scene.tint, 0.0, brightness), scene.tint_strength)
