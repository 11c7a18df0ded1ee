"""Pictures: check, measure, make thumbnails, fit to a size. Knows no table and no store."""

from __future__ import annotations

import io
import math
import shutil
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from PIL import ExifTags, Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from assets import containers
from assets.errors import Reason, RejectedFile

MAX_PIXELS: Final = 50_000_000
MAX_PICTURE_BYTES: Final = 50 * 2**20
THUMBNAIL_WIDTHS: Final = (480, 960)

# Pillow's own guard warns above this and raises above twice this, some decoders before they
# allocate. Ours raises above it in any case, as soon as the header is read.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

# Everything else Pillow can read (EPS starts Ghostscript, TIFF has its own bombs) stays shut.
FORMATS = {containers.JPEG: "JPEG", containers.PNG: "PNG", containers.WEBP: "WEBP"}
# A picture of more is made half as wide and high before anything else is done with it, where that
# is enough: four times what a clip needs is left.
MANY_PIXELS: Final = 16_000_000
# How many rows are turned into another mode at a time.
_STRIP_ROWS: Final = 256
# A decoded picture has up to 200 MB and reading one up to twice that, so few are read at a time.
_MAX_AT_ONCE: Final = 2
_places = threading.BoundedSemaphore(_MAX_AT_ONCE)
_held = threading.local()
# What Pillow's readers are known to raise on broken input. They read from memory here, so an
# OSError is about the picture, never about a disk. The last line: what it takes for granted.
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
    ImageCms.PyCMSError,
    AssertionError,
    AttributeError,
    ArithmeticError,
    NameError,
    RuntimeError,
)
# The longest side a WebP can have.
_WEBP_SIDE = 16_383
_ORIENTATION = ExifTags.Base.Orientation
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedPicture:
    """A picture that decodes. width, height: pixels as shown, i.e. after EXIF orientation.

    thumbnails: WebP files by nominal width; a picture narrower than that keeps its own width.
    """

    media_type: str
    width: int
    height: int
    thumbnails: dict[int, bytes]


def examine(*, file: BinaryIO, media_type: str) -> ExaminedPicture:
    """Decode the whole picture, measure it and draw its thumbnails.

    file: seekable; read from the start. media_type: as `containers.media_type_of` tells it.
    Raises RejectedFile.
    """
    data = _read(file)
    with decoding(), opened(data, media_type) as picture:
        containers.check_ends_with_picture(data=data, media_type=media_type)
        with refusing():
            picture.load()
            width, height = size_as_shown(picture)
            thumbnails = {nominal: _thumbnail(picture, nominal) for nominal in THUMBNAIL_WIDTHS}
    return ExaminedPicture(media_type=media_type, width=width, height=height, thumbnails=thumbnails)


def fit_image(*, source: BinaryIO, target: BinaryIO, width: int, height: int) -> None:
    """Write the picture to target at exactly width x height pixels, in its own format.

    One that fits is copied byte for byte. Any other is cropped around its centre to the ratio,
    resized and encoded again (JPEG and WebP at quality 95) with its EXIF, XMP, ICC profile, text
    and comment; Content Credentials are not kept, since they sign the old pixels. source:
    seekable, read from the start. Raises RejectedFile; nothing was written then.
    """
    data = _read(source)
    media_type = picture_type_of(data)
    with decoding(), opened(data, media_type) as picture:
        if size_as_shown(picture) == (width, height):
            fitted = io.BytesIO(data)
        else:
            with refusing():
                picture.load()
                fitted = _resized(picture, media_type, width, height)
    shutil.copyfileobj(fitted, target)


def shown_size(*, source: BinaryIO) -> tuple[int, int]:
    """Width and height in pixels as shown. Raises RejectedFile."""
    data = _read(source)
    media_type = picture_type_of(data)
    # The orientation of a PNG may stand behind its pixels, so that Pillow reads them, too.
    with decoding(), opened(data, media_type) as picture:
        return size_as_shown(picture)


def picture_type_of(data: bytes) -> str:
    """The media type of a picture we take, by its bytes. Raises RejectedFile."""
    media_type = containers.media_type_of(data[: containers.HEAD_BYTES])
    if media_type not in FORMATS:
        raise unknown_type()
    return media_type


def unknown_type() -> RejectedFile:
    return RejectedFile(Reason.UNKNOWN_TYPE, "This file is not a JPEG, PNG or WebP picture.")


def _read(file: BinaryIO) -> bytes:
    file.seek(0)
    data = file.read(MAX_PICTURE_BYTES + 1)
    if not data:
        raise RejectedFile(Reason.EMPTY, "The file is empty.")
    if len(data) > MAX_PICTURE_BYTES:
        raise too_large(MAX_PICTURE_BYTES)
    return data


def too_large(max_bytes: int) -> RejectedFile:
    return RejectedFile(
        Reason.TOO_LARGE, f"The file is larger than {max_bytes / 2**20:g} MB, the most we take."
    )


@contextmanager
def decoding() -> Iterator[None]:
    """Wait for one of the process's places to decode a picture in.

    A thread that has one goes on in it: waiting for a second could wait for ever.
    """
    if getattr(_held, "is_held", False):
        yield
        return
    with _places:
        _held.is_held = True
        try:
            yield
        finally:
            _held.is_held = False


@contextmanager
def refusing() -> Iterator[None]:
    """Whatever Pillow trips over while it reads, converts or writes a picture is a refusal."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except _UNREADABLE as error:
        raise containers.damaged() from error


def opened(data: bytes, media_type: str) -> Image.Image:
    """The picture with its header read and its pixels not. Raises RejectedFile."""
    containers.check_work(data=data, media_type=media_type)
    with refusing():
        picture = Image.open(io.BytesIO(data), formats=(FORMATS[media_type],))
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_many_pixels()
    # A camera's JPEG with further pictures behind the first counts as frames, too.
    if media_type != containers.JPEG and getattr(picture, "is_animated", False):
        raise RejectedFile(Reason.ANIMATED, "This picture moves. Only still pictures are taken.")
    if picture.mode == "P" and picture.palette is None:  # Pillow reads it, and then trips over it
        raise containers.damaged()
    return picture


def _too_many_pixels() -> RejectedFile:
    return RejectedFile(
        Reason.TOO_MANY_PIXELS,
        f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels, the most we take.",
    )


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except _UNREADABLE:
        # Broken metadata does not make the pixels unreadable; browsers show such a picture as is.
        return 1


def size_as_shown(picture: Image.Image) -> tuple[int, int]:
    """Width and height of an opened picture in pixels, as its orientation shows it."""
    width, height = picture.size
    return (height, width) if _orientation(picture) >= 5 else (width, height)


def turned_upright(pixels: Image.Image, picture: Image.Image) -> Image.Image:
    """Pixels made of a picture, turned as that picture's own tags say."""
    turn = _UPRIGHT.get(_orientation(picture))
    return pixels if turn is None else pixels.transpose(turn)


def plain(picture: Image.Image) -> Image.Image:
    """The picture in a mode that can be resized well: no palettes, no bits, no 16-bit grey."""
    if picture.mode.startswith("I"):
        return picture.convert("F").point(lambda value: value / 257).convert("L")
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode == "P" or "transparency" in picture.info:
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture


def plain_part(
    picture: Image.Image, box: tuple[int, int, int, int], *, factor: int = 1
) -> Image.Image:
    """A part of a loaded picture in a plain mode, its sides divided by factor and rounded up.

    A few rows at a time: a whole picture of 50 megapixels in another mode is 200 MB more.
    """
    left, top, right, bottom = box
    part: Image.Image | None = None
    for row in range(top, bottom, _STRIP_ROWS):
        strip = plain(picture.crop((left, row, right, min(row + _STRIP_ROWS, bottom))))
        strip = strip.reduce(factor) if factor > 1 else strip
        if part is None:
            part = Image.new(strip.mode, (strip.width, math.ceil((bottom - top) / factor)))
        part.paste(strip, (0, (row - top) // factor))
    if part is None:
        raise ValueError("a part without rows")
    return part


def _thumbnail(picture: Image.Image, nominal: int) -> bytes:
    shown_width, shown_height = size_as_shown(picture)
    scale = min(1.0, nominal / shown_width, _WEBP_SIDE / shown_height)
    width, height = max(1, round(shown_width * scale)), max(1, round(shown_height * scale))
    size = (height, width) if (shown_width, shown_height) != picture.size else (width, height)
    small = plain(picture).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    small = in_srgb(small, picture.info.get("icc_profile"))
    small = turned_upright(small, picture)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=80, method=4)
    return out.getvalue()


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in sRGB, so that a thumbnail needs no profile of its own."""
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    if profile:
        # A profile that is broken, or of another colour space than the pixels, says nothing.
        with suppress(*_UNREADABLE):
            converted = ImageCms.profileToProfile(
                picture, io.BytesIO(profile), _SRGB, outputMode=mode
            )
            if converted is not None:
                return converted
    return picture.convert(mode)


def _resized(picture: Image.Image, media_type: str, width: int, height: int) -> io.BytesIO:
    fitted = ImageOps.fit(
        turned_upright(plain(picture), picture), (width, height), method=Image.Resampling.LANCZOS
    )
    quality: dict[str, Any] = {
        containers.JPEG: {"quality": 95, "subsampling": 0},
        containers.PNG: {},
        containers.WEBP: {"quality": 95, "method": 4},
    }[media_type]
    out = io.BytesIO()
    fitted.save(out, FORMATS[media_type], **quality, **_metadata(picture, media_type))
    out.seek(0)
    return out


def _metadata(picture: Image.Image, media_type: str) -> dict[str, Any]:
    """What `save` needs to write the picture's metadata again."""
    kept = {
        name: picture.info[name]
        for name in ("icc_profile", "xmp", "comment", "dpi")
        if picture.info.get(name)
    }
    if exif := picture.info.get("exif"):
        kept["exif"] = exif
        if _orientation(picture) != 1:
            # The pixels were turned upright. A copy: the picture's own tags still say how it lay.
            tags = Image.Exif()
            tags.load(exif)
            tags[_ORIENTATION] = 1
            kept["exif"] = tags.tobytes()
    if media_type == containers.PNG:
        text = PngInfo()
        for name, value in getattr(picture, "text", {}).items():
            text.add_itxt(name, value)
        kept["pnginfo"] = text
    return kept
