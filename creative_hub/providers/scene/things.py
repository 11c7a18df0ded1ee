"""Things that stand in a landscape: boat, lighthouse, palms, groves, falling snow."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw

from creative_hub.providers.scene import paint
from creative_hub.providers.scene.land import at_x
from creative_hub.providers.scene.paint import Point
from creative_hub.providers.scene.palette import WHITE, Colour, lit, mix
from creative_hub.providers.scene.sky import paint_ball
from creative_hub.providers.scene.stage import Stage


def paint_sailboat(stage: Stage, *, x: float, foot: float, tall: float) -> None:
    """A sailing boat and its broken mirror image in the water. tall: pixels to the masthead."""
    dice = stage.dice("boat")
    lean = dice.choice((-1, 1)) * 0.05
    flip = dice.choice((-1, 1))

    def at(px: float, py: float) -> Point:
        return (x + flip * px * tall + lean * py * tall, foot - py * tall)

    def under(points: list[Point]) -> list[Point]:
        return [(px, foot + (foot - py) * 0.62) for px, py in points]

    hull = [
        at(px, py)
        for px, py in paint.bezier(
            [
                (-0.24, 0.075),
                (-0.23, 0.02),
                (-0.18, -0.012),
                (-0.10, -0.012),
                (0.06, -0.015),
                (0.20, 0.0),
                (0.31, 0.095),
                (0.12, 0.075),
                (-0.05, 0.07),
                (-0.24, 0.075),
            ]
        )
    ]
    main = [
        at(px, py)
        for px, py in paint.bezier(
            [
                (0.012, 0.98),
                (-0.03, 0.70),
                (-0.15, 0.34),
                (-0.24, 0.145),
                (-0.15, 0.125),
                (-0.06, 0.125),
                (0.012, 0.13),
            ]
        )
    ]
    jib = [
        at(px, py)
        for px, py in paint.bezier(
            [
                (0.035, 0.86),
                (0.10, 0.60),
                (0.12, 0.34),
                (0.28, 0.12),
                (0.20, 0.13),
                (0.10, 0.14),
                (0.045, 0.17),
            ]
        )
    ]
    mast = [at(0.014, 1.0), at(0.024, 1.0), at(0.028, 0.06), at(0.014, 0.06)]
    is_backlit = not stage.palette.is_night and stage.palette.sun_height < 0.3
    sail = lit((250, 244, 234), mix(stage.palette.ambient, WHITE, 0.35))
    if is_backlit:
        sail = mix(sail, stage.palette.horizon, 0.3)
    if stage.palette.is_night:
        sail = mix(stage.palette.haze, WHITE, 0.42)
    body = mix(lit(stage.palette.accent, stage.palette.ambient), stage.palette.shade, 0.25)
    mirror = paint.polygon_mask(stage.size, [under(hull), under(main), under(jib)])
    torn = mirror.copy()
    y = int(foot)
    phase = 0.0
    while y < min(stage.height, foot + tall * 0.66):
        share = (y - foot) / (tall * 0.66)
        row = max(1, round(stage.unit / 400))
        phase += 0.9 + dice.random() * 0.5
        shift = round(math.sin(phase) * stage.unit * (0.002 + 0.014 * share))
        torn.paste(mirror.crop((0, y, stage.width, y + row)), (shift, y))
        y += row
    fade = paint.alpha_gradient(
        stage.size,
        [
            (0, 0),
            (foot / stage.height, 190),
            (min(1.0, (foot + tall * 0.62) / stage.height), 20),
            (1.0, 20),
        ],
    )
    torn.paste(0, (0, 0, stage.width, int(foot)))
    stage.image.paste(
        mix(sail, stage.palette.sky, 0.35),
        (0, 0),
        ImageChops.multiply(paint.blurred(torn, 1.2), fade),
    )
    for shape, colour in (
        (main, sail),
        (jib, mix(sail, stage.palette.horizon, 0.25)),
        (mast, stage.palette.shade),
        (hull, body),
    ):
        stage.image.paste(colour, (0, 0), paint.polygon_mask(stage.size, [shape]))
    # The belly of the mainsail: a soft shade along the mast.
    shade = paint.polygon_mask(stage.size, [main])
    soft = paint.blurred(
        paint.polygon_mask(
            stage.size, [[at(0.02, 1.0), at(-0.035, 0.6), at(-0.07, 0.12), at(0.02, 0.12)]]
        ),
        tall * 0.03,
    )
    stage.image = paint.darkened(
        stage.image,
        ImageChops.multiply(shade, soft),
        mix(stage.palette.sky, stage.palette.shade, 0.45),
        0.42,
    )
    rail = [(px, py - tall * 0.012) for px, py in (at(-0.24, 0.075), at(0.31, 0.095))]
    band = [at(-0.24, 0.078), at(0.31, 0.097), *reversed(rail)]
    stage.image.paste(mix(sail, WHITE, 0.3), (0, 0), paint.polygon_mask(stage.size, [band]))


def paint_lighthouse(stage: Stage, *, x: float, foot: float) -> None:
    tall = stage.unit * 0.30
    wide = tall * 0.14
    white = lit((244, 238, 230), stage.palette.ambient)
    red = lit((196, 54, 46), stage.palette.ambient)
    for i in range(5):
        a, b = i / 5, (i + 1) / 5
        wa, wb = wide * (1 - 0.35 * a), wide * (1 - 0.35 * b)
        band = [
            (x - wa, foot - tall * a),
            (x + wa, foot - tall * a),
            (x + wb, foot - tall * b),
            (x - wb, foot - tall * b),
        ]
        stage.image.paste(
            white if i % 2 == 0 else red, (0, 0), paint.polygon_mask(stage.size, [band])
        )
        shade = [
            (x, foot - tall * a),
            (x + wa, foot - tall * a),
            (x + wb, foot - tall * b),
            (x, foot - tall * b),
        ]
        stage.image = paint.darkened(
            stage.image,
            paint.blurred(paint.polygon_mask(stage.size, [shade]), wide * 0.3),
            stage.palette.shade,
            0.32,
        )
    lamp = (x, foot - tall * 1.06)
    cap = [
        (x - wide * 0.6, foot - tall * 1.10),
        (x, foot - tall * 1.2),
        (x + wide * 0.6, foot - tall * 1.10),
    ]
    stage.image.paste(red, (0, 0), paint.polygon_mask(stage.size, [cap]))
    stage.image.paste(
        (255, 236, 180),
        (0, 0),
        paint.polygon_mask(
            stage.size,
            [
                [
                    (x - wide * 0.45, foot - tall),
                    (x + wide * 0.45, foot - tall),
                    (x + wide * 0.45, foot - tall * 1.1),
                    (x - wide * 0.45, foot - tall * 1.1),
                ]
            ],
        ),
    )
    lights = paint.Lights(stage.size)
    lights.add(lamp, radius=stage.unit * 0.24, colour=(255, 226, 160), strength=0.9, falloff=2.6)
    stage.image = lights.on(stage.image)


def paint_palms(stage: Stage, *, side: int) -> None:
    """Two or three palms leaning in from one side. side: -1 left, 1 right."""
    dice = stage.dice("palms")
    colour = mix(
        stage.palette.shade,
        lit((44, 92, 62), stage.palette.ambient),
        0.18 if stage.look.layers == "haze" else 0.55,
    )
    trunk_colour = mix(stage.palette.shade, lit((120, 88, 62), stage.palette.ambient), 0.25)
    for i in range(dice.randint(2, 3)):
        foot_x = stage.width * (0.5 + side * (0.46 - 0.09 * i + dice.uniform(-0.02, 0.02)))
        foot = (foot_x, stage.height * (1.03 - 0.02 * i))
        tall = (
            min(stage.height * 0.72, stage.unit * 1.15) * (1 - 0.22 * i) * dice.uniform(0.9, 1.05)
        )
        lean = -side * tall * dice.uniform(0.12, 0.34)
        crown = (foot[0] + lean, foot[1] - tall)
        spine = paint.bezier(
            [
                foot,
                (foot[0] + lean * 0.05, foot[1] - tall * 0.4),
                (foot[0] + lean * 0.5, foot[1] - tall * 0.8),
                crown,
            ],
            steps=24,
        )
        left, right = [], []
        for k, (x, y) in enumerate(spine):
            half = stage.unit * (0.017 - 0.0085 * k / 24) * (1 + 0.10 * (k % 2))
            left.append((x - half, y))
            right.append((x + half, y))
        stage.image.paste(
            trunk_colour, (0, 0), paint.polygon_mask(stage.size, [[*left, *reversed(right)]])
        )
        fronds: list[list[Point]] = []
        count = 13
        for k in range(count):
            angle = math.pi * (1.12 * k / (count - 1) - 0.06) + dice.uniform(-0.10, 0.10)
            fronds += _frond(
                crown,
                math.pi * 2 - angle,
                tall * dice.uniform(0.36, 0.48),
                dice.uniform(0.30, 0.55),
            )
        stage.image.paste(colour, (0, 0), paint.polygon_mask(stage.size, fronds))


def _frond(crown: Point, angle: float, length: float, droop: float) -> list[list[Point]]:
    """One feathered leaf: a drooping spine with leaflets on both sides."""
    shapes: list[list[Point]] = []
    spine = []
    steps = 22
    for k in range(steps + 1):
        t = k / steps
        x = crown[0] + math.cos(angle) * length * t
        y = crown[1] + math.sin(angle) * length * t * 0.75 + droop * length * t * t
        spine.append((x, y))
    for k in range(2, steps):
        (x0, y0), (x1, y1) = spine[k - 1], spine[k + 1]
        t = k / steps
        dx, dy = x1 - x0, y1 - y0
        norm = math.hypot(dx, dy) or 1.0
        dx, dy = dx / norm, dy / norm
        reach = length * 0.20 * math.sin(math.pi * min(1.0, 0.12 + 0.88 * t)) + length * 0.02
        wide = length * 0.013
        for side in (-1, 1):
            tip = (
                spine[k][0] + (dx * 0.75 - dy * side * 0.55) * reach,
                spine[k][1] + (dy * 0.75 + dx * side * 0.55) * reach + reach * 0.30,
            )
            shapes.append(
                [
                    (spine[k][0] - dx * wide, spine[k][1] - dy * wide),
                    (spine[k][0] + dx * wide, spine[k][1] + dy * wide),
                    tip,
                ]
            )
    half = length * 0.006
    shapes.append(
        [*[(x, y - half) for x, y in spine], *reversed([(x, y + half) for x, y in spine])]
    )
    return shapes


def paint_grove(
    stage: Stage, skyline: Sequence[Point], *, x: float, size: float, light: Colour
) -> None:
    """A clump of round trees on a hillside with its shadow. size: pixels, about one crown."""
    dice = stage.dice(f"grove/{round(x)}")
    crown = mix(light, stage.palette.shade, 0.6)
    away = 1 if stage.sun is None or stage.sun[0] < x else -1
    for _ in range(dice.randint(2, 6)):
        cx = x + size * dice.uniform(-3.2, 3.2)
        foot = at_x(skyline, cx) + size * dice.uniform(0.2, 1.6)
        radius = size * dice.uniform(0.55, 1.1)
        if stage.look.layers == "clay":
            paint_ball(
                stage,
                (cx, foot - radius),
                radius,
                light=mix(crown, stage.palette.sun, 0.3),
                dark=mix(crown, stage.palette.shade, 0.5),
            )
            continue
        leaves = [
            (
                cx + dice.uniform(-0.6, 0.6) * radius,
                foot - radius * dice.uniform(0.5, 1.5),
                radius * dice.uniform(0.3, 0.62),
            )
            for _ in range(22)
        ]
        reach = radius * 3
        box = (int(cx - reach), int(foot - reach), int(cx + reach) + 1, int(foot + radius) + 1)
        part = stage.image.crop(box)
        middle = reach + away * radius * 0.9
        shadow = paint.ellipse_mask(
            part.size, [(middle - radius, radius * 2.85, middle + radius, radius * 3.25)]
        )
        part = paint.darkened(part, paint.blurred(shadow, 1.5), stage.palette.shade, 0.4)
        for shift, colour in (
            (0.0, mix(crown, stage.palette.shade, 0.45)),
            (0.16, crown),
            (0.30, mix(crown, light, 0.55)),
        ):
            spots = []
            for lx, ly, leaf in leaves:
                px, py = (
                    lx - box[0] - away * shift * radius * 0.8,
                    ly - box[1] - shift * radius * 0.8,
                )
                r = leaf * (1 - shift * 0.9)
                spots.append((px - r, py - r * 0.85, px + r, py + r * 0.85))
            part.paste(colour, (0, 0), paint.ellipse_mask(part.size, spots))
        stage.image.paste(part, box[:2])


def paint_snowfall(stage: Stage) -> None:
    """Flakes near and far, the near ones large and soft."""
    dice = stage.dice("flakes")
    for count, size, blur, level in (
        (260, 0.0016, 0.6, 150),
        (110, 0.0032, 1.4, 170),
        (26, 0.008, 5.0, 130),
    ):
        layer = Image.new("L", stage.size)
        draw = ImageDraw.Draw(layer)
        for _ in range(count):
            x, y = dice.uniform(0, stage.width), dice.uniform(0, stage.height)
            r = stage.unit * size * dice.uniform(0.6, 1.5)
            draw.ellipse((x - r, y - r, x + r, y + r), fill=level)
        soft = paint.blurred(layer, blur * stage.unit / 1080)
        stage.image = ImageChops.screen(stage.image, paint.tint(soft, WHITE))
