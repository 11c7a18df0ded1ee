"""Inland scenes: mountains with a lake, forest, snow, hills."""

from __future__ import annotations

from PIL import ImageChops

from creative_hub.providers.scene import land, paint, things
from creative_hub.providers.scene.land import far_to_near
from creative_hub.providers.scene.palette import WHITE, Colour, lit, mix, turned
from creative_hub.providers.scene.sky import paint_sky
from creative_hub.providers.scene.stage import Stage
from creative_hub.providers.scene.water import paint_water


def mountains(stage: Stage) -> None:
    """Ranges behind ranges, and a lake when asked for (or by chance)."""
    dice = stage.dice("mountains")
    is_lake = stage.asks_for("lake", "river", "fjord", "reflection", "water") or dice.random() < 0.8
    horizon = dice.uniform(0.54, 0.64)
    paint_sky(stage, horizon=horizon)
    is_snowy = not stage.asks_for("desert", "jungle") and dice.random() < 0.8
    _ranges(stage, horizon, snow=0.09 if is_snowy else None)
    foot = stage.height * (horizon + 0.035)
    if is_lake:
        _tree_band(stage, foot, tall=0.060, t=0.78, name="shore")
        water = mix(lit((34, 82, 92), stage.palette.ambient), stage.palette.sky, 0.3)
        paint_water(stage, top=foot, colour=water, clarity=0.9, waves=0.16, path=0.55)
        land.paint_haze(stage, at=foot, spread=stage.height * 0.03, strength=0.55)
        _framing_trees(stage)
    else:
        _meadow(stage, foot)
        _framing_trees(stage)


def _ranges(stage: Stage, horizon: float, *, snow: float | None) -> None:
    for i, t in enumerate((0.14, 0.34, 0.58)):
        skyline = land.mountain_range(
            stage,
            name=f"range{i}",
            base=horizon + 0.02 + 0.008 * i,
            rise=(0.30, 0.21, 0.12)[i],
            lumps=(1.5, 2.0, 2.4)[i],
            ridged=0.85,
        )
        top = far_to_near(stage, t, (92, 100, 108) if i < 2 else (70, 96, 78))
        land.paint_layer(
            stage,
            skyline,
            floor=stage.height * (horizon + 0.16),
            top=top,
            bottom=mix(top, stage.palette.haze, 0.7),
            name=f"range{i}",
            rock=0.42 + 0.3 * t,
            is_faceted=True,
            snow_line=None if snow is None else snow * stage.height * (1.0, 1.0, 0.12)[i],
        )
        land.paint_haze(
            stage,
            at=stage.height * (horizon + 0.005 + 0.01 * i),
            spread=stage.height * 0.07,
            strength=0.6,
        )


def _tree_band(stage: Stage, foot: float, *, tall: float, t: float, name: str) -> None:
    """A wood along a line. tall: share of the height."""
    dice = stage.dice(f"trees/{name}")
    heights = paint.ridgeline(dice, count=120, lumps=3, octaves=3, gain=0.5)
    skyline = paint.profile_points(heights, width=stage.width, base=foot, rise=stage.height * 0.018)
    colour = far_to_near(stage, t, (56, 88, 66))
    is_smooth = stage.look.layers == "clay"
    height = stage.height * tall
    trees = land.conifers(
        dice, skyline, tall=height, step=height * (0.42 if is_smooth else 0.24), is_smooth=is_smooth
    )
    land.paint_layer(
        stage,
        skyline,
        floor=foot + 2,
        top=colour,
        bottom=mix(colour, stage.palette.haze, 0.2),
        name=name,
        extra=trees,
    )


def _framing_trees(stage: Stage) -> None:
    """A few tall dark firs at the sides of the foreground, on a bank."""
    dice = stage.dice("frame")
    colour = mix(stage.palette.shade, lit((40, 66, 52), stage.palette.ambient), 0.25)
    if stage.look.layers != "haze":
        colour = mix(stage.palette.shade, lit((52, 110, 84), stage.palette.ambient), 0.6)
    side = dice.choice((-1, 1))
    bank = []
    for k in range(61):
        x = k / 60
        along = x if side > 0 else 1 - x
        rise = (
            paint.smoothstep(0.30, 1.0, along) * 0.085 + paint.smoothstep(0.72, 0.0, along) * 0.03
        )
        bank.append((x * stage.width, stage.height * (1.0 - rise)))
    trees = []
    is_smooth = stage.look.layers == "clay"
    for k in range(9):
        along = 1.02 - 0.40 * dice.random() ** 1.6 if k < 7 else 0.06 * dice.random()
        x = along if side > 0 else 1 - along
        height = stage.height * dice.uniform(0.16, 0.40) * (0.55 + 0.45 * along)
        foot = (x * stage.width, land.at_x(bank, x * stage.width) + stage.height * 0.02)
        trees.append(land.conifer(dice, foot, height, is_smooth=is_smooth))
    land.paint_layer(
        stage,
        bank,
        floor=stage.height,
        top=colour,
        bottom=mix(colour, stage.palette.shade, 0.5),
        name="bank",
        extra=trees,
    )


def _meadow(stage: Stage, foot: float) -> None:
    dice = stage.dice("meadow")
    green = (96, 132, 70) if not stage.asks_for("autumn") else (176, 120, 58)
    for i in range(4):
        base = foot + (stage.height - foot) * (0.05 + 0.25 * i)
        heights = paint.ridgeline(dice, count=100, lumps=1.2, octaves=2, gain=0.3)
        skyline = paint.profile_points(
            heights, width=stage.width, base=base, rise=stage.height * 0.045
        )
        tone = turned(green, hue=(-0.03, 0.02, -0.015, 0.03)[i], saturation=1.15)
        light = mix(stage.palette.haze, lit(tone, stage.palette.ambient), 0.5 + 0.14 * i)
        land.paint_layer(
            stage,
            skyline,
            floor=stage.height,
            top=light,
            bottom=mix(light, stage.palette.shade, 0.45),
            name=f"meadow{i}",
            rock=0.10,
            extra=land.conifers(
                dice,
                skyline,
                tall=stage.height * (0.03 + 0.02 * i),
                step=stage.height * (0.05 + 0.06 * i),
                is_smooth=stage.look.layers == "clay",
            )
            if i < 3
            else (),
        )


def forest(stage: Stage) -> None:
    """Wood behind wood in the mist."""
    dice = stage.dice("forest")
    horizon = dice.uniform(0.48, 0.58)
    paint_sky(stage, horizon=horizon, clouds=0.35)
    skyline = land.mountain_range(
        stage, name="far", base=horizon + 0.05, rise=0.24, lumps=1.4, ridged=0.7
    )
    top = far_to_near(stage, 0.12, (92, 108, 104))
    land.paint_layer(
        stage,
        skyline,
        floor=stage.height,
        top=top,
        bottom=stage.palette.haze,
        name="far",
        rock=0.4,
        is_faceted=True,
    )
    layers = 6
    for i in range(layers):
        t = (i + 1) / layers
        base = horizon + 0.03 + (1.02 - horizon) * 0.92 * t**1.25
        ridge = land.mountain_range(
            stage,
            name=f"wood{i}",
            base=base,
            rise=0.10 + 0.03 * t,
            lumps=1.3,
            ridged=0.3,
            roughness=0.4,
        )
        height = stage.height * (0.028 + 0.15 * t**1.7)
        is_smooth = stage.look.layers == "clay"
        green = (60, 98, 76) if not stage.asks_for("autumn") else (170, 98, 50)
        colour = far_to_near(stage, 0.16 + 0.84 * t, green)
        land.paint_layer(
            stage,
            ridge,
            floor=stage.height,
            top=colour,
            bottom=mix(colour, stage.palette.haze, 0.75 - 0.6 * t),
            name=f"wood{i}",
            extra=land.conifers(
                dice,
                ridge,
                tall=height,
                step=height * (0.5 if is_smooth else 0.26),
                is_smooth=is_smooth,
            ),
        )
        if i < layers - 1:
            land.paint_haze(
                stage,
                at=stage.height * (base + 0.01),
                spread=stage.height * 0.07,
                strength=0.62 - 0.4 * t,
            )


def snow(stage: Stage) -> None:
    """White peaks, white slopes, firs, and falling snow."""
    dice = stage.dice("snow")
    horizon = dice.uniform(0.50, 0.58)
    paint_sky(stage, horizon=horizon, clouds=dice.uniform(0.1, 0.5))
    _ranges(stage, horizon, snow=0.6)
    white = lit((238, 243, 252), mix(stage.palette.ambient, WHITE, 0.25))
    for i in range(4):
        t = (i + 1) / 4
        base = horizon + 0.045 + (1 - horizon) * 0.80 * t**1.4
        heights = paint.ridgeline(
            stage.dice(f"slope{i}"), count=160, lumps=1.1, octaves=2, gain=0.25
        )
        slope = paint.profile_points(
            heights, width=stage.width, base=base * stage.height, rise=0.06 * stage.height
        )
        if i < 3:
            colour = far_to_near(stage, 0.5 + 0.3 * t, (46, 74, 70))
            height = stage.height * (0.04 + 0.09 * t)
            is_smooth = stage.look.layers == "clay"
            foot = [(x, y + height * 0.06) for x, y in slope]
            trees = land.conifers(dice, foot, tall=height, step=height * 0.7, is_smooth=is_smooth)
            mask = paint.polygon_mask(stage.size, trees)
            stage.image.paste(colour, (0, 0), mask)
            lifted = ImageChops.offset(mask, round(height * 0.03), round(height * 0.035))
            dusted = ImageChops.subtract(mask, lifted)
            stage.image.paste(mix(white, colour, 0.25), (0, 0), dusted)
        light = mix(stage.palette.haze, white, 0.45 + 0.5 * t)
        land.paint_layer(
            stage,
            slope,
            floor=stage.height,
            top=light,
            bottom=mix(light, mix(stage.palette.sky, stage.palette.zenith, 0.25), 0.42),
            name=f"slope{i}",
            rock=0.14,
        )
    things.paint_snowfall(stage)


def hills(stage: Stage) -> None:
    """Rolling hills with a few trees: the scene of a prompt that names none."""
    dice = stage.dice("hills")
    horizon = dice.uniform(0.44, 0.54)
    paint_sky(stage, horizon=horizon)
    greens: tuple[Colour, ...] = ((118, 150, 84), (146, 160, 82), (92, 132, 82), (168, 164, 92))
    count = 6
    for i in range(count):
        t = (i + 1) / count
        base = (horizon + 0.02 + (1 - horizon) * 0.78 * (i / count) ** 1.1) * stage.height
        heights = paint.ridgeline(
            stage.dice(f"hill{i}"), count=160, lumps=1.5 - 0.5 * t, octaves=3, gain=0.2
        )
        skyline = paint.profile_points(
            heights, width=stage.width, base=base, rise=stage.height * 0.10
        )
        green = greens[dice.randrange(len(greens))]
        light = mix(stage.palette.haze, lit(green, stage.palette.ambient), 0.25 + 0.75 * t)
        land.paint_layer(
            stage,
            skyline,
            floor=stage.height,
            top=light,
            bottom=mix(light, stage.palette.shade, 0.5),
            name=f"hill{i}",
            rock=0.07,
        )
        for _ in range(7 if i in (1, 2, 3) else 0):
            things.paint_grove(
                stage,
                skyline,
                x=stage.width * dice.random(),
                size=stage.unit * (0.010 + 0.022 * t),
                light=light,
            )
        land.paint_haze(
            stage,
            at=base + stage.height * 0.02,
            spread=stage.height * 0.06,
            strength=0.5 - 0.45 * t,
        )
