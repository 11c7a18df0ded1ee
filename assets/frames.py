"""Start frames: what may be one, how it is cleaned, and how it is cropped for a clip.

Bytes, shorter side and ratio are limited as by the pickiest provider (Kling's image rules), so that
one frame serves them all; the longer side is our own limit.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, Final

from PIL import Image

from assets import containers, imaging
from assets.errors import Reason, RejectedFile

START_FRAME_MAX_BYTES: Final = 10 * 2**20
START_FRAME_MIN_SIDE: Final = 300
START_FRAME_MAX_SIDE: Final = 8000
# The longer side by the shorter, lying and standing.
START_FRAME_MAX_RATIO: Final = Fraction(5, 2)
CROP_QUALITY: Final = 92

# Reading a WebP takes 16 bytes for each pixel, four inks in scans 10: decoders keep more copies.
_MOST_WEBP_PIXELS: Final = 25_000_000
_MOST_CMYK_PIXELS: Final = 40_000_000
# Above this a lossless WebP is written in the quickest way, which takes the least memory, too.
_SLOW_WEBP_PIXELS: Final = 4_000_000
# What a frame is written with again, best first: the next one when the file grew over the limit.
_QUALITIES: Final = (95, 92, 88, 82)
_WHITE: Final = (255, 255, 255, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanFrame:
    """A picture that is upright, in sRGB and says nothing of who made it, when and where."""

    data: bytes
    media_type: str
    width: int
    height: int


def clean_frame(*, file: BinaryIO) -> CleanFrame:
    """Check a picture that is to start a clip, and write it again with its pixels alone.

    It stays a JPEG, PNG or WebP, without loss where it had none (PNG, lossless WebP), else at
    quality 95; where that made more than START_FRAME_MAX_BYTES of it, at a lower quality, as JPEG
    or lossy WebP, or smaller. One of more than imaging.MANY_PIXELS comes out half as wide and
    high. file: seekable. Raises RejectedFile; its size is looked at first.
    """
    size_bytes = file.seek(0, os.SEEK_END)
    if not size_bytes:
        raise RejectedFile(Reason.EMPTY, "The file is empty.")
    _check_bytes(size_bytes)
    file.seek(0)
    data = file.read(START_FRAME_MAX_BYTES)
    media_type = imaging.picture_type_of(data)
    with imaging.decoding():
        # In a function of its own: what was decoded is let go before anything is written.
        pixels = _decoded(data, media_type)
        with imaging.refusing():
            return _written(pixels, media_type, is_lossless=_is_lossless(data))


def check_frame_size(*, width: int, height: int) -> None:
    """Whether a picture of this size, measured before, may start a clip.

    width, height: pixels as shown. How many bytes a picture that is here already has is no matter:
    what is sent is cut and encoded anew. Raises RejectedFile with what it is and what is allowed.
    """
    short, long = sorted((width, height))
    allowed = f"each side must have {START_FRAME_MIN_SIDE} to {START_FRAME_MAX_SIDE} px"
    if short < START_FRAME_MIN_SIDE:
        raise RejectedFile(
            Reason.SIDE_TOO_SHORT, f"The picture is {width} × {height} px; {allowed}."
        )
    if long > START_FRAME_MAX_SIDE:
        raise RejectedFile(
            Reason.SIDE_TOO_LONG, f"The picture is {width} × {height} px; {allowed}."
        )
    if Fraction(long, short) > START_FRAME_MAX_RATIO:
        # Rounded up: 2.504 must not read as the 2.5 that is allowed.
        number = f"{math.ceil(Fraction(long, short) * 100) / 100:g}"
        ratio = f"{number}:1" if width > height else f"1:{number}"
        raise RejectedFile(
            Reason.RATIO,
            f"The picture is {width} × {height} px, a ratio of {ratio}; it must be between 1:2.5"
            " and 2.5:1.",
        )


def crop_for_clip(
    *,
    data: bytes,
    aspect_ratio: tuple[int, int],
    max_side_px: int = 1920,
    min_side_px: int = START_FRAME_MIN_SIDE,
) -> bytes:
    """The centre of a picture in a clip's ratio, as a JPEG in sRGB without metadata.

    The largest part that has the ratio, made smaller until its long side has max_side_px, or
    larger until its short one has min_side_px; both sides even, the ratio exact within a pixel.
    What was transparent is white. data: a picture we take. Raises RejectedFile.
    """
    media_type = imaging.picture_type_of(data)
    with imaging.decoding(), imaging.opened(data, media_type) as picture:
        shown = imaging.size_as_shown(picture)
        crop = largest_of_ratio(*shown, aspect_ratio=aspect_ratio)
        size = _scaled(crop, aspect_ratio, max_side_px=max_side_px, min_side_px=min_side_px)
        if shown != picture.size:  # it lies on its side until the end, where it is small
            crop, size = crop[::-1], size[::-1]
        with imaging.refusing():
            part = _cut(picture, crop=crop, size=size)
            part = imaging.in_srgb(part, picture.info.get("icc_profile"))
            part = imaging.turned_upright(part, picture)
            out = io.BytesIO()
            _bare(_on_white(part)).save(out, "JPEG", quality=CROP_QUALITY)
    return out.getvalue()


def _cut(picture: Image.Image, *, crop: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """The centre of an opened picture, crop px large, brought to size px in a plain mode."""
    whole = picture.size
    # A JPEG is decoded at a half, a quarter or an eighth where twice the result is left, or a
    # little more than the result where the whole would take very much memory.
    is_large = _pixels(picture) > imaging.MANY_PIXELS
    scale = (1.25 if is_large else 2) * max(size) / max(crop)
    if scale < 1:
        picture.draft(None, (math.ceil(whole[0] * scale), math.ceil(whole[1] * scale)))
    picture.load()
    shrunk = picture.width / whole[0], picture.height / whole[1]
    left, top = ((whole[side] - crop[side]) // 2 for side in (0, 1))
    box = (
        left * shrunk[0],
        top * shrunk[1],
        min((left + crop[0]) * shrunk[0], picture.width),
        min((top + crop[1]) * shrunk[1], picture.height),
    )
    if _pixels(picture) <= imaging.MANY_PIXELS:
        pixels = imaging.plain(picture)
    else:
        around = math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])
        is_half_enough = scale <= Fraction(5, 8) and crop[0] * crop[1] > imaging.MANY_PIXELS
        factor = 2 if is_half_enough else 1
        pixels = imaging.plain_part(picture, around, factor=factor)
        box = (
            (box[0] - around[0]) / factor,
            (box[1] - around[1]) / factor,
            min((box[2] - around[0]) / factor, pixels.width),
            min((box[3] - around[1]) / factor, pixels.height),
        )
    return pixels.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=3.0)


def largest_of_ratio(width: int, height: int, *, aspect_ratio: tuple[int, int]) -> tuple[int, int]:
    """Even sides, in px, of the largest rectangle of a ratio within width x height."""
    wide, high = aspect_ratio
    if width * high > height * wide:
        other = largest_of_ratio(height, width, aspect_ratio=(high, wide))
        return other[1], other[0]
    even_width = max(2, width // 2 * 2)
    return even_width, _nearest_even(Fraction(even_width * high, wide))


def _scaled(
    crop: tuple[int, int],
    aspect_ratio: tuple[int, int],
    *,
    max_side_px: int,
    min_side_px: int,
) -> tuple[int, int]:
    ratio = Fraction(max(aspect_ratio), min(aspect_ratio))
    short, long = sorted(crop)
    if long > max_side_px:
        long = max_side_px // 2 * 2
        short = _nearest_even(long / ratio)
    if short < min_side_px:
        short = (min_side_px + 1) // 2 * 2
        long = _nearest_even(short * ratio)
    return (long, short) if aspect_ratio[0] >= aspect_ratio[1] else (short, long)


def _nearest_even(side: Fraction) -> int:
    """Half-way down, so that a rectangle never grows out of an odd side."""
    return max(2, 2 * math.ceil(side / 2 - Fraction(1, 2)))


def _check_bytes(size_bytes: int) -> None:
    if size_bytes > START_FRAME_MAX_BYTES:
        # Rounded up: one byte over must not read as the 10 MB that are allowed.
        shown = math.ceil(size_bytes * 10 / 2**20) / 10
        raise RejectedFile(
            Reason.TOO_LARGE,
            f"The picture has {shown:.1f} MB; a start frame may have at most"
            f" {START_FRAME_MAX_BYTES // 2**20} MB.",
        )


def _is_lossless(data: bytes) -> bool:
    """Whether a WebP holds its picture without loss. Source: RFC 9649 section 2.6."""
    position = 12
    while position + 8 <= len(data):
        if data[position : position + 4] == b"VP8L":
            return True
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8 + length + length % 2
    return False


def _pixels(picture: Image.Image) -> int:
    return picture.width * picture.height


def _check_cost(picture: Image.Image, media_type: str) -> None:
    most = _MOST_CMYK_PIXELS if picture.mode == "CMYK" else imaging.MAX_PIXELS
    if media_type == containers.WEBP:
        most = _MOST_WEBP_PIXELS
    if _pixels(picture) > most:
        raise RejectedFile(
            Reason.TOO_MANY_PIXELS,
            f"The picture has more than {most // 1_000_000} megapixels, the most we take of this"
            " type. Save it smaller or as an ordinary JPEG.",
        )


def _decoded(data: bytes, media_type: str) -> Image.Image:
    """The checked picture, half as large where it has very many pixels. Raises RejectedFile."""
    with imaging.opened(data, media_type) as picture:
        width, height = imaging.size_as_shown(picture)
        check_frame_size(width=width, height=height)
        _check_cost(picture, media_type)
        containers.check_ends_with_picture(data=data, media_type=media_type)
        with imaging.refusing():
            if _pixels(picture) <= imaging.MANY_PIXELS:
                picture.load()
                return _pixels_alone(picture, picture)
            picture.draft(None, (picture.width // 2, picture.height // 2))
            picture.load()
            half = picture
            if _pixels(picture) > imaging.MANY_PIXELS:  # all but JPEGs
                half = imaging.plain_part(picture, (0, 0, *picture.size), factor=2)
            return _pixels_alone(_within_ratio(half), picture)


def _within_ratio(picture: Image.Image) -> Image.Image:
    """Without the pixel by which rounding may have brought a picture out of the allowed ratio."""
    most = int(min(picture.size) * START_FRAME_MAX_RATIO)
    if max(picture.size) <= most:
        return picture
    return picture.crop((0, 0, min(picture.width, most), min(picture.height, most)))


def _pixels_alone(pixels: Image.Image, picture: Image.Image) -> Image.Image:
    """Pixels made of a picture: upright, in sRGB, and nothing but pixels."""
    profile = picture.info.get("icc_profile")
    # Those have the fewest bytes as they are.
    is_small = pixels.mode in ("1", "L", "P") and "transparency" not in pixels.info
    if profile or not is_small:
        pixels = imaging.in_srgb(imaging.plain(pixels), profile)
    return _bare(imaging.turned_upright(pixels, picture))


def _bare(picture: Image.Image) -> Image.Image:
    """Without what Pillow would write beside the pixels unasked: profile, comment, resolution."""
    picture.info = {}
    return picture


def _written(picture: Image.Image, media_type: str, *, is_lossless: bool) -> CleanFrame:
    while True:
        for kind, options in _ways(picture, media_type, is_lossless=is_lossless):
            out = io.BytesIO()
            picture.save(out, imaging.FORMATS[kind], **options)
            if out.tell() <= START_FRAME_MAX_BYTES:
                width, height = picture.size
                return CleanFrame(data=out.getvalue(), media_type=kind, width=width, height=height)
        # Noise. What has so many bytes at the lowest quality has far more pixels than are needed.
        picture = _within_ratio(imaging.plain(picture).reduce(2))


def _ways(
    picture: Image.Image, media_type: str, *, is_lossless: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Types and options to write a picture with, best first."""
    if media_type == containers.PNG:
        yield media_type, {"optimize": False}
        yield media_type, {"optimize": True}
    elif is_lossless:
        method = 4 if _pixels(picture) <= _SLOW_WEBP_PIXELS else 0
        yield containers.WEBP, {"lossless": True, "method": method, "exact": True}
    is_jpeg = media_type == containers.JPEG or (
        media_type == containers.PNG and not picture.has_transparency_data
    )
    for quality in _QUALITIES:
        if is_jpeg:
            yield containers.JPEG, {"quality": quality, "subsampling": 0}
        else:
            yield containers.WEBP, {"quality": quality, "method": 4}


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    return Image.alpha_composite(Image.new("RGBA", picture.size, _WHITE), picture).convert("RGB")
