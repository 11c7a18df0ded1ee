"""A sneaker in profile, in panels of two colours."""

from __future__ import annotations

from PIL import Image, ImageChops

from creative_hub.providers.scene import forms, paint
from creative_hub.providers.scene.paint import Point
from creative_hub.providers.scene.palette import WHITE, Colour, mix
from creative_hub.providers.scene.vessels import Placing

# Outlines on a grid one shoe long: x from heel (0) to toe (1), y up from the ground.
SOLE = [
    (0.02, 0.10),
    (0.00, 0.04),
    (0.02, 0.0),
    (0.08, 0.0),
    (0.35, -0.005),
    (0.60, 0.0),
    (0.84, 0.012),
    (0.93, 0.02),
    (1.00, 0.06),
    (0.995, 0.125),
    (0.99, 0.15),
    (0.95, 0.13),
    (0.86, 0.115),
    (0.60, 0.09),
    (0.30, 0.11),
    (0.02, 0.10),
]
UPPER = [
    (0.035, 0.10),
    (0.01, 0.20),
    (0.02, 0.30),
    (0.055, 0.40),
    (0.05, 0.44),
    (0.07, 0.47),
    (0.11, 0.46),
    (0.18, 0.43),
    (0.24, 0.39),
    (0.30, 0.40),
    (0.34, 0.43),
    (0.37, 0.47),
    (0.40, 0.46),
    (0.46, 0.42),
    (0.54, 0.33),
    (0.66, 0.26),
    (0.78, 0.22),
    (0.93, 0.22),
    (0.975, 0.13),
    (0.86, 0.115),
    (0.60, 0.09),
    (0.035, 0.10),
]
HEEL = [
    (0.035, 0.10),
    (0.01, 0.20),
    (0.02, 0.30),
    (0.055, 0.40),
    (0.10, 0.36),
    (0.17, 0.28),
    (0.20, 0.09),
    (0.15, 0.09),
    (0.09, 0.10),
    (0.035, 0.10),
]
TOE = [
    (0.70, 0.10),
    (0.72, 0.18),
    (0.76, 0.225),
    (0.80, 0.222),
    (0.90, 0.22),
    (0.975, 0.20),
    (0.975, 0.13),
    (0.90, 0.12),
    (0.80, 0.10),
    (0.70, 0.10),
]
STRIPE = [
    (0.330, 0.105),
    (0.350, 0.185),
    (0.385, 0.265),
    (0.435, 0.345),
    (0.455, 0.330),
    (0.475, 0.315),
    (0.495, 0.300),
    (0.450, 0.230),
    (0.425, 0.165),
    (0.415, 0.100),
    (0.385, 0.102),
    (0.360, 0.104),
    (0.330, 0.105),
]
COLLAR = [
    (0.07, 0.47),
    (0.11, 0.46),
    (0.18, 0.43),
    (0.24, 0.39),
    (0.30, 0.40),
    (0.34, 0.43),
    (0.37, 0.47),
    (0.30, 0.445),
    (0.25, 0.425),
    (0.20, 0.435),
    (0.15, 0.455),
    (0.11, 0.475),
    (0.07, 0.47),
]


def sneaker(image: Image.Image, place: Placing) -> Image.Image:
    """place.size is the height budget; the shoe is 1.5 times as long as that."""
    long = place.size * 1.32
    left = place.x - long / 2

    def at(points: list[tuple[float, float]]) -> list[Point]:
        return [(left + px * long, place.foot - py * long) for px, py in paint.bezier(points)]

    def panel(
        points: list[tuple[float, float]], colour: Colour, *, lift: float = 0.25
    ) -> Image.Image:
        return forms.block(
            image, at(points), top=mix(colour, WHITE, lift), bottom=mix(colour, place.shade, 0.32)
        )

    main = place.colour
    second = mix(place.second, WHITE, 0.55)
    upper = panel(UPPER, main)
    for points, colour in ((TOE, second), (HEEL, mix(place.second, place.shade, 0.15))):
        shape = paint.polygon_mask(image.size, [at(points)])
        seam = ImageChops.subtract(paint.blurred(shape, long * 0.006), shape)
        image = paint.darkened(image, ImageChops.multiply(seam, upper), place.shade, 0.5)
        fill = image.copy()
        forms.block(
            fill, at(points), top=mix(colour, WHITE, 0.2), bottom=mix(colour, place.shade, 0.28)
        )
        image.paste(fill, (0, 0), ImageChops.multiply(shape, upper))
    forms.block(image, at(STRIPE), top=mix(WHITE, second, 0.15), bottom=mix(second, WHITE, 0.5))
    forms.block(
        image, at(COLLAR), top=mix(main, place.shade, 0.72), bottom=mix(main, place.shade, 0.5)
    )
    # Light along the top of the foot, shade above the sole.
    soft = paint.blurred(upper, long * 0.022)
    below = ImageChops.subtract(upper, ImageChops.offset(soft, 0, -round(long * 0.03)))
    image = paint.darkened(image, ImageChops.multiply(below, upper), place.shade, 0.55)
    above = ImageChops.subtract(upper, ImageChops.offset(soft, 0, round(long * 0.03)))
    image = forms.lay_light(image, ImageChops.multiply(above, upper), WHITE, 0.34)
    laces = []
    for i in range(5):
        x, y = 0.45 + 0.045 * i, 0.40 - 0.034 * i
        bar = [
            (x - 0.012, y + 0.012),
            (x + 0.008, y + 0.018),
            (x + 0.012 - 0.062, y - 0.058),
            (x - 0.006 - 0.066, y - 0.056),
        ]
        laces.append([(left + px * long, place.foot - py * long) for px, py in bar])
    mask = paint.polygon_mask(image.size, laces)
    shadow = ImageChops.offset(mask, round(long * 0.004), round(long * 0.006))
    image = paint.darkened(image, ImageChops.multiply(shadow, upper), place.shade, 0.45)
    image.paste(mix(WHITE, second, 0.2), (0, 0), mask)
    sole = forms.block(
        image, at(SOLE), top=(250, 249, 246), bottom=mix((214, 212, 208), place.shade, 0.12)
    )
    groove = paint.polygon_mask(
        image.size,
        [
            [
                (
                    left + long * (0.01 + 0.985 * t / 30),
                    place.foot - long * (0.034 + 0.03 * (t / 30) ** 3),
                )
                for t in range(31)
            ]
            + [
                (
                    left + long * (0.01 + 0.985 * t / 30),
                    place.foot - long * (0.042 + 0.03 * (t / 30) ** 3),
                )
                for t in range(30, -1, -1)
            ]
        ],
    )
    return paint.darkened(
        image, ImageChops.multiply(groove, sole), mix(main, place.shade, 0.2), 0.7
    )
