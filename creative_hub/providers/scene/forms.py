"""Turned forms: anything round about an axis, shaded row by row, and the things made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw

from creative_hub.providers.scene import paint
from creative_hub.providers.scene.paint import Point
from creative_hub.providers.scene.palette import WHITE, Colour, mix

# How much of a circle's width its ellipse is tall, seen from slightly above.
TILT = 0.20


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """How a surface takes the light. Brightness at x = -1 (left edge) .. 1 (right edge)."""

    dark: Colour
    body: Colour
    bright: Colour
    shine: Callable[[float], float]

    def strip(self) -> Image.Image:
        row = bytearray()
        for i in range(256):
            v = max(0.0, min(1.0, self.shine(i / 127.5 - 1)))
            row += bytes(
                mix(self.dark, self.body, v * 2)
                if v < 0.5
                else mix(self.body, self.bright, v * 2 - 1)
            )
        return Image.frombytes("RGB", (256, 1), bytes(row))


def matte(colour: Colour, *, light: float = -0.45, shade: Colour = (20, 16, 24)) -> Material:
    """light: where the lamp stands, -1 left .. 1 right."""

    def shine(x: float) -> float:
        angle = math.asin(max(-1.0, min(1.0, x))) - light
        lambert = max(0.0, math.cos(angle))
        rim = 0.10 * math.pow(abs(x), 10)
        return 0.12 + 0.58 * lambert + rim

    return Material(
        dark=mix(colour, shade, 0.72), body=colour, bright=mix(colour, WHITE, 0.75), shine=shine
    )


def metal(colour: Colour, *, light: float = -0.45) -> Material:
    def shine(x: float) -> float:
        bands = 0.5 + 0.34 * math.cos((x - light) * 5.2) + 0.22 * math.cos((x + 0.2) * 13)
        return bands * (1 - 0.55 * math.pow(abs(x), 6)) + 0.06

    return Material(
        dark=mix(colour, (12, 10, 12), 0.78),
        body=colour,
        bright=mix(colour, WHITE, 0.9),
        shine=shine,
    )


def glass(colour: Colour, *, light: float = -0.45) -> Material:
    """Dark at the rims, clear in the middle, with two long highlights."""

    def shine(x: float) -> float:
        v = 0.64 - 0.50 * math.pow(abs(x), 3.5)
        v += 0.55 * math.exp(-(((x - light * 1.5) / 0.055) ** 2))
        v += 0.25 * math.exp(-(((x + light * 1.75) / 0.04) ** 2))
        return v + 0.16 * math.exp(-(((x + light * 0.4) / 0.34) ** 2))

    return Material(
        dark=mix(colour, (24, 12, 14), 0.62),
        body=colour,
        bright=mix(colour, WHITE, 0.88),
        shine=shine,
    )


@dataclass(frozen=True, slots=True)
class Sprite:
    """A drawn thing: its picture, its outline, and where its top left corner goes."""

    image: Image.Image
    mask: Image.Image
    left: int
    top: int


def turned_form(
    *, axis_x: float, foot: float, profile: Sequence[tuple[float, float]], material: Material
) -> Sprite:
    """A form given by (height above the foot, half width) from bottom to top, in pixels.

    The bottom is rounded off as a circle seen from slightly above; the top is left open to be
    covered by `disc`.
    """
    k = 2
    reach = max(r for _, r in profile)
    tall = max(h for h, _ in profile)
    base = profile[0][1]
    drop = base * TILT
    width, height = math.ceil(reach * 2 + 4) * k, math.ceil(tall + drop + 2) * k
    picture = Image.new("RGB", (width, height))
    mask = Image.new("L", (width, height))
    strip = material.strip()
    solid = Image.new("L", (1, 1), 255)
    heights = sorted(profile)
    for y in range(height):
        up = tall - (y + 0.5) / k
        radius = (
            _radius(heights, up)
            if up >= 0
            else base * math.sqrt(max(0.0, 1 - (up / drop) ** 2))
            if drop
            else 0
        )
        wide = round(radius * 2 * k)
        if wide < 1:
            continue
        left = (width - wide) // 2
        picture.paste(strip.resize((wide, 1), Image.Resampling.BILINEAR), (left, y))
        mask.paste(solid.resize((wide, 1)), (left, y))
    left_px, top_px = round(axis_x - width / k / 2), round(foot - tall)
    return Sprite(picture.reduce(k), mask.reduce(k), left_px, top_px)


def _radius(profile: Sequence[tuple[float, float]], up: float) -> float:
    if up >= profile[-1][0]:
        return profile[-1][1]
    for (h0, r0), (h1, r1) in pairwise(profile):
        if up <= h1:
            t = (up - h0) / max(1e-6, h1 - h0)
            return r0 + (r1 - r0) * t
    return 0.0


def stamp(image: Image.Image, sprite: Sprite, *, opacity: float = 1.0) -> None:
    mask = sprite.mask if opacity >= 1 else paint.curve(sprite.mask, lambda v: v * opacity)
    image.paste(sprite.image, (sprite.left, sprite.top), mask)


def disc(
    image: Image.Image,
    centre: Point,
    radius: float,
    *,
    light: Colour,
    dark: Colour,
    tilt: float = TILT,
) -> None:
    """A round top seen from above, brighter towards the back left."""
    w, h = max(2, round(radius * 2)), max(2, round(radius * 2 * tilt))
    face = paint.gradient((w, h), [(0, light), (1, dark)], horizontal=True)
    mask = Image.new("L", (w * 2, h * 2))
    ImageDraw.Draw(mask).ellipse((0, 0, w * 2 - 1, h * 2 - 1), fill=255)
    image.paste(face, (round(centre[0] - radius), round(centre[1] - radius * tilt)), mask.reduce(2))


def soft_shadow(
    image: Image.Image,
    box: tuple[float, float, float, float],
    *,
    blur: float,
    strength: float,
    colour: Colour,
) -> Image.Image:
    """An elliptical shadow."""
    mask = paint.blurred(paint.ellipse_mask(image.size, [box]), blur)
    return paint.darkened(image, mask, colour, strength)


def cylinder(
    image: Image.Image,
    *,
    x: float,
    foot: float,
    radius: float,
    tall: float,
    colour: Colour,
    shade: Colour,
) -> None:
    """A plain plinth standing with the middle of its base at (x, foot)."""
    form = turned_form(
        axis_x=x,
        foot=foot,
        profile=[(0.0, radius), (tall, radius)],
        material=matte(colour, shade=shade),
    )
    stamp(image, form)
    disc(
        image,
        (x, foot - tall),
        radius,
        light=mix(colour, WHITE, 0.42),
        dark=mix(colour, shade, 0.10),
    )
    disc(
        image,
        (x, foot - tall),
        radius * 0.985,
        light=mix(colour, WHITE, 0.26),
        dark=mix(colour, WHITE, 0.10),
    )


def block(
    image: Image.Image,
    points: Sequence[Point],
    *,
    top: Colour,
    bottom: Colour,
    horizontal: bool = False,
) -> Image.Image:
    """A polygon filled with a gradient over its own box; returns its mask."""
    mask = paint.polygon_mask(image.size, [points])
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    left, upper = int(min(xs)), int(min(ys))
    size = (max(2, int(max(xs)) - left + 2), max(2, int(max(ys)) - upper + 2))
    fill = Image.new("RGB", image.size)
    fill.paste(paint.gradient(size, [(0, top), (1, bottom)], horizontal=horizontal), (left, upper))
    image.paste(fill, (0, 0), mask)
    return mask


def rounded(box: tuple[float, float, float, float], radius: float) -> list[Point]:
    """The outline of a rounded rectangle."""
    left, top, right, bottom = box
    points: list[Point] = []
    for cx, cy, start in (
        (right - radius, top + radius, -90),
        (right - radius, bottom - radius, 0),
        (left + radius, bottom - radius, 90),
        (left + radius, top + radius, 180),
    ):
        for step in range(13):
            angle = math.radians(start + step * 7.5)
            points.append((cx + radius * math.cos(angle), cy + radius * math.sin(angle)))
    return points


def lay_light(
    image: Image.Image, mask: Image.Image, colour: Colour, strength: float
) -> Image.Image:
    """Screen a colour where the mask is white."""
    return ImageChops.screen(image, paint.tint(paint.curve(mask, lambda v: v * strength), colour))
