"""A city after rain: towers behind towers, lit windows, signs, and the street as a mirror."""

from __future__ import annotations

from PIL import Image, ImageDraw

from creative_hub.providers.scene import paint
from creative_hub.providers.scene.paint import Point
from creative_hub.providers.scene.palette import WHITE, Colour, lit, mix, turned
from creative_hub.providers.scene.sky import paint_sky
from creative_hub.providers.scene.stage import Stage
from creative_hub.providers.scene.water import paint_water

Box = tuple[float, float, float, float]


def city(stage: Stage) -> None:
    """A skyline over wet ground or a river."""
    dice = stage.dice("city")
    horizon = dice.uniform(0.60, 0.68)
    paint_sky(stage, horizon=horizon, clouds=dice.uniform(0.1, 0.5))
    foot = stage.height * horizon
    is_dark = stage.palette.is_night or stage.palette.sun_height < 0.1
    lights = paint.Lights(stage.size)
    lights.add(
        (stage.width * dice.uniform(0.35, 0.65), foot),
        radius=stage.unit * 1.2,
        colour=stage.palette.horizon,
        strength=0.55,
        falloff=1.8,
        stretch=1.4,
    )
    stage.image = lights.on(stage.image)
    for i, t in enumerate((0.14, 0.36, 0.62, 0.90)):
        towers = _towers(stage, f"row{i}", foot, rise=(0.40, 0.37, 0.30, 0.19)[i], t=t)
        _paint_row(stage, towers, foot, t=t, is_dark=is_dark, name=f"row{i}")
        if i < 3:
            _veil(stage, foot, 0.50 - 0.12 * i)
    wet = mix(stage.palette.zenith, stage.palette.shade, 0.5)
    if not is_dark:
        wet = mix(lit((60, 98, 122), stage.palette.ambient), stage.palette.sky, 0.3)
    paint_water(stage, top=foot, colour=wet, clarity=0.86, waves=0.20, path=0.35)
    if is_dark:
        _bokeh(stage, foot)


def _towers(stage: Stage, name: str, foot: float, *, rise: float, t: float) -> list[Box]:
    dice = stage.dice(f"towers/{name}")
    towers: list[Box] = []
    x = -stage.unit * 0.05
    heights = paint.ridgeline(dice, count=64, lumps=2.2, octaves=3, gain=0.7)
    while x < stage.width:
        wide = stage.unit * dice.uniform(0.05, 0.11) * (0.75 + 0.55 * t)
        place = max(0, min(63, int(x / stage.width * 63)))
        tall = stage.height * rise * (0.25 + 0.55 * heights[place] + 0.35 * dice.random() ** 3)
        towers.append((x, foot - tall, x + wide, foot))
        x += wide * dice.choice((0.92, 1.0, 1.0, 1.12, 1.3))
    return towers


def _paint_row(
    stage: Stage, towers: list[Box], foot: float, *, t: float, is_dark: bool, name: str
) -> None:
    dice = stage.dice(f"row/{name}")
    palette = stage.palette
    near = mix(palette.shade, palette.zenith, 0.35)
    if not is_dark:
        near = mix(lit((112, 122, 136), palette.ambient), palette.shade, 0.35)
    face = mix(mix(palette.haze, palette.horizon, 0.25), near, t**0.8)
    draw = ImageDraw.Draw(stage.image)
    glows = paint.Lights(stage.size)
    lit_side = 1 if stage.sun is not None and stage.sun[0] > stage.width / 2 else -1
    crowns: list[list[Point]] = []
    for tower in towers:
        left, top, right, bottom = tower
        tone = mix(face, palette.shade, dice.uniform(0, 0.22) * t)
        draw.rectangle((left, top, right, bottom), fill=tone)
        side = (right - left) * 0.22
        bright = mix(tone, palette.horizon, 0.20 if is_dark else 0.38)
        draw.rectangle(
            (right - side, top, right, bottom)
            if lit_side > 0
            else (left, top, left + side, bottom),
            fill=bright,
        )
        crowns += _crown(dice.random(), tower, stage.unit)
        if t > 0.2:
            _windows(
                stage, draw, tower, t=t, is_dark=is_dark, tone=tone, seed=f"{name}/{round(left)}"
            )
        if is_dark and t > 0.5 and dice.random() < 0.34:
            _sign(stage, draw, glows, tower, dice.random(), dice.random())
    crown = paint.polygon_mask(stage.size, crowns)
    stage.image.paste(face, (0, 0), crown)
    stage.image = glows.on(stage.image)


def _crown(kind: float, tower: Box, unit: float) -> list[list[Point]]:
    """What stands on the roof: a step, a mast, a slope, or nothing."""
    left, top, right, _ = tower
    wide = right - left
    middle = (left + right) / 2
    if kind < 0.25:
        step = wide * 0.5
        box = [
            (middle - step / 2, top + 1),
            (middle - step / 2, top - wide * 0.35),
            (middle + step / 2, top - wide * 0.35),
            (middle + step / 2, top + 1),
        ]
        mast = [
            (middle - unit * 0.0015, top),
            (middle - unit * 0.0006, top - wide * 1.2),
            (middle + unit * 0.0006, top - wide * 1.2),
            (middle + unit * 0.0015, top),
        ]
        return [box, mast]
    if kind < 0.4:
        return [[(left, top + 1), (left, top - wide * 0.45), (right, top + 1)]]
    if kind < 0.5:
        return [[(left, top + 1), (middle, top - wide * 0.8), (right, top + 1)]]
    return []


def _windows(
    stage: Stage,
    draw: ImageDraw.ImageDraw,
    tower: Box,
    *,
    t: float,
    is_dark: bool,
    tone: Colour,
    seed: str,
) -> None:
    dice = stage.dice(f"windows/{seed}")
    left, top, right, bottom = tower
    pitch = max(3.0, stage.unit * (0.0062 + 0.0045 * t))
    pane_w, pane_h = pitch * dice.uniform(0.45, 0.66), pitch * dice.uniform(0.5, 0.8)
    warm = mix(stage.palette.accent, (255, 214, 150), 0.65)
    cool = mix(turned(stage.palette.accent, hue=0.5), (196, 222, 255), 0.6)
    share = dice.uniform(0.16, 0.5) if is_dark else 0.9
    tint = cool if dice.random() < 0.28 else warm
    y = top + pitch
    while y < bottom - pitch:
        # Whole floors are lit or dark together more often than not.
        floor = share * dice.choice((0.3, 1.0, 1.0, 1.5))
        x = left + pitch * 0.6
        while x < right - pane_w:
            if dice.random() < floor:
                glow = (
                    mix(tone, tint, (0.35 + 0.65 * dice.random()) * (0.6 + 0.4 * t))
                    if is_dark
                    else mix(tone, mix(stage.palette.sky, WHITE, 0.3), 0.12 + 0.30 * dice.random())
                )
                draw.rectangle((x, y, x + pane_w, y + pane_h), fill=glow)
            x += pitch
        y += pitch * 1.18


def _sign(
    stage: Stage,
    draw: ImageDraw.ImageDraw,
    glows: paint.Lights,
    tower: Box,
    place: float,
    hue: float,
) -> None:
    """A neon strip down a wall, or a glowing panel."""
    left, top, right, bottom = tower
    choices = (
        stage.palette.accent,
        mix(stage.palette.horizon, WHITE, 0.1),
        turned(stage.palette.accent, hue=-0.10),
        turned(stage.palette.horizon, hue=-0.12),
    )
    colour = choices[int(hue * len(choices))]
    wide, tall = (right - left), (bottom - top)
    if place < 0.55:
        x = left + wide * (0.12 if place < 0.27 else 0.80)
        box = (x, top + tall * 0.22, x + max(2.0, stage.unit * 0.008), top + tall * 0.70)
    else:
        box = (
            left + wide * 0.28,
            top + tall * 0.22,
            right - wide * 0.28,
            top + tall * 0.22 + wide * 0.20,
        )
    draw.rectangle(box, fill=mix(colour, WHITE, 0.45))
    centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    size = max(box[2] - box[0], box[3] - box[1])
    glows.add(
        centre, radius=size * 1.1 + stage.unit * 0.07, colour=colour, strength=0.75, falloff=2.6
    )


def _veil(stage: Stage, foot: float, strength: float) -> None:
    """Haze that pools between the rows."""
    tall = round(stage.height * 0.26)
    top = round(foot - tall)
    mask = Image.new("L", stage.size)
    fade = paint.alpha_gradient((stage.width, tall), [(0, 0), (1, round(255 * strength))])
    mask.paste(fade, (0, top))
    colour = mix(stage.palette.haze, stage.palette.horizon, 0.35)
    stage.image.paste(colour, (0, 0), mask)


def _bokeh(stage: Stage, foot: float) -> None:
    """Out-of-focus lamps near the lens."""
    dice = stage.dice("bokeh")
    size = (stage.width // 2, stage.height // 2)
    for _ in range(3):
        layer = Image.new("L", size)
        draw = ImageDraw.Draw(layer)
        for _ in range(7):
            radius = stage.unit * dice.uniform(0.012, 0.05) / 2
            x = size[0] * dice.random()
            y = (foot + (stage.height - foot) * dice.uniform(-0.12, 0.85)) / 2
            level = round(255 * dice.uniform(0.06, 0.28))
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=level)
        soft = paint.blurred(layer, stage.unit / 500).resize(stage.size, Image.Resampling.BICUBIC)
        colour = dice.choice((stage.palette.accent, stage.palette.horizon, (255, 210, 150)))
        stage.image.paste(mix(colour, WHITE, 0.25), (0, 0), soft)
