"""The grade: contrast, bloom, tone, vignette and grain, as the style asks."""

from __future__ import annotations

import math

from PIL import Image, ImageChops, ImageEnhance, ImageOps

from creative_hub.providers.scene import paint
from creative_hub.providers.scene.palette import WHITE, mix
from creative_hub.providers.scene.stage import Stage


def finish(stage: Stage) -> None:
    """Develop the painted stage into the finished picture."""
    look = stage.look
    if look.has_streak and stage.sun is not None:
        _streak(stage, stage.sun)
    _bloom(stage, look.bloom)
    if look.saturation != 1.0:
        stage.image = ImageEnhance.Color(stage.image).enhance(look.saturation)
    if stage.palette.monochrome:
        grey = ImageOps.grayscale(stage.image)
        stage.image = Image.merge("RGB", (grey, grey, grey))
    _tone(stage)
    _vignette(stage, look.vignette)
    _grain(stage, look.grain)


def _bloom(stage: Stage, strength: float) -> None:
    """The brightest parts spill a little light."""
    small = stage.image.reduce(8)
    hot = small.point([max(0, round((i - 150) * 255 / 105)) for i in range(256)] * 3)
    soft = paint.blurred(hot, max(2.0, min(small.size) * 0.045))
    soft = soft.point([round(i * strength) for i in range(256)] * 3)
    stage.image = ImageChops.screen(stage.image, soft.resize(stage.size, Image.Resampling.BICUBIC))


def _streak(stage: Stage, sun: paint.Point) -> None:
    """The sideways flare of an anamorphic lens, and two faint ghosts across the middle."""
    x, y = sun
    if not (0 <= x < stage.width and 0 <= y < stage.height):
        return
    seen = stage.image.getpixel((int(x), int(y)))
    # A sun behind a mountain throws no flare.
    if not isinstance(seen, tuple) or sum(seen[:3]) < 600:
        return
    lights = paint.Lights(stage.size)
    tone = mix((96, 170, 255), WHITE, 0.15)
    unit = stage.unit
    lights.add((x, y), radius=unit * 0.022, colour=tone, strength=0.5, falloff=2.2, stretch=30)
    lights.add((x, y), radius=unit * 0.008, colour=WHITE, strength=0.4, falloff=2.0, stretch=34)
    middle = (stage.width / 2, stage.height / 2)
    for t, size, colour in ((1.35, 0.045, (255, 170, 110)), (1.75, 0.09, (90, 190, 220))):
        spot = (x + (middle[0] - x) * t, y + (middle[1] - y) * t)
        lights.add(spot, radius=unit * size, colour=colour, strength=0.13, falloff=0.7)
    stage.image = lights.on(stage.image)


def _tone(stage: Stage) -> None:
    """An S-curve; split toning pushes shadows to teal and lights to orange."""
    strength = stage.look.contrast
    shifts = (0.0, 0.0, 0.0)
    lifts = (0.0, 0.0, 0.0)
    if stage.look.is_split_toned and not stage.palette.monochrome:
        shifts, lifts = (-0.030, 0.012, 0.034), (0.034, 0.006, -0.040)
    table: list[int] = []
    for shadow, high in zip(shifts, lifts, strict=True):
        for i in range(256):
            v = i / 255
            s = v * v * (3 - 2 * v)
            v = v + (s - v) * strength
            v += (
                shadow * 4 * (1 - v) ** 2 * v
                + shadow * (1 - v) ** 4 * 0.9
                + high * 2.6 * v * v * (1 - v) * 2
            )
            table.append(max(0, min(255, round(v * 255))))
    stage.image = stage.image.point(table)


def _vignette(stage: Stage, strength: float) -> None:
    disc = Image.radial_gradient("L")

    def fade(v: float) -> float:
        return 1 - strength * paint.smoothstep(0.45, 1.45, v * math.sqrt(2)) * 1.6

    mask = paint.curve(disc, fade).resize(stage.size, Image.Resampling.BICUBIC)
    stage.image = ImageChops.multiply(stage.image, Image.merge("RGB", (mask, mask, mask)))


def _grain(stage: Stage, strength: float) -> None:
    """Film grain; even the clean looks get a trace, which keeps 8-bit gradients from banding."""
    dice = stage.dice("grain")
    count = stage.width * stage.height
    first = Image.frombytes("L", stage.size, dice.randbytes(count))
    second = first.transpose(Image.Transpose.ROTATE_180)
    # Two even distributions make a peaked one.
    noise = Image.blend(first, second, 0.5)
    noise = noise.point([round(128 + (i - 128) * strength / 52) for i in range(256)])
    layer = Image.merge("RGB", (noise, noise, noise))
    stage.image = ImageChops.add(stage.image, layer, scale=1, offset=-128)
