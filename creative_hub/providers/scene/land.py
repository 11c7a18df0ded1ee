"""Land: layered ridges with haze, textured ground, trees, snow, in three hands."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from PIL import Image, ImageChops

from creative_hub.providers.scene import paint
from creative_hub.providers.scene.paint import Point
from creative_hub.providers.scene.palette import WHITE, Colour, lit, mix
from creative_hub.providers.scene.stage import Stage


def paint_layer(
    stage: Stage,
    skyline: Sequence[Point],
    *,
    floor: float,
    top: Colour,
    bottom: Colour,
    name: str,
    rock: float = 0.0,
    snow_line: float | None = None,
    is_faceted: bool = False,
    extra: Sequence[Sequence[Point]] = (),
) -> Image.Image:
    """Fill the land below a skyline, from `top` at its crest to `bottom` at `floor`.

    rock: strength of the relief on its face. snow_line: pixels below the highest point down to
    which snow lies. is_faceted: each peak has a side in shade. extra: more
    silhouettes of the same layer (trees). Returns the layer's mask.
    """
    crest = min(y for _, y in skyline)
    mask = paint.polygon_mask(stage.size, [paint.closed(skyline, floor=floor), *extra])
    ground = (
        mask if not extra else paint.polygon_mask(stage.size, [paint.closed(skyline, floor=floor)])
    )
    y0 = max(0, int(crest))
    tall = max(2, int(floor) - y0)
    body = Image.new("RGB", stage.size, bottom)
    # Trees of the layer stand above its crest.
    body.paste(top, (0, 0, stage.width, y0))
    body.paste(paint.gradient((stage.width, tall), [(0, top), (1, bottom)]), (0, y0))
    if stage.look.layers == "clay":
        shadow = paint.blurred(mask, stage.unit * 0.022)
        shadow = ImageChops.offset(shadow, 0, -round(stage.unit * 0.010))
        stage.image = paint.darkened(
            stage.image, shadow, mix(bottom, stage.palette.shade, 0.7), 0.34
        )
        body = _rounded(stage, body, ground, top)
        # The far half of each cone lies in shade.
        halves = [
            [tree[0], tree[1], ((tree[1][0] + tree[2][0]) / 2, tree[1][1])]
            for tree in extra
            if len(tree) == 3
        ]
        if halves:
            body = paint.darkened(
                body, paint.polygon_mask(stage.size, halves), stage.palette.shade, 0.28
            )
    elif stage.look.layers == "cel":
        # One crisp band of light along the crest.
        shifted = ImageChops.offset(ground, 0, round(stage.unit * 0.014))
        shifted.paste(0, (0, 0, stage.width, round(stage.unit * 0.014)))
        rim = ImageChops.subtract(ground, shifted)
        body.paste(mix(top, stage.palette.sun, 0.30), (0, 0), rim)
    if snow_line is not None:
        body = _snowed(stage, body, skyline, snow_line, name)
    if is_faceted and stage.look.layers != "clay":
        body = _shaded_sides(stage, body, skyline, floor, name)
    if rock > 0:
        body = _rocky(stage, body, y0, floor, rock, name)
    stage.image.paste(body, (0, 0), mask)
    return mask


def _shaded_sides(
    stage: Stage, body: Image.Image, skyline: Sequence[Point], floor: float, name: str
) -> Image.Image:
    """From each peak a ragged spur runs down; the side away from the sun lies in cool shade."""
    dice = stage.dice(f"facets/{name}")
    away = 1 if stage.sun is None or stage.sun[0] < stage.width / 2 else -1
    count = len(skyline)
    window = max(3, count // 26)
    faces = []
    for k in range(count):
        around = [skyline[j][1] for j in range(max(0, k - window), min(count, k + window + 1))]
        if skyline[k][1] > min(around):
            continue
        end = k
        while (
            0 < end < count - 1
            and abs(end - k) < count // 5
            and skyline[end + away][1] >= skyline[end][1] - stage.unit * 0.006
        ):
            end += away
        slope = list(skyline[k:end:away] if away > 0 or end > 0 else skyline[k::-1])
        if len(slope) < 4:
            continue
        x, y = skyline[k]
        drop = floor - y
        spur: list[Point] = []
        steps = 9
        for s in range(1, steps + 1):
            x += dice.uniform(-1.0, 1.0) * drop * 0.055 + away * drop * 0.012
            spur.append((x, y + drop * s / steps))
        faces.append(
            [
                *[(px, py - 2) for px, py in slope],
                (slope[-1][0] + away * drop * 0.35, floor),
                *reversed(spur),
            ]
        )
    if not faces:
        return body
    mask = paint.polygon_mask(stage.size, faces)
    crest = min(y for _, y in skyline)
    low = min(0.999, floor / stage.height)
    high = max(0.0, crest / stage.height)
    fade = paint.alpha_gradient(
        stage.size, [(0, 255), (high, 255), ((high + low * 2) / 3, 120), (low, 0), (1.0, 0)]
    )
    mask = ImageChops.multiply(paint.blurred(mask, stage.unit / 900), fade)
    cool = mix(mix(stage.palette.zenith, stage.palette.sky, 0.4), stage.palette.shade, 0.3)
    return paint.darkened(body, mask, cool, 0.34)


def _rounded(stage: Stage, body: Image.Image, mask: Image.Image, top: Colour) -> Image.Image:
    """A soft bevel along the crest, as on clay."""
    inner = ImageChops.offset(paint.blurred(mask, stage.unit * 0.03), 0, round(stage.unit * 0.02))
    edge = ImageChops.subtract(mask, inner)
    light = paint.curve(edge, lambda v: 0.75 * v)
    body.paste(mix(top, mix(stage.palette.sun, WHITE, 0.4), 0.62), (0, 0), light)
    return body


def _rocky(
    stage: Stage, body: Image.Image, top: int, floor: float, rock: float, name: str
) -> Image.Image:
    dice = stage.dice(f"rock/{name}")
    tall = max(8, int(floor) - top)
    size = (max(32, stage.width // 2), max(16, tall // 2))
    lumps = 3.6 * stage.width / stage.unit
    height = paint.fractal_noise(
        dice, size, cells=(lumps, lumps * size[1] / size[0]), octaves=6, gain=0.57
    )
    lean = 2 if stage.sun is None or stage.sun[0] < stage.width / 2 else -2
    face = paint.relief(height, dx=-lean, dy=-2, strength=2.6)
    if stage.look.layers == "cel":
        face = paint.curve(face, lambda v: 0.42 if v < 0.46 else 0.54)
    elif stage.look.layers == "clay":
        face = paint.blurred(face, stage.unit / 120)
    strip = body.crop((0, top, stage.width, top + tall))
    body.paste(paint.textured(strip, face, None, rock * stage.look.texture), (0, top))
    return body


def _snowed(
    stage: Stage, body: Image.Image, skyline: Sequence[Point], snow_line: float, name: str
) -> Image.Image:
    """White down to a ragged line that follows the skyline loosely."""
    dice = stage.dice(f"snow/{name}")
    crest = min(y for _, y in skyline)
    ragged = paint.ridgeline(dice, count=len(skyline), lumps=14, octaves=4, gain=0.7, ridged=0.6)
    lower = [
        (x, min(crest + snow_line, y + snow_line * 0.55) + (r - 0.5) * snow_line * 0.75)
        for (x, y), r in zip(skyline, ragged, strict=True)
    ]
    area = paint.polygon_mask(stage.size, [[*[(x, y - 4) for x, y in skyline], *reversed(lower)]])
    white = mix(mix(WHITE, stage.palette.ambient, 0.55), stage.palette.haze, 0.12)
    if stage.palette.is_night:
        white = mix(stage.palette.haze, WHITE, 0.35)
    body.paste(white, (0, 0), paint.curve(area, lambda v: 0.92 * v))
    return body


def mountain_range(
    stage: Stage,
    *,
    name: str,
    base: float,
    rise: float,
    lumps: float,
    ridged: float = 0.8,
    roughness: float = 0.44,
) -> list[Point]:
    """A skyline across the picture.

    base: share of the height. rise: share of the height too, but tall pictures get no taller
    mountains than 3:4 ones. lumps: hills per short side.
    """
    look = stage.look
    octaves = {"haze": 7, "cel": 5, "clay": 2}[look.layers]
    gain = roughness if look.layers != "clay" else 0.25
    heights = paint.ridgeline(
        stage.dice(f"ridge/{name}"),
        count=max(120, stage.width // 3),
        lumps=lumps * stage.width / stage.unit,
        octaves=octaves,
        gain=gain,
        ridged=ridged * look.ridged,
    )
    return paint.profile_points(
        heights,
        width=stage.width,
        base=base * stage.height,
        rise=rise * min(stage.height, stage.width * 1.35),
    )


def at_x(skyline: Sequence[Point], x: float) -> float:
    """The y of a skyline at x."""
    step = (skyline[-1][0] - skyline[0][0]) / (len(skyline) - 1)
    i = max(0, min(len(skyline) - 1, round((x - skyline[0][0]) / step)))
    return skyline[i][1]


def conifers(
    dice: Random, skyline: Sequence[Point], *, tall: float, step: float, is_smooth: bool = False
) -> list[list[Point]]:
    """Fir trees standing along a skyline. tall, step: pixels."""
    trees = []
    x = skyline[0][0] - step
    while x < skyline[-1][0] + step:
        height = tall * dice.uniform(0.45, 1.15)
        trees.append(conifer(dice, (x, at_x(skyline, x) + tall * 0.1), height, is_smooth=is_smooth))
        x += step * dice.uniform(0.4, 1.5)
    return trees


def conifer(dice: Random, foot: Point, height: float, *, is_smooth: bool = False) -> list[Point]:
    """The outline of one fir."""
    x, y = foot
    if is_smooth:
        half = height * 0.24
        return [(x, y - height), (x + half, y), (x - half, y)]
    tiers = 9
    right: list[Point] = []
    left: list[Point] = []
    for i in range(1, tiers + 1):
        t = i / tiers
        reach = height * (0.03 + 0.19 * t) * dice.uniform(0.75, 1.15)
        level = y - height * (1 - t * 0.94)
        right += [(x + reach, level), (x + reach * 0.5, level - height * 0.018)]
        left += [
            (x - reach * dice.uniform(0.8, 1.1), level),
            (x - reach * 0.5, level - height * 0.018),
        ]
    return [
        (x, y - height),
        *right,
        (x + height * 0.015, y),
        (x - height * 0.015, y),
        *reversed(left),
    ]


def paint_ground(
    stage: Stage,
    *,
    top: float,
    far: Colour,
    near: Colour,
    name: str,
    texture: float = 0.5,
    lumps: tuple[float, float] = (10.0, 26.0),
) -> None:
    """Flat ground from y=`top` pixels to the bottom edge, its grain in perspective."""
    y0 = int(top)
    size = (stage.width, stage.height - y0)
    if size[1] < 4:
        return
    ground = paint.gradient(size, [(0, far), (0.25, mix(far, near, 0.45)), (1, near)])
    if stage.look.layers == "haze" or texture > 0.6:
        # The nearest ground shows a seventh of the texture, so that must be finer than a screen.
        dice = stage.dice(f"ground/{name}")
        grain = paint.fractal_noise(dice, (1300, 1500), cells=lumps, octaves=7, gain=0.8)
        lean = 2 if stage.sun is None or stage.sun[0] < stage.width / 2 else -2
        strength = texture * stage.look.texture
        laid = paint.in_perspective(paint.relief(grain, dx=-lean, dy=-2, strength=1.7), size)
        ground = paint.textured(ground, laid, None, strength)
        patches = paint.in_perspective(grain.reduce(4), (size[0] // 4, size[1] // 4))
        ground = paint.textured(ground, paint.blurred(patches, 3), None, strength * 0.35)
    stage.image.paste(ground, (0, y0))


def paint_haze(stage: Stage, *, at: float, spread: float, strength: float) -> None:
    """A band of mist at y=`at` pixels, `spread` pixels up and down."""
    if stage.look.layers == "clay":
        strength *= 0.45
    tall = max(2, round(spread * 2))
    noise = paint.fractal_noise(
        stage.dice(f"mist/{round(at)}"), (90, 60), cells=(2.5, 2.5), octaves=4
    )
    noise = paint.curve(noise, lambda v: 0.35 + 0.65 * v).resize(
        (stage.width, tall), Image.Resampling.BICUBIC
    )
    peak = round(255 * strength)
    fade = paint.alpha_gradient(
        (stage.width, tall), [(0, 0), (0.25, peak // 3), (0.5, peak), (0.75, peak // 3), (1, 0)]
    )
    mask = Image.new("L", stage.size)
    mask.paste(ImageChops.multiply(noise, fade), (0, round(at - spread)))
    stage.image.paste(stage.palette.haze, (0, 0), mask)


def far_to_near(stage: Stage, t: float, albedo: Colour) -> Colour:
    """The colour of land at distance t: 0 fades into the haze, 1 stands at our feet."""
    palette = stage.palette
    near = mix(lit(albedo, palette.ambient), palette.shade, 0.45 + 0.3 * t)
    if stage.look.layers != "haze":
        near = mix(lit(albedo, palette.ambient), palette.shade, 0.12 + 0.3 * t)
    return mix(mix(palette.haze, palette.horizon, 0.3), near, t**0.85)
