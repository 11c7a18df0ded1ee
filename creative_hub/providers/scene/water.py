"""Water: what stands above it mirrored, ripples in perspective, and the sun's path."""

from __future__ import annotations

import math

from PIL import Image, ImageChops

from creative_hub.providers.scene import paint
from creative_hub.providers.scene.palette import Colour, mix
from creative_hub.providers.scene.stage import Stage


def paint_water(
    stage: Stage,
    *,
    top: float,
    colour: Colour,
    clarity: float = 0.75,
    waves: float = 0.5,
    path: float = 1.0,
) -> None:
    """Water from y=`top` pixels to the bottom edge.

    clarity: how much of the picture it mirrors. waves: 0 glass .. 1 open sea. path: strength of
    the sun's or moon's glitter.
    """
    y0 = int(top)
    size = (stage.width, stage.height - y0)
    if size[1] < 8 or y0 < 8:
        return
    mirror = _mirror(stage, y0, size, waves)
    deep = paint.gradient(
        size,
        [
            (0, mix(colour, stage.palette.horizon, 0.35)),
            (0.4, colour),
            (1, mix(colour, stage.palette.shade, 0.55)),
        ],
    )
    # Water mirrors more the flatter one looks at it.
    strong, weak = round(255 * clarity), round(255 * clarity * (0.62 if waves < 0.6 else 0.38))
    seen = paint.alpha_gradient(size, [(0, strong), (1, weak)])
    water = Image.composite(mirror, deep, seen)
    flat = (max(64, stage.width // 2), max(64, size[1] // 2))
    swell = paint.fractal_noise(stage.dice("swell"), flat, cells=(7, 46), octaves=4, gain=0.62)
    slopes = paint.in_perspective(paint.relief(swell, dx=0, dy=-2, strength=1.5), flat, far=9)
    if stage.look.layers == "cel":
        slopes = paint.curve(slopes, lambda v: 0.5 if v < 0.60 else 0.62)
    water = paint.textured(water, slopes, None, (0.16 + 0.5 * waves) * max(0.4, stage.look.texture))
    if stage.sun is not None and path > 0:
        water = _glitter(stage, water, stage.sun, path)
    stage.image.paste(water, (0, y0))
    _shoreline(stage, y0)


def _mirror(stage: Stage, y0: int, size: paint.Size, waves: float) -> Image.Image:
    """The picture above the water line, upside down, torn a little row by row."""
    reach = min(y0, size[1])
    above = stage.image.crop((0, y0 - reach, stage.width, y0))
    mirror = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize(
        size, Image.Resampling.BILINEAR
    )
    mirror = paint.blurred(mirror, stage.unit / 500 * (1 + 4 * waves))
    dice = stage.dice("ripple")
    torn = mirror.copy()
    y = 0
    phase = dice.uniform(0, 6.28)
    while y < size[1]:
        share = y / size[1]
        row = 1 + round(3 * share * stage.unit / 720)
        swing = stage.unit * (0.002 + 0.018 * share) * (0.35 + waves)
        phase += 0.55 + 0.5 * dice.random()
        dx = round(swing * (0.6 * math.sin(phase) + 0.4 * dice.uniform(-1, 1)))
        torn.paste(mirror.crop((0, y, size[0], y + row)), (dx, y))
        y += row
    return torn


def _glitter(stage: Stage, water: Image.Image, sun: paint.Point, strength: float) -> Image.Image:
    width, tall = water.size
    flat = (max(64, width // 2), max(64, tall // 2))
    sparks = paint.fractal_noise(stage.dice("glitter"), flat, cells=(34, 90), octaves=3, gain=0.8)
    sparks = paint.in_perspective(sparks, flat, far=7)
    sparks = paint.curve(sparks, lambda v: 0.10 + paint.smoothstep(0.48, 0.78, v))
    column = Image.new("L", (256, 64))
    for row in range(64):
        spread = 0.035 + 0.11 * (row / 63) ** 0.8
        fade = 1.0 - 0.55 * row / 63
        column.paste(
            Image.frombytes(
                "L",
                (256, 1),
                bytes(
                    round(255 * fade * math.exp(-(((x / 255 - 0.5) / spread) ** 2)))
                    for x in range(256)
                ),
            ),
            (0, row),
        )
    centre = sun[0] / width
    box_width = int(flat[0] * 1.0)
    placed = Image.new("L", flat)
    placed.paste(column.resize((box_width, flat[1])), (round((centre - 0.5) * flat[0]), 0))
    mask = ImageChops.multiply(sparks, placed).resize(water.size, Image.Resampling.BICUBIC)
    mask = paint.curve(mask, lambda v: min(1.0, v * strength))
    return ImageChops.screen(water, paint.tint(mask, stage.palette.sun))


def _shoreline(stage: Stage, y0: int) -> None:
    """A thin bright line where far water meets what stands behind it."""
    tall = max(2, round(stage.unit * 0.006))
    band = stage.image.crop((0, y0 - tall, stage.width, y0 + tall))
    fade = paint.alpha_gradient(band.size, [(0, 0), (0.5, 120), (1, 0)])
    band.paste(mix(stage.palette.horizon, stage.palette.haze, 0.5), (0, 0), fade)
    stage.image.paste(band, (0, y0 - tall))
