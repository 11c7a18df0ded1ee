"""The sea: open water with a boat, and a beach with palms."""

from __future__ import annotations

import math
from functools import partial

from PIL import Image, ImageChops

from creative_hub.providers.scene import land, paint, things
from creative_hub.providers.scene.land import far_to_near
from creative_hub.providers.scene.palette import WHITE, lit, mix
from creative_hub.providers.scene.sky import paint_sky
from creative_hub.providers.scene.stage import Stage
from creative_hub.providers.scene.water import paint_water


def sea(stage: Stage) -> None:
    """Open water under a wide sky, with a headland and a boat."""
    dice = stage.dice("sea")
    horizon = dice.uniform(0.46, 0.60)
    paint_sky(stage, horizon=horizon)
    side = dice.choice((-1, 1))
    for i, t in enumerate((0.16, 0.38)):
        heights = paint.ridgeline(
            stage.dice(f"cape{i}"), count=200, lumps=3, octaves=6, gain=0.5, ridged=0.5
        )
        skyline = []
        for k, h in enumerate(heights):
            x = k / 199
            along = x if side > 0 else 1 - x
            swell = paint.smoothstep(0.45 + 0.22 * i, 1.0, along)
            skyline.append(
                (x * stage.width, stage.height * (horizon + 0.002 - swell * (0.05 + 0.05 * h)))
            )
        top = far_to_near(stage, t, (92, 104, 92))
        land.paint_layer(
            stage,
            skyline,
            floor=stage.height * horizon + 2,
            top=top,
            bottom=mix(top, stage.palette.haze, 0.35),
            name=f"cape{i}",
            rock=0.25,
        )
    foot = stage.height * horizon
    if stage.asks_for("lighthouse"):
        things.paint_lighthouse(
            stage, x=stage.width * (0.5 + 0.30 * side), foot=foot - stage.height * 0.05
        )
    boat_x = stage.width * (0.5 - side * dice.uniform(0.08, 0.24))
    colour = lit((20, 84, 116), mix(stage.palette.ambient, WHITE, 0.25))
    if stage.palette.is_night:
        colour = mix(colour, stage.palette.zenith, 0.6)
    paint_water(
        stage,
        top=foot,
        colour=mix(colour, stage.palette.sky, 0.25),
        clarity=0.72,
        waves=0.75,
        path=1.15,
    )
    if not stage.asks_for("empty", "lighthouse", "surf", "surfer"):
        tall = stage.unit * dice.uniform(0.30, 0.38)
        things.paint_sailboat(
            stage, x=boat_x, foot=foot + stage.height * dice.uniform(0.07, 0.11), tall=tall
        )
    land.paint_haze(stage, at=foot, spread=stage.height * 0.02, strength=0.35)


def beach(stage: Stage) -> None:
    """Sand, a curling edge of foam, the sea, and palms leaning in."""
    dice = stage.dice("beach")
    horizon = dice.uniform(0.42, 0.50)
    paint_sky(stage, horizon=horizon)
    foot = stage.height * horizon
    skyline = land.mountain_range(
        stage, name="isle", base=horizon, rise=0.06, lumps=1.6, ridged=0.3
    )
    side = dice.choice((-1, 1))
    isle = []
    for x, y in skyline:
        along = x / stage.width if side > 0 else 1 - x / stage.width
        isle.append((x, foot - (foot - y) * paint.smoothstep(0.5, 0.85, along)))
    top = far_to_near(stage, 0.25, (80, 110, 92))
    land.paint_layer(stage, isle, floor=foot + 2, top=top, bottom=top, name="isle", rock=0.3)
    turquoise = lit((40, 150, 166), mix(stage.palette.ambient, WHITE, 0.2))
    if stage.palette.is_night:
        turquoise = mix(turquoise, stage.palette.zenith, 0.6)
    paint_water(stage, top=foot, colour=turquoise, clarity=0.55, waves=0.6, path=0.9)
    _sand_and_foam(stage, foot, side)
    things.paint_palms(stage, side=-side)


def _sand_and_foam(stage: Stage, foot: float, side: int) -> None:
    dice = stage.dice("foam")
    sand = lit((234, 204, 160), mix(stage.palette.ambient, WHITE, 0.1))
    edge = []
    for k in range(161):
        x = k / 160
        along = x if side > 0 else 1 - x
        wave = 0.012 * math.sin(along * 9 + dice.uniform(0, 0.15)) + 0.008 * math.sin(along * 23)
        edge.append(
            (x * stage.width, foot + (stage.height - foot) * (0.50 + 0.34 * along + wave * 2))
        )
    before = stage.image.copy()
    land.paint_ground(
        stage,
        top=foot,
        far=sand,
        near=mix(sand, stage.palette.shade, 0.22),
        name="beach",
        texture=0.6,
        lumps=(22.0, 44.0),
    )
    dry = stage.image
    drop = (stage.height - foot) * 0.05

    def below(shift: float) -> Image.Image:
        line = [(x, y + shift) for x, y in edge]
        return paint.polygon_mask(stage.size, [paint.closed(line, floor=stage.height)])

    wet = Image.blend(
        before, Image.new("RGB", stage.size, mix(sand, stage.palette.shade, 0.35)), 0.62
    )
    picture = Image.composite(wet, before, below(drop * 0.2))
    picture = Image.composite(dry, picture, paint.blurred(below(drop * 2.4), drop * 0.5))
    foam = paint.fractal_noise(
        dice, (stage.width // 2, stage.height // 2), cells=(60, 110), octaves=3, gain=0.8
    ).resize(stage.size, Image.Resampling.BICUBIC)
    white = mix(WHITE, stage.palette.horizon, 0.18)
    if stage.palette.is_night:
        white = mix(stage.palette.haze, WHITE, 0.35)
    for shift, thick, low in ((-2.6, 0.8, 0.42), (0.1, 0.7, 0.05), (-5.4, 0.5, 0.46)):
        upper = below(drop * (shift - thick))
        band = ImageChops.subtract(upper, below(drop * shift))
        band = paint.blurred(band, drop * 0.09)
        lace = paint.curve(foam, partial(paint.smoothstep, low, low + 0.4))
        picture.paste(white, (0, 0), ImageChops.multiply(band, lace))
    stage.image = picture
