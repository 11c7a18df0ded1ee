"""Things that hold something: perfume flacon, dropper bottle, jar, can, cup."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageChops

from creative_hub.providers.scene import forms, paint
from creative_hub.providers.scene.palette import WHITE, Colour, mix


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """Where a thing stands. x, foot: the middle of its base; size: its height budget, in pixels."""

    x: float
    foot: float
    size: float
    colour: Colour
    second: Colour
    shade: Colour


def bottle(image: Image.Image, place: Placing) -> Image.Image:
    """A perfume flacon: thick glass, tinted liquid, a metal cap."""
    s, x, foot = place.size, place.x, place.foot
    half, tall = s * 0.27, s * 0.62
    box = (x - half, foot - tall, x + half, foot)
    body = forms.rounded(box, s * 0.07)
    mask = paint.polygon_mask(image.size, [body])
    liquid = place.colour
    fill = Image.new("RGB", image.size)
    width, height = round(half * 2), round(tall)
    strip = (
        forms.glass(mix(liquid, WHITE, 0.12))
        .strip()
        .resize((width, height), Image.Resampling.BICUBIC)
    )
    depth = paint.gradient(
        (width, height), [(0, (255, 255, 255)), (0.5, (244, 244, 244)), (1, (176, 176, 182))]
    )
    fill.paste(ImageChops.multiply(strip, depth), (round(box[0]), round(box[1])))
    image.paste(fill, (0, 0), mask)
    # The empty glass above the liquid, and the thick clear base below it.
    level = foot - tall * 0.80
    clear = paint.polygon_mask(
        image.size, [[(box[0], box[1]), (box[2], box[1]), (box[2], level), (box[0], level)]]
    )
    image = paint.darkened(image, ImageChops.multiply(mask, clear), mix(liquid, WHITE, 0.78), 0.62)
    base = paint.polygon_mask(
        image.size,
        [
            forms.rounded(
                (box[0] + s * 0.02, foot - s * 0.075, box[2] - s * 0.02, foot - s * 0.012), s * 0.03
            )
        ],
    )
    image = paint.darkened(image, paint.blurred(base, s * 0.008), mix(liquid, WHITE, 0.72), 0.55)
    glow = paint.ellipse_mask(
        image.size, [(x - half * 0.7, foot - tall * 0.52, x + half * 0.8, foot - tall * 0.02)]
    )
    image = forms.lay_light(
        image,
        ImageChops.multiply(paint.blurred(glow, s * 0.07), mask),
        mix(liquid, WHITE, 0.45),
        0.5,
    )
    edge = ImageChops.subtract(mask, ImageChops.offset(mask, round(s * 0.008), round(s * 0.006)))
    image = forms.lay_light(image, edge, WHITE, 0.55)
    bar = paint.polygon_mask(
        image.size,
        [
            forms.rounded(
                (x - half * 0.80, foot - tall * 0.94, x - half * 0.66, foot - tall * 0.14),
                s * 0.016,
            )
        ],
    )
    image = forms.lay_light(image, paint.blurred(bar, s * 0.006), WHITE, 0.62)
    # A plain label plate, without letters.
    plate = paint.polygon_mask(
        image.size,
        [
            forms.rounded(
                (x - half * 0.40, foot - tall * 0.52, x + half * 0.46, foot - tall * 0.24),
                s * 0.008,
            )
        ],
    )
    image = paint.darkened(image, plate, mix(place.second, WHITE, 0.72), 0.78)
    rule = paint.polygon_mask(
        image.size,
        [
            [
                (x - half * 0.22, foot - tall * 0.385),
                (x + half * 0.28, foot - tall * 0.385),
                (x + half * 0.28, foot - tall * 0.378),
                (x - half * 0.22, foot - tall * 0.378),
            ]
        ],
    )
    image = paint.darkened(image, rule, mix(place.second, place.shade, 0.5), 0.8)
    gold = mix(place.second, (214, 176, 112), 0.55)
    collar = forms.turned_form(
        axis_x=x,
        foot=foot - tall,
        profile=[(0, s * 0.088), (s * 0.045, s * 0.088)],
        material=forms.metal(gold),
    )
    forms.stamp(image, collar)
    cap_foot = foot - tall - s * 0.045
    cap = forms.turned_form(
        axis_x=x,
        foot=cap_foot,
        profile=[(0, s * 0.112), (s * 0.20, s * 0.112)],
        material=forms.metal(gold),
    )
    forms.stamp(image, cap)
    forms.disc(
        image,
        (x, cap_foot - s * 0.20),
        s * 0.112,
        light=mix(gold, WHITE, 0.75),
        dark=mix(gold, WHITE, 0.2),
    )
    return image


def serum(image: Image.Image, place: Placing) -> Image.Image:
    """A round dropper bottle."""
    s, x, foot = place.size, place.x, place.foot
    r = s * 0.19
    profile = [
        (0, r * 0.96),
        (s * 0.02, r),
        (s * 0.46, r),
        (s * 0.52, r * 0.86),
        (s * 0.56, r * 0.46),
        (s * 0.62, r * 0.44),
    ]
    forms.stamp(
        image,
        forms.turned_form(axis_x=x, foot=foot, profile=profile, material=forms.glass(place.colour)),
    )
    label = forms.turned_form(
        axis_x=x,
        foot=foot - s * 0.09,
        profile=[(0, r * 1.0), (s * 0.27, r * 1.0)],
        material=forms.matte(mix(place.second, WHITE, 0.75), shade=place.shade),
    )
    forms.stamp(image, label, opacity=0.92)
    gold = mix(place.second, (214, 176, 112), 0.6)
    forms.stamp(
        image,
        forms.turned_form(
            axis_x=x,
            foot=foot - s * 0.61,
            profile=[(0, r * 0.56), (s * 0.10, r * 0.56)],
            material=forms.metal(gold),
        ),
    )
    forms.disc(image, (x, foot - s * 0.71), r * 0.56, light=mix(gold, WHITE, 0.7), dark=gold)
    rubber = [
        (0, r * 0.34),
        (s * 0.03, r * 0.36),
        (s * 0.13, r * 0.33),
        (s * 0.17, r * 0.26),
        (s * 0.19, r * 0.12),
        (s * 0.195, 1),
    ]
    forms.stamp(
        image,
        forms.turned_form(
            axis_x=x,
            foot=foot - s * 0.715,
            profile=rubber,
            material=forms.matte(mix(place.shade, (40, 40, 44), 0.5)),
        ),
    )
    return image


def jar(image: Image.Image, place: Placing) -> Image.Image:
    """A low cosmetic jar with a wide lid."""
    s, x, foot = place.size, place.x, place.foot
    r = s * 0.34
    body = [(0, r * 0.9), (s * 0.03, r), (s * 0.26, r), (s * 0.30, r * 0.95)]
    forms.stamp(
        image,
        forms.turned_form(
            axis_x=x, foot=foot, profile=body, material=forms.glass(mix(place.colour, WHITE, 0.25))
        ),
    )
    gold = mix(place.second, (214, 176, 112), 0.5)
    forms.stamp(
        image,
        forms.turned_form(
            axis_x=x,
            foot=foot - s * 0.29,
            profile=[(0, r * 1.01), (s * 0.17, r * 1.01)],
            material=forms.metal(gold),
        ),
    )
    forms.disc(
        image,
        (x, foot - s * 0.46),
        r * 1.01,
        light=mix(gold, WHITE, 0.75),
        dark=mix(gold, WHITE, 0.1),
    )
    forms.disc(
        image,
        (x, foot - s * 0.462),
        r * 0.93,
        light=mix(gold, WHITE, 0.3),
        dark=mix(gold, WHITE, 0.55),
    )
    return image


def can(image: Image.Image, place: Placing) -> Image.Image:
    """A drinks can with drops of water."""
    s, x, foot = place.size, place.x, place.foot
    r = s * 0.21
    body = [(0, r * 0.80), (s * 0.035, r), (s * 0.70, r), (s * 0.76, r * 0.82)]
    sprite = forms.turned_form(
        axis_x=x, foot=foot, profile=body, material=forms.metal(place.colour)
    )
    forms.stamp(image, sprite)
    wave = [
        (x - r * 1.1 + r * 2.2 * i / 40, foot - s * (0.30 + 0.06 * math.sin(i / 40 * 5.2)))
        for i in range(41)
    ]
    lower = [(px, py + s * 0.13) for px, py in wave]
    band = paint.polygon_mask(image.size, [[*wave, *reversed(lower)]])
    shape = Image.new("L", image.size)
    shape.paste(sprite.mask, (sprite.left, sprite.top))
    image = paint.darkened(
        image, ImageChops.multiply(band, shape), mix(place.second, WHITE, 0.72), 0.75
    )
    silver = (206, 210, 216)
    forms.stamp(
        image,
        forms.turned_form(
            axis_x=x,
            foot=foot - s * 0.755,
            profile=[(0, r * 0.83), (s * 0.02, r * 0.85)],
            material=forms.metal(silver),
        ),
    )
    forms.disc(image, (x, foot - s * 0.775), r * 0.85, light=(236, 238, 242), dark=(150, 154, 162))
    forms.disc(image, (x, foot - s * 0.772), r * 0.74, light=(160, 164, 172), dark=(214, 217, 222))
    forms.disc(
        image,
        (x + r * 0.05, foot - s * 0.776),
        r * 0.30,
        light=(228, 230, 235),
        dark=(180, 184, 190),
    )
    return image


def cup(image: Image.Image, place: Placing) -> Image.Image:
    """A cup on a saucer, steaming."""
    s, x, foot = place.size, place.x, place.foot
    colour = mix(place.colour, WHITE, 0.15)
    saucer = [(0, s * 0.24), (s * 0.03, s * 0.40), (s * 0.045, s * 0.42)]
    forms.stamp(
        image,
        forms.turned_form(
            axis_x=x, foot=foot, profile=saucer, material=forms.matte(colour, shade=place.shade)
        ),
    )
    forms.disc(
        image,
        (x, foot - s * 0.045),
        s * 0.42,
        light=mix(colour, WHITE, 0.5),
        dark=mix(colour, place.shade, 0.12),
    )
    ring = paint.ellipse_mask(
        image.size, [(x + s * 0.19, foot - s * 0.40, x + s * 0.42, foot - s * 0.14)]
    )
    hole = paint.ellipse_mask(
        image.size, [(x + s * 0.22, foot - s * 0.36, x + s * 0.37, foot - s * 0.18)]
    )
    image.paste(mix(colour, place.shade, 0.22), (0, 0), ImageChops.subtract(ring, hole))
    profile = [
        (0, s * 0.15),
        (s * 0.03, s * 0.20),
        (s * 0.14, s * 0.265),
        (s * 0.30, s * 0.295),
        (s * 0.40, s * 0.30),
    ]
    forms.stamp(
        image,
        forms.turned_form(
            axis_x=x,
            foot=foot - s * 0.06,
            profile=profile,
            material=forms.matte(colour, shade=place.shade),
        ),
    )
    rim = foot - s * 0.46
    forms.disc(
        image, (x, rim), s * 0.30, light=mix(colour, WHITE, 0.65), dark=mix(colour, WHITE, 0.2)
    )
    forms.disc(image, (x, rim + s * 0.006), s * 0.272, light=(58, 34, 22), dark=(108, 68, 42))
    forms.disc(
        image, (x - s * 0.05, rim + s * 0.012), s * 0.15, light=(150, 104, 68), dark=(92, 58, 36)
    )
    steam = Image.new("L", image.size)
    for k in (-1, 0, 1):
        path = [
            (
                x + s * (0.07 * k + 0.04 * math.sin(t * 0.40 + k * 0.3)),
                rim - s * 0.02 - s * 0.024 * t,
            )
            for t in range(17)
        ]
        left = [(px - s * 0.009 * (1 + t * 0.12), py) for t, (px, py) in enumerate(path)]
        right = [(px + s * 0.009 * (1 + t * 0.12), py) for t, (px, py) in enumerate(path)]
        steam = ImageChops.lighter(
            steam, paint.polygon_mask(image.size, [[*left, *reversed(right)]])
        )
    return forms.lay_light(image, paint.blurred(steam, s * 0.022), WHITE, 0.34)
