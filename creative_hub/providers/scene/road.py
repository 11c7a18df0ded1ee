"""The highway: road, scrub beside it, and a car."""

from __future__ import annotations

import math

from PIL import Image, ImageChops

from creative_hub.providers.scene import paint
from creative_hub.providers.scene.paint import Point
from creative_hub.providers.scene.palette import WHITE, Colour, lit, mix
from creative_hub.providers.scene.stage import Stage


def _road_x(stage: Stage, t: float, vanish: float, bend: float) -> float:
    """The middle of the road at t: 0 at the horizon, 1 at the bottom edge."""
    return (
        vanish
        + (stage.width / 2 - vanish) * t
        + bend * stage.width * math.sin(math.pi * t) * (1 - t)
    )


def paint_road(stage: Stage, *, top: float, vanish: float, bend: float) -> None:
    """A two-lane road from the bottom edge to the horizon."""
    tall = stage.height - top
    asphalt = lit((74, 70, 74), stage.palette.ambient)

    def strip(offset: float, width: float, t0: float = 0.0, t1: float = 1.12) -> list[Point]:
        left, right = [], []
        for k in range(41):
            t = t0 + (t1 - t0) * k / 40
            half = stage.unit * 0.40 * (t + 0.004)
            middle = _road_x(stage, t, vanish, bend) + offset * half
            y = top + tall * t
            left.append((middle - width * half, y))
            right.append((middle + width * half, y))
        return [*left, *reversed(right)]

    bed = paint.polygon_mask(stage.size, [strip(0, 1.0)])
    y0 = int(top)
    body = Image.new("RGB", stage.size, asphalt)
    far = mix(asphalt, stage.palette.horizon, 0.72)
    body.paste(
        paint.gradient(
            (stage.width, stage.height - y0),
            [
                (0, far),
                (0.22, mix(far, asphalt, 0.6)),
                (1, mix(asphalt, stage.palette.shade, 0.45)),
            ],
        ),
        (0, y0),
    )
    grit = paint.fractal_noise(
        stage.dice("grit"), (1300, 1500), cells=(260, 200), octaves=3, gain=0.9
    )
    laid = paint.in_perspective(grit, (stage.width, stage.height - y0))
    region = body.crop((0, y0, stage.width, stage.height))
    body.paste(paint.textured(region, laid, None, 0.14 * stage.look.texture), (0, y0))
    shoulder = paint.polygon_mask(stage.size, [strip(0, 1.12)])
    stage.image = paint.darkened(stage.image, shoulder, stage.palette.shade, 0.28)
    stage.image.paste(body, (0, 0), bed)
    white = mix(lit((232, 226, 214), stage.palette.ambient), stage.palette.sun, 0.2)
    yellow = mix(lit((238, 182, 66), stage.palette.ambient), stage.palette.sun, 0.15)
    edges = paint.polygon_mask(stage.size, [strip(-0.90, 0.018), strip(0.90, 0.018)])
    stage.image.paste(white, (0, 0), paint.curve(edges, lambda v: 0.8 * v))
    dashes = []
    t = 0.012
    while t < 1.1:
        dashes.append(strip(0, 0.022, t, t * 1.28))
        t *= 1.75
    marks = paint.polygon_mask(stage.size, dashes)
    stage.image.paste(yellow, (0, 0), paint.curve(marks, lambda v: 0.9 * v))
    if stage.sun is not None and not stage.palette.is_night:
        # Low sun skims the tarmac.
        lights = paint.Lights(stage.size)
        lights.add(
            (vanish, top + tall * 0.08),
            radius=stage.unit * 0.36,
            colour=stage.palette.horizon,
            strength=0.5,
        )
        stage.image = lights.on(stage.image)


def paint_scrub(stage: Stage, top: float) -> None:
    """Low bushes, smaller and paler with distance."""
    dice = stage.dice("scrub")
    tall = stage.height - top
    for layer in range(3):
        bushes = []
        for _ in range(34):
            t = (layer + dice.random()) / 3
            t = 0.03 + 0.85 * t * t
            x, y = stage.width * dice.random(), top + tall * t
            size = stage.unit * 0.075 * (t + 0.05) * dice.uniform(0.5, 1.2)
            if abs(x - stage.width / 2) < stage.unit * 0.5 * (t + 0.1):
                continue
            for _ in range(7):
                dx, dy, r = (
                    dice.uniform(-0.7, 0.7) * size,
                    -dice.random() * size * 0.45,
                    size * dice.uniform(0.16, 0.36),
                )
                bushes.append((x + dx - r, y + dy - r * 0.8, x + dx + r, y + dy + r * 0.8))
        mask = paint.ellipse_mask(stage.size, bushes)
        olive = lit((108, 104, 66), stage.palette.ambient)
        colour = mix(
            mix(olive, stage.palette.haze, 0.5),
            mix(olive, stage.palette.shade, 0.6),
            (layer + 1) / 3,
        )
        shadow = ImageChops.offset(mask, round(stage.unit * 0.004), round(stage.unit * 0.004))
        stage.image = paint.darkened(stage.image, shadow, stage.palette.shade, 0.35)
        stage.image.paste(colour, (0, 0), mask)


def paint_car(stage: Stage, *, top: float, vanish: float) -> None:
    """A small car from behind, on the right-hand lane, tail lights on."""
    t = 0.26
    tall = stage.height - top
    half = stage.unit * 0.40 * t
    middle = _road_x(stage, t, vanish, 0.0) + half * 0.42
    ground = top + tall * t
    w = half * 0.66
    h = w * 0.62
    colour = lit(stage.palette.accent, mix(stage.palette.ambient, WHITE, 0.3))
    dark = mix(colour, stage.palette.shade, 0.62)
    shadow = paint.ellipse_mask(
        stage.size, [(middle - w * 0.62, ground - h * 0.12, middle + w * 0.62, ground + h * 0.14)]
    )
    stage.image = paint.darkened(stage.image, paint.blurred(shadow, w * 0.04), (0, 0, 0), 0.7)

    def part(points: list[Point], fill: Colour) -> None:
        shape = [(middle + x * w, ground + y * h) for x, y in points]
        stage.image.paste(fill, (0, 0), paint.polygon_mask(stage.size, [shape]))

    part([(-0.46, 0), (-0.46, -0.3), (-0.28, -0.3), (-0.28, 0)], (14, 13, 15))
    part([(0.46, 0), (0.46, -0.3), (0.28, -0.3), (0.28, 0)], (14, 13, 15))
    part(
        paint.bezier(
            [
                (-0.5, -0.14),
                (-0.53, -0.5),
                (-0.5, -0.6),
                (-0.40, -0.62),
                (-0.32, -0.98),
                (-0.30, -1.0),
                (0, -1.02),
                (0.30, -1.0),
                (0.32, -0.98),
                (0.40, -0.62),
                (0.5, -0.6),
                (0.53, -0.5),
                (0.5, -0.14),
            ]
        ),
        colour,
    )
    part([(-0.5, -0.14), (-0.5, -0.34), (0.5, -0.34), (0.5, -0.14)], dark)
    part(
        [(-0.33, -0.64), (-0.26, -0.94), (0.26, -0.94), (0.33, -0.64)],
        mix(stage.palette.sky, stage.palette.shade, 0.55),
    )
    part([(-0.5, -0.60), (-0.40, -0.625), (0.40, -0.625), (0.5, -0.60)], mix(colour, WHITE, 0.45))
    for side in (-1, 1):
        part(
            [
                (side * 0.47, -0.40),
                (side * 0.47, -0.52),
                (side * 0.27, -0.50),
                (side * 0.27, -0.42),
            ],
            (255, 60, 40),
        )
    lights = paint.Lights(stage.size)
    for side in (-1, 1):
        lights.add(
            (middle + side * w * 0.38, ground - h * 0.46),
            radius=w * 0.5,
            colour=(255, 50, 30),
            strength=0.8,
        )
    stage.image = lights.on(stage.image)
