"""Light and colour: one palette per time of day or mood, and the words that ask for it."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, replace
from random import Random

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)


def mix(a: Colour, b: Colour, t: float) -> Colour:
    """`a` at t=0, `b` at t=1."""
    return (
        round(a[0] + (b[0] - a[0]) * t),
        round(a[1] + (b[1] - a[1]) * t),
        round(a[2] + (b[2] - a[2]) * t),
    )


def lit(albedo: Colour, light: Colour) -> Colour:
    """A surface of this colour under a light of that colour."""
    return (
        albedo[0] * light[0] // 255,
        albedo[1] * light[1] // 255,
        albedo[2] * light[2] // 255,
    )


def turned(colour: Colour, *, hue: float = 0.0, saturation: float = 1.0) -> Colour:
    """hue: turns of the colour wheel (0.02 is slight). saturation: a factor."""
    h, lightness, s = colorsys.rgb_to_hls(*(channel / 255 for channel in colour))
    r, g, b = colorsys.hls_to_rgb((h + hue) % 1.0, lightness, min(1.0, s * saturation))
    return (round(r * 255), round(g * 255), round(b * 255))


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The light of a scene.

    zenith, sky, horizon: the sky from top to bottom. sun: the disc and its path on water. haze:
    what distance fades into. shade: the darkest near silhouette. ambient: the light that falls on
    the ground (white is noon). accent: lamps, sails, cars.
    """

    zenith: Colour
    sky: Colour
    horizon: Colour
    sun: Colour
    haze: Colour
    shade: Colour
    ambient: Colour
    accent: Colour
    is_night: bool = False
    sun_height: float = 0.12  # above the horizon, as a share of the sky
    monochrome: bool = False

    def sibling(self, rng: Random, *, saturation: float = 1.0) -> Palette:
        """The same light a few minutes later: a slight turn of every hue."""
        turn = rng.uniform(-0.014, 0.014)

        def nudge(colour: Colour) -> Colour:
            return turned(colour, hue=turn, saturation=saturation)

        return replace(
            self,
            zenith=nudge(self.zenith),
            sky=nudge(self.sky),
            horizon=nudge(self.horizon),
            haze=nudge(self.haze),
            shade=nudge(self.shade),
        )


PALETTES: dict[str, Palette] = {
    "golden": Palette(
        zenith=(74, 104, 150),
        sky=(222, 164, 122),
        horizon=(255, 216, 150),
        sun=(255, 244, 214),
        haze=(246, 190, 132),
        shade=(50, 34, 38),
        ambient=(255, 206, 156),
        accent=(214, 62, 44),
        sun_height=0.13,
    ),
    "amber": Palette(
        zenith=(120, 96, 120),
        sky=(242, 152, 92),
        horizon=(255, 206, 118),
        sun=(255, 238, 190),
        haze=(248, 164, 98),
        shade=(58, 28, 30),
        ambient=(255, 184, 124),
        accent=(28, 132, 146),
        sun_height=0.09,
    ),
    "sunset": Palette(
        zenith=(48, 52, 112),
        sky=(206, 96, 116),
        horizon=(255, 176, 100),
        sun=(255, 228, 168),
        haze=(236, 124, 104),
        shade=(38, 20, 42),
        ambient=(236, 150, 126),
        accent=(255, 204, 92),
        sun_height=0.07,
    ),
    "dusk": Palette(
        zenith=(26, 28, 74),
        sky=(122, 72, 132),
        horizon=(255, 148, 104),
        sun=(255, 206, 156),
        haze=(172, 88, 122),
        shade=(20, 15, 38),
        ambient=(176, 122, 150),
        accent=(255, 178, 92),
        sun_height=0.03,
    ),
    "dawn": Palette(
        zenith=(98, 124, 182),
        sky=(214, 178, 204),
        horizon=(255, 222, 198),
        sun=(255, 244, 228),
        haze=(232, 196, 204),
        shade=(46, 48, 76),
        ambient=(244, 212, 214),
        accent=(232, 104, 96),
        sun_height=0.12,
    ),
    "day": Palette(
        zenith=(30, 92, 172),
        sky=(104, 168, 222),
        horizon=(214, 234, 244),
        sun=(255, 252, 240),
        haze=(182, 210, 230),
        shade=(28, 50, 52),
        ambient=(255, 250, 240),
        accent=(226, 66, 52),
        sun_height=0.62,
    ),
    "azure": Palette(
        zenith=(18, 104, 168),
        sky=(86, 184, 214),
        horizon=(226, 242, 238),
        sun=(255, 250, 230),
        haze=(174, 218, 222),
        shade=(20, 58, 62),
        ambient=(255, 246, 226),
        accent=(250, 176, 44),
        sun_height=0.5,
    ),
    "bluehour": Palette(
        zenith=(10, 22, 58),
        sky=(40, 80, 136),
        horizon=(244, 176, 130),
        sun=(255, 214, 170),
        haze=(98, 112, 152),
        shade=(10, 16, 36),
        ambient=(110, 128, 172),
        accent=(255, 188, 96),
        sun_height=0.02,
    ),
    "night": Palette(
        zenith=(5, 9, 26),
        sky=(16, 32, 70),
        horizon=(62, 94, 140),
        sun=(240, 244, 255),
        haze=(46, 70, 116),
        shade=(5, 8, 18),
        ambient=(78, 98, 142),
        accent=(255, 196, 110),
        is_night=True,
        sun_height=0.6,
    ),
    "indigo": Palette(
        zenith=(14, 8, 40),
        sky=(44, 34, 98),
        horizon=(122, 92, 160),
        sun=(250, 240, 255),
        haze=(80, 62, 128),
        shade=(10, 6, 24),
        ambient=(104, 92, 150),
        accent=(255, 164, 120),
        is_night=True,
        sun_height=0.5,
    ),
    "neon": Palette(
        zenith=(8, 6, 30),
        sky=(48, 16, 92),
        horizon=(228, 58, 150),
        sun=(255, 150, 200),
        haze=(112, 34, 132),
        shade=(8, 6, 22),
        ambient=(120, 80, 170),
        accent=(52, 232, 240),
        is_night=True,
        sun_height=0.2,
    ),
    "synth": Palette(
        zenith=(10, 10, 44),
        sky=(24, 44, 110),
        horizon=(36, 190, 214),
        sun=(255, 120, 170),
        haze=(34, 92, 150),
        shade=(6, 8, 26),
        ambient=(90, 120, 180),
        accent=(255, 72, 160),
        is_night=True,
        sun_height=0.2,
    ),
    "teal": Palette(
        zenith=(6, 52, 70),
        sky=(36, 122, 134),
        horizon=(206, 226, 196),
        sun=(255, 244, 206),
        haze=(112, 172, 166),
        shade=(6, 34, 44),
        ambient=(190, 220, 206),
        accent=(246, 138, 72),
        sun_height=0.18,
    ),
    "mist": Palette(
        zenith=(116, 134, 150),
        sky=(172, 184, 190),
        horizon=(222, 224, 218),
        sun=(250, 248, 240),
        haze=(204, 210, 208),
        shade=(38, 50, 56),
        ambient=(210, 216, 216),
        accent=(206, 88, 66),
        sun_height=0.35,
    ),
    "storm": Palette(
        zenith=(38, 48, 62),
        sky=(92, 106, 120),
        horizon=(196, 192, 174),
        sun=(248, 236, 206),
        haze=(130, 138, 142),
        shade=(20, 26, 32),
        ambient=(156, 162, 166),
        accent=(232, 170, 70),
        sun_height=0.15,
    ),
    "pastel": Palette(
        zenith=(150, 172, 222),
        sky=(222, 196, 226),
        horizon=(255, 226, 214),
        sun=(255, 250, 240),
        haze=(226, 206, 226),
        shade=(92, 84, 128),
        ambient=(246, 228, 238),
        accent=(255, 138, 128),
        sun_height=0.25,
    ),
    "noir": Palette(
        zenith=(16, 16, 18),
        sky=(64, 64, 68),
        horizon=(196, 194, 190),
        sun=(250, 248, 244),
        haze=(116, 116, 118),
        shade=(8, 8, 10),
        ambient=(150, 150, 150),
        accent=(230, 228, 224),
        is_night=True,
        sun_height=0.3,
        monochrome=True,
    ),
}

# Which lights a word asks for; the variants of one prompt go through them in turn.
MOODS: dict[str, tuple[str, ...]] = {
    "golden": ("golden", "amber"),
    "amber": ("amber", "golden"),
    "warm": ("golden", "amber"),
    "autumn": ("amber", "golden"),
    "sunset": ("sunset", "golden", "dusk"),
    "dusk": ("dusk", "sunset", "bluehour"),
    "twilight": ("bluehour", "dusk"),
    "evening": ("dusk", "bluehour"),
    "dawn": ("dawn", "golden"),
    "sunrise": ("dawn", "golden"),
    "morning": ("dawn", "day"),
    "day": ("day", "azure"),
    "noon": ("day", "azure"),
    "sunny": ("day", "azure", "golden"),
    "summer": ("azure", "day", "golden"),
    "tropical": ("azure", "golden"),
    "blue": ("bluehour", "azure"),
    "night": ("night", "indigo"),
    "midnight": ("night", "indigo"),
    "moon": ("night", "indigo"),
    "moonlight": ("night", "indigo"),
    "stars": ("night", "indigo"),
    "aurora": ("night", "synth"),
    "neon": ("neon", "synth"),
    "cyberpunk": ("neon", "synth"),
    "vaporwave": ("synth", "neon"),
    "teal": ("teal", "bluehour"),
    "noir": ("noir",),
    "monochrome": ("noir",),
    "grayscale": ("noir",),
    "fog": ("mist", "storm"),
    "foggy": ("mist", "storm"),
    "mist": ("mist", "dawn"),
    "misty": ("mist", "dawn"),
    "storm": ("storm", "mist"),
    "stormy": ("storm", "mist"),
    "rain": ("storm", "bluehour"),
    "rainy": ("storm", "bluehour"),
    "moody": ("storm", "bluehour"),
    "dramatic": ("storm", "sunset"),
    "pastel": ("pastel", "dawn"),
    "dreamy": ("pastel", "dawn"),
}

COLOURS: dict[str, Colour] = {
    "red": (206, 46, 48),
    "crimson": (170, 28, 52),
    "coral": (250, 120, 100),
    "orange": (240, 128, 44),
    "terracotta": (192, 98, 68),
    "yellow": (246, 200, 62),
    "gold": (212, 168, 84),
    "golden": (216, 168, 84),
    "green": (58, 142, 96),
    "emerald": (18, 124, 92),
    "sage": (150, 172, 142),
    "mint": (150, 214, 190),
    "olive": (122, 128, 70),
    "teal": (22, 128, 138),
    "turquoise": (52, 188, 190),
    "blue": (46, 104, 196),
    "navy": (28, 46, 96),
    "azure": (64, 150, 220),
    "purple": (122, 74, 178),
    "violet": (128, 86, 200),
    "lavender": (184, 170, 224),
    "lilac": (196, 170, 220),
    "pink": (240, 150, 176),
    "rose": (222, 120, 136),
    "blush": (236, 196, 186),
    "magenta": (214, 48, 146),
    "brown": (120, 78, 52),
    "amber": (222, 140, 48),
    "beige": (220, 202, 176),
    "cream": (242, 230, 208),
    "white": (236, 234, 230),
    "grey": (138, 142, 148),
    "gray": (138, 142, 148),
    "silver": (192, 196, 202),
    "black": (34, 34, 38),
    "charcoal": (54, 56, 62),
    "neon": (232, 60, 200),
}
