"""Skies: gradient, sun or moon, stars, aurora, and clouds in three hands."""

from __future__ import annotations

import math
import operator
from functools import partial

from PIL import Image, ImageChops, ImageDraw

from creative_hub.providers.scene import paint
from creative_hub.providers.scene.palette import WHITE, Colour, mix
from creative_hub.providers.scene.stage import Stage


def paint_sky(stage: Stage, *, horizon: float, clouds: float | None = None) -> None:
    """The sky down to `horizon` (share of the height), with everything that hangs in it.

    clouds: 0 none .. 1 many; None lets the dice decide. Sets `stage.sun` and `stage.horizon`.
    """
    palette, dice = stage.palette, stage.dice("sky")
    stage.horizon = round(stage.height * horizon)
    top = stage.horizon
    sky = paint.gradient(
        (stage.width, max(2, top)),
        [
            (0.0, palette.zenith),
            (0.45, mix(palette.zenith, palette.sky, 0.75)),
            (0.72, mix(palette.sky, palette.horizon, 0.35)),
            (1.0, palette.horizon),
        ],
    )
    stage.image.paste(palette.horizon, (0, 0, *stage.size))
    stage.image.paste(sky, (0, 0))
    side = dice.choice((-1, 1))
    off = dice.uniform(0.08, 0.27) * side
    stage.sun = (stage.width * (0.5 + off), top * (1 - palette.sun_height * dice.uniform(0.8, 1.2)))
    if palette.is_night:
        _paint_stars(stage)
        if stage.asks_for("aurora", "northern"):
            _paint_aurora(stage)
    _paint_sun(stage)
    amount = dice.uniform(0.25, 0.85) if clouds is None else clouds
    if palette.is_night:
        amount *= 0.55
    if amount > 0.05:
        if stage.look.layers == "cel":
            _paint_cumulus(stage, amount)
        elif stage.look.layers == "clay":
            _paint_puffs(stage, amount)
        else:
            _paint_clouds(stage, amount)


def _paint_stars(stage: Stage) -> None:
    dice = stage.dice("stars")
    layer = Image.new("L", stage.size)
    draw = ImageDraw.Draw(layer)
    count = round(0.00028 * stage.width * stage.horizon * (1080 / stage.unit) ** 1.2)
    for _ in range(count):
        x, y = dice.uniform(0, stage.width), stage.horizon * dice.random() ** 1.5
        fade = 1 - (y / max(1, stage.horizon)) ** 2
        magnitude = dice.random() ** 5
        radius = stage.unit / 1080 * (0.45 + 1.5 * magnitude)
        level = round((60 + 195 * magnitude) * fade)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=level)
    soft = paint.blurred(layer, stage.unit / 1600)
    milky = paint.fractal_noise(dice, (160, 160), cells=(4, 4), octaves=5)
    band = Image.linear_gradient("L").resize((320, 320))
    band = paint.curve(band, lambda v: math.exp(-(((v - 0.5) / 0.09) ** 2)))
    # Twice as large as needed, so that no corner of the turned square shows.
    band = band.rotate(dice.uniform(25, 65) * dice.choice((-1, 1))).crop((80, 80, 240, 240))
    milky = ImageChops.multiply(milky, band).resize(stage.size, Image.Resampling.BICUBIC)
    milky = ImageChops.multiply(milky, _above(stage, 0.9))
    glow = mix(stage.palette.haze, WHITE, 0.25)
    stage.image = ImageChops.screen(
        stage.image, paint.tint(paint.curve(milky, lambda v: 0.5 * v), glow)
    )
    stage.image = ImageChops.screen(stage.image, paint.tint(soft, WHITE))


def _paint_aurora(stage: Stage) -> None:
    dice = stage.dice("aurora")
    width, height = 270, 200
    glow = Image.new("RGB", (width, height))
    for colour, strength in (((40, 236, 150), 0.9), ((110, 90, 240), 0.6), ((40, 200, 220), 0.6)):
        line = paint.ridgeline(dice, count=width, lumps=2.2, octaves=3, gain=0.4)
        rays = paint.ridgeline(dice, count=width, lumps=26, octaves=2, gain=0.6)
        curtain = Image.new("L", (width, height))
        strip = paint.gradient(
            (1, 100), [(0, (0, 0, 0)), (0.75, (150,) * 3), (0.94, (255,) * 3), (1, (0, 0, 0))]
        ).getchannel(0)
        for x in range(width):
            tall = round(height * (0.35 + 0.35 * rays[x]))
            foot = round(height * (0.45 + 0.42 * line[x]))
            ray = strip.resize((1, tall)).point(
                [round(i * (0.3 + 0.7 * rays[x])) for i in range(256)]
            )
            curtain.paste(ray, (x, foot - tall))
        curtain = paint.curve(paint.blurred(curtain, 2.0), partial(operator.mul, strength))
        glow = ImageChops.screen(glow, paint.tint(curtain, colour))
    wide = glow.resize((stage.width, max(2, stage.horizon)), Image.Resampling.BICUBIC)
    region = stage.image.crop((0, 0, stage.width, stage.horizon))
    stage.image.paste(ImageChops.screen(region, wide), (0, 0))


def _paint_sun(stage: Stage) -> None:
    if stage.sun is None:
        return
    palette, unit = stage.palette, stage.unit
    lights = paint.Lights(stage.size)
    warm = mix(palette.sun, palette.horizon, 0.55)
    lights.add(stage.sun, radius=unit * 1.5, colour=warm, strength=0.42, falloff=2.4, stretch=1.25)
    lights.add(stage.sun, radius=unit * 0.55, colour=palette.sun, strength=0.55, falloff=3.0)
    if not palette.is_night:
        lights.add(stage.sun, radius=unit * 0.21, colour=palette.sun, strength=0.9, falloff=2.6)
    stage.image = lights.on(stage.image)
    x, y = stage.sun
    radius = unit * (0.042 if palette.is_night else 0.05 if palette.sun_height < 0.3 else 0.034)
    if stage.look.layers == "clay":
        radius *= 1.7
    mask = paint.ellipse_mask(stage.size, [(x - radius, y - radius, x + radius, y + radius)])
    disc = mix(palette.sun, WHITE, 0.35)
    stage.image.paste(disc, (0, 0), mask)
    if palette.is_night and stage.look.layers != "cel":
        # The seas of the moon: faint noise inside the disc.
        side = max(8, round(radius * 2))
        spots = paint.fractal_noise(stage.dice("moon"), (side, side), cells=(3, 3), octaves=4)
        spots = paint.curve(spots, lambda v: 0.30 * paint.smoothstep(0.45, 0.8, v))
        patch = Image.new("L", stage.size)
        patch.paste(spots, (round(x - radius), round(y - radius)))
        stage.image = paint.darkened(
            stage.image, ImageChops.multiply(patch, mask), mix(palette.sky, disc, 0.4), 1.0
        )


def _above(stage: Stage, share: float) -> Image.Image:
    """White over the sky, fading out towards the horizon."""
    mask = Image.new("L", stage.size)
    tall = max(2, round(stage.horizon * share))
    mask.paste(paint.alpha_gradient((stage.width, tall), [(0, 255), (0.6, 210), (1, 0)]), (0, 0))
    return mask


def _paint_clouds(stage: Stage, amount: float) -> None:
    """High soft clouds, lit from the sun's side."""
    palette, dice = stage.palette, stage.dice("clouds")
    size = (max(64, stage.width // 3), max(64, stage.horizon // 3))
    lumps = 1.6 * stage.width / stage.unit
    noise = paint.fractal_noise(
        dice, size, cells=(lumps, lumps * 2.6 * size[1] / size[0]), octaves=6, gain=0.56
    )
    low = 0.80 - 0.38 * amount
    alpha = paint.curve(noise, lambda v: 0.9 * paint.smoothstep(low, low + 0.34, v))
    fade = paint.alpha_gradient(size, [(0, 150), (0.35, 255), (0.8, 220), (1.0, 40)])
    alpha = ImageChops.multiply(alpha, fade)
    below = paint.relief(noise, dx=0, dy=-3, strength=3.2)
    top_light = (
        mix(palette.sun, WHITE, 0.2) if not palette.is_night else mix(palette.haze, WHITE, 0.1)
    )
    under = mix(palette.sky, palette.horizon, 0.5) if not palette.is_night else palette.sky
    bright = paint.gradient(
        size, [(0, mix(palette.sky, top_light, 0.55)), (0.75, top_light), (1, palette.horizon)]
    )
    dark = paint.gradient(
        size, [(0, mix(palette.sky, palette.zenith, 0.3)), (1, mix(under, palette.haze, 0.5))]
    )
    body = Image.composite(bright, dark, paint.curve(below, lambda v: 0.25 + 1.0 * (v - 0.3)))
    region = (0, 0, stage.width, stage.horizon)
    big = (stage.width, stage.horizon)
    sky = stage.image.crop(region)
    sky.paste(
        body.resize(big, Image.Resampling.BICUBIC),
        (0, 0),
        alpha.resize(big, Image.Resampling.BICUBIC),
    )
    stage.image.paste(sky, (0, 0))


def _cloud_banks(stage: Stage, amount: float) -> list[tuple[float, float, float]]:
    """Centre x, base y and size of each heaped cloud, far ones first."""
    dice = stage.dice("banks")
    count = 2 + round(amount * 4)
    banks = []
    for i in range(count):
        nearness = (i + 0.5) / count
        x = stage.width * dice.uniform(-0.05, 1.05)
        y = stage.horizon * (0.93 - 0.62 * nearness + dice.uniform(-0.06, 0.06))
        banks.append((x, y, stage.unit * (0.14 + 0.20 * nearness) * dice.uniform(0.8, 1.2)))
    return banks


def _heap(stage: Stage, name: str, size: float) -> list[tuple[float, float, float]]:
    """Circles (dx, dy, radius) that together look like a heaped cloud on a flat base."""
    dice = stage.dice(name)
    circles = []
    for _ in range(26):
        t = dice.uniform(-1, 1)
        tall = (1 - t * t) ** 0.7
        radius = size * (0.10 + 0.17 * tall * dice.random())
        # No ball hangs below the flat base.
        up = max(size * 0.62 * tall * dice.random() ** 0.8, radius * 0.72)
        circles.append((t * size, -up, radius))
    return circles


def _paint_cumulus(stage: Stage, amount: float) -> None:
    """Crisp painted clouds: a shaded body and a bright top, two flat tones and a lit rim."""
    palette = stage.palette
    white = (
        mix(palette.horizon, WHITE, 0.74) if not palette.is_night else mix(palette.haze, WHITE, 0.2)
    )
    for i, (x, y, size) in enumerate(_cloud_banks(stage, amount)):
        heap = _heap(stage, f"heap{i}", size)
        depth = 0.25 + 0.5 * (1 - y / max(1, stage.horizon))
        shade = mix(mix(palette.sky, white, 0.45), palette.horizon, 0.25)
        tones: list[tuple[Colour, float, float]] = [
            (mix(shade, palette.horizon, 0.3 - 0.3 * depth), 0.0, 1.0),
            (mix(shade, white, 0.55), -0.10, 0.90),
            (white, -0.17, 0.78),
        ]
        lean = 0.06 if stage.sun is not None and stage.sun[0] > x else -0.06
        base = paint.alpha_gradient(
            stage.size,
            [
                (0, 255),
                (max(0.01, y / stage.height), 255),
                (min(1.0, (y + size * 0.1) / stage.height), 0),
            ],
        )
        body: Image.Image | None = None
        for colour, lift, scale in tones:
            boxes = [
                (
                    x + cx + lean * size * -lift * 8 - r * scale,
                    y + cy + lift * size - r * scale,
                    x + cx + lean * size * -lift * 8 + r * scale,
                    y + cy + lift * size + r * scale,
                )
                for cx, cy, r in heap
            ]
            mask = paint.ellipse_mask(stage.size, boxes)
            body = mask if body is None else body
            mask = ImageChops.multiply(ImageChops.darker(mask, body), base)
            stage.image.paste(colour, (0, 0), mask)


def _paint_puffs(stage: Stage, amount: float) -> None:
    """Clouds of shaded balls, as if modelled."""
    palette = stage.palette
    light = mix(palette.horizon, WHITE, 0.7)
    if palette.is_night:
        light = mix(palette.haze, WHITE, 0.25)
    shadow = mix(mix(palette.sky, palette.zenith, 0.2), light, 0.35)
    for i, (x, y, size) in enumerate(_cloud_banks(stage, amount * 0.7)):
        for cx, cy, r in sorted(_heap(stage, f"heap{i}", size * 0.75), key=lambda c: c[1]):
            paint_ball(stage, (x + cx, y + cy * 0.8), r * 1.15, light=light, dark=shadow)


def paint_ball(
    stage: Stage, centre: tuple[float, float], radius: float, *, light: Colour, dark: Colour
) -> None:
    """A smooth ball lit from above, towards the sun's side."""
    side = max(4, round(radius * 2))
    lean = -0.28 if stage.sun is None or stage.sun[0] < centre[0] else 0.28
    disc = Image.radial_gradient("L")
    # The gradient is moved off-centre so that its bright middle becomes the highlight.
    shift = disc.transform(
        (256, 256), Image.Transform.AFFINE, (0.62, 0, 49 - lean * 130, 0, 0.62, 84)
    )
    face = paint.gradient(
        (256, 1), [(0, light), (0.35, mix(light, dark, 0.15)), (1, dark)], horizontal=True
    )
    table = face.tobytes()
    ball = Image.merge("RGB", [shift.point(list(table[c::3])) for c in range(3)])
    ball = ball.resize((side, side), Image.Resampling.BICUBIC)
    mask = Image.new("L", (side * 2, side * 2))
    ImageDraw.Draw(mask).ellipse((0, 0, side * 2 - 1, side * 2 - 1), fill=255)
    stage.image.paste(ball, (round(centre[0] - radius), round(centre[1] - radius)), mask.reduce(2))
