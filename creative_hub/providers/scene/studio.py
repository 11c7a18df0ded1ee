"""The product studio: a seamless sweep, plinths, an arch or window light, and one thing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageChops

from creative_hub.providers.scene import forms, paint
from creative_hub.providers.scene.paint import Point
from creative_hub.providers.scene.palette import COLOURS, WHITE, Colour, mix, turned
from creative_hub.providers.scene.products import PRODUCT_WORDS, PRODUCTS
from creative_hub.providers.scene.sneaker import sneaker
from creative_hub.providers.scene.stage import Stage
from creative_hub.providers.scene.vessels import Placing


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """The colours of one studio set."""

    wall: Colour
    plinth: Colour
    thing: Colour
    second: Colour
    shade: Colour
    is_dark: bool = False


SETS: tuple[Set, ...] = (
    Set(
        wall=(236, 208, 196),
        plinth=(240, 222, 212),
        thing=(214, 120, 104),
        second=(214, 176, 120),
        shade=(92, 44, 44),
    ),
    Set(
        wall=(188, 200, 180),
        plinth=(214, 220, 206),
        thing=(84, 120, 88),
        second=(216, 190, 140),
        shade=(38, 56, 44),
    ),
    Set(
        wall=(224, 202, 172),
        plinth=(236, 220, 196),
        thing=(196, 116, 60),
        second=(120, 78, 52),
        shade=(84, 50, 28),
    ),
    Set(
        wall=(176, 200, 222),
        plinth=(214, 226, 238),
        thing=(56, 100, 168),
        second=(236, 214, 180),
        shade=(26, 44, 78),
    ),
    Set(
        wall=(206, 196, 226),
        plinth=(226, 220, 240),
        thing=(124, 92, 182),
        second=(240, 196, 200),
        shade=(54, 38, 88),
    ),
    Set(
        wall=(46, 48, 56),
        plinth=(62, 64, 74),
        thing=(214, 150, 72),
        second=(214, 178, 118),
        shade=(8, 8, 12),
        is_dark=True,
    ),
    Set(
        wall=(20, 62, 62),
        plinth=(32, 82, 80),
        thing=(222, 176, 96),
        second=(236, 220, 190),
        shade=(4, 18, 20),
        is_dark=True,
    ),
    Set(
        wall=(236, 232, 226),
        plinth=(244, 242, 238),
        thing=(196, 72, 60),
        second=(214, 178, 118),
        shade=(96, 90, 86),
    ),
)


def _chosen_set(stage: Stage) -> Set:
    """By the colour words of the prompt, else by dice; variants get sibling sets."""
    dice = stage.dice("set")
    chosen = dice.choice(SETS)
    if stage.asks_for("dark", "black", "luxury", "night", "noir", "midnight"):
        chosen = dice.choice(SETS[5:7])
    if stage.asks_for("white", "minimal", "minimalist", "clean"):
        chosen = SETS[7]
    named = [COLOURS[word] for word in sorted(stage.words) if word in COLOURS]
    if stage.asks_for("neon", "cyberpunk"):
        wall = turned((40, 22, 78), hue=dice.uniform(-0.06, 0.06))
        return Set(
            wall=wall,
            plinth=(58, 36, 108),
            thing=(236, 64, 170),
            second=(60, 220, 236),
            shade=(8, 4, 24),
            is_dark=True,
        )
    if not named:
        return chosen
    thing = named[0]
    wall = mix(
        turned(thing, hue=dice.choice((0.0, 0.03, -0.03)), saturation=0.55),
        WHITE,
        dice.uniform(0.55, 0.74),
    )
    shade = mix(thing, (18, 12, 20), 0.78)
    if chosen.is_dark:
        wall = mix(turned(thing, saturation=0.6), (10, 10, 14), 0.72)
    second = named[1] if len(named) > 1 else chosen.second
    return Set(
        wall=wall,
        plinth=mix(wall, WHITE, 0.10 if chosen.is_dark else 0.35),
        thing=thing,
        second=second,
        shade=mix(shade, (0, 0, 0), 0.5) if chosen.is_dark else shade,
        is_dark=chosen.is_dark,
    )


def studio(stage: Stage) -> None:
    """One product on its plinth."""
    dice = stage.dice("studio")
    colours = _chosen_set(stage)
    floor = stage.height * dice.uniform(0.66, 0.72)
    _sweep(stage, colours, floor)
    kind = _kind(stage)
    x = stage.width * dice.uniform(0.47, 0.53)
    ground = stage.height * dice.uniform(0.82, 0.86)
    backdrop = dice.choice(("arch", "disc", "window", "leaves"))
    span = min(stage.unit, stage.height * 0.72)
    if backdrop == "arch":
        _arch(stage, colours, x + span * dice.uniform(-0.08, 0.08), floor, span)
    elif backdrop == "disc":
        _halo(
            stage, colours, (x + span * dice.uniform(-0.14, 0.14), floor - span * 0.36), span * 0.36
        )
    radius = span * (0.40 if kind == "sneaker" else 0.27)
    tall = span * dice.uniform(0.16, 0.24)
    _plinths(stage, colours, x, ground, radius, tall)
    if backdrop in ("window", "leaves"):
        _gobo(stage, colours, backdrop)
    foot = ground - tall
    size = span * {"sneaker": 0.50, "cup": 0.48, "box": 0.50}.get(kind, 0.60)
    place = Placing(
        x=x,
        foot=foot + radius * forms.TILT * 0.10,
        size=size,
        colour=colours.thing,
        second=colours.second,
        shade=colours.shade,
    )
    _contact_shadow(stage, place, kind)
    maker = sneaker if kind == "sneaker" else PRODUCTS[kind]
    stage.image = maker(stage.image, place)
    stage.sun = None


def _kind(stage: Stage) -> str:
    for word in sorted(stage.words):
        if word in PRODUCT_WORDS:
            return PRODUCT_WORDS[word]
    if stage.asks_for("product", "studio"):
        return "bottle"
    return "shapes"


def _sweep(stage: Stage, colours: Set, floor: float) -> None:
    """Wall and floor in one seamless curve, with a pool of light behind the thing."""
    dice = stage.dice("sweep")
    bright = mix(colours.wall, WHITE, 0.10 if colours.is_dark else 0.42)
    dim = mix(colours.wall, colours.shade, 0.55 if colours.is_dark else 0.10)
    share = floor / stage.height
    stage.image = paint.gradient(
        stage.size,
        [
            (0, dim),
            (share - 0.16, mix(colours.wall, bright, 0.5)),
            (share - 0.03, colours.wall),
            (share + 0.05, mix(colours.wall, bright, 0.62)),
            (1, mix(colours.wall, colours.shade, 0.12)),
        ],
    )
    side = dice.choice((-1, 1))
    fall = paint.gradient(stage.size, [(0, (255, 255, 255)), (1, (226, 223, 228))], horizontal=True)
    if side < 0:
        fall = fall.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    stage.image = ImageChops.multiply(stage.image, fall)
    lights = paint.Lights(stage.size)
    lights.add(
        (stage.width * 0.46, floor - stage.unit * 0.34),
        radius=stage.unit * 1.1,
        colour=bright,
        strength=0.42 if colours.is_dark else 0.34,
        falloff=1.8,
    )
    stage.image = lights.on(stage.image)


def _arch(stage: Stage, colours: Set, x: float, floor: float, span: float) -> None:
    """A niche in the wall: a rounded arch with its own shadow."""
    half = span * 0.36
    tall = min(span * 0.92, floor - stage.height * 0.07)
    points: list[Point] = [(x - half, floor)]
    for step in range(41):
        angle = math.pi * (1 + step / 40)
        points.append((x + half * math.cos(angle), floor - tall + half + half * math.sin(angle)))
    points.append((x + half, floor))
    mask = paint.polygon_mask(stage.size, [points])
    inside = mix(turned(colours.wall, hue=0.015), colours.thing, 0.24)
    before = stage.image
    stage.image = before.copy()
    forms.block(
        stage.image, points, top=mix(inside, colours.shade, 0.32), bottom=mix(inside, WHITE, 0.10)
    )
    soft = paint.blurred(mask, span * 0.035)
    edge = ImageChops.subtract(
        mask, ImageChops.offset(soft, round(span * 0.045), round(span * 0.03))
    )
    stage.image = paint.darkened(stage.image, ImageChops.multiply(edge, mask), colours.shade, 0.50)


def _halo(stage: Stage, colours: Set, centre: Point, radius: float) -> None:
    """A disc standing against the wall, with a soft shadow."""
    x, y = centre
    box = (x - radius, y - radius, x + radius, y + radius)
    mask = paint.ellipse_mask(stage.size, [box])
    shadow = ImageChops.offset(
        paint.blurred(mask, radius * 0.10), round(radius * 0.07), round(radius * 0.07)
    )
    stage.image = paint.darkened(stage.image, shadow, colours.shade, 0.34)
    tone = mix(colours.wall, colours.thing, 0.52)
    fill = Image.new("RGB", stage.size)
    size = round(radius * 2) + 6
    fill.paste(
        paint.gradient(
            (size, size), [(0, mix(tone, WHITE, 0.30)), (1, mix(tone, colours.shade, 0.16))]
        ),
        (round(box[0]) - 3, round(box[1]) - 3),
    )
    stage.image.paste(fill, (0, 0), mask)


def _plinths(
    stage: Stage, colours: Set, x: float, ground: float, radius: float, tall: float
) -> None:
    dice = stage.dice("plinths")
    side = dice.choice((-1, 1))
    others = [
        (
            x + side * radius * 1.45,
            ground - radius * 0.22,
            radius * 0.62,
            tall * dice.uniform(1.3, 2.2),
        ),
        (
            x - side * radius * 1.5,
            ground + radius * 0.10,
            radius * 0.42,
            tall * dice.uniform(0.35, 0.6),
        ),
    ][: dice.randint(1, 2)]
    tone = mix(colours.plinth, colours.thing, 0.18)
    for px, foot, r, h in sorted([*others, (x, ground, radius, tall)], key=lambda p: p[1]):
        colour = colours.plinth if px == x else tone
        stage.image = forms.soft_shadow(
            stage.image,
            (px - r * 0.9, foot - r * 0.14, px + r * 2.1, foot + r * 0.30),
            blur=r * 0.20,
            strength=0.38,
            colour=colours.shade,
        )
        stage.image = forms.soft_shadow(
            stage.image,
            (px - r * 1.02, foot - r * 0.18, px + r * 1.06, foot + r * 0.24),
            blur=r * 0.04,
            strength=0.42,
            colour=colours.shade,
        )
        forms.cylinder(
            stage.image, x=px, foot=foot, radius=r, tall=h, colour=colour, shade=colours.shade
        )
    px, foot, r, h = others[0]
    ball = radius * 0.20
    if dice.random() < 0.7:
        stage.image = PRODUCTS["shapes"](
            stage.image,
            Placing(
                x=px,
                foot=foot - h + ball * 0.1,
                size=ball * 3,
                colour=colours.second,
                second=mix(colours.thing, WHITE, 0.3),
                shade=colours.shade,
            ),
        )


def _contact_shadow(stage: Stage, place: Placing, kind: str) -> None:
    wide = place.size * {"sneaker": 0.66, "jar": 0.36, "cup": 0.30, "box": 0.40, "can": 0.21}.get(
        kind, 0.26
    )
    box = (
        place.x - wide,
        place.foot - wide * 0.10,
        place.x + wide * 1.25,
        place.foot + wide * 0.16,
    )
    stage.image = forms.soft_shadow(
        stage.image, box, blur=wide * 0.07, strength=0.62, colour=place.shade
    )


def _gobo(stage: Stage, colours: Set, kind: str) -> None:
    """Light through a window, or through leaves, thrown across the wall."""
    dice = stage.dice("gobo")
    size = (max(64, stage.width // 2), max(64, stage.height // 2))
    u = min(size)
    shapes: list[list[Point]] = []
    x0, y0 = size[0] * dice.uniform(0.08, 0.3), size[1] * dice.uniform(0.05, 0.2)
    lean = u * dice.uniform(0.18, 0.32)
    if kind == "window":
        for row in range(3):
            for column in range(2):
                left, top = x0 + column * u * 0.30, y0 + row * u * 0.36
                skew = lean * (row * 0.36)
                shapes.append(
                    [
                        (left + skew, top + column * u * 0.05),
                        (left + skew + u * 0.26, top + u * 0.045 + column * u * 0.05),
                        (left + skew + u * 0.26 + lean * 0.3, top + u * 0.37 + column * u * 0.05),
                        (left + skew + lean * 0.3, top + u * 0.32 + column * u * 0.05),
                    ]
                )
        mask = paint.blurred(paint.polygon_mask(size, shapes), u * 0.012).resize(
            stage.size, Image.Resampling.BICUBIC
        )
        shade = paint.curve(mask, lambda v: 1 - v)
        stage.image = paint.darkened(stage.image, shade, colours.shade, 0.09)
        stage.image = forms.lay_light(stage.image, mask, (255, 232, 196), 0.20)
        return
    for _ in range(2):
        stem: Point = (size[0] * dice.uniform(-0.1, 0.2), size[1] * dice.uniform(-0.05, 0.2))
        angle = dice.uniform(0.15, 0.7)
        for i in range(11):
            along = u * 0.105 * (i + 1)
            bx, by = stem[0] + along * math.cos(angle), stem[1] + along * math.sin(angle)
            for side in (-1, 1):
                turn = angle + side * 0.85
                length = u * 0.36 * (1 - 0.045 * i)
                tip = (bx + length * math.cos(turn), by + length * math.sin(turn))
                nx, ny = -math.sin(turn) * length * 0.085, math.cos(turn) * length * 0.085
                shapes.append(
                    paint.bezier(
                        [
                            (bx, by),
                            (bx + nx * 1.5, by + ny * 1.5),
                            ((bx + tip[0]) / 2 + nx * 1.4, (by + tip[1]) / 2 + ny * 1.4),
                            tip,
                            ((bx + tip[0]) / 2 - nx * 1.4, (by + tip[1]) / 2 - ny * 1.4),
                            (bx - nx * 1.5, by - ny * 1.5),
                            (bx, by),
                        ],
                        steps=6,
                    )
                )
    mask = paint.blurred(paint.polygon_mask(size, shapes), u * 0.014).resize(
        stage.size, Image.Resampling.BICUBIC
    )
    stage.image = paint.darkened(stage.image, mask, colours.shade, 0.26)
