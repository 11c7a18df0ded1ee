"""Deserts: mesas and a highway to the sun, or dunes."""

from __future__ import annotations

import math

from PIL import ImageChops

from creative_hub.providers.scene import land, paint, road
from creative_hub.providers.scene.land import far_to_near
from creative_hub.providers.scene.palette import Colour, lit, mix
from creative_hub.providers.scene.sky import paint_sky
from creative_hub.providers.scene.stage import Stage


def desert(stage: Stage) -> None:
    """Mesas, sand and a highway to the sun; dunes when the prompt speaks of dunes."""
    dice = stage.dice("desert")
    horizon = dice.uniform(0.50, 0.60)
    paint_sky(stage, horizon=horizon)
    sand = lit((226, 164, 108), stage.palette.ambient)
    for i, t in enumerate((0.18, 0.42, 0.66)):
        skyline = land.mountain_range(
            stage,
            name=f"mesa{i}",
            base=horizon + 0.012 * i,
            rise=(0.13, 0.10, 0.055)[i],
            lumps=(2.4, 1.7, 2.4)[i],
            ridged=0.2,
            roughness=0.42,
        )
        if stage.look.layers != "clay":
            skyline = _terraced(skyline, horizon * stage.height, 0.13 * stage.height)
        top = far_to_near(stage, t, (168, 92, 66))
        land.paint_layer(
            stage,
            skyline,
            floor=stage.height * (horizon + 0.03),
            top=top,
            bottom=mix(top, stage.palette.haze, 0.45),
            name=f"mesa{i}",
            rock=0.25 + 0.3 * t,
        )
    if stage.asks_for("dune", "dunes", "sahara", "sand"):
        _dunes(stage, horizon, sand)
        return
    foot = stage.height * horizon
    land.paint_ground(
        stage,
        top=foot,
        far=mix(sand, stage.palette.haze, 0.55),
        near=mix(sand, stage.palette.shade, 0.42),
        name="sand",
        texture=0.75,
    )
    land.paint_haze(stage, at=foot, spread=stage.height * 0.035, strength=0.6)
    vanish = stage.width * dice.uniform(0.40, 0.60)
    if stage.sun is not None:
        vanish = (vanish + stage.sun[0]) / 2
    road.paint_scrub(stage, foot)
    road.paint_road(stage, top=foot, vanish=vanish, bend=dice.uniform(-0.10, 0.10))
    if stage.asks_for("car", "cars", "truck", "suv", "driving", "drive", "vehicle", "convertible"):
        road.paint_car(stage, top=foot, vanish=vanish)


def _terraced(skyline: list[paint.Point], base: float, rise: float) -> list[paint.Point]:
    """Flatten the tops, as mesas are."""
    points = []
    for x, y in skyline:
        h = (base - y) / rise
        step = paint.smoothstep(0.30, 0.42, h) * 0.34 + paint.smoothstep(0.55, 0.63, h) * 0.36
        points.append((x, base - rise * (step + 0.22 * h)))
    return points


def _dunes(stage: Stage, horizon: float, sand: Colour) -> None:
    """Dunes: each a lit face and a shaded face, parted by one crest that sweeps down to us."""
    dice = stage.dice("dunes")
    away = 1 if stage.sun is None or stage.sun[0] < stage.width / 2 else -1
    count = 4
    spot = dice.uniform(0.2, 0.8)
    for i in range(count):
        t = (i + 1) / count
        base = stage.height * (horizon + 0.03 + (1 - horizon) * 0.66 * (i / count) ** 1.1)
        rise = stage.height * (0.05 + 0.10 * t)
        spot = (spot + dice.uniform(0.3, 0.6)) % 1.0
        wide = dice.uniform(0.30, 0.42)
        skyline = []
        for k in range(161):
            x = k / 160
            # Steep towards the lee, long towards the wind, and a slow roll underneath.
            d = (x - spot) * away
            reach = wide * (0.75 if d > 0 else 1.6)
            h = math.exp(-((abs(d) / reach) ** 1.25) * 1.5) + 0.10 * math.sin(x * 7 + i * 2.1)
            skyline.append((x * stage.width, base - h * rise))
        light = mix(stage.palette.haze, mix(sand, stage.palette.sun, 0.20), 0.3 + 0.7 * t)
        dark = mix(light, mix(stage.palette.shade, sand, 0.30), 0.62)
        mask = land.paint_layer(
            stage,
            skyline,
            floor=stage.height,
            top=light,
            bottom=mix(light, dark, 0.40),
            name=f"dune{i}",
        )
        peak = min(skyline, key=lambda point: point[1])
        drop = stage.height * (0.10 + 0.34 * t)
        crest = paint.bezier(
            [
                peak,
                (peak[0] + away * stage.width * 0.16 * t, peak[1] + drop * 0.30),
                (peak[0] - away * stage.width * 0.30 * t, peak[1] + drop * 0.50),
                (peak[0] + away * stage.width * 0.12 * t, peak[1] + drop),
            ],
            steps=40,
        )
        edge = stage.width if away > 0 else 0.0
        lee = [*crest, (edge, crest[-1][1]), (edge, 0.0), (peak[0], peak[1] - 4)]
        side = ImageChops.multiply(paint.blurred(paint.polygon_mask(stage.size, [lee]), 1.2), mask)
        high, low = peak[1] / stage.height, crest[-1][1] / stage.height
        fade = paint.alpha_gradient(
            stage.size,
            [(0, 255), (high, 255), ((high + low) / 2, 150), (min(1.0, low), 0), (1.01, 0)],
        )
        stage.image = paint.darkened(stage.image, ImageChops.multiply(side, fade), dark, 0.9)
    top_y = round(stage.height * horizon)
    grain = paint.fractal_noise(
        stage.dice("ripples"), (1300, 1500), cells=(16, 90), octaves=5, gain=0.75
    )
    laid = paint.in_perspective(
        paint.relief(grain, dx=1, dy=2, strength=1.2), (stage.width, stage.height - top_y), far=4
    )
    region = stage.image.crop((0, top_y, stage.width, stage.height))
    region = paint.textured(region, laid, None, 0.17 * stage.look.texture)
    stage.image.paste(region, (0, top_y))
