"""Soft shapes: folds of silk and a few glowing balls, for people and for ideas."""

from __future__ import annotations

import math

from PIL import Image, ImageChops

from creative_hub.providers.scene import paint
from creative_hub.providers.scene.palette import COLOURS, WHITE, Colour, mix, turned
from creative_hub.providers.scene.sky import paint_ball
from creative_hub.providers.scene.stage import Stage

TRIADS: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((255, 158, 122), (214, 74, 120), (66, 38, 110)),
    ((120, 214, 220), (46, 112, 196), (26, 30, 88)),
    ((255, 208, 142), (232, 112, 78), (96, 34, 70)),
    ((198, 174, 255), (120, 88, 220), (38, 26, 92)),
    ((170, 226, 190), (38, 138, 128), (12, 48, 72)),
    ((255, 190, 200), (196, 110, 190), (62, 50, 130)),
)


def abstract(stage: Stage) -> None:
    """Bands of silk, lit along their upper edges, with a ball or two among them."""
    dice = stage.dice("abstract")
    light, middle, deep = _colours(stage)
    stage.image = paint.gradient(
        stage.size, [(0, mix(light, WHITE, 0.30)), (0.5, mix(light, middle, 0.35)), (1, middle)]
    )
    glow = (stage.width * dice.uniform(0.2, 0.8), stage.height * dice.uniform(0.10, 0.26))
    stage.sun = glow
    lights = paint.Lights(stage.size)
    lights.add(
        glow, radius=stage.unit * 1.2, colour=mix(light, WHITE, 0.5), strength=0.6, falloff=2.0
    )
    stage.image = lights.on(stage.image)
    ball = stage.unit * dice.uniform(0.17, 0.25)
    centre = (stage.width * dice.uniform(0.36, 0.64), stage.height * dice.uniform(0.30, 0.38))
    _soft_ball(stage, centre, ball, mix(light, WHITE, 0.35), mix(middle, deep, 0.25))
    folds = 7
    tilt = dice.uniform(0.10, 0.32) * dice.choice((-1, 1))
    for i in range(folds):
        t = (i + 0.5) / folds
        _fold(
            stage,
            f"fold{i}",
            0.36 + 0.66 * (i / folds),
            tilt,
            mix(mix(light, middle, min(1.0, t * 1.5)), deep, max(0.0, t * 1.4 - 0.5)),
            deep,
        )
        if i == 3:
            small = ball * dice.uniform(0.30, 0.45)
            spot = (
                stage.width * dice.choice((0.22, 0.78)),
                stage.height * dice.uniform(0.56, 0.66),
            )
            _soft_ball(stage, spot, small, mix(light, WHITE, 0.2), mix(middle, deep, 0.5))


def _colours(stage: Stage) -> tuple[Colour, Colour, Colour]:
    dice = stage.dice("triad")
    named = [COLOURS[word] for word in sorted(stage.words) if word in COLOURS]
    if stage.palette.monochrome:
        return ((214, 212, 208), (112, 112, 114), (20, 20, 22))
    if not named:
        light, middle, deep = dice.choice(TRIADS)
        turn = dice.uniform(-0.03, 0.03)
        return turned(light, hue=turn), turned(middle, hue=turn), turned(deep, hue=turn)
    base = named[0]
    return (
        mix(turned(base, hue=dice.uniform(-0.05, 0.05)), WHITE, 0.45),
        base,
        mix(turned(base, hue=0.06), (16, 10, 34), 0.68),
    )


def _soft_ball(
    stage: Stage, centre: tuple[float, float], radius: float, light: Colour, dark: Colour
) -> None:
    x, y = centre
    shade = paint.ellipse_mask(
        stage.size, [(x - radius, y - radius * 0.8, x + radius, y + radius * 1.25)]
    )
    stage.image = paint.darkened(stage.image, paint.blurred(shade, radius * 0.22), dark, 0.34)
    paint_ball(stage, centre, radius, light=light, dark=dark)


def _fold(stage: Stage, name: str, level: float, tilt: float, colour: Colour, deep: Colour) -> None:
    """One band of silk: a wave whose crest catches the light and whose trough falls dark."""
    dice = stage.dice(name)
    waves = [
        (dice.uniform(0.5, 1.3), dice.uniform(0, 6.28), 0.075),
        (dice.uniform(1.6, 2.6), dice.uniform(0, 6.28), 0.026),
    ]
    line = []
    for k in range(121):
        x = k / 120
        y = level + tilt * (x - 0.5) * 0.6
        y += sum(size * math.sin(2 * math.pi * pitch * x + phase) for pitch, phase, size in waves)
        line.append((x * stage.width, y * stage.height))
    mask = paint.polygon_mask(stage.size, [paint.closed(line, floor=stage.height + 4)])
    soft = paint.blurred(mask, stage.unit * 0.05)
    shadow = ImageChops.offset(soft, 0, -round(stage.unit * 0.022))
    stage.image = paint.darkened(stage.image, shadow, deep, 0.42)
    body = Image.new("RGB", stage.size, mix(colour, deep, 0.30))
    # The sheen follows the wave: copies of its own outline, each lower and softer.
    near = ImageChops.subtract(
        mask,
        ImageChops.offset(paint.blurred(mask, stage.unit * 0.028), 0, round(stage.unit * 0.045)),
    )
    wide = ImageChops.subtract(mask, ImageChops.offset(soft, 0, round(stage.unit * 0.13)))
    body.paste(colour, (0, 0), wide)
    body.paste(mix(colour, WHITE, 0.48), (0, 0), paint.curve(near, lambda v: 0.78 * v))
    stage.image.paste(body, (0, 0), mask)
