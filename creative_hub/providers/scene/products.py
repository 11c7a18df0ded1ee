"""The things on the plinth, and the words that ask for them."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image, ImageChops

from creative_hub.providers.scene import forms, paint
from creative_hub.providers.scene.palette import WHITE, mix
from creative_hub.providers.scene.vessels import Placing, bottle, can, cup, jar, serum


def phone(image: Image.Image, place: Placing) -> Image.Image:
    """A phone standing upright, its screen a bright gradient."""
    s, x, foot = place.size, place.x, place.foot
    half, tall = s * 0.22, s * 0.92
    box = (x - half, foot - tall, x + half, foot)
    side = [(px + s * 0.022, py + s * 0.004) for px, py in forms.rounded(box, s * 0.055)]
    forms.block(image, side, top=(150, 152, 158), bottom=(58, 60, 66))
    forms.block(image, forms.rounded(box, s * 0.055), top=(46, 47, 52), bottom=(16, 16, 20))
    inner = (box[0] + s * 0.014, box[1] + s * 0.014, box[2] - s * 0.014, box[3] - s * 0.014)
    screen = forms.block(
        image,
        forms.rounded(inner, s * 0.044),
        top=mix(place.colour, WHITE, 0.15),
        bottom=mix(place.second, place.shade, 0.12),
    )
    orb = paint.ellipse_mask(
        image.size, [(x - half * 0.5, foot - tall * 0.66, x + half * 0.9, foot - tall * 0.34)]
    )
    image = forms.lay_light(
        image,
        ImageChops.multiply(paint.blurred(orb, s * 0.05), screen),
        mix(place.second, WHITE, 0.6),
        0.8,
    )
    glare = paint.polygon_mask(
        image.size, [[(x - half * 0.2, box[1]), (box[2], box[1]), (box[2], foot - tall * 0.30)]]
    )
    image = forms.lay_light(image, ImageChops.multiply(glare, screen), WHITE, 0.16)
    pill = paint.polygon_mask(
        image.size,
        [
            forms.rounded(
                (x - s * 0.045, box[1] + s * 0.032, x + s * 0.045, box[1] + s * 0.055), s * 0.011
            )
        ],
    )
    return paint.darkened(image, pill, (8, 8, 10), 1.0)


def watch(image: Image.Image, place: Placing) -> Image.Image:
    """A wristwatch, upright, straps up and down."""
    s, x, foot = place.size, place.x, place.foot
    cy, r = foot - s * 0.48, s * 0.245
    strap = mix(place.colour, place.shade, 0.25)
    for top, bottom, wide in ((cy - s * 0.48, cy - r * 0.7, 0.62), (cy + r * 0.7, foot, 0.62)):
        outline = [
            (x - r * wide, cy),
            (x - r * wide * 0.86, top if top < cy else bottom),
            (x + r * wide * 0.86, top if top < cy else bottom),
            (x + r * wide, cy),
        ]
        forms.block(
            image,
            outline,
            top=mix(strap, WHITE, 0.25),
            bottom=mix(strap, place.shade, 0.5),
            horizontal=True,
        )
    silver = mix(place.second, (206, 208, 214), 0.7)
    crown = forms.rounded((x + r * 0.96, cy - r * 0.12, x + r * 1.14, cy + r * 0.12), r * 0.04)
    forms.block(image, crown, top=mix(silver, WHITE, 0.5), bottom=mix(silver, (0, 0, 0), 0.5))
    for scale, light, dark in (
        (1.0, mix(silver, WHITE, 0.8), mix(silver, (0, 0, 0), 0.55)),
        (0.90, mix(silver, (0, 0, 0), 0.5), mix(silver, WHITE, 0.6)),
        (0.86, mix(place.shade, (30, 34, 44), 0.5), (10, 11, 15)),
    ):
        forms.disc(image, (x, cy), r * scale, light=light, dark=dark, tilt=1.0)
    marks = []
    for hour in range(12):
        a = math.radians(hour * 30)
        for near, far, wide in ((0.68, 0.79, 0.022 if hour % 3 else 0.035),):
            dx, dy = math.sin(a), -math.cos(a)
            marks.append(
                [
                    (x + r * (dx * near - dy * wide), cy + r * (dy * near + dx * wide)),
                    (x + r * (dx * far - dy * wide), cy + r * (dy * far + dx * wide)),
                    (x + r * (dx * far + dy * wide), cy + r * (dy * far - dx * wide)),
                    (x + r * (dx * near + dy * wide), cy + r * (dy * near - dx * wide)),
                ]
            )
    for angle, length, wide in ((305, 0.44, 0.034), (60, 0.66, 0.024)):
        a = math.radians(angle)
        dx, dy = math.sin(a), -math.cos(a)
        marks.append(
            [
                (x - r * dy * wide, cy + r * dx * wide),
                (x + r * dx * length, cy + r * dy * length),
                (x + r * dy * wide, cy - r * dx * wide),
            ]
        )
    image.paste((240, 240, 236), (0, 0), paint.polygon_mask(image.size, marks))
    glare = paint.polygon_mask(
        image.size,
        [[(x - r, cy - r), (x + r * 0.35, cy - r), (x - r * 0.55, cy + r), (x - r, cy + r)]],
    )
    face = paint.ellipse_mask(
        image.size, [(x - r * 0.86, cy - r * 0.86, x + r * 0.86, cy + r * 0.86)]
    )
    return forms.lay_light(image, ImageChops.multiply(glare, face), WHITE, 0.10)


def box(image: Image.Image, place: Placing) -> Image.Image:
    """A gift box with a lid and a ribbon, seen at a corner."""
    s, x, foot = place.size, place.x, place.foot
    w, h, d = s * 0.40, s * 0.46, s * 0.11
    colour, ribbon = place.colour, mix(place.second, WHITE, 0.35)
    left = [(x - w, foot - d), (x, foot), (x, foot - h), (x - w, foot - h - d)]
    right = [(x, foot), (x + w, foot - d), (x + w, foot - h - d), (x, foot - h)]
    top = [(x - w, foot - h - d), (x, foot - h), (x + w, foot - h - d), (x, foot - h - 2 * d)]
    forms.block(image, left, top=mix(colour, WHITE, 0.22), bottom=mix(colour, place.shade, 0.08))
    forms.block(
        image, right, top=mix(colour, place.shade, 0.32), bottom=mix(colour, place.shade, 0.56)
    )
    forms.block(image, top, top=mix(colour, WHITE, 0.5), bottom=mix(colour, WHITE, 0.25))
    for a, b, base in ((left[0], left[1], 0.1), (right[0], right[1], 0.4)):
        m0 = (a[0] + (b[0] - a[0]) * 0.43, a[1] + (b[1] - a[1]) * 0.43)
        m1 = (a[0] + (b[0] - a[0]) * 0.57, a[1] + (b[1] - a[1]) * 0.57)
        forms.block(
            image,
            [m0, m1, (m1[0], m1[1] - h), (m0[0], m0[1] - h)],
            top=mix(ribbon, place.shade, base * 0.4),
            bottom=mix(ribbon, place.shade, base),
        )
    for side in (-1, 1):
        knot = (x, foot - h - d)
        loop = paint.bezier(
            [
                knot,
                (x + side * s * 0.05, knot[1] - s * 0.20),
                (x + side * s * 0.25, knot[1] - s * 0.19),
                (x + side * s * 0.20, knot[1] - s * 0.06),
                (x + side * s * 0.16, knot[1] - s * 0.02),
                (x + side * s * 0.06, knot[1]),
                knot,
            ]
        )
        forms.block(
            image, loop, top=mix(ribbon, WHITE, 0.35), bottom=mix(ribbon, place.shade, 0.35)
        )
    return image


def shapes(image: Image.Image, place: Placing) -> Image.Image:
    """A ball resting on the plinth beside a smaller one: for prompts that name no product."""
    s = place.size
    for dx, r, colour in ((-0.06, 0.30, place.colour), (0.26, 0.13, place.second)):
        radius = s * r
        centre = (place.x + dx * s, place.foot - radius * 0.92)
        image = forms.soft_shadow(
            image,
            (
                centre[0] - radius * 0.7,
                place.foot - radius * 0.12,
                centre[0] + radius * 0.9,
                place.foot + radius * 0.16,
            ),
            blur=radius * 0.12,
            strength=0.55,
            colour=place.shade,
        )
        material = forms.matte(colour, shade=place.shade)
        steps = 40
        profile = [
            (
                radius * (1 - math.cos(math.pi * i / steps)),
                max(0.5, radius * math.sin(math.pi * i / steps)),
            )
            for i in range(steps + 1)
        ]
        sprite = forms.turned_form(
            axis_x=centre[0], foot=centre[1] + radius, profile=profile, material=material
        )
        # Light from above, on top of the light from the side.
        fall = paint.gradient(
            sprite.image.size, [(0, (255, 255, 255)), (0.45, (236, 236, 236)), (1, (120, 120, 128))]
        )
        image.paste(ImageChops.multiply(sprite.image, fall), (sprite.left, sprite.top), sprite.mask)
        spot = paint.blurred(
            paint.ellipse_mask(
                image.size,
                [
                    (
                        centre[0] - radius * 0.55,
                        centre[1] - radius * 0.68,
                        centre[0] - radius * 0.05,
                        centre[1] - radius * 0.28,
                    )
                ],
            ),
            radius * 0.16,
        )
        image = forms.lay_light(image, spot, WHITE, 0.5)
    return image


Maker = Callable[[Image.Image, Placing], Image.Image]

PRODUCTS: dict[str, Maker] = {
    "bottle": bottle,
    "serum": serum,
    "jar": jar,
    "can": can,
    "cup": cup,
    "phone": phone,
    "watch": watch,
    "box": box,
    "shapes": shapes,
}

# Which thing a word asks for. Sneakers have a module of their own.
PRODUCT_WORDS: dict[str, str] = {
    "perfume": "bottle",
    "fragrance": "bottle",
    "cologne": "bottle",
    "flacon": "bottle",
    "bottle": "bottle",
    "serum": "serum",
    "skincare": "serum",
    "oil": "serum",
    "dropper": "serum",
    "shampoo": "serum",
    "lotion": "serum",
    "vitamin": "serum",
    "supplement": "jar",
    "supplements": "jar",
    "cream": "jar",
    "jar": "jar",
    "cosmetic": "jar",
    "cosmetics": "jar",
    "makeup": "jar",
    "candle": "jar",
    "honey": "jar",
    "can": "can",
    "soda": "can",
    "beer": "can",
    "drink": "can",
    "beverage": "can",
    "energy": "can",
    "coffee": "cup",
    "tea": "cup",
    "cup": "cup",
    "mug": "cup",
    "espresso": "cup",
    "latte": "cup",
    "phone": "phone",
    "smartphone": "phone",
    "app": "phone",
    "iphone": "phone",
    "watch": "watch",
    "smartwatch": "watch",
    "jewelry": "watch",
    "box": "box",
    "gift": "box",
    "package": "box",
    "packaging": "box",
    "present": "box",
    "sneaker": "sneaker",
    "sneakers": "sneaker",
    "shoe": "sneaker",
    "shoes": "sneaker",
    "trainer": "sneaker",
    "trainers": "sneaker",
    "boots": "sneaker",
}
