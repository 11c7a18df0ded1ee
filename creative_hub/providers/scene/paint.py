"""Brushes: gradients, noise, masks, light. Pillow only, every random number from a given Random."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from creative_hub.providers.scene.palette import BLACK, Colour, mix

Size = tuple[int, int]
Point = tuple[float, float]
Stop = tuple[float, Colour]

# Masks are drawn this much larger and averaged down: Pillow's polygons have hard edges.
SUPERSAMPLE = 2


def ramp(stops: Sequence[Stop], t: float) -> Colour:
    """The colour at t between stops in rising order, eased so that no stop shows as an edge."""
    if t <= stops[0][0]:
        return stops[0][1]
    for (left, a), (right, b) in pairwise(stops):
        if t <= right:
            return mix(a, b, (t - left) / max(1e-6, right - left))
    return stops[-1][1]


def gradient(size: Size, stops: Sequence[Stop], *, horizontal: bool = False) -> Image.Image:
    """Stops from top to bottom, or left to right."""
    length = max(2, size[0] if horizontal else size[1])
    line = bytearray()
    for i in range(length):
        line += bytes(ramp(stops, i / (length - 1)))
    strip = Image.frombytes("RGB", (length, 1) if horizontal else (1, length), bytes(line))
    return strip.resize(size, Image.Resampling.NEAREST)


def alpha_gradient(size: Size, stops: Sequence[tuple[float, int]]) -> Image.Image:
    """A mask whose opacity runs from top to bottom."""
    return gradient(size, [(at, (value, value, value)) for at, value in stops]).getchannel(0)


def curve(image: Image.Image, function: Callable[[float], float]) -> Image.Image:
    """An L image put through a function of 0..1."""
    table = [max(0, min(255, round(255 * function(i / 255)))) for i in range(256)]
    return image.point(table)


def smoothstep(low: float, high: float, value: float) -> float:
    t = max(0.0, min(1.0, (value - low) / (high - low)))
    return t * t * (3 - 2 * t)


def fractal_noise(
    rng: Random, size: Size, *, cells: tuple[float, float], octaves: int = 5, gain: float = 0.55
) -> Image.Image:
    """Cloud-like noise, 0..255 in use. cells: lumps across and down in the coarsest octave."""
    result: Image.Image | None = None
    total = 0.0
    for octave in range(octaves):
        across = min(size[0], max(2, round(cells[0] * 2**octave)))
        down = min(size[1], max(2, round(cells[1] * 2**octave)))
        lumps = Image.frombytes("L", (across, down), rng.randbytes(across * down))
        layer = lumps.resize(size, Image.Resampling.BICUBIC)
        weight = gain**octave
        total += weight
        result = layer if result is None else Image.blend(result, layer, weight / total)
    if result is None:
        raise ValueError("octaves must be at least 1")
    return ImageOps.autocontrast(result, cutoff=1)


def relief(height: Image.Image, *, dx: int, dy: int, strength: float) -> Image.Image:
    """A height map lit from the side: grey where flat, bright towards the light at (-dx, -dy)."""
    margin = max(abs(dx), abs(dy), 1)
    width, tall = height.size
    box = (margin, margin, width - margin, tall - margin)
    here = height.crop(box)
    there = height.crop((box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy))
    shaded = ImageChops.subtract(there, here, scale=1 / strength, offset=128)
    return shaded.resize(height.size, Image.Resampling.BILINEAR)


def in_perspective(texture: Image.Image, size: Size, *, far: float = 6.0) -> Image.Image:
    """A texture laid on the ground; its far edge shows `far` + 1 times as much of it as the near.

    Drawn in strips resampled with Pillow's area filter: a true perspective transform shimmers far
    away, where many texels share a pixel.
    """
    width, height = texture.size
    target = Image.new(texture.mode, size)
    strips = min(size[1], 160)
    for i in range(strips):
        y0, y1 = size[1] * i // strips, size[1] * (i + 1) // strips
        near, distant = 1 / (1 + far * (i + 1) / strips), 1 / (1 + far * i / strips)
        half = width / 2 * (near + distant) / 2
        band = texture.resize(
            (size[0], y1 - y0),
            Image.Resampling.BILINEAR,
            box=(width / 2 - half, height * (1 - distant), width / 2 + half, height * (1 - near)),
        )
        target.paste(band, (0, y0))
    return target


def polygon_mask(size: Size, shapes: Sequence[Sequence[Point]]) -> Image.Image:
    """White inside the shapes, with soft edges. Coordinates in pixels of `size`."""
    k = SUPERSAMPLE
    big = Image.new("L", (size[0] * k, size[1] * k))
    draw = ImageDraw.Draw(big)
    for shape in shapes:
        if len(shape) >= 3:
            draw.polygon([(x * k, y * k) for x, y in shape], fill=255)
    return big.reduce(k)


def ellipse_mask(size: Size, boxes: Sequence[tuple[float, float, float, float]]) -> Image.Image:
    k = SUPERSAMPLE
    big = Image.new("L", (size[0] * k, size[1] * k))
    draw = ImageDraw.Draw(big)
    for left, top, right, bottom in boxes:
        draw.ellipse((left * k, top * k, right * k, bottom * k), fill=255)
    return big.reduce(k)


def blurred(image: Image.Image, radius: float) -> Image.Image:
    """A Gaussian blur; wide ones are made on a smaller copy, which costs a fraction."""
    shrink = 8 if radius > 24 else 4 if radius > 8 else 2 if radius > 4 else 1
    if shrink == 1 or min(image.size) < 64:
        return image.filter(ImageFilter.GaussianBlur(radius))
    small = image.reduce(shrink).filter(ImageFilter.GaussianBlur(radius / shrink))
    return small.resize(image.size, Image.Resampling.BICUBIC)


def tint(mask: Image.Image, colour: Colour) -> Image.Image:
    """An L image as light of one colour on black."""
    channels = [mask.point([i * c // 255 for i in range(256)]) for c in colour]
    return Image.merge("RGB", channels)


def darkened(image: Image.Image, mask: Image.Image, colour: Colour, strength: float) -> Image.Image:
    """Lay a colour over an image where the mask is white."""
    layer = Image.new("RGB", image.size, colour)
    return Image.composite(layer, image, mask.point([round(i * strength) for i in range(256)]))


def textured(
    image: Image.Image, texture: Image.Image, mask: Image.Image | None, strength: float
) -> Image.Image:
    """Light and shade from an L texture around grey 128, inside the mask."""
    if texture.size != image.size:
        texture = texture.resize(image.size, Image.Resampling.BILINEAR)
    calm = curve(texture, lambda v: 0.5 + (v - 0.5) * strength)
    shaded = ImageChops.hard_light(image, Image.merge("RGB", (calm, calm, calm)))
    return shaded if mask is None else Image.composite(shaded, image, mask)


class Lights:
    """Glows gathered on a small canvas and screened over the picture in one go."""

    SHRINK = 4

    def __init__(self, size: Size) -> None:
        self._size = size
        self._layer = Image.new("RGB", (max(1, size[0] // 4), max(1, size[1] // 4)), BLACK)
        # Pillow's gradient reaches its end only in the corners: at the sides 0.29 is left of it, so
        # `add` cuts it off there.
        self._disc = ImageOps.invert(Image.radial_gradient("L"))

    def add(
        self,
        centre: Point,
        *,
        radius: float,
        colour: Colour,
        strength: float = 1.0,
        falloff: float = 2.0,
        stretch: float = 1.0,
    ) -> None:
        """radius in pixels of the picture; stretch widens the glow sideways."""
        wide = max(2, round(2 * radius * stretch / self.SHRINK))
        tall = max(2, round(2 * radius / self.SHRINK))
        disc = curve(self._disc, lambda v: strength * max(0.0, (v - 0.3) / 0.7) ** falloff)
        spot = tint(disc.resize((wide, tall), Image.Resampling.BICUBIC), colour)
        left = round(centre[0] / self.SHRINK - wide / 2)
        top = round(centre[1] / self.SHRINK - tall / 2)
        box = (
            max(0, left),
            max(0, top),
            min(self._layer.width, left + wide),
            min(self._layer.height, top + tall),
        )
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        part = spot.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))
        self._layer.paste(ImageChops.screen(self._layer.crop(box), part), box[:2])

    def on(self, image: Image.Image) -> Image.Image:
        glow = self._layer.resize(self._size, Image.Resampling.BICUBIC)
        return ImageChops.screen(image, glow)


def ridgeline(
    rng: Random, *, count: int, lumps: float, octaves: int, gain: float, ridged: float = 0.0
) -> list[float]:
    """Heights 0..1 along a skyline. lumps: hills across; ridged: 0 rolling .. 1 sharp peaks."""
    heights = [0.0] * count
    total = 0.0
    for octave in range(octaves):
        cells = lumps * 2**octave
        knots = [rng.random() for _ in range(math.ceil(cells) + 3)]
        weight = gain**octave
        total += weight
        for i in range(count):
            x = i / (count - 1) * cells
            k = int(x)
            t = x - k
            t = t * t * (3 - 2 * t)
            v = knots[k] + (knots[k + 1] - knots[k]) * t
            peak = 1 - abs(2 * v - 1)
            heights[i] += weight * (v + (peak - v) * ridged)
    low, high = min(heights), max(heights)
    return [(h - low) / max(1e-6, high - low) for h in heights]


def profile_points(
    heights: Sequence[float], *, width: int, base: float, rise: float
) -> list[Point]:
    """The skyline as points: base is the y of height 0, rise the pixels up to height 1."""
    step = width / (len(heights) - 1)
    return [(i * step, base - h * rise) for i, h in enumerate(heights)]


def closed(points: Sequence[Point], *, floor: float) -> list[Point]:
    """A skyline closed along the bottom."""
    return [*points, (points[-1][0], floor), (points[0][0], floor)]


def bezier(points: Sequence[Point], *, steps: int = 16) -> list[Point]:
    """Cubic segments: start, then (control, control, end) again and again."""
    path = [points[0]]
    for i in range(0, len(points) - 3, 3):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points[i : i + 4]
        for s in range(1, steps + 1):
            t = s / steps
            u = 1 - t
            a, b, c, d = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
            path.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return path
